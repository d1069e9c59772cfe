"""The published SqueezeNet_LW files of KRCA: zip-format torch files of 18 float32 tensors, stored on a GPU.

Their names are those of `SqueezeNetLW`, so that only a prefix such as `module.` has to go. Unlike ImageNet files, they
hold a trained driver classifier, which is kept. Its classes are in the order of the sorted folder names of SFD3:
drinking, makeup, normal driving, operating the interactive interface, reaching behind, talking on the phone left and
right, talking to passenger, texting left and right. The files carry no licence.
"""

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from vskd.errors import CheckpointError
from vskd.models.squeezenet_lw import SqueezeNetLW
from vskd.models.weights.state import compare_states


def take_krca(tensors: Mapping[str, Tensor], source: Path) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    """The tensors of a whole SqueezeNet_LW, in the network's order; nothing is left out.

    Raises:
        CheckpointError: a tensor is missing, of another shape, or one too many.
    """
    head = tensors.get(f"{SqueezeNetLW.head}.weight")
    classes = max(1, head.shape[0]) if head is not None and head.ndim == 4 else 1
    wanted = SqueezeNetLW(3, classes).state_dict()
    difference = compare_states(tensors, wanted)
    if not difference.fits(strict=True):
        action = f"Give one of KRCA's SqueezeNet_LW files, which hold these {len(wanted)} tensors and no others"
        raise CheckpointError(f"{source} does not hold a SqueezeNet_LW of KRCA: {difference}", action)
    return {name: tensors[name].to(tensor.dtype) for name, tensor in wanted.items()}, ()
