"""That each public file fits its network: `take` of a file that holds the network's own tensors, under its names."""

from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from torch import Tensor

from tests.models.weights.test_convnext import authors_shapes
from tests.models.weights.test_efficientnet_lite import public_shapes
from vskd.errors import CheckpointError
from vskd.models.bn_inception import BNInception
from vskd.models.catalog import NETWORKS, build_network, parse_network
from vskd.models.weights.catalog import PUBLIC_WEIGHTS

FILE = Path("public.pth")
OWN_NAMES = ("resnet18", "mobilenet-v3-small-100", "squeezenet-1-0")
"""Networks whose public files have our names."""


def test_every_importer_but_that_of_a_frame_network_is_of_a_network() -> None:
    assert set(PUBLIC_WEIGHTS) - set(NETWORKS) == {"bn-inception"}


@pytest.mark.parametrize("name", OWN_NAMES)
def test_all_but_the_head_is_taken(name: str) -> None:
    part = build_network(parse_network(name), shape=(3, 64, 64), classes=5).pretrained_part()
    file = part.module.state_dict()
    taken, left_out = PUBLIC_WEIGHTS[name].take(file, FILE)
    assert part.head is None or all(tensor.startswith(f"{part.head}.") for tensor in left_out)
    assert set(taken) | set(left_out) == set(file)
    assert all(torch.equal(taken[tensor], file[tensor]) for tensor in taken)


@pytest.mark.parametrize("name", PUBLIC_WEIGHTS)
def test_a_file_of_another_network_is_refused(name: str) -> None:
    with pytest.raises(CheckpointError, match=r"public\.pth"):
        PUBLIC_WEIGHTS[name].take({"layer.weight": torch.zeros(2, 2)}, FILE)


def test_licences_are_known_by_whole_hashes() -> None:
    hashes = [sha256 for public in PUBLIC_WEIGHTS.values() for sha256 in public.licences]
    assert hashes
    assert all(len(sha256) == 64 and int(sha256, 16) for sha256 in hashes)


def test_only_the_paper_s_own_network_comes_in_the_paper_s_files() -> None:
    assert [name for name, public in PUBLIC_WEIGHTS.items() if public.layout == "krca"] == ["squeezenet-lw"]


def hollow(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Tensor]:
    """Zeros of these shapes, in the memory of one number."""
    return {name: torch.zeros(()).expand(shape) for name, shape in shapes.items()}


IMAGENET = [name for name, public in PUBLIC_WEIGHTS.items() if public.layout == "imagenet" and name in NETWORKS]


@pytest.mark.parametrize("name", IMAGENET)
def test_a_file_of_our_own_names_and_of_other_classes_is_taken_but_for_its_head(name: str) -> None:
    with torch.device("meta"):
        part = build_network(parse_network(name), shape=(3, 64, 64), classes=5).pretrained_part()
    file = hollow({tensor: tuple(value.shape) for tensor, value in part.module.state_dict().items()})
    taken, left_out = PUBLIC_WEIGHTS[name].take(file, FILE)
    head = () if part.head is None else (f"{part.head}.",)
    assert left_out == tuple(tensor for tensor in file if tensor.startswith(head))
    assert list(taken) == [tensor for tensor in file if tensor not in left_out]


@pytest.mark.parametrize(("name", "head"), [("efficientnet-lite0", "classifier.1"), ("convnext-tiny", "classifier.2")])
def test_a_file_of_the_authors_names_is_taken_under_ours(name: str, head: str) -> None:
    file = hollow({"efficientnet-lite0": public_shapes, "convnext-tiny": authors_shapes}[name]())
    taken, left_out = PUBLIC_WEIGHTS[name].take(file, FILE)
    assert left_out == (f"{head}.weight", f"{head}.bias") and len(taken) == len(file) - 2
    with torch.device("meta"):
        wanted = build_network(parse_network(name), shape=(3, 64, 64), classes=5).state_dict()
    assert set(taken) == {tensor for tensor in wanted if not tensor.startswith(head)}


def test_the_frame_network_has_an_importer_of_its_own() -> None:
    with torch.device("meta"):
        state = BNInception(classes=1000).state_dict()
    taken, left_out = PUBLIC_WEIGHTS["bn-inception"].take(hollow({n: tuple(t.shape) for n, t in state.items()}), FILE)
    assert left_out == ("last_linear.weight", "last_linear.bias") and len(taken) == len(state) - 2


def test_what_kind_of_file_each_comes_in_and_whose_licence_is_known() -> None:
    layouts = {name: public.layout for name, public in PUBLIC_WEIGHTS.items() if public.layout != "imagenet"}
    assert layouts == {"squeezenet-lw": "krca", "c3d": "c3d"}
    assert {name for name, public in PUBLIC_WEIGHTS.items() if public.licences} == {"efficientnet-lite0"}
