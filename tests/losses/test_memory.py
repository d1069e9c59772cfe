"""The memory of contrastive losses, its candidates and its contrast."""

import math

import pytest
import torch
from torch import nn

from vskd.losses.memory import MemoryBank, drawn_candidates, noise_contrast, require_positions, unit


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
