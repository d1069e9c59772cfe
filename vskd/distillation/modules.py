"""One-call distillation between any two modules."""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sized
from dataclasses import dataclass
from typing import Any, Literal

import torch
from pydantic import ValidationError
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from vskd.distillation.any_module import device_of
from vskd.distillation.divergence import refuse_diverged
from vskd.distillation.objective import (
    AnyDistiller,
    DistillationObjective,
    refuse_foreign_labels,
    require_modules,
    split_batch,
)
from vskd.distillation.optimizer import build_optimizer, build_schedule
from vskd.errors import SettingError
from vskd.modalities.sampling import epoch_seed
from vskd.network import Network, Outputs
from vskd.recipe.training import Training
from vskd.schema import explain, parse


@dataclass(frozen=True)
class EpochFigures:
    """What is known of an epoch.

    Attributes:
        epoch: its number, from 0.
        loss: mean over the samples.
        terms: title -> mean of the weighted term; their sum is the loss.
        validation_accuracy: after the epoch; None without a validation loader.
    """

    epoch: int
    loss: float
    terms: Mapping[str, float]
    validation_accuracy: float | None = None


@dataclass(frozen=True)
class Distilled:
    """What a distillation gives.

    Attributes:
        student: the module that was trained, in place; in evaluation mode, without hooks or gradients.
        history: of every epoch.
    """

    student: nn.Module
    history: tuple[EpochFigures, ...]


def distill_modules(
    student: nn.Module,
    teacher: nn.Module | None,
    train: Iterable[Any],
    distiller: AnyDistiller = "kd",
    *,
    epochs: int = 10,
    optimizer: Literal["adam", "adamw", "sgd"] = "adamw",
    learning_rate: float = 1e-3,
    weight_decay: float = 0.01,
    schedule: Literal["constant", "cosine", "onecycle"] = "constant",
    label_smoothing: float = 0.0,
    gradient_clip: float = 0.0,
    validation: Iterable[Any] | None = None,
    student_embedding: str | None = None,
    teacher_embedding: str | None = None,
    device: torch.device | str | None = None,
    seed: int = 0,
) -> Distilled:
    """Train a module to follow another one.

    Teacher and student look at one batch together: that its parts describe the same samples in the same order is yours
    to see to, and is so by itself where both see the same inputs. The weights of the last epoch are kept; nothing is
    selected on the validation loader.

    On the CPU, equal modules, loader and `seed` give equal weights, bit for bit. Torch's global generator is seeded for
    every epoch (it shuffles a loader without a generator of its own, and draws for dropout) and put back at the end.

    Args:
        student: trained in place; returns logits (batch, classes) or `vskd.network.Outputs`.
        teacher: likewise; put in evaluation mode and frozen. None where no term needs one.
        train: gives the batches anew in every epoch, e.g. a `DataLoader`: (inputs, labels) where both see the same,
            (student inputs, teacher inputs, labels), or these with the samples' positions in the training list behind
            them, which `crcd` needs. Labels are (batch,) int64, counted from 0; -1 where nobody knows the class.
        distiller: a preset's name, or terms; see `DistillationObjective`.
        epochs, optimizer, learning_rate, weight_decay, schedule, label_smoothing, gradient_clip: as `training` in a
            recipe has them.
        validation: batches like those of `train`; of these the student's inputs and the labels are used.
        student_embedding, teacher_embedding: paths of the layers whose outputs are the embeddings; `AnyModule` says
            what is taken otherwise.
        device: where both are trained; the student's own by default.
        seed: of the epochs and the projectors.

    Raises:
        SettingError: a setting, batch or module does not fit; the message says which.
        DivergedError: after an epoch, the loss or the weights are not finite.

    Examples:
        >>> import torch
        >>> from torch import nn
        >>> from torch.utils.data import DataLoader, TensorDataset
        >>> _ = torch.manual_seed(0)
        >>> student, teacher = nn.Linear(4, 2), nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
        >>> x = torch.randn(32, 4)
        >>> train = DataLoader(TensorDataset(x, (x[:, 0] > 0).long()), batch_size=8, shuffle=True)
        >>> result = distill_modules(student, teacher, train, "kd", epochs=3)
        >>> result.history[-1].loss < result.history[0].loss, list(result.history[0].terms)
        (True, ['cross_entropy', 'kd'])
    """
    training = _training(
        {
            "epochs": epochs,
            "optimizer": optimizer,
            "learning_rate": learning_rate,
            "weight_decay": weight_decay,
            "schedule": schedule,
            "label_smoothing": label_smoothing,
            "gradient_clip": gradient_clip,
        }
    )
    require_modules(student, teacher)
    if not isinstance(seed, int) or seed < 0:
        raise SettingError(f"The seed should be a whole number from 0, not {seed!r}", "Correct the arguments")
    place = torch.device(device) if device is not None else device_of(student)
    student.to(place)
    if teacher is not None:
        teacher.to(place)
    with torch.random.fork_rng(devices=[place] if place.type == "cuda" else []):
        torch.manual_seed(epoch_seed(seed, 0))
        first, rest = _begun(train)
        objective = DistillationObjective(
            student,
            teacher,
            first,
            distiller,
            student_embedding=student_embedding,
            teacher_embedding=teacher_embedding,
            label_smoothing=label_smoothing,
            samples=_samples(train),
            seed=seed,
        )
        try:
            history = _fit(objective, train, itertools.chain([first], rest), training, validation, seed)
        finally:
            objective.remove()
    student.eval()
    return Distilled(student, history)


