"""One sensor as dataset.yaml has it, and what is noted of it."""

from pathlib import Path

import numpy as np
import pytest

from tests.datasets.importing.folders import each, phone, signal, write
from vskd.datasets.importing.layout import find_layout
from vskd.datasets.importing.sensor_stream import Understood, understand_stream
from vskd.datasets.importing.stated import Stated
from vskd.errors import DataError, SettingError


def understood(folder: Path, stated: Stated) -> Understood:
    return understand_stream(find_layout(folder, stated), folder, stated)


def test_a_stream_says_all_that_was_found_out(tmp_path: Path) -> None:
    phone(tmp_path)
    found = understood(tmp_path, Stated(axes=("-y", "x", "z"), position="hip", range_limit=80.0, clip=True))
    assert found.streams == {
        "accelerometer": {
            "files": "subject_{subject}/{label}_t{trial}.csv",
            "columns": ["acc_y", "acc_x", "acc_z"],
            "rate_hz": 104.0,
            "unit": "m/s^2",
            "separator": "semicolon",
            "signs": [-1, 1, 1],
            "time": {"column": "timestamp", "unit": "ms"},
            "range": 80.0,
            "clip": True,
            "position": "hip",
        }
    }
    assert {guess.what for guess in found.guesses} == {"format", "stream", "columns", "clock", "rate", "unit"}


def test_a_value_that_many_samples_reach_looks_like_the_range(tmp_path: Path) -> None:
    for s, label, t in each():
        values = np.clip(signal(s, label, t), -1.05, 1.05)
        values[:3, 0] = 1.05
        write(tmp_path / f"s{s}_{label}_t{t}.csv", values, head="# rate_hz: 50\nx,y,z")
    assert any("are exactly 1.05, the largest value" in note for note in understood(tmp_path, Stated()).notes)
    assert understood(tmp_path, Stated(range_limit=1.05)).notes == ()


def test_axes_that_are_none_or_an_array_without_a_word_are_refused(tmp_path: Path) -> None:
    phone(tmp_path)
    with pytest.raises(SettingError, match=r"--axes is x,x,z.*Name x, y and z once each"):
        understood(tmp_path, Stated(axes=("x", "x", "z")))
    with pytest.raises(SettingError, match="--axes and --signs are both given"):
        understood(tmp_path, Stated(axes=("x", "y", "z"), signs=(1, 1, 1)))
    bare = tmp_path / "bare"
    bare.mkdir()
    for s, label, t in each():
        np.save(bare / f"s{s}_{label}_t{t}.npy", signal(s, label, t))
    with pytest.raises(DataError, match=r"nothing says what they are.*--columns, --rate \(or --time\), --unit"):
        understood(bare, Stated())
    stated = Stated(columns=("0", "1", "2"), rate_hz=50.0, unit="g")
    assert understood(bare, stated).streams["accelerometer"]["columns"] == [0, 1, 2]
