"""Folders as people have them, made of real recordings of UTD-MHAD and Berkeley MHAD: see `KINDS`.

    python -m tests.datasets.importing.own_folders SHARED_DATA OUT

writes all of them. Each kind differs in separators, unit, clock, layout, intervals or codes; what is in them is known.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
from scipy.signal import resample_poly

from vskd.preprocessing.matfile import read_mat

Floats = npt.NDArray[np.float64]
SUBJECTS, TRIALS = (1, 2, 3, 4), (1, 2)
ACTIONS = {"wave": 3, "pick_up_and_throw": 21, "draw_circle": 8}
"""Of UTD-MHAD, called as files often are: with words that look like `_t1`."""
BERKELEY = {"jump": 1, "bend": 3, "punch": 4}
G = 9.80665
START = datetime(2024, 3, 1, 8, 30, tzinfo=UTC)


@dataclass(frozen=True)
class Truth:
    """A recording: who, what, which time, (samples, 3) in g, and the angular rate in deg/s where it is known."""

    subject: int
    label: str
    trial: int
    accelerometer: Floats
    gyroscope: Floats
    number: int

    @property
    def stem(self) -> str:
        """A name that says all of it."""
        return f"s{self.subject}_{self.label}_t{self.trial}"

    @property
    def start(self) -> datetime:
        """Each recording begins a minute after the one before."""
        return START + timedelta(minutes=self.number)


@cache
def utd(data: Path) -> tuple[Truth, ...]:
    """Four people, three actions, two trials, at 50 Hz."""
    found = []
    for subject in SUBJECTS:
        for label, action in ACTIONS.items():
            for trial in TRIALS:
                path = data / "utd-mhad" / "Inertial" / f"a{action}_s{subject}_t{trial}_inertial.mat"
                values = np.asarray(read_mat(path), dtype=np.float64)
                found.append(Truth(subject, label, trial, values[:, :3], values[:, 3:], len(found)))
    return tuple(found)


def write(path: Path, text: str, encoding: str = "utf-8") -> None:
    """A text file in a folder that need not be there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode(encoding))


def lines(table: Floats, separator: str, digits: int) -> list[str]:
    """Rows of numbers as text."""
    return [separator.join(f"{value:.{digits}f}" for value in row) for row in table]


def phone_app(data: Path, root: Path) -> None:
    """Semicolons, decimal comma, a mark of UTF-8, ms since 1970, m/s² in the header; a folder for each person."""
    for one in utd(data):
        count = len(one.accelerometer)
        stamps = 1000 * one.start.timestamp() + 20 * np.arange(count)
        rows = lines(np.column_stack([stamps, one.accelerometer * G]), ";", 4)
        head = "timestamp;acc x (m/s²);acc y (m/s²);acc z (m/s²)"
        path = root / f"subject_{one.subject:02d}" / f"{one.label}_t{one.trial}.csv"
        write(path, "\r\n".join([head, *rows]).replace(".", ","), "utf-8-sig")


def repeated_headers(data: Path, root: Path) -> None:
    """Tabs, mg in the header, which comes again every 50 rows, remarks, empty cells, no clock but milliseconds."""
    for one in utd(data):
        values = np.column_stack([20.0 * np.arange(len(one.accelerometer)), one.accelerometer[:, [2, 0, 1]] * 1000])
        rows = lines(values, "\t", 2)
        rows[30] = rows[30].rsplit("\t", 1)[0] + "\t"
        head = "ms\tz [mg]\tx [mg]\ty [mg]"
        text = ["# logger 7", head]
        for number, row in enumerate(rows):
            text += [head] if number and number % 50 == 0 else []
            text.append(row)
        write(root / one.label / f"user{one.subject}_rep{one.trial}.tsv", "\n".join([*text, "# end"]) + "\n")


def berkeley_text(data: Path, root: Path) -> None:
    """Berkeley's own files of the right wrist: spaces, no header, bursts of a radio link, not calibrated."""
    for subject in SUBJECTS:
        for action in BERKELEY.values():
            for trial in TRIALS:
                name = f"acc_h02_s{subject:02d}_a{action:02d}_r{trial:02d}.txt"
                write(root / name, (data / "berkeley-mhad" / "Accelerometer" / "Shimmer02" / name).read_text())


def one_long_file(data: Path, root: Path) -> None:
    """One file for all people, no header, columns of person and action, ns since boot, m/s², `;` ends each line."""
    rows = []
    for one in utd(data):
        for n, (x, y, z) in enumerate(one.accelerometer * G):
            stamp = 60_000_000_000 * one.number + 20_000_000 * n
            rows.append(f"{one.subject},{one.label},{stamp},{x:.5f},{y:.5f},{z:.5f};")
    write(root / "raw.txt", "\n".join(rows) + "\n")


def interval_table(data: Path, root: Path) -> None:
    """One file a person with local times of Berlin, and a table that says in seconds when what was done."""
    table = ["file,subject,label,start,end,session"]
    berlin = ZoneInfo("Europe/Berlin")
    for subject in SUBJECTS:
        rows, seconds = [], 0.0
        for one in (r for r in utd(data) if r.subject == subject):
            count = len(one.accelerometer)
            for n, (x, y, z) in enumerate(one.accelerometer):
                time = (START + timedelta(seconds=seconds + 0.02 * n)).astimezone(berlin)
                rows.append(f"{time:%Y%m%d_%H:%M:%S.%f},{x:.6f},{y:.6f},{z:.6f}")
            table.append(
                f"day{subject}.csv,{subject},{one.label},{seconds:.2f},{seconds + 0.02 * count:.2f},{one.trial}"
            )
            seconds += 0.02 * count
        write(root / f"day{subject}.csv", "\n".join(["time,x,y,z", *rows]))
    write(root / "recordings.csv", "\n".join(table))


