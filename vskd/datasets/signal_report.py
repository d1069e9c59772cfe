"""What the signals of a data set show of their devices: every recording read once, nothing changed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from vskd.datasets.recording import Index
from vskd.datasets.sensors.read import read_stream
from vskd.errors import DataError, rounded
from vskd.preprocessing.sensor.clock_facts import ClockFacts, clock_facts
from vskd.preprocessing.sensor.signal_facts import SignalFacts, signal_facts
from vskd.progress import track


@dataclass(frozen=True)
class SignalReport:
    """One sensor stream of a data set.

    Attributes:
        stream, unit, nominal_hz: its name, unit and rate.
        facts, clocks: by recording; clocks of those with time stamps.
        unreadable: of the others, what is wrong with the file.
    """

    stream: str
    unit: str
    facts: Mapping[str, SignalFacts]
    unreadable: Mapping[str, str]
    clocks: Mapping[str, ClockFacts] = field(default_factory=dict)
    nominal_hz: float = 0.0

    def noteworthy(self) -> dict[str, str]:
        """Recording -> what a user should know of it; those without anything are left out."""
        found = {name: _remarks(facts, self.unit) for name, facts in self.facts.items()}
        for name, clock in self.clocks.items():
            found[name] += clock.remarks(self.nominal_hz)
        found |= {name: [problem] for name, problem in self.unreadable.items()}
        return {name: "; ".join(remarks) for name, remarks in sorted(found.items()) if remarks}

    @property
    def longest_gap_s(self) -> float:
        """Of all recordings; 0 where none has one."""
        return max((facts.longest_gap_s for facts in self.facts.values()), default=0.0)

    def having(self, fact: str) -> list[str]:
        """The recordings of which an attribute of `SignalFacts` says something."""
        return sorted(name for name, facts in self.facts.items() if getattr(facts, fact))

    def summary(self) -> dict[str, Any]:
        """Figures over all recordings, and the noteworthy ones by name; JSON-serialisable."""
        every = list(self.facts.values())
        rates, rest = [f.rate_hz for f in every], [f.rest for f in every if f.rest]
        return {
            "stream": self.stream,
            "unit": self.unit,
            "recordings": len(every),
            "rate_hz": _spread(rates),
            "seconds": _spread([f.seconds for f in every]),
            "at_rest": _spread(rest),
            "jitter_ms": _spread([1000 * c.jitter_s for c in self.clocks.values()]),
            "drift_ms": _spread([1000 * c.drift_s for c in self.clocks.values()]),
            "backward": sum(c.backward for c in self.clocks.values()),
            "repeated": sum(c.repeated for c in self.clocks.values()),
            "with_gaps": len(self.having("gaps")),
            "longest_gap_s": self.longest_gap_s,
            "saturated": len(self.having("saturated")),
            "glitches": sum(f.glitches for f in every),
            "without_1_g": len(self.having("gravity")),
            "unreadable": len(self.unreadable),
            "noteworthy": self.noteworthy(),
        }


def report_signals(index: Index, stream: str) -> SignalReport:
    """Read one sensor stream of every recording that has it.

    Args:
        index: of the data set.
        stream: its name.

    Raises:
        DataError: no recording has it, or it is no sensor's.
    """
    found = {r.id: r.stream(stream) for r in index.with_streams([stream])}
    sensors = {name: one for name, one in found.items() if one.kind == "sensor"}
    if not sensors:
        known = sorted({s.name for r in index for s in r.streams.values() if s.kind == "sensor"})
        what = "is no sensor's" if found else "is in no recording"
        raise DataError(f"{index.root}: the stream '{stream}' {what}", f"Choose one of: {', '.join(known) or 'none'}")
    facts, unreadable = {}, {}
    clocks: dict[str, ClockFacts] = {}
    for name, one in track(list(sensors.items()), "Reading sensors"):
        try:
            timed = read_stream(one)
            facts[name] = signal_facts(timed, stream=one.name, unit=one.unit, range_limit=one.range_limit)
            clocks |= {name: clock_facts(timed, one.rate_hz)} if timed.clock.period_s else {}
        except DataError as error:
            unreadable[name] = error.problem
    first = next(iter(sensors.values()))
    return SignalReport(stream, first.unit, facts, unreadable, clocks, first.rate_hz)


def _spread(values: list[float]) -> dict[str, float]:
    """Least, median and greatest; empty where there are none."""
    if not values:
        return {}
    return {"min": min(values), "median": float(np.median(values)), "max": max(values)}


def _remarks(facts: SignalFacts, unit: str) -> list[str]:
    remarks = [f"{facts.gaps} gaps, the longest {rounded(facts.longest_gap_s, 2)} s"] if facts.gaps else []
    remarks += [f"at the rail for {facts.saturated:.1%} of its samples"] if facts.saturated else []
    remarks += [f"{facts.glitches} glitches up to {rounded(facts.largest)} {unit}"] if facts.glitches else []
    return remarks + ([facts.gravity] if facts.gravity else [])
