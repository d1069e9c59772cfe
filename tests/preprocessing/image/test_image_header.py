"""Sizes from headers, as Pillow reads them from whole files; and boxes."""

import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vskd.errors import DataError
from vskd.preprocessing.image.image_header import ImageSize, clipped_box, is_image_name, peek_image, refuse_tiny


def noise(width: int, height: int, mode: str = "RGB") -> Image.Image:
    rng = np.random.default_rng(width * height)
    return Image.fromarray(rng.integers(0, 256, (height, width, 3), dtype=np.uint8)).convert(mode)


SAVED = [
    ("a.jpg", {}),
    ("a.jpeg", {"progressive": True, "quality": 30}),
    ("a.jpg", {"exif": b"Exif\x00\x00" + b"\xff\xc0\x00\x08" * 4000}),  # a thumbnail's markers must not count
    ("a.jpg", {"comment": b"\xff\xc0" * 500, "dpi": (72, 72)}),
    ("a.png", {}),
    ("A.PNG", {"optimize": True}),
]


@pytest.mark.parametrize(("name", "settings"), SAVED)
@pytest.mark.parametrize("size", [(320, 180), (9, 401)])
def test_size_is_pillow_s(tmp_path: Path, name: str, settings: dict[str, object], size: tuple[int, int]) -> None:
    path = tmp_path / name
    noise(*size).save(path, **settings)
    with Image.open(path) as image:
        assert tuple(peek_image(path)) == image.size == size
    assert is_image_name(path)


@pytest.mark.parametrize("mode", ["L", "CMYK", "1"])
def test_size_in_other_colours(tmp_path: Path, mode: str) -> None:
    path = tmp_path / ("a.png" if mode == "1" else "a.jpg")
    noise(40, 30, mode).save(path)
    assert tuple(peek_image(path)) == (40, 30)


def test_every_way_to_be_no_image_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    noise(64, 64).save(path)
    whole = path.read_bytes()
    bad = {
        "is empty": b"",
        "neither a JPEG nor a PNG": b"<html>not found</html>" * 9,
        "ends within its header": whole[:20],
        "without the size": whole[:2] + b"\xff\xd9" + whole[2:],
        "a JPEG marker of 1 bytes": b"\xff\xd8\xff\xe0\x00\x01",
        "does not begin with its header": b"\x89PNG\r\n\x1a\n" + b"\0" * 40,
    }
    for problem, content in bad.items():
        path.write_bytes(content)
        with pytest.raises(DataError, match=problem) as caught:
            peek_image(path)
        assert str(path) in caught.value.problem
    path.write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0")
    with pytest.raises(DataError, match="ends within its header"):
        peek_image(path)
    with pytest.raises(DataError, match="Cannot read"):
        peek_image(tmp_path / "nowhere.jpg")


def test_filling_bytes_between_markers_are_skipped(tmp_path: Path) -> None:
    frame = b"\xff\xc0" + struct.pack(">HBHHB", 8, 8, 30, 40, 1)
    path = tmp_path / "a.jpg"
    path.write_bytes(b"\xff\xd8\xff\xff\xff\xe0\x00\x04ab\xff\x01" + frame)
    assert tuple(peek_image(path)) == (40, 30)


@pytest.mark.parametrize("size", [(8, 8), (8, 300), (300, 8)])
def test_the_smallest_images(tmp_path: Path, size: tuple[int, int]) -> None:
    noise(*size).save(tmp_path / "small.png")
    assert tuple(peek_image(tmp_path / "small.png")) == size


@pytest.mark.parametrize("marker", [*range(0xC0, 0xD0)])
def test_which_markers_hold_the_size(tmp_path: Path, marker: int) -> None:
    """DHT, JPG and DAC lie among the starts of frames and hold something else; the next frame counts."""
    first, second = (struct.pack(">BBHBHHB", 0xFF, m, 8, 8, h, 40, 1) for m, h in ((marker, 30), (0xC0, 50)))
    path = tmp_path / "a.jpg"
    path.write_bytes(b"\xff\xd8" + first + b"\xff\xd0" + second)
    assert peek_image(path).height == (50 if marker in (0xC4, 0xC8, 0xCC) else 30)


@pytest.mark.parametrize("start", [b"\xff\xda", b"\xff\xd9", b"\xff\xe0\x00\x04ab\x00\xc0"])
def test_a_scan_or_an_end_before_the_size(tmp_path: Path, start: bytes) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(b"\xff\xd8" + start + struct.pack(">BBHBHHB", 0xFF, 0xC0, 8, 8, 30, 40, 1))
    with pytest.raises(DataError, match="without the size of its image"):
        peek_image(path)


