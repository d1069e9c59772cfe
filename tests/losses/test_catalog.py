"""The catalog of losses: every file is listed, and every listed loss behaves as a term."""

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from pydantic import ValidationError
from torch import Tensor

from vskd import losses
from vskd.distillation.distiller import Distiller
from vskd.losses.catalog import LOSSES, AnyTerm
from vskd.losses.term import ComparisonSettings, TermContext, TermSettings
from vskd.network import Outputs
from vskd.schema import Strict, explain, parse

CLASSES, SAMPLES = 5, 20
STUDENT = {"logits": (CLASSES,), "embedding": (6,), "deep": (3, 6, 6)}
TEACHER = {"logits": (CLASSES,), "embedding": (9,), "deep": (7, 4, 4)}
NAMES = sorted(LOSSES)
TRAINED = {"crcd": 4, "crd": 4, "embedding_mse": 2, "fitnets_hint": 2, "semckd": 8 + 10}
"""How many parameters of its own a loss has: weight and bias of each projector. Others have none."""
OF_A_BATCH_TWICE = {"crcd": (1.0, 0.2), "crd": (1.0, 0.2), "similarity_preserving": (0.5, 1e-4)}
"""Losses whose value of a batch twice over is another one than of it once, how many times as much, and within what:
memories hold other negatives; rows of similarities to twice as many samples have unit length."""
DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "attention_transfer": {"pooling": "squares"},
    "crcd": {"width": 64, "negatives": 512, "temperature": 0.07, "momentum": 0.5},
    "crd": {"width": 128, "negatives": 4096, "temperature": 0.07, "momentum": 0.5},
    "kd": {"temperature": 4.0, "temperature_slope": 0.0, "temperature_max": None},
    "kd_on_probabilities": {"temperature": 10.0},
    "nckd": {"temperature": 4.0},
    "semckd": {"factor": 4},
    "tckd": {"temperature": 4.0},
}
"""What a recipe gets that does not say more: as published."""
COMMON = set(ComparisonSettings.model_fields) | {"student_layers", "teacher_layers"}


class Holder(Strict):
    term: AnyTerm


def outputs(shapes: Mapping[str, tuple[int, ...]], batch: int, seed: int) -> Outputs:
    generator = torch.Generator().manual_seed(seed)
    drawn = {name: torch.randn(batch, *shape, generator=generator).requires_grad_() for name, shape in shapes.items()}
    return Outputs(drawn["logits"], drawn["embedding"], {"deep": drawn["deep"]})


def teacher_of(settings: TermSettings) -> Mapping[str, tuple[int, ...]]:
    """Shapes of a teacher's layers: of one embedding with the student's where its classifier is reused."""
    return {**TEACHER, "embedding": STUDENT["embedding"]} if settings.reuses_classifier else TEACHER


def distiller(settings: TermSettings, teacher: Mapping[str, tuple[int, ...]] | None = None) -> Distiller:
    torch.manual_seed(0)
    return Distiller(
        [settings], "fixed", TermContext(STUDENT, teacher or teacher_of(settings), SAMPLES, (3, 4, 5, 6, 2), batch=6)
    )


def loss_of(made: Distiller, student: Outputs, teacher: Outputs | None) -> Tensor:
    batch = len(student.logits)
    terms = made(student, teacher, torch.arange(batch) % CLASSES, torch.arange(batch) * 3 % SAMPLES)
    (value,) = terms.values()
    return value


def test_every_loss_file_is_in_the_catalog() -> None:
    files = {p.stem for folder in losses.__path__ for p in Path(folder).glob("*.py")}
    listed = {loss.__module__.rpartition(".")[2] for loss in LOSSES.values()}
    assert listed == files - {"__init__", "catalog", "memory", "shapes", "term", "uncertainty_weighting"}


@pytest.mark.parametrize("name", NAMES)
def test_is_listed_under_its_own_name_with_one_line(name: str) -> None:
    settings = LOSSES[name]
    assert settings.model_fields["loss"].default == name == settings().title
    assert 10 < len(settings.description) <= 100 and "\n" not in settings.description
    assert settings.needs_teacher == bool(settings().layers.teacher)


