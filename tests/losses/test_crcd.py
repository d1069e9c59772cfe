"""CRCD against its formula in loops, and its memory."""

import copy
import math

import pytest
import torch
from torch import Tensor

from vskd.errors import SettingError
from vskd.losses.crcd import CRCD, CRCDSettings, RelationBank
from vskd.losses.term import TermContext


def make(samples: int = 9, negatives: int = 5, seed: int = 0, **options: float) -> CRCD:
    torch.manual_seed(0)
    return CRCD(4, 6, samples, width=3, negatives=negatives, seed=seed, **options)


def batch(size: int, seed: int = 1) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(size, 4, generator=generator), torch.randn(size, 6, generator=generator)


def naive_direction(
    query: Tensor, memory: Tensor, positions: list[int], candidates: Tensor, log_z: float | None, tau: float
) -> tuple[float, float]:
    """One of both directions: the mean over pairs, and log Z (estimated when None is given)."""
    n, negatives = len(memory), candidates.shape[1] - 1

    def unit(v: Tensor) -> Tensor:
        return v / v.norm().clamp(min=1e-3)

    scores: dict[tuple[int, int], list[float]] = {}
    for i in range(len(query)):
        for j in range(len(query)):
            if positions[i] == positions[j]:
                continue
            anchor = memory[positions[j]]
            relation = unit(query[i] - anchor)
            scores[i, j] = [float(relation @ unit(memory[k] - anchor)) / tau for k in candidates[i].tolist()]
    if log_z is None:
        every = [math.exp(s) for row in scores.values() for s in row]
        log_z = math.log(n * sum(every) / len(every))
    total = 0.0
    for row in scores.values():
        p = [math.exp(s - log_z) for s in row]
        noise = negatives / n
        total -= math.log(p[0] / (p[0] + noise)) + sum(math.log(noise / (x + noise)) for x in p[1:])
    return total / len(scores), log_z


def naive(module: CRCD, student: Tensor, teacher: Tensor, positions: list[int], tau: float) -> float:
    with torch.no_grad():
        student, teacher = module.student(student), module.teacher(teacher)
        candidates = module.candidates(torch.tensor(positions))
    total = 0.0
    for query, bank in ((student, module.teacher_bank), (teacher, module.student_bank)):
        query = query / query.norm(dim=1, keepdim=True)
        known = None if bank.log_z.isnan() else bank.log_z.item()
        total += naive_direction(query, bank.vectors, positions, candidates, known, tau)[0]
    return total


@pytest.mark.parametrize("positions", [[0, 1], [3, 8, 5, 0], [2, 7, 2, 4, 7]])
@pytest.mark.parametrize("tau", [0.07, 0.5])
def test_equals_the_formula_before_and_after_the_first_batch(positions: list[int], tau: float) -> None:
    module = make(temperature=tau)
    for seed in (1, 2, 3):  # the first estimates Z, the others use it, on memories that move
        student, teacher = batch(len(positions), seed)
        expected = naive(copy.deepcopy(module), student, teacher, positions, tau)
        actual = module(student, teacher, torch.tensor(positions)).item()
        assert actual == pytest.approx(expected, rel=1e-4)


def test_z_is_frozen_after_the_first_batch() -> None:
    module = make()
    module(*batch(4), torch.tensor([0, 1, 2, 3]))
    first = module.teacher_bank.log_z.clone(), module.student_bank.log_z.clone()
    assert all(torch.isfinite(z) for z in first)
    module(*batch(4, 2), torch.tensor([4, 5, 6, 7]))
    assert torch.equal(module.teacher_bank.log_z, first[0]) and torch.equal(module.student_bank.log_z, first[1])


@pytest.mark.parametrize("options", [{}, {"momentum": 0.5}, {"momentum": 0.2}])
def test_memory_takes_the_batch_in_by_half_unless_said(options: dict[str, float]) -> None:
    module, share = make(**options), options.get("momentum", 0.5)
    before = module.student_bank.vectors.clone()
    student, teacher = batch(2)
    module(student, teacher, torch.tensor([5, 1]))
    embedded = torch.nn.functional.normalize(module.student(student).detach(), dim=1)
    for row, position in enumerate((5, 1)):
        mixed = share * before[position] + (1 - share) * embedded[row]
        torch.testing.assert_close(module.student_bank.vectors[position], mixed / mixed.norm())
    untouched = [0, 2, 3, 4, 6, 7, 8]
    assert torch.equal(module.student_bank.vectors[untouched], before[untouched])
    torch.testing.assert_close(module.teacher_bank.vectors.norm(dim=1), torch.ones(9))


