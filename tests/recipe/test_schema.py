"""Hashes that outlive new keys, and what the recipe says of streams and seeds."""

import pytest

from vskd.datasets.catalog import get_dataset
from vskd.datasets.splits.protocol import load_protocol
from vskd.recipe import load_recipe, parse_recipe

BEFORE = {"name": "before", "seed": 3, "dataset": {"name": "utd-mhad"}, "distiller": {"weights": {"angle": 2.0}}}
STUDENT = ("seed", "dataset", "sensor", "encoding", "augmentation", "student", "distiller", "training")


def test_hashes_are_those_of_before_there_were_images() -> None:
    """Made by the version that published the first results: runs and shared teachers are recognised by them."""
    recipe = parse_recipe(BEFORE, "test")
    assert (
        recipe.hash_of("seed", "dataset", "frames", "teacher")
        == "2a110eb14d2c48f71b3b8fc2bcf87e8741434579f1951167d06da8655fc656c0"
    )
    assert recipe.hash_of(*STUDENT) == "01db0e48a20147998d0c6f62f9fd361c7af0bc64e36d00c558b9f729dcbb51d1"


@pytest.mark.parametrize(
    "override",
    [
        "dataset.image=other",
        "student.input=image",
        "training.class_weights=balanced",
        "training.sampling=balanced",
        "distiller.temperature_slope=0.5",
        "distiller.teacher_outputs=online",
        "distiller.weights.hint=0.0",
    ],
)
def test_a_later_key_counts_once_it_says_something(override: str) -> None:
    recipe = parse_recipe(BEFORE, "test")
    assert recipe.updated(override).hash_of(*STUDENT) != recipe.hash_of(*STUDENT)


def test_a_later_key_inside_the_teacher_counts_too() -> None:
    recipe = parse_recipe(BEFORE, "test")
    changed = recipe.updated("teacher.training.class_weights=balanced")
    assert changed.hash_of("teacher") != recipe.hash_of("teacher")
    assert changed.hash_of("student") == recipe.hash_of("student")


def test_streams_follow_what_the_networks_see() -> None:
    wrist = parse_recipe(BEFORE, "test")
    assert (wrist.student_stream, wrist.teacher_stream) == ("accelerometer", "depth")
    camera = wrist.updated("student.input=image", "teacher.input=image", "dataset.image=rear")
    assert (camera.student_stream, camera.teacher_stream) == ("rear", "rear")


def test_the_teachers_seed_is_its_own_or_the_recipes() -> None:
    recipe = parse_recipe(BEFORE, "test")
    assert recipe.teacher_seed == 3
    assert recipe.updated("teacher.seed=0").teacher_seed == 0


def test_hash_ignores_where_the_data_lies_but_not_what_is_done() -> None:
    recipe = load_recipe("vskd-utd-mhad")
    assert recipe.hash_of("dataset") == recipe.updated("dataset.path=/elsewhere").hash_of("dataset")
    assert recipe.hash_of("dataset") != recipe.updated("dataset.protocol=subject-specific").hash_of("dataset")
    assert recipe.updated("seed=3").seed == 3


def test_kd_and_no_kd_recipes_differ_in_the_distiller_only() -> None:
    with_kd, without = load_recipe("vskd-utd-mhad"), load_recipe("vskd-utd-mhad-no-kd")
    for part in ("seed", "dataset", "sensor", "encoding", "augmentation", "frames", "teacher", "student", "training"):
        assert getattr(with_kd, part) == getattr(without, part)
    assert without.distiller.name == "none"


@pytest.mark.parametrize("system", ["krca", "dangerous-driving"])
def test_recipes_of_images_differ_from_their_twins_in_one_thing(system: str) -> None:
    """Same data, images, teacher, student and budget: what differs is the distiller."""
    parts = ("seed", "dataset", "images", "teacher", "student", "training", "export")
    base = load_recipe(system).hash_of(*parts)
    twins = {"krca": ["no-kd", "hl", "sl", "sr", "ia", "hl-sl", "hl-sl-sr"], "dangerous-driving": ["no-kd"]}[system]
    distillers = set()
    for twin in twins:
        other = load_recipe(f"{system}-{twin}")
        assert other.hash_of(*parts) == base
        distillers.add(other.hash_of("distiller"))
    assert len(distillers | {load_recipe(system).hash_of("distiller")}) == len(twins) + 1
    full, plain = load_recipe(f"{system}-full"), load_recipe(f"{system}-no-kd-full")
    assert full.images.size == 224
    assert full.hash_of(*parts) == plain.hash_of(*parts)


@pytest.mark.parametrize("system", ["krca", "dangerous-driving"])
@pytest.mark.parametrize("dataset", ["state-farm", "auc", "image-folder"])
def test_recipes_of_data_without_boxes_fit_their_data_set(system: str, dataset: str) -> None:
    """Whole frames, a protocol that is there, mirror images where they make sense; networks and twin as elsewhere."""
    recipe, base, twin = (load_recipe(n) for n in (f"{system}-{dataset}", system, f"{system}-{dataset}-no-kd"))
    entry = get_dataset(dataset)
    assert (recipe.dataset.name, recipe.dataset.protocol) == (dataset, entry.protocols[0])
    folds = load_protocol(dataset, recipe.dataset.protocol).folds
    assert recipe.dataset.fold in (folds if isinstance(folds, dict) else [None])
    assert (recipe.images.crop, recipe.images.size, recipe.images.grey) == ("full", 128, False)
    assert (recipe.images.augmentation.flip > 0) == (entry.label_swap is not None)
    assert recipe.hash_of("student") == base.hash_of("student")
    assert recipe.teacher.network == base.teacher.network
    parts = ("seed", "dataset", "images", "teacher", "student", "training", "export")
    assert recipe.hash_of(*parts) == twin.hash_of(*parts)
    assert twin.distiller.name == "none"


def test_the_weighted_recipe_weighs_the_students_classes_and_shares_the_teacher() -> None:
    weighted, base = load_recipe("dangerous-driving-weighted"), load_recipe("dangerous-driving")
    assert weighted.training.class_weights == "balanced"
    assert weighted.updated("training.class_weights=none").training == base.training
    parts = ("seed", "dataset", "images", "teacher", "student", "distiller", "export")
    assert weighted.hash_of(*parts) == base.hash_of(*parts)


@pytest.mark.parametrize(
    ("ablation", "terms"),
    [
        ("hl", {"cross_entropy"}),
        ("sl", {"target", "non_target"}),
        ("sr", {"cross_entropy", "sample_relation"}),
        ("ia", {"cross_entropy", "deep_attention", "shallow_attention"}),
        ("hl-sl", {"cross_entropy", "target", "non_target"}),
        ("hl-sl-sr", {"cross_entropy", "target", "non_target", "sample_relation"}),
    ],
)
def test_an_ablation_has_the_terms_of_its_name(ablation: str, terms: set[str]) -> None:
    from vskd.distillation.distillers.krca import TERMS

    weights = load_recipe(f"krca-{ablation}").distiller.weights.model_dump(exclude_none=True)
    assert {name for name, default in TERMS.items() if weights.get(name, default)} == terms
