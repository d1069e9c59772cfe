"""What recordings hold, as hashes: of their files, or of the samples decoded from them.

Files of equal bytes are found at once. The same samples saved again (a .mat compressed, a clip in another container, a
JPEG's pixels as PNG) are found by decoding.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache, partial
from hashlib import sha256
from itertools import combinations
from pathlib import Path

from vskd.datasets.recording import Stream
from vskd.datasets.sensors.read import read_samples
from vskd.datasets.sensors.signals_file import SignalsFile
from vskd.errors import DataError
from vskd.files import sha256_json
from vskd.preprocessing.file_hashes import UNREADABLE, file_hashes
from vskd.preprocessing.image.image_file import open_image, pixels
from vskd.preprocessing.sensor.joints import read_joints
from vskd.preprocessing.sensor.reading import Reading
from vskd.preprocessing.sensor.signals import Signal
from vskd.preprocessing.stores.store_parts import array_hash
from vskd.preprocessing.video.frames import Span, read_frames
from vskd.progress import track

Contents = Callable[[Mapping[str, Stream]], Mapping[str, str]]
"""Streams of recordings -> hash of what each holds, both by id; what cannot be read is left out."""


def of_files(streams: Mapping[str, Stream], cache: Path | None = None) -> dict[str, str]:
    """SHA-256 of each file; nothing is decoded. `cache`: see `vskd.preprocessing.file_hashes`."""
    found = file_hashes((stream.path for stream in streams.values()), cache)
    return {
        i: part_hash(found[stream.path], stream) for i, stream in streams.items() if found[stream.path] != UNREADABLE
    }


def part_hash(file_sha256: str, stream: Stream) -> str:
    """Hash of what a recording holds: that of its file, or of the part of the file that it is.

    Two parts of one file are not the same content; those that overlap are found by `overlapping_parts`.
    """
    part = stream.reading.part if stream.reading else ()
    return sha256_json([file_sha256, part]) if part else file_sha256


def overlapping_parts(streams: Mapping[str, Stream]) -> list[tuple[str, str]]:
    """Recordings, in pairs of ids, that are different parts of one file and share samples.

    Files are the same where their content is. Recordings that are equal are not named: `of_files` finds them.
    """
    if not any(stream.reading and stream.reading.part for stream in streams.values()):
        return []
    files = file_hashes(stream.path for stream in streams.values())
    owners: dict[str, list[tuple[str, Reading]]] = {}
    for i, stream in streams.items():
        if files[stream.path] != UNREADABLE:
            owners.setdefault(files[stream.path], []).append((i, stream.reading or Reading()))
    return [
        (one, other)
        for parts in owners.values()
        for (one, its), (other, others) in combinations(parts, 2)
        if its.part != others.part and its.overlaps(others)
    ]


def of_samples(streams: Mapping[str, Stream]) -> dict[str, str]:
    """Hash of what each file says: samples in its unit, joints, upright pixels, frames.

    Of a file that cannot be decoded it is that of its bytes: copies of it are copies, too.
    """
    return {i: _decoded(stream, file) for i, stream, file in _compared(streams)}


def of_signals(streams: Mapping[str, Stream], keep: SignalsFile) -> dict[str, str]:
    """`of_samples` of sensors, whose samples are kept; those that cannot be decoded are not."""
    return {
        i: _hash(partial(_sensor, keep=partial(keep.add, i)), stream, file) for i, stream, file in _compared(streams)
    }


def _compared(streams: Mapping[str, Stream]) -> Iterator[tuple[str, Stream, str]]:
    """Id, stream and the hash of its file, of each whose file can be read."""
    files = of_files(streams)
    known = [(i, stream, files[i]) for i, stream in streams.items() if i in files]
    yield from track(known, "Comparing contents")


@lru_cache(maxsize=1 << 16)
def _decoded(stream: Stream, file_sha256: str) -> str:
    """`file_sha256` is the hash of the stream's file, by which the memory knows that it did not change."""
    return _hash(_READERS[stream.kind], stream, file_sha256)


def _hash(read: Callable[[Stream], str], stream: Stream, file_sha256: str) -> str:
    try:
        return read(stream)
    except DataError:  # that it cannot be read is the index's and the training's to say
        return file_sha256


def _sensor(stream: Stream, keep: Callable[[Signal], None] | None = None) -> str:
    signal = read_samples(stream)
    if keep is not None:
        keep(signal)
    return array_hash(signal)


def _skeleton(stream: Stream) -> str:
    return array_hash(read_joints(stream.path, stream.variable))


def _image(stream: Stream) -> str:
    return array_hash(pixels(*open_image(stream.path, grey=False)))


def _video(stream: Stream) -> str:
    whole = sha256()
    span = Span(stream.cut.start_s, stream.cut.end_s, stream.rate_hz) if stream.cut else None
    frames = read_frames(stream.path, size=None, variable=stream.variable, span=span)
    for frame in frames:
        whole.update(array_hash(frame).encode())
    return whole.hexdigest()


_READERS: Mapping[str, Callable[[Stream], str]] = {
    "sensor": _sensor,
    "skeleton": _skeleton,
    "image": _image,
    "video": _video,
}


def of_files_in(cache: Path) -> Contents:
    """`of_files`, remembered in the folder `cache`."""
    return partial(of_files, cache=cache)
