"""Who is asked, and how: online or from the cache, and the refusals of what cannot be."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from tests.conftest import TINY_IMAGES
from vskd.distillation.data import Batch
from vskd.distillation.experiment import prepare
from vskd.distillation.guidance import (
    Widths,
    check_distiller,
    guide,
    needs_teacher,
    new_distiller,
    student_widths,
)
from vskd.distillation.inputs import student_inputs
from vskd.distillation.networks import new_student
from vskd.distillation.teacher.outputs import CachedTeacher, OnlineTeacher, finished_teacher
from vskd.distillation.train import teach
from vskd.errors import RecipeError
from vskd.recipe import Recipe, load_recipe

STILL = tuple(
    f"images.augmentation.{name}=0" for name in ("contrast", "gamma", "brightness", "crop", "rotation_deg", "flip")
)
LOGITS_ONLY = "distiller.name=kd"


@pytest.fixture(scope="module")
def recipe_of(shapes_root: Path):
    def make(*overrides: str) -> Recipe:
        return load_recipe(
            "krca", (*TINY_IMAGES, f"dataset.path={shapes_root}", "teacher.training.epochs=1", *overrides)
        )

    return make


@pytest.fixture(scope="module")
def place(recipe_of, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a teacher of one epoch and its cache."""
    folder = tmp_path_factory.mktemp("guidance")
    teach(recipe_of(), folder / "teacher", cache=folder / "cache")
    return folder


def asked(recipe: Recipe, place: Path):
    experiment = prepare(recipe, place / "cache", needs_teacher=True)
    return guide(recipe, student_inputs(experiment), finished_teacher(experiment, place / "teacher"))


@pytest.mark.parametrize(
    ("overrides", "kind"),
    [
        ((), OnlineTeacher),  # changed images, and terms that look inside
        ((*STILL, LOGITS_ONLY), CachedTeacher),
        ((LOGITS_ONLY,), OnlineTeacher),
        (STILL, OnlineTeacher),
        ((LOGITS_ONLY, "distiller.teacher_outputs=cached"), CachedTeacher),
        ((*STILL, LOGITS_ONLY, "distiller.teacher_outputs=online"), OnlineTeacher),
    ],
)
def test_online_where_it_must_be_and_cached_where_it_can_be(recipe_of, place: Path, overrides, kind) -> None:
    found = asked(recipe_of(*overrides), place)
    assert isinstance(found.source, kind)
    assert len(found.ids) == 75
    assert bool(found.widths.features) == (kind is OnlineTeacher)


def test_online_and_cache_agree_on_unchanged_images(recipe_of, place: Path) -> None:
    recipe = recipe_of(*STILL, LOGITS_ONLY)
    inputs = student_inputs(prepare(recipe, place / "cache", needs_teacher=True))
    ids = tuple(sorted(inputs.ids))[:9]
    (batch,) = inputs.batches(ids)
    cached, *_ = asked(recipe, place).source.outputs(batch)
    online, found, labels = asked(recipe.updated("distiller.teacher_outputs=online"), place).source.outputs(batch)
    torch.testing.assert_close(online.logits, cached.logits, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(online.embedding, cached.embedding, rtol=1e-4, atol=1e-5)
    assert found == ids and torch.equal(labels, batch.labels)
    assert {"shallow", "deep"} <= online.features.keys()


def test_online_sees_the_changed_image_itself(recipe_of, place: Path) -> None:
    source = asked(recipe_of(), place).source
    image = torch.rand(2, 1, 32, 32)
    batch = Batch(("a", "b"), image, torch.tensor([0, 1]), torch.tensor([0, 1]))
    darker = Batch(("a", "b"), image / 2, torch.tensor([0, 1]), torch.tensor([0, 1]))
    assert not torch.equal(source.outputs(batch)[0].logits, source.outputs(darker)[0].logits)
    assert not source.outputs(batch)[0].logits.requires_grad


@pytest.mark.parametrize(
    ("overrides", "match"),
    [
        (("distiller.teacher_outputs=cached",), r"deep_attention, shallow_attention look inside the teacher"),
        ((LOGITS_ONLY, "distiller.teacher_outputs=cached", "images.augmentation.flip=0.5"), "mirror image"),
        (("images.size=40",), "trained on others"),
        (("images.grey=false",), "trained on others"),
    ],
)
def test_what_cannot_be_is_refused(recipe_of, place: Path, overrides, match: str) -> None:
    with pytest.raises(RecipeError, match=match):
        asked(recipe_of(*overrides), place)


def test_different_streams_are_cached_only(tmp_path: Path) -> None:
    recipe = load_recipe("demo", ["distiller.teacher_outputs=online"])
    inputs = SimpleNamespace(augmented=True)
    with pytest.raises(RecipeError, match="see different streams"):
        guide(recipe, inputs, None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("krca", True),
        ("krca-hl", False),
        ("krca-sr", True),
        ("krca-no-kd", False),
        ("demo", True),
        ("demo-no-kd", False),
    ],
)
def test_a_teacher_is_needed_where_a_term_listens(name: str, expected: bool) -> None:
    assert needs_teacher(load_recipe(name)) is expected


def test_an_unknown_distiller_is_named_before_anything_is_trained() -> None:
    with pytest.raises(RecipeError, match=r"distiller\.name: 'krac' is unknown, did you mean 'krca'"):
        check_distiller(load_recipe("krca", ["distiller.name=krac"]))


def test_the_distiller_gets_what_the_recipe_says() -> None:
    words = ["distiller.weights.hint=0", "training.label_smoothing=0.2", "training.class_weights=balanced"]
    recipe = load_recipe("dangerous-driving", words)
    widths = Widths(8, {"deep": (8, 2, 2), "shallow": (4, 4, 4)})
    made = new_distiller(recipe, widths, widths, samples=10, counts=(6, 4))
    assert "hint" not in made.weights
    made.start_epoch(4)
    assert made.soft.temperature == 3 + 0.5 * 4
    assert made.cross_entropy.label_smoothing == 0.2
    assert made.cross_entropy.class_weights.tolist() == pytest.approx([10 / 12, 10 / 8])
    plain = new_distiller(recipe.updated("training.class_weights=none"), widths, widths, samples=10, counts=(6, 4))
    assert plain.cross_entropy.class_weights is None


def test_widths_are_those_of_the_network(recipe_of, place: Path) -> None:
    recipe = recipe_of()
    inputs = student_inputs(prepare(recipe, place / "cache", needs_teacher=True))
    student = new_student(recipe, 3, 1)
    listened = asked(recipe, place)
    widths = student_widths(student, inputs, listened)
    outputs = student.eval()(torch.zeros(2, 1, 32, 32))
    assert widths.embedding == outputs.embedding.shape[1]
    assert widths.features["deep"] == tuple(outputs.features["deep"].shape[1:])
    assert student_widths(student, inputs, None).features == {}
