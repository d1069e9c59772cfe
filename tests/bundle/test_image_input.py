"""Pictures for a bundle of images: from files, folders and videos, and what is refused."""

import os
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from tests.preprocessing.video.clips import marked, write_clip
from vskd.bundle.contract import ImageContract
from vskd.bundle.image_input import VIDEO_SUFFIXES, is_of_images, is_video_name, picture_of, read_pictures, region_of
from vskd.errors import BundleError, DataError
from vskd.preprocessing.image.image_file import read_image


def contract(**changes: object) -> ImageContract:
    content: dict[str, object] = {"stream": "image", "size": 16, "channels": 3, "crop": "full", "min_side": 12}
    return ImageContract(**(content | changes))


def noise(height: int = 30, width: int = 40, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "driver.png"
    Image.fromarray(noise()).save(path)
    return path


@pytest.fixture
def video(tmp_path: Path) -> Path:
    """Seven frames whose brightness rises."""
    path = tmp_path / "drive.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for k in range(7):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 20 + 30 * k, np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def only(path: Path, asked: ImageContract, **options):
    (shown,) = read_pictures(path, asked, **({"box": None} | options))
    return shown.picture


@pytest.mark.parametrize("channels", [1, 3])
def test_an_image_is_read_as_in_training(picture: Path, channels: int) -> None:
    found = only(picture, contract(channels=channels))
    expected = read_image(picture, size=16, grey=channels == 1).transpose(2, 0, 1)
    np.testing.assert_array_equal(found, expected)


def test_a_box_is_cut_out_as_in_training(picture: Path) -> None:
    asked = contract(crop="box", margin=0.25, box_of="face")
    found = only(picture, asked, box=(5.0, 4.0, 25.0, 24.0))
    expected = read_image(picture, box=(5, 4, 25, 24), margin=0.25, size=16, grey=False)
    np.testing.assert_array_equal(found, expected.transpose(2, 0, 1))
    np.testing.assert_array_equal(only(picture, asked, box="whole"), only(picture, contract()))


@pytest.mark.parametrize(
    ("changes", "box", "match"),
    [
        ({"crop": "box", "box_of": "face"}, None, r"a box \(face\), and no box was given.*--box X1,Y1,X2,Y2"),
        ({}, (1.0, 1.0, 30.0, 30.0), "takes whole images, and a box was given"),
        ({"crop": "box"}, (5.0, 5.0, 12.0, 29.0), "the box has 7 x 24 pixels; the model asks for at least 12"),
        ({"min_side": 31}, None, "the image has 40 x 30 pixels; the model asks for at least 31"),
    ],
)
def test_what_does_not_fit_is_refused(picture: Path, changes: dict[str, object], box, match: str) -> None:
    with pytest.raises(BundleError, match=match):
        only(picture, contract(**changes), box=box)


def test_a_box_outside_the_image_is_refused(picture: Path) -> None:
    with pytest.raises(DataError, match=r"driver\.png"):
        only(picture, contract(crop="box"), box=(100.0, 100.0, 140.0, 140.0))


def test_a_folder_gives_its_images_by_name_and_names_the_bad_ones(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    Image.fromarray(noise(seed=1)).save(tmp_path / "b" / "2.jpg")
    Image.fromarray(noise(seed=2)).save(tmp_path / "a.png")
    (tmp_path / "broken.png").write_bytes((tmp_path / "a.png").read_bytes()[:60])
    (tmp_path / "notes.txt").write_text("no image")
    Image.fromarray(noise(9, 9)).save(tmp_path / "tiny.png")
    shown = list(read_pictures(tmp_path, contract(), box=None))
    assert [Path(s.source).name for s in shown] == ["a.png", "2.jpg", "broken.png", "notes.txt", "tiny.png"]
    assert [s.picture is None for s in shown] == [False, False, True, True, True]
    assert "broken.png" in shown[2].problem and "at least 12" in shown[4].problem
    assert shown[3].problem == "its name is not that of a JPEG or PNG image"


def test_a_folder_as_file_servers_and_links_leave_it(tmp_path: Path) -> None:
    """Thumbnails of a NAS are passed over, linked folders are read, names that are no UTF-8 can be printed."""
    folder, other = tmp_path / "images", tmp_path / "other"
    for name in ("a.png", "@eaDir/a.png/SYNOPHOTO_THUMB_M.png", "__MACOSX/a.png", ".thumbnails/a.png", "._b.png"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(noise()).save(folder / name)
    other.mkdir()
    Image.fromarray(noise(seed=1)).save(other / "linked.png")
    (folder / "more").symlink_to(other)
    (other / "back").symlink_to(folder)
    (folder / os.fsdecode(b"caf\xe9.png")).write_bytes((folder / "a.png").read_bytes())
    os.mkfifo(folder / "pipe.png")
    (folder / "gone.png").symlink_to("nowhere.png")
    shown = {Path(s.source).name: s for s in read_pictures(folder, contract(), box=None)}
    assert sorted(shown) == ["a.png", r"caf\xe9.png", "gone.png", "linked.png", "pipe.png"]
    assert [name for name, s in shown.items() if s.picture is None] == ["gone.png", "pipe.png"]
    assert "no regular file" in shown["pipe.png"].problem and "Cannot read" in shown["gone.png"].problem


@pytest.mark.parametrize("turned", [(1, 0, 0, 1), (0, 1, -1, 0), (-1, 0, 0, -1), (0, -1, 1, 0)])
def test_a_box_counts_the_pixels_of_a_video_as_they_are_stored(tmp_path: Path, turned: tuple[int, ...]) -> None:
    """The white corner is cut out wherever the camera's mark sends it, and a marked clip is shown upright."""
    path = marked(write_clip(tmp_path / "plain.mp4", 2), tmp_path / "turned.mp4", turned)  # type: ignore[arg-type]
    corner = next(read_pictures(path, contract(crop="box"), box=(0.0, 0.0, 12.0, 12.0))).picture
    assert corner is not None and corner.mean() > 240
    whole = next(read_pictures(path, contract(), box=None)).picture
    assert whole is not None
    down, across = (row := whole[0].astype(int)).max(axis=1).argmax(), row.max(axis=0).argmax()
    expected = {(1, 0, 0, 1): (0, 0), (0, 1, -1, 0): (0, 1), (-1, 0, 0, -1): (1, 1), (0, -1, 1, 0): (1, 0)}[turned]
    assert (down >= 8, across >= 8) == tuple(map(bool, expected))


def test_a_folder_without_images_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no image"):
        list(read_pictures(tmp_path, contract(), box=None))


@pytest.mark.parametrize(("every", "frames"), [(1, [0, 1, 2, 3, 4, 5, 6]), (3, [0, 3, 6]), (10, [0])])
def test_frames_of_a_video_in_order(video: Path, every: int, frames: list[int]) -> None:
    shown = list(read_pictures(video, contract(), box=None, every=every))
    assert [s.source for s in shown] == [f"frame {k}" for k in frames]
    means = [s.picture.mean() for s in shown]
    assert means == pytest.approx([20 + 30 * k for k in frames], abs=8)
    assert all(s.picture.shape == (3, 16, 16) for s in shown)
    grey = next(read_pictures(video, contract(channels=1), box=None))
    assert grey.picture.shape == (1, 16, 16)


def test_a_box_of_a_video_is_cut_out_of_every_frame(video: Path) -> None:
    shown = list(read_pictures(video, contract(crop="box"), box=(0.0, 0.0, 24.0, 24.0)))
    assert len(shown) == 7
    with pytest.raises(BundleError, match="the box has 8 x 24 pixels"):
        list(read_pictures(video, contract(crop="box"), box=(56.0, 0.0, 80.0, 24.0)))


def test_every_below_one_and_damaged_videos_are_refused(video: Path) -> None:
    with pytest.raises(DataError, match="--every 0"):
        list(read_pictures(video, contract(), box=None, every=0))
    video.write_bytes(video.read_bytes()[:100])
    with pytest.raises(DataError, match=r"drive\.mp4"):
        list(read_pictures(video, contract(), box=None))


def test_the_name_tells_images_from_recordings(tmp_path: Path) -> None:
    images = ["a.jpg", "b.PNG", "c.mp4", "folder", "."]
    assert all(is_of_images(tmp_path / name) for name in images)
    assert not any(is_of_images(tmp_path / name) for name in ("a.csv", "b.mat", "c.npy"))


@pytest.mark.parametrize("version", [1, 2])
def test_a_box_is_read_by_the_rules_of_the_contract(picture: Path, version: int) -> None:
    """From a file and from decoded pixels alike; nothing but the version tells the two bundles apart."""
    box = (5.3, 4.0, 25.0, 24.0)
    asked = contract(crop="box", margin=0.1, version=version)
    expected = read_image(picture, box=box, margin=0.1, size=16, grey=False, rules=version)  # type: ignore[arg-type]
    (shown,) = read_pictures(picture, asked, box=box)
    np.testing.assert_array_equal(shown.picture, expected.transpose(2, 0, 1))
    pixels = np.asarray(Image.open(picture).convert("RGB"))
    np.testing.assert_array_equal(picture_of(pixels, asked, box, picture), expected.transpose(2, 0, 1))
    other = read_image(picture, box=box, margin=0.1, size=16, grey=False, rules=3 - version)  # type: ignore[arg-type]
    assert (expected != other).any()


def test_endings_of_videos() -> None:
    endings = (".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg", ".wmv")
    assert endings == VIDEO_SUFFIXES
    for ending in endings:
        assert is_video_name(Path(f"a{ending}")) and is_video_name(Path(f"a{ending.upper()}"))
    assert not is_video_name(Path("a.png")) and not is_video_name(Path("mp4"))


def test_a_folder_with_an_ending_is_a_folder(tmp_path: Path) -> None:
    (tmp_path / "day.csv").mkdir()
    (tmp_path / "film.mp4").mkdir()
    assert is_of_images(tmp_path / "day.csv")
    Image.fromarray(noise()).save(tmp_path / "film.mp4" / "a.png")
    (shown,) = read_pictures(tmp_path / "film.mp4", contract(), box=None)
    assert shown.source.endswith("a.png") and shown.picture is not None and shown.problem == ""


@pytest.mark.parametrize(("side", "fits"), [(30, True), (31, False)])
def test_the_shorter_side_may_be_just_as_long(tmp_path: Path, side: int, fits: bool) -> None:
    for height, width in ((30, 40), (40, 30)):
        Image.fromarray(noise(height, width)).save(tmp_path / "a.png")
        if fits:
            assert only(tmp_path / "a.png", contract(min_side=side)).shape == (3, 16, 16)
        else:
            with pytest.raises(BundleError, match=f"has {width} x {height} pixels"):
                only(tmp_path / "a.png", contract(min_side=side))


def test_what_is_cut_out() -> None:
    box = (1.0, 2.0, 30.0, 40.0)
    assert region_of(contract(), None) is region_of(contract(), "whole") is None
    asked = contract(crop="box")
    assert region_of(asked, box) == box and region_of(asked, "whole") is None
    with pytest.raises(BundleError, match=r"what lies in a box, and no box was given"):
        region_of(asked, None)


def test_a_small_first_frame_is_refused_and_a_box_counts_stored_pixels(video: Path) -> None:
    with pytest.raises(BundleError, match=r"drive\.mp4: the image has 64 x 48 pixels; the model asks for at least 49"):
        list(read_pictures(video, contract(min_side=49), box=None))
    assert len(list(read_pictures(video, contract(min_side=48), box=None))) == 7
    with pytest.raises(DataError, match="--every -1"):
        list(read_pictures(video, contract(), box=None, every=-1))


@pytest.mark.parametrize("channels", [1, 3])
def test_pixels_that_fit_are_only_turned(channels: int) -> None:
    """Channels first, without Pillow; of another number of channels or another size they are converted."""
    pixels = noise(16, 16) if channels == 3 else noise(16, 16)[..., 0]
    found = picture_of(pixels, contract(channels=channels), None, Path("a"))
    expected = pixels.transpose(2, 0, 1) if channels == 3 else pixels[None]
    np.testing.assert_array_equal(found, expected)
    assert found.flags.c_contiguous
    other = picture_of(pixels, contract(channels=4 - channels), None, Path("a"))
    assert other.shape == (4 - channels, 16, 16)
    assert picture_of(noise(16, 17), contract(), None, Path("a")).shape == (3, 16, 16)
    assert picture_of(noise(17, 16), contract(), None, Path("a")).shape == (3, 16, 16)


@pytest.mark.parametrize(
    ("box", "told"),
    [
        ((5.0, 4.0, 16.6, 29.0), ""),
        ((5.0, 4.0, 16.4, 29.0), "the box has 11 x 25 pixels"),
        ((5.0, 4.0, 29.0, 15.6), ""),
        ((5.0, 4.0, 29.0, 15.4), "the box has 24 x 11 pixels"),
    ],
)
def test_sides_of_a_box_are_counted_in_whole_pixels(picture: Path, box, told: str) -> None:
    if told:
        with pytest.raises(BundleError, match=told):
            only(picture, contract(crop="box"), box=box)
    else:
        assert only(picture, contract(crop="box"), box=box).shape == (3, 16, 16)
