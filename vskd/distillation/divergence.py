"""Trainings that diverged: loss or weights that are no longer finite end a training, and nothing of them is kept."""

import math
from collections.abc import Mapping

from torch import Tensor, nn

from vskd.errors import DivergedError, first_few
from vskd.models.weights.state import not_finite

ACTION = (
    "Lower training.learning_rate, set training.gradient_clip (e.g. to 1) or training.precision to float32, "
    "and train in a new folder"
)


def diverged(what: str, epoch: int) -> DivergedError:
    """The error of a training that diverged.

    Args:
        what: is not finite.
        epoch: from 0; people count from 1.
    """
    return DivergedError(f"training diverged in epoch {epoch + 1}: {what}", ACTION)


def refuse_diverged(epoch: int, module: nn.Module, figures: Mapping[str, float | Tensor]) -> None:
    """To be asked at the end of an epoch, before anything of it is kept: a last step may spoil weights without a loss.

    Args:
        epoch: from 0.
        module: what is trained, buffers included.
        figures: of the epoch, by name.

    Raises:
        DivergedError: a figure or the module's state is NaN or infinite.
    """
    wrong = [f"{name} {value:g}" for name, value in figures.items() if not math.isfinite(value)]
    if wrong:
        raise diverged(", ".join(wrong), epoch)
    names = not_finite(module.state_dict())
    if names:
        raise diverged(f"NaN or infinity in {len(names)} tensors ({first_few(names, 3, ', ')})", epoch)
