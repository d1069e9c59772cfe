"""One-call distillation against plain training loops."""

import copy
import itertools

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, IterableDataset, TensorDataset

from vskd.distillation.modules import accuracy, distill_modules
from vskd.errors import DivergedError, SettingError
from vskd.modalities.sampling import epoch_seed
from vskd.network import Network, Outputs

GENERATOR = torch.Generator().manual_seed(0)
X = torch.randn(40, 4, generator=GENERATOR)
OTHER = torch.cat([X, X[:, :1]], dim=1)
LABELS = (X[:, 0] > 0).long() + (X[:, 1] > 0).long()


def mlp(inputs: int = 4, width: int = 8, seed: int = 0, dropout: float = 0.0) -> nn.Sequential:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(inputs, width), nn.ReLU(), nn.Dropout(dropout), nn.Linear(width, 3))


def loader(*tensors: Tensor, shuffle: bool = True, batch_size: int = 8) -> DataLoader[tuple[Tensor, ...]]:
    return DataLoader(TensorDataset(*tensors), batch_size=batch_size, shuffle=shuffle)


def same(a: nn.Module, b: nn.Module) -> bool:
    return all(torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True))


def plain(student: nn.Module, epochs: int, seed: int, smoothing: float = 0.0) -> None:
    """Cross-entropy training as anyone would write it."""
    optimizer = torch.optim.AdamW(student.parameters(), lr=1e-3, weight_decay=0.01)
    for epoch in range(epochs):
        torch.manual_seed(epoch_seed(seed, epoch))
        student.train()
        for x, y in loader(X, LABELS):
            loss = F.cross_entropy(student(x), y, label_smoothing=smoothing)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("teacher", [None, mlp(seed=9)])
def test_without_distillation_it_is_plain_training_bit_for_bit(teacher: nn.Module | None, smoothing: float) -> None:
    expected, student = mlp(dropout=0.3), mlp(dropout=0.3)
    plain(expected, epochs=3, seed=5, smoothing=smoothing)
    distill_modules(student, teacher, loader(X, LABELS), "none", epochs=3, seed=5, label_smoothing=smoothing)
    assert same(student, expected) and not same(student, mlp())


def test_soft_targets_as_anyone_would_write_them() -> None:
    expected, student, teacher = mlp(width=6), mlp(width=6), mlp(5, seed=3)
    optimizer = torch.optim.SGD(expected.parameters(), lr=0.1, momentum=0.9, weight_decay=0.0)
    for x, other, y in list(loader(X, OTHER, LABELS, shuffle=False)) * 2:
        p, log = (teacher(other).detach() / 4).softmax(1), (expected(x) / 4).log_softmax(1)
        loss = 0.1 * F.cross_entropy(expected(x), y) + 0.9 * 16 * F.kl_div(log, p, reduction="batchmean")
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    train = loader(X, OTHER, LABELS, shuffle=False)
    distill_modules(
        student,
        teacher,
        train,
        "kd",
        epochs=2,
        optimizer="sgd",
        learning_rate=0.1,
        weight_decay=0.0,
        schedule="constant",
    )
    for found, wanted in zip(student.parameters(), expected.parameters(), strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-6)


def test_the_layers_that_are_named_are_the_embeddings() -> None:
    """Before or behind the activation, of the student and of the teacher."""
    trained = []
    for own, told in (("0", "0"), ("0", "1"), ("1", "1")):
        student = mlp()
        distill_modules(
            student,
            mlp(5, seed=3),
            loader(X, OTHER, LABELS, shuffle=False),
            "dask",
            epochs=1,
            student_embedding=own,
            teacher_embedding=told,
        )
        trained.append(student)
    assert not any(same(one, other) for one, other in itertools.combinations(trained, 2))


def test_the_same_seed_gives_the_same_weights_and_another_one_others() -> None:
    def weights(seed: int, before: int) -> nn.Module:
        student, teacher = mlp(width=6, dropout=0.3), mlp(5, width=9, seed=3)
        torch.manual_seed(before)
        return distill_modules(student, teacher, loader(X, OTHER, LABELS), "dask", epochs=2, seed=seed).student

    assert same(weights(1, before=0), weights(1, before=7))
    assert not same(weights(1, before=0), weights(2, before=0))


def test_the_global_generator_is_put_back() -> None:
    state = torch.random.get_rng_state()
    student = mlp()
    state = torch.random.get_rng_state()
    distill_modules(student, None, loader(X, LABELS), "none", epochs=1)
    assert torch.equal(torch.random.get_rng_state(), state)


