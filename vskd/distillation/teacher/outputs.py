"""A trained teacher's outputs: computed once and cached, or online, for a student's own batches."""

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor

from vskd.distillation.experiment import Experiment
from vskd.distillation.model import Model, load_model
from vskd.distillation.run import RunFolder
from vskd.distillation.teacher.admission import check_teacher_fits
from vskd.distillation.teacher.cache import Answers, Shapes, TeacherCache, TeacherKey, check_size, write_teacher_cache
from vskd.files import sha256_file, sha256_json
from vskd.locks import lock_of, only_writer
from vskd.modalities.base import Batch, Inputs
from vskd.modalities.sampling import epoch_seed
from vskd.network import OUTPUT_LAYERS, FeatureTaps, Outputs, layer_shapes


class TeacherSource(Protocol):
    """Gives a teacher's outputs for a student's batch.

    Attributes:
        ids: recordings whose outputs it can give.
        shapes: of its layers for one sample, those that a distiller may compare.
    """

    ids: frozenset[str]
    shapes: Shapes

    def outputs(self, batch: Batch) -> tuple[Outputs, tuple[str, ...], Tensor]:
        """Outputs on the batch's device, and the ids and labels they are of, for the pairing check."""


class CachedTeacher:
    """A teacher whose outputs were stored."""

    def __init__(self, cache: Answers) -> None:
        self._cache = cache
        self.ids, self.shapes = cache.ids, cache.shapes

    def outputs(self, batch: Batch) -> tuple[Outputs, tuple[str, ...], Tensor]:
        """See `TeacherSource`."""
        outputs, ids, labels = self._cache.outputs(batch.ids)
        return outputs.to(batch.inputs.device), ids, labels


class FollowsEpochs(ABC):
    """A source whose answers depend on the epoch."""

    @abstractmethod
    def start_epoch(self, epoch: int) -> None:
        """To be called before the first batch of every epoch, counted from 0, also after resuming."""

    @abstractmethod
    def views(self) -> "Sequence[TeacherSource]":
        """All that it says in turn, each by itself."""


class ViewedTeacher(FollowsEpochs):
    """A teacher that was shown several views of each recording; it says of each in turn, one an epoch.

    Args:
        views: what it said of each view; of the same recordings.
    """

    def __init__(self, views: Sequence[TeacherSource]) -> None:
        self._views, self._now = views, views[0]
        self.ids, self.shapes = frozenset.intersection(*(view.ids for view in views)), views[0].shapes

    def start_epoch(self, epoch: int) -> None:
        """The next view."""
        self._now = self._views[epoch % len(self._views)]

    def views(self) -> Sequence[TeacherSource]:
        """One of each view."""
        return self._views

    def outputs(self, batch: Batch) -> tuple[Outputs, tuple[str, ...], Tensor]:
        """See `TeacherSource`."""
        return self._now.outputs(batch)


class OnlineTeacher:
    """A teacher that looks at the student's own batch, random changes included: paired by construction.

    Args:
        model: sees what the student sees; what stands in front of its network may differ.
        inputs: the teacher's.
        layers: that terms compare, beside logits and embedding.
    """

    def __init__(self, model: Model, inputs: Inputs, layers: Sequence[str] = ()) -> None:
        self._model = model.eval().requires_grad_(False)
        self.ids, self.shapes, self._taps = inputs.ids, *tapped(model, inputs, layers)

    def outputs(self, batch: Batch) -> tuple[Outputs, tuple[str, ...], Tensor]:
        """See `TeacherSource`."""
        with torch.no_grad():
            outputs = self._taps.collect(self._model.to(batch.inputs.device)(batch.inputs))
        return outputs.fixed(), batch.ids, batch.labels


