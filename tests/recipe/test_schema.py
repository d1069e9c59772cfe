"""The recipe as a whole: its teachers' recipes, its twin, its hashes, and mistakes in plain English."""

from typing import Any

import pytest

from vskd.errors import RecipeError
from vskd.files import sha256_json
from vskd.recipe import DECIDING, Recipe, load_recipe, parse_recipe

PARTS = ("seed", "dataset", "student", "teachers", "distiller", "export")


def test_what_decides_the_numbers_of_a_run_decides_its_hash_and_nothing_else_does() -> None:
    deciding = ("seed", "dataset", "student", "distiller")
    recipe = load_recipe("vskd")
    for override, part in (
        ("seed=3", "seed"),
        ("dataset.protocol=subject-specific", "dataset"),
        ("student.network.dropout=0.5", "student"),
        ("distiller.teacher_outputs=cached", "distiller"),
        ("teachers.0.network.dropout=0.5", "teachers"),
        ("export.max_accuracy_drop=0.5", "export"),
    ):
        changed = recipe.updated(override)
        assert [p for p in PARTS if changed.hash_of(p) != recipe.hash_of(p)] == [part]
        assert (changed.hash_of(*DECIDING) != recipe.hash_of(*DECIDING)) == (part in deciding)


def test_hash_ignores_where_the_data_lies_but_not_what_is_done() -> None:
    recipe = load_recipe("vskd")
    assert recipe.hash_of("dataset") == recipe.updated("dataset.path=/elsewhere").hash_of("dataset")
    assert recipe.hash_of("dataset") != recipe.updated("dataset.max_bad_fraction=0.5").hash_of("dataset")


def test_another_seed_changes_the_seed_only() -> None:
    recipe = load_recipe("vskd")
    assert recipe.with_seed(3) == recipe.updated("seed=3")
    assert recipe.with_seed(3).seed == 3


def test_a_teacher_is_trained_as_a_student_whom_nobody_guides() -> None:
    recipe = load_recipe("vskd", ["seed=3", "dataset.path=/data", "dataset.max_bad_fraction=0.5"])
    teacher = recipe.of_teacher()
    assert teacher.student.model_dump() == recipe.teachers[0].model_dump(
        exclude={"seed", "labels", "cross_fit", "views"}
    )
    assert teacher.dataset == recipe.dataset
    assert (teacher.seed, teacher.teachers, teacher.distiller.title) == (3, (), "none")
    assert not teacher.distiller.needs_teacher
    assert teacher.name == recipe.name


def test_a_teachers_seed_is_its_own_or_the_recipes() -> None:
    recipe = load_recipe("vskd", ["seed=3"])
    assert recipe.updated("teachers.0.seed=0").of_teacher().seed == 0
    assert recipe.updated("teachers.0.seed=7").of_teacher().seed == 7


def test_the_recipe_of_a_teacher_does_not_depend_on_who_listens() -> None:
    """So that students of different distillers share it."""
    recipe = load_recipe("vskd")
    changed = recipe.updated("student.training.epochs=3", "distiller=kd", "export.max_accuracy_drop=0.5")
    assert changed.of_teacher().hash_of(*DECIDING) == recipe.of_teacher().hash_of(*DECIDING)


def test_teachers_go_by_number() -> None:
    recipe = load_recipe("vskd")
    content = recipe.model_dump(mode="json")
    second = {**content["teachers"][0], "network": {"name": "trn", "backbone": "bn-inception"}}
    two = parse_recipe({**content, "teachers": [content["teachers"][0], second]}, "test")
    assert two.of_teacher(1).student.network.backbone == "bn-inception"
    assert two.of_teacher(0) == recipe.of_teacher()
    with pytest.raises(RecipeError, match=r"has 1 teacher\(s\); there is no number 1"):
        recipe.of_teacher(1)


@pytest.mark.parametrize("name", ["vskd", "krca", "dangerous-driving", "krca-full"])
def test_the_twin_differs_in_the_distiller_only(name: str) -> None:
    recipe = load_recipe(name)
    twin = recipe.undistilled()
    parts = [part for part in PARTS if part != "distiller"]
    assert twin.hash_of(*parts) == recipe.hash_of(*parts)
    assert twin.distiller.title == "none"
    assert twin == load_recipe(name, ["distiller=none"])


