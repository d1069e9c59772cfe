"""Real recordings in folders of a dozen kinds: import gets them right, or asks for the flag, and is never wrong."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.datasets.importing import own_folders as own
from vskd.datasets.importing import importer
from vskd.datasets.importing.importer import import_folder
from vskd.datasets.importing.stated import Stated
from vskd.datasets.sensors.berkeley_mhad import index as berkeley_index
from vskd.datasets.sensors.folder_description import read_description
from vskd.datasets.sensors.read import read_stream
from vskd.errors import DataError

AXES = ("accel[0]", "accel[1]", "accel[2]")
DOCUMENT = Path(__file__).parents[3] / "docs" / "own-data.md"
BY_FOLDER = "{label}-s{subject}-t{trial}/Accelerometer.csv"
RIGHT: dict[str, tuple[Stated, float, str, str, tuple[object, ...]]] = {
    # kind: what must be stated; rate, unit, unit of time and columns of the data set
    "phone_app": (Stated(), 50.0, "m/s²", "ms", ("acc x", "acc y", "acc z")),
    "repeated_headers": (Stated(), 50.0, "mg", "ms", ("x", "y", "z")),
    "berkeley_text": (Stated(), 31.0, "g", "s", (0, 1, 2)),
    "one_long_file": (Stated(label_column="1", subject_column="0"), 50.0, "m/s^2", "ns", (3, 4, 5)),
    "interval_table": (Stated(), 50.0, "g", "text", ("x", "y", "z")),
    "six_bit_codes": (Stated(rate_hz=32.0, unit="g", codes="0..63 = -1.5..1.5"), 32.0, "g", "", (0, 1, 2)),
    "parquet_frames": (Stated(), 50.0, "m/s^2", "ns", ("accel_x", "accel_y", "accel_z")),
    "bare_arrays": (Stated(columns=("1", "2", "3"), time="0", unit="g"), 50.0, "g", "s", (1, 2, 3)),
    "hdf5_paths": (Stated(variable="imu", columns=AXES), 50.0, "g", "us", AXES),
    "named_arrays": (Stated(), 50.0, "g", "s", ("acc_x", "acc_y", "acc_z")),
    "lost_samples": (Stated(rate_hz=50.0), 50.0, "1/4096 g", "samples", ("x", "y", "z")),
    "folder_per_recording": (
        Stated(pattern=BY_FOLDER, time="seconds_elapsed"),
        50.0,
        "m/s^2",
        "s",
        ("x", "y", "z"),
    ),
    "wristband": (Stated(pattern="s{subject}/{label}_t{trial}/ACC.csv"), 32.0, "1/64 g", "", (0, 1, 2)),
}
ASKED: list[tuple[str, Stated, str, str]] = [
    ("one_long_file", Stated(), "no word in them differs", "--label-column"),
    ("six_bit_codes", Stated(), "does not say its rate", "--rate"),
    ("six_bit_codes", Stated(rate_hz=32.0), "1 g in no unit", "--codes"),
    ("six_bit_codes", Stated(rate_hz=32.0, unit="g", codes="0..63 = -4..4"), "contradicted by gravity", "--unit"),
    ("six_bit_codes", Stated(rate_hz=32.0, unit="g", codes="0..31 = -1.5..1.5"), "holds numbers from", "--codes"),
    ("bare_arrays", Stated(), "nothing says what they are", "--columns, --rate (or --time), --unit"),
    ("bare_arrays", Stated(columns=("4", "5", "6"), time="0", unit="g"), "show no gravity", "--columns"),
    ("hdf5_paths", Stated(), "no columns of the accelerometer", "--columns"),
    ("hdf5_paths", Stated(variable="imu"), "no columns of the accelerometer", "--columns"),
    ("hdf5_paths", Stated(variable="imo"), "holds no 'imo'", "--variable"),
    ("lost_samples", Stated(), "does not say its rate", "--rate"),
    ("folder_per_recording", Stated(), "each folder holds", "'{label}-s{subject}-t{trial}/Accelerometer.csv'"),
    ("wristband", Stated(), "each folder holds the files ACC.csv, TEMP.csv", "'s{subject}/{label}_t{trial}/ACC.csv'"),
    ("wristband", Stated(pattern="s{subject}/{label}_t{trial}/ACC.csv", rate_hz=50.0), "in the file 32 Hz", "--rate"),
    ("wristband", Stated(pattern="s{subject}/{label}_t{trial}/ACC.csv", unit="g"), "the files say 1/64 g", "--unit"),
    ("folder_per_recording", Stated(pattern=BY_FOLDER), "several columns", "--time"),
    ("phone_app", Stated(time_zone="Europe/Berlin"), "are no local times", "--time-zone"),
    ("parquet_frames", Stated(unit="g"), "contradicted by gravity", "--unit"),
]  # fmt: skip

Made = Callable[[str], Path]


@pytest.fixture(scope="module")
def made(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """The folder of a kind, written when it is first asked for."""
    root = tmp_path_factory.mktemp("own")

    def make(kind: str) -> Path:
        if kind == "parquet_frames":
            pytest.importorskip("pyarrow", reason="needs the extra `parquet`")
        if not (root / kind).exists():
            own.KINDS[kind](shared_data, root / kind)
        return root / kind

    return make


@pytest.fixture(autouse=True)
def no_preview(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plots take half a second each, and have a test of their own."""
    monkeypatch.setattr(importer, "draw_preview", lambda *_: None)


