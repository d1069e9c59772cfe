"""The samples of a file for any kind of bundle, and options that do nothing for its kind."""

from pathlib import Path

import numpy as np
import pytest

from tests.export.conftest import sensor_contract, windows
from vskd.bundle.file_samples import FileReading, check_fits, samples_of
from vskd.bundle.predict import contract_windows
from vskd.bundle.sensor_file import read_recording
from vskd.errors import BundleError

OF_SENSOR = {"rate_hz": 50.0, "unit": "g", "columns": (1,), "time_column": 0, "variable": "x"}
OF_IMAGES = {"box": "whole", "every": 2}


@pytest.mark.parametrize(
    ("kind", "idle"),
    [("sensor", OF_IMAGES), ("image", OF_SENSOR), ("clip", OF_SENSOR | OF_IMAGES)],
)
def test_what_does_nothing_for_a_bundle_is_refused(kind: str, idle: dict[str, object]):
    for name, value in idle.items():
        flag = {"rate_hz": "--rate", "time_column": "--time"}.get(name, f"--{name}")
        with pytest.raises(BundleError, match=f"{flag} does nothing there"):
            check_fits(FileReading(**{name: value}), kind, Path("B"))
    check_fits(FileReading(**{**OF_SENSOR, **OF_IMAGES} | dict.fromkeys(idle)), kind, Path("B"))
    with pytest.raises(BundleError):
        check_fits(FileReading(**idle), kind, Path("B"))


def test_windows_of_a_recording_are_those_that_the_runtime_predicts(tmp_path: Path):
    """Read as is said: with columns in another order they are others; and what was assumed is said."""
    contract, path = sensor_contract(), tmp_path / "r.csv"
    np.savetxt(path, windows(1, seed=3)[0].T, delimiter=",", header="x,y,z", comments="")
    reading = FileReading(rate_hz=50.0, unit="g", columns=(2, 0, 1))
    recorded = read_recording(path, contract, rate_hz=50.0, unit="g", columns=(2, 0, 1))
    found, notes = samples_of(path, contract, reading)
    np.testing.assert_array_equal(found, contract_windows(recorded, contract))
    assert notes == recorded.notes
    other, _ = samples_of(path, contract, FileReading(rate_hz=50.0, unit="g"))
    assert not np.allclose(found, other)
