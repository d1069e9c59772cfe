import dataclasses
import io
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from vskd.datasets.importing import preview
from vskd.datasets.importing.preview import SHOWN, draw_preview
from vskd.datasets.recording import Index, Recording, Stream
from vskd.files import WriteError


def index(root: Path, classes: int, each: int = 2, broken: bool = False) -> Index:
    recordings = []
    for label in range(classes):
        for number in range(each):
            path = root / f"{label}-{number}.npy"
            np.save(path, np.random.default_rng(label).normal(size=(40, 3)))
            if broken:
                path.write_bytes(b"")
            stream = Stream("accelerometer", "sensor", path, 50.0, "g", ("x", "y", "z"), columns=(0, 1, 2))
            recordings.append(Recording(path.stem, "1", str(number), label, "1", {"accelerometer": stream}))
    return Index("own", root, tuple(f"class {n}" for n in range(classes)), tuple(recordings))


def drawn(found: Index, path: Path) -> np.ndarray:
    draw_preview(found, "accelerometer", path)
    with Image.open(io.BytesIO(path.read_bytes())) as image:
        assert image.format == "PNG"
        return np.asarray(image.convert("RGB"))


@pytest.mark.parametrize(("classes", "rows"), [(2, 2), (8, 6)])
def test_one_recording_of_each_of_the_first_classes(tmp_path: Path, classes: int, rows: int) -> None:
    assert drawn(index(tmp_path, classes), tmp_path / "p.png").shape == (round(170 * rows), 900, 3)


def test_equal_recordings_make_equal_bytes(tmp_path: Path) -> None:
    found = index(tmp_path, 2)
    drawn(found, tmp_path / "one.png")
    drawn(found, tmp_path / "two.png")
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()
    assert b"Software" not in (tmp_path / "one.png").read_bytes(), "other versions make equal bytes, too"


def test_what_is_wrong_with_a_recording_stands_in_place_of_its_curves(tmp_path: Path) -> None:
    sound = drawn(index(tmp_path, 2), tmp_path / "sound.png")
    broken = drawn(index(tmp_path, 2, broken=True), tmp_path / "broken.png")

    def coloured(image: np.ndarray) -> int:
        return int((np.ptp(image.astype(int), axis=2) > 50).sum())

    assert coloured(sound) > 1000
    assert coloured(broken) == 0  # black letters on white


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "taken").write_bytes(b"")
    with pytest.raises(WriteError, match="taken"):
        draw_preview(index(tmp_path, 2), "accelerometer", tmp_path / "taken" / "p.png")


def test_classes_stand_in_their_own_order(tmp_path: Path) -> None:
    found = index(tmp_path, SHOWN + 2, each=1)
    backwards = dataclasses.replace(found, recordings=found.recordings[::-1])
    np.testing.assert_array_equal(drawn(found, tmp_path / "one.png"), drawn(backwards, tmp_path / "two.png"))


def test_times_begin_with_the_recording_and_samples_are_drawn_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    figures: list[Figure] = []

    class Kept(Figure):
        def __init__(self, *words: object, **more: object) -> None:
            super().__init__(*words, **more)  # type: ignore[arg-type]
            figures.append(self)

    monkeypatch.setattr(preview, "Figure", Kept)
    found = index(tmp_path, 2, each=1)
    drawn(found, tmp_path / "p.png")
    for axes, recording in zip(figures[0].axes, found, strict=True):
        samples = np.load(recording.stream("accelerometer").path)
        assert axes.get_ylabel() == "g" and recording.id in axes.get_title(loc="left")
        for line, name, column in zip(axes.lines, "xyz", samples.T, strict=True):
            assert line.get_label() == name
            np.testing.assert_allclose(line.get_xdata(), np.arange(40) / 50)  # type: ignore[arg-type]
            np.testing.assert_allclose(line.get_ydata(), column, rtol=1e-6)  # type: ignore[arg-type]
    assert figures[0].get_supxlabel() == "seconds"


def test_one_class_and_none_are_a_picture_too(tmp_path: Path) -> None:
    one = index(tmp_path, 1)
    assert (
        drawn(one, tmp_path / "one.png").shape
        == drawn(dataclasses.replace(one, recordings=()), tmp_path / "p.png").shape
    )


@pytest.mark.parametrize("name", [r"$\notacommand$", "_hidden", "L" * 400])
def test_odd_names_leave_the_curves_as_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    figures: list[Figure] = []
    save = Figure.savefig
    monkeypatch.setattr(Figure, "savefig", lambda self, *a, **k: (figures.append(self), save(self, *a, **k)))
    found = dataclasses.replace(index(tmp_path, 1), labels=(name,))
    stream = dataclasses.replace(found.recordings[0].streams["accelerometer"], axes=("_x", "$y$", "z"), unit="$u$")
    recordings = (dataclasses.replace(found.recordings[0], streams={"accelerometer": stream}),)
    drawn(dataclasses.replace(found, recordings=recordings), tmp_path / "p.png")
    (ax,) = figures[0].axes
    assert ax.get_title(loc="left").replace("\n", "").startswith(name)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["_x", "$y$", "z"]
    assert ax.get_window_extent().width > 0.8 * figures[0].bbox.width
