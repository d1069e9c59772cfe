"""A bundle for one person: what it learns, what it says of itself, and what is refused."""

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from tests.conftest import SHAPES, draw_shape
from tests.export.conftest import LABELS, SAMPLES, export_tiny, sensor_contract, windows
from tests.firmware_bridge.bundles import LABELS as BOXED
from tests.firmware_bridge.bundles import make_bundle
from tests.preprocessing.video.clips import write_video
from vskd.bundle.bundle import load_bundle, verify_bundle
from vskd.bundle.contract import ImageContract
from vskd.bundle.file_reading import FileReading
from vskd.bundle.file_samples import samples_of
from vskd.bundle.image_input import read_pictures
from vskd.bundle.personalise import BEWARE, PersonalReport, personalise, read_table
from vskd.bundle.predict import predict_file
from vskd.bundle.predict_clips import predict_clip
from vskd.bundle.predict_images import predict_images
from vskd.distillation.model import Model
from vskd.errors import BundleError, DataError
from vskd.export.ship import ExportReport
from vskd.files import WriteError, sha256_file

SAID = FileReading(rate_hz=50.0, unit="g")


def table(folder: Path, rows: list[tuple[str, str]], header: str = "file,label") -> Path:
    path = folder / "mine.csv"
    path.write_text("\n".join([header, *(",".join(row) for row in rows)]) + "\n", encoding="utf-8")
    return path


def save(path: Path, samples: np.ndarray) -> None:
    np.savetxt(path, samples, delimiter=",", header="x,y,z", comments="")


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """Eight recordings by one person, two of each class, which the tiny bundle does not know."""
    generator, rows = np.random.default_rng(0), []
    for number, window in enumerate(windows(4, seed=7) * 2):
        save(tmp_path / f"r{number}.csv", window.T + 0.01 * generator.standard_normal(window.T.shape))
        rows.append((f"r{number}.csv", LABELS[number % 4]))
    return table(tmp_path, rows)


def labels_of(path: Path) -> dict[str, str]:
    return dict(line.split(",") for line in path.read_text(encoding="utf-8").splitlines()[1:])


@pytest.mark.parametrize("model", ["int8", "float"])
def test_it_learns_what_the_person_says(sealed: ExportReport, mine: Path, out: Path, model: str):
    made = personalise(sealed.bundle.path, mine, out, strength=1e-4, reading=SAID)
    assert made.recordings == 8 and made.known == known(sealed.bundle.path, mine) <= 4
    if model == "float":  # in the place of the int8 one
        (out / "model.tflite").write_bytes((out / "model_float.tflite").read_bytes())
        reseal(out)
    assert known(out, mine) == 8


def known(bundle: Path, path: Path) -> int:
    """Of a table's recordings, by predicting each."""
    return sum(predict_file(bundle, path.parent / name, SAID).label == label for name, label in labels_of(path).items())


def reseal(bundle: Path) -> None:
    """Make the hashes fit again."""
    manifest = bundle / "manifest.json"
    opened = re.sub(
        r'("model.tflite": ")[0-9a-f]+', rf"\g<1>{sha256_file(bundle / 'model.tflite')}", manifest.read_text()
    )
    manifest.write_text(opened)
    (bundle / "manifest.sha256").write_text(f"{sha256_file(manifest)}  manifest.json\n")


def test_the_new_bundle_verifies_and_says_what_it_is(sealed: ExportReport, mine: Path, out: Path):
    made = personalise(sealed.bundle.path, mine, out, strength=0.2, reading=SAID)
    verify_bundle(out)
    personal = load_bundle(out).manifest.personalised
    assert personal == made.bundle.manifest.personalised
    counts = {label: list(labels_of(mine).values()).count(label) for label in sorted(set(labels_of(mine).values()))}
    assert (personal.base, personal.recordings, personal.strength) == (sealed.bundle.digest, counts, 0.2)
    assert "**For one person.**" in (out / "MODEL_CARD.md").read_text()
    assert "**For one person.**" not in (sealed.bundle.path / "MODEL_CARD.md").read_text()
    assert load_bundle(sealed.bundle.path).digest == sealed.bundle.digest  # it is not changed
    assert made.notes == ()


def test_what_it_learned_from_is_no_test(exported_learned: Path, mine: Path, out: Path):
    """By the hash of each file, as for all that is trained on."""
    personalise(exported_learned, mine, out, reading=SAID)
    before, after = (load_bundle(path).learned() for path in (exported_learned, out))
    own = {sha256_file(mine.parent / name)[:16] for name in labels_of(mine)}
    assert after.fingerprints() == before.fingerprints() | own
    assert after.recordings == before.recordings + 8


@pytest.fixture
def exported_learned(tiny_student: Model, tmp_path: Path) -> Path:
    from vskd.bundle.learned import learned_from

    export_tiny(tiny_student, tmp_path / "learned", learned=learned_from(["ab" * 8], 5))
    return tmp_path / "learned"


