"""The teacher cache: teacher outputs stored once per recording, keyed by the teacher's and the preprocessing's hash."""

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import h5py
import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from vskd.errors import CacheError, CheckpointError, DamagedCacheError, first_few
from vskd.files import atomic_path
from vskd.modalities.base import Batch, Batches
from vskd.network import FeatureTaps, Outputs
from vskd.preprocessing.stores.checksum import DAMAGE, checked, crc32, seal
from vskd.preprocessing.stores.store_file import text
from vskd.preprocessing.stores.store_parts import writing_hdf5
from vskd.progress import track

logger = logging.getLogger(__name__)

SCHEMA = "vskd-teacher-cache/3"
BYTES_PER_SAMPLE = 4096
"""Room to have before beginning: logits, an embedding of some hundred values, label and id."""
KEPT_BYTES = 1 << 26
"""Datasets that take no more are read once."""
STATED_BYTES = 100 * 2**20
"""Features that take more are announced."""
LARGEST_BYTES = 20 * 2**30
"""Features that take more are refused: a deeper layer says as much in less, or the teacher can look at batches."""

Shapes = Mapping[str, tuple[int, ...]]


class Answers(Protocol):
    """What was stored of a teacher's outputs, or of several teachers' as one; see `TeacherCache`."""

    @property
    def ids(self) -> frozenset[str]:
        """Recordings whose outputs are stored."""

    @property
    def shapes(self) -> Shapes:
        """Of the stored layers for one sample."""

    def outputs(self, ids: Sequence[str]) -> tuple[Outputs, tuple[str, ...], torch.Tensor]:
        """Outputs for recordings, with the ids and labels they were stored under."""


@dataclass(frozen=True)
class TeacherKey:
    """What a cache belongs to: hash of the teacher's weights, and of what it was shown."""

    teacher_hash: str
    inputs_hash: str


def feature_bytes(shapes: Shapes, samples: int) -> int:
    """Size of the named features of all samples, in bytes of float32."""
    return 4 * samples * sum(math.prod(shape) for shape in shapes.values())


def check_size(shapes: Shapes, samples: int) -> None:
    """Say how large the features of a cache will be, before hours are spent.

    Raises:
        CacheError: absurdly large.
    """
    size = feature_bytes(shapes, samples)
    layers = ", ".join(f"{name} {'x'.join(map(str, shape))}" for name, shape in shapes.items())
    if size > LARGEST_BYTES:
        raise CacheError(
            f"The features {layers} of {samples} samples would take {size / 2**30:.0f} GiB in the teacher cache",
            "Name a deeper, smaller layer in the term, or let the teacher look at the batches "
            "(distiller.teacher_outputs: online)",
        )
    if size > STATED_BYTES:
        logger.warning("the teacher cache will hold %.1f GiB of features (%s)", size / 2**30, layers)


