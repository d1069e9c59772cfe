"""Skeleton files to joint trajectories: float32 (joints, axes, frames), in the body's own frame. No torch.

A skeleton is a .mat file (joints, 3, frames), a table of points over time (.txt, .csv; see marker_file.py), a file of
poses that `vskd preprocess pose` made of a video (.h5), or one of MMAct (.json, two axes).
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from vskd.errors import DataError
from vskd.preprocessing.matfile import mat_shape, read_mat
from vskd.preprocessing.sensor.marker_file import SUFFIXES as POINTS
from vskd.preprocessing.sensor.marker_file import count_points, read_points
from vskd.preprocessing.sensor.seen_joints import SeenJoints, completed
from vskd.preprocessing.sensor.signals import resample_to_length
from vskd.preprocessing.sync.cut import Cut

Joints = npt.NDArray[np.float32]
MIN_FRAMES = 2
POSES, POSE_JSON = ".h5", ".json"
"""How files of poses end."""


def read_joints(path: Path, variable: str = "", least_confidence: float = 0.0) -> Joints:
    """Joint positions of one recording, (joints, axes, frames) in the file's unit.

    Args:
        path: the file.
        variable: of a .mat file; of poses, `image` or `world`.
        least_confidence: joints of a pose that are less sure are missing; see `completed`. Others have no confidence.

    Raises:
        DataError: unreadable, of another shape, too short, not finite, or nobody is seen in it.
    """
    if has_confidence(path):
        try:
            return completed(_seen(path, variable), least_confidence)
        except DataError as error:
            if str(path) in error.problem:
                raise
            raise DataError(f"{path}: {error.problem}", error.action) from error
    joints = read_points(path) if path.suffix.lower() in POINTS else np.asarray(read_mat(path, variable), np.float32)
    if joints.ndim != 3 or joints.shape[1] != 3 or joints.shape[2] < MIN_FRAMES:
        raise DataError(
            f"{path}: a skeleton has (joints, 3, {MIN_FRAMES} frames or more), this has {joints.shape}",
            "Check that this is a skeleton file",
        )
    if not np.isfinite(joints).all():
        raise DataError(f"{path}: {int((~np.isfinite(joints)).sum())} joint coordinates are not finite", "Repair it")
    return joints


def joints_shape(path: Path, variable: str = "") -> tuple[int, int]:
    """(joints, axes) of a skeleton file, by its head or its kind.

    Raises:
        DataError: the file is missing, damaged, or has no such variable.
    """
    if path.suffix == POSES:
        return 33, 3
    if path.suffix == POSE_JSON:
        return 17, 2
    if path.suffix.lower() in POINTS:
        return count_points(path), 3
    joints, axes, *_ = mat_shape(path, variable)
    return joints, axes


def has_confidence(path: Path) -> bool:
    """Whether a file is one of poses, which a network saw in a picture: each joint has a confidence, and y points down.

    >>> has_confidence(Path("a.h5")), has_confidence(Path("a.mat"))
    (True, False)
    """
    return path.suffix in (POSES, POSE_JSON)


def _seen(path: Path, variable: str) -> SeenJoints:
    """A file of poses; what reads it is loaded when it is needed."""
    if path.suffix == POSE_JSON:
        from vskd.preprocessing.video.pose_json import read_pose_json

        return read_pose_json(path)
    from vskd.preprocessing.stores.pose_store import SPACES, VISIBILITY, read_poses

    if variable not in SPACES:
        raise DataError(f"{path}: poses are in {' or '.join(SPACES)}, not '{variable}'", "Name one of them")
    data = np.moveaxis(read_poses(path)[0], 0, 2)  # (joints, columns, frames)
    return SeenJoints(data[:, SPACES[variable]], np.nan_to_num(data[:, VISIBILITY]))


def cut_joints(joints: Joints, cut: Cut, rate_hz: float, path: Path) -> Joints:
    """The frames of the part that is kept, (joints, axes, fewer frames).

    Args:
        joints: (joints, axes, frames).
        cut: in seconds since the first frame.
        rate_hz: frames per second.
        path: for messages.

    Raises:
        DataError: fewer than two frames are kept.
    """
    times = np.arange(joints.shape[2]) / rate_hz
    kept = joints[..., (times >= cut.start_s) & (times < cut.end_s)]
    if kept.shape[2] < MIN_FRAMES:
        raise DataError(
            f"{path}: of its {joints.shape[2]} frames, {kept.shape[2]} lie between {cut.start_s:g} and {cut.end_s:g} s",
            "Correct or delete sync.csv",
        )
    return kept


def in_body_frame(joints: Joints) -> Joints:
    """Positions about the recording's mean position, in units of the body's size.

    The size is the root mean square distance of the joints from the middle of the body, over all frames, so that tall
    and short people, near and far from the camera, have alike trajectories. Movement through the room stays.

    Raises:
        DataError: all joints coincide.
    """
    middle = joints.mean(axis=0, keepdims=True)  # (1, axes, frames)
    size = np.sqrt(((joints - middle) ** 2).sum(axis=1).mean())
    if size <= 0:
        raise DataError("all joints of the skeleton are at one place", "Check that the sensor saw a person")
    return np.asarray((joints - middle.mean(axis=2, keepdims=True)) / size, dtype=np.float32)


def trajectories(joints: Joints, length: int) -> npt.NDArray[np.float32]:
    """(joints, axes, frames) -> (joints * axes, length): every coordinate resampled to `length` times."""
    return resample_to_length(in_body_frame(joints).reshape(-1, joints.shape[2]), length)
