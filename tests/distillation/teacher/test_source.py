"""Who is asked, and how: online or from the cache, and the refusals of what cannot be."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from tests.conftest import TINY_IMAGES
from vskd.distillation.experiment import prepare
from vskd.distillation.run import Learned
from vskd.distillation.teacher import source
from vskd.distillation.teacher.fusion import FusedTeacher, fusion_weights
from vskd.distillation.teacher.outputs import CachedTeacher, OnlineTeacher, TeacherSource, finished_teacher
from vskd.distillation.teacher.source import online, teacher_source
from vskd.distillation.train import teach
from vskd.errors import RecipeError
from vskd.modalities.base import Batch
from vskd.network import Outputs
from vskd.recipe import Recipe, load_recipe, parse_recipe

STILL = tuple(
    f"student.sees.augmentation.{name}=0"
    for name in ("contrast", "gamma", "brightness", "crop", "rotation_deg", "flip", "erase")
)
KD = "distiller=kd"


@pytest.fixture(scope="module")
def recipe_of(shapes_root: Path):
    def make(*overrides: str) -> Recipe:
        return load_recipe(
            "krca", (*TINY_IMAGES, f"dataset.path={shapes_root}", "teachers.0.training.epochs=1", *overrides)
        )

    return make


@pytest.fixture(scope="module")
def place(recipe_of, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a teacher of one epoch and its cache."""
    folder = tmp_path_factory.mktemp("listening")
    teach(recipe_of(), folder / "teacher", cache=folder / "cache")
    return folder


def asked(recipe: Recipe, place: Path, teachers: int = 1) -> TeacherSource:
    experiment = prepare(recipe, place / "cache", with_teachers=True)
    runs = [finished_teacher(experiment, place / "teacher") for _ in range(teachers)]
    return teacher_source(experiment, runs)


def some_images(recipe: Recipe, place: Path) -> Batch:
    """Nine of them, unchanged."""
    inputs = prepare(recipe, place / "cache", with_teachers=True).inputs
    (batch,) = inputs.batches(tuple(sorted(inputs.ids))[:9], batch_size=9)
    return batch


@pytest.mark.parametrize(
    ("overrides", "kind"),
    [
        ((), OnlineTeacher),  # images are changed at random
        ((KD,), OnlineTeacher),
        ((*STILL, KD), CachedTeacher),
        (STILL, CachedTeacher),  # the terms look inside: features are cached
        ((KD, "distiller.teacher_outputs=cached"), CachedTeacher),
        ((*STILL, KD, "distiller.teacher_outputs=online"), OnlineTeacher),
        ((KD, "student.sees.size=40"), CachedTeacher),  # the student sees other images than the teacher
    ],
)
def test_online_where_it_helps_and_cached_where_it_can_be(recipe_of, place: Path, overrides, kind) -> None:
    recipe = recipe_of(*overrides)
    found = asked(recipe, place)
    assert isinstance(found, kind)
    assert len(found.ids) == 75
    inside = {"deep", "shallow"} if recipe.distiller.title == "krca" else set()
    assert set(found.shapes) == {"logits", "embedding"} | inside


@pytest.mark.parametrize("distiller", ["kd", "krca"])
def test_online_and_cache_agree_on_unchanged_images(recipe_of, place: Path, distiller: str) -> None:
    recipe = recipe_of(*STILL, f"distiller={distiller}")
    batch = some_images(recipe, place)
    stored, live = asked(recipe, place), asked(recipe.updated("distiller.teacher_outputs=online"), place)
    assert stored.shapes == live.shapes
    cached, *_ = stored.outputs(batch)
    online, found, labels = live.outputs(batch)
    assert online.features.keys() == cached.features.keys() == set(live.shapes) - {"logits", "embedding"}
    for layer in live.shapes:
        torch.testing.assert_close(online.layer(layer), cached.layer(layer), rtol=1e-4, atol=1e-5)
        assert online.layer(layer).shape[1:] == live.shapes[layer]
    assert found == batch.ids and torch.equal(labels, batch.labels)


def test_online_sees_the_changed_image_itself(recipe_of, place: Path) -> None:
    source = asked(recipe_of(), place)
    image = torch.rand(2, *some_images(recipe_of(), place).inputs.shape[1:])
    batch = Batch(("a", "b"), image, torch.tensor([0, 1]), torch.tensor([0, 1]))
    darker = Batch(("a", "b"), image / 2, torch.tensor([0, 1]), torch.tensor([0, 1]))
    assert not torch.equal(source.outputs(batch)[0].logits, source.outputs(darker)[0].logits)
    assert not source.outputs(batch)[0].logits.requires_grad


