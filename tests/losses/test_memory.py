"""The memory of contrastive losses, its candidates and its contrast."""

import math
from typing import ClassVar

import pytest
import torch
from torch import Tensor, nn

from vskd.errors import SettingError
from vskd.losses.memory import (
    ContrastSettings,
    MemoryBank,
    MemoryContrast,
    drawn_candidates,
    noise_contrast,
    require_positions,
    unit,
)
from vskd.losses.term import TermContext


def test_the_memory_begins_with_unit_vectors_of_its_seed() -> None:
    bank, same, other = (MemoryBank(50, 8, seed) for seed in (1, 1, 2))
    assert torch.equal(bank.vectors, same.vectors) and not torch.equal(bank.vectors, other.vectors)
    torch.testing.assert_close(bank.vectors.norm(dim=1), torch.ones(50))
    assert bank.log_z.isnan() and set(bank.state_dict()) == {"vectors", "log_z"}


def test_z_is_the_list_times_the_mean_of_the_first_batch_and_then_stays() -> None:
    bank = MemoryBank(20, 4, 0)
    scores = torch.tensor([[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]])
    seen = torch.tensor([True, False])
    z = 20 * sum(math.exp(value / 0.5) for value in (0.1, 0.2, 0.3)) / 3
    expected = scores / 0.5 - math.log(z)
    torch.testing.assert_close(bank.normalised(scores, seen, 0.5), expected)
    torch.testing.assert_close(bank.normalised(scores, ~seen, 0.5), expected)


def test_z_waits_for_something_to_see_and_is_kept_in_training_only() -> None:
    bank, scores = MemoryBank(20, 4, 0), torch.ones(2, 3)
    nothing, all_of_it = torch.zeros(2, dtype=torch.bool), torch.ones(2, dtype=torch.bool)
    assert torch.equal(bank.normalised(scores, nothing, 1.0), scores) and bank.log_z.isnan()
    bank.eval().normalised(scores, all_of_it, 1.0)
    assert bank.log_z.isnan()
    bank.train().normalised(scores, all_of_it, 1.0)
    assert bank.log_z.item() == pytest.approx(1 + math.log(20))


def test_an_update_mixes_averages_and_touches_no_other_row() -> None:
    bank = MemoryBank(5, 2, 0)
    before = bank.vectors.clone()
    bank.update(torch.tensor([3, 1, 3]), torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]]), momentum=0.25)
    for row, new in ((3, torch.tensor([0.5, 0.5])), (1, torch.tensor([0.0, 1.0]))):
        mixed = 0.25 * before[row] + 0.75 * new
        torch.testing.assert_close(bank.vectors[row], mixed / mixed.norm())
    assert torch.equal(bank.vectors[[0, 2, 4]], before[[0, 2, 4]])


def test_candidates_are_the_sample_and_all_others_alike_and_repeat_with_seed_and_call() -> None:
    positions = torch.tensor([0, 4, 9])
    drawn = drawn_candidates(positions, 10, 3000, seed=1, call=2)
    assert torch.equal(drawn[:, 0], positions) and drawn.shape == (3, 3001)
    for row, own in zip(drawn[:, 1:], positions, strict=True):
        counts = row.bincount(minlength=10)
        assert counts[own] == 0 and counts.sum() == 3000
        assert all(250 < count < 420 for k, count in enumerate(counts.tolist()) if k != own)
    assert torch.equal(drawn, drawn_candidates(positions, 10, 3000, seed=1, call=2))
    for seed, call in ((1, 3), (2, 2), (2, 1)):
        assert not torch.equal(drawn, drawn_candidates(positions, 10, 3000, seed=seed, call=call))


def test_contrast_equals_the_formula() -> None:
    torch.manual_seed(0)
    log_p, samples = torch.randn(3, 2, 5) - 2, 50
    noise = 4 / samples
    found = noise_contrast(log_p, samples)
    for i in range(3):
        for j in range(2):
            p = [math.exp(value) for value in log_p[i, j].tolist()]
            expected = -math.log(p[0] / (p[0] + noise)) - sum(math.log(noise / (q + noise)) for q in p[1:])
            assert found[i, j].item() == pytest.approx(expected, rel=1e-5)