def test_every_kind_is_tried_and_documented_with_what_is_asked_for() -> None:
    assert list(RIGHT) == list(own.KINDS)
    assert len(own.KINDS) >= 10
    rows = re.findall(r"^\| `(\w+)`: .* \| right.* \|(.*)\|$", DOCUMENT.read_text(encoding="utf-8"), flags=re.MULTILINE)
    asked = {"variable", "columns", "time", "unit", "codes", "label_column", "subject_column", "pattern"}
    flags = {"rate_hz": "--rate", **{name: f"--{name.replace('_', '-')}" for name in asked}}
    for kind, cell in rows:
        said = {flags[name] for name, value in vars(RIGHT[kind][0]).items() if value != getattr(Stated(), name)}
        assert set(re.findall(r"--[a-z-]+", cell)) == said, kind
    assert [kind for kind, _ in rows] == list(own.KINDS)


@pytest.mark.parametrize("kind", RIGHT)
def test_unit_rate_columns_labels_and_subjects_are_right(
    kind: str, made: Made, shared_data: Path, tmp_path: Path
) -> None:
    stated, rate, unit, time_unit, columns = RIGHT[kind]
    done = import_folder(made(kind), tmp_path / "set", stated)
    stream = read_description(tmp_path / "set").streams["accelerometer"]
    assert (stream.rate_hz, stream.unit, stream.time.unit if stream.time else "") == (rate, unit, time_unit)
    assert stream.columns == columns
    assert done.index.subjects == ("1", "2", "3", "4") and len(done.index) == 24
    assert done.index.labels == (("01", "03", "04") if kind == "berkeley_text" else tuple(sorted(own.ACTIONS)))
    beside = kind in ("folder_per_recording", "wristband")  # other sensors' files
    assert {p.kind for p in done.index.problems} <= ({"unknown"} if beside else set())
    if kind == "berkeley_text":
        _same_as_berkeley(done, shared_data)
    else:
        _same_as_utd(kind, done, shared_data)