@pytest.mark.parametrize(
    ("overrides", "match"),
    [
        ((KD, "distiller.teacher_outputs=cached", "student.sees.augmentation.flip=0.5"), "mirror image"),
        ((KD, "student.sees.size=40", "student.sees.augmentation.flip=0.5"), "mirror image"),
        (("student.sees.size=40", "distiller.teacher_outputs=online"), r"teacher_outputs is 'online', but .* differ"),
        (("student.sees.grey=true", "distiller.teacher_outputs=online"), r"teacher_outputs is 'online'"),
        (
            ("distiller.terms.deep_attention.teacher_layer=layer9",),
            r"distiller: the teacher does not fit: There is no layer 'layer9'",
        ),
        ((*STILL, "distiller.terms.deep_attention.teacher_layer=layer9"), r"the teacher does not fit: .*'layer9'"),
    ],
)
def test_what_cannot_be_is_refused(recipe_of, place: Path, overrides, match: str) -> None:
    with pytest.raises(RecipeError, match=match):
        asked(recipe_of(*overrides), place)


def test_a_mirror_image_is_shown_to_the_teacher_too(recipe_of, place: Path) -> None:
    """Then both are of the same class."""
    assert isinstance(asked(recipe_of(KD, "student.sees.augmentation.flip=0.5"), place), OnlineTeacher)


def test_several_teachers_are_fused(recipe_of, place: Path) -> None:
    recipe = recipe_of(KD)
    one, two = asked(recipe, place), asked(recipe, place, teachers=2)
    assert isinstance(two, FusedTeacher)
    batch = some_images(recipe, place)
    single, fused = one.outputs(batch)[0], two.outputs(batch)[0]
    torch.testing.assert_close(fused.logits.softmax(1), single.logits.softmax(1))
    assert torch.equal(fused.embedding, torch.cat([single.embedding] * 2, dim=1))
    with pytest.raises(RecipeError, match="distiller: the teacher does not fit: Several teachers have no common layer"):
        asked(recipe_of(), place, teachers=2)


def test_different_streams_are_cached_only(tiny, teacher_run: Path, shared_cache: Path) -> None:
    recipe = tiny()
    experiment = prepare(recipe, shared_cache, with_teachers=True)
    student, teacher = experiment.inputs, finished_teacher(experiment, teacher_run).inputs
    assert student.augmented
    assert not online("auto", student, teacher)
    assert not online("cached", student, teacher)
    with pytest.raises(RecipeError, match="the student sees accelerometer and the teacher rgb"):
        online("online", student, teacher)


def test_the_same_windows_behind_another_encoding_are_seen_online(tiny, shared_cache: Path, tmp_path: Path) -> None:
    """A GAF student listens to a teacher of raw windows: what stands in front belongs to each network."""
    wrist = tiny("student.network=resnet18-small-stem", "student.sees.encoding=gasf", "distiller=kd")
    content = wrist.model_dump(mode="json")
    content["student"]["sees"]["encoding"]["image_size"] = 16
    content["teachers"] = [tiny().student.model_dump(mode="json")]
    from vskd.recipe import parse_recipe

    recipe = parse_recipe(content, "test")
    teach(recipe, tmp_path / "teacher", cache=shared_cache)
    experiment = prepare(recipe, shared_cache, with_teachers=True)
    source = teacher_source(experiment, [finished_teacher(experiment, tmp_path / "teacher")])
    assert isinstance(source, OnlineTeacher)
    assert source.shapes == {"logits": (3,), "embedding": (12,)}
    (batch,) = experiment.inputs.batches(experiment.split.train[:3], batch_size=3)
    assert source.outputs(batch)[0].logits.shape == (3, 3)


SLIDING = (
    *("student.sees.window=sliding", "student.sees.rate_hz=50.0", "student.sees.stride=16"),
    *("student.network=cnn1d", "student.network.embedding_size=12", "student.sees.encoding=raw", "distiller=kd"),
)


def test_a_teacher_of_the_same_sliding_windows_is_seen_online(tiny, shared_cache: Path, tmp_path: Path) -> None:
    """Its cache would hold one answer a recording, that of the last window."""
    from vskd.recipe import parse_recipe

    content = tiny(*SLIDING, *(f"student.sees.augmentation.{k}=0" for k in ("jitter", "scale"))).model_dump(mode="json")
    content["student"]["sees"]["augmentation"] = {}
    content["teachers"] = [content["student"]]
    recipe = parse_recipe(content, "test")
    teach(recipe, tmp_path / "teacher", cache=shared_cache)
    experiment = prepare(recipe, shared_cache, with_teachers=True)
    assert not experiment.inputs.augmented
    source = teacher_source(experiment, [finished_teacher(experiment, tmp_path / "teacher")])
    assert isinstance(source, OnlineTeacher)
    content["student"]["sees"]["stride"] = 8
    other = prepare(parse_recipe(content, "test"), shared_cache, with_teachers=True)
    with pytest.raises(RecipeError, match="the teacher sees sliding windows of accelerometer, and its cache holds one"):
        teacher_source(other, [finished_teacher(other, tmp_path / "teacher")])


