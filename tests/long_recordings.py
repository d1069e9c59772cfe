"""Long recordings that show several classes: people who rest, walk and run, in a data set of the kind sensor-folder."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from vskd.recipe import Recipe

RATE = 25.0
PACES = {"walk": 1.0, "run": 3.0, "": 0.0}
Day = list[tuple[float, float, str]]

DESCRIPTION = """format: sensor-folder 1
label_column: activity
null_class: none
whole_files: true
streams:
  accelerometer:
    files: "{subject}.csv"
    columns: [x, y, z]
    time: {column: t, unit: s}
    rate_hz: 25
    unit: g
    range: 8
"""


def day_of(subject: int, seconds: float) -> Day:
    """(start, end, label) without gaps; pauses have no label."""
    random = np.random.default_rng(subject)
    day: Day = []
    now, kinds = 0.0, ("", "walk", "", "run")
    while now < seconds:
        end = min(seconds, now + float(np.round(random.uniform(4, 8), 1)))
        day.append((now, end, kinds[len(day) % 4]))
        now = end
    return day


def signal_of(subject: int, day: Day, rate: float = RATE) -> npt.NDArray[np.float64]:
    """(samples, 3) in g: gravity, and an arm that swings at the pace of each stretch."""
    random = np.random.default_rng([subject, 1])
    times = np.arange(round(day[-1][1] * rate)) / rate
    moved = np.tile([0.05 * subject, 0.0, 1.0], (len(times), 1))
    for start, end, label in day:
        inside = (times >= start) & (times < end)
        swing = np.sin(2 * np.pi * PACES[label] * times[inside, None] + subject) * (label != "")
        moved[inside] += swing * (0.5, 0.3, 0.1)
    return moved + random.normal(0, 0.02, moved.shape)


def labels_of(day: Day, rate: float = RATE) -> list[str]:
    """The label of each row."""
    times = np.arange(round(day[-1][1] * rate)) / rate
    return [next(label for start, end, label in day if start <= t + 1e-9 < end) for t in times]


def write_long(root: Path, *, subjects: int = 4, seconds: float = 48.0) -> None:
    """A file a person, with a clock and a column of labels, and the description beside them."""
    root.mkdir(parents=True, exist_ok=True)
    for subject in range(1, subjects + 1):
        day = day_of(subject, seconds)
        rows = [
            f"{n / RATE:.3f},{x:.5f},{y:.5f},{z:.5f},{label}"
            for n, ((x, y, z), label) in enumerate(zip(signal_of(subject, day), labels_of(day), strict=True))
        ]
        (root / f"{subject}.csv").write_text("t,x,y,z,activity\n" + "\n".join(rows) + "\n", encoding="utf-8")
    (root / "dataset.yaml").write_text(DESCRIPTION, encoding="utf-8")


def long_recipe(root: Path, *more: str) -> "Recipe":
    """A small student of sliding windows, without a teacher: people 1 and 3 train, 2 and 4 test."""
    from vskd.recipe import load_recipe

    words = (
        *("dataset.name=sensor-folder", f"dataset.path={root}", "dataset.protocol=cross-subject"),
        *("student.network=cnn1d", "student.network.embedding_size=12", "student.sees.encoding=raw"),
        *("student.sees.encoding.scaling=fixed", "student.sees.encoding.limit=4.0", "student.sees.length=32"),
        *("student.sees.window=sliding", "student.sees.rate_hz=25.0", "student.sees.stride=8"),
        *("student.training.epochs=6", "student.training.batch_size=16", "distiller=none"),
        *more,
    )
    return load_recipe("berkeley", words)
