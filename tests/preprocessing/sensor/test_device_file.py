"""Real device files, each against what its maker's format says."""

from pathlib import Path

import numpy as np
import pytest

from vskd.errors import DataError
from vskd.preprocessing.sensor.device_file import read_device

pytest.importorskip("actfast", reason="needs the extra `devices`")


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


def test_an_ax6_whose_sensors_actfast_mixes_up_is_refused(shared_data: Path) -> None:
    path = shared_data / "devices" / "cmi_axivity_ax6.cwa"
    if not path.is_file():
        pytest.skip(f"needs {path}")
    with pytest.raises(DataError, match="mixes up"):
        read_device(path)


@pytest.mark.parametrize("content", [b"", b"abc" * 100])
def test_what_is_no_device_file_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.bin"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"x\.bin: not a readable device file"):
        read_device(path)
