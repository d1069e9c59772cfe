"""Gramian angular fields of sensor windows, in torch, on the fly.

Source: Wang & Oates, "Imaging Time-Series to Improve Classification and Imputation", IJCAI 2015. With y scaled to
[-1, 1] and phi = arccos(y):

    GASF_ij = cos(phi_i + phi_j) = y_i y_j - s_i s_j
    GADF_ij = sin(phi_i - phi_j) = s_i y_j - y_i s_j,     s = sqrt(1 - y^2)

so neither arccos nor trigonometry is needed: two outer products per image. Agrees with pyts.image.GramianAngularField
on min-max scaling within 1e-6.

Points of deviation from the original: `fixed` scaling divides by a physical range instead of each recording's own
minimum and maximum, so that amplitude and gravity (the sensor's orientation) survive.
"""

import itertools
import math
from functools import lru_cache
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from vskd.errors import DataError, SettingError

Scaling = Literal["minmax", "fixed"]

METHODS = ("gasf", "gadf", "gasf+gadf")
SCALINGS: tuple[Scaling, ...] = get_args(Scaling)
PRECISIONS = ("exact", "float32")

SMALLEST_SQUARE = 1e-14
"""Floor of s^2: the derivative of the root is infinite at 0, and the smallest and largest sample always lie there. It
moves s by 1e-7 at most, a tenth of the agreement with pyts."""


ANGLE_BLOCK = 100
"""Windows whose vectors are prepared at a time: the float64 vectors stay in the processor's cache."""
FIELD_BYTES = 2 << 20
"""Size of the images that are computed at a time: they are written twice, and the first time must not reach memory."""
MEAN_ROUNDING = 1e-6
"""In float32 the means of a constant axis differ by rounding, up to this fraction of it; sensors resolve far less."""


def segment_bounds(samples: int, segments: int) -> npt.NDArray[np.int64]:
    """Where piecewise aggregate approximation cuts `samples` into `segments` parts, exactly as pyts does.

    Returns:
        int64 (segments + 1,), from 0 to `samples`; the parts differ by at most one sample where it does not divide.

    Raises:
        DataError: fewer samples than segments.
    """
    if samples < segments:
        raise DataError(
            f"A window of {samples} samples cannot become an image of size {segments}",
            "Use windows at least as long as encoding.image_size",
        )
    return np.linspace(0, samples, segments + 1).astype(np.int64)