def write_teacher_cache(
    path: Path, network: nn.Module, batches: Batches, key: TeacherKey, taps: FeatureTaps | None = None
) -> None:
    """Run the teacher once over all samples, in evaluation mode, and store what it says.

    Args:
        path: the HDF5 file.
        network: returns `Outputs`.
        batches: every sample once.
        key: what the cache belongs to.
        taps: sees the layers whose features are stored too; none by default.

    Raises:
        CheckpointError: an output is NaN or infinite; nothing is left behind.
        WriteError: the file cannot be written; nothing is left behind.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    network = network.to(device).eval()
    room = BYTES_PER_SAMPLE * batches.samples
    with atomic_path(path) as temporary, writing_hdf5(temporary, room) as file, torch.inference_mode():
        texts = {"schema": SCHEMA, "teacher_hash": key.teacher_hash, "inputs_hash": key.inputs_hash}
        file.attrs.update({name: np.bytes_(text) for name, text in texts.items()})
        ids: list[bytes] = []
        sums: list[int] = []
        for batch in track(batches, "Teacher outputs", total=len(batches)):
            outputs: Outputs = network(batch.inputs.to(device))
            features = {} if taps is None else taps.collect(outputs).features
            stored = Outputs(outputs.logits, outputs.embedding, features)
            if not stored.finite:
                raise CheckpointError(
                    f"The teacher's outputs for {first_few(batch.ids, 3, ', ')} hold NaN or infinity",
                    "Train the teacher again with a lower training.learning_rate, or leave out broken recordings",
                )
            arrays = _arrays(batch, stored)
            _append(file, arrays)
            ids += [i.encode() for i in batch.ids]
            sums += row_sums(ids[-len(batch.ids) :], list(arrays.values()))
        seal(file.create_dataset("ids", data=np.array(ids)))  # a recording whose id is damaged would just be missing
        file["crc32"] = np.array(sums, dtype=np.uint32)


def _arrays(batch: Batch, outputs: Outputs) -> dict[str, npt.NDArray[Any]]:
    """What is stored of a batch but its ids, in the order of the checksums."""
    return {
        "logits": outputs.logits.float().cpu().numpy(),
        "embedding": outputs.embedding.float().cpu().numpy(),
        "labels": batch.labels.numpy(),
        **{f"features/{name}": outputs.features[name].float().cpu().numpy() for name in sorted(outputs.features)},
    }


def row_sums(ids: Sequence[bytes], arrays: Sequence[npt.NDArray[Any]]) -> list[int]:
    """CRC-32 of all that is stored of each recording, its id first: rows that changed places are noticed too."""
    return [crc32(np.frombuffer(i, np.uint8), *(array[row] for array in arrays)) for row, i in enumerate(ids)]


def _append(file: h5py.File, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
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
        key: which teacher and inputs it must be of.

    Attributes:
        shapes: of the stored layers for one sample, logits and embedding among them.

    Raises:
        CacheError: of another teacher, other inputs or another version.
        DamagedCacheError: unreadable.
    """

    def __init__(self, path: Path, key: TeacherKey) -> None:
        self.path = path
        self._file: h5py.File | None = None
        action = f"Delete {path} and run the command again; it is made anew"
        try:
            with h5py.File(path, "r", locking=False) as file:
                if text(file, "schema") != SCHEMA:
                    raise CacheError(f"{path} is not a teacher cache of this version", action)
                found = TeacherKey(text(file, "teacher_hash"), text(file, "inputs_hash"))
                self._names = [i.decode() for i in checked(file["ids"]).tolist()]
                self._sums = file["crc32"][:]
                layers = ("logits", "embedding", *(f"features/{name}" for name in _layers(file)))
                self.shapes: Shapes = {
                    layer.removeprefix("features/"): tuple(int(n) for n in file[layer].shape[1:]) for layer in layers
                }
        except DAMAGE as error:
            raise DamagedCacheError(path, f"Teacher cache {path} cannot be read: {error}", action) from error
        if found != key:
            which = "teacher" if found.teacher_hash != key.teacher_hash else "preprocessing"
            raise CacheError(f"{path} holds the outputs of another {which}", action)
        self._row = {recording: row for row, recording in enumerate(self._names)}
        self._kept: dict[str, npt.NDArray[Any]] = {}

    @property
    def ids(self) -> frozenset[str]:
        """Recordings whose outputs are stored."""
        return frozenset(self._row)

    def outputs(self, ids: Sequence[str]) -> tuple[Outputs, tuple[str, ...], torch.Tensor]:
        """Outputs for recordings, with the ids and labels they were stored under, for the pairing check.

        Raises:
            CacheError: a recording is not in the cache, or what is stored of it is not finite.
            DamagedCacheError: what is stored of one is not what was written.
        """
        try:
            rows = np.array([self._row[i] for i in ids])
        except KeyError as error:
            raise CacheError(
                f"Teacher cache {self.path} has no outputs for recording {error}",
                "Delete the cache and run again, or check that its file can be read",
            ) from error
        if self._file is None:  # opened late: an HDF5 handle must not cross into another process
            self._file = h5py.File(self.path, "r", locking=False)
        ordered, inverse = np.unique(rows, return_inverse=True)  # HDF5 reads rows in increasing order only
        features = [layer for layer in self.shapes if layer not in ("logits", "embedding")]
        stored = ("logits", "embedding", "labels", *(f"features/{layer}" for layer in features))
        try:
            arrays = [self._rows(self._file, name, ordered) for name in stored]
            self._check(ordered, arrays)
        except DAMAGE as error:
            raise DamagedCacheError(
                self.path,
                f"Teacher cache {self.path} is damaged: {error}",
                f"Delete {self.path} and run the command again",
            ) from error
        logits, embedding, labels, *found = (torch.from_numpy(array[inverse]) for array in arrays)
        outputs = Outputs(logits, embedding, dict(zip(features, found, strict=True)))
        if not outputs.finite:
            raise CacheError(
                f"Teacher cache {self.path} holds NaN or infinity for some of {first_few(list(ids), 3, ', ')}",
                f"Delete {self.path} and run the command again; it is made anew",
            )
        return outputs, tuple(self._names[r] for r in rows), labels

    def _rows(self, file: h5py.File, name: str, rows: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
        """Some rows of a dataset, which stays in memory where it is small: HDF5 takes milliseconds for each batch."""
        if name not in self._kept:
            dataset = file[name]
            if dataset.size * dataset.dtype.itemsize > KEPT_BYTES:
                return np.asarray(dataset[rows])
            self._kept[name] = dataset[()]
        return self._kept[name][rows]

    def _check(self, rows: npt.NDArray[np.int64], arrays: Sequence[npt.NDArray[Any]]) -> None:
        """Compare rows with their checksums.

        Raises:
            OSError: one differs.
        """
        sums = row_sums([self._names[r].encode() for r in rows], arrays)
        wrong = [self._names[r] for r, found in zip(rows, sums, strict=True) if found != self._sums[r]]
        if wrong:
            raise OSError(f"the checksum of {wrong[0]} is wrong")


def _layers(file: h5py.File) -> list[str]:
    """Names of the features that are stored, which may hold points."""
    return sorted(file.get("features", {}))
