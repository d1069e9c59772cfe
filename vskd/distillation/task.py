"""The two Lightning modules: a teacher learning from labels, and a student learning from a distiller."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from vskd.distillation.data import Batch
from vskd.distillation.distillers.base import Distiller
from vskd.distillation.lightning_imports import LightningModule, MulticlassAccuracy, MulticlassF1Score
from vskd.distillation.optimizer import build_optimizer, build_schedule
from vskd.distillation.teacher.outputs import TeacherSource
from vskd.distillation.teacher.pairing import check_paired
from vskd.errors import CacheError
from vskd.losses.cross_entropy import CrossEntropy, balanced_weights
from vskd.modalities.sampling import epoch_seed
from vskd.network import Outputs
from vskd.recipe import TrainingSection

Loader = Callable[[int], Iterable[Batch]]
"""Gives the batches of one epoch, by its number."""


class ClassificationTask(LightningModule):
    """What both trainings share: batches by epoch, reseeding, validation figures, optimizer and schedule.

    Args:
        network: returns `Outputs`.
        classes: number of classes.
        training: budget and optimizer.
        seed: of the run; the random state of an epoch depends on it and the epoch's number only.
        train_batches: the training batches of an epoch.
        validation_batches: the validation batches; None where there are none.
    """

    def __init__(
        self,
        network: nn.Module,
        *,
        classes: int,
        training: TrainingSection,
        seed: int,
        train_batches: Loader,
        validation_batches: Loader | None,
    ) -> None:
        super().__init__()
        self.network = network
        self._training, self._seed = training, seed
        self._train_batches, self._validation_batches = train_batches, validation_batches
        self.accuracy = MulticlassAccuracy(classes, average="micro")
        self.macro_f1 = MulticlassF1Score(classes, average="macro")

    def train_dataloader(self) -> Iterable[Batch]:
        """Lightning's hook; called anew every epoch."""
        return self._train_batches(self.current_epoch)

    def val_dataloader(self) -> Iterable[Batch]:
        """Lightning's hook."""
        return self._validation_batches(0) if self._validation_batches else []

    def on_train_epoch_start(self) -> None:
        """Make dropout and TRN's relations depend on (seed, epoch) only, so that resuming repeats them."""
        seed = epoch_seed(self._seed, self.current_epoch)
        torch.manual_seed(seed)
        reseed = getattr(self.network, "reseed", None)
        if reseed is not None:
            reseed(seed)

    def validation_step(self, batch: Batch, _: int) -> None:
        """Loss, accuracy and macro F1 on the validation recordings (of windows, where a recording has several)."""
        outputs: Outputs = self.network(batch.inputs)
        logits = outputs.logits.float()
        self.accuracy.update(logits, batch.labels)
        self.macro_f1.update(logits, batch.labels)
        loss = functional.cross_entropy(logits, batch.labels)
        self.log("validation/loss", loss, on_epoch=True, on_step=False, batch_size=len(batch.ids))

    def on_validation_epoch_end(self) -> None:
        """Log the figures of the whole validation part."""
        self.log("validation/accuracy", self.accuracy.compute())
        self.log("validation/macro_f1", self.macro_f1.compute())
        self.accuracy.reset()
        self.macro_f1.reset()

    def log_terms(self, terms: dict[str, Tensor], batch: Batch) -> Tensor:
        """Log every term and their sum; return the sum."""
        loss = torch.stack(list(terms.values())).sum()
        figures = {"train/loss": loss.detach(), **{f"train/{name}": value.detach() for name, value in terms.items()}}
        self.log_dict(figures, on_epoch=True, on_step=False, batch_size=len(batch.ids))
        return loss

    def transfer_batch_to_device(self, batch: Batch, device: torch.device, _: int) -> Batch:
        """Lightning's hook for our own batch type."""
        inputs, labels, positions = (t.to(device) for t in (batch.inputs, batch.labels, batch.positions))
        return Batch(batch.ids, inputs, labels, positions)

    def configure_optimizers(self) -> dict[str, Any]:
        """Optimizer and per-batch schedule from the recipe."""
        optimizer = build_optimizer(self.trained_parameters(), self._training)
        schedule = build_schedule(optimizer, self._training, steps_per_epoch=len(self._train_batches(0)))  # type: ignore[arg-type]
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def trained_parameters(self) -> Iterable[Any]:
        """Parameters or parameter groups to train."""
        parameters: list[Any] = list(self.parameters())
        return parameters