def _fit(
    objective: DistillationObjective,
    train: Iterable[Any],
    begun: Iterable[Any],
    training: Training,
    validation: Iterable[Any] | None,
    seed: int,
) -> tuple[EpochFigures, ...]:
    """All epochs; `begun` are the batches of the first one, whose seed is set already."""
    groups = objective.parameter_groups(training.learning_rate, training.weight_decay)
    optimizer = build_optimizer(groups, training)
    schedule = build_schedule(optimizer, training, _steps(train, training))
    student, history = objective.student.module, []
    for epoch in range(training.epochs):
        if epoch > 0:
            torch.manual_seed(epoch_seed(seed, epoch))
        if isinstance(student, Network):
            student.reseed(epoch_seed(seed, epoch))
        objective.train()
        objective.start_epoch(epoch)
        loss, terms = _epoch(objective, train if epoch else begun, optimizer, schedule, training.gradient_clip)
        refuse_diverged(epoch, objective, {"loss": loss})
        right = None if validation is None else accuracy(student, validation)
        history.append(EpochFigures(epoch, loss, terms, right))
    optimizer.zero_grad()  # the last batch's gradients would only take room
    return tuple(history)


def _epoch(
    objective: DistillationObjective,
    batches: Iterable[Any],
    optimizer: Optimizer,
    schedule: LRScheduler,
    gradient_clip: float,
) -> tuple[float, dict[str, float]]:
    """One pass over the batches: means of the loss and of its terms over the samples."""
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    device = device_of(objective)
    total, sums, seen = torch.zeros((), device=device), dict[str, Tensor](), 0
    for batch in batches:
        own, others, labels, positions = _moved(batch, device)
        loss, terms = objective(own, others, labels, positions)
        optimizer.zero_grad()
        loss.backward()
        if gradient_clip:
            nn.utils.clip_grad_norm_(parameters, gradient_clip)
        optimizer.step()
        schedule.step()
        total, seen = total + loss.detach() * len(labels), seen + len(labels)
        sums = {title: sums.get(title, 0.0) + term.detach() * len(labels) for title, term in terms.items()}
    return total.item() / seen, {title: value.item() / seen for title, value in sums.items()}


def accuracy(module: nn.Module, batches: Iterable[Any]) -> float:
    """Share of samples whose largest logit is their label's; the module is put in evaluation mode.

    Args:
        module: returns logits (batch, classes) or `vskd.network.Outputs`.
        batches: as `distill_modules` takes them; the student's inputs and the labels are used.

    Raises:
        SettingError: there are no batches.
    """
    module.eval()
    device, right, seen = device_of(module), 0, 0
    with torch.no_grad():
        for batch in batches:
            inputs, _, labels, _ = _moved(batch, device)
            said = module(inputs)
            logits = said.logits if isinstance(said, Outputs) else said
            refuse_foreign_labels(labels, logits)
            right += int((logits.argmax(dim=1) == labels).sum())
            seen += len(labels)
    if not seen:
        raise SettingError("The validation loader gives no batches", "Give it data, or leave it out")
    return right / seen


def _training(said: Mapping[str, Any]) -> Training:
    """What is said, as a recipe's training; the last epoch is kept."""
    try:
        training: Training = parse(Training, {**said, "validation": "none", "select": "last"})
    except ValidationError as error:
        raise SettingError("; ".join(explain(error, Training)), "Correct the arguments") from error
    return training


def _begun(loader: Iterable[Any]) -> tuple[Any, Iterator[Any]]:
    """The first batch, which shows what batches are like, and the others of the same epoch."""
    if not isinstance(loader, Iterable):
        raise SettingError(f"The training batches are {loader!r:.80}", "Give a DataLoader, or a list")
    batches = iter(loader)
    if batches is loader:
        raise SettingError(
            "The training batches can be had only once, not in every epoch", "Give a DataLoader, or a list"
        )
    first = next(batches, None)
    if first is None:
        raise SettingError("The training loader gives no batches", "Give it data")
    return first, batches


def _moved(batch: Any, device: torch.device) -> tuple[Tensor, Tensor, Tensor, Tensor | None]:
    own, others, labels, positions = split_batch(batch)
    moved = own.to(device)
    alike = others is own
    placed = None if positions is None else positions.to(device)
    return moved, moved if alike else others.to(device), labels.to(device), placed


def _steps(loader: Iterable[Any], training: Training) -> int:
    """Batches of an epoch; any number where the schedule does not ask."""
    if training.schedule == "constant":
        return 1
    try:
        return len(loader)  # type: ignore[arg-type]
    except TypeError as error:  # also a DataLoader's, of a data set without a length
        raise SettingError(
            f"Schedule '{training.schedule}' has to know how many batches an epoch has, but the loader has no length",
            "Give it a __len__, or choose the schedule 'constant'",
        ) from error


def _samples(loader: Iterable[Any]) -> int:
    """Size of the training list, where the loader tells; 0 else."""
    dataset = getattr(loader, "dataset", None)
    return len(dataset) if isinstance(dataset, Sized) else 0