def test_several_samples_at_one_position_are_averaged_in_any_order() -> None:
    student, teacher = batch(3)
    first, second = make(), make()
    first(student, teacher, torch.tensor([4, 4, 2]))
    order = [1, 0, 2]
    second(student[order], teacher[order], torch.tensor([4, 4, 2]))
    torch.testing.assert_close(first.student_bank.vectors, second.student_bank.vectors)


def test_evaluation_changes_nothing() -> None:
    module = make().eval()
    before = copy.deepcopy(module.state_dict())
    first = module(*batch(3), torch.tensor([0, 1, 2]))
    assert torch.equal(first, module(*batch(3), torch.tensor([0, 1, 2])))
    for name, tensor in module.state_dict().items():
        assert torch.equal(tensor, before[name]) or (tensor.isnan() and before[name].isnan()), name


def test_resuming_from_the_state_repeats_exactly() -> None:
    module = make(seed=3)
    module(*batch(4), torch.tensor([0, 1, 2, 3]))
    resumed = make(seed=3)
    resumed.load_state_dict(copy.deepcopy(module.state_dict()))
    for step in (2, 3):
        values = [m(*batch(4, step), torch.tensor([6, 1, 8, 3])) for m in (module, resumed)]
        assert torch.equal(*values)
    assert torch.equal(module.teacher_bank.vectors, resumed.teacher_bank.vectors)


def test_negatives_are_others_and_drawn_anew_from_seed_and_call() -> None:
    module, same, other = make(samples=6, negatives=4), make(samples=6, negatives=4), make(6, 4, seed=1)
    positions = torch.arange(6)
    first = module.candidates(positions)
    assert torch.equal(first, same.candidates(positions))
    assert not torch.equal(first, other.candidates(positions))
    seen = set()
    for _ in range(30):
        drawn = module.candidates(positions)
        assert torch.equal(drawn[:, 0], positions)
        assert (drawn[:, 1:] != positions.unsqueeze(1)).all()
        seen |= {(int(i), int(k)) for i in positions for k in drawn[i, 1:]}
        module(*batch(6), positions)
    assert not torch.equal(drawn, first)
    assert seen == {(i, k) for i in range(6) for k in range(6) if i != k}


def test_never_more_negatives_than_others() -> None:
    assert make(samples=3, negatives=100).candidates(torch.tensor([0])).shape == (1, 3)
    assert make(samples=2).candidates(torch.tensor([1, 0])).tolist() == [[1, 0], [0, 1]]


@pytest.mark.parametrize("positions", [[4], [4, 4]])
def test_without_another_sample_there_is_no_relation(positions: list[int]) -> None:
    module = make()
    student, teacher = batch(len(positions))
    student.requires_grad_()
    loss = module(student, teacher, torch.tensor(positions))
    loss.backward()
    assert loss.item() == 0
    assert torch.equal(student.grad, torch.zeros_like(student))
    assert module.teacher_bank.log_z.isnan()  # nothing to estimate Z from yet
    assert torch.isfinite(module(*batch(3), torch.tensor([0, 1, 2])))


def test_zero_features_and_coinciding_vectors_are_finite() -> None:
    module = make()
    with torch.no_grad():
        for linear in (module.student, module.teacher):
            linear.bias.zero_()
        for bank in (module.student_bank, module.teacher_bank):
            bank.vectors[:] = bank.vectors[0]
    student = torch.zeros(3, 4, requires_grad=True)
    loss = module(student, torch.zeros(3, 6), torch.tensor([0, 1, 2]))
    loss.backward()
    assert torch.isfinite(loss) and torch.isfinite(student.grad).all()
    assert torch.isfinite(module.student.weight.grad).all()
    assert torch.isfinite(module.student_bank.vectors).all()


def test_half_precision_features() -> None:
    module = make().eval()
    student, teacher = batch(4)
    positions = torch.tensor([0, 3, 5, 8])
    loss = module(student.half(), teacher.half(), positions)
    assert loss.dtype == torch.float32
    torch.testing.assert_close(loss, module(student, teacher, positions), rtol=1e-2, atol=1e-2)


def test_gradient_is_that_of_finite_differences() -> None:
    module = make().double().eval()
    positions = torch.tensor([0, 3, 5])
    module.train()(*(x.double() for x in batch(3)), positions)  # estimates Z
    module.eval()
    student, teacher = (x.double().requires_grad_() for x in batch(3, 2))
    assert torch.autograd.gradcheck(lambda s, t: module(s, t, positions), (student, teacher))


def test_learning_brings_related_samples_together() -> None:
    """A student that sees a rotated world learns to place every sample where the teacher places it."""
    torch.manual_seed(0)
    points = torch.randn(12, 6)
    module = CRCD(6, 6, 12, width=8, negatives=8, temperature=0.2)
    student = points @ torch.linalg.qr(torch.randn(6, 6)).Q
    optimizer = torch.optim.Adam(module.parameters(), lr=0.01)
    positions = torch.arange(12)
    losses = []
    for _ in range(120):
        optimizer.zero_grad()
        loss = module(student, points, positions)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert sum(losses[-10:]) < 0.7 * sum(losses[:10])
    nearest = (module.student_bank.vectors @ module.teacher_bank.vectors.T).argmax(1)
    assert (nearest == positions).float().mean() > 0.7


