"""Where bfloat16 must not be trained in: the CPU library's gradient of one kind of convolution is wrong."""

from typing import Any

import torch
from torch import nn

from vskd.errors import RecipeError
from vskd.network import Network, Shape, probe


def strided_on_a_pixel(network: Network, shape: Shape) -> tuple[str, ...]:
    """Paths of the 2-D convolutions that step over maps of a single pixel.

    Args:
        network: of images or frames.
        shape: of one sample.
    """
    found: list[str] = []

    def look(name: str) -> Any:
        def hook(module: nn.Conv2d, inputs: tuple[torch.Tensor, ...]) -> None:
            if inputs[0].shape[-2:] == (1, 1) and max(module.stride) > 1 and max(module.kernel_size) > 1:
                found.append(name)

        return hook

    layers = [(name, module) for name, module in network.named_modules() if isinstance(module, nn.Conv2d)]
    handles = [module.register_forward_pre_hook(look(name)) for name, module in layers]
    try:
        probe(network, shape)
    finally:
        for handle in handles:
            handle.remove()
    return tuple(dict.fromkeys(found))


def refuse_wrong_gradients(network: Network, shape: Shape) -> None:
    """Refuse to train in bfloat16 on the CPU what would get other weights, or NaN, in every run.

    The gradient of the weights of a padded convolution with a stride, on a map of one pixel, holds memory that was
    never written (oneDNN in torch 2.13, with AVX-512: 43 of 60 gradients were wrong, none on larger maps).

    Args:
        network: about to be trained.
        shape: of one sample.

    Raises:
        RecipeError: it has such a layer, and there is no GPU.
    """
    layers = () if torch.cuda.is_available() else strided_on_a_pixel(network, shape)
    if layers:
        raise RecipeError(
            f"training.precision is bfloat16, but at {shape[-2]} x {shape[-1]} pixels the map before layer "
            f"'{layers[0]}' is a single one, where the CPU library's gradients are wrong",
            "Set training.precision to float32, or sees.size to a larger one (64)",
        )
