"""Every check that only counts, at the border of what it finds: one step on this side it is silent."""

import dataclasses
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from vskd.datasets.doctor.catalog import CHECKS
from vskd.datasets.doctor.checks import suspicious_labels
from vskd.datasets.doctor.finding import Finding
from vskd.datasets.doctor.survey import Survey
from vskd.datasets.recording import Index, Problem, Recording, Stream
from vskd.datasets.splits.split import Split
from vskd.datasets.splits.split_facts import SplitFacts
from vskd.datasets.sync.table import SyncRow

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
    assert len(found("dominant-person", survey(["a"] * 4 + ["b"]))) == 1
    assert found("dominant-person", survey(["a"] * 3 + ["b"])) == []


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


def measured(facts: Sequence[dict[str, object]], people: Sequence[str], labels: Sequence[int] = ()) -> Survey:
    """Recordings of one accelerometer of which these facts are known."""
    seen = survey(people, labels or [0] * len(people))
    stream = Stream("accelerometer", "sensor", Path("/data/r.npy"), 50.0, "g", ("x", "y", "z"))
    with_stream = tuple(dataclasses.replace(r, streams={stream.name: stream}) for r in seen.index)
    known = {}
    for recording, one in zip(with_stream, facts, strict=True):
        signal = {"seconds": 20.0, "rate_hz": 50.0, "rest": 0.0, "largest": 1.0, "glitches": 0}
        own = {"clocked": True, "stated_hz": 50.0, "rail": 0.0, "dead": "", "still": 0.0, "direction": (0.0, 0.0, 0.0)}
        signal |= {name: value for name, value in one.items() if name in signal}
        own |= {name: value for name, value in one.items() if name in own}
        known[recording.id] = SimpleNamespace(signal=SimpleNamespace(**signal), **own)
    index = dataclasses.replace(seen.index, recordings=with_stream)
    return dataclasses.replace(seen, index=index, sensors={stream.name: known})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("rates", "seconds", "clocked", "ids"),
    [
        ([50.3] * 5, 20.0, True, 5),
        ([50.2] * 5, 20.0, True, 0),  # less than half a percent
        ([50.3] * 4, 20.0, True, 0),  # four say nothing of a device
        ([50.3] * 5, 10.0, True, 5),
        ([50.3] * 5, 9.9, True, 0),
        ([50.3] * 5, 20.0, False, 0),
        ([54.9] * 5, 20.0, True, 5),
        ([55.1] * 5, 20.0, True, 0),  # that is a wrong rate
        ([49.6, 49.6, 49.6, 49.9, 50.6], 20.0, True, 3),  # one barely, one the other way
    ],
)
def test_clocks_drift_by_half_a_percent_to_a_tenth(rates: list[float], seconds: float, clocked: bool, ids: int) -> None:
    facts = [{"rate_hz": rate, "seconds": seconds, "clocked": clocked} for rate in rates]
    told = found("drift", measured(facts, ["1"] * len(rates)))
    assert [len(f.recordings) for f in told] == ([ids] if ids else [])
    for f in told:
        middle = sorted(rates)[len(rates) // 2]
        assert f"{ids} of {len(rates)} long recordings are off by {middle / 50 - 1:+.2%} (median)" in f.what
        assert f.action == f"State the rate as {middle:.4g} Hz"


def tilted(degrees: float, length: float = 1.0) -> dict[str, object]:
    """A mean sample so many degrees from z, towards y."""
    angle = np.deg2rad(degrees)
    return {"direction": (0.0, float(length * np.sin(angle)), float(length * np.cos(angle)))}


@pytest.mark.parametrize(
    ("own", "others", "count", "told"),
    [
        (61, (0, 0, 0), 4, True),
        (59, (0, 0, 0), 4, False),  # less than 60 degrees
        (180, (0, 0, 0), 3, False),  # two others do not say what is usual
        (180, (0, 145, 0), 4, True),  # the median is that of two
        (180, (70, 0, -70), 4, True),
        (180, (75, 0, -75), 4, False),  # they agree on no direction
    ],
)
def test_axes_point_elsewhere_by_more_than_sixty_degrees(
    own: float, others: tuple[float, ...], count: int, told: bool
) -> None:
    facts = [tilted(own), *map(tilted, others)][:count]
    who = [f.recordings for f in found("axes", measured(facts, [str(n) for n in range(count)]))]
    assert (("r000",) in who) == told


@pytest.mark.parametrize(("length", "told"), [(0.29, False), (0.31, True)])
def test_others_that_agree_on_no_direction_say_nothing(length: float, told: bool) -> None:
    facts = [tilted(180), *[tilted(0, length)] * 3]
    assert bool(found("axes", measured(facts, ["0", "1", "2", "3"]))) == told


@pytest.mark.parametrize(("off", "fits"), [(31, True), (33, False)])
def test_turned_axes_are_named_where_they_fit(off: float, fits: bool) -> None:
    """Beside the right turn by so many degrees, in two planes: a cosine of 0.85 is 31.8 degrees."""
    angle = np.deg2rad(off)
    own = {"direction": (0.0, 0.0, -1.0)}
    other = {"direction": (float(np.sin(angle) / 2**0.5), float(np.sin(angle) / 2**0.5), float(np.cos(angle)))}
    (one,) = [f for f in found("axes", measured([own, other, other, other], list("0123"))) if "subject 0" in f.what]
    assert ("it fits" in one.what) == fits


@pytest.mark.parametrize(("rest", "told"), [(3.0, 0), (3.01, 1), (1 / 3, 0), (0.33, 1), (0.0, 0)])
def test_units_are_mixed_where_people_rest_at_three_times_the_usual(rest: float, told: int) -> None:
    seen = measured([{"rest": 1.0}, {"rest": 1.0}, {"rest": rest}, {"rest": 0.0}], ["a", "b", "c", "c"])
    assert [f.recordings for f in found("mixed-units", seen)] == [("r002", "r003")] * told


@pytest.mark.parametrize(
    ("railed", "beyond", "largest", "change", "told"),
    [
        (3, 3, 3.01, {}, 1),
        (2, 3, 3.01, {}, 0),
        (3, 2, 3.01, {}, 0),
        (3, 3, 3.0, {}, 0),  # 1.5 times is not more
        (3, 3, 3.01, {"dead": "x is dead"}, 0),
        (3, 3, 3.01, {"still": 0.1}, 0),
    ],
)
def test_ranges_are_mixed_where_three_are_cut_off_and_three_go_on(
    railed: int, beyond: int, largest: float, change: dict[str, object], told: int
) -> None:
    facts: list[dict[str, object]] = [{"rail": 2.0, "largest": 2.0, **change}] * railed + [
        {"largest": largest}
    ] * beyond
    seen = measured(facts, ["a"] * railed + ["b"] * beyond)
    assert [len(f.recordings) for f in found("mixed-ranges", seen)] == [railed] * told
    spoilt = [{**fact, "glitches": 1} if fact["largest"] == largest else fact for fact in facts]
    assert found("mixed-ranges", measured(spoilt, ["a"] * (railed + beyond))) == []


@pytest.mark.parametrize(
    ("votes", "own", "known", "told"),
    [
        ([1] * 7 + [2] * 2, 0, {0, 1}, True),
        ([1] * 6 + [2] * 3, 0, {0, 1}, False),
        ([1] * 8 + [0], 0, {0, 1}, False),
        ([1] * 9, 0, {0, 2}, False),
        ([], 0, {0}, False),
    ],
)
def test_a_label_is_doubted_where_seven_of_nine_agree_on_another(
    votes: list[int], own: int, known: set[int], told: bool
) -> None:
    assert suspicious_labels._contradicted(votes, own, known) == told
    assert suspicious_labels.NEIGHBOURS == 9


def sketched(count: int, people: int = 2) -> Survey:
    """Two classes far apart; the first recording is called the other one."""
    labels = [n // 2 % 2 for n in range(count)]
    seen = survey([str(n % people) for n in range(count)], [1, *labels[1:]])
    sketches = {r.id: np.array([10.0 * labels[n], n / 100], np.float32) for n, r in enumerate(seen.index)}
    return dataclasses.replace(seen, sketches=sketches)


@pytest.mark.parametrize(("count", "people", "told"), [(40, 2, 1), (17, 2, 0), (40, 1, 0)])
def test_labels_are_doubted_among_enough_of_other_people(count: int, people: int, told: int) -> None:
    assert [f.recordings for f in found("suspicious-labels", sketched(count, people))] == [("r000",)] * told


@pytest.mark.parametrize(
    ("kind", "recording", "path", "ids"),
    [
        ("missing", "r000", "a.mp4", ("r000",)),
        ("unpaired", "r001", "a.mp4", ("r001",)),
        ("corrupt", "r000", "a.mp4", ()),
        ("missing", "", "a.mp4", ()),
        ("missing", "nowhere", "a.mp4", ()),
        ("missing", "r000", "x/sync.csv", ()),  # said by `video-offset`
    ],
)
def test_what_lacks_a_partner_is_missing_or_unpaired(
    kind: str, recording: str, path: str, ids: tuple[str, ...]
) -> None:
    seen = survey(["a", "b"])
    problem = Problem(kind, recording, path, "says so")  # type: ignore[arg-type]
    seen = dataclasses.replace(seen, index=dataclasses.replace(seen.index, problems=(problem,)))
    assert [f.recordings for f in found("unpaired", seen)] == ([ids] if ids else [])


@pytest.mark.parametrize(("have", "ids"), [(2, ("r002", "r003")), (1, ()), (4, ())])
def test_a_stream_that_half_of_them_have_should_be_in_all(have: int, ids: tuple[str, ...]) -> None:
    seen = survey(["a", "b", "c", "d"])
    stream = Stream("rgb", "video", Path("/data/x.mp4"), 30.0, "uint8")
    paired = tuple(
        dataclasses.replace(r, streams={"rgb": stream} if n < have else {}) for n, r in enumerate(seen.index)
    )
    seen = dataclasses.replace(seen, index=dataclasses.replace(seen.index, recordings=paired))
    assert [f.recordings for f in found("unpaired", seen)] == ([ids] if ids else [])


@pytest.mark.parametrize(("confidence", "told"), [(1.49, 1), (1.5, 0)])
def test_a_peak_is_clear_from_one_and_a_half_on(confidence: float, told: int) -> None:
    row = SyncRow("r000", "accelerometer", "rgb", 0.1, 0.0, confidence, 4.0, 4.0)
    assert len(found("video-offset", survey(["a"], sync=(row,)))) == told
    of_others = dataclasses.replace(row, by="median")
    assert found("video-offset", survey(["a"], sync=(of_others,))) == []
