"""Whom the networks look at from frame to frame; the networks are stood in for by a list of people."""

from dataclasses import dataclass, field, replace

import numpy as np

from vskd.preprocessing.video.one_euro import OneEuro
from vskd.preprocessing.video.pose import bodies, chosen
from vskd.preprocessing.video.pose_geometry import ROOM, Picture, Square
from vskd.preprocessing.video.pose_landmarks import JOINTS, Body


def person(x: float, y: float, size: float) -> Square:
    return Square(x, y, 2 * ROOM * size)


@dataclass
class Stage:
    """Frames are numbered by their pixels; a look finds the person whose middle is within the square, if one is."""

    cast: list[list[Square]]
    asked: list[int] = field(default_factory=list)

    def find(self, picture: Picture) -> list[Square]:
        self.asked.append(int(picture[0, 0, 0]))
        return self.cast[picture[0, 0, 0]]

    def look(self, picture: Picture, square: Square) -> Body | None:
        inside = [p for p in self.cast[picture[0, 0, 0]] if max(abs(p.x - square.x), abs(p.y - square.y)) < 5]
        if not inside:
            return None
        one = inside[0]
        joints, middle = np.zeros((JOINTS, 3)), np.array([one.x, one.y])
        joints[:, :2] = middle
        ones = np.ones(JOINTS)
        reach = middle - [0, one.edge / (2 * ROOM)]
        return Body(joints, joints, ones, ones, 1.0, square, middle, reach)


def played(stage: Stage, who: str) -> list[float | None]:
    """x of the person in each frame."""
    frames = [np.full((2, 2, 3), number, np.uint8) for number in range(len(stage.cast))]
    found = bodies(frames, stage, rate_hz=30.0, person=who)  # type: ignore[arg-type]
    return [None if body is None else float(body.joints[0, 0]) for body in found]


def test_at_first_the_largest_then_the_nearest() -> None:
    small, large = person(10, 10, 5), person(60, 10, 9)
    stage = Stage([[small, large], [person(9, 10, 20), person(62, 10, 9)], [person(8, 10, 20), person(63, 10, 9)]])
    assert played(stage, "nearest") == [60, 62, 63]
    assert stage.asked == [0], "while somebody is followed, nobody is looked for"
    assert played(stage, "largest") == [60, 9, 8]


def test_who_is_lost_is_looked_for_near_the_last_place() -> None:
    """In the frame of the loss itself; frames without a person have none."""
    stage = Stage([[person(60, 10, 9)], [], [person(10, 10, 20), person(70, 10, 9)], [person(10, 10, 20)]])
    assert played(stage, "nearest") == [60, None, 70, 10]
    assert stage.asked == [0, 1, 2, 3]


def test_of_nobody_nobody_is_chosen() -> None:
    assert chosen([], None) is None and chosen([], person(1, 1, 1)) is None


def test_an_empty_clip_has_no_bodies() -> None:
    assert played(Stage([]), "nearest") == []


def test_the_square_follows_by_the_filter_of_one_euro() -> None:
    """What the networks are asked to look at, against the filter applied by hand; after a loss it begins anew."""
    path = [(60.0, 10.0), (63.0, 11.0), (62.0, 12.0)]
    cast = [[person(x, y, 9)] for x, y in path]
    stage = Stage([*cast, [], *cast])
    looked: list[Square] = []
    look = stage.look
    stage.look = lambda picture, square: looked.append(square) or look(picture, square)  # type: ignore[method-assign]
    assert played(stage, "nearest") == [60, 63, 62, None, 60, 63, 62]
    steady, expected = OneEuro(30.0, least_hz=0.01, slope=10.0), [person(60, 10, 9)]
    for x, y in path:
        hips, reach = steady(np.array([[x, y], [x, y - 9]]), 2 * 9)
        expected.append(Square(hips[0], hips[1], 2 * ROOM * (hips[1] - reach[1])))
    again = expected[:3]
    for found, wanted in zip(looked, [*expected, *again], strict=True):
        np.testing.assert_allclose([found.x, found.y, found.edge], [wanted.x, wanted.y, wanted.edge])


def test_who_has_no_extent_is_looked_for_again() -> None:
    """Hips and head at one point give no square; the place is remembered all the same."""
    stage = Stage([[person(60, 10, 9)], [person(10, 10, 20), person(61, 10, 9)]])
    look = stage.look

    def flat(picture: Picture, square: Square) -> Body | None:
        body = look(picture, square)
        return body and replace(body, reach=body.hips)

    stage.look = flat  # type: ignore[method-assign]
    assert played(stage, "nearest") == [60, 61]
    assert stage.asked == [0, 1]


def test_the_largest_and_the_nearest_by_hand() -> None:
    people = [person(10, 10, 5), person(60, 10, 9), person(40, 50, 7)]
    assert chosen(people, None) == people[1] and chosen(people[::-1], None) == people[1]
    for x, y, index in ((0, 0, 0), (55, 20, 1), (30, 40, 2), (40, 11, 1), (12, 60, 2)):
        assert chosen(people, person(x, y, 30)) == people[index]
