"""Video files to frames: one sequential reader for .avi, .mp4 and the like, and for depth .mat files.

Frames are decoded strictly in order. Seeking is slower for the short clips of action data sets, and returned wrong
frames in H.264 AVI files.

What counts as the video: see video_file.py; as all of it: decode.py. The mark by which cameras say how they were held
is applied, as that of photos is.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vskd.errors import DataError
from vskd.preprocessing.video.decode import decoded_frames
from vskd.preprocessing.video.depth import depth_frames
from vskd.preprocessing.video.picture import (
    Channels,
    Extent,
    Frames,
    ResizeFit,
    Scaler,
    scaled,
    stored,
    turn_of,
    upright,
)
from vskd.preprocessing.video.turn import Turn
from vskd.preprocessing.video.video_file import DAMAGED

if TYPE_CHECKING:
    import av


class Span(NamedTuple):
    """A part of a clip: frames from `start_s` on and before `end_s`, in seconds since the first one; `rate_hz` says
    when each is shown where the file does not."""

    start_s: float
    end_s: float
    rate_hz: float


def read_frames(
    path: Path,
    *,
    size: Extent | None,
    variable: str = "",
    channels: Channels = 3,
    fit: ResizeFit = "centre-crop",
    span: Span | None = None,
) -> Iterator[NDArray[np.uint8]]:
    """Decode a clip in order, one frame at a time.

    Args:
        path: video file, or a .mat file with depth in mm, (height, width, frames).
        size: of the frames, shown upright, in pixels; None keeps the clip's own height and width (those of its first
            frame, where they change within the clip).
        variable: array of a .mat file; may be empty if the file has only one.
        channels: 3 for RGB order, 1 for grey (for a clip whose channels are equal, nothing is lost).
        fit: `centre-crop` scales a frame until it covers `size` and cuts out the middle, so that bodies keep their
            proportions (the actor stands in the middle in UTD-MHAD); `squash` keeps the whole picture and its aspect
            ratio not.
        span: the part to give; None gives the whole clip.

    Yields:
        uint8 (height, width, channels).

    Raises:
        DataError: missing or unreadable file, or no frame in it.
        MissingExtraError: PyAV is not installed.
    """
    first: Turn | None = None
    for frame, turn in _arrays(path, size, variable, channels, fit, span):
        first = first or turn
        yield upright(frame, turn, first, size, path)


def read_timed_frames(
    path: Path, *, size: int, rate_hz: float, variable: str = ""
) -> Iterator[tuple[float, NDArray[np.uint8]]]:
    """Decode a clip in order to grey squares that hold the whole picture, with the time of each frame.

    Args:
        path, variable: see `read_frames`.
        size: edge of the squares in pixels.
        rate_hz: frames per second, where the file does not say when each is shown (.mat files).

    Yields:
        Seconds since the first frame, and uint8 (size, size, 1), as the picture is stored.

    Raises:
        DataError, MissingExtraError: as `read_frames`.
    """
    time, scaler = -1.0, Scaler()
    for time, frame in _frames(path, variable, rate_hz):
        yield time, scaler.to_array(frame, (size, size), 1)
    if time < 0:
        raise no_frames(path, None)


def read_stored_frames(path: Path) -> Iterator[tuple[Frames, Turn]]:
    """Decode a clip in order with its pixels as they are stored: boxes count those.

    Yields:
        uint8 (height, width, 3), and what turns it upright.

    Raises:
        DataError: as `read_frames`.
    """
    return _arrays(path, None, "", 3, "centre-crop")


def within(path: Path, variable: str, span: Span | None, threads: int = 0) -> Iterator["av.VideoFrame"]:
    """The frames of a clip, or of a part of it, as the decoder gives them; `threads` decode."""
    for time, frame in _frames(path, variable, span.rate_hz if span else 0.0, threads):
        if span is None or span.start_s <= time < span.end_s:
            yield frame


def _arrays(
    path: Path, size: Extent | None, variable: str, channels: Channels, fit: ResizeFit, span: Span | None = None
) -> Iterator[tuple[Frames, Turn]]:
    """Frames scaled but not yet cut, as stored, and what turns them upright."""
    first: tuple[int, int] | None = None
    scaler = Scaler()
    for frame in within(path, variable, span):
        turn = turn_of(frame, path)
        first = first or (frame.height, frame.width)
        extent = scaled(frame, stored(size, turn), fit) if size is not None else first
        yield scaler.to_array(frame, extent, channels), turn
    if first is None:
        raise no_frames(path, span)


def _frames(path: Path, variable: str, rate_hz: float, threads: int = 0) -> Iterator[tuple[float, "av.VideoFrame"]]:
    """Frames with the seconds since the first one; by `rate_hz` (0: all of them 0) where the file does not say them."""
    source = depth_frames(path, variable) if path.suffix.lower() == ".mat" else decoded_frames(path, threads)
    first: float | None = None
    for number, frame in enumerate(source):
        time: float | None = frame.time
        first = time if first is None else first
        yield (time - first if time is not None and first is not None else number / rate_hz if rate_hz else 0.0), frame


def no_frames(path: Path, span: Span | None) -> DataError:
    """What is raised of a clip, or of a part of it, without frames."""
    if span:
        return DataError(f"{path}: no frame lies between {span.start_s:g} and {span.end_s:g} s", "Correct sync.csv")
    return DataError(f"{path}: the video has no frames", DAMAGED)
