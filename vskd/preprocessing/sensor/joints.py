"""Skeleton files to joint trajectories: float32 (joints, 3, frames), in the body's own frame. No torch."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from vskd.errors import DataError
from vskd.preprocessing.matfile import read_mat
from vskd.preprocessing.sensor.signals import resample_to_length
from vskd.preprocessing.sync.cut import Cut

Joints = npt.NDArray[np.float32]
MIN_FRAMES = 2


def read_joints(path: Path, variable: str = "") -> Joints:
    """Joint positions of one recording, (joints, 3, frames) in the file's unit.

    Raises:
        DataError: unreadable, of another shape, too short, or not finite.
    """
    joints = np.asarray(read_mat(path, variable), dtype=np.float32)
    if joints.ndim != 3 or joints.shape[1] != 3 or joints.shape[2] < MIN_FRAMES:
        raise DataError(
            f"{path}: a skeleton has (joints, 3, {MIN_FRAMES} frames or more), this has {joints.shape}",
            "Check that this is a skeleton file",
        )
    if not np.isfinite(joints).all():
        raise DataError(f"{path}: {int((~np.isfinite(joints)).sum())} joint coordinates are not finite", "Repair it")
    return joints


def cut_joints(joints: Joints, cut: Cut, rate_hz: float, path: Path) -> Joints:
    """The frames of the part that is kept, (joints, 3, fewer frames).

    Args:
        joints: (joints, 3, frames).
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
    middle = joints.mean(axis=0, keepdims=True)  # (1, 3, frames)
    size = float(np.sqrt(((joints - middle) ** 2).sum(axis=1).mean()))
    if size <= 0:
        raise DataError("all joints of the skeleton are at one place", "Check that the sensor saw a person")
    return np.asarray((joints - middle.mean(axis=2, keepdims=True)) / size, dtype=np.float32)


def trajectories(joints: Joints, length: int) -> npt.NDArray[np.float32]:
    """(joints, 3, frames) -> (joints * 3, length): every coordinate resampled to `length` times."""
    return resample_to_length(in_body_frame(joints).reshape(-1, joints.shape[2]), length)
