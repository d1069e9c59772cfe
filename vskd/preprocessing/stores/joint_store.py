"""The store of skeletons: recording id -> float32 (joints * axes, length)."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import h5py
import numpy as np
import numpy.typing as npt

from vskd.preprocessing.sensor.joints import cut_joints, read_joints, trajectories
from vskd.preprocessing.stores.store import Plan, StoreReport, build_store
from vskd.preprocessing.stores.store_file import Store
from vskd.preprocessing.stores.store_parts import keep_content
from vskd.preprocessing.sync.cut import Cut


@dataclass(frozen=True)
class JointSource:
    """A skeleton stream of one recording.

    Attributes:
        cut: the part that is stored, with the frames per second that its seconds count; None stores all frames.
    """

    id: str
    path: Path
    variable: str
    cut: tuple[Cut, float] | None = None


def build_joint_store(
    sources: Sequence[JointSource],
    out: Path,
    *,
    length: int,
    least_confidence: float = 0.0,
    max_bad_fraction: float = 0.0,
    overwrite: bool = False,
) -> StoreReport:
    """Resample the joints of recordings.

    Args:
        sources: what to read.
        out: the store, an HDF5 file.
        length: frames of each trajectory.
        least_confidence: see `read_joints`.
        max_bad_fraction: a larger fraction of corrupt recordings stops the build.
        overwrite: replace a store that was made with other settings.

    Raises:
        DataError: too many recordings are corrupt; they are named.
        CacheError: `out` was made with other settings.
        WriteError: `out` cannot be written.
    """
    settings = {"length": length} | ({"least_confidence": least_confidence} if least_confidence else {})
    plan = Plan(out, "joints", settings, max_bad_fraction)
    write = partial(_write, length=length, least_confidence=least_confidence)
    return build_store(plan, sources, write, description="Reading skeletons", overwrite=overwrite)


def _write(source: JointSource, file: h5py.File, *, length: int, least_confidence: float) -> None:
    joints = read_joints(source.path, source.variable, least_confidence)
    if source.cut is not None:
        joints = cut_joints(joints, *source.cut, source.path)
    data = file.create_dataset("data", data=trajectories(joints, length))
    keep_content(data, joints)


class JointStore(Store):
    """Reads trajectories by recording id."""

    kind = "joints"

    def joints(self, recording: str) -> npt.NDArray[np.float32]:
        """float32 (joints * axes, length), not to be changed."""
        return self.kept(recording)