@pytest.mark.parametrize(
    ("override", "needle"),
    [
        ("student.sees.sizes=64", "student.sees.sizes: unknown key (of image), did you mean 'size'?"),
        ("student.sees.augmentation.flp=1", "student.sees.augmentation.flp: unknown key, did you mean 'flip'?"),
        ("student.sees.crop=faces", "student.sees.crop: 'faces' is not allowed, valid names: box, full"),
        (
            "student.sees.augmentation.flip=1.5",
            "student.sees.augmentation.flip: input should be less than or equal to 1 (got 1.5)",
        ),
        ("teachers.0.sees.modality=sensor", "teachers.0.sees.modality: 'sensor' is not allowed"),
        ("student.training.class_weights=balance", "did you mean 'balanced'?"),
        ("student.network=squeezenet-lv", "student.network.name: 'squeezenet-lv' is not allowed, did you mean"),
        ("student.network.backbone=resnet18", "student.network.backbone: unknown key (of squeezenet-lw)"),
        ("teachers.0.network.segments=3", "teachers.0.network.segments: unknown key (of efficientnet-v2-s-050)"),
        ("distiller.terms.crcd=1", "there is no element 'crcd'"),
        ("distiller.terms.tckd.temprature=1", "distiller.terms.1.temprature: unknown key (of tckd), did you mean"),
        ("sensor.length=5", "sensor: unknown key"),
        ("teacher.seed=5", "teacher: unknown key, did you mean 'teachers'?"),
    ],
)
def test_mistakes_are_explained(override: str, needle: str) -> None:
    with pytest.raises(RecipeError) as caught:
        load_recipe("krca", [override])
    assert needle in str(caught.value)


def test_all_problems_are_reported_at_once_with_path_and_nearest_name() -> None:
    overrides = [
        "student.training.epoch=5",
        "student.sees.encoding.method=gas",
        "teachers.0.network.dropout=2",
        "student.training.batch_size=many",
    ]
    with pytest.raises(RecipeError) as caught:
        load_recipe("vskd", overrides)
    message = str(caught.value)
    assert "4 problem(s)" in message
    assert "student.training.epoch: unknown key, did you mean 'epochs'?" in message
    assert "student.sees.encoding.method: 'gas' is not allowed, did you mean 'gasf'?" in message
    assert "teachers.0.network.dropout" in message
    assert "student.training.batch_size" in message


@pytest.mark.parametrize("content", [None, 3, "vskd", ["a"]])
def test_what_is_no_mapping_is_refused(content: object) -> None:
    with pytest.raises(RecipeError, match="the test is not a mapping of keys to values"):
        parse_recipe(content, "the test")


def test_the_content_that_was_given_is_not_changed() -> None:
    content = load_recipe("vskd").model_dump(mode="json")
    before = repr(content)
    parse_recipe(content, "test").updated("student.training.epochs=1")
    assert repr(content) == before


def two_teachers(*overrides: str) -> Recipe:
    """The recipe `vskd` with its teacher twice."""
    content = load_recipe("vskd").model_dump(mode="json")
    return parse_recipe({**content, "teachers": 2 * content["teachers"]}, "test").updated(*overrides)


def test_several_teachers_are_weighed_where_there_are_several() -> None:
    assert two_teachers("distiller.fusion=validation").distiller.fusion == "validation"
    assert two_teachers().distiller.fusion == "equal"
    with pytest.raises(RecipeError, match=r"distiller\.fusion does nothing here.*and 1 is listened to"):
        load_recipe("vskd", ["distiller.fusion=validation"])
    with pytest.raises(RecipeError, match=r"distiller\.fusion does nothing here.*and 0 is listened to"):
        two_teachers("distiller=none", "distiller.fusion=validation")


REUSED = ("distiller={terms: [{loss: cross_entropy}, {loss: simkd}]}", "student.head.width=128")


def test_a_classifier_is_reused_of_one_teacher_by_a_student_that_has_its_width() -> None:
    assert load_recipe("vskd", REUSED).student.head.width == 128
    with pytest.raises(RecipeError, match=r"'simkd' reuses the teacher's classifier: set student\.head\.width to"):
        load_recipe("vskd", REUSED[:1])
    with pytest.raises(RecipeError, match=r"'simkd' reuses .*, and 2 teachers have no common one: name one teacher"):
        two_teachers(*REUSED)
    with pytest.raises(RecipeError, match=r"each teacher of a cross-fit has its own: leave teachers\.0\.cross_fit out"):
        load_recipe("vskd", [*REUSED, "teachers.0.cross_fit=subject"])
    idle = [REUSED[0].replace("simkd", "simkd, weight: 0"), "teachers.0.cross_fit=subject"]
    assert load_recipe("vskd", idle).student.head is None


@pytest.mark.parametrize(
    ("name", "overrides", "small"),
    [
        ("vskd", (), False),  # a window as an image
        ("vskd", ("student.sees.encoding=raw", "student.network=cnn1d"), True),
        ("krca", (), False),
        ("vskd", ("export.budget.part=cortex-m33",), True),
        ("vskd", ("student.sees.encoding=raw", "student.network=cnn1d", "export.budget.part=wear-os"), False),
        ("vskd", ("export.budget.macs=1000",), False),
        ("krca", ("export.budget.ram_bytes=1000",), True),
    ],
)
def test_who_a_student_is_for(name: str, overrides: tuple[str, ...], small: bool) -> None:
    assert load_recipe(name, overrides).for_microcontrollers is small


