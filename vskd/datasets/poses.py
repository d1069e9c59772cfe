"""Poses that `vskd preprocess pose` made of a data set's videos, as streams of its recordings.

They lie in the data set's own folder, `poses/<stream of the video>`, with a list of them. Of `rgb` they are the streams
`pose-rgb` (joints in pixels of the picture) and `pose-rgb-world` (in metres about the hips, without the way through the
room).
"""

import functools
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from vskd.datasets.recording import Index, Problem, Recording, Stream
from vskd.preprocessing.folders import shown, subfolders

FOLDER, LIST = "poses", "poses.json"
_AGAIN = "run `vskd preprocess pose` again"


def pose_folder(root: Path, stream: str) -> Path:
    """Where the poses of a video stream lie."""
    return root / FOLDER / stream


def posed(lister: Callable[[Path], Index]) -> Callable[[Path], Index]:
    """An `index` function that finds the poses in the folder, too."""

    @functools.wraps(lister)
    def index(root: Path) -> Index:
        return with_poses(lister(root))

    return index


def with_poses(index: Index) -> Index:
    """The index with the poses that are in its folder; what is wrong with them is named.

    Of a pose file nothing is read here. One whose video has another size now is left out.

    Raises:
        DataError: the folder cannot be listed.
    """
    problems = list(index.problems)
    every = index.everything
    recordings = {recording.id: recording for recording in every}
    folder = index.root / FOLDER
    for one in subfolders(folder) if folder.is_dir() else ():
        if (one / LIST).is_file():
            _add(one, recordings, problems)
    if len(problems) == len(index.problems) and all(recordings[r.id] is r for r in every):
        return index
    problems.sort(key=lambda p: (p.kind, p.recording, p.path, p.detail))
    return replace(index.with_recordings(recordings[r.id] for r in every), problems=tuple(problems))


def _add(folder: Path, recordings: dict[str, Recording], problems: list[Problem]) -> None:
    try:
        content: dict[str, dict[str, Any]] = json.loads((folder / LIST).read_bytes())
        rows, left_out = content["recordings"], content["left_out"]
        files = {i: (str(row["file"]), int(row["video_bytes"])) for i, row in rows.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        problems.append(Problem("corrupt", "", shown(folder / LIST), f"no list of poses ({error}); {_AGAIN}"))
        return
    for i, detail in left_out.items():
        problems.append(Problem("missing", i, shown(folder), f"no pose of {folder.name}: {detail}"))
    for i, (name, size) in files.items():
        video = recordings[i].streams.get(folder.name) if i in recordings else None
        if video is None:
            detail = f"a pose of {folder.name}, of which there is no video; {_AGAIN}"
            problems.append(Problem("missing", i, shown(folder / name), detail))
        elif not (folder / name).is_file():
            problems.append(Problem("missing", i, shown(folder / name), f"the pose is listed, not there; {_AGAIN}"))
        elif not video.path.is_file() or video.path.stat().st_size != size:
            detail = f"a pose of another video than {video.path.name} is now; {_AGAIN}"
            problems.append(Problem("missing", i, shown(folder / name), detail))
        else:
            streams = {**recordings[i].streams, **_streams(video, folder / name)}
            recordings[i] = replace(recordings[i], streams=streams)


def _streams(video: Stream, path: Path) -> dict[str, Stream]:
    """Both streams of a pose file."""
    image = Stream(
        f"pose-{video.name}",
        "skeleton",
        path,
        video.rate_hz,
        "px",
        ("x", "y", "z"),
        variable="image",
        placement=video.placement,
    )
    world = replace(image, name=f"{image.name}-world", unit="m", variable="world")
    return {image.name: image, world.name: world}