def test_those_left_out_are_of_classes_with_several(sealed: ExportReport, mine: Path, out: Path):
    told = list(labels_of(mine).items())
    made = personalise(
        sealed.bundle.path, table(mine.parent, told[:6]), out, reading=SAID
    )  # two of two classes, one of two
    twice = table(mine.parent, [told[n] for n in (0, 1, 4, 5)])
    assert (made.recordings, made.repeated) == (6, 4)
    assert made.repeated_known == known(sealed.bundle.path, twice)
    assert made.repeated_known_after == 4  # the other one of the class is nearly the same
    once = personalise(sealed.bundle.path, table(mine.parent, told[:4]), out.parent / "once", reading=SAID)
    assert (once.recordings, once.repeated, once.repeated_known_after) == (4, 0, 0)


def test_all_windows_of_a_recording_count(tiny_student: Model, tmp_path: Path, mine: Path, out: Path):
    contract = sensor_contract(window_mode="sliding", window_rate_hz=50.0, stride=16)
    export_tiny(tiny_student, tmp_path / "sliding", contract=contract)
    for number in range(8):
        whole = np.loadtxt(tmp_path / f"r{number}.csv", delimiter=",", skiprows=1)
        save(tmp_path / f"r{number}.csv", np.concatenate([whole, whole[::-1], 0.98 * whole]))
    made = personalise(tmp_path / "sliding", mine, out, strength=1e-4, reading=SAID)
    assert made.recordings == 8
    assert verify_bundle(out).golden_decisions > 0
    assert predict_file(out, tmp_path / "r0.csv", SAID).windows == (3 * SAMPLES - SAMPLES) // 16 + 1
    assert made.known == known(tmp_path / "sliding", mine) < known(out, mine)


def refused(sealed: ExportReport, path: Path, out: Path) -> str:
    with pytest.raises(DataError) as caught:
        personalise(sealed.bundle.path, path, out, reading=SAID)
    assert not out.exists()
    return str(caught.value)


def test_a_table_that_says_it_otherwise_is_refused(sealed: ExportReport, mine: Path, out: Path, tmp_path: Path):
    (first, label), *rest = labels_of(mine).items()
    assert "line 2: holds no file" in refused(sealed, table(tmp_path, [(first, label)], "recording,label"), out)
    assert "line 2: holds no label" in refused(sealed, table(tmp_path, [(first, "")]), out)
    assert "did you mean 'wave'" in refused(sealed, table(tmp_path, [(first, "Wave")]), out)
    assert "there is no file" in refused(sealed, table(tmp_path, [("gone.csv", label)]), out)
    assert "fewer than two classes" in refused(sealed, table(tmp_path, [(first, label)]), out)
    assert "fewer than two classes" in refused(sealed, table(tmp_path, []), out)
    (tmp_path / "copy.csv").write_bytes((tmp_path / first).read_bytes())
    other = next(name for name in LABELS if name != label)
    assert f"same content as {tmp_path / first}" in refused(
        sealed, table(tmp_path, [(first, label), ("copy.csv", other)]), out
    )
    assert "cannot be read" in refused(sealed, tmp_path / "nowhere.csv", out)
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00")
    assert "cannot be read" in refused(sealed, tmp_path / "binary.csv", out)
    save(tmp_path / first, np.ones((5, 3)))
    with pytest.raises((BundleError, DataError), match=first):
        personalise(sealed.bundle.path, table(tmp_path, [(first, label), *rest]), out, reading=SAID)


def test_a_bundle_of_one_person_is_no_start(sealed: ExportReport, mine: Path, out: Path, tmp_path: Path):
    made: PersonalReport = personalise(sealed.bundle.path, mine, out, reading=SAID)
    with pytest.raises(WriteError, match="is there already, and a bundle for one person replaces nothing"):
        personalise(sealed.bundle.path, mine, out, reading=SAID)
    with pytest.raises(BundleError, match="made for one person already"):
        personalise(made.bundle.path, mine, tmp_path / "again", reading=SAID)


def pictured(folder: Path, rows: dict[Path, str]) -> Path:
    return table(folder, [(str(file), label) for file, label in rows.items()])


@pytest.fixture
def faces(shapes_root: Path) -> dict[Path, str]:
    """Fifteen images by the driver whom the tiny bundle of images does not know, and their labels."""
    return {path: path.parent.name for path in sorted((shapes_root / "test").rglob("*.png"))}


