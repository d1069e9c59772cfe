"""Which packets of MPEG-1 and MPEG-2 video have to be decoded for some of its frames.

Their pictures say in a few bytes what they are made from: an intra picture (I) from nothing, a predicted one (P) from
the last I or P before it, a bidirectional one (B) from the last two. Of the two a B lies between in time, so that it is
shown before the second. Nothing else is carried from picture to picture if there is one sequence header.

Source: ISO/IEC 11172-2 and 13818-2, clause 6 (headers), annex D (damage).
"""

import re
from collections.abc import Collection, Iterable, Sequence
from itertools import takewhile
from typing import NamedTuple

MPEG_CODECS = ("mpeg1video", "mpeg2video")

_START = b"\x00\x00\x01"
_PICTURE, _SEQUENCE, _EXTENSION, _GROUP = 0x00, 0xB3, 0xB5, 0xB8
_SLICES = range(0x01, 0xB0)
_QUANT_MATRICES, _PICTURE_CODING = 3, 8
"""Extensions of MPEG-2."""
_FRAME = 3
"""A picture that is no field."""

_IMPOSSIBLE = re.compile(rb"\x00\x00\x00+[\x02-\xff]")
"""More zero bits in a row than any code has, with no start code behind them."""


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
    parts = [packet.split(_START)[1:] for packet in contents]
    types = "".join(_type(codes, codec) for codes in parts)
    start = types.replace("P", "I").find("B")
    known = set(types) <= set("IPB") and types[0] == "I" and start not in (0, 1)
    headers = {_sequence_header(codes) for codes in parts} - {()}
    return types if known and len(headers) <= 1 and not any(map(_IMPOSSIBLE.search, contents)) else None


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


def _sequence_header(codes: Sequence[bytes]) -> tuple[bytes, ...]:
    """What a packet says about all pictures from here on; empty if nothing."""
    if not codes or codes[0][:1] != bytes([_SEQUENCE]):
        return ()
    return tuple(takewhile(lambda code: code[:1] not in (bytes([_PICTURE]), bytes([_GROUP])), codes))


def _type(codes: Sequence[bytes], codec: str) -> str:
    """The type of a packet's picture.

    Args:
        codes: what follows each start code.
        codec: see `picture_types`.

    Returns:
        `?` if the packet has not just one picture, a whole frame with no matrices of its own, and slices from its top
        down.
    """
    names = [code[0] for code in codes if code]
    rows = [name for name in names if name in _SLICES]
    if len(names) != len(codes) or names.count(_PICTURE) != 1 or rows[:1] != [1] or rows != sorted(rows):
        return "?"
    picture = codes[names.index(_PICTURE)]
    if len(picture) < 3 or (codec == "mpeg2video" and not _is_plain(codes)):
        return "?"
    return "?IPB????"[picture[2] >> 3 & 7]


def _is_plain(codes: Sequence[bytes]) -> bool:
    """Whether a picture of MPEG-2 is a frame, and uses the matrices of the sequence."""
    extensions = {code[1] >> 4: code for code in codes if code[0] == _EXTENSION and len(code) > 3}
    coding = extensions.get(_PICTURE_CODING)
    return coding is not None and _QUANT_MATRICES not in extensions and coding[3] & 3 == _FRAME
