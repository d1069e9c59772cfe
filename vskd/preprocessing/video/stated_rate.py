"""The frame rate that the header of an .avi or .mp4 file states.

Only the standard library is used, and a few bytes of each file are read: data sets are listed with it.

Sources: Microsoft, "AVI RIFF File Reference"; ISO/IEC 14496-12 (.mp4).
"""

import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from vskd.errors import DataError

_LARGEST_INDEX = 1 << 26
"""Bytes; an index of a day of video is smaller."""


def stated_rate(path: Path) -> float | None:
    """Frames per second; of an .mp4 whose rate changes, their mean.

    Returns:
        None where the header does not hold it, as that of an .mp4 in fragments, or makes no sense.

    Raises:
        DataError: the file cannot be read.
    """
    try:
        with path.open("rb") as handle:
            if path.suffix.lower() == ".avi":
                return _avi_rate(handle.read(36))
            return _mp4_rate(_index(handle, os.fstat(handle.fileno()).st_size))
    except OSError as error:
        raise DataError(
            f"Cannot read {path}: {error.strerror or error}", "Check the path and its permissions"
        ) from error
    except (struct.error, IndexError):
        return None


def _avi_rate(header: bytes) -> float | None:
    """The frame period stands in the main header behind the RIFF header."""
    if len(header) < 36 or header[24:28] != b"avih":
        return None
    (period_us,) = struct.unpack_from("<I", header, 32)
    return 1e6 / period_us if 1_000 <= period_us <= 1_000_000 else None


def _index(handle: BinaryIO, size: int) -> bytes:
    """The content of the box `moov`; empty where there is none."""
    position = 0
    while position + 8 <= size:
        handle.seek(position)
        length, name = struct.unpack(">I4s", handle.read(8))
        start = 8
        if length == 1:
            (length,), start = struct.unpack(">Q", handle.read(8)), 16
        if name == b"moov":
            return handle.read(length - start) if start <= length <= _LARGEST_INDEX else b""
        if length < start:
            break
        position += length
    return b""


def _boxes(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Name and content of the boxes that lie one behind the other."""
    position = 0
    while position + 8 <= len(content):
        length, name = struct.unpack_from(">I4s", content, position)
        if length < 8:
            return
        yield name, content[position + 8 : position + length]
        position += length


def _mp4_rate(index: bytes) -> float | None:
    """Of the first track that is a video: its frames, by the time that they are shown together."""
    for track in (content for name, content in _boxes(index) if name == b"trak"):
        media = dict(_boxes(dict(_boxes(track)).get(b"mdia", b"")))
        if media.get(b"hdlr", b"")[8:12] != b"vide":
            continue
        header = media.get(b"mdhd", b"")
        (ticks_per_second,) = struct.unpack_from(">I", header, 20 if header[0] == 1 else 12)
        table = dict(_boxes(dict(_boxes(media.get(b"minf", b""))).get(b"stbl", b""))).get(b"stts", b"")
        runs = [struct.unpack_from(">II", table, at) for at in range(8, len(table) - 7, 8)]
        ticks = sum(frames * each for frames, each in runs)
        return sum(frames for frames, _ in runs) * ticks_per_second / ticks if ticks else None
    return None
