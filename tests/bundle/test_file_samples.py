"""The samples of a file for any kind of bundle."""

from pathlib import Path

import numpy as np

from tests.export.conftest import sensor_contract, windows
from vskd.bundle.file_reading import FileReading
from vskd.bundle.file_samples import samples_of
from vskd.bundle.predict import contract_windows
from vskd.bundle.sensor_file import read_recording


def test_windows_of_a_recording_are_those_that_the_runtime_predicts(tmp_path: Path):
    """Read as is said: with columns in another order they are others; and what was assumed is said."""
    contract, path = sensor_contract(), tmp_path / "r.csv"
    np.savetxt(path, windows(1, seed=3)[0].T, delimiter=",", header="x,y,z", comments="")
    reading = FileReading(rate_hz=50.0, unit="g", columns=(2, 0, 1))
    recorded = read_recording(path, contract, reading)
    found, notes = samples_of(path, contract, reading)
    np.testing.assert_array_equal(found, contract_windows(recorded, contract))
    assert notes == recorded.notes
    other, _ = samples_of(path, contract, FileReading(rate_hz=50.0, unit="g"))
    assert not np.allclose(found, other)