def test_unit_vectors_are_float32_and_zero_stays_zero() -> None:
    projector = nn.Linear(2, 3, bias=False)
    found = unit(projector, torch.tensor([[3.0, 4.0], [0.0, 0.0]]).half())
    assert found.dtype == torch.float32 and torch.equal(found[1], torch.zeros(3))
    assert found[0].norm().item() == pytest.approx(1)


@pytest.mark.parametrize(
    ("positions", "told"),
    [
        (torch.tensor([0]), "2 samples, but positions"),
        (torch.tensor([0, 5]), "training list of 5"),
        (torch.tensor([-1, 0]), "training list of 5"),
    ],
)
def test_positions_outside_are_refused(positions: torch.Tensor, told: str) -> None:
    require_positions("CRD", torch.tensor([4, 0]), 2, 5)
    with pytest.raises(ValueError, match=f"CRD: .*{told}"):
        require_positions("CRD", positions, 2, 5)


class Nearness(MemoryContrast[MemoryBank]):
    """The sum of the scores of all candidates: a contrast that shows what it is given."""

    def __init__(self, student_width: int, teacher_width: int, samples: int, **settings: float) -> None:
        said = {"width": 2, "negatives": 3, "temperature": 0.5, "momentum": 0.25, "seed": 7} | settings
        super().__init__("nearness", student_width, teacher_width, samples, bank=MemoryBank, **said)  # type: ignore[arg-type]

    def contrast(self, bank: MemoryBank, query: Tensor, positions: Tensor, candidates: Tensor) -> Tensor:
        return (bank.vectors[candidates] @ query.unsqueeze(2)).sum()


def test_each_side_meets_the_memory_of_the_other_and_training_alone_changes_them() -> None:
    torch.manual_seed(0)
    loss, positions = Nearness(3, 4, 5), torch.tensor([4, 0])
    student, teacher = torch.randn(2, 3), torch.randn(2, 4)
    banks = loss.student_bank.vectors.clone(), loss.teacher_bank.vectors.clone()
    assert torch.equal(banks[0], MemoryBank(5, 2, 7).vectors) and torch.equal(banks[1], MemoryBank(5, 2, 8).vectors)
    candidates = drawn_candidates(positions, 5, 3, 7, 0)
    said = unit(loss.student, student), unit(loss.teacher, teacher)
    expected = sum((bank[candidates] @ own.unsqueeze(2)).sum() for bank, own in zip(banks[::-1], said, strict=True))
    loss.eval()
    torch.testing.assert_close(loss(student, teacher, positions), expected)
    assert torch.equal(loss.student_bank.vectors, banks[0]) and loss.call == 0
    torch.testing.assert_close(loss.train()(student, teacher, positions), expected)
    for bank, before, own in zip((loss.student_bank, loss.teacher_bank), banks, said, strict=True):
        mixed = 0.25 * before[positions] + 0.75 * own
        torch.testing.assert_close(bank.vectors[positions], mixed / mixed.norm(dim=1, keepdim=True))
    assert loss.call == 1 and not torch.equal(loss.candidates(positions), candidates)


def test_there_are_no_more_others_than_the_list_has() -> None:
    assert Nearness(3, 4, 5, negatives=9).candidates(torch.tensor([0])).shape == (1, 5)
    assert Nearness(3, 4, 5, negatives=2).candidates(torch.tensor([0])).shape == (1, 3)


@pytest.mark.parametrize(("samples", "settings"), [(1, {}), (5, {"temperature": 0.0}), (5, {"temperature": -1.0})])
def test_a_memory_of_one_sample_and_no_temperature_are_refused(samples: int, settings: dict[str, float]) -> None:
    assert Nearness(3, 4, 2) is not None
    with pytest.raises(ValueError, match=r"at least 2, not 1|above 0, not"):
        Nearness(3, 4, samples, **settings)


