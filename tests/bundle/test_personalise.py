"""A bundle for one person: what it learns, what it says of itself, and what is refused."""

import re
from pathlib import Path

import numpy as np
import pytest

from tests.export.conftest import LABELS, SAMPLES, export_tiny, sensor_contract, windows
from vskd.bundle.bundle import load_bundle, verify_bundle
from vskd.bundle.personalise import PersonalReport, personalise
from vskd.bundle.predict import predict_file
from vskd.distillation.model import Model
from vskd.errors import BundleError, DataError
from vskd.export.ship import ExportReport
from vskd.files import sha256_file

RATE = {"rate_hz": 50.0, "unit": "g"}


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
    made = personalise(sealed.bundle.path, mine, out, strength=1e-4, **RATE)
    assert made.recordings == 8 and made.known == known(sealed.bundle.path, mine) <= 4
    if model == "float":  # in the place of the int8 one
        (out / "model.tflite").write_bytes((out / "model_float.tflite").read_bytes())
        reseal(out)
    assert known(out, mine) == 8


def known(bundle: Path, path: Path) -> int:
    """Of a table's recordings, by predicting each."""
    return sum(
        predict_file(bundle, path.parent / name, **RATE).label == label for name, label in labels_of(path).items()
    )


def reseal(bundle: Path) -> None:
    """Make the hashes fit again."""
    manifest = bundle / "manifest.json"
    opened = re.sub(
        r'("model.tflite": ")[0-9a-f]+', rf"\g<1>{sha256_file(bundle / 'model.tflite')}", manifest.read_text()
    )
    manifest.write_text(opened)
    (bundle / "manifest.sha256").write_text(f"{sha256_file(manifest)}  manifest.json\n")


def test_the_new_bundle_verifies_and_says_what_it_is(sealed: ExportReport, mine: Path, out: Path):
    made = personalise(sealed.bundle.path, mine, out, strength=0.2, **RATE)
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
    personalise(exported_learned, mine, out, **RATE)
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
    made = personalise(sealed.bundle.path, table(mine.parent, told[:6]), out, **RATE)  # two of two classes, one of two
    twice = table(mine.parent, [told[n] for n in (0, 1, 4, 5)])
    assert (made.recordings, made.repeated) == (6, 4)
    assert made.repeated_known == known(sealed.bundle.path, twice)
    assert made.repeated_known_after == 4  # the other one of the class is nearly the same
    once = personalise(sealed.bundle.path, table(mine.parent, told[:4]), out, **RATE)
    assert (once.recordings, once.repeated, once.repeated_known_after) == (4, 0, 0)


def test_all_windows_of_a_recording_count(tiny_student: Model, tmp_path: Path, mine: Path, out: Path):
    contract = sensor_contract(window_mode="sliding", window_rate_hz=50.0, stride=16)
    export_tiny(tiny_student, tmp_path / "sliding", contract=contract)
    for number in range(8):
        whole = np.loadtxt(tmp_path / f"r{number}.csv", delimiter=",", skiprows=1)
        save(tmp_path / f"r{number}.csv", np.concatenate([whole, whole[::-1], 0.98 * whole]))
    made = personalise(tmp_path / "sliding", mine, out, strength=1e-4, **RATE)
    assert made.recordings == 8
    assert verify_bundle(out).golden_decisions > 0
    assert predict_file(out, tmp_path / "r0.csv", **RATE).windows == (3 * SAMPLES - SAMPLES) // 16 + 1
    assert made.known == known(tmp_path / "sliding", mine) < known(out, mine)


def refused(sealed: ExportReport, path: Path, out: Path) -> str:
    with pytest.raises(DataError) as caught:
        personalise(sealed.bundle.path, path, out, **RATE)
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
        personalise(sealed.bundle.path, table(tmp_path, [(first, label), *rest]), out, **RATE)


def test_a_bundle_of_one_person_is_no_start(sealed: ExportReport, mine: Path, out: Path, tmp_path: Path):
    made: PersonalReport = personalise(sealed.bundle.path, mine, out, **RATE)
    with pytest.raises(BundleError, match="made for one person already"):
        personalise(made.bundle.path, mine, tmp_path / "again", **RATE)


def test_images_are_refused(finished_images, mine: Path, out: Path):
    with pytest.raises(BundleError, match="takes images"):
        personalise(finished_images.bundle, mine, out)
