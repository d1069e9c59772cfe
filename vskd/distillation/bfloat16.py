"""Where bfloat16 must not be trained in, since the CPU library's gradients of two kinds of convolution are wrong, and
where it should not be: on a processor that has no instructions for it."""

import logging
import platform
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from vskd.errors import RecipeError
from vskd.network import Network, Shape, probe

logger = logging.getLogger(__name__)


def strided_on_a_pixel(network: Network, shape: Shape) -> tuple[str, ...]:
    """Paths of the 2-D convolutions that step over maps of a single pixel.

    Args:
        network: of images or frames.
        shape: of one sample.
    """

    def wrong(layer: nn.Module, seen: Shape) -> bool:
        if not isinstance(layer, nn.Conv2d):
            return False
        return seen[-2:] == (1, 1) and max(layer.stride) > 1 and max(layer.kernel_size) > 1

    return _layers(network, shape, wrong)


def over_two_frames(network: Network, shape: Shape) -> tuple[str, ...]:
    """Paths of the 3-D convolutions, three frames wide or more, that see two frames.

    Args:
        network: of clips.
        shape: of one sample.
    """

    def wrong(layer: nn.Module, seen: Shape) -> bool:
        return isinstance(layer, nn.Conv3d) and seen[-3] == 2 and layer.kernel_size[0] > 2

    return _layers(network, shape, wrong)


def _layers(network: Network, shape: Shape, wrong: Callable[[nn.Module, Shape], bool]) -> tuple[str, ...]:
    """Paths of the layers of which `wrong` says so, told the shape of what each sees."""
    found: list[str] = []

    def look(name: str) -> Any:
        def hook(module: nn.Module, inputs: tuple[Any, ...]) -> None:
            x, *_ = inputs
            if wrong(module, tuple(x.shape)):
                found.append(name)

        return hook

    convolutions = [(name, m) for name, m in network.named_modules() if isinstance(m, nn.Conv2d | nn.Conv3d)]
    handles = [module.register_forward_pre_hook(look(name)) for name, module in convolutions]
    try:
        probe(network, shape)
    finally:
        for handle in handles:
            handle.remove()
    return tuple(dict.fromkeys(found))


def refuse_wrong_gradients(network: Network, shape: Shape) -> None:
    """Refuse to train in bfloat16 on the CPU what would get other weights, or NaN, in every run.

    - The gradient of the weights of a padded convolution with a stride, on a map of one pixel, holds memory that was
      never written (oneDNN in torch 2.13, with AVX-512: 43 of 60 gradients were wrong, none on larger maps).
    - So does that of a 3-D convolution over two frames (same library: 40 of 40 were inf, NaN or wrong with two frames,
      none of 90 with 3 to 16 frames, or with one).

    Args:
        network: about to be trained.
        shape: of one sample.

    Raises:
        RecipeError: it has such a layer, and there is no GPU.
    """
    if torch.cuda.is_available():
        return
    if layers := strided_on_a_pixel(network, shape):
        raise RecipeError(
            f"training.precision is bfloat16, but at {shape[-2]} x {shape[-1]} pixels the map before layer "
            f"'{layers[0]}' is a single one, where the CPU library's gradients are wrong",
            "Set training.precision to float32, or sees.size to a larger one (64)",
        )
    if layers := over_two_frames(network, shape):
        raise RecipeError(
            f"training.precision is bfloat16, but of clips of {shape[1]} frames layer '{layers[0]}' sees two, where "
            "the CPU library's gradients are wrong",
            "Set training.precision to float32, or sees.length to another one (24)",
        )


def warn_where_slow() -> None:
    """Say that bfloat16 will take many times as long as float32, where the processor has no instructions for it.

    That is so of x86 processors without AVX-512: one step of `trn` took 7 times as long there, of `resnet18` 25 times.
    """
    if torch.cuda.is_available() or platform.machine() != "x86_64":
        return
    if torch.backends.cpu.get_cpu_capability() != "AVX512":
        logger.warning(
            "training.precision is bfloat16, for which this processor has no instructions: training takes 6 to 25 "
            "times as long as in float32. Stop it, and give the command again with --set "
            "student.training.precision=float32 (of a teacher: teachers.0.training.precision)"
        )
