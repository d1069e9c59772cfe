"""The control: what the teacher says is exchanged between recordings, and nothing is to be gained from that."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional

from vskd.distillation.experiment import prepare
from vskd.distillation.teacher.outputs import CachedTeacher, finished_teacher
from vskd.distillation.teacher.permuted import PermutedTeacher, permutation
from vskd.distillation.teacher.source import teacher_source
from vskd.modalities.base import Batch
from vskd.network import Outputs

IDS = [f"r{k}" for k in range(30)]
CLASSES = {i: k % 3 for k, i in enumerate(IDS)}


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("classes", [None, CLASSES])
def test_every_recording_is_given_another_one_and_every_one_is_given_once(seed: int, classes: Any) -> None:
    mapped = permutation(IDS, classes, seed)
    assert sorted(mapped) == sorted(mapped.values()) == sorted(IDS)
    assert all(one != other for one, other in mapped.items())
    assert all(CLASSES[one] == CLASSES[other] for one, other in mapped.items()) == (classes is not None)


def test_the_exchange_is_a_function_of_its_seed_and_not_of_the_order() -> None:
    assert permutation(IDS, None, 1) == permutation(IDS[::-1], None, 1) != permutation(IDS, None, 2)


def test_a_class_of_one_keeps_its_own() -> None:
    assert permutation(["a", "b", "c"], {"a": 0, "b": 0, "c": 1}, 0) == {"a": "b", "b": "a", "c": "c"}


GOLDEN = {"a": "e", "e": "d", "d": "c", "c": "b", "b": "a"}


def test_who_is_given_whom_is_the_same_on_every_machine() -> None:
    """Written down: runs of the control on record can be repeated."""
    assert permutation(["a", "b", "c", "d", "e"], None, 0) == GOLDEN
    assert permutation(["e", "a", "d", "c", "b"], dict.fromkeys("abcde", 4), 0) == GOLDEN


class Cache:
    """Of recording k the logits are k, k + 1."""

    ids = frozenset(IDS)
    shapes = {"logits": (2,), "embedding": (1,), "deep": (1,)}  # noqa: RUF012

    def outputs(self, ids: list[str]) -> tuple[Outputs, tuple[str, ...], torch.Tensor]:
        numbers = torch.tensor([[float(i[1:])] for i in ids])
        outputs = Outputs(torch.cat([numbers, numbers + 1], dim=1), numbers, {"deep": -numbers})
        return outputs, tuple(ids), torch.zeros(len(ids), dtype=torch.int64)


def batch_of(ids: tuple[str, ...]) -> Batch:
    return Batch(ids, torch.zeros(len(ids), 1), torch.zeros(len(ids), dtype=torch.int64), torch.arange(len(ids)))


def test_outputs_are_those_of_the_other_under_the_id_of_the_batch() -> None:
    mapped = permutation(IDS, None, 0)
    teacher = PermutedTeacher(Cache(), mapped)  # type: ignore[arg-type]
    outputs, ids, labels = teacher.outputs(batch_of(("r3", "r7")))
    others = torch.tensor([[float(mapped[i][1:])] for i in ("r3", "r7")])
    assert ids == ("r3", "r7")
    assert torch.equal(outputs.embedding, others)
    assert torch.equal(outputs.logits, torch.cat([others, others + 1], dim=1))
    assert torch.equal(outputs.features["deep"], -others)
    assert labels.tolist() == [-1, -1]  # nobody's: the label of the batch is not what the outputs are of
    assert (teacher.ids, teacher.shapes) == (Cache.ids, Cache.shapes)


@pytest.mark.parametrize(("permuted", "within"), [("all", False), ("class", True)])
def test_the_engine_exchanges_between_training_recordings(
    tiny, teacher_run: Path, shared_cache: Path, permuted: str, within: bool
) -> None:
    recipe = tiny(f"distiller.permuted={permuted}")
    experiment = prepare(recipe, shared_cache, with_teachers=True)
    teacher = finished_teacher(experiment, teacher_run)
    source, own = teacher_source(experiment, [teacher]), CachedTeacher(teacher.cache())
    assert isinstance(source, PermutedTeacher)
    train = experiment.training_split(recipe.student.training).train
    (batch,) = experiment.inputs.batches(train, batch_size=len(train))
    given, true = source.outputs(batch)[0].logits, own.outputs(batch)[0].logits
    order = [int((true - row).abs().sum(dim=1).argmin()) for row in given]
    assert torch.equal(true[order], given) and sorted(order) == list(range(len(train)))
    assert all(k != other for k, other in enumerate(order))
    labels = [experiment.recordings[i].label for i in batch.ids]
    assert all(labels[k] == labels[other] for k, other in enumerate(order)) == within


SAMPLES = 600


def learned(mapped: dict[str, str]) -> float:
    """What a linear student believes of the true class, which hears a perfect teacher through an exchange, and has no
    labels of its own."""
    torch.manual_seed(0)
    labels = torch.tensor([k % 3 for k in range(SAMPLES)])
    samples = functional.one_hot(labels, 3).float() + 0.3 * torch.randn(SAMPLES, 3)
    order = [int(mapped[f"r{k}"][1:]) for k in range(SAMPLES)]
    targets = functional.one_hot(labels, 3).float()[order]
    student = nn.Linear(3, 3)
    optimizer = torch.optim.Adam(student.parameters(), lr=0.05)
    for _ in range(100):
        optimizer.zero_grad()
        functional.cross_entropy(student(samples), targets).backward()
        optimizer.step()
    with torch.no_grad():
        return float(student(samples).softmax(1)[torch.arange(SAMPLES), labels].mean())


def test_a_student_gains_nothing_from_an_exchange_but_all_from_one_within_classes() -> None:
    ids = [f"r{k}" for k in range(SAMPLES)]
    classes = {i: k % 3 for k, i in enumerate(ids)}
    assert learned({i: i for i in ids}) > 0.9
    assert learned(permutation(ids, classes, 0)) > 0.9
    for seed in range(5):
        assert learned(permutation(ids, None, seed)) == pytest.approx(1 / 3, abs=0.05)
