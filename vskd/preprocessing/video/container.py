"""Whether a video file is as long as its container says: from the sizes in its headers, without decoding.

An .avi, Matroska or MPEG file that was cut off decodes without a complaint as far as it goes. Only the standard library
is used, and a few bytes of each part of the file are read.

Sources: ISO/IEC 14496-12 (.mp4, .mov); Microsoft, "AVI RIFF File Reference", and OpenDML 1.02 (.avi); RFC 8794 and RFC
9559 (EBML, Matroska, WebM); ISO/IEC 11172-1 and 13818-1 (MPEG program and transport streams).
"""

import mmap
import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, NoReturn

from vskd.errors import DataError

AGAIN = "Copy or download the file again, or remove it"
_ACCESS = "Check the path and its permissions"

_BOXES_WITH_FRAMES = (b"moov", b"mdat", b"moof")
_EBML, _SEGMENT = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"
_START, _PACK, _END = b"\x00\x00\x01", 0xBA, 0xB9
_TRANSPORT = (188, 192)
"""Bytes of a packet of a transport stream, as broadcast and as on discs."""


def states_its_end(path: Path) -> bool:
    """Whether the container says where the file ends; then it was checked, and the file is all there.

    False of what only its frames can tell: other containers, streams that were written while they were recorded, and
    MPEG program and transport streams, which end anywhere.

    Raises:
        DataError: the file is shorter than it says, or ends within a part; or it cannot be read.
    """
    try:
        with path.open("rb") as handle:
            size = os.fstat(handle.fileno()).st_size
            check = _check_of(handle.read(16))
            return check is not None and check(handle, path, size)
    except OSError as error:
        raise DataError(f"Cannot read {path}: {error.strerror or error}", _ACCESS) from error


def _check_of(start: bytes) -> Callable[[BinaryIO, Path, int], bool] | None:
    if start[:4] == b"RIFF":
        return check_riff
    if start[4:8] in (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"styp"):
        return check_boxes
    if start[:4] == _EBML:
        return _check_matroska
    if start[:4] == b"\x00\x00\x01\xba":
        return _check_program_stream
    return _check_transport_stream if start[:1] == b"\x47" or start[4:5] == b"\x47" else None


def refuse_truncated(path: Path, size: int, wanted: int) -> NoReturn:
    """Refuse a file of `size` bytes that says it has `wanted`.

    Raises:
        DataError: always.
    """
    raise DataError(f"{path} is truncated: it has {size} bytes and says it needs {wanted}", AGAIN)


def check_boxes(handle: BinaryIO, path: Path, size: int) -> bool:
    """Walk the top-level boxes of an .mp4: all must fit into the file and one must be the index, `moov`.

    Returns:
        False for a file in fragments (`moof`) without the list of them at its end (`mfra`), and where the frames go on
        up to the end of the file.

    Raises:
        DataError: as `states_its_end`, or there is no index.
    """
    position, names, open_end = 0, set[bytes](), False
    while position + 8 <= size:
        handle.seek(position)
        length, name = struct.unpack(">I4s", handle.read(8))
        if length == 1:
            extended = handle.read(8)
            length = struct.unpack(">Q", extended)[0] if len(extended) == 8 else 0
            if length < 16:
                refuse_truncated(path, size, position + 16)
        if length == 0:  # the last box, up to the end of the file, wherever that is
            length, open_end = size - position, name == b"mdat"
        known = name in _BOXES_WITH_FRAMES
        # what cameras append behind the last box is none of them
        if {b"moov", b"mdat"} <= names and not known and (length < 8 or position + length > size):
            break
        if length < 8:
            raise DataError(f"{path} is damaged: box {name!r} says it is {length} bytes long", AGAIN)
        if position + length > size:
            refuse_truncated(path, size, position + length)
        names.add(name)
        position += length
    if b"moov" not in names:
        raise DataError(f"{path} is truncated or was never finished: it has no frame index ('moov')", AGAIN)
    return not open_end and (b"moof" not in names or b"mfra" in names)


def check_riff(handle: BinaryIO, path: Path, size: int) -> bool:
    """Walk the `RIFF` chunks of an .avi, of which a large file has several.

    Returns:
        False where the first chunk has no size: it was never finished.

    Raises:
        DataError: as `states_its_end`.
    """
    position = 0
    while position + 8 <= size:
        handle.seek(position)
        name, length = struct.unpack("<4sI", handle.read(8))
        if name != b"RIFF":
            break  # appended by something else
        if length == 0:
            return False
        if position + 8 + length > size:
            refuse_truncated(path, size, position + 8 + length)
        position += 8 + length + length % 2
    return True


def _check_matroska(handle: BinaryIO, path: Path, size: int) -> bool:
    """The header, then segments. One of unknown size (all bits of it are 1) was written while it was recorded."""
    position, segments = 0, 0
    while position < size:
        handle.seek(position)
        element = handle.read(12)
        name, length, start = element[:4], *_ebml_size(element[4:])
        if name not in (_EBML, _SEGMENT) or start == 0:
            break
        if length is None:
            return False
        position += 4 + start + length
        segments += name == _SEGMENT
        if position > size:
            refuse_truncated(path, size, position)
    return segments > 0


def _ebml_size(field: bytes) -> tuple[int | None, int]:
    """Value of a variable-size integer, None if unknown, and its bytes; 0 bytes where there is none."""
    width = 9 - field[0].bit_length() if field and field[0] else 0
    if not 1 <= width <= len(field):
        return 0, 0
    value = int.from_bytes(field[:width], "big") - (1 << 7 * width)
    return (None if value == (1 << 7 * width) - 1 else value), width


def _check_program_stream(handle: BinaryIO, path: Path, size: int) -> bool:
    """Walk packs and packets, which say their own lengths; only an end code says that nothing is missing."""
    with mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ) as content:  # twice as fast as seeking and reading
        position = 0
        while position + 4 <= size:
            head = content[position : position + 14]
            if head[:3] != _START:
                position = _behind_padding(content, path, position)
                continue
            if head[3] == _END:
                return True
            if head[3] == _PACK:
                second = len(head) == 14 and head[4] >> 6 == 1
                length = 14 + (head[13] & 7) if second else 12
            else:
                length = 6 + int.from_bytes(head[4:6], "big")
            position += length
    if position != size:
        raise DataError(f"{path} is truncated: it ends within a packet", AGAIN)
    return False


def _behind_padding(content: mmap.mmap, path: Path, position: int) -> int:
    """Where packets go on; the end of the file if nothing but what was appended follows."""
    pack = content.find(_START + bytes([_PACK]), position)
    if pack < 0:
        return len(content)
    if content[position:pack].strip(b"\0"):
        raise DataError(f"{path} is damaged: no packet begins at byte {position}, where one should", AGAIN)
    return pack


def _check_transport_stream(handle: BinaryIO, path: Path, size: int) -> bool:
    """Packets have one size, so that the last one must be whole; how many there should be is not said."""
    handle.seek(0)
    start = handle.read(1024)
    for length in _TRANSPORT:
        first = length - 188  # on discs four bytes of time stand before each packet
        if len(start) > 4 * length and all(start[first + n * length] == 0x47 for n in range(4)):
            if size % length:
                raise DataError(f"{path} is truncated: it ends within a packet", AGAIN)
            break
    return False
