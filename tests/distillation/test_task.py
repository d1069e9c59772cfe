"""A batch whose teacher outputs are of other recordings or labels ends the run."""

import pytest
import torch
from torch import nn

from vskd.distillation.data import Batch
from vskd.distillation.distillers.catalog import build_distiller
from vskd.distillation.task import DistillationTask, TeacherTask
from vskd.errors import CacheError
from vskd.network import Outputs
from vskd.recipe import TrainingSection

BATCH = Batch(
    ("a", "b", "c"),
    torch.randn(3, 2, 5, generator=torch.Generator().manual_seed(0)),
    torch.tensor([0, 1, 2]),
    torch.tensor([4, 0, 7]),
)


class Network(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed, self.classify = nn.Linear(10, 4), nn.Linear(4, 3)

    def forward(self, windows: torch.Tensor) -> Outputs:
        embedding = self.embed(windows.flatten(1))
        return Outputs(self.classify(embedding), embedding)


class Teacher:
    """Answers with the asked ids and labels, or with those it is told to."""

    def __init__(self, ids: tuple[str, ...] = BATCH.ids, labels: tuple[int, ...] = (0, 1, 2)) -> None:
        self.ids, self.labels = ids, labels
        self.asked: list[tuple[str, ...]] = []

    def outputs(self, batch: Batch) -> tuple[Outputs, tuple[str, ...], torch.Tensor]:
        self.asked.append(batch.ids)
        return Outputs(torch.eye(3), torch.ones(3, 4)), self.ids, torch.tensor(self.labels)


def task(teacher: Teacher | None, distiller: str = "kd") -> DistillationTask:
    torch.manual_seed(0)
    made = build_distiller(
        distiller, temperature=4.0, weights={}, student_width=4, teacher_width=4, label_smoothing=0.0
    )
    built = DistillationTask(
        Network(),
        made,
        teacher,
        classes=3,
        training=TrainingSection(),
        seed=0,
        train_batches=lambda _: [BATCH],
        validation_batches=None,
    )
    built.log_dict = lambda figures, **_: built.__dict__.update(logged=figures)  # type: ignore[method-assign]
    return built


def test_the_loss_is_the_sum_of_the_distillers_terms() -> None:
    said = Teacher()
    built = task(said)
    loss = built.training_step(BATCH, 0)
    teacher = Outputs(torch.eye(3), torch.ones(3, 4))
    terms = built.distiller(built.network(BATCH.inputs), teacher, BATCH.labels)
    assert loss.item() == pytest.approx(sum(v.item() for v in terms.values()))
    assert built.__dict__["logged"].keys() == {"train/loss", *(f"train/{name}" for name in terms)}
    assert said.asked == [BATCH.ids]
    assert loss.requires_grad
    assert not any(v.requires_grad for v in built.__dict__["logged"].values())


def test_other_recordings_are_refused() -> None:
    with pytest.raises(CacheError, match="2 of 3 teacher outputs belong to other recordings"):
        task(Teacher(ids=("b", "a", "c"))).training_step(BATCH, 0)


def test_other_labels_are_refused() -> None:
    with pytest.raises(CacheError, match="other labels"):
        task(Teacher(labels=(0, 2, 1))).training_step(BATCH, 0)


def test_without_a_teacher_only_the_labels_teach() -> None:
    built = task(None, "none")
    expected = nn.functional.cross_entropy(built.network(BATCH.inputs).logits, BATCH.labels)
    assert built.training_step(BATCH, 0).item() == pytest.approx(expected.item())


def test_an_epoch_seeds_torch_and_the_network_by_its_number() -> None:
    class Reseeded(Network):
        seeds: tuple[int, ...] = ()

        def reseed(self, seed: int) -> None:
            self.seeds = (*self.seeds, seed)

    def start(epoch: int, seed: int) -> tuple[float, int]:
        network = Reseeded()
        built = TeacherTask(
            network,
            classes=3,
            training=TrainingSection(),
            seed=seed,
            train_batches=lambda _: [BATCH],
            validation_batches=None,
        )
        type(built).current_epoch = property(lambda _: epoch)  # type: ignore[assignment]
        try:
            built.on_train_epoch_start()
        finally:
            del type(built).current_epoch
        return torch.rand(1).item(), network.seeds[-1]

    assert start(2, 0) == start(2, 0)
    assert len({start(epoch, seed) for epoch in (0, 1, 2) for seed in (0, 1)}) == 6


def test_a_teacher_learns_from_smoothed_labels() -> None:
    built = TeacherTask(
        Network(),
        classes=3,
        training=TrainingSection(label_smoothing=0.2),
        seed=0,
        train_batches=lambda _: [BATCH],
        validation_batches=None,
    )
    built.log_dict = lambda *_, **__: None  # type: ignore[method-assign]
    log = torch.log_softmax(built.network(BATCH.inputs).logits, 1)
    targets = 0.8 * torch.eye(3) + 0.2 / 3
    assert built.training_step(BATCH, 0).item() == pytest.approx(-(targets * log).sum(1).mean().item(), rel=1e-5)
