"""Random, physically meaningful changes of sensor windows, for training only."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from vskd.schema import BelowOne, NonNegative, Strict


class WindowAugmentation(Strict):
    """Random changes of a batch of windows, and their settings; a field at zero switches its change off.

    Attributes:
        rotation_deg: standard deviation of a rotation about a random axis (a strap worn differently), one for each
            place where sensors are worn. Needs 3 channels for each sensor.
        scale: standard deviation of a common gain (people of different strength).
        jitter: standard deviation of white noise, in the unit of the window.
        time_warp: strength of a smooth, end-preserving change of pace, as a fraction of the window.
        crop: largest fraction cut from, or held at, either end (recordings start earlier or later).
    """

    rotation_deg: NonNegative = 0.0
    scale: NonNegative = 0.0
    jitter: NonNegative = 0.0
    time_warp: BelowOne = 0.0
    crop: BelowOne = 0.0

    @property
    def active(self) -> bool:
        """Whether anything is changed."""
        return any(self.model_dump().values())

    def __call__(self, windows: Tensor, generator: torch.Generator, places: Sequence[str] = ("",)) -> Tensor:
        """Change `windows`, (batch, channels, samples) -> the same shape; all randomness comes from `generator`.

        Args:
            windows: three channels for each sensor, where they are to be rotated.
            generator: of all that is random.
            places: of each three channels, where their sensor is worn: those of one place turn together.
        """
        if self.time_warp or self.crop:
            windows = _sample_at(windows, self._positions(windows.shape[0], windows.shape[2], generator))
        if self.rotation_deg and windows.shape[1] == 3 * len(places):
            turns = {
                place: random_rotations(windows.shape[0], math.radians(self.rotation_deg), generator)
                for place in dict.fromkeys(places)
            }
            turned = [
                turns[place] @ three for place, three in zip(places, windows.chunk(len(places), dim=1), strict=True)
            ]
            windows = torch.cat(turned, dim=1) if len(turned) > 1 else turned[0]
        if self.scale:
            windows = windows * (1 + self.scale * torch.randn(windows.shape[0], 1, 1, generator=generator))
        if self.jitter:
            windows = windows + self.jitter * torch.randn(windows.shape, generator=generator)
        return windows

    def _positions(self, batch: int, samples: int, generator: torch.Generator) -> Tensor:
        """Where on the original time axis each new sample is read: (batch, samples), in samples."""
        time = torch.linspace(0, 1, samples).expand(batch, samples)
        amplitude = self.time_warp * torch.randn(batch, 2, 1, generator=generator)
        # two half-waves: faster or slower overall, and faster first then slower; both leave the ends in place
        slow, fast = torch.sin(math.pi * time), torch.sin(2 * math.pi * time)
        warped = time + amplitude[:, 0] * slow + amplitude[:, 1] / 2 * fast
        ends = self.crop * (torch.rand(batch, 2, generator=generator) * 1.3 - 0.3)  # mostly cut, sometimes hold
        start, stop = ends[:, :1], 1 - ends[:, 1:]
        return (start + (stop - start) * warped).clamp(0, 1) * (samples - 1)


def _sample_at(windows: Tensor, positions: Tensor) -> Tensor:
    """Linear interpolation of every window at its own positions."""
    left = positions.floor().long().clamp(max=windows.shape[2] - 2)
    weight = (positions - left).unsqueeze(1)
    index = left.unsqueeze(1).expand(-1, windows.shape[1], -1)
    return torch.gather(windows, 2, index) * (1 - weight) + torch.gather(windows, 2, index + 1) * weight


def random_rotations(count: int, std_rad: float, generator: torch.Generator) -> Tensor:
    """Rotations (count, 3, 3) about uniformly random axes, angles normal with `std_rad` (Rodrigues' formula)."""
    axis = torch.nn.functional.normalize(torch.randn(count, 3, generator=generator), dim=1)
    angle = (std_rad * torch.randn(count, generator=generator)).view(-1, 1, 1)
    x, y, z = axis.unbind(1)
    zero = torch.zeros_like(x)
    cross = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], dim=1).view(-1, 3, 3)
    return torch.eye(3) + torch.sin(angle) * cross + (1 - torch.cos(angle)) * (cross @ cross)
