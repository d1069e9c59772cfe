"""Every check that only counts, at the border of what it finds: one step on this side it is silent."""

from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace

import pytest

from vskd.datasets.doctor.catalog import CHECKS
from vskd.datasets.doctor.finding import Finding
from vskd.datasets.doctor.survey import Survey
from vskd.datasets.recording import Index, Recording
from vskd.datasets.splits.split import Split
from vskd.datasets.splits.split_facts import SplitFacts

LABELS = ("rest", "walk", "wave")


def survey(people: Iterable[str], labels: Iterable[int] | None = None, **gathered: object) -> Survey:
    """Recordings of these people, in these classes (else in turn); nothing is read."""
    people = list(people)
    classes = list(labels) if labels is not None else [n % 3 for n in range(len(people))]
    recordings = tuple(
        Recording(f"r{n:03}", person, "1", label, person, {}, clip=person)
        for n, (person, label) in enumerate(zip(people, classes, strict=True))
    )
    index = Index("sensor-folder", Path("/data"), LABELS, recordings)
    return Survey(index, {}, {}, {}, {}, **gathered)  # type: ignore[arg-type]


def found(name: str, seen: Survey) -> list[Finding]:
    return list(CHECKS[name].find(seen))


@pytest.mark.parametrize(("count", "told"), [(1, 0), (2, 1), (4, 1), (5, 0), (0, 0)])
def test_few_people_are_two_to_four(count: int, told: int) -> None:
    seen = survey([str(n % count) for n in range(30)] if count else [])
    assert len(found("few-people", seen)) == told


@pytest.mark.parametrize(("count", "told"), [(0, 0), (1, 1), (2, 0)])
def test_one_person_is_one(count: int, told: int) -> None:
    one = found("one-person", survey([str(n % count) for n in range(6)] if count else []))
    assert len(one) == told
    assert all(len(f.recordings) == 6 and f.share == 1 and f.weight == 1 for f in one)


@pytest.mark.parametrize(("people", "doing", "told"), [(5, 2, 1), (4, 2, 0), (5, 3, 0), (5, 1, 0), (9, 2, 1)])
def test_a_class_has_few_people_where_others_have_many(people: int, doing: int, told: int) -> None:
    who = [str(n) for n in range(people)] + [str(n) for n in range(doing)]
    classes = [n % 2 for n in range(people)] + [2] * doing
    of_wave = [f for f in found("few-people-class", survey(who, classes)) if "do wave" in f.what]
    assert len(of_wave) == told


@pytest.mark.parametrize(("doing", "others", "told"), [(1, 1, 1), (2, 1, 0), (1, 0, 0)])
def test_a_class_of_one_person_counts_where_there_are_others(doing: int, others: int, told: int) -> None:
    who = [str(n) for n in range(doing)] * 2 + ["a", "b"] * others
    classes = [2] * (2 * doing) + [0, 0] * others
    assert len([f for f in found("one-person-class", survey(who, classes)) if "does wave" in f.what]) == told


@pytest.mark.parametrize(("count", "told"), [(0, 1), (4, 1), (5, 0)])
def test_few_recordings_are_fewer_than_five(count: int, told: int) -> None:
    classes = [0] * 9 + [1] * 9 + [2] * count
    told_of = found("few-recordings", survey(["1"] * len(classes), classes))
    assert [f.recordings for f in told_of] == [tuple(f"r{n:03}" for n in range(18, 18 + count))] * told


@pytest.mark.parametrize(("counts", "told"), [((10, 2), 0), ((11, 2), 1), ((5,), 0), ((), 0)])
def test_imbalance_is_more_than_five_to_one(counts: tuple[int, ...], told: int) -> None:
    classes = [label for label, count in enumerate(counts) for _ in range(count)]
    assert len(found("imbalance", survey(["1"] * len(classes), classes))) == told


def test_rare_classes_are_named_from_the_rarest() -> None:
    (one,) = found("imbalance", survey(["1"] * 18, [0] * 2 + [1] + [2] * 15))
    assert one.action.endswith("rare are walk, rest") and one.recordings == ("r000", "r001", "r002")
    assert "has 15 recordings, the smallest 1" in one.what


@pytest.mark.parametrize(("most", "told"), [(6, 0), (7, 1)])
def test_one_person_dominates_with_more_than_three_times_the_usual(most: int, told: int) -> None:
    seen = survey(["a"] * most + ["b"] * 1 + ["c"] * 2 + ["d"] * 5)
    assert [f.recordings for f in found("dominant-person", seen)] == [tuple(f"r00{n}" for n in range(most))] * told
    assert found("dominant-person", survey(["a"] * 9)) == []


