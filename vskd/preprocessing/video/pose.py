"""The pose of one person in each frame of a clip.

A person is looked for where the last frame's joints were, as MediaPipe does; the detector is asked where there is no
last frame, or nobody is there any more. A frame in which nobody is found has no pose: none is made up.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, Protocol

import numpy as np

from vskd.preprocessing.video.one_euro import OneEuro
from vskd.preprocessing.video.pose_geometry import ROOM, Picture, Square, about_person
from vskd.preprocessing.video.pose_landmarks import Body

Choice = Literal["nearest", "largest"]
"""Of several people: the one nearest to where the last frame's was (at first the largest), or in each frame the
largest."""


class PoseNetworks(Protocol):
    """Two networks; see `vskd.preprocessing.video.pose_networks`."""

    def find(self, picture: Picture) -> list[Square]:
        """A square about each person of a picture, the surest first."""

    def look(self, picture: Picture, square: Square) -> Body | None:
        """The person in a square; None where there is none."""


def bodies(
    frames: Iterable[Picture], networks: PoseNetworks, *, rate_hz: float, person: Choice = "nearest"
) -> Iterator[Body | None]:
    """One body for each frame; None where nobody is found.

    Args:
        frames: uint8 (height, width, 3), in order.
        networks: who look.
        rate_hz: frames per second.
        person: whom they look at, where there are several.
    """
    follow = _Follower(rate_hz)
    for frame in frames:
        found = networks.look(frame, follow.square) if follow.square is not None and person == "nearest" else None
        if found is None:
            follow.lose()
            square = chosen(networks.find(frame), follow.place if person == "nearest" else None)
            found = networks.look(frame, square) if square is not None else None
        if found is not None:
            follow.see(found)
        yield found


class _Follower:
    """Where the person of the last frame is looked for in the next.

    Attributes:
        square: about that person; None where nobody was there.
        place: where somebody was last.
    """

    def __init__(self, rate_hz: float) -> None:
        self._rate = rate_hz
        self.square: Square | None = None
        self.place: Square | None = None
        self.lose()

    def lose(self) -> None:
        """Nobody is there any more."""
        self.square, self._steady = None, OneEuro(self._rate, least_hz=0.01, slope=10.0)

    def see(self, body: Body) -> None:
        """Somebody is there."""
        self.place = body.square
        near = about_person(body.hips, body.reach)
        if near is None:
            self.lose()
            return
        hips, reach = self._steady(np.stack([body.hips, body.reach]), near.edge / ROOM)
        self.square = about_person(hips, reach)


def chosen(people: Sequence[Square], place: Square | None) -> Square | None:
    """The person nearest to a place, or the largest where there is no place; None where there is nobody."""
    if not people:
        return None
    if place is None:
        return max(people, key=lambda one: one.edge)
    return min(people, key=lambda one: math.hypot(one.x - place.x, one.y - place.y))
