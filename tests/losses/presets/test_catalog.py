"""What every preset must fulfil. A preset added to the catalog is tested by itself."""

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from torch import Tensor

from vskd.distillation.distiller import Distiller, layers
from vskd.losses import presets
from vskd.losses.catalog import AnyTerm
from vskd.losses.presets.catalog import PRESETS
from vskd.losses.term import TermContext, TermSettings
from vskd.models.weights.state import load_state, save_state
from vskd.network import Outputs
from vskd.schema import parse

CLASSES, SAMPLES = 4, 20
SHAPES: Mapping[int, Mapping[str, tuple[int, ...]]] = {
    6: {"logits": (CLASSES,), "embedding": (6,), "shallow": (3, 8, 8), "deep": (6, 4, 4)},
    9: {"logits": (CLASSES,), "embedding": (9,), "shallow": (5, 6, 6), "deep": (9, 2, 2)},
}
"""Layers of the two networks that are paired, by the width of their embedding."""
UNTRAINED = {(name, width) for name in ("none", "kd", "sp", "simkd") for width in (6, 9)} | {("dask", 6)}
"""Presets, with the width of the teacher's embedding, that have neither projectors nor learned weights."""
AS_WIDE = {"simkd"}
"""Presets whose student has its projector inside, and so the teacher's width; they compare the embeddings alone."""


def student_width(name: str, teacher_width: int) -> int:
    return teacher_width if name in AS_WIDE else 6


def compared(name: str, student: Outputs) -> Tensor:
    return student.embedding if name in AS_WIDE else student.logits


def reweighted(name: str, weights: Mapping[str, float]) -> list[TermSettings]:
    return [term.model_copy(update={"weight": weights.get(term.title, term.weight)}) for term in PRESETS[name].terms]


def make(
    name: str,
    student_width: int = 6,
    teacher_width: int = 6,
    weights: Mapping[str, float] | None = None,
    class_counts: tuple[int, ...] = (),
) -> Distiller:
    torch.manual_seed(0)
    context = TermContext(
        SHAPES[student_width], SHAPES[teacher_width], SAMPLES, class_counts, balanced=bool(class_counts)
    )
    return Distiller(reweighted(name, weights or {}), PRESETS[name].weighting, context)


def outputs(batch: int, width: int, seed: int) -> Outputs:
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape: int) -> Tensor:
        return torch.randn(batch, *shape, generator=generator, requires_grad=True)

    maps = {layer: shape for layer, shape in SHAPES[width].items() if len(shape) == 3}
    return Outputs(draw(CLASSES), draw(width), {layer: draw(*shape) for layer, shape in maps.items()})


def run(distiller: Distiller, student: Outputs, teacher: Outputs | None) -> dict[str, Tensor]:
    batch = len(student.logits)
    labels, positions = torch.arange(batch) % CLASSES, torch.arange(batch) * 3 % SAMPLES
    terms: dict[str, Tensor] = distiller(student, teacher, labels, positions)
    return terms


def titles(name: str) -> list[str]:
    return [term.title for term in PRESETS[name].terms]


@pytest.fixture(params=sorted(PRESETS))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_every_preset_file_is_in_the_catalog() -> None:
    files = {p.stem for folder in presets.__path__ for p in Path(folder).glob("*.py")}
    listed = {name.replace("-", "_") for name in PRESETS if not name.startswith("krca-")}  # ablations: krca.py
    assert listed == files - {"__init__", "catalog", "preset"}


def test_is_described_in_one_line(name: str) -> None:
    assert 10 < len(PRESETS[name].description) <= 100 and "\n" not in PRESETS[name].description


def test_terms_survive_yaml(name: str) -> None:
    written = yaml.safe_dump([term.model_dump() for term in PRESETS[name].terms])
    read = tuple(parse(AnyTerm, term) for term in yaml.safe_load(written))
    assert read and read == PRESETS[name].terms


def test_layers_beyond_the_outputs_are_the_two_maps_or_none(name: str) -> None:
    inside = ("deep", "shallow") if name in ("dangerous-driving", "krca", "krca-ia") else ()
    assert layers(PRESETS[name].terms) == (inside, inside)