@pytest.mark.parametrize("name", NAMES)
def test_defaults_are_the_published_ones_also_of_a_loss_built_without_a_recipe(name: str) -> None:
    settings = LOSSES[name]()
    own = settings.model_dump(exclude=COMMON)
    assert own == DEFAULTS.get(name, {}) and settings.weight == 1.0
    (term,) = distiller(settings).terms.values()
    for key, parameter in inspect.signature(type(term.loss)).parameters.items():
        if key in own:
            assert parameter.default == own[key]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("batch", [1, 6])
def test_gives_a_finite_scalar_whose_gradient_reaches_the_student_alone(name: str, batch: int) -> None:
    made = distiller(LOSSES[name]())
    student, teacher = outputs(STUDENT, batch, 1), outputs(teacher_of(LOSSES[name]()), batch, 2)
    value = loss_of(made, student, teacher)
    value.backward()
    assert value.shape == () and torch.isfinite(value)
    gradient = student.layer(LOSSES[name]().layers.student[0]).grad
    assert gradient is not None and torch.isfinite(gradient).all()
    parameters = list(made.parameters())
    assert len(parameters) == TRAINED.get(name, 0)
    for parameter in parameters:
        assert parameter.grad is not None and torch.isfinite(parameter.grad).all()
    for layer in TEACHER:
        assert teacher.layer(layer).grad is None
    if batch > 1:
        assert value.item() > 0 and gradient.abs().max() > 0


def altered(made: Outputs, change: Callable[[Tensor], Tensor]) -> Outputs:
    """Outputs with each layer changed, as leaves of a new graph."""
    logits, embedding, deep = (
        change(layer.detach()).requires_grad_() for layer in (made.logits, made.embedding, made.features["deep"])
    )
    return Outputs(logits, embedding, {"deep": deep})


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("scale", [0.0, 1e-4, 1e3])
def test_layers_of_any_size_give_a_finite_loss_and_gradient(name: str, scale: float) -> None:
    """Dead layers, where a norm is 0; and large ones, of which exponentials overflow."""
    student, teacher = outputs(STUDENT, 6, 1), outputs(teacher_of(LOSSES[name]()), 6, 2)
    changed = [altered(made, lambda layer: scale * layer) for made in (student, teacher)]
    for one, other in ((changed[0], changed[1]), (changed[0], teacher), (student, changed[1])):
        value = loss_of(distiller(LOSSES[name]()), one, other)
        assert torch.isfinite(value)
        value.backward()
        gradient = one.layer(LOSSES[name]().layers.student[0]).grad
        assert gradient is not None and torch.isfinite(gradient).all()


@pytest.mark.parametrize("name", NAMES)
def test_every_sample_and_every_channel_counts(name: str) -> None:
    """A change of one of them changes the loss."""
    settings = LOSSES[name]
    teacher, layer = outputs(teacher_of(settings()), 6, 2), settings().layers.student[0]

    def loss(change: Callable[[Tensor], Tensor]) -> float:
        return loss_of(distiller(settings()), altered(outputs(STUDENT, 6, 1), change), teacher).item()

    before = loss(lambda x: x)
    assert loss(lambda x: x) == before, "the loss of the same batch is the same"
    for axis in (0, 1):
        for k in range(outputs(STUDENT, 6, 1).layer(layer).shape[axis]):
            place = (slice(None),) * axis + (k,)

            def change(x: Tensor, place: tuple[slice | int, ...] = place) -> Tensor:
                x = x.clone()
                if x.shape == outputs(STUDENT, 6, 1).layer(layer).shape:
                    x[place] += torch.linspace(-1, 2, x[place].numel()).view_as(x[place])
                return x

            assert loss(change) != before, (axis, k)


