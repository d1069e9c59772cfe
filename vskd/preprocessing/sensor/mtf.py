"""Markov transition fields of sensor windows, in torch, on the fly.

Source: Wang & Oates, "Imaging Time-Series to Improve Classification and Imputation", IJCAI 2015. The samples of an axis
are sorted into `BINS` bins; W_ab is how often a sample in bin a is followed by one in bin b, as a share of all that
follow a. Then M_ij = W[bin of sample i, bin of sample j], and the image is its mean over pairs of segments. With each
segment's shares P of the bins, that is P W P^T: no field of samples x samples is ever made.

Points of deviation from the original: the bins are equally wide, over a physical range (`fixed`) or over that of each
window's axis (`minmax`), where the paper takes quantiles, in which neither amplitude nor gravity is left. On min-max
scaling it agrees with pyts.image.MarkovTransitionField(n_bins=8, strategy="uniform") within 1e-6.
"""

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vskd.errors import SettingError
from vskd.preprocessing.sensor.gaf import SCALINGS, check_limit, distances, segment_members

BINS = 8
"""In numpy, too: `vskd.bundle.encode_numpy`."""


class MarkovTransitionField(nn.Module):
    """Windows to Markov transition field images.

    Data requirements: finite samples, all axes in the same unit if `fixed`; windows at least `image_size` samples long.

    Args:
        scaling: bins over the range of each axis of each window (`minmax`; a constant axis gives an image of ones), or
            from -limit to limit (`fixed`; samples beyond lie in the outermost bins).
        limit: physical range for `fixed`, in the window's unit.
        image_size: edge of the image.

    Shape:
        (batch, axes, samples) -> (batch, axes, image_size, image_size), float32, in [0, 1]. There is no gradient to the
        window.

    Raises:
        SettingError: unknown scaling, or a limit or size that is not positive.
        DataError: the window is shorter than the image.

    Examples:
        >>> MarkovTransitionField("fixed", limit=4.0, image_size=32)(torch.randn(8, 3, 128)).shape
        torch.Size([8, 3, 32, 32])
    """

    kind: Literal["image"] = "image"

    def __init__(self, scaling: str = "minmax", limit: float = 4.0, image_size: int = 64) -> None:
        super().__init__()
        if scaling not in SCALINGS:
            raise SettingError(f"encoding.scaling is '{scaling}'", f"Choose one of: {', '.join(SCALINGS)}")
        check_limit(limit)
        if image_size < 1:
            raise SettingError(f"encoding.image_size is {image_size}", "Set it to at least 1")
        self.scaling, self.limit, self.image_size = scaling, limit, image_size

    def out_channels(self, in_channels: int) -> int:
        """One image for each axis."""
        return in_channels

    def forward(self, windows: Tensor) -> Tensor:
        """Encode a batch of windows."""
        members, counts = segment_members(windows.shape[-1], self.image_size)
        inside = F.one_hot(self._bins(windows), BINS).float()  # (batch, axes, samples, bins)
        followed = inside[..., :-1, :].transpose(-1, -2) @ inside[..., 1:, :]  # (batch, axes, bins, bins)
        transitions = followed / followed.sum(dim=-1, keepdim=True).clamp_min(1)
        shares = torch.as_tensor((members / counts).T, dtype=torch.float32, device=windows.device) @ inside
        return shares @ transitions @ shares.transpose(-1, -2)

    def _bins(self, windows: Tensor) -> Tensor:
        """Bin of each sample; one on the border of two lies in the lower one, as in pyts.

        In float64, in which numpy and torch agree on which side of a border a sample lies.
        """
        x = windows.detach().double()
        if self.scaling == "fixed":
            above, span = (x / self.limit).clamp(-1, 1) + 1, torch.full((), 2.0, dtype=x.dtype, device=x.device)
        else:
            above, _, span = distances(x)
        return (torch.ceil(above / span * BINS) - 1).clamp(0, BINS - 1).long()
