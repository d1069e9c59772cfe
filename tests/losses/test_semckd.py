"""SemCKD against its formula in loops, across shapes of layers."""

import math

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor, nn
from torch.nn import functional as F

from vskd.distillation.distiller import Distiller, layers
from vskd.errors import SettingError
from vskd.losses.semckd import SemCKD, SemCKDSettings, as_map
from vskd.losses.term import TermContext
from vskd.network import Outputs

SHAPES = [
    ([(4,)], [(3, 5, 5)]),
    ([(4, 10), (6,)], [(3, 8, 8), (5, 4, 4), (7,)]),
    ([(2, 6, 6), (3, 3, 3)], [(4, 3, 3), (2, 9)]),
]


def drawn(shapes: list[tuple[int, ...]], batch: int, seed: int) -> list[Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(batch, *shape, generator=generator) for shape in shapes]


def rows(layer: Tensor, largest: int) -> Tensor:
    """How alike the samples are, at most 1, filled with 0."""
    batch = len(layer)
    products = torch.tensor([[float((a * b).sum()) for b in layer] for a in layer])
    filled = torch.zeros(batch, largest)
    filled[:, :batch] = products / products.abs().max()
    return filled


def pooled(layer: Tensor, grid: tuple[int, int]) -> Tensor:
    return F.adaptive_avg_pool2d(as_map(layer), grid)


@pytest.mark.parametrize(("own", "other"), SHAPES)
@pytest.mark.parametrize("batch", [1, 3, 4])
def test_equals_the_formula(own: list[tuple[int, ...]], other: list[tuple[int, ...]], batch: int) -> None:
    torch.manual_seed(0)
    module = SemCKD(own, other, batch=4, factor=2)
    students, teachers = drawn(own, batch, 1), drawn(other, batch, 2)
    expected = 0.0
    for n in range(batch):
        for s, student in enumerate(students):
            query = module.queries[s](rows(student, 4))[n]
            energies = [float(query.detach() @ module.keys[t](rows(x, 4))[n].detach()) for t, x in enumerate(teachers)]
            total = sum(math.exp(energy) for energy in energies)
            for t, teacher in enumerate(teachers):
                a, b = as_map(student), as_map(teacher)
                grid = min(a.shape[2], b.shape[2]), min(a.shape[3], b.shape[3])
                said = module.projectors[s][t](pooled(student[n : n + 1], grid))
                error = (said - pooled(teacher[n : n + 1], grid)).square().mean().item()
                expected += math.exp(energies[t]) / total * error
    found = module(students, teachers).item()
    assert found == pytest.approx(expected / (batch * len(students)), rel=1e-4)


def test_queries_and_keys_have_length_one_and_shares_add_to_one() -> None:
    torch.manual_seed(0)
    own, other = SHAPES[1]
    module = SemCKD(own, other, batch=8)
    students, teachers = drawn(own, 5, 1), drawn(other, 5, 2)
    assert module.queries[0](rows(students[0], 8)).shape == (5, 2)
    torch.testing.assert_close(module.queries[0](rows(students[0], 8)).norm(dim=1), torch.ones(5))
    alpha = module.attention(students, teachers)
    torch.testing.assert_close(alpha.sum(dim=2), torch.ones(5, 2))
    assert alpha.min() > math.exp(-2) / 3 / math.exp(2)


def test_the_attention_is_learned_and_turns_to_the_layer_that_can_be_copied() -> None:
    torch.manual_seed(0)
    student = torch.randn(16, 4, 3, 3)
    copied, noise = torch.einsum("tc,bchw->bthw", torch.randn(4, 4), student), 3 * torch.randn(16, 4, 3, 3)
    module = SemCKD([(4, 3, 3)], [(4, 3, 3), (4, 3, 3)], batch=16)
    optimizer = torch.optim.Adam(module.parameters(), lr=0.01)
    before = module.attention([student], [copied, noise])[:, 0, 0].mean().item()
    for _ in range(150):
        optimizer.zero_grad()
        module([student], [copied, noise]).backward()
        optimizer.step()
    after = module.attention([student], [copied, noise])[:, 0, 0].mean().item()
    assert after > 0.8 > before


@pytest.mark.parametrize(
    ("students", "teachers", "told"),
    [
        ([(2, 4)], [(2, 4), (2, 4)], "built for 1 and 1 layers, got 1 and 2"),
        ([(2, 4)], [(3, 4)], r"batches up to 4, got \[2, 3\]"),
        ([(5, 4)], [(5, 4)], r"batches up to 4, got \[5\]"),
    ],
)
def test_bad_batches_are_refused(students: list[tuple[int]], teachers: list[tuple[int]], told: str) -> None:
    module = SemCKD([(4,)], [(4,)], batch=4)
    with pytest.raises(ValueError, match=told):
        module([torch.zeros(s) for s in students], [torch.zeros(s) for s in teachers])


