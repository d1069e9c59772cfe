"""The teacher cache: teacher outputs stored once per recording, keyed by the teacher's and the preprocessing's hash."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import torch
from torch import nn

from vskd.distillation.data import Batch
from vskd.distillation.inputs import Batches
from vskd.errors import CacheError
from vskd.files import atomic_path
from vskd.network import Outputs
from vskd.preprocessing.stores.store_parts import writing_hdf5
from vskd.progress import track

SCHEMA = "vskd-teacher-cache/1"
BYTES_PER_SAMPLE = 4096
"""Room to have before beginning: logits, an embedding of some hundred values, label and id."""


@dataclass(frozen=True)
class TeacherKey:
    """What a cache belongs to: hash of the teacher's weights, and of the frames it was shown."""

    teacher_hash: str
    frames_hash: str


def write_teacher_cache(path: Path, network: nn.Module, batches: Batches, key: TeacherKey) -> None:
    """Run the teacher once over all clips or images, in evaluation mode, and store what it says.

    Raises:
        WriteError: the file cannot be written; nothing is left behind.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    network = network.to(device).eval()
    room = BYTES_PER_SAMPLE * batches.samples
    with atomic_path(path) as temporary, writing_hdf5(temporary, room) as file, torch.inference_mode():
        file.attrs.update(schema=SCHEMA, teacher_hash=key.teacher_hash, frames_hash=key.frames_hash)
        for batch in track(batches, "Teacher outputs", total=len(batches)):
            outputs = network(batch.inputs.to(device))
            _append(file, batch, outputs)


def _append(file: h5py.File, batch: Batch, outputs: Outputs) -> None:
    arrays = {
        "logits": outputs.logits.float().cpu().numpy(),
        "embedding": outputs.embedding.float().cpu().numpy(),
        "labels": batch.labels.numpy(),
        "ids": np.array([i.encode() for i in batch.ids], dtype=h5py.string_dtype()),
    }
    for name, rows in arrays.items():
        if name not in file:
            file.create_dataset(name, data=rows, maxshape=(None, *rows.shape[1:]), chunks=True)
        else:
            start = len(file[name])
            file[name].resize(start + len(rows), axis=0)
            file[name][start:] = rows


class TeacherCache:
    """Teacher outputs, read by recording id.

    Args:
        path: the HDF5 file.
        key: which teacher and frames it must be of.

    Raises:
        CacheError: unreadable, or of another teacher or other frames.
    """

    def __init__(self, path: Path, key: TeacherKey) -> None:
        self.path = path
        self._file: h5py.File | None = None
        action = f"Delete {path} and run the command again; it is made anew"
        try:
            with h5py.File(path, "r") as file:
                if file.attrs.get("schema") != SCHEMA:
                    raise CacheError(f"{path} is not a teacher cache of this version", action)
                found = TeacherKey(str(file.attrs["teacher_hash"]), str(file.attrs["frames_hash"]))
                self._names = [i.decode() for i in file["ids"][:]]
                self.embedding_size = int(file["embedding"].shape[1])
        except (OSError, KeyError) as error:
            raise CacheError(f"Teacher cache {path} cannot be read: {error}", action) from error
        if found != key:
            which = "teacher" if found.teacher_hash != key.teacher_hash else "preprocessing of frames"
            raise CacheError(f"{path} holds the outputs of another {which}", action)
        self._row = {recording: row for row, recording in enumerate(self._names)}

    @property
    def ids(self) -> frozenset[str]:
        """Recordings whose outputs are stored."""
        return frozenset(self._row)

    def outputs(self, ids: Sequence[str]) -> tuple[Outputs, tuple[str, ...], torch.Tensor]:
        """Outputs for recordings, with the ids and labels they were stored under, for the pairing check.

        Raises:
            CacheError: a recording is not in the cache.
        """
        try:
            rows = np.array([self._row[i] for i in ids])
        except KeyError as error:
            raise CacheError(
                f"Teacher cache {self.path} has no outputs for recording {error}",
                "Delete the cache and run again, or check that its video can be read",
            ) from error
        if self._file is None:  # opened late: an HDF5 handle must not cross into another process
            self._file = h5py.File(self.path, "r")
        ordered, inverse = np.unique(rows, return_inverse=True)  # HDF5 reads rows in increasing order only
        try:
            logits, embedding, labels = (
                torch.from_numpy(self._file[name][ordered][inverse]) for name in ("logits", "embedding", "labels")
            )
        except (OSError, KeyError) as error:
            raise CacheError(
                f"Teacher cache {self.path} is damaged: {error}", f"Delete {self.path} and run the command again"
            ) from error
        return Outputs(logits, embedding), tuple(self._names[r] for r in rows), labels
