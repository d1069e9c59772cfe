"""The samples of one file, as a bundle's model is asked about them, whatever it takes: windows, images or a clip."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from vskd.bundle.contract import Contract, ImageContract, SensorContract
from vskd.bundle.encoding import Sample
from vskd.bundle.image_input import Whole, read_pictures
from vskd.bundle.predict import contract_windows
from vskd.bundle.predict_clips import whole_clip
from vskd.bundle.sensor_file import read_recording
from vskd.errors import BundleError
from vskd.preprocessing.image.image_header import Box


@dataclass(frozen=True)
class FileReading:
    """What the caller says of files.

    Attributes:
        rate_hz, unit, columns, time_column, variable: of a sensor's, see `vskd.bundle.sensor_file.read_one_stream`.
        box, every: of images and videos of them, see `vskd.bundle.image_input.read_pictures`.
    """

    rate_hz: float | None = None
    unit: str | None = None
    columns: tuple[int, ...] = ()
    time_column: int | None = None
    variable: str = ""
    box: Box | Whole | None = None
    every: int | None = None


OPTIONS = {
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
"""Of each kind of contract: what counts, and the option of the command line that says it."""


def check_fits(reading: FileReading, kind: Literal["sensor", "image", "clip"], bundle: Path) -> None:
    """Refuse what does nothing for a kind of bundle.

    Raises:
        BundleError: names the options.
    """
    others = {name: flag for of, options in OPTIONS.items() if of != kind for name, flag in options.items()}
    idle = [flag for name, flag in others.items() if getattr(reading, name) not in (None, "", ())]
    if idle:
        takes = {"sensor": "recordings of a sensor", "image": "images", "clip": "video clips"}[kind]
        raise BundleError(f"{bundle} takes {takes}: {', '.join(idle)} does nothing there", "Leave it out")


def samples_of(
    file: Path, contract: Contract, reading: FileReading, box: Box | None = None
) -> tuple[Sequence[Sample], tuple[str, ...]]:
    """Read a file.

    Args:
        file: a recording of a sensor; an image or a video; a video clip.
        contract: what the model asks for.
        reading: what is said of it.
        box: of this image; None: that of `reading`.

    Returns:
        The windows of a recording, the image or the frames of a video, or the clip, each of the contract's sample
        shape; and what was assumed of the file.

    Raises:
        BundleError: it is not what the contract asks for.
        DataError: it is missing or damaged.
        MissingExtraError: Pillow or PyAV is not installed.
    """
    r = reading
    if isinstance(contract, SensorContract):
        recorded = read_recording(
            file,
            contract,
            rate_hz=r.rate_hz,
            unit=r.unit,
            columns=r.columns,
            time_column=r.time_column,
            variable=r.variable,
        )
        return list(contract_windows(recorded, contract)), recorded.notes
    if isinstance(contract, ImageContract):
        pictures = read_pictures(file, contract, box=box or r.box, every=r.every or 1)
        return [one.picture for one in pictures if one.picture is not None], ()
    return [whole_clip(file, contract)], ()
