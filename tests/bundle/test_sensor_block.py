"""Blocks of a long file against the contract."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.bundle.sensor_recordings import signal
from tests.export.conftest import sensor_contract
from vskd.bundle.file_reading import FileReading
from vskd.bundle.sensor_block import block_stamp, read_block
from vskd.bundle.sensor_file import read_columns
from vskd.errors import BundleError
from vskd.preprocessing.sensor.delimited import parse_delimited
from vskd.preprocessing.sensor.samples import TextSamples

IN_G = FileReading(unit="g")


def block(rows: list[str], head: str = "time_ms,x,y,z\n") -> TextSamples:
    return TextSamples(parse_delimited(Path("a.csv"), head + "\n".join(rows) + "\n", "utf-8"))


def test_a_block_has_samples_of_its_own_and_a_stamp(tmp_path: Path):
    """However short it is; of what is behind it nothing is its own, and of a lost row neither."""
    rows = [f"{700 + 20 * n},{x:.5f},{y:.5f},{z:.5f}" for n, (x, y, z) in enumerate(signal(15))]
    contract, path = sensor_contract(), Path("a.csv")
    sliding = sensor_contract(window_mode="sliding", window_rate_hz=50.0, stride=8)
    recorded, stamp, said, kept = read_block(path, block(rows), sliding, 10, IN_G)
    assert (stamp, said, kept, recorded.signal.shape) == ("700", "in ms", 10, (3, 15))
    np.testing.assert_allclose(recorded.signal, signal(15).T, atol=1e-5)
    rows[4], rows[12] = "780,,,", "940,,,"
    recorded, stamp, said, kept = read_block(path, block(rows), sliding, 10, IN_G)
    assert (stamp, said, kept, recorded.signal.shape) == ("700", "in ms", 9, (3, 13))
    rows[0] = "700,,,"
    assert block_stamp(path, block(rows), sliding) == "720"
    assert read_block(path, block(rows), sliding, 10, IN_G)[3] == 8
    with pytest.raises(BundleError, match="asks for 20 to 400 samples"):
        read_columns(path, block(rows[1:4]), contract, IN_G)


def test_options_reach_a_block_and_what_nobody_says_is_not_the_data_set_s():
    path, sliding = Path("a.csv"), sensor_contract(window_mode="sliding", window_rate_hz=50.0, stride=8)
    rows = [f"{9.80665 * y:.5f},{9.80665 * z:.5f},{9.80665 * x:.5f}" for x, y, z in signal(40)]
    turned = FileReading(unit="m/s^2", columns=(2, 0, 1))
    with pytest.raises(BundleError, match="does not say its rate"):
        read_block(path, block(rows, ""), sliding, 30, turned)
    recorded, stamp, said, kept = read_block(path, block(rows, ""), sliding, 30, replace(turned, rate_hz=50.0))
    assert (stamp, said, kept, recorded.rate_hz) == ("", "", 30, 50.0)
    np.testing.assert_allclose(recorded.signal, signal(40).T, atol=1e-4)
    assert block_stamp(path, block(rows, ""), sliding, turned) == ""


def test_a_glitch_of_a_block_says_nothing_of_its_unit():
    values = signal(100)
    values[17] = 60.0
    rows = [f"{20 * n},{x:.5f},{y:.5f},{z:.5f}" for n, (x, y, z) in enumerate(values)]
    sliding = sensor_contract(window_mode="sliding", window_rate_hz=50.0, stride=8)
    recorded, *_ = read_block(Path("a.csv"), block(rows), sliding, 100, IN_G)
    assert recorded.signal.max() == 60
