"""CRD against its formula in loops, and its memory."""

import copy
import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from vskd.errors import SettingError
from vskd.losses.crd import CRD, CRDSettings
from vskd.losses.memory import MemoryBank, drawn_candidates
from vskd.losses.term import TermContext


def one_side(query: Tensor, bank: Tensor, candidates: Tensor, temperature: float, samples: int) -> float:
    scores = []
    for said, row in zip(query.detach(), candidates, strict=True):
        scores.append([math.exp(float(said @ bank[k]) / temperature) for k in row])
    negatives = candidates.shape[1] - 1
    z = samples * sum(map(sum, scores)) / (len(scores) * len(scores[0]))
    noise, total = negatives / samples, 0.0
    for row in scores:
        p = [value / z for value in row]
        total -= math.log(p[0] / (p[0] + noise)) + sum(math.log(noise / (q + noise)) for q in p[1:])
    return total / len(scores)


@pytest.mark.parametrize(("batch", "widths"), [(1, (3, 3)), (4, (2, 5))])
def test_equals_the_formula(batch: int, widths: tuple[int, int]) -> None:
    torch.manual_seed(0)
    module = CRD(*widths, samples=11, width=6, negatives=7, temperature=0.3, seed=5).double()
    student, teacher = (torch.randn(batch, width, dtype=torch.float64) for width in widths)
    positions = torch.arange(batch) * 2
    candidates = drawn_candidates(positions, 11, 7, 5, 0)
    banks = MemoryBank(11, 6, 5).vectors.double(), MemoryBank(11, 6, 6).vectors.double()
    own, other = F.normalize(module.student(student), dim=1), F.normalize(module.teacher(teacher), dim=1)
    expected = one_side(own, banks[1], candidates, 0.3, 11) + one_side(other, banks[0], candidates, 0.3, 11)
    assert module(student, teacher, positions).item() == pytest.approx(expected, rel=1e-5)


def test_only_training_moves_the_memory_and_the_draw() -> None:
    torch.manual_seed(0)
    module = CRD(3, 4, samples=9, negatives=3, momentum=0.2)
    batch = torch.randn(2, 3), torch.randn(2, 4), torch.tensor([1, 7])
    before = copy.deepcopy(module.state_dict())
    module.eval()(*batch)
    assert all(torch.equal(before[key], value) or value.isnan() for key, value in module.state_dict().items())
    module.train()(*batch)
    after = module.state_dict()
    assert int(after["call"]) == 1
    for side, bank in ((module.student, "student_bank"), (module.teacher, "teacher_bank")):
        said = F.normalize(side(batch[0] if bank == "student_bank" else batch[1]), dim=1)
        mixed = F.normalize(0.2 * before[f"{bank}.vectors"][[1, 7]] + 0.8 * said, dim=1)
        torch.testing.assert_close(after[f"{bank}.vectors"][[1, 7]], mixed)


def test_a_resumed_training_repeats_itself() -> None:
    torch.manual_seed(0)
    first = CRD(3, 3, samples=30, negatives=8)
    batches = [(torch.randn(4, 3), torch.randn(4, 3), torch.randperm(30)[:4]) for _ in range(3)]
    first(*batches[0])
    second = CRD(3, 3, samples=30, negatives=8)
    second.load_state_dict(first.state_dict())
    for batch in batches[1:]:
        assert first(*batch).item() == second(*batch).item()


def test_learns_to_tell_samples_apart() -> None:
    torch.manual_seed(0)
    teacher = torch.eye(12)
    student = torch.nn.Parameter(torch.randn(12, 12) * 0.1)
    module = CRD(12, 12, samples=12, width=12, negatives=11, temperature=0.2)
    optimizer = torch.optim.Adam([student, *module.parameters()], lr=0.05)
    for _ in range(120):
        optimizer.zero_grad()
        module(student, teacher, torch.arange(12)).backward()
        optimizer.step()
    own, other = (F.normalize(x, dim=1) for x in (module.student(student), module.teacher(teacher)))
    assert torch.equal((own @ other.T).argmax(dim=1), torch.arange(12))


def test_negatives_are_at_most_all_others() -> None:
    module = CRD(3, 3, samples=5, negatives=100)
    assert module(torch.randn(2, 3), torch.randn(2, 3), torch.tensor([0, 1])).isfinite()
    assert drawn_candidates(torch.tensor([0]), 5, module._negatives, 0, 0).shape == (1, 5)


@pytest.mark.parametrize(("samples", "temperature", "told"), [(1, 0.1, "at least 2"), (5, 0.0, "above 0")])
def test_bad_settings_are_refused(samples: int, temperature: float, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        CRD(3, 3, samples=samples, temperature=temperature)


def test_bad_batches_are_refused() -> None:
    module = CRD(3, 3, samples=5)
    with pytest.raises(ValueError, match="same batch"):
        module(torch.zeros(2, 3), torch.zeros(3, 3), torch.tensor([0, 1]))
    with pytest.raises(ValueError, match="CRD: positions must be in the training list of 5"):
        module(torch.zeros(2, 3), torch.zeros(2, 3), torch.tensor([0, 5]))


def test_as_a_term_it_takes_samples_seed_and_settings() -> None:
    context = TermContext({"embedding": (4,)}, {"embedding": (6,)}, samples=9, seed=3)
    module = CRDSettings(width=5, negatives=2).build(context).loss
    assert module.student.weight.shape == (5, 4) and module.teacher.weight.shape == (5, 6)
    assert torch.equal(module.student_bank.vectors, MemoryBank(9, 5, seed=3).vectors)
    with pytest.raises(SettingError, match="'crd' needs 2 training samples or more, not 1"):
        CRDSettings().build(TermContext({"embedding": (4,)}, {"embedding": (6,)}, samples=1))


def test_defaults_are_those_of_the_public_code() -> None:
    """Of the loss by itself and of a recipe that says nothing."""
    module = CRD(3, 4, samples=5000)
    assert module.student.out_features == 128 and module._negatives == 4096
    assert (module._temperature, module._momentum, module._seed) == (0.07, 0.5, 0)
    settings = CRDSettings()
    assert (settings.width, settings.negatives, settings.temperature, settings.momentum) == (128, 4096, 0.07, 0.5)
