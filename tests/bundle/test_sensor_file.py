"""A recording against the contract: every refusal says what is asked and what was found."""

from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from tests.export.conftest import sensor_contract
from vskd.bundle.sensor_file import Recorded, normal_unit, read_recording
from vskd.errors import BundleError, DataError, VskdError


def signal(samples: int = 60, scale: float = 1.0, channels: int = 3) -> np.ndarray:
    """(samples, channels) of a turning sensor, about 1 g long."""
    time = np.linspace(0, 3, samples)[:, None]
    return (scale * 0.8 * np.sin(time + np.arange(channels))).astype(np.float32)


def csv_file(tmp_path: Path, values: np.ndarray, head: str = "") -> Path:
    path = tmp_path / "recording.csv"
    path.write_text(head + "\n".join(",".join(f"{v:.6f}" for v in row) for row in values) + "\n")
    return path


def read(path: Path, **options: object) -> Recorded:
    contract = options.pop("contract", sensor_contract())
    return read_recording(path, contract, **options)


def refuses(path: Path, *parts: str, **options: object) -> None:
    with pytest.raises(BundleError) as caught:
        read(path, **options)
    for part in (path.name, *parts):
        assert part in str(caught.value)


def test_csv_mat_and_npy_give_the_same_signal(tmp_path: Path):
    values = signal()
    np.save(tmp_path / "recording.npy", values)
    savemat(tmp_path / "recording.mat", {"d_iner": np.hstack([values, 100 * values])})
    with_hint = sensor_contract(mat_variable="d_iner", mat_columns=(0, 1, 2))
    found = [
        read(csv_file(tmp_path, values)).signal,
        read(tmp_path / "recording.npy").signal,
        read(tmp_path / "recording.mat", contract=with_hint).signal,
        read(tmp_path / "recording.mat", variable="d_iner", columns=(0, 1, 2)).signal,
    ]
    for one in found:
        assert one.dtype == np.float32
        np.testing.assert_allclose(one, values.T, atol=1e-6)


def test_what_is_assumed_is_said(tmp_path: Path):
    path = csv_file(tmp_path, signal())
    notes = " ".join(read(path).notes)
    assert "50 Hz is assumed" in notes and "g is assumed" in notes
    assert read(path, rate_hz=50, unit="g").notes == ()
    assert read(csv_file(tmp_path, signal(), "# rate_hz: 50\n# unit: g\n")).notes == ()


@pytest.mark.parametrize("rate", [48.6, 49.0, 51.0, 51.4])
def test_a_clock_that_is_a_little_off_is_accepted(tmp_path: Path, rate: float):
    assert read(csv_file(tmp_path, signal()), rate_hz=rate).rate_hz == rate


@pytest.mark.parametrize("rate", [100.0, 52.0, 48.0, 25.0, 0.0, -50.0, float("nan")])
def test_wrong_rate_by_option(tmp_path: Path, rate: float):
    refuses(csv_file(tmp_path, signal()), "asks for 50 Hz", f"{rate:g} Hz", rate_hz=rate)


def test_wrong_rate_declared_by_the_file_is_not_overridden(tmp_path: Path):
    path = csv_file(tmp_path, signal(), "# rate_hz: 100\n")
    refuses(path, "asks for 50 Hz", "100 Hz")
    refuses(path, "asks for 50 Hz", "100 Hz", rate_hz=50)


def test_wrong_rate_by_its_time_column(tmp_path: Path):
    values = np.column_stack([np.arange(60) / 30, signal()])
    refuses(csv_file(tmp_path, values, "t,x,y,z\n"), "asks for 50 Hz", "30 Hz")


def test_time_column_and_order_of_columns(tmp_path: Path):
    values = signal()
    columns = np.column_stack([np.arange(60) / 50, values[:, 2], values[:, 0], values[:, 1]])
    recorded = read(csv_file(tmp_path, columns, "t,z,x,y\n"), unit="g")
    np.testing.assert_allclose(recorded.signal, values.T, atol=1e-6)
    assert recorded.notes == ()