@pytest.mark.parametrize("width", [6, 9])
def test_terms_and_gradients(name: str, width: int) -> None:
    widths = student_width(name, width), width
    distiller = make(name, *widths)
    student, teacher = outputs(5, widths[0], 1), outputs(5, widths[1], 2)
    terms = run(distiller, student, teacher)
    assert list(terms) == titles(name) == list(distiller.weights)
    for term in terms.values():
        assert term.shape == () and torch.isfinite(term)
    torch.stack(list(terms.values())).sum().backward()
    assert torch.isfinite(compared(name, student).grad).all()
    parameters = dict(distiller.named_parameters())
    assert (not parameters) == ((name, widths[1]) in UNTRAINED)
    for parameter_name, parameter in parameters.items():
        assert parameter.grad is not None, parameter_name
        assert torch.isfinite(parameter.grad).all(), parameter_name
    for layer in SHAPES[widths[1]]:
        assert teacher.layer(layer).grad is None


def test_batch_of_one_is_finite(name: str) -> None:
    student = outputs(1, 6, 1)
    total = torch.stack(list(run(make(name), student, outputs(1, 6, 2)).values())).sum()
    total.backward()
    assert torch.isfinite(total)
    assert torch.isfinite(compared(name, student).grad).all()


def test_a_teacher_is_asked_for_only_where_needed(name: str) -> None:
    distiller = make(name)
    assert distiller.needs_teacher == (set(distiller.weights) != {"cross_entropy"})
    if distiller.needs_teacher:
        with pytest.raises(ValueError, match="needs the teacher's outputs"):
            run(distiller, outputs(3, 6, 1), None)
    else:
        assert run(distiller, outputs(3, 6, 1), None)


def test_weights_multiply_the_terms(name: str) -> None:
    def terms(weight: float) -> dict[str, Tensor]:
        return run(make(name, weights=dict.fromkeys(titles(name), weight)), outputs(5, 6, 1), outputs(5, 6, 2))

    single, double = terms(1.0), terms(2.5)
    assert list(single) == titles(name)
    for title, value in single.items():
        torch.testing.assert_close(double[title], 2.5 * value)


def test_a_term_of_weight_zero_is_absent(name: str) -> None:
    for title in titles(name):
        others = [other for other in titles(name) if other != title]
        if not others:
            continue
        distiller = make(name, student_width(name, 9), 9, {**dict.fromkeys(others, 1.0), title: 0.0})
        terms = run(distiller, outputs(5, student_width(name, 9), 1), outputs(5, 9, 2))
        assert list(terms) == others
        torch.stack(list(terms.values())).sum().backward()
        assert [n for n, parameter in distiller.named_parameters() if parameter.grad is None] == []


def test_state_survives_safetensors(name: str, tmp_path: Path) -> None:
    own = student_width(name, 9)
    distiller = make(name, own, 9)
    student, teacher = outputs(5, own, 1), outputs(5, 9, 2)
    run(distiller, student, teacher)  # a distiller with a memory has something to remember
    save_state(distiller, tmp_path / "d.safetensors", {})
    expected = run(distiller, student, teacher)
    for parameter in distiller.parameters():
        torch.nn.init.normal_(parameter)
    load_state(distiller, tmp_path / "d.safetensors")
    repeated = run(distiller, student, teacher)
    assert list(repeated) == list(expected)
    for title, value in repeated.items():
        assert torch.equal(value, expected[title])


def trained(distiller: Distiller, seeds: range, own: int) -> list[float]:
    losses = []
    for seed in seeds:
        distiller.start_epoch(seed)
        loss = torch.stack(list(run(distiller, outputs(5, own, seed), outputs(5, 9, 99 + seed)).values())).sum()
        distiller.zero_grad()
        loss.backward()
        with torch.no_grad():
            for parameter in distiller.parameters():
                parameter -= 0.1 * parameter.grad
        losses.append(loss.item())
    return losses


def test_resuming_from_the_state_repeats_exactly(name: str) -> None:
    own = student_width(name, 9)
    distiller, resumed = make(name, own, 9), make(name, own, 9)
    trained(distiller, range(3), own)
    resumed.load_state_dict(copy.deepcopy(distiller.state_dict()))
    assert trained(distiller, range(3, 6), own) == trained(resumed, range(3, 6), own)


def test_every_epoch_can_be_started_and_changes_no_state(name: str) -> None:
    distiller = make(name)
    before = {key: tensor.clone() for key, tensor in distiller.state_dict().items()}
    for epoch in (0, 7, 1000):
        distiller.start_epoch(epoch)
        total = torch.stack(list(run(distiller.eval(), outputs(3, 6, 1), outputs(3, 6, 2)).values())).sum()
        assert torch.isfinite(total)
    assert list(distiller.state_dict()) == list(before)
    for key, tensor in distiller.state_dict().items():
        torch.testing.assert_close(tensor, before[key], equal_nan=True)


