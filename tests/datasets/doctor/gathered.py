"""Surveys of which nothing is read: people, classes and facts of recordings are said."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from vskd.datasets.doctor.catalog import CHECKS
from vskd.datasets.doctor.finding import Finding
from vskd.datasets.doctor.measure import SensorFacts
from vskd.datasets.doctor.survey import Survey
from vskd.datasets.recording import Index, Recording, Stream
from vskd.preprocessing.sensor.signal_facts import SignalFacts

NOWHERE = Path("nowhere")
ACC = Stream("acc", "sensor", NOWHERE, 50.0, "g", ("x", "y", "z"))
RGB = Stream("rgb", "video", NOWHERE / "x.mp4", 30.0, "uint8")
HEALTHY = SensorFacts(
    signal=SignalFacts(1000, 19.98, 50.0, 0, 0.0, 0.0, 0, 2.0, 1.0, ""),
    stated_hz=50.0,
    clocked=True,
    clock=(),
    dead="",
    direction=(0.0, 0.0, 1.0),
    still=0.0,
    rail=0.0,
    sketch=np.zeros(3, dtype=np.float32),
    content="",
)


def facts(**changes: object) -> SensorFacts:
    """A healthy recording but for `changes`, of the facts or of their signal."""
    signal = {k: v for k, v in changes.items() if k in SignalFacts.__dataclass_fields__}
    rest = {k: v for k, v in changes.items() if k not in signal}
    return dataclasses.replace(HEALTHY, signal=dataclasses.replace(HEALTHY.signal, **signal), **rest)  # type: ignore[arg-type]


def indexed(people: Mapping[str, Sequence[int]], *streams: Stream, labels: Sequence[str] = ()) -> Index:
    """Recordings `s1-0`, `s1-1`..., one for each class number of a subject."""
    own = {s.name: s for s in streams or (ACC,)}
    recordings = tuple(
        Recording(f"s{who}-{n}", who, str(n), label, who, own)
        for who, numbers in people.items()
        for n, label in enumerate(numbers)
    )
    return Index("sensor-folder", NOWHERE, tuple(labels) or ("rest", "walk", "wave"), recordings)


def surveyed(index: Index, **gathered: object) -> Survey:
    """Of an index, with fields of the survey."""
    empty = {"sensors": {}, "unreadable": {}, "contents": {}, "sketches": {}}
    return Survey(index, **{**empty, **gathered})  # type: ignore[arg-type]


def measured(people: Mapping[str, Sequence[SensorFacts]]) -> Survey:
    """Recordings of class 0 of which one sensor was measured."""
    index = indexed({who: [0] * len(of) for who, of in people.items()})
    return surveyed(index, sensors={"acc": {f"s{who}-{n}": f for who, of in people.items() for n, f in enumerate(of)}})


def found(check: str, survey: Survey) -> list[Finding]:
    """Of one check."""
    return list(CHECKS[check].find(survey))


def ids_of(findings: Sequence[Finding]) -> list[tuple[str, ...]]:
    """Recordings of each finding."""
    return [one.recordings for one in findings]


def said(check: str, *, calibrated: bool = True, window_s: float = 0.0, **changes: object) -> str:
    """What a check says of the second of two recordings, which is healthy but for `changes`; empty where nothing."""
    index = indexed({"1": [0, 1]}, dataclasses.replace(ACC, calibrated=calibrated))
    survey = surveyed(index, sensors={"acc": {"s1-0": facts(), "s1-1": facts(**changes)}}, window_s=window_s)
    findings = found(check, survey)
    if not findings:
        return ""
    (one,) = findings
    head, _, text = one.what.partition("e.g. s1-1: ")
    assert one.recordings == ("s1-1",) and head.startswith("acc: 1 of 2 recordings ")
    assert "{" not in one.action
    return text