def test_the_teacher_does_not_change_and_the_student_is_left_clean() -> None:
    student, teacher = mlp(width=6), nn.Sequential(nn.BatchNorm1d(4), mlp(seed=3, dropout=0.5))
    before = copy.deepcopy(teacher)
    result = distill_modules(student, teacher, loader(X, LABELS), "dask", epochs=2)
    assert same(teacher, before)
    assert all(p.grad is None for p in teacher.parameters()) and not any(m.training for m in teacher.modules())
    assert result.student is student and not student.training
    assert all(p.grad is None for p in student.parameters())
    assert not any(part._forward_hooks or part._forward_pre_hooks for m in (student, teacher) for part in m.modules())
    copy.deepcopy(student)


def test_the_history_has_means_over_the_samples() -> None:
    """Batches of 16, 16 and 8: nothing is learned at a rate of nearly 0, so the means are those of all samples."""
    student, teacher = mlp(seed=1), mlp(seed=2)
    expected = F.cross_entropy(student(X), LABELS).item()
    train = loader(X, LABELS, batch_size=16)
    right = (student(X).argmax(1) == LABELS).float().mean().item()
    validation = loader(X, LABELS, shuffle=False)
    result = distill_modules(
        student, teacher, train, "kd", epochs=2, learning_rate=1e-12, weight_decay=0.0, validation=validation
    )
    assert [row.epoch for row in result.history] == [0, 1]
    for row in result.history:
        assert row.terms["cross_entropy"] == pytest.approx(0.1 * expected, rel=1e-5)
        assert row.loss == pytest.approx(sum(row.terms.values()), rel=1e-5)
        assert row.validation_accuracy == pytest.approx(right)
    assert distill_modules(mlp(), None, train, "none", epochs=1).history[0].validation_accuracy is None


def test_a_student_learns_what_the_teacher_knows() -> None:
    teacher = mlp(width=32, seed=3)
    distill_modules(teacher, None, loader(X, LABELS), "none", epochs=60, learning_rate=0.01)
    assert accuracy(teacher, loader(X, LABELS)) > 0.95
    student = mlp(width=16, seed=4)
    wrong = torch.zeros_like(LABELS)  # the teacher alone knows
    terms = [{"loss": "kd", "temperature": 2}]
    result = distill_modules(student, teacher, loader(X, wrong), terms, epochs=80, learning_rate=0.01)
    assert accuracy(student, loader(X, LABELS)) > 0.9
    assert result.history[-1].loss < 0.2 * result.history[0].loss


def test_a_gradient_is_clipped() -> None:
    expected, student = mlp(), mlp()
    optimizer = torch.optim.SGD(expected.parameters(), lr=0.1, momentum=0.9, weight_decay=0.0)
    for x, y in loader(X, LABELS, shuffle=False):
        optimizer.zero_grad()
        F.cross_entropy(expected(x), y).backward()
        norm = torch.stack([p.grad.square().sum() for p in expected.parameters()]).sum().sqrt()
        for p in expected.parameters():
            p.grad *= min(1.0, 0.01 / norm.item())
        optimizer.step()
    train = loader(X, LABELS, shuffle=False)
    distill_modules(
        student, None, train, "none", epochs=1, optimizer="sgd", learning_rate=0.1, weight_decay=0, gradient_clip=0.01
    )
    for found, wanted in zip(student.parameters(), expected.parameters(), strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-6)


def test_the_schedule_is_that_of_the_recipes() -> None:
    """Cosine over 2 epochs of 5 batches."""
    expected, student = mlp(), mlp()
    optimizer = torch.optim.SGD(expected.parameters(), lr=0.1, momentum=0.9)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=10)
    for x, y in list(loader(X, LABELS, shuffle=False)) * 2:
        optimizer.zero_grad()
        F.cross_entropy(expected(x), y).backward()
        optimizer.step()
        schedule.step()
    train = loader(X, LABELS, shuffle=False)
    distill_modules(
        student, None, train, "none", epochs=2, optimizer="sgd", learning_rate=0.1, weight_decay=0, schedule="cosine"
    )
    assert same(student, expected)


def test_a_network_of_vskd_is_reseeded_and_brings_its_own_groups() -> None:
    class Mine(Network):
        def __init__(self) -> None:
            super().__init__()
            self.fc, self.fixed, self.seeds = nn.Linear(4, 3), nn.Parameter(torch.ones(3)), list[int]()

        def forward(self, x: Tensor) -> Outputs:
            return Outputs(self.fc(x) * self.fixed, x)

        def reseed(self, seed: int) -> None:
            self.seeds.append(seed)

        def parameter_groups(self, learning_rate: float, weight_decay: float) -> list[dict[str, object]]:
            return [{"params": list(self.fc.parameters())}]

    student = Mine()
    distill_modules(student, None, loader(X, LABELS), "none", epochs=2, seed=4)
    assert student.seeds == [epoch_seed(4, 0), epoch_seed(4, 1)]
    assert torch.equal(student.fixed, torch.ones(3))


