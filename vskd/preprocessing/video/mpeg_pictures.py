"""Which packets of MPEG-1 and MPEG-2 video have to be decoded for some of its frames.

Their pictures say in a few bytes what they are made from: an intra picture (I) from nothing, a predicted one (P) from
the last I or P before it, a bidirectional one (B) from the last two. Of the two a B lies between in time, so that it is
shown before the second. Nothing else is carried from picture to picture if there is one sequence header.

Source: ISO/IEC 11172-2 and 13818-2, clause 6 (headers), annex D (damage).
"""

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

MPEG_CODECS = ("mpeg1video", "mpeg2video")

_PICTURE, _SEQUENCE, _EXTENSION, _GROUP = 0x00, 0xB3, 0xB5, 0xB8
_LAST_SLICE = 0xAF
_QUANT_MATRICES, _PICTURE_CODING = 3, 8
"""Extensions of MPEG-2."""
_FRAME = 3
"""A picture that is no field."""
_PADDING = bytes(8)
"""Behind the last packet, so that what follows a start code can be looked up; no code is longer."""

_Bytes = NDArray[np.uint8]
_Places = NDArray[np.int64]
_Flags = NDArray[np.bool_]


class NeededPackets(NamedTuple):
    """Places of packets in the order of decoding, and the numbers of the frames that come out of them, in order."""

    packets: list[int]
    numbers: list[int]


def picture_types(codec: str, packets: Iterable[bytes]) -> str | None:
    """`I`, `P` or `B` for each packet, in the order of decoding.

    Args:
        codec: FFmpeg's name.
        packets: of the whole video; none is asked for where the codec decides.

    Returns:
        None where frames do not follow from this alone: other codecs, fields, headers that change, a beginning with
        pictures that lack what they are made from, and packets that show damage.
    """
    if codec not in MPEG_CODECS:
        return None
    contents = list(packets)
    if not contents:
        return None
    codes = _start_codes(contents)
    if codes is None or not (_whole_pictures(codes) and _one_sequence(codes)):
        return None
    if codec == "mpeg2video" and not _plain_frames(codes):
        return None
    types = "".join("?IPB????"[kind] for kind in (codes.content[codes.of(_PICTURE) + 5] >> 3 & 7).tolist())
    start = types.replace("P", "I").find("B")
    return types if "?" not in types and types[0] == "I" and start not in (0, 1) else None


def needed_packets(types: str, wanted: Collection[int]) -> NeededPackets:
    """What has to be decoded for the frames `wanted`.

    Args:
        types: see `picture_types`.
        wanted: numbers of frames in the order in which they are shown.

    >>> needed_packets("IPBBPIP", [1]), needed_packets("IPBBPIP", [5])
    (NeededPackets(packets=[0, 1, 2], numbers=[0, 1, 3]), NeededPackets(packets=[5], numbers=[5]))
    """
    numbers, packets, references = shown_numbers(types), list[int](), 0
    for place in reversed(range(len(types))):
        kind, used = types[place], numbers[place] in wanted
        if kind == "B":
            references = 2 if used else references
        else:
            used = used or references > 0
            references = max(references - 1, int(used and kind == "P"))
        if used:
            packets.append(place)
    return NeededPackets(packets[::-1], sorted(numbers[place] for place in packets))


def shown_numbers(types: str) -> list[int]:
    """Place of each packet's frame in the order in which they are shown.

    >>> shown_numbers("IPBBP")
    [0, 3, 1, 2, 4]
    """
    order, waiting = list[int](), None
    for place, kind in enumerate(types):
        if kind == "B":
            order.append(place)
            continue
        order += [] if waiting is None else [waiting]
        waiting = place
    order += [] if waiting is None else [waiting]
    numbers = [0] * len(types)
    for number, place in enumerate(order):
        numbers[place] = number
    return numbers


class _StartCodes(NamedTuple):
    """The start codes of some packets, one behind another.

    Attributes:
        content: all bytes.
        places: where the codes begin, with two bytes of zero and one of 1; what they are is said by the fourth.
        names: that fourth byte of each.
        owners: number of the packet of each.
        left: bytes from each to the end of its packet.
        packets: how many there are.
    """

    content: _Bytes
    places: _Places
    names: _Bytes
    owners: _Places
    left: _Places
    packets: int

    def of(self, name: int) -> _Places:
        """Where the codes of one name begin."""
        places: _Places = self.places[self.names == name]
        return places

    def once_each(self, chosen: _Flags) -> bool:
        """Whether every packet has one of the codes that are chosen."""
        return np.array_equal(self.owners[chosen], np.arange(self.packets))


def _start_codes(packets: Sequence[bytes]) -> _StartCodes | None:
    """All start codes; None if there are more zero bits in a row than any code has, with no start code behind them."""
    content = np.frombuffer(b"".join((*packets, _PADDING)), np.uint8)
    zero = content == 0
    pairs = np.flatnonzero(zero[:-3] & zero[1:-2])
    third = content[pairs + 2]
    if (content[pairs[third == 0] + 3] > 1).any():
        return None
    places, ends = pairs[third == 1], np.cumsum([len(packet) for packet in packets])
    owners = np.searchsorted(ends, places, side="right")
    return _StartCodes(content, places, content[places + 3], owners, ends[owners] - places, len(packets))


def _whole_pictures(codes: _StartCodes) -> bool:
    """Whether each packet has just one picture, with slices from its top down."""
    names, owners = codes.names, codes.owners
    pictures, slices = names == _PICTURE, (names > 0) & (names <= _LAST_SLICE)
    if not codes.once_each(pictures) or codes.left.min() < 4:
        return False
    rows, of_row = names[slices], owners[slices]
    first = np.diff(of_row, prepend=-1) > 0
    if first.sum() != codes.packets or (rows[first] != 1).any():
        return False
    return bool((first[1:] | (rows[1:] >= rows[:-1])).all())


def _one_sequence(codes: _StartCodes) -> bool:
    """Whether all packets that say something about all pictures from there on say the same."""
    headers = set()
    begins = np.searchsorted(codes.owners, np.arange(codes.packets))
    ends = codes.places[(codes.names == _PICTURE) | (codes.names == _GROUP)]
    for place in codes.places[begins[codes.names[begins] == _SEQUENCE]].tolist():
        headers.add(codes.content[place : ends[np.searchsorted(ends, place)]].tobytes())
    return len(headers) <= 1


def _plain_frames(codes: _StartCodes) -> bool:
    """Whether all pictures of MPEG-2 are frames, and use the matrices of the sequence."""
    extensions = (codes.names == _EXTENSION) & (codes.left > 6)
    kinds = codes.content[codes.places + 4] >> 4
    coding = extensions & (kinds == _PICTURE_CODING)
    structures = codes.content[codes.places[coding] + 6] & 3
    matrices = extensions & (kinds == _QUANT_MATRICES)
    return codes.once_each(coding) and not matrices.any() and bool((structures == _FRAME).all())