def test_a_batch_of_two_sizes_is_refused() -> None:
    with pytest.raises(ValueError, match="nearness"):
        Nearness(3, 4, 5)(torch.zeros(2, 3), torch.zeros(3, 4), torch.tensor([0, 1]))


class NearnessSettings(ContrastSettings):
    """The smallest settings of such a term."""

    description: ClassVar[str] = "for this test"
    module: ClassVar[type[Nearness]] = Nearness
    loss: str = "nearness"
    width: int = 2
    negatives: int = 3


def test_settings_of_a_term_reach_the_loss() -> None:
    settings = NearnessSettings(width=6, negatives=4, temperature=0.3, momentum=0.9)
    loss = settings.build(TermContext({"embedding": (3,)}, {"embedding": (4,)}, samples=9, seed=11)).loss
    assert isinstance(loss, Nearness)
    assert (loss.student.in_features, loss.teacher.in_features, loss.student.out_features) == (3, 4, 6)
    assert loss.candidates(torch.tensor([0])).shape == (1, 5) and len(loss.student_bank.vectors) == 9
    assert (loss._temperature, loss._momentum) == (0.3, 0.9)
    assert torch.equal(loss.student_bank.vectors, MemoryBank(9, 6, 11).vectors)
    plain = NearnessSettings()
    assert (plain.temperature, plain.momentum) == (0.07, 0.5)
    assert plain.needs_positions and plain.layers == (("embedding",), ("embedding",))


def test_one_training_sample_is_refused_by_the_name_of_the_term() -> None:
    context = TermContext({"embedding": (3,)}, {"embedding": (4,)}, samples=1)
    with pytest.raises(SettingError, match="'mine' needs 2 training samples or more, not 1"):
        NearnessSettings(name="mine").build(context)
    flat = TermContext({"embedding": (3, 2)}, {"embedding": (4,)}, samples=9)
    with pytest.raises(SettingError, match=r"compares embeddings, but the student's .* shape \(3, 2\)"):
        NearnessSettings().build(flat)


def test_a_short_vector_is_made_a_unit_one_and_a_shorter_one_is_not() -> None:
    """The floor of the length is 1e-6: vectors below it keep their direction and are shorter than 1."""
    projector = nn.Linear(2, 2, bias=False)
    with torch.no_grad():
        projector.weight.copy_(torch.eye(2))
    found = unit(projector, torch.tensor([[0.0, 1.5e-6], [0.0, 5e-7], [3.0, 4.0]]))
    torch.testing.assert_close(found, torch.tensor([[0.0, 1.0], [0.0, 0.5], [0.6, 0.8]]))


def test_an_empty_batch_has_no_position_outside() -> None:
    require_positions("CRD", torch.zeros(0, dtype=torch.int64), 0, 5)


@pytest.mark.parametrize("positions", [[0], [4], [0, 4], [4, 0]])
def test_the_first_and_the_last_place_are_inside(positions: list[int]) -> None:
    require_positions("CRD", torch.tensor(positions), len(positions), 5)


@pytest.mark.parametrize("momentum", [0.0, 0.3, 0.9])
def test_the_momentum_is_the_share_of_what_was_there(momentum: float) -> None:
    bank = MemoryBank(3, 4, 0)
    before, new = bank.vectors.clone(), torch.nn.functional.normalize(torch.tensor([[1.0, 2.0, 0.0, 0.0]]), dim=1)
    bank.update(torch.tensor([2]), new, momentum)
    mixed = momentum * before[2] + (1 - momentum) * new[0]
    torch.testing.assert_close(bank.vectors[2], mixed / mixed.norm())


def test_no_more_others_are_drawn_than_are_asked_for_or_there() -> None:
    for samples, asked, drawn in ((5, 3, 3), (5, 4, 4), (5, 5, 4), (2, 1, 1), (2, 9, 1)):
        assert Nearness(3, 4, samples, negatives=asked).candidates(torch.tensor([0])).shape == (1, 1 + drawn)


def test_two_training_samples_are_enough() -> None:
    context = TermContext({"embedding": (3,)}, {"embedding": (4,)}, samples=2)
    assert len(NearnessSettings().build(context).loss.student_bank.vectors) == 2
