"""Grad-CAM: which part of an image decided for a class."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from vskd.network import Outputs


def grad_cam(network: nn.Module, images: Tensor, classes: Tensor, layer: str = "deep") -> Tensor:
    """Heat maps of what speaks for a class.

    Each map A_k of the layer is weighted by the mean gradient of the class's logit over its places, the weighted maps
    are summed, and what is negative, speaking against the class, is cut off. Each heat map is divided by its largest
    value, and is zero where nothing speaks for the class.

    Source: Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization", ICCV
    2017 (arXiv 1610.02391).

    Args:
        network: returns `Outputs`; its mode is left as it is, so put it in evaluation mode.
        images: (batch, channels, height, width).
        classes: (batch,) int64, the class to explain for each image.
        layer: name of the feature map in `Outputs.features`.

    Returns:
        (batch, height, width) of the image, values in 0..1.

    Raises:
        KeyError: the network has no such layer.
    """
    with torch.enable_grad():
        inputs = images.detach().clone().requires_grad_()  # so that there is a graph even where all weights are frozen
        outputs: Outputs = network(inputs)
        maps = outputs.features[layer]  # (batch, maps, rows, columns)
        chosen = outputs.logits.gather(1, classes.unsqueeze(1)).sum()
        (gradients,) = torch.autograd.grad(chosen, maps)
    weights = gradients.mean(dim=(2, 3), keepdim=True)
    heat = functional.relu((weights * maps).sum(dim=1, keepdim=True)).detach()
    heat = functional.interpolate(heat, size=images.shape[-2:], mode="bilinear", align_corners=False).squeeze(1)
    largest = heat.amax(dim=(1, 2), keepdim=True)
    return torch.where(largest > 0, heat / largest.clamp(min=torch.finfo(heat.dtype).tiny), 0.0)