@pytest.mark.parametrize("model", ["int8", "float"])
def test_a_bundle_of_images_learns_what_a_driver_says(
    finished_images, faces: dict[Path, str], out: Path, tmp_path: Path, model: str
):
    def known_images(bundle: Path) -> int:
        return sum(predict_images(bundle, path).answers[0].label == label for path, label in faces.items())

    made = personalise(finished_images.bundle, pictured(tmp_path, faces), out, strength=1e-4)
    assert (made.recordings, made.repeated) == (15, 15)
    assert made.known == known_images(finished_images.bundle) < 15
    assert made.notes == (BEWARE,)
    assert verify_bundle(out).golden_vectors == 2
    assert dict(load_bundle(out).manifest.personalised.recordings) == {"circle": 5, "cross": 5, "square": 5}
    own = {sha256_file(path)[:16] for path in faces}
    assert load_bundle(out).learned().fingerprints() >= own
    if model == "float":
        (out / "model.tflite").write_bytes((out / "model_float.tflite").read_bytes())
        reseal(out)
    assert known_images(out) == 15


def test_a_video_of_images_is_one_recording(finished_images, out: Path, tmp_path: Path):
    """Its frames are left out together."""
    generator = np.random.default_rng(3)
    for label in SHAPES:
        pictures = [draw_shape(label, 60, 48, generator) for _ in range(6)]
        write_video(tmp_path / f"{label}.mp4", pictures)
    videos = {tmp_path / f"{label}.mp4": label for label in SHAPES}
    made = personalise(
        finished_images.bundle, pictured(tmp_path, videos), out, strength=1e-4, reading=FileReading(every=2)
    )
    assert (made.recordings, made.repeated) == (3, 0)
    for path, label in videos.items():
        answer = predict_images(out, path, FileReading(every=2))
        assert {one.label for one in answer.answers} == {label} and len(answer.answers) == 3


def test_a_bundle_of_clips_learns_what_its_owner_says(clip_bundle: Path, moves_root: Path, out: Path, tmp_path: Path):
    clips = {path: path.parent.name for path in sorted((moves_root / "test").rglob("*.mp4"))}
    made = personalise(clip_bundle, pictured(tmp_path, clips), out, strength=1e-4)
    assert made.recordings == len(clips) == 3
    verify_bundle(out)
    assert all(predict_clip(out, path).answer.label == label for path, label in clips.items())


def test_each_image_has_its_own_box(tmp_path: Path, out: Path):
    """Of a model that sees what lies in one."""
    asked = ImageContract(stream="image", size=16, channels=3, crop="box", margin=0.1)
    bundle = make_bundle(tmp_path / "boxes", asked).path
    noise = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    for name in "ab":
        Image.fromarray(noise).save(tmp_path / f"{name}.png", pnginfo=named(name))
    rows = [("a.png", BOXED[0], "2", "3", "30", "31"), ("b.png", BOXED[1], "20", "5", "50.5", "38")]
    header = "file,label,x1,y1,x2,y2"
    said = read_table(table(tmp_path, rows, header), BOXED)
    assert [one.box for one in said] == [(2, 3, 30, 31), (20, 5, 50.5, 38)]
    for one in said:
        (found,), _ = samples_of(one.file, asked, FileReading(box=(1, 1, 20, 20)), one.box)  # its own goes before
        (expected,) = (shown.picture for shown in read_pictures(one.file, asked, box=one.box))
        np.testing.assert_array_equal(found, expected)
    told = refused_images(bundle, table(tmp_path, [rows[0], (*rows[1][:2], "", "", "", "")], header), out)
    assert "b.png: The model was trained on what lies in a box, and no box was given" in told
    assert "in the table: x1, y1, x2, y2" in told
    for cells in (("2", "3", "30", ""), ("2", "3", "30", "left")):
        wrong = table(tmp_path, [rows[0], ("b.png", BOXED[1], *cells)], header)
        assert "line 3: x1, y1, x2, y2 are no box" in refused_images(bundle, wrong, out)
    some = table(tmp_path, [(*row[:2], row[2]) for row in rows], "file,label,x1")
    assert "line 2: x1, y1, x2, y2 are no box" in refused_images(bundle, some, out)


def named(text: str) -> PngInfo:
    """What makes two files of the same pixels different ones."""
    info = PngInfo()
    info.add_text("name", text)
    return info


def refused_images(bundle: Path, path: Path, out: Path, **said: object) -> str:
    with pytest.raises((BundleError, DataError)) as caught:
        personalise(bundle, path, out, reading=FileReading(**said))
    assert not out.exists()
    return str(caught.value)


def test_the_clock_is_the_one_that_is_named(sealed: ExportReport, mine: Path, out: Path):
    """Of files with several, which are refused without; by the reader of `vskd predict`."""
    for name in labels_of(mine):
        samples = np.loadtxt(mine.parent / name, delimiter=",", skiprows=1)
        times = np.arange(len(samples))[:, None] / 50
        content = np.hstack([times, samples, 3 * times])
        np.savetxt(mine.parent / name, content, delimiter=",", header="t0,x,y,z,t1", comments="")
    with pytest.raises(BundleError, match="--time"):
        personalise(sealed.bundle.path, mine, out, reading=FileReading(unit="g"))
    made = personalise(sealed.bundle.path, mine, out, reading=FileReading(unit="g", time_column=0))
    assert made.recordings == 8
