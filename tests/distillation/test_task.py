"""The task: what a step is made of, what an epoch begins with, and batches that do not belong together."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
import torch
from torch import nn

from vskd.distillation.distiller import Distiller
from vskd.distillation.model import Model
from vskd.distillation.task import DistillationTask
from vskd.errors import CacheError, CheckpointError, DataError, DivergedError
from vskd.losses.cross_entropy import CrossEntropySettings
from vskd.losses.embedding_mse import EmbeddingMSESettings
from vskd.losses.fitnets_hint import FitNetsHintSettings
from vskd.losses.kd import KD, KDSettings
from vskd.losses.presets.catalog import PRESETS
from vskd.losses.term import TermContext, TermSettings, Weighting
from vskd.modalities.base import Batch
from vskd.modalities.sampling import epoch_seed
from vskd.network import FeatureTaps, Network, Outputs
from vskd.recipe import Training

BATCH = Batch(
    ("a", "b", "c"),
    torch.randn(3, 2, 5, generator=torch.Generator().manual_seed(0)),
    torch.tensor([0, 1, 2]),
    torch.tensor([4, 0, 7]),
)
SHAPES = {"logits": (3,), "embedding": (4,)}
SAID = Outputs(torch.eye(3), torch.ones(3, 4))


class Small(Network):
    """Two layers; its second has twice the learning rate."""

    embedding_size = 4

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.classify = nn.Linear(10, 4), nn.Linear(4, 3)
        self.seeds: list[int] = []

    def forward(self, x: torch.Tensor) -> Outputs:
        embedding = self.embed(x.flatten(1))
        return Outputs(self.classify(embedding), embedding)

    def reseed(self, seed: int) -> None:
        self.seeds.append(seed)

    def parameter_groups(self, learning_rate: float, weight_decay: float) -> list[dict[str, object]]:
        return [
            {"params": list(self.embed.parameters())},
            {"params": list(self.classify.parameters()), "lr": 2 * learning_rate, "weight_decay": weight_decay / 2},
        ]


class Teacher:
    """Answers with the asked ids and labels, or with those it is told to."""

    def __init__(self, ids: tuple[str, ...] = BATCH.ids, labels: tuple[int, ...] = (0, 1, 2)) -> None:
        self.ids, self.labels = frozenset(ids), labels
        self._answer = ids
        self.shapes = SHAPES
        self.asked: list[tuple[str, ...]] = []

    def outputs(self, batch: Batch) -> tuple[Outputs, tuple[str, ...], torch.Tensor]:
        self.asked.append(batch.ids)
        return SAID, self._answer, torch.tensor(self.labels)


class Task(DistillationTask):
    """Keeps what it logs, and is in the epoch it is told to be in."""

    epoch = 0
    logged: dict[str, torch.Tensor]
    how: dict[str, object]

    @property
    def current_epoch(self) -> int:
        return self.epoch

    def log_dict(self, dictionary, **how: object) -> None:
        self.logged, self.how = dictionary, how

    def log(self, name, value, **how: object) -> None:  # type: ignore[override]
        self.logged, self.how = {**getattr(self, "logged", {}), name: value}, how


def task(
    teacher: Teacher | None,
    terms: Sequence[TermSettings] = PRESETS["kd"].terms,
    *,
    weighting: Weighting = "fixed",
    training: Training | None = None,
    seed: int = 0,
    context: TermContext | None = None,
) -> Task:
    torch.manual_seed(0)
    network = Small()
    return Task(
        Model(nn.Identity(), network),
        Distiller(terms, weighting, context or TermContext(SHAPES, SHAPES, samples=9)),
        teacher,
        classes=3,
        training=training or Training(),
        seed=seed,
        train_batches=lambda _: [BATCH],
        validation_batches=None,
    )


def test_batches_are_those_of_the_epoch_and_validation_those_of_none() -> None:
    built = task(Teacher())
    assert list(built.train_dataloader()) == [BATCH] and list(built.val_dataloader()) == []
    built._train_batches = built._validation_batches = lambda epoch: [epoch]  # type: ignore[assignment, list-item]
    built.epoch = 4
    assert list(built.train_dataloader()) == [4] and list(built.val_dataloader()) == [0]


def test_a_step_is_the_sum_of_the_terms_which_are_logged() -> None:
    teacher = Teacher()
    built = task(teacher)
    loss = built.training_step(BATCH, 0)
    terms = built.distiller(built.model(BATCH.inputs), SAID, BATCH.labels, BATCH.positions)
    assert loss.item() == pytest.approx(sum(v.item() for v in terms.values()))
    assert built.logged.keys() == {"train/loss", *(f"train/{name}" for name in terms)}
    assert teacher.asked == [BATCH.ids]
    assert loss.requires_grad
    assert not any(v.requires_grad for v in built.logged.values())
    assert built.how == {"on_epoch": True, "on_step": False, "batch_size": len(BATCH.ids)}


def test_validation_logs_loss_accuracy_and_macro_f1_of_the_whole_part() -> None:
    built = task(None)
    answers = torch.tensor([[2.0, 0.0, 0.0], [2.0, 0.0, 0.0], [0.0, 0.0, 2.0]])
    built.model.network.forward = lambda _: Outputs(answers, answers, {})  # type: ignore[method-assign]
    for labels in (torch.tensor([0, 0, 2]), torch.tensor([0, 1, 0])):
        built.validation_step(replace(BATCH, labels=labels), 0)
        expected = torch.nn.functional.cross_entropy(answers, labels)
        assert built.logged["validation/loss"].item() == pytest.approx(expected.item())
        assert built.how == {"on_epoch": True, "on_step": False, "batch_size": len(BATCH.ids)}
    built.on_validation_epoch_end()
    assert built.logged["validation/accuracy"].item() == pytest.approx(4 / 6)
    # 0: 3 of 4 named so, 3 of 4 found; 1: none named so; 2: 1 of 2 named so, 1 of 1 found
    assert built.logged["validation/macro_f1"].item() == pytest.approx((3 / 4 + 0 + 2 / 3) / 3)
    built.validation_step(BATCH, 0)
    built.on_validation_epoch_end()
    first = (answers.argmax(dim=1) == BATCH.labels).float().mean()
    assert built.logged["validation/accuracy"].item() == pytest.approx(first.item())  # of this part alone


def test_positions_reach_the_terms() -> None:
    """CRCD has a memory of the training list and refuses a place outside it."""
    outside = TermContext(SHAPES, SHAPES, samples=5)
    with pytest.raises(ValueError, match="positions must be in the training list of 5"):
        task(Teacher(), PRESETS["krca-sr"].terms, context=outside).training_step(BATCH, 0)
    task(Teacher(), PRESETS["krca-sr"].terms).training_step(BATCH, 0)


def test_other_recordings_are_refused() -> None:
    with pytest.raises(CacheError, match="2 of 3 teacher outputs belong to other recordings"):
        task(Teacher(ids=("b", "a", "c"))).training_step(BATCH, 0)


def test_other_labels_are_refused() -> None:
    with pytest.raises(CacheError, match="other labels"):
        task(Teacher(labels=(0, 2, 1))).training_step(BATCH, 0)


def test_without_a_teacher_only_the_labels_teach() -> None:
    built = task(None, PRESETS["none"].terms)
    expected = nn.functional.cross_entropy(built.model(BATCH.inputs).logits, BATCH.labels)
    assert built.training_step(BATCH, 0).item() == pytest.approx(expected.item())


def test_smoothed_labels_against_the_definition() -> None:
    context = TermContext(SHAPES, label_smoothing=0.2)
    built = task(None, PRESETS["none"].terms, context=context)
    log = torch.log_softmax(built.model(BATCH.inputs).logits, 1)
    targets = 0.8 * torch.eye(3) + 0.2 / 3
    assert built.training_step(BATCH, 0).item() == pytest.approx(-(targets * log).sum(1).mean().item(), rel=1e-5)


def test_an_epoch_seeds_torch_and_the_network_by_its_number() -> None:
    def start(epoch: int, seed: int) -> tuple[float, int]:
        built = task(None, PRESETS["none"].terms, seed=seed)
        built.epoch = epoch
        built.on_train_epoch_start()
        assert isinstance(built.model.network, Small)
        (told,) = built.model.network.seeds
        return torch.rand(1).item(), told

    assert start(2, 0) == start(2, 0)
    assert start(2, 1)[1] == epoch_seed(1, 2)
    drawn, told = zip(*(start(epoch, seed) for epoch in (0, 1, 2) for seed in (0, 1)), strict=True)
    assert len(set(drawn)) == len(set(told)) == 6


def test_the_distiller_is_told_the_epoch_before_its_first_batch() -> None:
    built = task(Teacher(), [KDSettings(temperature=2.0, temperature_slope=0.5)])
    for epoch, temperature in ((0, 2.0), (4, 4.0)):
        built.epoch = epoch
        built.on_train_epoch_start()
        loss = built.training_step(BATCH, 0)
        expected = KD(temperature)(built.model(BATCH.inputs).logits, SAID.logits)
        assert loss.item() == pytest.approx(expected.item())


def test_groups_are_the_networks_own_then_the_projectors_then_what_decay_would_falsify() -> None:
    training = Training(learning_rate=0.5, weight_decay=0.25, optimizer="adamw")
    context = TermContext(SHAPES, {"logits": (3,), "embedding": (6,)})
    built = task(
        Teacher(),
        [CrossEntropySettings(), EmbeddingMSESettings()],
        weighting="uncertainty",
        context=context,
        training=training,
    )
    optimizer = built.configure_optimizers()["optimizer"]
    facts = [(len(g["params"]), g["lr"], g["weight_decay"]) for g in optimizer.param_groups]
    assert facts == [(2, 0.5, 0.25), (2, 1.0, 0.125), (2, 0.5, 0.25), (2, 0.5, 0.0)]
    assert {id(p) for p in optimizer.param_groups[2]["params"]} == {id(p) for p in built.distiller.terms.parameters()}
    assert optimizer.param_groups[3]["params"] == built.distiller.undecayed_parameters()
    trained = [id(p) for group in optimizer.param_groups for p in group["params"]]
    assert sorted(trained) == sorted(id(p) for p in built.parameters())


def test_learned_weights_do_not_decay() -> None:
    """Where no gradient moves them, they stay what they are; a projector shrinks."""
    training = Training(learning_rate=0.5, weight_decay=0.5, optimizer="adamw")
    context = TermContext(SHAPES, {"logits": (3,), "embedding": (6,)})
    built = task(Teacher(), [EmbeddingMSESettings()], weighting="uncertainty", context=context, training=training)
    optimizer = built.configure_optimizers()["optimizer"]
    before = {name: p.detach().clone() for name, p in built.distiller.named_parameters()}
    for parameter in built.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    for name, parameter in built.distiller.named_parameters():
        factor = 1.0 if name.startswith("uncertainty") else 0.75
        torch.testing.assert_close(parameter.detach(), factor * before[name])


def test_a_distiller_without_parameters_has_no_group() -> None:
    assert len(task(Teacher()).configure_optimizers()["optimizer"].param_groups) == 2


def test_the_schedule_is_stepped_with_every_batch() -> None:
    training = Training(schedule="step", step_epochs=2, epochs=4, learning_rate=0.5)
    configured = task(None, PRESETS["none"].terms, training=training).configure_optimizers()
    assert configured["lr_scheduler"]["interval"] == "step"
    assert configured["lr_scheduler"]["scheduler"].step_size == 2  # one batch an epoch


def test_a_teachers_network_is_neither_trained_nor_saved() -> None:
    class Module(nn.Module, Teacher):
        def __init__(self) -> None:
            nn.Module.__init__(self)
            Teacher.__init__(self)
            self.layer = nn.Linear(2, 2)

    teacher = Module()
    built = task(teacher)
    assert not {id(p) for p in teacher.parameters()} & {id(p) for p in built.parameters()}
    assert set(built.state_dict()) == set(task(None).state_dict())


def test_layers_that_terms_compare_are_collected_from_the_student() -> None:
    """In the precision of the loss, and no others."""
    network = Maps().bfloat16()
    taps = FeatureTaps(network, ["convolution"])
    maps = torch.ones(3, 2, 4, 4)

    class Mapped(Teacher):
        def outputs(self, batch: Batch) -> tuple[Outputs, tuple[str, ...], torch.Tensor]:
            return Outputs(SAID.logits, SAID.embedding, {"deep": maps}), batch.ids, batch.labels

    shapes = {**SHAPES, "convolution": (5, 4, 4)}, {**SHAPES, "deep": (2, 4, 4)}
    terms = [FitNetsHintSettings(student_layer="convolution")]
    built = Task(
        Model(nn.Identity(), network),
        Distiller(terms, "fixed", TermContext(*shapes)),
        Mapped(),
        taps,
        classes=3,
        training=Training(),
        seed=0,
        train_batches=lambda _: [BATCH],
        validation_batches=None,
    )
    images = torch.rand(3, 1, 4, 4).bfloat16()
    loss = built.training_step(Batch(BATCH.ids, images, BATCH.labels, BATCH.positions), 0)
    projector = built.distiller.terms["fitnets_hint"].loss.projector
    expected = nn.functional.mse_loss(projector(network.convolution(images).float()), maps)
    assert loss.item() == pytest.approx(expected.item(), rel=1e-4)
    loss.backward()
    assert network.convolution.weight.grad is not None


class Maps(Network):
    """A convolution that a term looks at."""

    embedding_size = 4

    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(1, 5, 1)
        self.classify = nn.Linear(5, 3)

    def forward(self, x: torch.Tensor) -> Outputs:
        pooled = self.convolution(x).relu_().mean(dim=(2, 3))
        return Outputs(self.classify(pooled), pooled[:, :4])


class Spoilt(Teacher):
    """Says NaN of the second recording."""

    def __init__(self, where: str) -> None:
        super().__init__()
        self._where = where

    def outputs(self, batch: Batch) -> tuple[Outputs, tuple[str, ...], torch.Tensor]:
        parts = {"logits": SAID.logits.clone(), "embedding": SAID.embedding.clone()}
        parts[self._where][1, 0] = torch.nan
        return Outputs(**parts), batch.ids, batch.labels


def test_a_loss_that_is_not_finite_ends_the_training_and_its_terms_are_named() -> None:
    built = task(None, PRESETS["none"].terms)
    with torch.no_grad():
        built.model.network.classify.bias[0] = torch.inf
    built.epoch = 6
    with pytest.raises(DivergedError, match=r"epoch 7: the loss is not finite \(cross_entropy (nan|inf)\)"):
        built.training_step(BATCH, 0)


def test_a_sample_that_is_not_finite_is_named_by_its_recording() -> None:
    inputs = BATCH.inputs.clone()
    inputs[1, 0, 0] = torch.nan
    with pytest.raises(DataError, match=r"The sample\(s\) of b hold NaN"):
        task(None, PRESETS["none"].terms).training_step(Batch(BATCH.ids, inputs, BATCH.labels, BATCH.positions), 0)


@pytest.mark.parametrize("where", ["logits", "embedding"])
def test_nothing_is_learned_from_a_teacher_that_says_nan(where: str) -> None:
    with pytest.raises(CheckpointError, match="teacher's outputs hold NaN"):
        task(Spoilt(where)).training_step(BATCH, 0)


def test_a_batch_is_moved_with_all_of_its_tensors() -> None:
    moved = task(None, PRESETS["none"].terms).transfer_batch_to_device(BATCH, torch.device("meta"), 0)
    assert moved.ids == BATCH.ids
    for name in ("inputs", "labels", "positions"):
        tensor, was = getattr(moved, name), getattr(BATCH, name)
        assert (tensor.device.type, tensor.shape, tensor.dtype) == ("meta", was.shape, was.dtype)


def test_windows_that_nobody_labelled_do_not_count_in_validation() -> None:
    built = task(None)
    answers = torch.tensor([[2.0, 0.0, 0.0], [0.0, 2.0, 0.0], [0.0, 0.0, 2.0]])
    built.model.network.forward = lambda _: Outputs(answers, answers, {})  # type: ignore[method-assign]
    built.validation_step(replace(BATCH, labels=torch.tensor([0, -1, 1])), 0)
    expected = torch.nn.functional.cross_entropy(answers[[0, 2]], torch.tensor([0, 1]))
    assert built.logged["validation/loss"].item() == pytest.approx(expected.item())
    assert built.how["batch_size"] == 2
    built.validation_step(replace(BATCH, labels=torch.tensor([-1, -1, -1])), 0)
    built.on_validation_epoch_end()
    assert built.logged["validation/accuracy"].item() == pytest.approx(0.5)
