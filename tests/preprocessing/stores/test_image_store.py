"""The store of images: the pictures that `read_image` gives, by id; the unreadable named and left out."""

import pickle
from functools import partial
from pathlib import Path

import h5py
import numpy as np
import pytest
from PIL import ExifTags, Image

from vskd.errors import CacheError, DataError
from vskd.preprocessing.image.image_file import open_image, read_image
from vskd.preprocessing.stores import image_store
from vskd.preprocessing.stores.image_store import ImageSource, ImageStore, build_image_store

BOX = (8.0, 4.0, 40.0, 28.0)


@pytest.fixture
def sources(tmp_path: Path) -> list[ImageSource]:
    """Six small colour photographs with boxes; ids like those of image folders."""
    rng = np.random.default_rng(0)
    made = []
    for number in range(6):
        path = tmp_path / f"{number}.png"
        Image.fromarray(rng.integers(0, 256, (36, 64, 3), dtype=np.uint8)).save(path)
        made.append(ImageSource(f"train/cat/{number}.x", path, BOX))
    return made


@pytest.mark.parametrize("grey", [False, True])
@pytest.mark.parametrize("crop", ["full", "box"])
def test_the_store_holds_what_read_image_gives(
    sources: list[ImageSource], tmp_path: Path, grey: bool, crop: image_store.Crop
) -> None:
    out = tmp_path / "i.h5"
    report = build_image_store(sources, out, size=24, margin=0.1, crop=crop, grey=grey)
    assert (report.stored, report.failures, report.reused) == (6, (), False)
    store = ImageStore(out)
    assert (store.size, store.channels, store.ids) == (24, 1 if grey else 3, {s.id for s in sources})
    order = [3, 0, 3, 5]
    got = store.images([sources[n].id for n in order])
    assert (got.dtype, got.shape) == (np.uint8, (4, 24, 24, 1 if grey else 3))
    for picture, number in zip(got, order, strict=True):
        box = BOX if crop == "box" else None
        np.testing.assert_array_equal(
            picture, read_image(sources[number].path, box=box, margin=0.1, size=24, grey=grey)
        )
    assert store.images([]).shape == (0, 24, 24, 1 if grey else 3)


def test_unreadable_images_are_named_counted_and_left_out_never_replaced(
    sources: list[ImageSource], tmp_path: Path
) -> None:
    sources[1].path.write_bytes(b"")
    sources[4].path.write_bytes(sources[4].path.read_bytes()[:600])
    out = tmp_path / "i.h5"
    with pytest.raises(DataError, match=r"2 of 6 recordings are corrupt.*1\.png is empty.*4\.png is no readable"):
        build_image_store(sources, out, size=24, margin=0, crop="full", grey=True)
    assert not out.exists()
    report = build_image_store(sources, out, size=24, margin=0, crop="full", grey=True, max_bad_fraction=0.5)
    assert report.stored == 4
    assert [f.id for f in report.failures] == [sources[1].id, sources[4].id]
    store = ImageStore(out)
    assert store.ids == {s.id for s in sources} - {sources[1].id, sources[4].id}
    with pytest.raises(CacheError, match=r"has no recording train/cat/1\.x"):
        store.images([sources[0].id, sources[1].id])


def test_a_box_that_the_image_does_not_hold_is_a_failure(sources: list[ImageSource], tmp_path: Path) -> None:
    bad = [ImageSource("far", sources[0].path, (900, 900, 950, 950)), *sources[1:]]
    report = build_image_store(bad, tmp_path / "i.h5", size=24, margin=0, crop="box", grey=True, max_bad_fraction=0.5)
    assert [(f.id, "outside the image" in f.problem) for f in report.failures] == [("far", True)]
    assert build_image_store(bad, tmp_path / "f.h5", size=24, margin=0, crop="full", grey=True).stored == 6


def test_boxes_to_cut_out_must_be_there(sources: list[ImageSource], tmp_path: Path) -> None:
    sources[2] = ImageSource("no box", sources[2].path, None)
    with pytest.raises(DataError, match=r"1 of 6 images have no box to cut out, e\.g\. no box"):
        build_image_store(sources, tmp_path / "i.h5", size=24, margin=0, crop="box", grey=True)


