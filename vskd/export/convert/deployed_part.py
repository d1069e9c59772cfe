"""What of a student becomes a LiteRT model: the network behind the encoding, or, of wrist students, both.

With `contract.encoding_inside` the model takes the window itself, and the image is made of int8 products and roots. On
UTD-MHAD (small CNN, GASF+GADF 32x32, 108 validation recordings, 4 seeds) int8 is then 0.9 to 2.8 points below int8
behind a floating-point encoding, which is therefore the default, and the error of the logits is 1.5 to 2.2 times as
large. Min-max scaling cannot be inside, because its REDUCE_MAX stays float. Nor does TFLite Micro run such a model: it
has no int8 SQRT.
"""

import copy
import math

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from vskd.bundle.contract import ClipContract, Contract, ImageContract
from vskd.bundle.encoding import model_input
from vskd.distillation.model import Model
from vskd.export.convert.deploy_form import deploy_form
from vskd.export.convert.integer_form import integer_form
from vskd.export.convert.litert import LogitsOnly, convert_float
from vskd.export.convert.planar_form import planar_form
from vskd.preprocessing.sensor.gaf import GramianAngularField


def deployed_part(reference: Model, contract: Contract) -> nn.Module:
    """A copy of what is converted: gives the logits alone, in layers that every int8 runtime computes alike.

    A network of images is also rewritten to be fast in int8, and one of clips in 2-D layers.

    Args:
        reference: the student's model, on the CPU in evaluation mode; it is not changed.
        contract: says whether the encoding is inside.
    """
    if isinstance(contract, ImageContract):
        return integer_form(deploy_form(reference.network, channels_last_width=contract.size))
    if isinstance(contract, ClipContract):
        return planar_form(reference.network)
    if contract.encoding_inside:
        return LogitsOnly(_single_precision(reference))
    return LogitsOnly(integer_form(reference.network))


def convert_part(part: nn.Module, contract: Contract) -> bytes:
    """The float LiteRT model of what `deployed_part` gave; the layout of its weights is changed in place.

    Raises:
        BundleError: it cannot be converted.
        MissingExtraError: the converter is not installed.
    """
    example = torch.from_numpy(model_input(_example(contract), contract)[np.newaxis])
    # channels_last weights are a matter of torch's speed alone, and would only add transposes to the graph
    plain = {name: value.contiguous() for name, value in part.state_dict().items()}
    part.load_state_dict(plain, assign=True)
    return convert_float(part, example)


def _single_precision(model: Model) -> Model:
    """A copy whose encoding computes in float32 throughout, because LiteRT has no float64 kernels."""
    result = copy.deepcopy(model)
    if isinstance(result.front, GramianAngularField):
        result.front.precision = "float32"
    result.add_module("network", integer_form(result.network))
    return result


def _example(contract: Contract) -> npt.NDArray[np.float32]:
    """Any sample that is not constant: min-max scaling has no meaning for a constant one."""
    return np.sin(np.arange(math.prod(contract.sample_shape))).reshape(contract.sample_shape).astype(np.float32)