def two_teachers(recipe: Recipe, *overrides: str) -> Recipe:
    """The recipe with its teacher twice, the second of another seed, their weights chosen on validation."""
    content = recipe.updated(*overrides).model_dump(mode="json")
    (teacher,) = content["teachers"]
    fused = content["distiller"] | {"fusion": "validation"}
    return parse_recipe(content | {"teachers": [teacher, teacher | {"seed": 5}], "distiller": fused}, "two")


def test_weights_of_the_fusion_are_chosen_on_validation(recipe_of, place: Path) -> None:
    """What both say of these recordings, and of no others."""
    recipe = two_teachers(recipe_of(KD, "student.training.validation=carve"))
    teach(recipe_of("seed=5"), place / "other", cache=place / "cache")
    experiment = prepare(recipe, place / "cache", with_teachers=True)
    teachers = [finished_teacher(experiment, place / name) for name in ("teacher", "other")]
    fused = teacher_source(experiment, teachers)
    validation = experiment.training_split(recipe.student.training).validation
    right = []
    for teacher in teachers:
        outputs, ids, labels = teacher.cache().outputs(validation)
        assert ids == validation and len(ids) > 5
        right.append(outputs.logits.softmax(1)[torch.arange(len(ids)), labels])
    assert isinstance(fused, FusedTeacher)
    assert fused.weights == pytest.approx(fusion_weights(torch.stack(right)))
    assert fused.weights != pytest.approx((0.5, 0.5))


def test_without_validation_there_is_nothing_to_weigh_by(recipe_of, place: Path) -> None:
    unvalidated = ("student.training.validation=none", "student.training.select=last")
    with pytest.raises(RecipeError, match="weighs teachers by validation recordings, and there are none that all see"):
        asked(two_teachers(recipe_of(KD, *unvalidated)), place, 2)


@pytest.mark.parametrize(("distiller", "heard"), [("none", 0), ("kd", 1)])
def test_one_teacher_is_not_weighed(recipe_of, distiller: str, heard: int) -> None:
    with pytest.raises(RecipeError, match=f"fusion does nothing here: it weighs several teachers, and {heard} is"):
        recipe_of(f"distiller={distiller}", "distiller.fusion=validation")


@pytest.mark.parametrize(
    ("augmented", "mirrored", "told"),
    [(True, False, ""), (False, False, "changes nothing at random"), (True, True, "may mirror them, into another")],
)
def test_several_views_differ_and_stay_of_one_class(augmented: bool, mirrored: bool, told: str) -> None:
    inputs: Any = SimpleNamespace(name="frames", augmented=augmented, mirrored=mirrored)
    if not told:
        source._check_views(inputs)
        return
    with pytest.raises(RecipeError, match=rf"teachers\.views: .* views of frames, but its augmentation {told}"):
        source._check_views(inputs)


@pytest.mark.parametrize(
    ("several", "timeline", "told"),
    [
        (False, None, ""),
        (True, None, "the teacher sees sliding windows of frames, and its cache holds one answer a recording"),
        (
            False,
            "a day",
            "recordings show several classes one after the other, and the teacher sees the frames of each",
        ),
    ],
)
def test_one_stored_answer_serves_one_class_alone(several: bool, timeline: str | None, told: str) -> None:
    teacher: Any = SimpleNamespace(name="frames", several=several)
    one, other = SimpleNamespace(timeline=None), SimpleNamespace(timeline=timeline)
    experiment: Any = SimpleNamespace(recordings={"a": one, "b": other, "c": one})
    if not told:
        source._refuse_several(experiment, teacher)
        return
    with pytest.raises(RecipeError, match=told):
        source._refuse_several(experiment, teacher)


@pytest.mark.parametrize("wanted", ["auto", "cached", "online"])
@pytest.mark.parametrize("alike", [True, False])
@pytest.mark.parametrize(("augmented", "several"), [(True, False), (False, True), (False, False)])
def test_who_looks_at_the_students_own_batches(wanted: str, alike: bool, augmented: bool, several: bool) -> None:
    student: Any = SimpleNamespace(name="x", hash="1", augmented=augmented, several=several, mirrored=False)
    teacher: Any = SimpleNamespace(name="y", hash="1" if alike else "2")
    if wanted == "online" and not alike:
        with pytest.raises(RecipeError, match="the student sees x and the teacher y"):
            online(wanted, student, teacher)
        return
    expected = {"auto": alike and (augmented or several), "cached": False, "online": True}[wanted]
    assert online(wanted, student, teacher) is expected
    student.mirrored = True
    if alike and wanted != "cached":
        assert online(wanted, student, teacher) is expected
    else:
        with pytest.raises(RecipeError, match="mirror image"):
            online(wanted, student, teacher)


