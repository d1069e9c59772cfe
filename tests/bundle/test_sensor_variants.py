"""One recording written in hundreds of ways: read as what it is or refused by name, and never as something else."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from tests.export.conftest import sensor_contract
from tests.preprocessing.sensor.recordings import wrist
from vskd.bundle.file_reading import FileReading
from vskd.bundle.sensor_file import read_recording
from vskd.errors import VskdError

CONTRACT = sensor_contract()
RATE = 50.0
G = 9.80665
HEADERS = {  # style -> names of the axes
    "bare": ("x", "y", "z"),
    "capitals": ("X", "Y", "Z"),
    "acc_x": ("acc_x", "acc_y", "acc_z"),
    "accX": ("accX", "accY", "accZ"),
    "ax": ("ax", "ay", "az"),
    "long": ("Accelerometer X", "Accelerometer Y", "Accelerometer Z"),
    "accelerometer_x": ("accelerometer_x", "accelerometer_y", "accelerometer_z"),
}
OTHERS = {
    "gyroscope": ("gyro_x", "gyro_y", "gyro_z"),
    "gx": ("gx", "gy", "gz"),
    "angles": ("roll", "pitch", "yaw"),
    "linear": ("linear_acc_x", "linear_acc_y", "linear_acc_z"),
    "gravity": ("gravity_x", "gravity_y", "gravity_z"),
    "magnetometer": ("mag_x", "mag_y", "mag_z"),
    "unknown": ("ch1", "ch2", "ch3"),
    "two axes": ("x", "y", "activity"),
}
UNITS = {"g": 1.0, "mg": 1000.0, "m/s^2": G, "m/s²": G, "m/s2": G, "1/64 g": 64.0}
CLOCKS = {  # name of the column -> stamps of even seconds
    "time": lambda t: [f"{s:.3f}" for s in t],
    "time (s)": lambda t: [f"{s:.3f}" for s in t],
    "seconds_elapsed": lambda t: [f"{s:.4f}" for s in t],
    "time_ms": lambda t: [f"{1e3 * s:.0f}" for s in t],
    "Timestamp (us)": lambda t: [f"{1e6 * s:.0f}" for s in t],
    "timestamp": lambda t: [f"{1.7e18 + 1e9 * s:.0f}" for s in t],
    "datetime": lambda t: [f"2024-05-06T10:{int(s) // 60:02d}:{s % 60:09.6f}" for s in t],
}


@dataclass(frozen=True)
class Variant:
    """How a recording is written; the axes in the order of `order`."""

    names: tuple[str, ...] = ("x", "y", "z")
    order: tuple[int, ...] = (0, 1, 2)
    separator: str = ","
    comma: bool = False
    unit: str = "g"
    unit_said: str = ""  # "", `header` or `remark`
    clock: str = ""
    clock_last: bool = False
    encoding: str = "utf-8"
    header: bool = True
    more: tuple[str, ...] = field(default=())

    def write(self, path: Path, values: np.ndarray) -> Path:
        """Write (samples, 3) in g."""
        scaled = values * UNITS[self.unit]
        columns = [(self.names[k] + self._in_brackets(), [f"{v:.6f}" for v in scaled[:, k]]) for k in self.order]
        columns += [(name, [f"walking {n % 3}" for n in range(len(values))]) for name in self.more]
        if self.clock:
            stamps = CLOCKS[self.clock](np.arange(len(values)) / RATE)
            columns.insert(len(columns) if self.clock_last else 0, (self.clock, stamps))
        lines = [f"# unit: {self.unit}"] if self.unit_said == "remark" else []
        lines += [self.separator.join(name for name, _ in columns)] if self.header else []
        body = [self.separator.join(row) for row in zip(*(cells for _, cells in columns), strict=True)]
        if self.comma:
            body = [row.replace(".", ",") for row in body]
        path.write_text("\n".join([*lines, *body]) + "\n", encoding=self.encoding)
        return path

    def _in_brackets(self) -> str:
        return f" ({self.unit})" if self.unit_said == "header" else ""


def random_variant(random: np.random.Generator) -> Variant:
    """A variant that says everything: names, unit and clock."""
    separator = str(random.choice([",", ";", "\t", "|"]))
    encoding = str(random.choice(["utf-8", "utf-8-sig", "utf-16", "cp1252"]))
    return Variant(
        names=HEADERS[str(random.choice(list(HEADERS)))],
        order=tuple(int(k) for k in random.permutation(3)),
        separator=separator,
        comma=bool(separator != "," and random.integers(2)),
        unit=str(random.choice(list(UNITS))),
        unit_said=str(random.choice(["header", "remark"])),
        clock=str(random.choice(list(CLOCKS))),
        clock_last=bool(random.integers(2)),
        encoding=encoding,
        more=("activity",) if random.integers(2) else (),
    )


@pytest.mark.parametrize("seed", range(150))
def test_what_says_everything_is_read_right(tmp_path: Path, seed: int) -> None:
    values = wrist(seed=seed)
    variant = random_variant(np.random.default_rng(seed))
    recorded = read_recording(variant.write(tmp_path / "a.csv", values), CONTRACT)
    np.testing.assert_allclose(recorded.signal, values.T, atol=2e-5, err_msg=str(variant))
    assert recorded.rate_hz == RATE and recorded.breaks == ()
    said = dict(recorded.understood)
    assert said["unit"].startswith(variant.unit) and variant.clock.split(" ")[0] in said["rate"]
    assert said["columns"] == ", ".join(variant.names)


@pytest.mark.parametrize("seed", range(150))
def test_what_leaves_something_out_is_right_or_refused(tmp_path: Path, seed: int) -> None:
    """Neither header nor unit need be there; whatever is accepted, with the rate stated, is the recording."""
    random = np.random.default_rng(1000 + seed)
    values = wrist(seed=seed)
    full = random_variant(random)
    header = bool(random.integers(2))
    variant = Variant(
        **{
            **vars(full),
            "header": header,
            "order": full.order if header else (0, 1, 2),
            "unit_said": str(random.choice(["", full.unit_said])) if header else "",
            "more": full.more if header else (),
            "clock": str(random.choice(["", full.clock])),
        }
    )
    path = variant.write(tmp_path / "a.csv", values)
    try:
        recorded = read_recording(path, CONTRACT, FileReading(rate_hz=RATE))
    except VskdError as error:
        assert str(path) in str(error)
        assert variant.unit != "g" and not variant.unit_said, f"{variant}: {error}"
        assert "look like" in str(error)
        return
    np.testing.assert_allclose(recorded.signal, values.T, atol=2e-5, err_msg=str(variant))


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_another_sensor_is_never_taken_by_position(tmp_path: Path, other: str, separator: str) -> None:
    """Although the samples are those of an accelerometer, so that nothing but the names could tell."""
    path = Variant(names=OTHERS[other], separator=separator, clock="time").write(tmp_path / "a.csv", wrist())
    with pytest.raises(VskdError, match=r"a\.csv: the model asks for 3 channels \(x, y, z\).*--columns"):
        read_recording(path, CONTRACT)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda v: v - v.mean(axis=0), "gravity was removed"),
        (lambda v: 2 * v, "no unit that vskd knows"),
        (lambda v: v * G, "look like m/s^2"),
        (lambda v: v * [1, 1, 0], "axis z is 0 in every sample"),
        (lambda v: 0 * v, "dead sensor"),
        (lambda v: np.concatenate([v, v]), "in the file twice"),
        (lambda v: np.where(np.arange(len(v))[:, None] == 70, 50, v), "a glitch"),
    ],
)
def test_signals_that_are_not_the_sensor_s_are_named(tmp_path: Path, seed: int, change, told: str) -> None:
    path = Variant().write(tmp_path / "a.csv", change(wrist(seed=seed)))
    with pytest.raises(VskdError, match=r"a\.csv: ") as caught:
        read_recording(path, CONTRACT, FileReading(rate_hz=RATE))
    assert told in str(caught.value)


def shifted(rows: list[str], what: str) -> list[str]:
    """Rows of a file whose clock is not that of one recording."""
    return {
        "newest first": rows[::-1],
        "again": rows + rows,
        "gap": rows[:60] + rows[100:],
        "set back": rows[80:] + rows[:80],
    }[what]


@pytest.mark.parametrize("clock", CLOCKS)
@pytest.mark.parametrize(
    ("what", "told"),
    [
        ("newest first", "backwards"),
        ("again", "starts again"),
        ("gap", "a gap of 0.82 s"),
        ("set back", "starts again|set back"),
    ],
)
def test_rows_that_are_not_one_recording_in_order_are_named(tmp_path: Path, clock: str, what: str, told: str) -> None:
    path = Variant(clock=clock).write(tmp_path / "a.csv", wrist())
    head, *rows = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([head, *shifted(rows, what)]), encoding="utf-8")
    with pytest.raises(VskdError, match=rf"a\.csv: .*({told})"):
        read_recording(path, CONTRACT)
