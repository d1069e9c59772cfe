"""Folders of sensor files of the kinds that people have, made of signals like those of a wrist: see `FOLDERS`."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
SUBJECTS, LABELS = (1, 2), ("sit_down", "walk")


def signal(subject: int, label: str, trial: int = 1, rate: float = 50.0, seconds: float = 2.6) -> Floats:
    """A wrist in g, (samples, 3): it moves, and rests at the end; gravity leans a little from z to y."""
    random = np.random.default_rng([subject, trial, len(label)])
    time = np.arange(int(seconds * rate))[:, None] / rate
    pace = 1.0 if label == "walk" else 0.5
    moved = np.sin(2 * np.pi * pace * time + trial) * (0.5, 0.3, 0.2) * np.clip(2.0 - time, 0, 1)
    return np.asarray(moved + np.array([0.05 * subject, -0.3, 0.95]) + random.normal(0, 0.01, moved.shape))


def each() -> list[tuple[int, str, int]]:
    """Subject, label and trial of every recording."""
    return [(subject, label, trial) for subject in SUBJECTS for label in LABELS for trial in (1, 2)]


def write(
    path: Path, table: Floats, *, separator: str = ",", head: str = "", comma: bool = False, digits: int = 6
) -> None:
    """A text file of numbers."""
    lines = [separator.join(f"{value:.{digits}f}" for value in row) for row in table]
    text = "\n".join([*([head] if head else []), *lines]) + "\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text.replace(".", ",") if comma else text, encoding="utf-8")


def berkeley(root: Path) -> None:
    """Flat, no header, spaces, late stamps in seconds since 1970 in the last column."""
    for n, (s, label, t) in enumerate(each()):
        values = signal(s, label, t, rate=31.0)
        late = np.random.default_rng(n).uniform(0, 0.02, len(values))
        stamps = 1.3e9 + 50 * n + np.arange(len(values)) / 31.0 + late
        write(root / f"acc_h02_s{s:02d}_a{LABELS.index(label) + 1:02d}_r{t:02d}.txt", np.column_stack([values, stamps]),
              separator=" ")  # fmt: skip


def phone(root: Path) -> None:
    """Semicolons, decimal comma, ms since boot, m/s^2 that only gravity proves; folders of subjects."""
    for s, label, t in each():
        values = signal(s, label, t, rate=104.0) * 9.80665
        stamps = 81234 + 1000 * np.arange(len(values)) / 104.0
        write(root / f"subject_{s}" / f"{label}_t{t}.csv", np.column_stack([stamps, values]), separator=";",
              head="timestamp;acc_x;acc_y;acc_z", comma=True, digits=3)  # fmt: skip


def milli(root: Path) -> None:
    """Tabs, mg in the header, axes in another order, no clock: the rate is a remark."""
    for s, label, t in each():
        values = signal(s, label, t) * 1000
        write(root / label / f"user{s}_rep{t}.tsv", values[:, [2, 0, 1]], separator="\t", digits=1,
              head="# sampling rate: 50 Hz\nz [mg]\tx [mg]\ty [mg]")  # fmt: skip


def counts(root: Path) -> None:
    """Whole numbers of a converter, 4096 to a g, sample numbers beside them."""
    for s, label, t in each():
        values = np.round(signal(s, label, t) * 4096)
        write(root / f"p{s}_{label}_t{t}.csv", np.column_stack([np.arange(len(values)), values]), digits=0,
              head="n,ax,ay,az")  # fmt: skip


def codes(root: Path) -> None:
    """6-bit codes, 0 to 63 for -1.5 to 1.5 g, never negative: nobody can guess offset and unit of these."""
    for s, label, t in each():
        values = np.clip(np.round((signal(s, label, t, rate=32.0) + 1.5) * 21), 0, 63)
        write(root / label / f"s{s}_t{t}.txt", values, separator=" ", digits=0)


def iso(root: Path) -> None:
    """ISO times, accelerometer in g beside a gyroscope in deg/s, as one names them."""
    for s, label, t in each():
        values = signal(s, label, t, rate=25.0)
        start = datetime(2024, 3, 1, 10, s, tzinfo=UTC)
        rows = [
            ",".join([(start + timedelta(milliseconds=40 * n)).isoformat(timespec="milliseconds"), *map(str, row)])
            for n, row in enumerate(np.hstack([values, 100 * values]).round(5).tolist())
        ]
        path = root / f"s{s}" / f"{label}-trial{t}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        head = "time,accel x (g),accel y (g),accel z (g),gyro x (deg/s),gyro y (deg/s),gyro z (deg/s)"
        path.write_text("\n".join([head, *rows]), encoding="utf-8-sig")


def intervals(root: Path) -> None:
    """One long file a person, and a table of what happens when."""
    rows = ["file;subject;label;start;end"]
    for s in SUBJECTS:
        parts = [signal(s, label, t) for label in LABELS for t in (1, 2)]
        table = np.concatenate(parts)
        write(root / f"day{s}.csv", np.column_stack([np.arange(len(table)) * 20.0, table]), head="ms,x,y,z")
        rows += [f"day{s}.csv;{s};{label};{2.6 * k:.2f};{2.6 * k + 2.5:.2f}" for k, label in
                 enumerate(label for label in LABELS for _ in (1, 2))]  # fmt: skip
    (root / "recordings.csv").write_text("\n".join(rows))


def label_column(root: Path) -> None:
    """One file for all, a column of labels and one of people."""
    lines = ["user,activity,timestamp,x,y,z"]
    for k, (s, label, t) in enumerate(sorted(each(), key=lambda one: (one[0], one[2]))):
        values = signal(s, label, t) * 9.80665
        lines += [
            f"{s},{label},{(130 * k + n) * 20_000_000},{x:.4f},{y:.4f},{z:.4f}" for n, (x, y, z) in enumerate(values)
        ]
    (root / "raw.csv").write_text("\n".join(lines))


def no_gravity(root: Path) -> None:
    """A phone's linear acceleration, called by the names of an accelerometer."""
    for s, label, t in each():
        values = signal(s, label, t) - (0.05 * s, -0.3, 0.95)
        write(root / f"s{s}_{label}_t{t}.csv", np.column_stack([np.arange(len(values)) / 50, values * 9.81]),
              head="time,ax,ay,az")  # fmt: skip


