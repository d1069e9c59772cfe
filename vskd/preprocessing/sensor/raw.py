"""The raw window as a network's input: scaled, nothing else."""

from typing import Literal

from torch import Tensor, nn

from vskd.errors import SettingError
from vskd.preprocessing.sensor.gaf import SCALINGS, check_limit, distances


class RawWindow(nn.Module):
    """Scale a window to about [-1, 1].

    Args:
        scaling: `fixed` divides by `limit` and clips; `minmax` scales each axis of each window (a constant axis
            becomes -1).
        limit: physical range, in the window's unit.

    Shape:
        (batch, axes, samples) -> the same.

    Raises:
        SettingError: unknown scaling, or a limit that is not positive.
    """

    kind: Literal["series"] = "series"

    def __init__(self, scaling: str = "fixed", limit: float = 4.0) -> None:
        super().__init__()
        if scaling not in SCALINGS:
            raise SettingError(f"encoding.scaling is '{scaling}'", f"Choose one of: {', '.join(SCALINGS)}")
        check_limit(limit)
        self.scaling, self.limit = scaling, limit

    def out_channels(self, in_channels: int) -> int:
        """As many as the window has axes."""
        return in_channels

    def forward(self, windows: Tensor) -> Tensor:
        """Scale a batch of windows."""
        if self.scaling == "fixed":
            return (windows / self.limit).clamp(-1, 1)
        above, below, span = distances(windows)
        return (above - below) / span
