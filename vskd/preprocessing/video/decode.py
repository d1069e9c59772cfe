"""All frames of a video file, decoded strictly in order, and whether they are all there.

- Edit lists are followed: what was cut away without encoding anew is not shown, and its absence is no damage. Neither
  are dropped frames.
- A file that is shorter than its container says, whose frames end well before the duration that its header states, or
  of whose frames many cannot be decoded is refused. Where nothing says how long it should be, a warning says that.
- So is one with damage inside: frames of which the decoder says that parts are missing or made up, and packets that the
  index of an .avi has and the file has not any more. Streams that lose packets on their way (`_LOSSY`) may have some.
"""

import logging
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vskd.errors import DataError
from vskd.preprocessing.video.container import states_its_end
from vskd.preprocessing.video.video_file import DAMAGED, import_av, open_video, video_stream
from vskd.progress import COMMON

if TYPE_CHECKING:
    import av

LEAST_DECODED = 0.9
"""A clip with a smaller fraction of the frames or of the time that its container holds or states is damaged."""

_FRAMES_OF_DOUBT = 1.5
"""Frames by which a clip may end before its stated duration without a word: the last one's own length is not known."""

_SKIPPED = 32
"""Packets up to this many bytes may say that nothing changed; no frame comes out of some of them."""

_STATE_DURATION = ("matroska", "flv", "asf")
"""Containers whose headers state how long they are; of others the decoder takes it from what is there."""

_LOSSY = ("mpegts", "flv")
"""Formats of broadcasts and cameras, in which a few damaged frames are no sign of a bad copy."""

logger = logging.getLogger(__name__)


def decoded_frames(path: Path, threads: int = 0) -> Iterator["av.VideoFrame"]:
    """All frames in order; `threads` decode, 0 as many as the decoder likes.

    Raises:
        DataError: missing or unreadable file, frames that are missing, or damage.
    """
    with open_video(path) as container:
        yield from decode_packets(path, container, container.demux(), threads)


def decode_packets(path: Path, container: Any, packets: Iterable[Any], threads: int) -> Iterator["av.VideoFrame"]:
    """The frames of all packets of an open file, from the first to those that end its streams; see `decoded_frames`."""
    av = import_av()
    stream = video_stream(container, path)
    stated = states_its_end(path)
    set_threads(stream, threads)
    progress, wanted = Progress(), stream.index
    try:
        for packet in packets:
            progress.reach(packet, number := packet.stream.index)
            if number != wanted:  # the packets that end a stream have no `stream_index`
                continue
            progress.add(packet)
            for frame in packet.decode():
                progress.frames += 1
                progress.damaged += frame.is_corrupt
                yield frame
    except (av.FFmpegError, OSError, ValueError) as error:
        raise DataError(f"{path}: the video breaks off or is damaged ({error})", DAMAGED) from error
    check_all_there(path, container, progress, stated)


def set_threads(stream: Any, threads: int) -> None:
    """How many threads decode; of no effect once a decoder has begun."""
    if not stream.codec_context.is_open:
        stream.thread_type = "AUTO"
        stream.codec_context.thread_count = threads


@dataclass
class Progress:
    """How far a clip was read.

    Attributes:
        packets: of the video, with a frame in them. found: all of them.
        frames: that came out of them. damaged: those of which the decoder says that not all of them is there.
        ends: of each stream, in its ticks.
    """

    packets: int = 0
    found: int = 0
    frames: int = 0
    damaged: int = 0
    ends: dict[int, int] = field(default_factory=dict)

    def add(self, packet: Any) -> None:
        """Count a packet of the video."""
        self.found += packet.size > 0
        self.packets += packet.size > _SKIPPED and not packet.is_discard

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


def check_all_there(path: Path, container: Any, progress: Progress, stated: bool) -> None:
    """Refuse a clip that ended early.

    Args:
        path: for messages.
        container: read to its end.
        progress: what came out of it.
        stated: whether the file is as long as its container says.

    Raises:
        DataError: frames are missing.
    """
    count, packets = progress.frames, progress.packets
    if count < LEAST_DECODED * packets:
        raise DataError(f"{path}: only {count} of its {packets} frames can be decoded", DAMAGED)
    if 0 < count < packets:
        logger.warning("%s: only %d of its %d frames can be decoded", path, count, packets)
    _check_damage(path, container, progress)
    if not count:
        return
    if states_duration(container):
        _check_duration(path, container, progress)
    elif not stated:
        _say_unsure(path, count)


def states_duration(container: Any) -> bool:
    """Whether the header of a file says how long it is; then `Progress.reach` has to be told of every packet."""
    return bool(container.duration) and container.format.name.split(",")[0] in _STATE_DURATION


def _check_duration(path: Path, container: Any, progress: Progress) -> None:
    """Hold a clip against the duration that its header states.

    Raises:
        DataError: it ends well before.
    """
    seconds = container.duration / import_av().time_base
    # a part that was cut out may begin later than at 0; some programs count its duration from there, others from 0
    reached = progress.end_s(container) - min(container.start_time or 0, 0) / import_av().time_base
    if reached < LEAST_DECODED * seconds:
        raise DataError(f"{path}: it ends after {reached:.2f} of the {seconds:.2f} s that it states", DAMAGED)
    if seconds - reached > _FRAMES_OF_DOUBT / (video_stream(container, path).average_rate or 1):
        logger.warning("%s: it ends after %.2f of the %.2f s that it states; is it all there?", path, reached, seconds)


def _say_unsure(path: Path, count: int) -> None:
    logger.warning(
        "%s: nothing in this file says how long it should be; %d frames were found, and if it was cut off, nobody can "
        "tell",
        path,
        count,
        extra={COMMON: "nothing in these files says how long they should be"},
    )


def _check_damage(path: Path, container: Any, progress: Progress) -> None:
    """Refuse a clip with damage inside.

    Raises:
        DataError: it has damaged frames, or lacks packets that its index has.
    """
    kind = container.format.name.split(",")[0]
    if kind == "avi":
        listed = sum(entry.size > 0 for entry in video_stream(container, path).index_entries)
        if progress.found < listed:
            raise DataError(f"{path}: {listed - progress.found} of the {listed} packets of its index are gone", DAMAGED)
    if not progress.damaged:
        return
    if kind not in _LOSSY or progress.frames - progress.damaged < LEAST_DECODED * progress.frames:
        raise DataError(f"{path}: {progress.damaged} of its {progress.frames} frames are damaged", DAMAGED)
    logger.warning("%s: %d of its %d frames are damaged", path, progress.damaged, progress.frames)