def test_half_precision_dead_layers_and_large_values_give_finite_gradients() -> None:
    torch.manual_seed(0)
    module = SemCKD([(4,), (4,)], [(4,)], batch=2)
    students = [
        torch.zeros(2, 4, dtype=torch.float16, requires_grad=True),
        torch.full((2, 4), 1e18, requires_grad=True),
    ]
    module(students, [torch.ones(2, 4)]).backward()
    assert all(torch.isfinite(x.grad).all() for x in students)


CONTEXT = TermContext(
    {"logits": (3,), "embedding": (6,), "block2": (4, 20), "clips": (8, 3, 4, 4)},
    {"logits": (3,), "embedding": (5,), "shallow": (2, 8, 8)},
    batch=4,
)


def test_as_a_term_it_sees_every_layer_it_names() -> None:
    settings = SemCKDSettings(student_layers=("block2", "embedding"), teacher_layers=("shallow", "embedding"))
    assert layers([settings]) == (("block2",), ("shallow",))
    distiller = Distiller([settings], "fixed", CONTEXT)
    student = Outputs(torch.randn(4, 3), torch.randn(4, 6), {"block2": torch.randn(4, 4, 20)})
    teacher = Outputs(torch.randn(4, 3), torch.randn(4, 5), {"shallow": torch.randn(4, 2, 8, 8)})
    (found,) = distiller(student, teacher, torch.zeros(4), torch.arange(4)).values()
    loss = distiller.terms["semckd"].loss
    own, other = [student.features["block2"], student.embedding], [teacher.features["shallow"], teacher.embedding]
    torch.testing.assert_close(found, loss(own, other))
    assert isinstance(loss.projectors[1][0], nn.Sequential) and loss.projectors[1][0][0].weight.shape == (2, 6, 1, 1)


@pytest.mark.parametrize(
    ("settings", "context", "told"),
    [
        ({"teacher_layers": ("deep",)}, CONTEXT, "the layer 'deep', but the teacher has logits, embedding, shallow"),
        ({"student_layers": ("clips",)}, CONTEXT, "student's layer 'clips' has shape"),
        ({}, TermContext(CONTEXT.student, CONTEXT.teacher), "needs the size of a batch"),
    ],
)
def test_layers_that_do_not_fit_are_named(
    settings: dict[str, tuple[str, ...]], context: TermContext, told: str
) -> None:
    with pytest.raises(SettingError, match=f"'semckd' .*{told}"):
        SemCKDSettings(**settings).build(context)


def test_no_layers_are_refused() -> None:
    with pytest.raises(ValidationError, match="student_layers"):
        SemCKDSettings(student_layers=())


@pytest.mark.parametrize(
    ("batch", "factor", "width"), [(8, 4, 2), (8, 1, 8), (8, 3, 2), (4, 4, 1), (3, 4, 1), (1, 4, 1), (12, 4, 3)]
)
def test_queries_have_a_share_of_the_batch_and_one_value_at_least(batch: int, factor: int, width: int) -> None:
    module = SemCKD([(4,)], [(3,), (5,)], batch=batch, factor=factor)
    for embedding in (*module.queries, *module.keys):
        first, _, second = embedding.layers
        assert (first.in_features, first.out_features) == (batch, 2 * width)
        assert (second.in_features, second.out_features) == (2 * width, width)
        assert embedding(torch.randn(3, batch)).shape == (3, width)


def test_layers_of_all_kinds_are_maps_with_the_channels_first() -> None:
    """A vector is one place, a series one row, a map itself; the values keep their order."""
    vector, series, image = torch.randn(2, 3), torch.randn(2, 3, 7), torch.randn(2, 3, 4, 5)
    assert as_map(vector).shape == (2, 3, 1, 1) and torch.equal(as_map(vector)[:, :, 0, 0], vector)
    assert as_map(series).shape == (2, 3, 1, 7) and torch.equal(as_map(series)[:, :, 0], series)
    assert torch.equal(as_map(image), image) and as_map(image.half()).dtype == torch.float32


