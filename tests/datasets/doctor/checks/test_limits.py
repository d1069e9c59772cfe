"""The limits of the checks: what lies just within is healthy, what lies just beyond is not. No file is read."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from vskd.datasets.doctor.catalog import CHECKS
from vskd.datasets.doctor.checks.video_offset import CLEAR
from vskd.datasets.doctor.finding import Finding
from vskd.datasets.doctor.measure import SensorFacts
from vskd.datasets.doctor.survey import Survey
from vskd.datasets.recording import Index, Problem, Recording, Stream
from vskd.datasets.splits.split import Split
from vskd.datasets.splits.split_facts import split_facts
from vskd.datasets.sync.table import OWN, SyncRow
from vskd.preprocessing.sensor.signal_facts import SignalFacts
from vskd.preprocessing.sync import align

NOWHERE = Path("nowhere")
HEALTHY = SensorFacts(
    signal=SignalFacts(200, 3.98, 50.0, 0, 0.0, 0.0, 0, 2.0, 1.0, ""),
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


def indexed(people: Mapping[str, Sequence[int]], *streams: Stream) -> Index:
    """Recordings `s1-0`, `s1-1`..., one for each label of a subject."""
    own = {s.name: s for s in streams or (Stream("acc", "sensor", NOWHERE, 50.0, "g", ("x", "y", "z")),)}
    recordings = tuple(
        Recording(f"s{who}-{n}", who, str(n), label, who, own)
        for who, labels in people.items()
        for n, label in enumerate(labels)
    )
    return Index("sensor-folder", NOWHERE, ("rest", "walk", "wave"), recordings)


def surveyed(index: Index, **gathered: object) -> Survey:
    empty = {"sensors": {}, "unreadable": {}, "contents": {}, "sketches": {}}
    return Survey(index, **{**empty, **gathered})  # type: ignore[arg-type]


def found(check: str, survey: Survey) -> list[Finding]:
    return list(CHECKS[check].find(survey))


@pytest.mark.parametrize(
    ("check", "within", "beyond"),
    [
        ("saturation", {"saturated": 0.02}, {"saturated": 0.021}),
        ("still", {"still": 0.79}, {"still": 0.8}),
        ("wrong-rate", {"rate_hz": 54.9}, {"rate_hz": 55.1}),
        ("wrong-rate", {"rate_hz": 45.1}, {"rate_hz": 44.9}),
        ("wrong-rate", {"rate_hz": 99.0, "clocked": False}, {"rate_hz": 99.0}),
        ("short", {"seconds": 0.48}, {"seconds": 0.47}),  # one sample more than from the first to the last
        ("gaps", {"longest_gap_s": 1.0}, {"gaps": 1}),
        ("glitches", {"largest": 99.0}, {"glitches": 1}),
        ("stamps", {"clock": ("1 gap",)}, {"clock": ("1 gap", "2 stamps late")}),
        ("dead", {"still": 1.0}, {"dead": "axis x"}),
        ("gravity", {"rest": 2.0}, {"gravity": "2 g"}),
    ],
)
def test_of_one_recording(check: str, within: dict[str, object], beyond: dict[str, object]) -> None:
    index = indexed({"1": [0, 1]})
    survey = surveyed(index, sensors={"acc": {"s1-0": facts(**within), "s1-1": facts(**within)}})
    assert found(check, survey) == []
    (one,) = found(check, dataclasses.replace(survey, sensors={"acc": {"s1-0": facts(), "s1-1": facts(**beyond)}}))
    assert one.recordings == ("s1-1",) and one.what.startswith("acc: 1 of 2 recordings") and one.share == 0.5
    assert "e.g. s1-1: " in one.what and "{" not in one.action


def test_the_window_that_a_model_will_see_is_the_shortest_recording() -> None:
    survey = surveyed(indexed({"1": [0]}), sensors={"acc": {"s1-0": facts()}})
    assert found("short", dataclasses.replace(survey, window_s=4.0)) == []  # 3.98 s from the first to the last sample
    assert found("short", dataclasses.replace(survey, window_s=4.001))[0].recordings == ("s1-0",)


@pytest.mark.parametrize(
    ("check", "healthy", "ill", "touched"),
    [
        ("few-people", {"12345": [0]}, {"1234": [0]}, 4),
        ("few-people", {"1": [0] * 9}, {"12": [0]}, 2),  # of one alone `one-person` speaks
        ("few-recordings", {"1": [0, 1, 2] * 5}, {"1": [0, 1] * 5 + [2] * 4}, 4),
        ("imbalance", {"1": [0] * 10 + [1] * 2}, {"1": [0] * 11 + [1] * 2 + [2] * 3}, 2),
        ("imbalance", {"1": [0] * 10}, {"1": [0] * 16 + [1] + [2] * 3}, 4),
        ("dominant-person", {"1": [0] * 6, "23": [0] * 2}, {"1": [0] * 7, "23": [0] * 2}, 7),
        ("dominant-person", {"1": [0] * 9}, {"1": [0] * 13, "2": [0] * 4, "3": [0] * 5, "4": [0]}, 13),
        ("one-person", {"12": [0]}, {"1": [0, 1]}, 2),
        ("one-person-class", {"12": [0, 1]}, {"1": [0, 1], "2": [0]}, 1),
        ("one-person-class", {"1": [0, 1]}, {"1": [0], "2": [2]}, 1),
        ("few-people-class", {"12345": [0, 1]}, {"123": [0], "45": [0, 1]}, 2),
        ("few-people-class", {"12": [0, 1], "34": [0]}, {"12": [0, 1], "345": [0]}, 2),
        ("unknown-people", {"1": [0]}, {"unknown": [0], "1": [0]}, 1),
    ],
)
def test_of_people_and_classes(
    check: str, healthy: dict[str, list[int]], ill: dict[str, list[int]], touched: int
) -> None:
    """`123` is three people who do the same."""

    def index(people: dict[str, list[int]]) -> Index:
        alone = {w: v for who, v in people.items() for w in ([who] if who == "unknown" else who)}
        return indexed(alone)

    assert found(check, surveyed(index(healthy))) == []
    assert len(found(check, surveyed(index(ill)))[0].recordings) == touched


def test_one_class_of_one_person_each_is_two_findings() -> None:
    ones = found("one-person-class", surveyed(indexed({"1": [2], "2": [0]})))
    assert [one.what for one in ones] == ["only subject 2 does rest", "only subject 1 does wave"]


def test_an_empty_set_is_of_nobody() -> None:
    empty = surveyed(indexed({}))
    assert [one for name in CHECKS for one in found(name, empty) if name != "few-recordings"] == []


@pytest.mark.parametrize(
    ("rates", "count"),
    [
        ([50.25] * 5, 0),
        ([50.26] * 5, 5),
        ([49.74] * 5, 5),
        ([54.9] * 5, 5),
        ([55.1] * 5, 0),  # of more `wrong-rate` speaks
        ([51.0] * 4, 0),
        ([51.0, 51.0, 51.0, 50.1, 49.0], 3),
    ],
)
def test_drift_is_of_all_clocks(rates: list[float], count: int) -> None:
    many = {f"s1-{n}": facts(rate_hz=rate, seconds=10.0) for n, rate in enumerate(rates)}
    survey = surveyed(indexed({"1": [0] * 6}), sensors={"acc": {**many, "s1-5": facts(rate_hz=51.0, seconds=9.9)}})
    ones = found("drift", survey)
    assert [len(one.recordings) for one in ones] == [count] * bool(count)
    deaf = {i: dataclasses.replace(f, clocked=False) for i, f in many.items()}
    assert not found("drift", dataclasses.replace(survey, sensors={"acc": deaf}))


def test_drift_says_the_rate_of_the_median() -> None:
    many = {f"s1-{n}": facts(rate_hz=rate, seconds=60.0) for n, rate in enumerate([50.5, 51.0, 51.0, 51.5, 52.0])}
    (one,) = found("drift", surveyed(indexed({"1": [0] * 5}), sensors={"acc": many}))
    assert "5 of 5 long recordings are off by +2.00% (median)" in one.what and one.action.endswith("as 51 Hz")


def rails(count: int, beyond: int, **changes: object) -> Survey:
    """`count` recordings cut off at 2 g, `beyond` of more than 3 g."""
    cut = {f"s1-{n}": facts(rail=2.0, **changes) for n in range(count)}
    wide = {f"s2-{n}": facts(largest=3.1) for n in range(beyond)}
    index = indexed({"1": [0] * count, "2": [0] * beyond})
    return surveyed(index, sensors={"acc": {**cut, **wide}})


def test_two_ranges_are_three_recordings_each() -> None:
    (one,) = found("mixed-ranges", rails(3, 3))
    assert one.recordings == ("s1-0", "s1-1", "s1-2")
    assert "3 recordings are cut off at 2 g (subjects 1), and 3 others go on to more than 1.5 times that" in one.what
    for other in (rails(2, 3), rails(3, 2), rails(3, 3, dead="axis x"), rails(3, 3, still=0.1)):
        assert found("mixed-ranges", other) == []
    more = rails(3, 3)
    for changes in ({"largest": 3.0}, {"largest": 3.1, "glitches": 1}):
        wide = {i: facts(**changes) if i.startswith("s2") else f for i, f in more.sensors["acc"].items()}
        assert found("mixed-ranges", dataclasses.replace(more, sensors={"acc": wide})) == []


def test_of_several_rails_the_commonest_is_the_range() -> None:
    survey = rails(7, 3)
    own = {f"s1-{n}": facts(rail=0.5 if n < 3 else 2.0) for n in range(7)}
    (one,) = found("mixed-ranges", dataclasses.replace(survey, sensors={"acc": {**survey.sensors["acc"], **own}}))
    assert one.recordings == ("s1-3", "s1-4", "s1-5", "s1-6") and "at 2 g" in one.what


@pytest.mark.parametrize(("rest", "odd"), [(3.0, False), (3.1, True), (1 / 3, False), (0.32, True)])
def test_units_differ_by_more_than_three_times(rest: float, odd: bool) -> None:
    sensors = {f"s{who}-0": facts(rest=rest if who == 3 else 1.0) for who in (1, 2, 3)}
    sensors["s1-1"] = facts(rest=0.0)  # it never rests: it says nothing
    index = indexed({"1": [0, 0], "2": [0], "3": [0]})
    ones = found("mixed-units", surveyed(index, sensors={"acc": sensors}))
    assert [one.recordings for one in ones] == [("s3-0",)] * odd
    assert found("mixed-units", surveyed(index, sensors={"acc": {"s1-1": facts(rest=0.0)}})) == []


def turned(degrees: float, people: int = 4, length: float = 1.0) -> Survey:
    """The last of `people` holds the sensor at an angle to the others, who agree to `length`."""
    angle = np.radians(degrees)
    own = {str(n): (0.0, 0.0, length) for n in range(1, people)}
    own[str(people)] = (float(np.sin(angle)), 0.0, float(np.cos(angle)))
    index = indexed({who: [0, 1] for who in own})
    sensors = {r.id: facts(direction=own[r.subject]) for r in index}
    return surveyed(index, sensors={"acc": sensors})


def test_gravity_points_elsewhere_beyond_sixty_degrees() -> None:
    assert found("axes", turned(59.9)) == [] and found("axes", turned(90.0, people=3)) == []
    (one,) = found("axes", turned(61.0))
    assert one.recordings == ("s4-0", "s4-1")
    assert one.what.endswith("gravity of subject 4 points elsewhere than that of the others; read as y, z, x it fits")
    assert found("axes", turned(61.0, length=0.29)) == [] and len(found("axes", turned(61.0, length=0.31))) == 1
    (slant,) = found("axes", turned(135.0))  # no order and no sign brings it nearer than 45 degrees
    assert slant.what.endswith("than that of the others")


def test_directions_of_other_sensors_are_not_compared() -> None:
    survey = turned(90.0)
    for none in ((0.0, 0.0, 0.0), (1.0, 0.0)):
        sensors = {i: facts(direction=none) if i.startswith("s4") else f for i, f in survey.sensors["acc"].items()}
        assert found("axes", dataclasses.replace(survey, sensors={"acc": sensors})) == []


def test_a_stream_that_half_of_the_recordings_have_is_missed_in_the_others() -> None:
    index = indexed({"1": [0] * 4})
    second = Stream("second", "sensor", NOWHERE, 50.0, "g")
    for count, lacking in ((1, []), (2, ["s1-2", "s1-3"])):
        some = tuple(
            dataclasses.replace(r, streams={**r.streams, "second": second}) if n < count else r
            for n, r in enumerate(index)
        )
        ones = found("unpaired", surveyed(dataclasses.replace(index, recordings=some)))
        assert [list(one.recordings) for one in ones] == [lacking] * bool(lacking)


@pytest.mark.parametrize("kind", ["missing", "unpaired"])
def test_recordings_that_the_index_calls_incomplete_lack_a_file(kind: str) -> None:
    index = indexed({"1": [0, 0]})
    told = (Problem(kind, "s1-1", "x.mp4", ""), Problem(kind, "s9-9", "y.mp4", ""), Problem("corrupt", "s1-0", "z", ""))  # type: ignore[arg-type]
    (one,) = found("unpaired", surveyed(dataclasses.replace(index, problems=told)))
    assert one.recordings == ("s1-1",) and one.what == "1 recordings lack what others have (a file)"


def test_copies_of_one_class_are_counted_and_three_of_them_named() -> None:
    index = indexed({"1": [0, 0, 0, 0, 1, 1]})
    contents = {**{f"s1-{n}": "a" for n in range(4)}, "s1-4": "b", "s1-5": "b"}
    (one,) = found("duplicates", surveyed(index, contents=contents))
    assert one.what == ("6 recordings of 2 contents: copies, or parts of a file that are one, e.g. s1-0 = s1-1 = s1-2")
    assert found("duplicates", surveyed(index, contents={"s1-0": "a", "s1-4": "a", "s1-1": "b"})) == []
    (two,) = found("two-labels", surveyed(index, contents={"s1-0": "a", "s1-4": "a", "s1-1": "b"}))
    assert two.recordings == ("s1-0", "s1-4") and two.what.endswith("rest and walk")


@pytest.mark.parametrize(("kind", "word"), [("unknown", "fit no recording"), ("duplicate", "given twice")])
def test_files_are_named_by_recording_or_path(kind: str, word: str) -> None:
    told = (Problem(kind, "", "a.csv", "odd"), Problem(kind, "s1-0", "b.csv", "odd"), Problem("missing", "", "c", ""))  # type: ignore[arg-type]
    (one,) = found("names", surveyed(dataclasses.replace(indexed({"1": [0]}), problems=told)))
    assert one.recordings == ("a.csv", "s1-0") and word in one.what and one.what.startswith("2 ")


def test_a_protocol_that_keeps_people_apart_or_shares_none_is_no_finding() -> None:
    index = indexed({"1": [0, 0], "2": [0, 0]})
    shared = Split(("s1-0", "s2-0"), (), ("s1-1", "s2-1"), "p", None, "x", "x", "none")
    apart = dataclasses.replace(shared, train=("s1-0", "s1-1"), test=("s2-0", "s2-1"))
    for split, touched in ((shared, 2), (dataclasses.replace(shared, disjoint="subject"), 0), (apart, 0)):
        survey = surveyed(index, splits=(split,), shared=(split_facts(index, split, {}),))
        assert [len(one.recordings) for one in found("same-people", survey)] == [touched] * bool(touched)


def test_source_videos_on_both_sides_are_counted_too() -> None:
    index = indexed({"1": [0], "2": [0], "3": [0]})
    clips = tuple(dataclasses.replace(r, clip="a" if r.subject != "3" else "b") for r in index)
    index = dataclasses.replace(index, recordings=clips)
    split = Split(("s1-0",), (), ("s2-0", "s3-0"), "p", None, "x", "x", "none")
    (one,) = found("same-people", surveyed(index, splits=(split,), shared=(split_facts(index, split, {}),)))
    assert one.recordings == ("s2-0",)
    assert one.what.startswith("protocol p: 0 of 2 people and 1 of 2 source videos of the test part train")


@pytest.mark.parametrize(("confidence", "by", "doubtful"), [(1.5, OWN, 0), (1.4, OWN, 1), (1.4, "median", 0)])
def test_lines_without_a_clear_peak(confidence: float, by: str, doubtful: int) -> None:
    row = SyncRow("s1-0", "acc", "rgb", 0.1, 0.0, confidence, 4.0, 4.0, by)
    assert len(found("video-offset", surveyed(indexed({"1": [0]}), sync=(row,)))) == doubtful
    assert CLEAR == align.CLEAR


def test_leaks_name_the_fold_and_every_recording_of_the_shared_content() -> None:
    index = indexed({"1": [0, 0], "2": [0, 0]})
    split = Split(("s1-0", "s1-1"), (), ("s2-0", "s2-1"), "p", "2", "x", "x")
    survey = surveyed(index, splits=(split,), contents={"s1-0": "a", "s1-1": "b", "s2-1": "a"})
    (one,) = found("leaks", survey)
    assert one.recordings == ("s1-0", "s2-1") and one.what.startswith("protocol p, fold 2: ")
    assert found("leaks", dataclasses.replace(survey, contents={"s1-0": "a", "s2-1": "b"})) == []


def test_neighbours_that_agree_contradict_a_label() -> None:
    """Seven neighbours of one other class do; six do not, nor any where one neighbour is of the own class."""
    from vskd.datasets.doctor.checks.suspicious_labels import _contradicted

    assert _contradicted([1] * 7 + [2, 2], 0, {0, 1}) and not _contradicted([1] * 6 + [2] * 3, 0, {0, 1})
    assert not _contradicted([1] * 8 + [0], 0, {0, 1}) and not _contradicted([1] * 9, 0, {0, 2})


def test_a_share_is_of_all_recordings_with_those_too_damaged_to_be_listed() -> None:
    index = indexed({"1": [0, 0]})
    damaged = (
        Problem("corrupt", "s9-0", "", ""), Problem("corrupt", "", "z", ""), Problem("corrupt", "s1-0", "", ""),
        Problem("missing", "s9-1", "", ""),
    )  # fmt: skip
    survey = surveyed(dataclasses.replace(index, problems=damaged))
    assert survey.total == 3 and survey.name == "sensor-folder --data nowhere"
    assert CHECKS["dead"].finding(survey, "", ["s1-0"], "").share == 1 / 3
    assert CHECKS["dead"].finding(survey, "", list("abcdef"), "").share == 1
    assert CHECKS["dead"].finding(surveyed(indexed({})), "", [], "").share == 0


def test_the_null_class_is_whole_recordings_of_it() -> None:
    index = dataclasses.replace(indexed({"1": [0, 1]}), null_class="rest")
    assert [surveyed(index).is_null(i) for i in ("s1-0", "s1-1")] == [True, False]
    assert not surveyed(dataclasses.replace(index, null_class="")).is_null("s1-0")
