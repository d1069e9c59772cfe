"""Some frames of a clip: the others are neither converted nor held, and where that is safe not even decoded.

A file is opened once and its packets are read into memory; their number is that of the frames. Of MPEG-1 and MPEG-2
video only the packets that chosen frames need are decoded (mpeg_pictures.py); all others are looked at for the signs of
damage that need no decoding. Of other codecs every frame is decoded, in order.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vskd.errors import DataError
from vskd.preprocessing.video.container import states_its_end
from vskd.preprocessing.video.decode import Progress, check_all_there, decode_packets, set_threads
from vskd.preprocessing.video.frames import Span, no_frames, within
from vskd.preprocessing.video.mpeg_pictures import needed_packets, picture_types
from vskd.preprocessing.video.picture import Extent, Frames, ResizeFit, Scaler, both, scaled, stored, turn_of, upright
from vskd.preprocessing.video.probe import probe_video
from vskd.preprocessing.video.turn import Turn
from vskd.preprocessing.video.video_file import DAMAGED, import_av, open_video, video_stream

if TYPE_CHECKING:
    import av

HELD_BYTES = 1 << 26
"""Files with more video than this are read twice instead of being held in memory."""

Check = Literal["used", "full"]
"""In which frames damage is looked for: those that are used, or all."""

_Read = tuple[dict[int, Frames], int]
"""Frames by their numbers, and how many the clip has."""


def read_chosen_frames(
    path: Path,
    choose: Callable[[int], NDArray[np.int64]],
    *,
    size: Extent,
    variable: str = "",
    fit: ResizeFit = "centre-crop",
    span: Span | None = None,
    threads: int = 0,
    check: Check = "used",
) -> tuple[Frames, int]:
    """Decode a clip in order and keep some of its frames.

    The packets are counted first, so that one pass over the frames is enough. Where another number of frames comes out
    of them, the clip is decoded again, with the right number.

    Args:
        path, size, variable, fit, span: as in `read_frames`.
        choose: number of frames of the clip, or of its part -> those to keep, in any order, repeats allowed.
        threads: that decode; 0 as many as the decoder likes. Where several clips are decoded at a time, 1 is faster.
        check: `full` decodes every frame, so that damage in those that are not chosen is found, too. The frames are the
            same ones, bit by bit.

    Returns:
        uint8 (chosen, height, width, 3), and the number of frames of the clip.

    Raises:
        DataError: as `read_frames`; or from `choose`.
    """
    view = _View(path, size, fit, Scaler())
    if span is None and path.suffix.lower() != ".mat":
        with open_video(path) as container:
            packets = _held(path, container)
            if packets is not None:
                held = _Held(path, container, packets, threads)
                return _chosen(partial(_read_held, held, check, view), held.stated, choose, view)

    def read(wanted: Collection[int]) -> _Read:
        return _keep(within(path, variable, span, threads), wanted, view)

    return _chosen(read, _count_packets(path, variable), choose, view, span)


class _View(NamedTuple):
    """How frames become arrays, and their file for messages."""

    path: Path
    size: Extent
    fit: ResizeFit
    scaler: Scaler


def _chosen(
    read: Callable[[Collection[int]], _Read],
    stated: int,
    choose: Callable[[int], NDArray[np.int64]],
    view: _View,
    span: Span | None = None,
) -> tuple[Frames, int]:
    """The frames chosen of the number that there are; those beyond the end are zero."""
    indices = choose(max(1, stated))
    kept, count = read(set(indices.tolist()))
    if count and count != stated:
        indices = choose(count)
        kept, count = read(set(indices.tolist()))
    if not count:
        raise no_frames(view.path, span)
    nothing = np.zeros((*both(view.size), 3), np.uint8)
    return np.stack([kept.get(index, nothing) for index in indices.tolist()]), count


def _keep(frames: Iterable["av.VideoFrame"], wanted: Collection[int], view: _View) -> _Read:
    """Those frames that are wanted as arrays, and how many there are."""
    kept, count, first = dict[int, Frames](), 0, None
    for frame in frames:
        first = first or turn_of(frame, view.path)
        if count in wanted:
            kept[count] = _picture(frame, first, view)
        count += 1
    return kept, count


def _picture(frame: "av.VideoFrame", first: Turn, view: _View) -> Frames:
    turn = turn_of(frame, view.path)
    array = view.scaler.to_array(frame, scaled(frame, stored(view.size, turn), view.fit), 3)
    return upright(array, turn, first, view.size, view.path)


def _count_packets(path: Path, variable: str) -> int:
    """How many packets of a clip should hold a frame; of a .mat file, its frames. Nothing is decoded."""
    if path.suffix.lower() == ".mat":
        return probe_video(path, variable).num_frames
    with open_video(path) as container:
        return _stated(_demuxed(path, container, video_stream(container, path)))


def _stated(packets: Iterable[Any]) -> int:
    """How many packets should hold a frame."""
    return sum(packet.size > 0 and not packet.is_discard for packet in packets)


def _demuxed(path: Path, container: Any, *streams: Any) -> Iterator[Any]:
    try:
        yield from container.demux(*streams)
    except (import_av().FFmpegError, OSError, ValueError) as error:
        raise DataError(f"{path}: the video breaks off or is damaged ({error})", DAMAGED) from error


def _held(path: Path, container: Any) -> list[Any] | None:
    """All packets of a file; None if they are too large to be held. The file is at its end, or anywhere, then."""
    packets, size = [], 0
    for packet in _demuxed(path, container):
        packets.append(packet)
        size += packet.size
        if size > HELD_BYTES:
            return None
    return packets


class _Held:
    """An open file whose packets are in memory.

    Attributes:
        stated: how many of them should hold a frame of the video.
    """

    def __init__(self, path: Path, container: Any, packets: list[Any], threads: int) -> None:
        self.path, self.container, self.packets, self.threads = path, container, packets, threads
        self.stream = video_stream(container, path)
        self.own = [packet for packet in packets if packet.stream.index == self.stream.index]
        self.stated = _stated(self.own)

    def decoded(self) -> Iterator["av.VideoFrame"]:
        """All frames; may be asked for again."""
        self.rewind()
        return decode_packets(self.path, self.container, self.packets, self.threads)

    def rewind(self) -> None:
        """Let the decoder forget what it decoded."""
        if self.stream.codec_context.is_open:
            self.stream.codec_context.flush_buffers()

    def check_all_there(self) -> None:
        """See `check_all_there`; for a file of which not every frame is decoded."""
        progress = Progress(frames=self.stated)
        for packet in self.packets:
            progress.reach(packet, packet.stream.index)
        for packet in self.own:
            progress.add(packet)
        check_all_there(self.path, self.container, progress, states_its_end(self.path))


def _read_held(held: _Held, check: Check, view: _View, wanted: Collection[int]) -> _Read:
    if check == "used":
        kept = _only_needed(held, view, wanted)
        if kept is not None:
            held.check_all_there()
            return kept, held.stated
    return _keep(held.decoded(), wanted, view)


def _only_needed(held: _Held, view: _View, wanted: Collection[int]) -> dict[int, Frames] | None:
    """The frames that are wanted, without decoding what they do not need; None where that is not certain to be right.

    It is not where anything is odd: a sign of damage in any packet, a complaint of the decoder, another number of
    frames than there should be. Then all frames are decoded, and what is found in them decides.
    """
    packets = [packet for packet in held.own if packet.size]
    odd = any(packet.is_discard or packet.is_corrupt for packet in packets)
    types = None if odd else picture_types(held.stream.codec_context.name, map(bytes, packets))
    if types is None or len(types) != held.stated:
        return None
    needed = needed_packets(types, wanted)
    rest = [packets[place] for place in needed.packets] + [packet for packet in held.own if not packet.size]
    kept, numbers, first = dict[int, Frames](), iter(needed.numbers), None
    set_threads(held.stream, held.threads)
    try:
        for frame in chain.from_iterable(packet.decode() for packet in rest):
            number = next(numbers, None)
            if number is None or frame.is_corrupt:
                return None
            first = first or turn_of(frame, view.path)
            if number in wanted:
                kept[number] = _picture(frame, first, view)
    except (import_av().FFmpegError, OSError, ValueError):
        return None
    return kept if next(numbers, None) is None else None