def test_a_loss_with_a_memory_learns_the_size_of_the_training_list_from_the_loader() -> None:
    train = loader(X, X, LABELS, torch.arange(40))
    result = distill_modules(mlp(seed=1), mlp(seed=2), train, "krca-sr", epochs=1)
    assert set(result.history[0].terms) == {"cross_entropy", "sample_relation"}


class Stream(IterableDataset[tuple[Tensor, ...]]):
    def __iter__(self):  # type: ignore[no-untyped-def]
        return iter(zip(X, LABELS, strict=True))


def test_batches_without_a_length_are_enough_for_a_constant_rate() -> None:
    stream = DataLoader(Stream(), batch_size=8)
    expected = distill_modules(mlp(), None, loader(X, LABELS, shuffle=False), "none", epochs=2)
    assert same(distill_modules(mlp(), None, stream, "none", epochs=2).student, expected.student)
    with pytest.raises(SettingError, match="Schedule 'cosine' has to know how many batches"):
        distill_modules(mlp(), None, stream, "none", epochs=2, schedule="cosine")


def test_what_cannot_be_trained_on_is_refused() -> None:
    with pytest.raises(SettingError, match="only once, not in every epoch"):
        distill_modules(mlp(), None, iter([(X, LABELS)]), "none")
    with pytest.raises(SettingError, match="training loader gives no batches"):
        distill_modules(mlp(), None, [], "none")
    with pytest.raises(SettingError, match="validation loader gives no batches"):
        distill_modules(mlp(), None, [(X, LABELS)], "none", epochs=1, validation=[])
    with pytest.raises(SettingError, match="training batches are None"):
        distill_modules(mlp(), None, None, "none")  # type: ignore[arg-type]
    with pytest.raises(SettingError, match=r"student should be an nn\.Module"):
        distill_modules("resnet18", None, [(X, LABELS)], "none")  # type: ignore[arg-type]
    with pytest.raises(SettingError, match=r"teacher should be an nn\.Module"):
        distill_modules(mlp(), "trn", [(X, LABELS)], "kd")  # type: ignore[arg-type]
    with pytest.raises(SettingError, match="not a dict"):
        distill_modules(mlp(), None, [{"x": X, "y": LABELS}], "none")


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ({"epochs": 0}, "epochs"),
        ({"optimizer": "adamv"}, "did you mean 'adam'"),
        ({"learning_rate": -1.0}, "learning_rate"),
        ({"label_smoothing": 1.0}, "label_smoothing"),
        ({"seed": -1}, "seed should be a whole number from 0, not -1"),
        ({"seed": "a"}, "seed should be a whole number from 0, not 'a'"),
    ],
)
def test_wrong_settings_are_explained(argument: dict[str, object], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        distill_modules(mlp(), None, loader(X, LABELS), "none", **argument)  # type: ignore[arg-type]


def test_a_training_that_diverges_says_so() -> None:
    with pytest.raises(DivergedError, match="training diverged in epoch 1"):
        distill_modules(mlp(), None, loader(X, LABELS), "none", epochs=2, optimizer="sgd", learning_rate=1e38)


def test_what_is_taken_where_nothing_is_said() -> None:
    import inspect

    said = {n: p.default for n, p in inspect.signature(distill_modules).parameters.items() if p.default is not p.empty}
    assert said == {
        "distiller": "kd",
        "epochs": 10,
        "optimizer": "adamw",
        "learning_rate": 1e-3,
        "weight_decay": 0.01,
        "schedule": "constant",
        "label_smoothing": 0.0,
        "gradient_clip": 0.0,
        "validation": None,
        "student_embedding": None,
        "teacher_embedding": None,
        "device": None,
        "seed": 0,
    }


def test_accuracy_is_a_share_of_all_samples_in_evaluation_mode() -> None:
    """Batches of unequal size count by their samples; a module of vskd gives outputs."""

    class Said(nn.Module):
        def forward(self, x: Tensor) -> Outputs:
            assert not self.training
            return Outputs(x, x)

    x = torch.eye(3)[[0, 1, 2, 0, 1]]
    labels = torch.tensor([0, 1, 0, 0, 0])
    batches = [(x[:4], labels[:4]), (x[4:], labels[4:])]
    assert accuracy(Said(), batches) == accuracy(nn.Identity(), batches) == 3 / 5
    with pytest.raises(SettingError, match="Label 3 is of none of the 3 classes"):
        accuracy(nn.Identity(), [(x, labels + 3)])