@pytest.mark.parametrize("unit", ["m/s^2", "m/s2", "deg/s", "furlong"])
def test_wrong_unit_by_option(tmp_path: Path, unit: str):
    refuses(csv_file(tmp_path, signal()), "asks for g", unit, unit=unit)


def test_wrong_unit_declared_by_the_file(tmp_path: Path):
    refuses(
        csv_file(tmp_path, signal(scale=9.81), "x [m/s^2],y [m/s^2],z [m/s^2]\n"), "asks for g", "divide by 9.80665"
    )


@pytest.mark.parametrize(("one", "other"), [("m/s2", "m/s^2"), ("M/S²", "m/s^2"), ("dps", "deg/s"), (" g ", "g")])
def test_spellings_of_units(one: str, other: str):
    assert normal_unit(one) == normal_unit(other)


def test_undeclared_metres_per_second_squared_are_noticed(tmp_path: Path):
    refuses(csv_file(tmp_path, signal(scale=9.81)), "asks for g", "look like m/s^2")
    refuses(csv_file(tmp_path, signal(scale=30)), "asks for g", "±8 g", "look like m/s^2")


def test_undeclared_g_is_noticed_by_a_model_in_metres(tmp_path: Path):
    metres = sensor_contract(unit="m/s^2", range_limit=78.0)
    refuses(csv_file(tmp_path, signal()), "asks for m/s^2", "look like g", contract=metres)
    assert read(csv_file(tmp_path, signal(scale=9.81)), contract=metres).signal.shape == (3, 60)


def test_values_beyond_the_range_are_refused_even_with_the_right_unit(tmp_path: Path):
    refuses(csv_file(tmp_path, signal(scale=40)), "±8 g", unit="g")


def test_a_hard_hit_is_no_wrong_unit(tmp_path: Path):
    values = signal()
    values[10] = (9.5, -9.0, 3.0)
    assert read(csv_file(tmp_path, values)).signal.max() == pytest.approx(9.5)


@pytest.mark.parametrize("channels", [1, 2, 4, 6])
@pytest.mark.parametrize("kind", ["csv", "npy", "mat"])
def test_wrong_channels(tmp_path: Path, channels: int, kind: str):
    path = tmp_path / f"recording.{kind}"
    values = signal(channels=channels)
    if kind == "csv":
        csv_file(tmp_path, values)
    elif kind == "npy":
        np.save(path, values)
    else:
        savemat(path, {"d_iner": values})
    with pytest.raises(DataError) as caught:
        read(path)
    for part in (path.name, "3 columns (x, y, z)", f"has {channels} columns"):
        assert part in str(caught.value)


def test_wrong_number_of_named_columns(tmp_path: Path):
    refuses(csv_file(tmp_path, signal(channels=6)), "3 channels (x, y, z)", "2 columns", columns=(0, 1))


@pytest.mark.parametrize("samples", [19, 401])
def test_wrong_length(tmp_path: Path, samples: int):
    refuses(csv_file(tmp_path, signal(samples)), "20 to 400 samples", f"has {samples}")


@pytest.mark.parametrize("samples", [20, 400])
def test_lengths_at_the_bounds_are_accepted(tmp_path: Path, samples: int):
    assert read(csv_file(tmp_path, signal(samples))).signal.shape == (3, samples)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("recording.csv", b""),
        ("recording.csv", b"\x00\xff\xfe"),
        ("recording.mat", b"MATLAB 5.0"),
        ("recording.npy", b"x"),
        ("recording.txt", b"1 2 3"),
        ("recording.csv", b"1,2,nan\n" * 50),
    ],
)
def test_bad_files_are_one_clear_error(tmp_path: Path, name: str, content: bytes):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(VskdError, match="recording"):
        read(path)


def test_a_missing_file_is_named(tmp_path: Path):
    for kind in ("csv", "mat", "npy"):
        with pytest.raises(DataError, match=f"gone.{kind}"):
            read(tmp_path / f"gone.{kind}")