def bare_numbers(root: Path) -> None:
    """Files 1.csv, 2.csv in a folder of each class: people or trials?"""
    for s, label, t in each():
        write(root / label / f"{2 * s + t}.csv", signal(s, label, t), head="x,y,z")


def lying_header(root: Path) -> None:
    """m/s^2 says the header, and the numbers are g."""
    for s, label, t in each():
        values = signal(s, label, t)
        write(root / f"s{s}_{label}_t{t}.csv", np.column_stack([np.arange(len(values)) / 50, values]),
              head="time,x [m/s2],y [m/s2],z [m/s2]")  # fmt: skip


def two_devices(root: Path) -> None:
    """Half of the files at 25 Hz, half at 100."""
    for s, label, t in each():
        rate = 25.0 if s == 1 else 100.0
        values = signal(s, label, t, rate=rate)
        write(
            root / f"s{s}_{label}_t{t}.csv", np.column_stack([np.arange(len(values)) / rate, values]), head="time,x,y,z"
        )


def places(root: Path) -> None:
    """Two sensors worn at once: g at 50 Hz on the wrist, mg at 25 Hz on the hip, each with a clock of the same day."""
    for n, (s, label, t) in enumerate(each()):
        for place, rate, factor in (("right_wrist", 50.0, 1.0), ("hip", 25.0, 1000.0)):
            values = factor * signal(s, label, t, rate)
            stamps = 1.7e9 + 60 * n + np.arange(len(values)) / rate
            write(root / f"s{s}_{label}_t{t}_{place}.csv", np.column_stack([stamps, values]), head="time,x,y,z")


FOLDERS: dict[str, Callable[[Path], None]] = {
    made.__name__: made
    for made in (berkeley, phone, milli, counts, codes, iso, intervals, label_column, no_gravity, bare_numbers,
                 lying_header, two_devices, places)
}  # fmt: skip