def test_undecayed_parameters_are_the_learned_weights(name: str) -> None:
    distiller = make(name)
    undecayed = {id(parameter) for parameter in distiller.undecayed_parameters()}
    names = {n.rpartition(".")[2] for n, parameter in distiller.named_parameters() if id(parameter) in undecayed}
    assert names == (set(titles(name)) if name.startswith("krca") else set())
    assert len(names) == len(undecayed) == len(distiller.undecayed_parameters())


def test_class_counts_reach_the_cross_entropy_only(name: str) -> None:
    plain, balanced = (
        run(make(name, class_counts=counts), outputs(5, 6, 1), outputs(5, 6, 2)) for counts in ((), (1, 2, 3, 10))
    )
    assert [title for title in plain if not torch.equal(plain[title], balanced[title])] == (
        [] if name in ("krca-sl", "simkd") else ["cross_entropy"]
    )


def test_mixed_precision_is_left_outside(name: str) -> None:
    """Inside autocast the terms are those of float32, of whatever type the features are."""
    student, teacher = outputs(5, 6, 1), outputs(5, 6, 2)
    expected = run(make(name), student, teacher)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        inside = run(make(name), student, teacher)
        halved = {n: f.bfloat16() for n, f in student.features.items()}
        rounded = run(make(name), Outputs(student.logits, student.embedding, halved), teacher)
    assert list(inside) == list(rounded) == list(expected) == titles(name)
    for title, value in expected.items():
        assert torch.equal(inside[title], value)
        assert rounded[title].dtype == torch.float32
        torch.testing.assert_close(rounded[title], value, rtol=2e-2, atol=1e-2)


AS_PUBLISHED: Mapping[str, tuple[str, list[dict[str, Any]]]] = {
    "none": ("fixed", [{"loss": "cross_entropy"}]),
    "kd": ("fixed", [{"loss": "cross_entropy", "weight": 0.1}, {"loss": "kd", "weight": 0.9, "temperature": 4}]),
    "dask": (
        "fixed",
        [
            {"loss": "cross_entropy"},
            {"loss": "kd", "weight": 0.01, "temperature": 4},
            *({"loss": loss} for loss in ("embedding_mse", "rkd_distance", "rkd_angle")),
        ],
    ),
    "crd": ("fixed", [{"loss": "cross_entropy"}, {"loss": "crd", "weight": 0.8}]),
    "sp": ("fixed", [{"loss": "cross_entropy"}, {"loss": "similarity_preserving", "weight": 3000}]),
    "simkd": ("fixed", [{"loss": "simkd"}]),
    "dangerous-driving": (
        "fixed",
        [
            {"loss": "cross_entropy", "weight": 0.3},
            {"loss": "kd", "weight": 0.7, "temperature": 7},
            {"loss": "fitnets_hint", "weight": 0.3},
            {"loss": "attention_transfer", "name": "deep_attention"},
            {"loss": "attention_transfer", "name": "shallow_attention"}
            | {"student_layer": "shallow", "teacher_layer": "shallow"},
        ],
    ),
    "krca": (
        "uncertainty",
        [
            {"loss": "cross_entropy", "weight": 0.7},
            {"loss": "tckd", "temperature": 4},
            {"loss": "nckd", "weight": 8, "temperature": 4},
            {"loss": "crcd", "name": "sample_relation"},
            {"loss": "attention_transfer", "name": "deep_attention", "weight": 0.5},
            {"loss": "attention_transfer", "name": "shallow_attention", "weight": 0.5}
            | {"student_layer": "shallow", "teacher_layer": "shallow"},
        ],
    ),
}
"""Weighting and terms of each; what is not said is the loss's default."""


def test_what_a_preset_is_made_of(name: str) -> None:
    """An ablation has terms of the whole, in its order."""
    weighting, terms = AS_PUBLISHED[name if name in AS_PUBLISHED else "krca"]
    made = [parse(AnyTerm, term) for term in terms]
    kept = made if name in AS_PUBLISHED else [term for term in made if term.title in titles(name)]
    assert list(PRESETS[name].terms) == kept and PRESETS[name].weighting == weighting