@pytest.mark.parametrize("name", NAMES)
def test_a_batch_twice_over_costs_what_it_costs_once(name: str) -> None:
    """A loss averages over the batch. What compares samples with each other, or with remembered ones, says so."""
    student, teacher = outputs(STUDENT, 3, 1), outputs(teacher_of(LOSSES[name]()), 3, 2)

    def loss(times: int) -> float:
        def again(layer: Tensor) -> Tensor:
            return torch.cat([layer] * times)

        terms = distiller(LOSSES[name]())(
            altered(student, again), altered(teacher, again), again(torch.arange(3)), again(torch.arange(3) * 3)
        )
        return terms[name].item()

    share, tolerance = OF_A_BATCH_TWICE.get(name, (1.0, 1e-4))
    assert loss(2) / loss(1) == pytest.approx(share, abs=tolerance)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_drawn_for_a_batch_nor_without_parameters(name: str) -> None:
    """Seeds decide weights of projectors and what a memory holds at first, and nothing else."""
    student, teacher = outputs(STUDENT, 6, 1), outputs(teacher_of(LOSSES[name]()), 6, 2)
    context = TermContext(STUDENT, teacher_of(LOSSES[name]()), SAMPLES, (3, 4, 5, 6, 2), batch=6)

    def loss(built: int, called: int) -> float:
        torch.manual_seed(built)
        made = Distiller([LOSSES[name]()], "fixed", context)
        torch.manual_seed(called)
        return loss_of(made, student, teacher).item()

    assert loss(0, 1) == loss(0, 2)
    assert (loss(1, 0) == loss(2, 0)) == (name not in TRAINED)


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"cross_entropy", "crcd", "crd", "fitnets_hint", "semckd"}))
def test_a_teachers_twin_pays_nothing(name: str) -> None:
    made = distiller(LOSSES[name](), STUDENT)
    teacher, other = outputs(STUDENT, 6, 1), outputs(STUDENT, 6, 2)
    assert loss_of(made, teacher, teacher).item() == pytest.approx(0.0, abs=1e-6)
    assert loss_of(made, other, teacher).item() > 1e-3


@pytest.mark.parametrize("name", NAMES)
def test_a_loss_that_depends_on_positions_says_so(name: str) -> None:
    student, teacher = outputs(STUDENT, 6, 1), outputs(teacher_of(LOSSES[name]()), 6, 2)
    labels = torch.arange(6) % CLASSES
    first, second = (
        distiller(LOSSES[name]())(student, teacher, labels, positions)[name].item()
        for positions in (torch.arange(6), torch.arange(6) + 10)
    )
    assert (first != second) == LOSSES[name].needs_positions


@pytest.mark.parametrize("name", NAMES)
def test_settings_survive_yaml(name: str) -> None:
    settings = LOSSES[name](weight=0.25, name="mine")
    for written in (settings.model_dump(), settings.model_dump(exclude_defaults=True) | {"loss": name}):
        read = parse(AnyTerm, yaml.safe_load(yaml.safe_dump(written)))
        assert read == settings and type(read) is LOSSES[name]
    assert parse(AnyTerm, {"loss": name}) == LOSSES[name]()


NEEDS: Mapping[str, str] = {
    "attention_transfer": "teacher",
    "crcd": "teacher positions",
    "crd": "teacher positions",
    "cross_entropy": "",
    "embedding_mse": "teacher",
    "fitnets_hint": "teacher",
    "kd": "teacher",
    "kd_on_probabilities": "teacher",
    "logits_mse": "teacher",
    "nckd": "teacher labels",
    "rkd_angle": "teacher",
    "rkd_distance": "teacher",
    "semckd": "teacher",
    "similarity_preserving": "teacher",
    "simkd": "teacher classifier",
    "tckd": "teacher labels",
}
"""What each loss asks for beside the student's layers."""
LAYERS: Mapping[str, str] = {
    "attention_transfer": "deep",
    "fitnets_hint": "deep",
    **dict.fromkeys(("cross_entropy", "kd", "kd_on_probabilities", "logits_mse", "nckd", "tckd"), "logits"),
}
"""The layer that each compares where nothing is said; the embedding where it is not listed."""


@pytest.mark.parametrize("name", NEEDS)
def test_what_a_loss_needs_and_compares_unless_told_otherwise(name: str) -> None:
    settings = LOSSES[name]
    flags = {
        "teacher": settings.needs_teacher,
        "labels": settings.needs_labels,
        "positions": settings.needs_positions,
        "classifier": settings.reuses_classifier,
    }
    assert [what for what, needed in flags.items() if needed] == NEEDS[name].split()
    layer = LAYERS.get(name, "embedding")
    assert settings().layers == ((layer,), (layer,) if settings.needs_teacher else ())