class TeacherTask(ClassificationTask):
    """A teacher learning from labels by cross entropy.

    Args:
        network: the teacher.
        class_counts: training samples of each class, which `class_weights: balanced` weighs classes by.
    """

    def __init__(
        self,
        network: nn.Module,
        *,
        classes: int,
        training: TrainingSection,
        seed: int,
        train_batches: Loader,
        validation_batches: Loader | None,
        class_counts: tuple[int, ...] = (),
    ) -> None:
        super().__init__(
            network,
            classes=classes,
            training=training,
            seed=seed,
            train_batches=train_batches,
            validation_batches=validation_batches,
        )
        weights = balanced_weights(class_counts) if training.class_weights == "balanced" else None
        self.cross_entropy = CrossEntropy(training.label_smoothing, weights)

    def training_step(self, batch: Batch, _: int) -> Tensor:
        """Cross entropy of one batch."""
        outputs: Outputs = self.network(batch.inputs)
        loss = self.cross_entropy(outputs.logits.float(), batch.labels)
        return self.log_terms({"cross_entropy": loss}, batch)

    def trained_parameters(self) -> Iterable[Any]:
        """The network's own groups: TRN trains biases twice as fast and without decay."""
        groups = getattr(self.network, "parameter_groups", None)
        if groups is None:
            return self.network.parameters()
        return list(groups(self._training.learning_rate, self._training.weight_decay))


class DistillationTask(ClassificationTask):
    """A student learning from a distiller, and from a teacher's outputs where the distiller wants them.

    Args:
        network: the student.
        distiller: (student outputs, teacher outputs or None, labels, positions) -> weighted loss terms.
        teacher: gives the teacher's outputs; None where the distiller needs no teacher.
    """

    def __init__(
        self,
        network: nn.Module,
        distiller: Distiller,
        teacher: TeacherSource | None,
        *,
        classes: int,
        training: TrainingSection,
        seed: int,
        train_batches: Loader,
        validation_batches: Loader | None,
    ) -> None:
        super().__init__(
            network,
            classes=classes,
            training=training,
            seed=seed,
            train_batches=train_batches,
            validation_batches=validation_batches,
        )
        self.distiller = distiller
        self._teacher = (teacher,)  # in a tuple, so that a teacher's network is neither trained nor saved

    def on_train_epoch_start(self) -> None:
        """Tell the distiller, whose temperature may depend on the epoch."""
        super().on_train_epoch_start()
        self.distiller.start_epoch(self.current_epoch)

    def training_step(self, batch: Batch, _: int) -> Tensor:
        """The sum of the distiller's terms for one batch, its pairing asserted."""
        student: Outputs = self.network(batch.inputs)
        student = Outputs(student.logits.float(), student.embedding.float(), student.features)
        terms: dict[str, Tensor] = self.distiller(student, self._teacher_outputs(batch), batch.labels, batch.positions)
        return self.log_terms(terms, batch)

    def trained_parameters(self) -> Iterable[Any]:
        """Student and distiller; what the distiller wants without weight decay is a group of its own."""
        undecayed = self.distiller.undecayed_parameters()
        if not undecayed:
            return super().trained_parameters()
        apart = {id(parameter) for parameter in undecayed}
        rest = [parameter for parameter in self.parameters() if id(parameter) not in apart]
        return [{"params": rest}, {"params": undecayed, "weight_decay": 0.0}]

    def _teacher_outputs(self, batch: Batch) -> Outputs | None:
        (teacher,) = self._teacher
        if teacher is None:
            return None
        outputs, ids, labels = teacher.outputs(batch)
        check_paired(batch.ids, ids)
        if not torch.equal(labels.cpu(), batch.labels.cpu()):
            raise CacheError(
                "The teacher cache was made with other labels for the same recordings", "Delete the cache and run again"
            )
        return outputs
