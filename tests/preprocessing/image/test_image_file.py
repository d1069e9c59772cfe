"""Files of every kind become the same picture; what cannot be read is named."""

import io
import logging
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from vskd.errors import DataError
from vskd.preprocessing.image.image_file import crop_region, read_image, to_eight_bits
from vskd.preprocessing.image.image_header import ImageSize, peek_image

SIZE = ImageSize(320, 180)


def photo(width: int = 48, height: int = 32) -> np.ndarray:
    """A smooth colour picture, so that JPEG changes it little."""
    y, x = np.mgrid[0:height, 0:width]
    return np.stack(
        [x * 255 // (width - 1), y * 255 // (height - 1), (x + y) * 255 // (width + height - 2)], -1
    ).astype(np.uint8)


def saved(path: Path, image: Image.Image, **settings: object) -> Path:
    image.save(path, **settings)  # type: ignore[arg-type]
    return path


def square(size: int = 16, grey: bool = False) -> np.ndarray:
    """A square picture whose pixels are exact multiples, to be read without any interpolation."""
    image = Image.fromarray(photo(size, size))
    return np.asarray(image.convert("L"))[..., None] if grey else np.asarray(image)


def test_pixels_of_a_png_of_the_asked_size_are_untouched(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png", Image.fromarray(square()))
    for grey in (False, True):
        picture = read_image(path, size=16, grey=grey)
        assert (picture.dtype, picture.shape) == (np.uint8, (16, 16, 1 if grey else 3))
        np.testing.assert_array_equal(picture, square(grey=grey))
        picture[0] = 0  # it is the caller's own


def test_grey_becomes_three_equal_channels(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png", Image.fromarray(square(grey=True)[..., 0]))
    picture = read_image(path, size=16, grey=False)
    assert (picture == square(grey=True)).all()


def test_grey_is_the_luma_of_bt_601(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png", Image.fromarray(square()))
    luma = square().astype(float) @ [0.299, 0.587, 0.114]
    assert np.abs(read_image(path, size=16, grey=True)[..., 0] - luma).max() <= 1


@pytest.mark.parametrize("grey", [False, True])
def test_cmyk_becomes_rgb(tmp_path: Path, grey: bool) -> None:
    colour = Image.fromarray(square())
    path = saved(tmp_path / "a.jpg", colour.convert("CMYK"), quality=100, subsampling=0)
    with Image.open(path) as image:
        assert image.mode == "CMYK"
    gap = read_image(path, size=16, grey=grey).astype(int) - square(grey=grey)
    assert np.abs(gap).max() <= 6


def test_sixteen_bits_are_scaled_by_the_full_range_not_by_the_brightest_pixel(tmp_path: Path) -> None:
    levels = np.linspace(0, 30000, 256).astype(np.uint16).reshape(16, 16)
    path = saved(tmp_path / "a.png", Image.fromarray(levels))
    with Image.open(path) as image:
        assert image.mode.startswith("I")
    expected = np.floor(levels / 65535 * 255 + 0.5)
    np.testing.assert_array_equal(read_image(path, size=16, grey=True)[..., 0], expected)
    np.testing.assert_array_equal(read_image(path, size=16, grey=False)[..., 2], expected)


def sixteen_bit_png(path: Path, levels: np.ndarray) -> Path:
    """A PNG of 16 bits a channel, which Pillow cannot write in colour: uint16 (height, width, 2 to 4 channels)."""
    height, width, channels = levels.shape
    header = struct.pack(">IIBBBBB", width, height, 16, {2: 4, 3: 2, 4: 6}[channels], 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in levels)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    parts = (struct.pack(">I", len(c)) + name + c + struct.pack(">I", zlib.crc32(name + c)) for name, c in chunks)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))
    return path


def test_sixteen_bit_colour_keeps_its_upper_eight_bits(tmp_path: Path) -> None:
    levels = np.random.default_rng(0).integers(0, 65536, (16, 16, 3)).astype(np.uint16)
    path = sixteen_bit_png(tmp_path / "a.png", levels)
    assert peek_image(path) == (16, 16)
    np.testing.assert_array_equal(read_image(path, size=16, grey=False), levels >> 8)
    luma = (levels >> 8) @ [0.299, 0.587, 0.114]
    assert np.abs(read_image(path, size=16, grey=True)[..., 0] - luma).max() <= 1


@pytest.mark.parametrize("channels", [2, 4])
def test_sixteen_bits_with_alpha_lie_over_black(tmp_path: Path, channels: int) -> None:
    levels = np.random.default_rng(0).integers(0, 65536, (16, 16, channels)).astype(np.uint16)
    picture = read_image(sixteen_bit_png(tmp_path / "a.png", levels), size=16, grey=False)
    expected = levels[..., :-1] / 65535 * (levels[..., -1:] / 65535) * 255
    assert np.abs(picture - expected).max() <= 2


def test_what_is_transparent_is_black(tmp_path: Path) -> None:
    alpha = np.zeros((16, 16), np.uint8)
    alpha[:, 4:8], alpha[:, 8:] = 128, 255
    both = np.dstack([square(), alpha])
    picture = read_image(saved(tmp_path / "a.png", Image.fromarray(both)), size=16, grey=False)
    assert (picture[:, :4] == 0).all()
    np.testing.assert_array_equal(picture[:, 8:], square()[:, 8:])
    assert np.abs(picture[:, 4:8] - square()[:, 4:8] * (128 / 255)).max() <= 1
    grey_alpha = Image.fromarray(np.dstack([square(grey=True)[..., 0], alpha]))
    assert grey_alpha.mode == "LA"
    picture = read_image(saved(tmp_path / "b.png", grey_alpha), size=16, grey=True)
    assert (picture[:, :4] == 0).all() and (picture[:, 8:] == square(grey=True)[:, 8:]).all()


def test_palettes_with_and_without_transparency(tmp_path: Path) -> None:
    few = (square() // 128 * 128).astype(np.uint8)
    palette = Image.fromarray(few).quantize(8)
    assert palette.mode == "P"
    picture = read_image(saved(tmp_path / "a.png", palette), size=16, grey=False)
    np.testing.assert_array_equal(picture, np.asarray(palette.convert("RGB")))
    clear = int(np.asarray(palette)[0, 0])
    picture = read_image(saved(tmp_path / "b.png", palette, transparency=clear), size=16, grey=False)
    hidden = np.asarray(palette) == clear
    assert (picture[hidden] == 0).all()
    np.testing.assert_array_equal(picture[~hidden], np.asarray(palette.convert("RGB"))[~hidden])


def test_one_bit_images(tmp_path: Path) -> None:
    bits = Image.fromarray(square(grey=True)[..., 0] > 127)
    picture = read_image(saved(tmp_path / "a.png", bits), size=16, grey=True)
    assert set(np.unique(picture)) == {0, 255}


@pytest.mark.parametrize("mark", range(1, 9))
def test_the_camera_s_rotation_mark_turns_the_picture_upright(tmp_path: Path, mark: int) -> None:
    """Each mark, against the definition of EXIF 2.32: which way row 0 and column 0 of the file point."""
    upright = square()
    stored = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.transpose(1, 0, 2),
        6: np.rot90(upright),
        7: np.rot90(upright.transpose(1, 0, 2), 2),
        8: np.rot90(upright, -1),
    }[mark]
    exif = Image.Exif()
    exif[0x0112] = mark
    path = saved(tmp_path / "a.png", Image.fromarray(np.ascontiguousarray(stored)), exif=exif)
    np.testing.assert_array_equal(read_image(path, size=16, grey=False), upright)
    with Image.open(path) as image:
        np.testing.assert_array_equal(np.asarray(ImageOps.exif_transpose(image)), upright)


def test_a_box_counts_pixels_of_the_stored_file(tmp_path: Path) -> None:
    stored = np.zeros((32, 48, 3), np.uint8)
    stored[4:12, 30:38] = 255
    exif = Image.Exif()
    exif[0x0112] = 6
    path = saved(tmp_path / "a.png", Image.fromarray(stored), exif=exif)
    assert (read_image(path, box=(30, 4, 38, 12), size=8, grey=True) == 255).all()


def test_the_whole_image_is_squeezed_into_the_square(tmp_path: Path) -> None:
    halves = np.zeros((20, 64), np.uint8)
    halves[:, 32:] = 255
    picture = read_image(saved(tmp_path / "a.png", Image.fromarray(halves)), size=32, grey=True)[..., 0]
    assert (picture[:, :14] == 0).all() and (picture[:, 18:] == 255).all()


def test_downsizing_averages_what_it_leaves_out(tmp_path: Path) -> None:
    stripes = np.tile(np.array([0, 255], np.uint8), (64, 32))
    picture = read_image(saved(tmp_path / "a.png", Image.fromarray(stripes)), size=8, grey=True)
    assert abs(picture.astype(float).mean() - 127.5) < 2 and picture.std() < 40


def test_a_box_is_cut_out(tmp_path: Path) -> None:
    image = np.zeros((90, 160), np.uint8)
    image[20:60, 100:140] = 200
    path = saved(tmp_path / "a.png", Image.fromarray(image))
    assert (read_image(path, box=(100, 20, 140, 60), size=40, grey=True) == 200).all()
    wide = read_image(path, box=(100, 20, 140, 60), margin=0.25, size=60, grey=True)[..., 0]
    expected = np.zeros((60, 60))
    expected[10:50, 10:50] = 200
    np.testing.assert_array_equal(wide, expected)


@pytest.mark.parametrize(
    ("box", "margin", "region"),
    [
        ((100, 50, 140, 90), 0.0, (100, 50, 140, 90)),
        ((100, 50, 140, 70), 0.0, (100, 40, 140, 80)),  # a square of the longer side, on the same centre
        ((100, 50, 140, 90), 0.5, (80, 30, 160, 110)),
        ((0, 0, 40, 40), 0.5, (0, 0, 80, 80)),  # moved into the image
        ((300, 150, 320, 180), 0.5, (260, 120, 320, 180)),
        ((100, 0, 180, 180), 0.5, (0, 0, 320, 180)),  # larger than the image: cut, to be squeezed
        ((300, 10, 400, 30), 0.0, (300, 10, 320, 30)),  # only the part inside counts
        ((150, 90, 151, 91), 0.0, (150, 90, 151, 91)),
    ],
)
def test_crop_regions(
    box: tuple[float, float, float, float], margin: float, region: tuple[float, float, float, float]
) -> None:
    assert crop_region(box, SIZE, margin, Path("x")) == pytest.approx(region)


def test_boxes_outside_and_without_area_name_the_file(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png", Image.fromarray(photo()))
    for box, problem in (((500, 0, 600, 20), "outside the image of 48 x 32"), ((5, 5, 5, 9), "no area")):
        with pytest.raises(DataError, match=problem) as caught:
            read_image(path, box=box, size=16, grey=True)
        assert str(path) in str(caught.value)


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def torn(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[2:40] = bytes(38)
    path.write_bytes(bytes(content))


@pytest.mark.parametrize("suffix", ["jpg", "png"])
@pytest.mark.parametrize("spoil", [truncated, torn])
def test_damaged_files_are_refused_by_name(tmp_path: Path, suffix: str, spoil) -> None:  # type: ignore[no-untyped-def]
    path = saved(tmp_path / f"a.{suffix}", Image.fromarray(photo(256, 200)))
    spoil(path)
    with pytest.raises(DataError, match="no readable JPEG or PNG image") as caught:
        read_image(path, size=16, grey=False)
    assert str(caught.value).count(str(path)) == 1
    assert "Copy or download the file again" in caught.value.action


def test_files_that_are_no_images(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(b"")
    with pytest.raises(DataError, match="is empty"):
        read_image(path, size=16, grey=False)
    path.write_text("hello")
    with pytest.raises(DataError, match="no readable JPEG or PNG"):
        read_image(path, size=16, grey=False)
    Image.fromarray(photo()).save(path, format="GIF")
    with pytest.raises(DataError, match="no readable JPEG or PNG"):
        read_image(path, size=16, grey=False)
    with pytest.raises(DataError, match="There is no image"):
        read_image(tmp_path / "nowhere.png", size=16, grey=False)
    with pytest.raises(DataError, match="no readable JPEG or PNG"):
        read_image(tmp_path, size=16, grey=False)
    Image.new("L", (1, 1)).save(path, format="PNG")
    with pytest.raises(DataError, match="is 1 x 1 pixels"):
        read_image(path, size=16, grey=False)


def test_an_image_that_claims_to_fill_the_memory_is_refused(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    Image.new("L", (16, 16)).save(buffer, format="PNG")
    content = bytearray(buffer.getvalue())
    content[16:24] = (60000).to_bytes(4, "big") * 2
    path = tmp_path / "bomb.png"
    path.write_bytes(bytes(content))
    with pytest.raises(DataError, match="no readable"):
        read_image(path, size=16, grey=False)


def test_reading_says_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = saved(tmp_path / "a.jpg", Image.fromarray(photo()))
    with caplog.at_level(logging.INFO):
        read_image(path, size=16, grey=False)
    assert not caplog.records


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow's remarks on damaged EXIF
@pytest.mark.parametrize(("format", "mode"), [("JPEG", "RGB"), ("JPEG", "CMYK"), ("PNG", "RGBA"), ("PNG", "P")])
def test_whatever_the_bytes_say_the_answer_is_a_picture_or_a_data_error(tmp_path: Path, format: str, mode: str) -> None:
    """Files with a few bytes changed, and files cut off, by a seeded generator."""
    rng, buffer, exif = np.random.default_rng(0), io.BytesIO(), Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(photo(60, 40)).convert(mode).save(buffer, format=format, exif=exif)
    whole, path, refused = buffer.getvalue(), tmp_path / "a", 0
    for number in range(150):
        content = bytearray(whole)
        for place in rng.integers(0, min(len(whole), 500), 4):
            content[place] = rng.integers(0, 256)
        path.write_bytes(bytes(content[: rng.integers(0, len(whole))] if number % 5 == 0 else content))
        for read in (peek_image, lambda p: read_image(p, box=(1, 1, 20, 20), size=16, grey=False).shape):
            try:
                assert len(read(path)) in (2, 3)
            except DataError as error:
                refused += 1
                assert str(path) in error.problem
    assert 0 < refused < 300


BOX = (20.0, 10.0, 60.0, 50.0)


def framed(path: Path, box: tuple[float, ...] = BOX, around: int = 255) -> Path:
    """Mid-grey within a box, something else around it."""
    pixels = np.full((80, 100), around, np.uint8)
    left, top, right, bottom = map(int, box)
    pixels[top:bottom, left:right] = 100
    return saved(path, Image.fromarray(pixels))


@pytest.mark.parametrize("size", [16, 40, 64])
@pytest.mark.parametrize("box", [BOX, (0.0, 0.0, 40.0, 40.0), (60.0, 40.0, 100.0, 80.0)])
def test_nothing_outside_the_box_is_read_by_version_two(tmp_path: Path, box: tuple[float, ...], size: int) -> None:
    """Whatever lies around it, and where it touches the border of the image."""
    path = framed(tmp_path / "a.png", box)
    inside = read_image(path, box=box, size=size, grey=True, rules=2)  # type: ignore[arg-type]
    assert (inside == 100).all()
    beyond = read_image(path, box=box, size=size, grey=True)  # type: ignore[arg-type]
    # at 40 pixels each pixel of the result is one of the image; at others the filter of version 1 reaches over the edge
    assert (beyond == 100).all() == (size == 40)
    assert (beyond[1:-1, 1:-1] == 100).all(), "by less than a pixel of the result"


def naive_scaled(pixels: np.ndarray, box: tuple[float, float, float, float], size: int) -> np.ndarray:
    """Triangle filter in loops, over the pixels that the box touches: one axis, then the other."""

    def along(values: np.ndarray, start: float, stop: float) -> np.ndarray:
        scale = (stop - start) / size
        support = max(scale, 1.0)
        first, last = int(np.floor(start)), int(np.ceil(stop))
        rows = []
        for k in range(size):
            centre = start + (k + 0.5) * scale
            weights = {n: max(0.0, 1 - abs(n + 0.5 - centre) / support) for n in range(first, last)}
            rows.append(sum(w * values[n] for n, w in weights.items()) / sum(weights.values()))
        return np.array(rows)

    left, top, right, bottom = box
    across = along(pixels.astype(float).T, left, right)
    return along(across.T, top, bottom)


@pytest.mark.parametrize("size", [8, 16, 48])
@pytest.mark.parametrize("box", [(20.25, 10.5, 51.75, 42.0), (0.0, 0.0, 33.3, 33.3), (67.0, 47.0, 100.0, 80.0)])
def test_version_two_is_the_filter_over_the_box_alone(
    tmp_path: Path, box: tuple[float, float, float, float], size: int
) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (80, 100), dtype=np.uint8)
    path = saved(tmp_path / "a.png", Image.fromarray(pixels))
    region = crop_region(box, ImageSize(100, 80), 0.0, path)
    picture = read_image(path, box=box, size=size, grey=True, rules=2)[..., 0]
    assert np.abs(picture - naive_scaled(pixels, region, size)).max() <= 1.01  # Pillow rounds between the axes


@pytest.mark.parametrize("rules", [1, 2])
def test_whole_images_are_the_same_by_both_versions(tmp_path: Path, rules: int) -> None:
    path = saved(tmp_path / "a.png", Image.fromarray(photo()))
    expected = np.asarray(Image.fromarray(photo()).resize((20, 20), Image.Resampling.BILINEAR))
    np.testing.assert_array_equal(read_image(path, size=20, grey=False, rules=rules), expected)  # type: ignore[arg-type]
    whole = read_image(path, box=(0, 0, 48, 48), size=20, grey=False, rules=rules)  # type: ignore[arg-type]
    np.testing.assert_array_equal(whole, read_image(path, box=(0, 0, 48, 32), size=20, grey=False))


def test_published_inputs_are_those_of_version_one(tmp_path: Path) -> None:
    """Pillow's own box, as every published figure was made with."""
    path = saved(tmp_path / "a.png", Image.fromarray(photo()))
    expected = Image.fromarray(photo()).resize((16, 16), Image.Resampling.BILINEAR, box=(5, 4, 25, 24))
    for rules in ({}, {"rules": 1}):
        picture = read_image(path, box=(5, 4, 25, 24), size=16, grey=False, **rules)  # type: ignore[arg-type]
        np.testing.assert_array_equal(picture, np.asarray(expected))


def test_the_real_images_that_the_versions_read_differently(shared_data: Path) -> None:
    root = shared_data / "driver-inattention"
    if not (root / "train").is_dir():
        pytest.skip("needs driver-inattention")
    from vskd.datasets.images.driver_inattention import index

    images = [r.streams["image"] for r in index(root)][::50]
    pairs = [
        [read_image(i.path, box=i.box, margin=0.1, size=64, grey=True, rules=n).astype(int) for n in (1, 2)]  # type: ignore[arg-type]
        for i in images
    ]
    differing = [np.abs(one - two) for one, two in pairs if (one != two).any()]
    assert 0.7 < len(differing) / len(pairs) < 0.85
    assert max(gap.max() for gap in differing) <= 25
    assert np.mean([(one != two).mean() for one, two in pairs]) < 0.02, "along the edges of the box only"


def test_pipes_are_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.png")
    for read in (peek_image, lambda path: read_image(path, size=16, grey=True)):
        with pytest.raises(DataError, match=r"a\.png is no .*regular file"):
            read(tmp_path / "a.png")


def test_regions_are_of_plain_numbers() -> None:
    region = crop_region((100.0, 0.0, 180.0, 180.0), SIZE, 0.5, Path("x"))
    assert region == (0, 0, 320, 180) and {type(value) for value in region} == {float}


@pytest.mark.parametrize(("mode", "opaque"), [("RGBA", "RGB"), ("LA", "L"), ("PA", "P"), ("RGBa", "RGB")])
@pytest.mark.parametrize("grey", [False, True])
def test_an_image_in_memory_lies_over_black_too(mode: str, opaque: str, grey: bool) -> None:
    image = Image.new("RGBA", (8, 8), (204, 204, 204, 128))
    found = to_eight_bits(image.convert(mode), grey=grey)
    assert found.mode == ("L" if grey else "RGB")
    assert np.abs(np.asarray(found).astype(int) - 102).max() <= 1
    alone = Image.new("RGB", (8, 8), (204, 204, 204)).convert(opaque)
    assert np.unique(np.asarray(to_eight_bits(alone, grey=grey))).tolist() == [204]
