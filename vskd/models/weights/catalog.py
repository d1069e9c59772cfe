"""Which public weights can be imported. To add one: one line here, and a file beside this one where names differ."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Literal

from torch import Tensor

from vskd.models.bn_inception import BNInception
from vskd.models.catalog import build_network, parse_network
from vskd.models.weights import convnext, efficientnet_lite
from vskd.models.weights.c3d import take_c3d
from vskd.models.weights.imagenet import Taken, take_features
from vskd.models.weights.krca import take_krca
from vskd.network import PretrainedPart

Format = Literal["imagenet", "krca", "c3d"]


@dataclass(frozen=True)
class PublicWeights:
    """Public weights of one network.

    Attributes:
        layout: the kind of file that they come in.
        take: (tensors of the file under their plain names, the file) -> those of ours, and the names left out.
        licences: sha256 of a file whose licence is known -> the licence.
    """

    layout: Format
    take: Callable[[Mapping[str, Tensor], Path], Taken]
    licences: Mapping[str, str] = field(default_factory=dict)


def _part_of(network: str) -> PretrainedPart:
    """Where weights of a network of the catalog go, at the channels of ImageNet's photographs."""
    return build_network(parse_network(network), shape=(3, 64, 64), classes=1).pretrained_part()


def _imagenet(
    network: str,
    part: Callable[[], PretrainedPart] | None = None,
    rename: Callable[[Mapping[str, Tensor]], dict[str, Tensor]] = dict,
    licences: Mapping[str, str] | None = None,
) -> PublicWeights:
    take = partial(take_features, network, part or partial(_part_of, network), rename)
    return PublicWeights("imagenet", take, licences or {})


PUBLIC_WEIGHTS: Mapping[str, PublicWeights] = {
    "bn-inception": _imagenet("bn-inception", lambda: BNInception().pretrained_part()),
    "resnet18": _imagenet("resnet18"),
    "convnext-tiny": _imagenet("convnext-tiny", rename=convnext.to_torchvision),
    "efficientnet-lite0": _imagenet(
        "efficientnet-lite0", rename=efficientnet_lite.to_ours, licences=efficientnet_lite.LICENCES
    ),
    "efficientnet-v2-s": _imagenet("efficientnet-v2-s"),
    "mobilenet-v3-small-100": _imagenet("mobilenet-v3-small-100"),
    "squeezenet-1-0": _imagenet("squeezenet-1-0"),
    "squeezenet-lw": PublicWeights("krca", take_krca),
    "c3d": PublicWeights("c3d", take_c3d),
}
"""By the network that they are of."""