@pytest.mark.parametrize(
    ("disjoint", "people", "clips", "ids"),
    [
        ("none", ("a",), (), ("r000",)),
        ("none", (), ("b",), ("r001",)),  # clips are called like the people here
        ("none", ("a",), ("b",), ("r000", "r001")),
        ("none", (), (), None),
        ("subject", ("a",), ("b",), None),
    ],
)
def test_people_and_videos_on_both_sides_count_where_the_protocol_promises_nothing(
    disjoint: str, people: tuple[str, ...], clips: tuple[str, ...], ids: tuple[str, ...] | None
) -> None:
    split = Split(("r002",), (), ("r000", "r001"), "p", None, "x", "x", disjoint)  # type: ignore[arg-type]
    facts = SplitFacts("p", None, "x", disjoint, {}, {}, 7, 8, people, (), clips, 0, None)
    seen = survey(["a", "b", "c"], splits=(split,), shared=(facts,))
    told = found("same-people", seen)
    assert [f.recordings for f in told] == ([] if ids is None else [ids])
    for f in told:
        assert f"{len(people)} of 7 people and {len(clips)} of 8 source videos" in f.what


def test_a_protocol_that_fits_is_not_spoken_of() -> None:
    assert found("protocol", survey(["a", "b"])) == []


@pytest.mark.parametrize(
    ("check", "signal", "other", "told"),
    [
        ("short", {"seconds": 0.48, "rate_hz": 50.0}, {}, ""),  # 25 samples are half a second
        ("short", {"seconds": 0.46, "rate_hz": 50.0}, {}, "0.48 s of 0.5 s"),
        ("saturation", {"saturated": 0.02}, {}, ""),
        ("saturation", {"saturated": 0.0201}, {}, "2.0% of its samples"),
        ("still", {}, {"still": 0.79}, ""),
        ("still", {}, {"still": 0.8}, "nothing moves in 80% of its seconds"),
        ("glitches", {"glitches": 0, "largest": 9.0}, {}, ""),
        ("glitches", {"glitches": 1, "largest": 60.0}, {}, "1 up to 60 g"),
        ("gravity", {"gravity": "no 1 g"}, {}, "no 1 g"),
        ("uncalibrated", {"gravity": "no 1 g"}, {}, ""),
        ("dead", {}, {"dead": "x is dead"}, "x is dead"),
        ("stamps", {}, {"clock": ("a gap", "2 go back", "a gap", "jitter")}, "2 go back; jitter"),
        ("wrong-rate", {"rate_hz": 45.0}, {"stated_hz": 50.0, "clocked": True}, ""),
        ("wrong-rate", {"rate_hz": 56.0}, {"stated_hz": 50.0, "clocked": False}, ""),
        ("wrong-rate", {"rate_hz": 44.0}, {"stated_hz": 50.0, "clocked": True}, "44 Hz by its time stamps, 50 Hz by"),
        ("gaps", {"gaps": 0, "longest_gap_s": 0.0}, {}, ""),
        ("gaps", {"gaps": 1, "longest_gap_s": 0.5}, {}, "1, the longest 0.5 s"),
    ],
)
def test_what_is_said_of_a_recording_at_the_border(
    check: str, signal: dict[str, object], other: dict[str, object], told: str
) -> None:
    facts = SimpleNamespace(signal=SimpleNamespace(**signal), **other)
    stream = SimpleNamespace(unit="g", calibrated=True)
    said = CHECKS[check].remark(facts, stream, survey(["a"]))  # type: ignore[attr-defined]
    assert said.startswith(told) and bool(said) == bool(told)


def test_gravity_of_a_sensor_that_need_not_show_it_is_spoken_of_elsewhere() -> None:
    facts, stream = SimpleNamespace(signal=SimpleNamespace(gravity="no 1 g")), SimpleNamespace(calibrated=False)
    said = {name: CHECKS[name].remark(facts, stream, survey(["a"])) for name in ("gravity", "uncalibrated")}  # type: ignore[attr-defined]
    assert said == {"gravity": "", "uncalibrated": "no 1 g"}


def test_short_is_shorter_than_the_window_that_is_asked_for() -> None:
    facts = SimpleNamespace(signal=SimpleNamespace(seconds=1.98, rate_hz=50.0))
    told = [CHECKS["short"].remark(facts, None, survey(["a"], window_s=s)) for s in (2.0, 2.5)]  # type: ignore[attr-defined]
    assert told == ["", "2.00 s of 2.5 s"]
