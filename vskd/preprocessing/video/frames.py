"""Video files to frames: one sequential reader for .avi, .mp4 and the like, and for depth .mat files.

Frames are decoded strictly in order. Seeking is slower for the short clips of action data sets, and returned wrong
frames in H.264 AVI files.

What counts as the video, and as all of it:

- The first video stream that is no attached picture (the cover of an album, a thumbnail).
- The mark by which cameras say how they were held is applied, as that of photos is.
- Edit lists are followed: what was cut away without encoding anew is not shown, and its absence is no damage. Neither
  are dropped frames.
- A file that is shorter than its container says, whose frames end well before the duration that its header states, or
  of whose frames many cannot be decoded is refused. Where nothing says how long it should be, a warning says that.
"""

import logging
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vskd.errors import DataError, MissingExtraError
from vskd.preprocessing.matfile import mat_shape, read_mat
from vskd.preprocessing.video.container import states_its_end
from vskd.preprocessing.video.turn import UPRIGHT, Turn, turn_of_matrix

if TYPE_CHECKING:
    import av

Channels = Literal[1, 3]
ResizeFit = Literal["centre-crop", "squash"]
Extent = int | tuple[int, int]
"""Edge of a square, or (height, width), in pixels."""
WholeClipFit = Literal["foreground", "projections"]
"""The square around the figure, and three views of it; both for depth video: see figure.py."""
Fit = ResizeFit | WholeClipFit
"""How a clip becomes square."""


class Span(NamedTuple):
    """A part of a clip: frames from `start_s` on and before `end_s`, in seconds since the first one; `rate_hz` says
    when each is shown where the file does not."""

    start_s: float
    end_s: float
    rate_hz: float


DEPTH_NEAR_MM, DEPTH_RANGE_MM = 1800.0, 1600.0
"""Working range of the grey depth picture: nearer than 1.8 m is 1, farther than 3.4 m is 255, no reading is 0."""

LEAST_DECODED = 0.9
"""A clip with a smaller fraction of the frames or of the time that its container holds or states is damaged."""

_FRAMES_OF_DOUBT = 1.5
"""Frames by which a clip may end before its stated duration without a word: the last one's own length is not known."""

_SKIPPED = 32
"""Packets up to this many bytes may say that nothing changed; no frame comes out of some of them."""

_STATE_DURATION = ("matroska", "flv", "asf")
"""Containers whose headers state how long they are; of others the decoder takes it from what is there."""

logger = logging.getLogger(__name__)

Frames = NDArray[np.uint8]

_DAMAGED = "The file is truncated or damaged; copy it again from the original data set, or remove the recording"


