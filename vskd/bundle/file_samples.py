"""The samples of one file, as a bundle's model is asked about them, whatever it takes: windows, images or a clip."""

from collections.abc import Sequence
from pathlib import Path

from vskd.bundle.contract import Contract, ImageContract, SensorContract
from vskd.bundle.encoding import Sample
from vskd.bundle.file_reading import FileReading
from vskd.bundle.image_input import read_pictures
from vskd.bundle.predict import contract_windows
from vskd.bundle.predict_clips import whole_clip
from vskd.bundle.sensor_file import read_recording
from vskd.preprocessing.image.image_header import Box


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
    if isinstance(contract, SensorContract):
        recorded = read_recording(file, contract, reading)
        return list(contract_windows(recorded, contract)), recorded.notes
    if isinstance(contract, ImageContract):
        pictures = read_pictures(file, contract, box=box or reading.box, every=reading.every or 1)
        return [one.picture for one in pictures if one.picture is not None], ()
    return [whole_clip(file, contract)], ()
