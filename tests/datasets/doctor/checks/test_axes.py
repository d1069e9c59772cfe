"""A watch put on the other way round."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from tests.datasets.doctor.gathered import ACC, facts, found, ids_of, indexed, measured, surveyed
from tests.datasets.doctor.ward import Floats, findings, replaced, ward
from vskd.datasets.doctor.measure import SensorFacts
from vskd.datasets.recording import Recording


@pytest.mark.parametrize(
    ("order", "signs", "told"),
    [((0, 1, 2), (-1, -1, -1), "read as -x, -y, -z"), ((1, 2, 0), (1, 1, 1), "read as z, x, y")],
)
def test_axes_of_one_person(tmp_path: Path, order: tuple[int, ...], signs: tuple[int, ...], told: str) -> None:
    def turned(r: Recording, values: Floats) -> Floats:
        return values[:, order] * signs if r.subject == "5" else values

    found = [one for one in findings(ward(tmp_path, turned)) if one.check == "axes"]
    assert len(found) == 1 and "subject 5" in found[0].what and told in found[0].what
    assert len(found[0].recordings) == 6
    others = {one.check for one in findings(ward(tmp_path, turned))} - {"axes"}
    assert others <= {"suspicious-labels"}  # a turned walk looks like another class, and is one to a network


def test_each_hand_of_a_person_counts_alone(tmp_path: Path) -> None:
    def mirrored(r: Recording, values: Floats) -> Floats:
        return values * (-1, -1, -1) if r.subject == "5" and r.trial == "2" else values

    def worn(r: Recording) -> Recording:
        return dataclasses.replace(r, factors={"hand": "left" if r.subject == "5" and r.trial == "2" else "right"})

    found = [one for one in findings(replaced(ward(tmp_path, mirrored), worn)) if one.check == "axes"]
    assert [one.recordings for one in found] == [("s5_rest_t2", "s5_walk_t2", "s5_wave_t2")]
    assert "gravity of subject 5, left points elsewhere" in found[0].what


def tilted(degrees: float, length: float = 1.0) -> SensorFacts:
    """A mean sample so many degrees from z, towards y."""
    angle = np.deg2rad(degrees)
    return facts(direction=(0.0, float(length * np.sin(angle)), float(length * np.cos(angle))))


@pytest.mark.parametrize(
    ("own", "others", "told"),
    [
        (61, (0, 0, 0), True),
        (59, (0, 0, 0), False),  # less than 60 degrees
        (180, (0, 0), False),  # two others do not say what is usual
        (180, (0, 145, 0), True),  # the median is that of two
        (180, (70, 0, -70), True),
        (180, (75, 0, -75), False),  # they agree on no direction
    ],
)
def test_axes_point_elsewhere_by_more_than_sixty_degrees(own: float, others: tuple[float, ...], told: bool) -> None:
    seen = measured({str(n): [tilted(a)] for n, a in enumerate((own, *others))})
    assert (("s0-0",) in ids_of(found("axes", seen))) == told


@pytest.mark.parametrize(("length", "told"), [(0.29, False), (0.31, True)])
def test_others_that_agree_on_no_direction_say_nothing(length: float, told: bool) -> None:
    ones = found("axes", measured({"0": [tilted(180)], **{w: [tilted(0, length)] for w in "123"}}))
    assert bool(ones) == told and all(one.weight == pytest.approx(0.7 / 4) for one in ones)


@pytest.mark.parametrize(("off", "fits"), [(31, True), (33, False)])
def test_turned_axes_are_named_where_they_fit(off: float, fits: bool) -> None:
    """Beside the right turn by so many degrees, in two planes: a cosine of 0.85 is 31.8 degrees."""
    angle = np.deg2rad(off)
    other = facts(direction=(float(np.sin(angle) / 2**0.5), float(np.sin(angle) / 2**0.5), float(np.cos(angle))))
    ones = found("axes", measured({"0": [facts(direction=(0.0, 0.0, -1.0))], **{w: [other] for w in "123"}}))
    (one,) = [one for one in ones if "subject 0" in one.what]
    assert ("it fits" in one.what) == fits


def turned(degrees: float) -> list[SensorFacts]:
    angle = np.radians(degrees)
    return [facts(direction=(float(np.sin(angle)), 0.0, float(np.cos(angle))))] * 2


def test_the_turn_that_fits_best_is_named_or_none() -> None:
    upright = {w: [facts()] * 2 for w in "123"}
    (one,) = found("axes", measured({**upright, "4": turned(61.0)}))
    assert one.recordings == ("s4-0", "s4-1")
    assert one.what.endswith("gravity of subject 4 points elsewhere than that of the others; read as y, z, x it fits")
    (slant,) = found("axes", measured({**upright, "4": turned(135.0)}))  # no turn brings it nearer than 45 degrees
    assert slant.what.endswith("than that of the others")


@pytest.mark.parametrize("none", [(0.0, 0.0, 0.0), (1.0, 0.0)])
def test_directions_of_other_sensors_are_not_compared(none: tuple[float, ...]) -> None:
    assert found("axes", measured({**{w: [facts()] for w in "123"}, "4": [facts(direction=none)]})) == []
    five = measured({**{w: [facts()] for w in "123"}, "4": [facts(direction=none)], "5": turned(90)})
    assert ids_of(found("axes", five)) == [("s5-0", "s5-1")]


def test_only_classes_that_three_others_do_are_compared_and_each_counts_alike() -> None:
    """The fifth holds one class of three as the others do, one across, one, that two others do, upside down."""
    people = {**{w: [0, 1, 2] for w in "12"}, "3": [0, 1], "4": [0, 1], "5": [0, 1, 2, 2, 2]}
    index = indexed(people)

    def seen(second: float) -> list[tuple[str, ...]]:
        own = {0: tilted(0.0), 1: tilted(second), 2: tilted(180.0)}
        sensors = {r.id: own[r.label] if r.subject == "5" else tilted(0.0) for r in index}
        return ids_of(found("axes", surveyed(index, sensors={"acc": sensors})))

    assert seen(89.0) == [] and len(seen(91.0)) == 1


def test_axes_are_called_as_in_the_first_recording_of_who_is_named() -> None:
    seen = measured({**{w: [facts()] * 2 for w in "123"}, "4": turned(61.0)})
    called = {"acc": dataclasses.replace(ACC, axes=("a", "b", "c"))}
    recordings = [r if r.id == "s4-0" else dataclasses.replace(r, streams=called) for r in seen.index]
    (one,) = found(
        "axes", dataclasses.replace(seen, index=dataclasses.replace(seen.index, recordings=tuple(recordings)))
    )
    assert one.what.endswith("read as y, z, x it fits")
