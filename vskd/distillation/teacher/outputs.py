"""What a trained teacher says of recordings: once for all, in a cache, or of a student's own batches."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor, nn

from vskd.distillation.data import Batch
from vskd.distillation.experiment import Experiment
from vskd.distillation.inputs import Inputs, teacher_inputs
from vskd.distillation.networks import load_teacher
from vskd.distillation.run import RunFolder
from vskd.distillation.teacher.cache import TeacherCache, TeacherKey, write_teacher_cache
from vskd.errors import ProtocolError
from vskd.files import sha256_file, sha256_json
from vskd.network import Outputs


class TeacherSource(Protocol):
    """Gives a teacher's outputs for a student's batch."""

    def outputs(self, batch: Batch) -> tuple[Outputs, tuple[str, ...], Tensor]:
        """Outputs on the batch's device, and the ids and labels they are of, for the pairing check."""


class CachedTeacher:
    """A teacher whose outputs for the unchanged recordings were stored."""

    def __init__(self, cache: TeacherCache) -> None:
        self._cache = cache

    def outputs(self, batch: Batch) -> tuple[Outputs, tuple[str, ...], Tensor]:
        """See `TeacherSource`."""
        outputs, ids, labels = self._cache.outputs(batch.ids)
        device = batch.inputs.device
        return Outputs(outputs.logits.to(device), outputs.embedding.to(device)), ids, labels


class OnlineTeacher:
    """A teacher that looks at the student's own batch, random changes included: paired by construction.

    Args:
        network: sees what the student sees.
    """

    def __init__(self, network: nn.Module) -> None:
        self._network = network.eval().requires_grad_(False)

    def outputs(self, batch: Batch) -> tuple[Outputs, tuple[str, ...], Tensor]:
        """See `TeacherSource`."""
        with torch.no_grad():
            outputs: Outputs = self._network.to(batch.inputs.device)(batch.inputs)
        features = {name: feature.float() for name, feature in outputs.features.items()}
        return Outputs(outputs.logits.float(), outputs.embedding.float(), features), batch.ids, batch.labels


@dataclasses.dataclass(frozen=True)
class FinishedTeacher:
    """A teacher's finished run, seen from an experiment of the same protocol.

    Attributes:
        folder: its run.
        seen: the experiment's data as the teacher's own recipe prepares it.
    """

    folder: RunFolder
    seen: Experiment

    @property
    def inputs(self) -> Inputs:
        """What the teacher sees."""
        return teacher_inputs(self.seen)

    def network(self) -> nn.Module:
        """The trained network, in evaluation mode."""
        return load_teacher(self.folder.path, len(self.seen.index.labels), self.inputs.channels)

    @property
    def key(self) -> TeacherKey:
        """What a cache of its outputs belongs to."""
        return TeacherKey(sha256_file(self.folder.weights_file), self.inputs.hash)

    def cache(self, ids: Sequence[str] | None = None) -> TeacherCache:
        """Its outputs, computed once and stored in the experiment's cache.

        Args:
            ids: recordings that are enough, those that it cannot see left out; every recording that it can see by
                default. Where all of them are stored already, these serve for some too.
        """
        key = self.key
        name = f"teacher-{sha256_json([key.teacher_hash, key.frames_hash])[:12]}"
        path = self.seen.cache / f"{name}.h5"
        if ids is not None and not path.is_file():
            path = self.seen.cache / f"{name}-{sha256_json(sorted(ids))[:12]}.h5"
        if not path.is_file():
            inputs, wanted = self.inputs, self.seen.recordings if ids is None else ids
            seen = tuple(i for i in wanted if i in inputs.ids)
            write_teacher_cache(path, self.network(), inputs.batches(seen), key)
        return TeacherCache(path, key)


def finished_teacher(experiment: Experiment, teacher_run: Path) -> FinishedTeacher:
    """Open a teacher's run for an experiment.

    Raises:
        RunError: its training has not finished.
        ProtocolError: it was trained on recordings that this experiment tests on.
    """
    folder = RunFolder(teacher_run, "teacher")
    folder.require_complete()
    check_teacher_fits(experiment, folder)
    return FinishedTeacher(folder, Experiment(folder.recipe(), experiment.index, experiment.split, experiment.cache))


def check_teacher_fits(experiment: Experiment, folder: RunFolder) -> None:
    """A teacher of another split would carry the test people's recordings into the student's training.

    The rule and its fold are compared, not the lists of recordings: the teacher may have seen training videos whose
    sensor file is missing.

    Raises:
        ProtocolError: the protocols or folds differ.
    """
    facts = folder.facts()
    if facts["protocol_hash"] != experiment.split.protocol_hash:
        raise ProtocolError(
            f"The teacher in {folder.path} was trained on another split ({facts['protocol']}) "
            f"than this run ({experiment.split.protocol})",
            "Train a teacher with the same protocol and data, or leave out --teacher-run",
        )