def test_a_student_of_skeletons_is_for_no_microcontroller() -> None:
    content = load_recipe("vskd").model_dump(mode="json")
    student = {"sees": {"modality": "skeleton", "streams": ["skeleton"]}, "network": "cnn1d"}
    recipe = parse_recipe({**content, "student": student, "export": {}}, "test")
    assert not recipe.for_microcontrollers


def test_hashes_of_recipes_from_before_a_key_are_what_they_were() -> None:
    """A hash is that of the content without keys that came later, as long as they say what their absence meant."""
    recipe = load_recipe("vskd", ["dataset.path=/elsewhere"])
    content: dict[str, Any] = recipe.model_dump(mode="json")
    for part, *later in (
        ("distiller", "untrained", "confidence", "fusion"),
        ("dataset", "leave_out", "path"),
        ("labels", "untested_subjects"),
        ("student", "head"),
        ("seed",),
        ("export",),
    ):
        plain = content[part]
        for key in later:
            plain = {k: v for k, v in plain.items() if k != key}
        assert recipe.hash_of(part) == sha256_json({part: plain})
    assert two_teachers().hash_of("distiller") == recipe.hash_of("distiller")
    for part, word in (
        ("distiller", "distiller.untrained=true"),
        ("distiller", "distiller.confidence={share: 0.5}"),
        ("dataset", "dataset.leave_out=['1']"),
        ("labels", "labels.untested_subjects=true"),
        ("student", "student.head.width=7"),
    ):
        assert recipe.updated(word).hash_of(part) != recipe.hash_of(part)
    fused = two_teachers("distiller.fusion=validation")
    assert fused.hash_of("distiller") != recipe.hash_of("distiller")


def test_what_holds_where_a_recipe_says_nothing() -> None:
    content = {key: v for key, v in load_recipe("vskd").model_dump(mode="json").items() if key in ("name", "student")}
    plain = parse_recipe({**content, "dataset": {"name": "x", "protocol": "y"}, "distiller": "none"}, "test")
    assert (plain.version, plain.description, plain.seed, plain.threads, plain.teachers) == (2, "", 0, None, ())
    assert plain.distiller.model_dump(exclude={"terms", "preset"}) == {
        **{"weighting": "fixed", "teacher_outputs": "auto", "permuted": "none", "untrained": False},
        **{"confidence": None, "fusion": "equal"},
    }
    assert (plain.dataset.path, plain.dataset.fold, plain.dataset.leave_out) == (None, None, None)
    assert plain.student.head is None and plain.labels.title == "all"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"export": 3}, "export: "),
        ({"student": 3}, "student: "),
        ({"student": {"sees": 3, "network": {"name": "cnn1d"}}}, "student.sees"),
        ({"student": {"sees": {"modality": "window", "streams": ["a"]}, "network": 3}}, "student.network"),
        ({"name": "Not A Name"}, "name: "),
        ({"seed": -1}, "seed: "),
        ({"threads": 0}, "threads: "),
        ({"version": 3}, ""),
    ],
)
def test_parts_that_are_no_parts_are_named(changes: dict[str, Any], told: str) -> None:
    content = load_recipe("vskd").model_dump(mode="json")
    if "version" in changes:  # the schema's own is written over any other
        assert parse_recipe({**content, **changes}, "test").version == 2
        return
    with pytest.raises(RecipeError, match=r"^test has \d problem") as caught:
        parse_recipe({**content, **changes}, "test")
    assert told in str(caught.value)


def test_a_teachers_recipe_keeps_threads_labels_and_place_in_the_list() -> None:
    recipe = two_teachers("threads=3", "seed=4", "teachers.1.seed=6", "labels.fraction=0.5", "teachers.1.views=3")
    first, second = recipe.of_teacher(), recipe.of_teacher(1)
    assert (first.threads, first.seed, second.seed, first.labels) == (3, 4, 6, recipe.labels)
    assert first == recipe.of_teacher(0) and first.description == "teacher of vskd"
    assert first.student == second.student
    with pytest.raises(RecipeError, match=r"has 2 teacher\(s\); there is no number 2"):
        recipe.of_teacher(2)


@pytest.mark.parametrize(
    "override",
    [
        "seed=3",
        "dataset.protocol=subject-specific",
        "labels.fraction=0.5",
        "student.network.dropout=0.5",
        "distiller.teacher_outputs=cached",
    ],
)
def test_each_part_that_decides_a_run_is_in_its_hash(override: str) -> None:
    recipe = load_recipe("vskd")
    assert recipe.updated(override).hash_of(*DECIDING) != recipe.hash_of(*DECIDING)
    assert DECIDING == ("seed", "dataset", "labels", "student", "distiller")