def test_a_projector_sees_neighbours_and_normalises_all_channels_together() -> None:
    torch.manual_seed(0)
    module = SemCKD([(2, 5, 5)], [(6, 5, 5)], batch=4)
    narrow, norm, _, wide, second, _, last = module.projectors[0][0]
    x = torch.randn(2, 2, 5, 5)
    hidden = F.conv2d(x, narrow.weight, narrow.bias)
    for layer, weight in ((wide, (6, 6, 3, 3)), (last, (6, 6, 1, 1))):
        assert layer.weight.shape == weight
    assert narrow.weight.shape == (6, 2, 1, 1) and {norm.num_groups, second.num_groups} == {1}

    def normalised(x: Tensor) -> Tensor:
        flat = x.flatten(1)
        mean, deviation = flat.mean(dim=1), flat.var(dim=1, unbiased=False).add(1e-5).sqrt()
        return ((x - mean.view(-1, 1, 1, 1)) / deviation.view(-1, 1, 1, 1)).relu()

    hidden = F.conv2d(F.pad(normalised(hidden), (1, 1, 1, 1)), wide.weight, wide.bias)
    expected = F.conv2d(normalised(hidden), last.weight, last.bias)
    torch.testing.assert_close(module.projectors[0][0](x), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("shape", [(), (2, 3, 4, 5)])
def test_layers_that_are_neither_vectors_nor_series_nor_maps_are_refused(shape: tuple[int, ...]) -> None:
    for own, other in ((shape, (4,)), ((4,), shape)):
        with pytest.raises(SettingError, match="compares vectors, series and maps"):
            SemCKDSettings().build(TermContext({"embedding": own}, {"embedding": other}, batch=2))


@pytest.mark.parametrize("shape", [(3,), (3, 4), (3, 4, 5)])
def test_batches_of_one_sample_and_layers_of_any_rank_are_built(shape: tuple[int, ...]) -> None:
    loss = SemCKDSettings().build(TermContext({"embedding": shape}, {"embedding": (2,)}, batch=1)).loss
    assert loss([torch.randn(1, *shape)], [torch.randn(1, 2)]).isfinite()
    with pytest.raises(SettingError, match="needs the size of a batch"):
        SemCKDSettings().build(TermContext({"embedding": shape}, {"embedding": (2,)}, batch=0))


def test_how_alike_samples_are_does_not_depend_on_the_scale_of_a_layer() -> None:
    torch.manual_seed(0)
    own, other = drawn([(4, 6)], 3, 1), drawn([(3, 5, 5), (7,)], 3, 2)
    module = SemCKD([(4, 6)], [(3, 5, 5), (7,)], batch=4, factor=1)
    alpha = module.attention(own, other)
    for scale in (1e-20, 1e3, 1e20):
        torch.testing.assert_close(module.attention([own[0] * scale], other), alpha, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(module.attention(own, [x * scale for x in other]), alpha, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("factor", [1, 2, 4])
def test_the_factor_of_a_recipe_reaches_the_queries(factor: int) -> None:
    loss = SemCKDSettings(factor=factor).build(TermContext({"embedding": (3,)}, {"embedding": (2,)}, batch=8)).loss
    assert loss.queries[0].layers[2].out_features == loss.keys[0].layers[2].out_features == 8 // factor
    with pytest.raises(ValidationError, match="factor"):
        SemCKDSettings(factor=0)


def test_a_recipe_that_says_nothing() -> None:
    settings = SemCKDSettings()
    assert (settings.factor, settings.layers) == (4, (("embedding",), ("embedding",)))
    assert settings.needs_teacher and not (settings.needs_labels or settings.needs_positions)
    for side in ("student_layers", "teacher_layers"):
        with pytest.raises(ValidationError, match=side):
            SemCKDSettings(**{side: ()})


@pytest.mark.parametrize("length", [3e-6, 1.5e-6, 5e-7])
def test_a_short_query_is_made_a_unit_one_and_a_shorter_one_is_not(length: float) -> None:
    """The floor of the length is 1e-6."""
    query = SemCKD([(4,)], [(3,)], batch=8).queries[0]
    with torch.no_grad():
        query.layers[2].weight.zero_()
        query.layers[2].bias.copy_(torch.tensor([0.6, 0.8]) * length)
    wanted = torch.tensor([0.6, 0.8]) * min(1.0, length / 1e-6)
    torch.testing.assert_close(query(torch.randn(3, 8)), wanted.expand(3, 2))


@pytest.mark.parametrize("batches", [(4, 4), (1, 1)])
def test_batches_up_to_the_largest_are_taken(batches: tuple[int, int]) -> None:
    own, other = batches
    assert SemCKD([(3,)], [(2,)], batch=4)([torch.randn(own, 3)], [torch.randn(other, 2)]).isfinite()
