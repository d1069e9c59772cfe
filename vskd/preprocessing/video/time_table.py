"""How long the steps of a long preprocessing take, and how much memory: a table as CSV, and a summary for people."""

import contextlib
import csv
import io
import resource
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from vskd.files import write_text

COLUMNS = ("step", "clips", "seconds", "peak_rss_bytes")
_RSS_UNIT = 1 if sys.platform == "darwin" else 1024
"""Of `ru_maxrss`: bytes on macOS, KiB elsewhere."""


def peak_rss() -> int:
    """The most memory that this process ever held, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _RSS_UNIT


@dataclass
class Step:
    """One line of the table; `peak_bytes` is the process's peak at the end of the step."""

    name: str
    clips: int = 0
    seconds: float = 0.0
    peak_bytes: int = 0


@dataclass
class TimeTable:
    """Steps in the order in which they began; time of one name adds up."""

    steps: dict[str, Step] = field(default_factory=dict)

    @contextlib.contextmanager
    def measuring(self, name: str, clips: int = 0) -> Iterator[None]:
        """Add the time of what is done inside, and `clips` where that is finished, to the step called `name`."""
        step, start = self.steps.setdefault(name, Step(name)), time.perf_counter()
        try:
            yield
            step.clips += clips
        finally:
            step.seconds += time.perf_counter() - start
            step.peak_bytes = max(step.peak_bytes, peak_rss())

    @property
    def total(self) -> Step:
        """The sum of clips and seconds, and the largest peak."""
        steps = self.steps.values()
        return Step(
            "total",
            sum(s.clips for s in steps),
            sum(s.seconds for s in steps),
            max((s.peak_bytes for s in steps), default=0),
        )

    def write(self, folder: Path) -> None:
        """Write `times.csv` and `times.txt`.

        Raises:
            WriteError: the folder cannot be written.
        """
        write_text(folder / "times.csv", self.csv())
        write_text(folder / "times.txt", self.summary())

    def csv(self) -> str:
        """One line per step and one of their total, under a header."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(COLUMNS)
        for step in (*self.steps.values(), self.total):
            writer.writerow((step.name, step.clips, f"{step.seconds:.3f}", step.peak_bytes))
        return text.getvalue()

    def summary(self) -> str:
        """The same for people."""
        rows = [(s.name, s.clips, shown_time(s.seconds), shown_bytes(s.peak_bytes)) for s in self.steps.values()]
        total = self.total
        lines = [f"{name}: {clips} clips, {seconds}, peak {peak}" for name, clips, seconds, peak in rows]
        return "\n".join(
            [
                *lines,
                f"total: {total.clips} clips, {shown_time(total.seconds)}, peak {shown_bytes(total.peak_bytes)}",
                "",
            ]
        )


def shown_time(seconds: float) -> str:
    """Seconds as people read them.

    >>> shown_time(3.204), shown_time(75), shown_time(3725.5)
    ('3.20 s', '1:15.00', '1:02:05.50')
    """
    if seconds < 60:
        return f"{seconds:.2f} s"
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours}:{minutes:02d}:{rest:05.2f}" if hours else f"{minutes}:{rest:05.2f}"


def shown_bytes(count: int) -> str:
    """Bytes as people read them.

    >>> shown_bytes(0), shown_bytes(2048), shown_bytes(3 << 30)
    ('0 B', '2.0 KiB', '3.0 GiB')
    """
    value: float = count
    for unit in ("B", "KiB", "MiB"):
        if value < 1024:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:.1f} GiB"
