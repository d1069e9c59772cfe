"""The one Lightning module: a network learning from a distiller. A teacher is a student without one."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from vskd.datasets.recording import UNLABELLED
from vskd.distillation.distiller import Distiller
from vskd.distillation.divergence import diverged
from vskd.distillation.lightning_imports import LightningModule, MulticlassAccuracy, MulticlassF1Score
from vskd.distillation.model import Model
from vskd.distillation.optimizer import build_optimizer, build_schedule
from vskd.distillation.teacher.outputs import FollowsEpochs, TeacherSource
from vskd.distillation.teacher.pairing import check_paired, same_labels
from vskd.errors import CacheError, CheckpointError, DataError, VskdError, first_few
from vskd.modalities.base import Batch
from vskd.modalities.sampling import epoch_seed
from vskd.network import FeatureTaps, Outputs
from vskd.recipe import Training

Loader = Callable[[int], Iterable[Batch]]
"""Gives the batches of one epoch, by its number."""


class DistillationTask(LightningModule):
    """A model learning from a distiller, and from a teacher's outputs where the distiller wants them.

    Args:
        model: the student, or a teacher in its own training.
        distiller: (student outputs, teacher outputs or None, labels, positions) -> weighted loss terms.
        teacher: gives the teacher's outputs; None where the distiller needs no teacher.
        taps: sees the layers of the student that terms compare.
        classes: number of classes.
        training: budget and optimizer.
        seed: of the run; the random state of an epoch depends on it and the epoch's number only.
        train_batches: the training batches of an epoch.
        validation_batches: the validation batches; None where there are none.
    """

    def __init__(
        self,
        model: Model,
        distiller: Distiller,
        teacher: TeacherSource | None = None,
        taps: FeatureTaps | None = None,
        *,
        classes: int,
        training: Training,
        seed: int,
        train_batches: Loader,
        validation_batches: Loader | None,
    ) -> None:
        super().__init__()
        self.model, self.distiller = model, distiller
        self._teacher = (teacher,)  # in a tuple, so that a teacher's network is neither trained nor saved
        self._taps = taps
        self._training, self._seed = training, seed
        self._train_batches, self._validation_batches = train_batches, validation_batches
        self.accuracy = MulticlassAccuracy(classes, average="micro")
        self.macro_f1 = MulticlassF1Score(classes, average="macro")

    def train_dataloader(self) -> Iterable[Batch]:
        """Lightning's hook; called at every epoch."""
        return self._train_batches(self.current_epoch)

    def val_dataloader(self) -> Iterable[Batch]:
        """Lightning's hook."""
        return self._validation_batches(0) if self._validation_batches else []

    def on_train_epoch_start(self) -> None:
        """Make dropout and TRN's relations depend on (seed, epoch) only, so that resuming repeats them; tell the
        distiller and the teacher, whose temperature or view may depend on the epoch."""
        seed = epoch_seed(self._seed, self.current_epoch)
        torch.manual_seed(seed)
        self.model.network.reseed(seed)
        self.distiller.start_epoch(self.current_epoch)
        (teacher,) = self._teacher
        if isinstance(teacher, FollowsEpochs):
            teacher.start_epoch(self.current_epoch)

    def training_step(self, batch: Batch, _: int) -> Tensor:
        """The sum of the distiller's terms for one batch, its pairing asserted.

        Raises:
            DivergedError: it is not finite.
            DataError: nor is the batch.
        """
        said: Outputs = self.model(batch.inputs)
        features = {} if self._taps is None else self._taps.collect(said).features
        student = Outputs(said.logits.float(), said.embedding.float(), features)
        terms: dict[str, Tensor] = self.distiller(student, self._teacher_outputs(batch), batch.labels, batch.positions)
        loss = torch.stack(list(terms.values())).sum()
        if not torch.isfinite(loss):
            raise self._not_finite(batch, terms)
        figures = {"train/loss": loss.detach(), **{f"train/{name}": value.detach() for name, value in terms.items()}}
        self.log_dict(figures, on_epoch=True, on_step=False, batch_size=len(batch.ids))
        return loss

    def _not_finite(self, batch: Batch, terms: Mapping[str, Tensor]) -> VskdError:
        """What made a loss NaN or infinite: the batch, or the training itself."""
        wrong = [i for i, sample in zip(batch.ids, batch.inputs, strict=True) if not bool(torch.isfinite(sample).all())]
        if wrong:
            return DataError(
                f"The sample(s) of {first_few(wrong, 3, ', ')} hold NaN or infinity",
                "Mend or remove these recordings, and delete the stores in the cache",
            )
        said = ", ".join(f"{name} {value.item():g}" for name, value in terms.items() if not torch.isfinite(value))
        return diverged(f"the loss is not finite ({said or 'the sum of its terms'})", self.current_epoch)

    def _teacher_outputs(self, batch: Batch) -> Outputs | None:
        (teacher,) = self._teacher
        if teacher is None:
            return None
        outputs, ids, labels = teacher.outputs(batch)
        if not outputs.finite:
            raise CheckpointError(
                "The teacher's outputs hold NaN or infinity: its training diverged, or its cache is damaged",
                "Train the teacher again with a lower training.learning_rate, and delete the teacher caches (*.h5)",
            )
        check_paired(batch.ids, ids)
        if not same_labels(labels, batch.labels):
            raise CacheError(
                "The teacher cache was made with other labels for the same recordings", "Delete the cache and run again"
            )
        return outputs

    def validation_step(self, batch: Batch, _: int) -> None:
        """Loss, accuracy and macro F1 on the validation recordings (of windows, where a recording has several).

        Windows that nobody labelled do not count.
        """
        known = batch.labels != UNLABELLED
        if not bool(known.any()):
            return
        outputs: Outputs = self.model(batch.inputs)
        logits, labels = outputs.logits.float()[known], batch.labels[known]
        self.accuracy.update(logits, labels)
        self.macro_f1.update(logits, labels)
        loss = functional.cross_entropy(logits, labels)
        self.log("validation/loss", loss, on_epoch=True, on_step=False, batch_size=len(labels))

    def on_validation_epoch_end(self) -> None:
        """Log the figures of the whole validation part."""
        self.log("validation/accuracy", self.accuracy.compute())
        self.log("validation/macro_f1", self.macro_f1.compute())
        self.accuracy.reset()
        self.macro_f1.reset()

    def transfer_batch_to_device(self, batch: Batch, device: torch.device, _: int) -> Batch:
        """Lightning's hook for our own batch type."""
        inputs, labels, positions = (t.to(device) for t in (batch.inputs, batch.labels, batch.positions))
        return Batch(batch.ids, inputs, labels, positions)

    def configure_optimizers(self) -> dict[str, Any]:
        """Optimizer and per-batch schedule from the recipe."""
        optimizer = build_optimizer(self.trained_parameters(), self._training)
        schedule = build_schedule(optimizer, self._training, steps_per_epoch=len(self._train_batches(0)))  # type: ignore[arg-type]
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def trained_parameters(self) -> list[dict[str, Any]]:
        """The network's own groups, then the distiller's."""
        groups = self.model.network.parameter_groups(self._training.learning_rate, self._training.weight_decay)
        return [*groups, *self.distiller.parameter_groups()]