@pytest.mark.parametrize(("name", "image"), [("a.JPG", True), ("a.jpeg", True), ("a.gif", False), ("jpg", False)])
def test_names_of_images(name: str, image: bool) -> None:
    assert is_image_name(Path(name)) is image


@pytest.mark.parametrize("size", [(1, 1), (7, 300), (300, 7)])
def test_tiny_images_are_refused(tmp_path: Path, size: tuple[int, int]) -> None:
    path = tmp_path / "dot.png"
    noise(*size).save(path)
    with pytest.raises(DataError, match=rf"dot\.png is {size[0]} x {size[1]} pixels; an image has at least 8 x 8"):
        peek_image(path)
    with pytest.raises(DataError, match="8 x 8"):
        refuse_tiny(path, ImageSize(*size))


def test_a_box_inside_is_left_alone() -> None:
    assert clipped_box((10, 20, 30, 40), ImageSize(320, 180), Path("x")) == (10, 20, 30, 40)


@pytest.mark.parametrize(
    ("box", "problem"),
    [
        ((10, 10, 10, 40), "the box 10, 10, 10, 40 has no area"),
        ((30, 10, 10, 40), "has no area"),
        ((float("nan"), 10, 20, 40), "has no area"),
        ((320, 10, 400, 40), "lies outside the image of 320 x 180 pixels"),
        ((10, -50, 40, 0), "lies outside"),
    ],
)
def test_impossible_boxes_are_named(tmp_path: Path, box: tuple[float, float, float, float], problem: str) -> None:
    path = tmp_path / "a.png"
    noise(320, 180).save(path)
    with pytest.raises(DataError, match=problem) as caught:
        clipped_box(box, peek_image(path), path)
    assert str(path) in caught.value.problem


def test_a_box_over_the_edge_is_cut_there(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    noise(320, 180).save(path)
    assert clipped_box((-5, 100, 50.5, 190), peek_image(path), path) == (0, 100, 50.5, 180)


@pytest.mark.parametrize(
    ("box", "part"),
    [
        ((-5.0, -7.0, 500.0, 300.0), (0, 0, 320, 180)),
        ((319.0, 10.0, 400.0, 40.0), (319, 10, 320, 40)),
        ((-9.0, 179.0, 1.0, 200.0), (0, 179, 1, 180)),
        ((320.0, 10.0, 321.0, 40.0), None),
        ((10.0, 180.0, 20.0, 181.0), None),
        ((-9.0, 10.0, 0.0, 40.0), None),
        ((10.0, -9.0, 20.0, 0.0), None),
    ],
)
def test_the_part_of_a_box_within_the_image(
    box: tuple[float, float, float, float], part: tuple[float, ...] | None
) -> None:
    """Of plain numbers; a box that only touches the border lies outside."""
    if part is None:
        with pytest.raises(DataError, match="lies outside the image"):
            clipped_box(box, ImageSize(320, 180), Path("x"))
        return
    found = clipped_box(box, ImageSize(320, 180), Path("x"))
    assert found == part and {type(value) for value in found} == {float}


@pytest.mark.parametrize(("length", "told"), [(0, "a JPEG marker of 0 bytes"), (1, "of 1 bytes"), (2, None)])
def test_a_marker_says_two_bytes_at_least(tmp_path: Path, length: int, told: str | None) -> None:
    frame = b"\xff\xc0" + struct.pack(">HBHHB", 8, 8, 30, 40, 1)
    path = tmp_path / "a.jpg"
    path.write_bytes(b"\xff\xd8\xff\xe0" + struct.pack(">H", length) + frame)
    if told is None:
        assert peek_image(path) == (40, 30)
    else:
        with pytest.raises(DataError, match=told):
            peek_image(path)


@pytest.mark.parametrize("marker", [0x01, *range(0xD0, 0xD8)])
def test_markers_without_a_length_are_stepped_over(tmp_path: Path, marker: int) -> None:
    frame = b"\xff\xc0" + struct.pack(">HBHHB", 8, 8, 30, 40, 1)
    (tmp_path / "a.jpg").write_bytes(b"\xff\xd8\xff" + bytes([marker]) + frame)
    assert peek_image(tmp_path / "a.jpg") == (40, 30)
