"""Real device files, each against what its maker's format says."""

import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from vskd.errors import DataError, MissingExtraError
from vskd.preprocessing.sensor.device_file import DEVICES, read_device

needs_actfast = pytest.mark.skipif(find_spec("actfast") is None, reason="needs the extra `devices`")


@needs_actfast
@pytest.mark.parametrize(
    ("name", "rows", "rate"),
    [("cmi_actigraph.gt3x", 4860, 60.0), ("cmi_axivity_ax3.cwa", 3600, 100.0), ("cmi_geneactiv.bin", 6000, 60.0)],
)
def test_rows_rate_and_gravity(shared_data: Path, name: str, rows: int, rate: float) -> None:
    path = shared_data / "devices" / name
    if not path.is_file():
        pytest.skip(f"needs {path}")
    samples = read_device(path)
    assert samples.array.shape == (rows, 4)
    stamps = samples.stamps(0, 1.0)
    assert stamps is not None and 1 / np.median(np.diff(stamps[0])) == pytest.approx(rate, rel=0.05)
    assert 0.8 < np.median(np.linalg.norm(samples.array[:, 1:4], axis=1)) < 1.2
    assert samples.units[1:4] == ("g",) * 3


@needs_actfast
def test_an_ax6_whose_sensors_actfast_mixes_up_is_refused(shared_data: Path) -> None:
    path = shared_data / "devices" / "cmi_axivity_ax6.cwa"
    if not path.is_file():
        pytest.skip(f"needs {path}")
    with pytest.raises(DataError, match="mixes up"):
        read_device(path)


@needs_actfast
@pytest.mark.parametrize("content", [b"", b"abc" * 100])
def test_what_is_no_device_file_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.bin"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"x\.bin: not a readable device file"):
        read_device(path)


class Reader:
    """Stands for actfast."""

    def __init__(self, *tables: dict[str, object]) -> None:
        self.tables, self.asked = tables, 0

    def read(self, path: str) -> dict[str, object]:
        self.asked += 1
        return {"format": "Axivity CWA", "timeseries": {str(n): table for n, table in enumerate(self.tables)}}


STAMPS = 1_600_000_000_000_000_001 + 10_000_000 * np.arange(3)
SIGNAL = [[0.0, 0.5, 1.0], [0.1, 0.5, 1.0], [0.2, 0.5, 1.0]]


def test_acceleration_and_stamps_of_a_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = Reader({"datetime": STAMPS, "light": [1, 2, 3]}, {"datetime": STAMPS, "acceleration": SIGNAL})
    monkeypatch.setitem(sys.modules, "actfast", reader)
    path = tmp_path / "a.cwa"
    path.write_bytes(b"x")
    samples = read_device(path)
    assert (samples.kind, samples.names) == ("Axivity CWA", ("timestamp", "accel x", "accel y", "accel z"))
    assert samples.units == ("s", "g", "g", "g")
    np.testing.assert_allclose(samples.array[:, 1:], SIGNAL)
    np.testing.assert_allclose(samples.array[:, 0], 1.6e9 + np.array([0, 0.01, 0.02]), atol=1e-6)
    read_device(path)
    assert reader.asked == 1
    path.write_bytes(b"xy")
    read_device(path)
    assert reader.asked == 2


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ({"datetime": STAMPS}, "holds no acceleration"),
        ({"datetime": STAMPS[:1], "acceleration": SIGNAL[:1]}, "holds no acceleration"),
        ({"datetime": STAMPS, "acceleration": SIGNAL, "gyroscope": SIGNAL}, "mixes up"),
    ],
)
def test_tables_without_a_usable_acceleration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, table: dict[str, object], told: str
) -> None:
    monkeypatch.setitem(sys.modules, "actfast", Reader(table))
    (tmp_path / "a.cwa").write_bytes(b"x")
    with pytest.raises(DataError, match=rf"a\.cwa: .*{told}"):
        read_device(tmp_path / "a.cwa")


def test_a_missing_file_and_a_missing_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match=r"away\.cwa: no such file"):
        read_device(tmp_path / "away.cwa")
    monkeypatch.setitem(sys.modules, "actfast", None)
    (tmp_path / "a.cwa").write_bytes(b"x")
    with pytest.raises(MissingExtraError, match=r"vskd\[devices\]"):
        read_device(tmp_path / "a.cwa")


def test_two_rows_are_a_recording(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = Reader({"datetime": STAMPS[:2], "acceleration": SIGNAL[:2]})
    monkeypatch.setitem(sys.modules, "actfast", reader)
    (tmp_path / "a.cwa").write_bytes(b"x")
    assert read_device(tmp_path / "a.cwa").array.shape == (2, 4)


def test_how_names_of_device_files_end() -> None:
    assert {".cwa", ".gt3x", ".bin"} == DEVICES