def tapped(model: Model, inputs: Inputs, layers: Sequence[str]) -> tuple[Shapes, FeatureTaps]:
    """Shapes of a model's outputs and of `layers` of its network, and the taps that see these.

    Raises:
        SettingError: the network has no such layer.
    """
    network, shape = model.network, inputs.network_shape
    shapes = layer_shapes(network, shape, (*OUTPUT_LAYERS, *layers))
    return shapes, FeatureTaps(network, layers)


@dataclasses.dataclass(frozen=True)
class FinishedTeacher:
    """A teacher's finished run, seen from an experiment of the same protocol.

    Attributes:
        folder: its run.
        experiment: the data as the teacher's own recipe prepares it.
    """

    folder: RunFolder
    experiment: Experiment

    @property
    def inputs(self) -> Inputs:
        """What the teacher sees."""
        return self.experiment.inputs

    @cached_property
    def model(self) -> Model:
        """The trained model, in evaluation mode."""
        return load_model(self.folder.path, self.inputs, self.experiment.classes)

    @cached_property
    def key(self) -> TeacherKey:
        """What a cache of its outputs belongs to."""
        return TeacherKey(sha256_file(self.folder.weights_file), self.inputs.hash)

    def cache(self, ids: Sequence[str] | None = None, layers: Sequence[str] = (), view: int = 0) -> TeacherCache:
        """Its outputs, computed once and stored in the experiment's cache.

        Args:
            ids: recordings that are enough, those that it cannot see left out; every recording that it can see by
                default. Where all of them are stored already, these serve for some too.
            layers: whose features are stored beside logits and embedding.
            view: 0 is the unchanged recording; others are changed at random as in training, seeded by the teacher's
                seed and this number.

        Raises:
            CacheError: the features would be absurdly large.
            SettingError: the network has no such layer.
        """
        key = self.key if view == 0 else TeacherKey(self.key.teacher_hash, self._view_hash(view))
        parts = [key.teacher_hash, key.inputs_hash, *sorted(layers)]
        folder, name = self.experiment.cache, f"teacher-{sha256_json(parts)[:12]}"
        path = folder / f"{name}.h5"
        if ids is not None and not path.is_file():
            path = folder / f"{name}-{sha256_json(sorted(ids))[:12]}.h5"
        with only_writer(lock_of(path), path, wait=True):
            if not path.is_file():
                self._write(path, ids, layers, key, view)
        return TeacherCache(path, key)

    def _view_hash(self, view: int) -> str:
        """Hash of what decides the samples of a view."""
        seed = self.experiment.recipe.seed
        return sha256_json([self.inputs.hash, self.inputs.sees.model_dump(mode="json"), seed, view])

    def _write(self, path: Path, ids: Sequence[str] | None, layers: Sequence[str], key: TeacherKey, view: int) -> None:
        inputs, wanted = self.inputs, self.experiment.recordings if ids is None else ids
        seen = tuple(i for i in wanted if i in inputs.ids)
        training = self.experiment.recipe.student.training
        seed = epoch_seed(self.experiment.recipe.seed, view) if view else None
        batches = inputs.batches(seen, batch_size=training.batch_size, seed=seed)
        shapes, taps = tapped(self.model, inputs, layers)
        check_size({layer: shapes[layer] for layer in layers}, batches.samples)
        write_teacher_cache(path, self.model, batches, key, taps)


def finished_teacher(experiment: Experiment, teacher_run: Path, *, admitted: bool = False) -> FinishedTeacher:
    """Open a teacher's run for an experiment.

    Args:
        experiment: the student's.
        teacher_run: folder of the teacher.
        admitted: whether it was found to fit before, the same teacher and the same data.

    Raises:
        RunError: its training has not finished.
        ProtocolError: it knows other classes, learned from recordings that this experiment tests on (under whatever
            id), or from labels that it hides.
    """
    folder = RunFolder(teacher_run)
    folder.require_complete()
    teacher = FinishedTeacher(folder, experiment.of_teacher(folder.recipe()))
    if not admitted:
        check_teacher_fits(experiment, folder, teacher.inputs)
    return teacher