class Says:
    """A finished teacher whose cache says of each recording how sure it is of class 1."""

    def __init__(self, sure: dict[str, float]) -> None:
        self.inputs, self.sure = SimpleNamespace(ids=frozenset(sure)), sure
        self.folder: Any = SimpleNamespace(path="TEACHER", learned=lambda: None)
        self.asked: list[list[str]] = []

    def cache(self, ids: list[str]) -> "Says":
        self.asked.append(list(ids))
        return self

    def outputs(self, ids: list[str]) -> tuple[Outputs, tuple[str, ...], torch.Tensor]:
        logits = torch.tensor([[1 - self.sure[i], self.sure[i]] for i in ids]).log()
        return Outputs(logits, logits), tuple(ids), torch.zeros(len(ids), dtype=torch.int64)


def test_teachers_are_weighed_by_validation_recordings_that_all_of_them_see(caplog: pytest.LogCaptureFixture) -> None:
    """By the true class of each, which the cache does not say."""
    labels = {"v1": 1, "v2": 0, "v3": 1, "t1": 1}
    one, other = Says({"v1": 0.9, "v2": 0.7, "v3": 0.9, "t1": 0.1}), Says({"v1": 0.6, "v2": 0.2, "t1": 0.9})
    asked_for: list[str] = []
    experiment: Any = SimpleNamespace(
        recipe=SimpleNamespace(student=SimpleNamespace(training="own")),
        training_split=lambda training: asked_for.append(training) or SimpleNamespace(validation=("v1", "v2", "v3")),
        recordings={i: SimpleNamespace(label=label) for i, label in labels.items()},
    )
    with caplog.at_level("INFO", logger="vskd"):
        weights = source._chosen_weights(experiment, [one, other])  # type: ignore[list-item]
    assert weights == pytest.approx(fusion_weights(torch.tensor([[0.9, 0.3], [0.6, 0.8]])), rel=1e-4)
    assert one.asked == other.asked == [["v1", "v2"]] and asked_for == ["own"]
    assert "by 2 validation recordings" in caplog.text
    with pytest.raises(RecipeError, match="there are none that all see"):
        source._chosen_weights(experiment, [one, Says({"t1": 0.5})])  # type: ignore[list-item]
    selected = Learned(("t1", "v2"), (), ("t1", "v1"))  # its epoch by v1, and v2 without a label
    other.folder.learned = lambda: selected
    assert source._chosen_weights(experiment, [one, other]) == weights  # type: ignore[list-item]
    other.folder.learned = lambda: replace(selected, labels=("t1", "v2"))
    with pytest.raises(RecipeError, match="the teacher in TEACHER is trained on 1 of the 2: v2"):
        source._chosen_weights(experiment, [one, other])  # type: ignore[list-item]


@pytest.mark.parametrize(
    ("number", "views", "augmented", "said"),
    [(0, 1, False, 0), (0, 1, True, 0), (0, 3, True, [0, 1, 2]), (0, 2, False, None), (1, 3, False, 0)],
)
def test_only_several_views_need_a_teacher_that_changes_what_it_sees(
    monkeypatch: pytest.MonkeyPatch, number: int, views: int, augmented: bool, said: object
) -> None:
    """A teacher of whom the recipe says nothing, e.g. a control's, is shown one."""
    asked: list[tuple[object, ...]] = []
    student = SimpleNamespace(hash="1", mirrored=False, augmented=True, several=False)
    inputs = SimpleNamespace(name="frames", hash="2", augmented=augmented, mirrored=False, several=False)
    teacher: Any = SimpleNamespace(inputs=inputs)
    distiller = SimpleNamespace(permuted="none", teacher_outputs="auto")
    recipe = SimpleNamespace(distiller=distiller, teachers=(SimpleNamespace(views=views),))
    experiment: Any = SimpleNamespace(inputs=student, recipe=recipe, recordings={})
    monkeypatch.setattr(source, "_answers", lambda *words: asked.append(words[:-1]) or words[-1])
    monkeypatch.setattr(source, "_of_stored", lambda found, answers: answers if found is experiment else None)
    monkeypatch.setattr(source, "ViewedTeacher", list)
    if said is None:
        with pytest.raises(RecipeError, match=r"teachers\.views: .*changes nothing at random"):
            source._source(experiment, teacher, {}, number, ["layer"])
        return
    assert source._source(experiment, teacher, {}, number, ["layer"]) == said
    assert set(map(str, asked)) == {str((experiment, teacher, {}, ["layer"]))}
