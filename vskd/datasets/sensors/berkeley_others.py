"""Berkeley MHAD's cameras, motion capture and skeletons, where they lie beside the accelerometer files.

Data requirements, at any depth below the data set's folder, names in either case:
  `Camera/Cluster0C/Cam0K/Sss/Aaa/Rrr`     a video file in that folder, or of that name (`R01.avi`); the frames as
      single pictures, as the publisher gives them, are counted and not read
  `moc_sSS_aAA_rRR.txt`                    43 markers in mm, 480 rows a second
  `skl_sSS_aAA_rRR_pos.csv`                joints, as converters of BVH files write them
The rate of a video is that of the cameras' time stamps (`Time_stamps`) where they are there: about 22 frames/s, uneven.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from vskd.datasets.recording import Problem, Stream
from vskd.preprocessing.folders import files_below, shown

VIDEO = frozenset({".avi", ".mp4", ".mkv", ".mpg"})
PICTURES = frozenset({".pgm", ".ppm", ".png", ".jpg", ".bmp"})
CAMERA_HZ, MOCAP_HZ = 22.0, 480.0
_PLACE = re.compile(
    r"cluster(?P<cluster>\d+)/cam(?P<cam>\d+)/s(?P<s>\d+)/a(?P<a>\d+)/r(?P<r>\d+)(?:/[^/]+)?\.\w+", re.IGNORECASE
)
_SKELETON = re.compile(r"(?:(?P<moc>moc)_s(\d+)_a(\d+)_r(\d+)\.txt|skl_s(\d+)_a(\d+)_r(\d+)_pos\.csv)", re.IGNORECASE)


@dataclass(frozen=True)
class Other:
    """A stream of a recording, by subject, action and trial."""

    key: tuple[int, int, int]
    stream: Stream


def other_streams(root: Path, known: tuple[Path, ...], problems: list[Problem]) -> Iterator[Other]:
    """The streams below `root` that are no accelerometer's.

    Args:
        root: the data set's folder.
        known: folders that are read elsewhere.
        problems: what is not read is added.
    """
    pictures: Counter[Path] = Counter()
    for path in files_below(root):
        if any(folder in path.parents for folder in known):
            continue
        name, kind = path.relative_to(root).as_posix(), path.suffix.lower()
        if place := _PLACE.search(name):
            if kind in PICTURES:
                pictures[path.parent] += 1
            elif kind in VIDEO:
                yield _video(place, path)
        elif match := _SKELETON.fullmatch(path.name):
            yield _skeleton(match, path)
    if pictures:
        detail = f"{len(pictures)} clips are folders of single pictures, which are not read: make a video of each"
        problems.append(Problem("unknown", "", shown(min(pictures)), detail))


def _video(place: re.Match[str], path: Path) -> Other:
    cluster, camera, subject, action, trial = (int(place[word]) for word in ("cluster", "cam", "s", "a", "r"))
    where = f"cluster {cluster}, camera {camera}"
    name = f"rgb-cluster{cluster:02d}-cam{camera:02d}"
    return Other((subject, action, trial), Stream(name, "video", path, CAMERA_HZ, "uint8", placement=where))


def _skeleton(match: re.Match[str], path: Path) -> Other:
    subject, action, trial = (int(number) for number in match.groups()[1:] if number is not None)
    name, unit = ("markers", "mm") if match["moc"] else ("skeleton", "not stated")
    return Other((subject, action, trial), Stream(name, "skeleton", path, MOCAP_HZ, unit, ("x", "y", "z")))


def camera_rate(clock: Path) -> float:
    """Frames per second by a file of the cameras' time stamps; the usual rate where it is not there or says none."""
    try:
        lines = clock.read_text(encoding="ascii").split("\n")
        stamps = [float(line.split()[1]) for line in lines if line.strip()]
        return (len(stamps) - 1) / (stamps[-1] - stamps[0])
    except (OSError, ValueError, IndexError, ZeroDivisionError):
        return CAMERA_HZ