def _same_as_utd(kind: str, done: importer.Imported, data: Path) -> None:
    """Every recording is that of its subject, label and trial, in g."""
    truth: dict[tuple[str, str], list[own.Truth]] = {}
    for one in own.utd(data):
        truth.setdefault((str(one.subject), one.label), []).append(one)
    trials = {key: iter(ones) for key, ones in truth.items()}
    numbered = kind in ("one_long_file", "interval_table")
    for recording in sorted(done.index, key=lambda r: r.trial if numbered else ""):
        key = recording.subject, done.index.labels[recording.label]
        one = next(trials[key]) if numbered else truth[key][int(recording.trial) - 1]
        values = own.at_32_hz(one) if kind in ("six_bit_codes", "wristband") else one.accelerometer
        if kind == "six_bit_codes":
            values = np.clip(values, -1.5, 1.5)
        if kind == "wristband":
            values = np.clip(values, -2, 127 / 64)
        if kind == "lost_samples":
            values = np.delete(values, np.arange(60, 70), axis=0)
        if kind == "repeated_headers":
            values = np.delete(values, 30, axis=0)
        timed = read_stream(recording.stream("accelerometer"))
        assert recording.stream("accelerometer").unit == "g"
        atol = {"six_bit_codes": 0.5 / 21 + 1e-6, "wristband": 0.5 / 64 + 1e-6}.get(kind, 2e-4)
        np.testing.assert_allclose(timed.signal, values.T, atol=atol, err_msg=recording.id)
        assert timed.clock.breaks == ((60,) if kind == "lost_samples" else ())


def _same_as_berkeley(done: importer.Imported, data: Path) -> None:
    """As the data set's own reader has them."""
    theirs = {(r.subject, r.label + 1, r.trial): r for r in berkeley_index(data / "berkeley-mhad")}
    for recording in done.index:
        label = int(done.index.labels[recording.label])
        same = theirs[recording.subject, label, recording.trial].stream("accelerometer-right-wrist")
        np.testing.assert_array_equal(read_stream(recording.stream("accelerometer")).signal, read_stream(same).signal)


@pytest.mark.parametrize(("kind", "stated", "why", "flag"), ASKED)
def test_what_nothing_says_is_asked_for(
    kind: str, stated: Stated, why: str, flag: str, made: Made, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=why) as caught:
        import_folder(made(kind), tmp_path / "set", stated)
    assert flag in str(caught.value)
    assert not (tmp_path / "set" / "dataset.yaml").exists()


def test_a_zone_says_when_local_times_were(made: Made, tmp_path: Path) -> None:
    here = import_folder(made("interval_table"), tmp_path / "local", Stated())
    zoned = import_folder(made("interval_table"), tmp_path / "zoned", Stated(time_zone="Europe/Berlin"))
    for one, other in zip(here.index, zoned.index, strict=True):
        local, utc = (read_stream(r.stream("accelerometer")) for r in (one, other))
        assert (local.local, utc.local) == (True, False)
        np.testing.assert_allclose(local.times - utc.times, 3600.0)
    first = min(read_stream(r.stream("accelerometer")).times[0] for r in zoned.index)
    assert first == pytest.approx(own.START.timestamp())


def test_a_session_of_the_table_is_a_factor(made: Made, tmp_path: Path) -> None:
    found = import_folder(made("interval_table"), tmp_path / "set", Stated()).index
    assert {r.factors["session"] for r in found} == {"1", "2"}


def test_axes_are_turned_as_the_flag_says(made: Made, tmp_path: Path) -> None:
    stated, *_ = RIGHT["named_arrays"]
    plain = import_folder(made("named_arrays"), tmp_path / "plain", stated).index
    done = import_folder(made("named_arrays"), tmp_path / "turned", replace(stated, axes=("-y", "x", "z")))
    for one, other in zip(plain, done.index, strict=True):
        x, y, z = read_stream(one.stream("accelerometer")).signal
        np.testing.assert_array_equal(read_stream(other.stream("accelerometer")).signal, np.stack([-y, x, z]))
    assert not any("mirrors" in note for note in done.notes)
    mirrored = import_folder(made("named_arrays"), tmp_path / "mirrored", replace(stated, axes=("y", "x", "z")))
    assert any("mirrors" in note for note in mirrored.notes)
