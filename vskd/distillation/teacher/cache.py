"""The teacher cache: teacher outputs stored once per recording, keyed by the teacher's and the preprocessing's hash."""

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import torch
from torch import nn

from vskd.errors import CacheError, CheckpointError, first_few
from vskd.files import atomic_path
from vskd.modalities.base import Batch, Batches
from vskd.network import FeatureTaps, Outputs
from vskd.preprocessing.stores.store_parts import writing_hdf5
from vskd.progress import track

logger = logging.getLogger(__name__)

SCHEMA = "vskd-teacher-cache/2"
BYTES_PER_SAMPLE = 4096
"""Room to have before beginning: logits, an embedding of some hundred values, label and id."""
STATED_BYTES = 100 * 2**20
"""Features that take more are announced."""
LARGEST_BYTES = 20 * 2**30
"""Features that take more are refused: a deeper layer says as much in less, or the teacher can look at batches."""

Shapes = Mapping[str, tuple[int, ...]]


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
        batches: in order and unchanged.
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
        file.attrs.update(schema=SCHEMA, teacher_hash=key.teacher_hash, inputs_hash=key.inputs_hash)
        for batch in track(batches, "Teacher outputs", total=len(batches)):
            outputs: Outputs = network(batch.inputs.to(device))
            features = {} if taps is None else taps.collect(outputs).features
            stored = Outputs(outputs.logits, outputs.embedding, features)
            if not stored.finite:
                raise CheckpointError(
                    f"The teacher's outputs for {first_few(batch.ids, 3, ', ')} hold NaN or infinity",
                    "Train the teacher again with a lower training.learning_rate, or leave out broken recordings",
                )
            _append(file, batch, stored)


def _append(file: h5py.File, batch: Batch, outputs: Outputs) -> None:
    arrays = {
        "logits": outputs.logits.float().cpu().numpy(),
        "embedding": outputs.embedding.float().cpu().numpy(),
        "labels": batch.labels.numpy(),
        "ids": np.array([i.encode() for i in batch.ids], dtype=h5py.string_dtype()),
        **{f"features/{name}": feature.float().cpu().numpy() for name, feature in outputs.features.items()},
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
        key: which teacher and inputs it must be of.

    Attributes:
        shapes: of the stored layers for one sample, logits and embedding among them.

    Raises:
        CacheError: unreadable, or of another teacher or other inputs.
    """

    def __init__(self, path: Path, key: TeacherKey) -> None:
        self.path = path
        self._file: h5py.File | None = None
        action = f"Delete {path} and run the command again; it is made anew"
        try:
            with h5py.File(path, "r") as file:
                if file.attrs.get("schema") != SCHEMA:
                    raise CacheError(f"{path} is not a teacher cache of this version", action)
                found = TeacherKey(str(file.attrs["teacher_hash"]), str(file.attrs["inputs_hash"]))
                self._names = [i.decode() for i in file["ids"][:]]
                layers = ("logits", "embedding", *(f"features/{name}" for name in file.get("features", {})))
                self.shapes: Shapes = {
                    layer.removeprefix("features/"): tuple(int(n) for n in file[layer].shape[1:]) for layer in layers
                }
        except (OSError, KeyError) as error:
            raise CacheError(f"Teacher cache {path} cannot be read: {error}", action) from error
        if found != key:
            which = "teacher" if found.teacher_hash != key.teacher_hash else "preprocessing"
            raise CacheError(f"{path} holds the outputs of another {which}", action)
        self._row = {recording: row for row, recording in enumerate(self._names)}

    @property
    def ids(self) -> frozenset[str]:
        """Recordings whose outputs are stored."""
        return frozenset(self._row)

    def outputs(self, ids: Sequence[str]) -> tuple[Outputs, tuple[str, ...], torch.Tensor]:
        """Outputs for recordings, with the ids and labels they were stored under, for the pairing check.

        Raises:
            CacheError: a recording is not in the cache, or what is stored of it is not finite.
        """
        try:
            rows = np.array([self._row[i] for i in ids])
        except KeyError as error:
            raise CacheError(
                f"Teacher cache {self.path} has no outputs for recording {error}",
                "Delete the cache and run again, or check that its file can be read",
            ) from error
        if self._file is None:  # opened late: an HDF5 handle must not cross into another process
            self._file = h5py.File(self.path, "r")
        ordered, inverse = np.unique(rows, return_inverse=True)  # HDF5 reads rows in increasing order only
        features = [layer for layer in self.shapes if layer not in ("logits", "embedding")]
        stored = ("logits", "embedding", "labels", *(f"features/{layer}" for layer in features))
        try:
            logits, embedding, labels, *found = (
                torch.from_numpy(self._file[name][ordered][inverse]) for name in stored
            )
        except (OSError, KeyError) as error:
            raise CacheError(
                f"Teacher cache {self.path} is damaged: {error}", f"Delete {self.path} and run the command again"
            ) from error
        outputs = Outputs(logits, embedding, dict(zip(features, found, strict=True)))
        if not outputs.finite:
            raise CacheError(
                f"Teacher cache {self.path} holds NaN or infinity for some of {first_few(list(ids), 3, ', ')}",
                f"Delete {self.path} and run the command again; it is made anew",
            )
        return outputs, tuple(self._names[r] for r in rows), labels