@pytest.mark.parametrize("positions", [[0, 9], [-1, 2], [0], [[0, 1]]])
def test_positions_outside_the_list_are_refused(positions: list[int]) -> None:
    with pytest.raises(ValueError, match="positions"):
        make()(*batch(2), torch.tensor(positions))


def test_the_two_memories_start_from_vectors_of_their_own() -> None:
    """With equal memories, the relations of both sides would be the same to begin with."""
    module = make(seed=3)
    assert torch.equal(module.student_bank.vectors, RelationBank(9, 3, seed=3).vectors)
    assert torch.equal(module.teacher_bank.vectors, RelationBank(9, 3, seed=4).vectors)
    cosines = (module.student_bank.vectors * module.teacher_bank.vectors).sum(1)
    assert cosines.abs().max() < 0.999


CONTEXT = TermContext({"embedding": (4,)}, {"embedding": (6,)}, samples=9, seed=3)


def test_as_a_term_it_is_built_from_settings_and_context() -> None:
    torch.manual_seed(0)
    term = CRCDSettings(width=3, negatives=5, temperature=0.2, momentum=0.25).build(CONTEXT)
    torch.manual_seed(0)
    same = CRCD(4, 6, 9, width=3, negatives=5, temperature=0.2, momentum=0.25, seed=3)
    for name, tensor in same.state_dict().items():
        torch.testing.assert_close(term.loss.state_dict()[name], tensor, rtol=0, atol=0, equal_nan=True)
    positions = torch.tensor([0, 5, 3])
    for seed in (1, 2):
        assert torch.equal(term.loss(*batch(3, seed), positions), same(*batch(3, seed), positions))


def test_as_a_term_it_needs_samples_and_embeddings() -> None:
    with pytest.raises(SettingError, match="'crcd' needs 2 training samples or more, not 1"):
        CRCDSettings().build(TermContext({"embedding": (4,)}, {"embedding": (6,)}, samples=1))
    with pytest.raises(SettingError, match="'mine' compares embeddings, but the teacher's layer 'deep'"):
        CRCDSettings(name="mine", teacher_layer="deep").build(
            TermContext({"embedding": (4,)}, {"deep": (6, 2, 2)}, samples=9)
        )


def test_bad_settings_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 2, not 1"):
        make(samples=1)
    with pytest.raises(ValueError, match="temperature"):
        make(temperature=0.0)
    with pytest.raises(ValueError, match="same batch"):
        make()(torch.zeros(2, 4), torch.zeros(3, 6), torch.tensor([0, 1]))


@pytest.mark.parametrize("angle", [0.0, 4e-4, 9e-4, 1.1e-3, 1.9e-3, 0.3])
def test_vectors_that_nearly_coincide_are_divided_by_a_thousandth_at_least(angle: float) -> None:
    """In the plane, in float64: candidates and queries at an angle to the anchor, whose chord is 2 sin(angle / 2)."""
    bank = RelationBank(3, 2, seed=0).double()
    anchor, near, far = 0.2, 0.2 + angle, 1.7
    places = torch.tensor([anchor, near, far], dtype=torch.float64)
    bank.vectors = torch.stack([places.cos(), places.sin()], dim=1)
    query = bank.vectors[[1, 2]] * torch.tensor([[1.0], [0.5]], dtype=torch.float64)
    positions, candidates = torch.tensor([0, 2]), torch.tensor([[1, 2], [0, 1]])
    found = bank.scores(query, positions, candidates)
    for i in range(2):
        for j, anchored in enumerate(positions.tolist()):
            one = query[i] - bank.vectors[anchored]
            for k, candidate in enumerate(candidates[i].tolist()):
                other = bank.vectors[candidate] - bank.vectors[anchored]
                lengths = one.norm().clamp(min=1e-3) * other.norm().clamp(min=1e-3)
                assert found[i, j, k].item() == pytest.approx(float(one @ other / lengths), abs=1e-6, rel=1e-4)


def test_defaults_are_those_of_the_paper() -> None:
    """Of the loss by itself and of a recipe that says nothing."""
    module = CRCD(3, 4, samples=600)
    assert module.student.out_features == 64 and module._negatives == 512
    assert (module._temperature, module._momentum, module._seed) == (0.07, 0.5, 0)
    settings = CRCDSettings()
    assert (settings.width, settings.negatives, settings.temperature, settings.momentum) == (64, 512, 0.07, 0.5)