CHANGED: Mapping[tuple[str, str], dict[str, Any]] = {
    ("kd", "temperature"): {"temperature": 2.0},
    ("kd", "temperature_slope"): {"temperature_slope": 0.5},
    ("kd", "temperature_max"): {"temperature_slope": 0.5, "temperature_max": 5.0},
    ("kd_on_probabilities", "temperature"): {"temperature": 2.0},
    ("tckd", "temperature"): {"temperature": 2.0},
    ("nckd", "temperature"): {"temperature": 2.0},
    ("attention_transfer", "pooling"): {"pooling": "features"},
    ("crcd", "width"): {"width": 8},
    ("crcd", "negatives"): {"negatives": 3},
    ("crcd", "temperature"): {"temperature": 0.2},
    ("crcd", "momentum"): {"momentum": 0.9},
    ("crd", "width"): {"width": 8},
    ("crd", "negatives"): {"negatives": 3},
    ("crd", "temperature"): {"temperature": 0.2},
    ("crd", "momentum"): {"momentum": 0.9},
    ("semckd", "factor"): {"factor": 1, "teacher_layers": ("embedding", "deep")},
}
"""A change of every key that a loss has of its own."""


def figures(settings: TermSettings) -> list[float]:
    """Two batches of epoch 9: what a memory keeps of the first shows in the second."""
    made = distiller(settings)
    made.start_epoch(9)
    return [loss_of(made, outputs(STUDENT, 6, n), outputs(TEACHER, 6, 9 + n)).item() for n in range(2)]


def test_every_key_of_every_loss_has_an_effect() -> None:
    own = {(name, key) for name, settings in LOSSES.items() for key in set(settings.model_fields) - COMMON}
    assert own == set(CHANGED)
    seen: dict[str, list[list[float]]] = {name: [figures(LOSSES[name]())] for name, _ in CHANGED}
    for (name, _), change in CHANGED.items():
        changed = figures(LOSSES[name](**change))
        assert changed not in seen[name], change
        seen[name].append(changed)


def problem(term: Mapping[str, Any]) -> str:
    with pytest.raises(ValidationError) as caught:
        parse(Holder, {"term": term})
    (text,) = explain(caught.value, Holder)
    return text


def test_unknown_losses_and_keys_name_the_nearest() -> None:
    assert problem({"loss": "rkd_distanze"}) == "term.loss: 'rkd_distanze' is not allowed, did you mean 'rkd_distance'?"
    assert (
        problem({"loss": "kd", "temprature": 4}) == "term.temprature: unknown key (of kd), did you mean 'temperature'?"
    )
    assert problem({"weight": 1}) == "term.loss: missing"
    assert "teacher_layer: unknown key" in problem({"loss": "cross_entropy", "teacher_layer": "logits"})
    assert "label_smoothing: unknown key" in problem({"loss": "cross_entropy", "label_smoothing": 0.1})


@pytest.mark.parametrize("name", NAMES)
def test_a_loss_that_looks_at_labels_needs_them_or_leaves_out_who_has_none(name: str) -> None:
    """A loss that does not say that it needs labels computes the same whatever they are; cross entropy ignores -1."""
    student, teacher = outputs(STUDENT, 6, 1), outputs(teacher_of(LOSSES[name]()), 6, 2)
    labels, hidden = torch.arange(6) % CLASSES, torch.full((6,), -1)
    made = distiller(LOSSES[name]())
    first = made(student, teacher, labels, torch.arange(6))[name].item()
    if LOSSES[name].needs_labels:
        other = distiller(LOSSES[name]())(student, teacher, (labels + 1) % CLASSES, torch.arange(6))[name].item()
        assert other != first
        return
    blind = distiller(LOSSES[name]())(student, teacher, hidden, torch.arange(6))[name].item()
    assert blind == (0.0 if name == "cross_entropy" else first)
