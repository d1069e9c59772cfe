"""Video files to frames: one sequential reader for .avi, .mp4 and the like, and for depth .mat files.

Frames are decoded strictly in order. Seeking is slower for the short clips of action data sets, and returned wrong
frames in H.264 AVI files.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from vskd.errors import DataError, MissingExtraError
from vskd.preprocessing.matfile import mat_shape, read_mat

if TYPE_CHECKING:
    import av

Channels = Literal[1, 3]
ResizeFit = Literal["centre-crop", "squash"]
Fit = Literal["centre-crop", "squash", "foreground"]
"""How a clip becomes square; `foreground` (the square around the figure, for depth video) needs the whole clip: see
frame_store.py."""

DEPTH_NEAR_MM, DEPTH_RANGE_MM = 1800.0, 1600.0
"""Working range of the grey depth picture: nearer than 1.8 m is 1, farther than 3.4 m is 255, no reading is 0."""

LEAST_DECODED = 0.9
"""A clip with a smaller fraction of the frames that its header states was cut off."""

_DAMAGED = "The file is truncated or damaged; copy it again from the original data set, or remove the recording"


@dataclass(frozen=True)
class VideoInfo:
    """What the header of a video states.

    Attributes:
        num_frames: number of frames as stated or, where the container does not say, duration times rate; 0 if unknown.
        rate_hz: frames per second; 0.0 if unknown (.mat files have no rate).
        height: pixels. width: pixels.
    """

    path: Path
    num_frames: int
    rate_hz: float
    height: int
    width: int


def probe_video(path: Path, variable: str = "") -> VideoInfo:
    """Read the header of a video or depth .mat file; no frame is decoded.

    Raises:
        DataError: missing or unreadable file, or no video stream in it.
    """
    if path.suffix.lower() == ".mat":
        shape = mat_shape(path, variable)
        _check_depth_shape(path, shape)
        return VideoInfo(path, shape[2], 0.0, shape[0], shape[1])
    av = _import_av()
    with _open(path) as container:
        stream = container.streams.video[0]
        rate = float(stream.average_rate or 0.0)
        count = int(stream.frames)
        if not count and container.duration:
            count = round(container.duration / av.time_base * rate)
        return VideoInfo(path, count, rate, int(stream.height), int(stream.width))


def read_frames(
    path: Path, *, size: int | None, variable: str = "", channels: Channels = 3, fit: ResizeFit = "centre-crop"
) -> Iterator[NDArray[np.uint8]]:
    """Decode a clip in order, one frame at a time.

    Args:
        path: video file, or a .mat file with depth in mm, (height, width, frames).
        size: edge of the square frames in pixels; None keeps the clip's own height and width.
        variable: array of a .mat file; may be empty if the file has only one.
        channels: 3 for RGB order, 1 for grey (for a clip whose channels are equal, nothing is lost).
        fit: `centre-crop` scales the shorter side to `size` and cuts the middle square, so that bodies keep their
            proportions (the actor stands in the middle in UTD-MHAD); `squash` keeps the whole picture and its aspect
            ratio not.

    Yields:
        uint8 (height, width, channels).

    Raises:
        DataError: missing or unreadable file, or no frame in it.
        MissingExtraError: PyAV is not installed.
    """
    source = _depth_frames(path, variable) if path.suffix.lower() == ".mat" else _decoded_frames(path)
    count = 0
    for frame in source:
        count += 1
        yield _to_array(frame, size, channels, fit)
    if not count:
        raise DataError(f"{path}: the video has no frames", _DAMAGED)


def segment_indices(num_frames: int, segments: int, generator: np.random.Generator | None) -> NDArray[np.int64]:
    """One frame of each of `segments` equal parts of a clip, in order.

    Segment k covers the frames from floor(k n / K) up to floor((k + 1) n / K). Clips with fewer frames than segments
    repeat frames. Source: Wang et al., Temporal Segment Networks, ECCV 2016.

    Args:
        num_frames: length n of the clip, at least 1.
        segments: number K of parts, at least 1.
        generator: draws one frame per segment at random (training); None takes the middle frame (test).

    Returns:
        int64 (segments,), ascending, each in [0, num_frames).

    Raises:
        DataError: `num_frames` or `segments` is below 1.
    """
    if num_frames < 1 or segments < 1:
        raise DataError(
            f"Cannot take {segments} segments of a clip of {num_frames} frames",
            "Use clips with at least one frame and at least one segment",
        )
    bounds = np.arange(segments + 1, dtype=np.int64) * num_frames // segments
    start, stop = bounds[:-1], np.maximum(bounds[1:], bounds[:-1] + 1)
    if generator is None:
        return (start + stop - 1) // 2
    return generator.integers(start, stop, dtype=np.int64)


def depth_to_grey(depth_mm: NDArray[Any]) -> NDArray[np.uint8]:
    """Depth in mm to grey: 1 + 254 (mm - 1800) / 1600, clipped to 1..255; 0 where the sensor had no reading."""
    millimetres = depth_mm.astype(np.float32)
    grey = np.clip(np.rint(1.0 + 254.0 * (millimetres - DEPTH_NEAR_MM) / DEPTH_RANGE_MM), 1.0, 255.0)
    return np.where(millimetres > 0, grey, 0.0).astype(np.uint8)


def _import_av() -> Any:
    try:
        import av
    except ImportError as error:
        raise MissingExtraError("av", "video") from error
    return av


def _open(path: Path) -> Any:
    av = _import_av()
    if not path.is_file():
        raise DataError(f"{path}: no such file", "Check the data folder, or complete the download")
    try:
        container = av.open(str(path))
    except (av.FFmpegError, OSError, ValueError) as error:
        raise DataError(f"{path}: not a readable video ({error})", _DAMAGED) from error
    if not container.streams.video:
        container.close()
        raise DataError(f"{path}: has no video stream", "Check that this is the right kind of file")
    return container


def _decoded_frames(path: Path) -> Iterator["av.VideoFrame"]:
    av = _import_av()
    with _open(path) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        count = 0
        try:
            for frame in container.decode(stream):
                count += 1
                yield frame
        except (av.FFmpegError, ValueError) as error:
            raise DataError(f"{path}: the video breaks off or is damaged ({error})", _DAMAGED) from error
        # An .avi that was cut off decodes without a complaint. Some writers state a few frames too many.
        if 0 < count < LEAST_DECODED * stream.frames:
            raise DataError(f"{path}: only {count} of the {stream.frames} frames are there", _DAMAGED)


def _check_depth_shape(path: Path, shape: tuple[int, ...]) -> None:
    if len(shape) != 3 or 0 in shape:
        raise DataError(f"{path}: a depth clip must be (height, width, frames), got shape {shape}", _DAMAGED)


def _depth_frames(path: Path, variable: str) -> Iterator["av.VideoFrame"]:
    av = _import_av()
    depth = read_mat(path, variable)
    _check_depth_shape(path, depth.shape)
    for index in range(depth.shape[2]):
        yield av.VideoFrame.from_ndarray(depth_to_grey(depth[:, :, index]), format="gray")


def _to_array(frame: "av.VideoFrame", size: int | None, channels: Channels, fit: ResizeFit) -> NDArray[np.uint8]:
    height, width = frame.height, frame.width
    if size is not None and fit == "squash":
        height = width = size
    elif size is not None:
        scale = size / min(height, width)
        height, width = max(size, round(height * scale)), max(size, round(width * scale))
    # AREA averages all source pixels under a target pixel: no aliasing when shrinking, unlike plain bilinear sampling.
    picture = frame.to_ndarray(
        format="gray" if channels == 1 else "rgb24", width=width, height=height, interpolation="AREA"
    )
    if size is not None:
        top, left = (height - size) // 2, (width - size) // 2
        picture = picture[top : top + size, left : left + size]
    return np.ascontiguousarray(picture.reshape(picture.shape[0], picture.shape[1], channels))