@dataclass(frozen=True)
class VideoInfo:
    """What the header of a video states.

    Attributes:
        num_frames: number of frames as stated or, where the container does not say, duration times rate; 0 if unknown.
        rate_hz: frames per second; 0.0 if unknown (.mat files have no rate).
        height: pixels. width: pixels. Both as the picture is stored, before the camera's mark of rotation is applied.
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
        stream = _video_stream(container, path)
        rate = float(stream.average_rate or 0.0)
        count = int(stream.frames)
        if not count and container.duration:
            count = round(container.duration / av.time_base * rate)
        return VideoInfo(path, count, rate, int(stream.height), int(stream.width))


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
        yield _upright(frame, turn, first, size, path)


def read_chosen_frames(
    path: Path,
    choose: Callable[[int], NDArray[np.int64]],
    *,
    size: Extent,
    variable: str = "",
    fit: ResizeFit = "centre-crop",
    span: Span | None = None,
    threads: int = 0,
) -> tuple[Frames, int]:
    """Decode a clip in order and keep some of its frames; the others are neither converted nor held.

    The packets are counted first, so that one pass over the frames is enough. Where another number of frames comes out
    of them, the clip is decoded again, with the right number.

    Args:
        path, size, variable, fit, span: as in `read_frames`.
        choose: number of frames of the clip, or of its part -> those to keep, in any order, repeats allowed.
        threads: that decode; 0 as many as the decoder likes. Where several clips are decoded at a time, 1 is faster.

    Returns:
        uint8 (chosen, height, width, 3), and the number of frames of the clip.

    Raises:
        DataError: as `read_frames`; or from `choose`.
    """
    stated = max(1, _count_packets(path, variable))
    frames, count = _chosen(path, choose(stated), size, variable, fit, span, threads)
    if count != stated:
        frames, count = _chosen(path, choose(count), size, variable, fit, span, threads)
    return frames, count


def _chosen(
    path: Path, indices: NDArray[np.int64], size: Extent, variable: str, fit: ResizeFit, span: Span | None, threads: int
) -> tuple[Frames, int]:
    """The frames `indices`; those beyond the end are zero."""
    wanted, kept, count = set(indices.tolist()), dict[int, Frames](), 0
    first: Turn | None = None
    for frame in _within(path, variable, span, threads):
        first = first or _turn(frame, path)
        if count in wanted:
            turn = _turn(frame, path)
            array = _to_array(frame, _scaled(frame, _stored(size, turn), fit), 3)
            kept[count] = _upright(array, turn, first, size, path)
        count += 1
    if not count:
        if span:
            raise DataError(f"{path}: no frame lies between {span.start_s:g} and {span.end_s:g} s", "Correct sync.csv")
        raise DataError(f"{path}: the video has no frames", _DAMAGED)
    nothing = np.zeros((*_both(size), 3), np.uint8)
    return np.stack([kept.get(index, nothing) for index in indices.tolist()]), count


def _count_packets(path: Path, variable: str) -> int:
    """How many packets of a clip should hold a frame; of a .mat file, its frames. Nothing is decoded."""
    if path.suffix.lower() == ".mat":
        shape = mat_shape(path, variable)
        _check_depth_shape(path, shape)
        return shape[2]
    av = _import_av()
    with _open(path) as container:
        stream = _video_stream(container, path)
        try:
            return sum(packet.size > 0 and not packet.is_discard for packet in container.demux(stream))
        except (av.FFmpegError, OSError, ValueError) as error:
            raise DataError(f"{path}: the video breaks off or is damaged ({error})", _DAMAGED) from error


def _upright(frame: Frames, turn: Turn, first: Turn, size: Extent | None, path: Path) -> Frames:
    """A scaled frame turned upright and cut to `size`."""
    if turn.swap != first.swap:
        raise DataError(f"{path}: the camera was turned within the clip", "Cut it there, into two recordings")
    upright = turn.apply(frame)
    return np.ascontiguousarray(upright if size is None else _middle(upright, size))


def _both(size: Extent) -> tuple[int, int]:
    """Height and width."""
    return (size, size) if isinstance(size, int) else size


def _stored(size: Extent, turn: Turn) -> tuple[int, int]:
    """Height and width of frames as they are stored, before they are turned upright."""
    height, width = _both(size)
    return (width, height) if turn.swap else (height, width)


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
    time = -1.0
    for time, frame in _frames(path, variable, rate_hz):
        yield time, _to_array(frame, (size, size), 1)
    if time < 0:
        raise DataError(f"{path}: the video has no frames", _DAMAGED)


def read_stored_frames(path: Path) -> Iterator[tuple[Frames, Turn]]:
    """Decode a clip in order with its pixels as they are stored: boxes count those.

    Yields:
        uint8 (height, width, 3), and what turns it upright.

    Raises:
        DataError: as `read_frames`.
    """
    return _arrays(path, None, "", 3, "centre-crop")


def _within(path: Path, variable: str, span: Span | None, threads: int = 0) -> Iterator["av.VideoFrame"]:
    """The frames of a clip, or of a part of it."""
    for time, frame in _frames(path, variable, span.rate_hz if span else 0.0, threads):
        if span is None or span.start_s <= time < span.end_s:
            yield frame


def _arrays(
    path: Path, size: Extent | None, variable: str, channels: Channels, fit: ResizeFit, span: Span | None = None
) -> Iterator[tuple[Frames, Turn]]:
    """Frames scaled but not yet cut, as stored, and what turns them upright."""
    first: tuple[int, int] | None = None
    for frame in _within(path, variable, span):
        turn = _turn(frame, path)
        first = first or (frame.height, frame.width)
        extent = _scaled(frame, _stored(size, turn), fit) if size is not None else first
        yield _to_array(frame, extent, channels), turn
    if first is None and span:
        raise DataError(f"{path}: no frame lies between {span.start_s:g} and {span.end_s:g} s", "Correct sync.csv")
    if first is None:
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
        # A title that is no UTF-8 does no harm; a play list must not reach for the network.
        container = av.open(str(path), metadata_errors="replace", options={"protocol_whitelist": "file"})
    except (av.FFmpegError, OSError, ValueError) as error:
        raise DataError(f"{path}: not a readable video ({error})", _DAMAGED) from error
    try:
        _video_stream(container, path)
    except DataError:
        container.close()
        raise
    return container


def _video_stream(container: Any, path: Path) -> Any:
    """The video of a file, which may have pictures attached."""
    from av.stream import Disposition

    attached = Disposition.attached_pic | Disposition.timed_thumbnails
    streams = [stream for stream in container.streams.video if not stream.disposition & attached]
    if not streams:
        what = "only an attached picture" if container.streams.video else "no video stream"
        raise DataError(f"{path}: has {what}", "Check that this is the right kind of file")
    if streams[0].codec_context is None:
        raise DataError(f"{path}: its video is in a format that is not known here", "Convert it, e.g. to H.264")
    return streams[0]


def _frames(path: Path, variable: str, rate_hz: float, threads: int = 0) -> Iterator[tuple[float, "av.VideoFrame"]]:
    """Frames with the seconds since the first one; by `rate_hz` (0: all of them 0) where the file does not say them."""
    source = _depth_frames(path, variable) if path.suffix.lower() == ".mat" else _decoded_frames(path, threads)
    first: float | None = None
    for number, frame in enumerate(source):
        time: float | None = frame.time
        first = time if first is None else first
        yield (time - first if time is not None and first is not None else number / rate_hz if rate_hz else 0.0), frame


def _decoded_frames(path: Path, threads: int = 0) -> Iterator["av.VideoFrame"]:
    """All frames in order; `threads` decode, 0 as many as the decoder likes."""
    av = _import_av()
    with _open(path) as container:
        stream = _video_stream(container, path)
        stated = states_its_end(path)
        stream.thread_type = "AUTO"
        stream.codec_context.thread_count = threads
        progress, wanted = _Progress(), stream.index
        try:
            for packet in container.demux():
                progress.reach(packet, number := packet.stream.index)
                if number != wanted:  # the packets that end a stream have no `stream_index`
                    continue
                progress.packets += packet.size > _SKIPPED and not packet.is_discard
                for frame in packet.decode():
                    progress.frames += 1
                    yield frame
        except (av.FFmpegError, OSError, ValueError) as error:
            raise DataError(f"{path}: the video breaks off or is damaged ({error})", _DAMAGED) from error
        _check_all_there(path, container, progress, stated)


@dataclass
class _Progress:
    """How far a clip was read: video packets with a frame in them, frames, and where each stream ends, in its ticks."""

    packets: int = 0
    frames: int = 0
    ends: dict[int, int] = field(default_factory=dict)

    def reach(self, packet: Any, stream: int) -> None:
        """Note when a packet ends."""
        if packet.pts is not None and packet.size:
            end = packet.pts + (packet.duration or 0)
            if end > self.ends.get(stream, -math.inf):
                self.ends[stream] = end

    def end_s(self, container: Any) -> float:
        """The end of all streams in seconds."""
        ends = (float(end * container.streams[stream].time_base) for stream, end in self.ends.items())
        return max(ends, default=-math.inf)


def _check_all_there(path: Path, container: Any, progress: _Progress, stated: bool) -> None:
    """Refuse a clip that ended early.

    Args:
        path: for messages.
        container: read to its end.
        progress: what came out of it.
        stated: whether the file is as long as its container says; nothing but damage inside is possible then.

    Raises:
        DataError: frames are missing.
    """
    count, packets = progress.frames, progress.packets
    if count < LEAST_DECODED * packets:
        raise DataError(f"{path}: only {count} of its {packets} frames can be decoded", _DAMAGED)
    if 0 < count < packets:
        logger.warning("%s: only %d of its %d frames can be decoded", path, count, packets)
    if stated or not count:
        return
    if container.duration and container.format.name.split(",")[0] in _STATE_DURATION:
        seconds = container.duration / _import_av().time_base
        reached = progress.end_s(container) - (container.start_time or 0) / _import_av().time_base
        if reached < LEAST_DECODED * seconds:
            raise DataError(f"{path}: it ends after {reached:.2f} of the {seconds:.2f} s that it states", _DAMAGED)
        if seconds - reached > _FRAMES_OF_DOUBT / float(_video_stream(container, path).average_rate or 1):
            logger.warning(
                "%s: it ends after %.2f of the %.2f s that it states; is it all there?", path, reached, seconds
            )
        return
    logger.warning(
        "%s: nothing in this file says how long it should be; %d frames were found, and if it was cut off, nobody can "
        "tell",
        path,
        count,
    )


def _turn(frame: "av.VideoFrame", path: Path) -> Turn:
    """What turns a frame upright."""
    mark = frame.side_data.get("DISPLAYMATRIX")
    return UPRIGHT if mark is None else turn_of_matrix(bytes(mark), path)


def _check_depth_shape(path: Path, shape: tuple[int, ...]) -> None:
    if len(shape) != 3 or 0 in shape:
        raise DataError(f"{path}: a depth clip must be (height, width, frames), got shape {shape}", _DAMAGED)


def _depth_frames(path: Path, variable: str) -> Iterator["av.VideoFrame"]:
    av = _import_av()
    depth = read_mat(path, variable)
    _check_depth_shape(path, depth.shape)
    for index in range(depth.shape[2]):
        yield av.VideoFrame.from_ndarray(depth_to_grey(depth[:, :, index]), format="gray")


def _scaled(frame: "av.VideoFrame", size: tuple[int, int], fit: ResizeFit) -> tuple[int, int]:
    """Height and width to which a frame is scaled before the middle is cut out."""
    height, width = size
    if fit == "squash":
        return height, width
    scale = max(height / frame.height, width / frame.width)
    return max(height, round(frame.height * scale)), max(width, round(frame.width * scale))


def _to_array(frame: "av.VideoFrame", extent: tuple[int, int], channels: Channels) -> Frames:
    height, width = extent
    # AREA averages all source pixels under a target pixel: no aliasing when shrinking, unlike plain bilinear sampling.
    # By default threads are started for each frame, which takes five times as long as scaling one of 320 x 240 pixels.
    picture: Frames = frame.to_ndarray(
        format="gray" if channels == 1 else "rgb24", width=width, height=height, interpolation="AREA", threads=1
    )
    return picture.reshape(height, width, channels)


def _middle(picture: Frames, size: Extent) -> Frames:
    """What lies in the middle."""
    height, width = _both(size)
    top, left = (picture.shape[0] - height) // 2, (picture.shape[1] - width) // 2
    return picture[top : top + height, left : left + width]