@lru_cache(maxsize=16)
def segment_members(samples: int, segments: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Which samples each segment has, as ones in zeros (samples, segments), and how many, (segments,). Read them only.

    Raises:
        DataError: fewer samples than segments.
    """
    bounds = segment_bounds(samples, segments)
    members = np.zeros((samples, segments))
    for column, (start, stop) in enumerate(itertools.pairwise(bounds)):
        members[start:stop, column] = 1.0
    return members, np.diff(bounds).astype(np.float64)


class GramianAngularField(nn.Module):
    """Windows to Gramian angular field images.

    Data requirements: finite samples, all axes in the same unit if `fixed`; windows at least `image_size` samples long
    (longer ones are averaged piecewise first).

    Args:
        method: `gasf`, `gadf`, or `gasf+gadf` (summation fields of all axes first, then difference fields).
        scaling: `minmax` (each axis of each window to [-1, 1], as published; a constant axis becomes -1, as in pyts:
            its GASF is 1 and its GADF 0) or `fixed` (divided by `limit` and clipped).
        limit: physical range for `fixed`, in the window's unit.
        image_size: edge of the image.
        precision: `exact` prepares the vectors in float64 (agrees with pyts within 1e-6); `float32` uses float32
            throughout, for export (within 1e-4).

    Shape:
        (batch, axes, samples) -> (batch, axes * (1 or 2), image_size, image_size), float32, in [-1, 1].

    Raises:
        SettingError: unknown method, scaling or precision, or a limit that is not positive.
        DataError: the window is shorter than the image.

    Examples:
        >>> GramianAngularField("gasf+gadf", "fixed", limit=4.0, image_size=64)(torch.randn(8, 3, 128)).shape
        torch.Size([8, 6, 64, 64])
    """

    kind: Literal["image"] = "image"

    def __init__(
        self,
        method: str = "gasf",
        scaling: str = "minmax",
        limit: float = 4.0,
        image_size: int = 64,
        precision: str = "exact",
    ) -> None:
        super().__init__()
        choices = (("method", method, METHODS), ("scaling", scaling, SCALINGS), ("precision", precision, PRECISIONS))
        for name, value, valid in choices:
            if value not in valid:
                raise SettingError(f"encoding.{name} is '{value}'", f"Choose one of: {', '.join(valid)}")
        check_limit(limit)
        if image_size < 1:
            raise SettingError(f"encoding.image_size is {image_size}", "Set it to at least 1")
        self.method, self.scaling, self.limit, self.image_size = method, scaling, limit, image_size
        self.precision = precision

    def out_channels(self, in_channels: int) -> int:
        """Channels of the image for a window with `in_channels` axes."""
        return in_channels * len(self.method.split("+"))

    def forward(self, windows: Tensor, out: Tensor | None = None) -> Tensor:
        """Encode a batch of windows, into `out` if given (float32, of the result's shape; no gradient)."""
        if windows.requires_grad or windows.device.type != "cpu" or torch.compiler.is_compiling():
            cosine, sine = self._angles(windows)
            images = torch.cat([_field(field, cosine, sine) for field in self.method.split("+")], dim=1)
            return images if out is None else out.copy_(images)
        batch, axes = windows.shape[:2]
        if out is None:
            shape = (batch, self.out_channels(axes), self.image_size, self.image_size)
            out = windows.new_empty(shape, dtype=torch.float32)
        self._encode_in_cache(windows, out)
        return out

    def _encode_in_cache(self, windows: Tensor, out: Tensor) -> None:
        """The same on a CPU, without gradient: in blocks that fit its cache, in memory that is taken once."""
        axes, size = windows.shape[1], self.image_size
        work = torch.empty(3, min(len(windows), ANGLE_BLOCK), axes, size, dtype=torch.float64)
        angles = torch.empty(2, *work.shape[1:])
        step = max(1, FIELD_BYTES // max(1, out[:1].nbytes))
        for start in range(0, len(windows), ANGLE_BLOCK):
            block = windows[start : start + ANGLE_BLOCK]
            cosine, sine = angles[:, : len(block)]
            self._angles_into(block, work[:, : len(block)], cosine, sine)
            for number, field in enumerate(self.method.split("+")):
                fields = out[start : start + len(block), number * axes : (number + 1) * axes]
                _field_into(field, cosine, sine, fields, step)

    def _angles_into(self, windows: Tensor, work: Tensor, cosine: Tensor, sine: Tensor) -> None:
        """`_angles` in place: `work` is (3, batch, axes, image_size) float64; the same values, to the last bit."""
        if self.precision != "exact":
            for result, angle in zip((cosine, sine), self._angles(windows), strict=True):
                result.copy_(angle)
            return
        above, below, root = work
        x = windows if windows.shape[-1] == self.image_size else self._averaged(windows.double())
        if self.scaling == "fixed":
            above.copy_(x).div_(self.limit).clamp_(-1, 1)
            cosine.copy_(above)
            torch.add(above, 1, out=root).mul_(torch.neg(above, out=below).add_(1))
        else:
            low, high = ends(x.amin(-1, keepdim=True).double(), x.amax(-1, keepdim=True).double())
            span = high - low
            torch.sub(x, low, out=above)
            torch.sub(high, x, out=below)
            cosine.copy_(torch.sub(above, below, out=root).div_(span))
            torch.mul(above.div_(span), below.div_(span), out=root).mul_(4)
        sine.copy_(root.clamp_min_(SMALLEST_SQUARE).sqrt_())

    def _angles(self, windows: Tensor) -> tuple[Tensor, Tensor]:
        """cos(phi) and sin(phi), both (batch, axes, image_size) float32.

        The sines come from factored differences, (1 - y)(1 + y), because 1 - y^2 cancels near the ends.
        """
        x = windows.double() if self.precision == "exact" else windows.float()
        averaged = x.shape[-1] != self.image_size
        if averaged:
            x = self._averaged(x)
        if self.scaling == "fixed":
            cosine = (x / self.limit).clamp(-1, 1)
            square = (1 - cosine) * (1 + cosine)
        else:
            above, below, span = distances(x, MEAN_ROUNDING if averaged and x.dtype == torch.float32 else 0.0)
            cosine = (above - below) / span  # a constant axis: -1
            square = 4 * (above / span) * (below / span)
        return cosine.float(), square.clamp_min(SMALLEST_SQUARE).sqrt().float()

    def _averaged(self, x: Tensor) -> Tensor:
        """Piecewise means, (batch, axes, samples) -> (batch, axes, image_size)."""
        members, counts = segment_members(x.shape[-1], self.image_size)
        if x.dtype == torch.float32:
            return x @ torch.as_tensor(members / counts, dtype=x.dtype, device=x.device)
        # Sums of float32 values are exact in float64: the means of a constant axis are equal to the last bit.
        return (x @ torch.from_numpy(members).to(x.device)) / torch.from_numpy(counts).to(x.device)


def check_limit(limit: float) -> None:
    """Refuse a physical range that is not a positive number.

    Raises:
        SettingError: it is not.
    """
    if not (limit > 0 and math.isfinite(limit)):
        raise SettingError(f"encoding.limit is {limit}", "Set it to the sensor's range, a positive number")


def distances(x: Tensor, rounding: float = 0.0) -> tuple[Tensor, Tensor, Tensor]:
    """Distance of each sample above the smallest and below the largest of its axis, and their sum, the axis' span.

    Args:
        x: (batch, axes, samples).
        rounding: see `ends`.
    """
    low, high = ends(x.amin(-1, keepdim=True), x.amax(-1, keepdim=True), rounding)
    return x - low, high - x, high - low


def ends(low: Tensor, high: Tensor, rounding: float = 0.0) -> tuple[Tensor, Tensor]:
    """The range that min-max scaling maps to [-1, 1]; a constant axis lies at its bottom, as in pyts, and not at 0 / 0.

    Args:
        low, high: smallest and largest sample of each axis.
        rounding: an axis is constant if its span is at most this fraction of its largest absolute value.
    """
    least = rounding * torch.maximum(low.abs(), high.abs()) if rounding else torch.zeros_like(low)
    return low, torch.where(high - low > least, high, low + 1 + low.abs())  # + 1 alone is lost beside a large value


def _field(field: str, cosine: Tensor, sine: Tensor) -> Tensor:
    """(batch, axes, size) twice -> (batch, axes, size, size)."""
    if field == "gasf":
        return cosine.unsqueeze(-1) * cosine.unsqueeze(-2) - sine.unsqueeze(-1) * sine.unsqueeze(-2)
    return sine.unsqueeze(-1) * cosine.unsqueeze(-2) - cosine.unsqueeze(-1) * sine.unsqueeze(-2)


def _field_into(field: str, cosine: Tensor, sine: Tensor, out: Tensor, step: int) -> None:
    """`_field`, written into `out`, `step` windows at a time."""
    left, right = (cosine, sine) if field == "gasf" else (sine, cosine)
    factors = (left.unsqueeze(-1), cosine.unsqueeze(-2), right.unsqueeze(-1), sine.unsqueeze(-2), out)
    # split by the list, because a Python slice of each part would cost a tenth of the whole
    for a, b, c, d, part in zip(*(torch.split(factor, step) for factor in factors), strict=True):
        torch.mul(a, b, out=part)
        part.addcmul_(c, d, value=-1)
