"""Poses as MMAct gives them: JSON, for each frame one or two people with the 17 joints of COCO.

Layout: `{"<frame>": {"person1": [x, y, c, x, y, c, ...], "person2": [...]}, ...}`, in pixels, `c` a confidence; also
as 17 lists of three. A person that is not there is missing, empty, or all zeros; so is a joint. Frames are in the order
of the file. Read from the loader of cmc-cmkm; no file of MMAct was at hand.

Of two people, the nearest to the last frame's is taken, at first the larger. Deviation: cmc-cmkm takes the second
where there are two, and a joint that is not seen stays at the corner of the picture there.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from vskd.errors import DataError
from vskd.preprocessing.sensor.seen_joints import SeenJoints

JOINTS, AXES = 17, 2
PEOPLE = ("person1", "person2")
MOST_EMPTY = 0.5
"""Of the frames; in a recording with more, nobody is followed."""
_COPY_AGAIN = "Copy it again from the original data set"
Person = npt.NDArray[np.float32]


def read_pose_json(path: Path) -> SeenJoints:
    """The joints of one person, (17, 2, frames) in pixels.

    Raises:
        DataError: missing, no such file of poses, or nobody is in more than half of the frames.
    """
    frames = [_people(path, name, frame) for name, frame in _frames(path).items()]
    chosen: list[Person] = []
    last: Person | None = None
    for people in frames:
        person = _nearest(people, last)
        last = person if person is not None else last
        chosen.append(person if person is not None else np.full((JOINTS, AXES + 1), np.nan, np.float32))
    empty = sum(not people for people in frames)
    if empty > MOST_EMPTY * len(frames) or not frames:
        raise DataError(f"{path}: nobody is in {empty} of its {len(frames)} frames", "Leave this recording out")
    joints = np.stack(chosen, axis=2)  # (joints, x y c, frames)
    return SeenJoints(joints[:, :AXES], np.nan_to_num(joints[:, AXES]))


def _frames(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise DataError(f"{path}: no such file", "Check the data folder, or complete the download")
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{path}: not a readable JSON file ({error})", _COPY_AGAIN) from error
    if not isinstance(content, dict) or not all(isinstance(frame, dict) for frame in content.values()):
        raise DataError(f"{path}: is no object of frames with people in them", _COPY_AGAIN)
    return content


def _people(path: Path, frame: str, content: dict[str, Any]) -> list[Person]:
    """The people of a frame, each (17, 3); joints that are not seen are NaN."""
    found = []
    for name in PEOPLE:
        try:
            numbers = np.asarray(content.get(name) or [], dtype=np.float32).reshape(-1)
        except (ValueError, TypeError) as error:
            raise DataError(f"{path}: {name} of frame {frame} is not of numbers", _COPY_AGAIN) from error
        if numbers.size not in (0, JOINTS * (AXES + 1)):
            raise DataError(
                f"{path}: {name} of frame {frame} has {numbers.size} numbers, not {JOINTS} joints x, y, c", _COPY_AGAIN
            )
        person = numbers.reshape(-1, AXES + 1).copy()
        person[~(person[:, AXES] > 0)] = np.nan
        if np.isfinite(person).all(axis=1).any():
            found.append(person)
    return found


def _nearest(people: list[Person], last: Person | None) -> Person | None:
    """The person nearest to `last`, or the largest; None where there is nobody."""
    if not people:
        return None
    if last is None:
        return max(people, key=lambda one: np.prod(np.nanmax(one[:, :AXES], 0) - np.nanmin(one[:, :AXES], 0)))
    place = _middle(last)
    return min(people, key=lambda one: np.linalg.norm(_middle(one) - place))


def _middle(person: Person) -> npt.NDArray[np.float32]:
    return np.asarray(np.nanmean(person[:, :AXES], axis=0))