def six_bit_codes(data: Path, root: Path) -> None:
    """Codes 0 to 63 for -1.5 to 1.5 g at 32 Hz, spaces, no header, no clock; a folder for each action."""
    for one in utd(data):
        codes = np.clip(np.round((at_32_hz(one) + 1.5) * 21), 0, 63)
        write(root / one.label / f"s{one.subject}_t{one.trial}.txt", "\n".join(lines(codes, " ", 0)))


def at_32_hz(one: Truth) -> Floats:
    """What a device of 32 Hz would have written."""
    return np.asarray(resample_poly(one.accelerometer, 16, 25, axis=0, padtype="line"))


def parquet_frames(data: Path, root: Path) -> None:
    """Parquet: times with a zone, m/s² that nobody says, a gyroscope beside, and a column of text."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    for one in utd(data):
        count = len(one.accelerometer)
        stamps = [one.start + timedelta(milliseconds=20 * n) for n in range(count)]
        columns = {"recorded_at": pa.array(stamps, pa.timestamp("us", tz="UTC")), "device": ["watch"] * count}
        columns |= {f"accel_{a}": one.accelerometer[:, k] * G for k, a in enumerate("xyz")}
        columns |= {f"gyro_{a}": np.radians(one.gyroscope[:, k]) for k, a in enumerate("xyz")}
        root.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table(columns), root / f"{one.stem}.parquet")


def bare_arrays(data: Path, root: Path) -> None:
    """Arrays of seven columns without names: a clock in s, the accelerometer in g, the gyroscope."""
    for one in utd(data):
        root.mkdir(parents=True, exist_ok=True)
        clock = np.arange(len(one.accelerometer)) / 50
        np.save(root / f"{one.stem}.npy", np.column_stack([clock, one.accelerometer, one.gyroscope]))


def hdf5_paths(data: Path, root: Path) -> None:
    """HDF5: the accelerometer and its clock in us as data sets of a group, the gyroscope in another."""
    import h5py

    for one in utd(data):
        root.mkdir(parents=True, exist_ok=True)
        with h5py.File(root / f"{one.stem}.h5", "w") as file:
            stamps = 5_000_000 + 20_000 * np.arange(len(one.accelerometer), dtype=np.int64)
            file["imu/accel"], file["imu/time_us"], file["gyro/values"] = one.accelerometer, stamps, one.gyroscope


def named_arrays(data: Path, root: Path) -> None:
    """Arrays of an .npz by name, one for each axis, the clock in seconds."""
    for one in utd(data):
        root.mkdir(parents=True, exist_ok=True)
        axes = {f"acc_{a}": one.accelerometer[:, k].astype(np.float32) for k, a in enumerate("xyz")}
        np.savez(root / f"{one.stem}.npz", t=np.arange(len(one.accelerometer)) / 50, **axes)


def lost_samples(data: Path, root: Path) -> None:
    """Counts of 16 bits, 4096 to a g, with sample numbers; samples 60 to 69 were lost; Windows' letters."""
    for one in utd(data):
        number = np.arange(len(one.accelerometer))
        kept = (number < 60) | (number >= 70)
        table = np.column_stack([number, np.round(one.accelerometer * 4096)])[kept]
        head = "Zähler;x;y;z"
        path = root / f"person{one.subject}" / one.label / f"trial_{one.trial}.dat"
        write(path, "\r\n".join([head, *lines(table, ";", 0)]), "cp1252")


def folder_per_recording(data: Path, root: Path) -> None:
    """A folder for each recording with a file for each sensor, two clocks in each, axes z, y, x."""
    for one in utd(data):
        count, folder = len(one.accelerometer), root / f"{one.label}-s{one.subject}-t{one.trial}"
        elapsed = np.arange(count) / 50
        epoch = [int(one.start.timestamp()) * 10**9 + 20_000_000 * n for n in range(count)]
        for name, values in (("Accelerometer", one.accelerometer * G), ("Gyroscope", np.radians(one.gyroscope))):
            rows = [
                f"{ns},{s:.6f},{z:.6f},{y:.6f},{x:.6f}" for ns, s, (x, y, z) in zip(epoch, elapsed, values, strict=True)
            ]
            write(folder / f"{name}.csv", "\n".join(["time,seconds_elapsed,z,y,x", *rows]))


def wristband(data: Path, root: Path) -> None:
    """Empatica's wristband: start and rate in the first rows, 1/64 g to 2 g at 32 Hz, a folder with other sensors."""
    for one in utd(data):
        folder = root / f"s{one.subject}" / f"{one.label}_t{one.trial}"
        start = f"{one.start.timestamp():.6f}"
        counts = np.clip(np.round(64 * at_32_hz(one)), -128, 127)
        head = [", ".join([start] * 3), ", ".join(["32.000000"] * 3)]
        write(folder / "ACC.csv", "\n".join([*head, *lines(counts, ",", 0), ""]))
        write(folder / "TEMP.csv", "\n".join([start, "4.000000", *["31.53"] * 12, ""]))


KINDS: dict[str, Callable[[Path, Path], None]] = {
    made.__name__: made
    for made in (phone_app, repeated_headers, berkeley_text, one_long_file, interval_table, six_bit_codes,
                 parquet_frames, bare_arrays, hdf5_paths, named_arrays, lost_samples, folder_per_recording, wristband)
}  # fmt: skip


def make_all(data: Path, out: Path, names: Sequence[str] = tuple(KINDS)) -> Iterator[Path]:
    """Write the folders, one for each kind."""
    for name in names:
        KINDS[name](data, out / name)
        yield out / name


if __name__ == "__main__":
    for folder in make_all(Path(sys.argv[1]), Path(sys.argv[2])):
        print(folder)
