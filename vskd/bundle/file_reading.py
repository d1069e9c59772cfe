"""What the caller says of a file, and which of it counts for which kind of bundle."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from vskd.errors import BundleError

if TYPE_CHECKING:
    from vskd.bundle.image_input import Whole
    from vskd.preprocessing.image.image_header import Box

Kind = Literal["sensor", "image", "clip"]

OPTIONS: dict[Kind, dict[str, str]] = {
    "sensor": {
        "rate_hz": "--rate",
        "unit": "--unit",
        "columns": "--columns",
        "time_column": "--time",
        "variable": "--variable",
    },
    "image": {"box": "--box", "every": "--every"},
    "clip": {},
}
"""Of each kind of bundle: what counts, and the option of the command line that says it."""
TAKES: dict[Kind, str] = {"sensor": "recordings of a sensor", "image": "images", "clip": "video clips"}


@dataclass(frozen=True)
class FileReading:
    """What the caller says of a file.

    Attributes:
        rate_hz: of a recording of a sensor, its samples per second.
        unit: of its samples; samples in another unit of the same quantity are converted.
        columns: which columns are the contract's axes, counted from 0 in the file as it is; empty: found by name, else
            the file must have the axes alone, or with a clock as its first or last column.
        time_column: which column is the clock, counted in the same way; None: those that are named so.
        variable: name of the array in a .mat file; empty: the contract's, or the only array. Only of the contract's own
            variable and shape the contract's columns are taken.
        box: of images, see `vskd.bundle.image_input.read_pictures`.
        every: of a video of images, one frame of so many; None: all.
    """

    rate_hz: float | None = None
    unit: str | None = None
    columns: tuple[int, ...] = ()
    time_column: int | None = None
    variable: str = ""
    box: "Box | Whole | None" = None
    every: int | None = None

    def said(self, *kinds: Kind) -> list[str]:
        """The options that say something and count for these kinds of bundles."""
        options = {name: flag for kind in kinds for name, flag in OPTIONS[kind].items()}
        return [flag for name, flag in options.items() if getattr(self, name) not in (None, "", ())]


AS_IS = FileReading()
"""Nothing is said."""


def idle(options: Sequence[str], why: str) -> str:
    """Of options that do nothing: `--box does not fit ...`; `why` goes on after `does`."""
    return f"{', '.join(options)} {'do' if len(options) > 1 else 'does'} {why}"


def check_fits(reading: FileReading, kind: Kind, bundle: Path) -> None:
    """Refuse what does nothing for a kind of bundle.

    Raises:
        BundleError: names the options.
    """
    others = reading.said(*(other for other in OPTIONS if other != kind))
    if others:
        raise BundleError(idle(others, f"not fit {bundle}, which takes {TAKES[kind]}"), "Leave it out")
