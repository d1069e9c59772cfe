"""Which packets chosen frames need: against a search through what every picture is made from, and odd streams."""

import itertools
import re

import numpy as np
import pytest

from vskd.preprocessing.video.mpeg_pictures import needed_packets, picture_types, shown_numbers

SEQUENCE = b"\x00\x00\x01\xb3\x14\x00\xf0\x13\xff\xff\xe0\x18"
GROUP = b"\x00\x00\x01\xb8\x00\x08\x00\x00"
SLICES = b"\x00\x00\x01\x01\x42\x43\x00\x00\x01\x02\x42\x43"


def packet(kind: str, *, sequence: bytes = b"", slices: bytes = SLICES) -> bytes:
    """A packet of MPEG-1 with a picture of a kind."""
    head = bytes([0, 8 * ("IPBD".index(kind) + 1), 0xFF])
    return (sequence + GROUP if sequence else b"") + b"\x00\x00\x01\x00" + head + slices


def stream(types: str) -> list[bytes]:
    return [packet(kind, sequence=SEQUENCE if kind == "I" else b"") for kind in types]


def made_from(types: str, place: int) -> set[int]:
    """A packet and all that it is made from, by looking for it."""
    before = [other for other in range(place) if types[other] != "B"]
    sources = {"I": [], "P": before[-1:], "B": before[-2:]}[types[place]]
    return {place}.union(*(made_from(types, source) for source in sources))


def shown(types: str) -> list[int]:
    """Places in the order in which they are shown."""
    order: list[int] = []
    references = [place for place, kind in enumerate(types) if kind != "B"]
    for place, following in itertools.pairwise([*references, len(types)]):
        order += [*range(place + 1, following), place]  # the Bs that follow it lie before it
    return order


@pytest.mark.parametrize("types", ["I", "IIII", "IPPPIPPP", "IPBBPBBIBBPBB", "IPBIBPB", "IPBBBBPPIPB"])
def test_they_are_what_a_search_finds(types: str) -> None:
    order = shown(types)
    numbers = shown_numbers(types)
    assert [numbers[place] for place in order] == list(range(len(types)))
    for wanted in itertools.chain.from_iterable(itertools.combinations(range(len(types)), n) for n in (1, 2)):
        needed = needed_packets(types, wanted)
        everything = set().union(*(made_from(types, order[number]) for number in wanted))
        assert needed.packets == sorted(everything)
        assert needed.numbers == sorted(numbers[place] for place in everything)


def test_nothing_and_everything() -> None:
    assert needed_packets("IPBBP", []) == ([], [])
    assert needed_packets("IPBBP", range(5)) == ([0, 1, 2, 3, 4], [0, 1, 2, 3, 4])


@pytest.mark.parametrize("types", ["I", "IPP", "IPBBPIPB"])
def test_types_are_read(types: str) -> None:
    assert picture_types("mpeg1video", stream(types)) == types


@pytest.mark.parametrize("types", ["P", "PBB", "BIP", "IBP", "ID"])
def test_pictures_that_lack_what_they_are_made_from(types: str) -> None:
    assert picture_types("mpeg1video", stream(types)) is None


@pytest.mark.parametrize(
    "odd",
    [
        b"",
        bytes(200),
        b"no picture at all",
        packet("P") + packet("P"),  # two fields
        packet("P", slices=b""),
        packet("P", slices=SLICES[6:]),  # begins with its second row
        packet("P", slices=SLICES[6:] + SLICES[:6]),
        packet("P") + bytes(40) + b"\x42",
        packet("I", sequence=SEQUENCE[:-1] + b"\x19"),  # from here on in another way
    ],
)
def test_odd_packets(odd: bytes) -> None:
    assert picture_types("mpeg1video", [*stream("IP"), packet("P")]) == "IPP"
    assert picture_types("mpeg1video", [*stream("IP"), odd]) is None


def test_zeros_at_the_end_of_a_packet_are_padding() -> None:
    assert picture_types("mpeg1video", [*stream("IP"), packet("P") + bytes(40)]) == "IPP"


def test_other_codecs_and_no_packets() -> None:
    assert picture_types("h264", stream("IP")) is None
    assert picture_types("mpeg1video", []) is None


@pytest.mark.parametrize(
    ("extensions", "known"),
    [
        ([b"\x8f\xff\xf3\x80\x80"], True),
        ([b"\x8f\xff\xf1\x80\x80"], False),  # a top field
        ([], False),
        ([b"\x8f\xff\xf3\x80\x80", b"\x3a\x55\x55"], False),  # matrices of its own
        ([b"\x8f\xff\xf3\x80\x80", b"\x3a"], False),  # the beginning of them
        ([b"\x8f\xff\xf3\x80\x80", b"\x2a\x55\x55"], True),  # an extension of another kind
        ([b"\x8f\xff\xf3\x80\x80"] * 2, False),
        ([b"\x8f\xff"], False),
    ],
)
def test_pictures_of_mpeg2_must_be_frames(extensions: list[bytes], known: bool) -> None:
    slices = b"".join(b"\x00\x00\x01\xb5" + extension for extension in extensions) + SLICES
    types = picture_types("mpeg2video", [packet("I", sequence=SEQUENCE, slices=slices), packet("P", slices=slices)])
    assert types == ("IP" if known else None)


def naive_type(content: bytes) -> str:
    """The type of the picture in a packet of MPEG-1, looked for piece by piece."""
    parts = content.split(b"\x00\x00\x01")[1:]
    names = [part[0] for part in parts if part]
    rows = [name for name in names if 0 < name < 0xB0]
    pictures = [part for part in parts if part[:1] == b"\x00"]
    impossible = re.search(rb"\x00\x00\x00+[\x02-\xff]", content)
    plain = len(names) == len(parts) and rows[:1] == [1] and rows == sorted(rows) and not impossible
    return "?IPB????"[pictures[0][2] >> 3 & 7] if plain and len(pictures) == 1 and len(pictures[0]) > 2 else "?"


@pytest.mark.parametrize("seed", range(20))
def test_damaged_streams_are_read_as_packet_by_packet_or_not_at_all(seed: int) -> None:
    """A few bytes are wrong, gone or too many, most of them bytes that start codes are made of."""
    random, read = np.random.default_rng(seed), 0
    for _ in range(50):
        packets = stream("IPBBPIPB")
        for _ in range(random.integers(1, 4)):
            number = random.integers(len(packets))
            place, kind = random.integers(len(packets[number]) + 1), random.integers(3)
            byte = bytes([int(random.choice([0, 0, 1, 2, 0x10, 0xB3, 0xB8, int(random.integers(256))]))])
            kept = packets[number][place + (kind > 0) :]
            packets[number] = packets[number][:place] + (byte if kind < 2 else b"") + kept
        types = picture_types("mpeg1video", packets)
        read += types is not None
        assert types in (None, "".join(map(naive_type, packets)))
    assert 0 < read < 50


@pytest.mark.parametrize(
    "packets",
    [
        [packet("I", slices=b"")],
        [packet("I")[:-6] + b"\x00\x00", b"\x01\x02\x42\x43"],
        [packet("I") + b"\x00\x00\x01"],
        [packet("I") + b"\x00\x00\x01", packet("P")],
        [b"\x00\x00\x01\x00\x00", SLICES],
        [b"\x00\x00\x01\x00\x00" + SLICES],
        [b"\x00"],
    ],
    ids=["no slices", "a code in two", "half a code", "half a code between", "cut", "too short", "one byte"],
)
def test_packets_with_half_of_something(packets: list[bytes]) -> None:
    assert picture_types("mpeg1video", packets) is None