def test_a_killed_build_goes_on_where_it_stopped(
    sources: list[ImageSource], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, decoded = tmp_path / "i.h5", []

    def opened(path: Path, *, grey: bool) -> object:
        decoded.append(path.name)
        if len(decoded) == 4:
            raise KeyboardInterrupt
        return open_image(path, grey=grey)

    monkeypatch.setattr(image_store, "open_image", opened)
    with pytest.raises(KeyboardInterrupt):
        build_image_store(sources, out, size=24, margin=0, crop="full", grey=True)
    assert not out.exists()
    assert build_image_store(sources, out, size=24, margin=0, crop="full", grey=True).stored == 6
    assert decoded == ["0.png", "1.png", "2.png", "3.png", "3.png", "4.png", "5.png"]
    assert build_image_store(sources, out, size=24, margin=0, crop="full", grey=True).reused
    assert not [p for p in tmp_path.iterdir() if p.name.startswith(".")]


def test_only_what_changed_is_decoded_again(
    sources: list[ImageSource], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "i.h5"
    build_image_store(sources, out, size=24, margin=0, crop="full", grey=True)
    Image.new("L", (64, 36), 77).save(sources[2].path)
    decoded: list[Path] = []
    monkeypatch.setattr(
        image_store, "open_image", lambda path, grey: decoded.append(path) or open_image(path, grey=grey)
    )
    assert not build_image_store(sources, out, size=24, margin=0, crop="full", grey=True).reused
    assert decoded == [sources[2].path]
    assert (ImageStore(out).images([sources[2].id]) == 77).all()


@pytest.mark.parametrize("other", [{"size": 25}, {"grey": False}, {"crop": "box"}])
def test_other_settings_are_refused(sources: list[ImageSource], tmp_path: Path, other: dict[str, object]) -> None:
    settings: dict[str, object] = {"size": 24, "margin": 0.1, "crop": "full", "grey": True}
    build_image_store(sources, tmp_path / "i.h5", **settings)  # type: ignore[arg-type]
    with pytest.raises(CacheError, match="other settings"):
        build_image_store(sources, tmp_path / "i.h5", **{**settings, **other})  # type: ignore[arg-type]
    again = build_image_store(sources, tmp_path / "i.h5", **{**settings, "margin": 0.3})  # type: ignore[arg-type]
    assert again.reused, "a margin means nothing where no box is cut out"


def test_a_margin_is_a_setting_of_boxes(sources: list[ImageSource], tmp_path: Path) -> None:
    build_image_store(sources, tmp_path / "i.h5", size=24, margin=0.1, crop="box", grey=True)
    with pytest.raises(CacheError, match="other settings"):
        build_image_store(sources, tmp_path / "i.h5", size=24, margin=0.2, crop="box", grey=True)


def test_a_store_crosses_process_borders(sources: list[ImageSource], tmp_path: Path) -> None:
    build_image_store(sources, tmp_path / "i.h5", size=24, margin=0, crop="full", grey=True)
    store = ImageStore(tmp_path / "i.h5")
    first = store.images([sources[0].id])
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(store)).images([sources[0].id]), first)  # noqa: S301


def test_damage_is_noticed(sources: list[ImageSource], tmp_path: Path) -> None:
    out = tmp_path / "i.h5"
    build_image_store(sources, out, size=24, margin=0, crop="full", grey=True)
    with h5py.File(out, "r") as file:
        name = next(iter(file["recordings"]))
        offset = file["recordings"][name].id.get_chunk_info(0).byte_offset
    content = bytearray(out.read_bytes())
    content[offset + 5] ^= 255
    out.write_bytes(bytes(content))
    with pytest.raises(CacheError, match="damaged"):
        ImageStore(out).images([s.id for s in sources])
    with h5py.File(out, "a") as file:
        del file["recordings"][name]
        file["recordings"].create_dataset(name, data=np.zeros((3, 3, 1), np.uint8))
    with pytest.raises(CacheError, match=r"is \(3, 3, 1\), not \(24, 24, 1\)"):
        ImageStore(out).images([s.id for s in sources])


@pytest.mark.parametrize("crop", ["full", "box"])
def test_an_image_saved_again_has_the_same_content(tmp_path: Path, crop: image_store.Crop) -> None:
    """A JPEG's pixels as PNG, and a photo turned by its mark beside the same one upright; whatever the box."""
    pixels = np.random.default_rng(1).integers(0, 256, (36, 64, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.jpg", quality=90)
    decoded = Image.open(tmp_path / "a.jpg")
    decoded.save(tmp_path / "b.png")
    marked = Image.Exif()
    marked[ExifTags.Base.Orientation] = 6
    decoded.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "c.png", exif=marked)
    changed = np.array(decoded)
    changed[0, 0, 0] ^= 1
    Image.fromarray(changed).save(tmp_path / "d.png")
    boxes = [BOX, (2.0, 2.0, 30.0, 30.0), (4.0, 8.0, 28.0, 40.0), BOX]
    names = ["a.jpg", "b.png", "c.png", "d.png"]
    sources = [ImageSource(name, tmp_path / name, box) for name, box in zip(names, boxes, strict=True)]
    build_image_store(sources, tmp_path / "i.h5", size=24, margin=0.1, crop=crop, grey=False)
    contents = ImageStore(tmp_path / "i.h5").contents
    assert contents["a.jpg"] == contents["b.png"] == contents["c.png"] != contents["d.png"]


@pytest.mark.parametrize("crop", ["full", "box"])
def test_another_version_of_the_rules_is_another_store_where_boxes_are_cut(
    sources: list[ImageSource], tmp_path: Path, crop: image_store.Crop
) -> None:
    """Stores of before say no version, and whole images are the same by both."""
    out = tmp_path / "i.h5"
    build = partial(build_image_store, sources, out, size=24, margin=0.1, crop=crop, grey=True)
    build()
    assert "rules" not in ImageStore(out).settings and build(rules=1).reused
    if crop == "full":
        assert build(rules=2).reused
        return
    with pytest.raises(CacheError, match="other settings"):
        build(rules=2)
    assert not build(rules=2, overwrite=True).reused
    store = ImageStore(out)
    assert store.settings == {"size": 24, "crop": "box", "margin": 0.1, "grey": True, "rules": 2}
    for one in sources[:2]:
        wanted = read_image(one.path, box=one.box, margin=0.1, size=24, grey=True, rules=2)
        np.testing.assert_array_equal(store.images([one.id])[0], wanted)


def test_of_images_without_a_box_five_are_named(sources: list[ImageSource], tmp_path: Path) -> None:
    without = [ImageSource(f"n{k}", one.path, None) for k, one in enumerate(sources)]
    with pytest.raises(DataError, match=r"6 of 6 images have no box to cut out, e\.g\. n0, n1, n2, n3, n4\. Use"):
        build_image_store(without, tmp_path / "i.h5", size=24, margin=0, crop="box", grey=True)
