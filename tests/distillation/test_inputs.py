"""What teacher and student see, by the recipe: streams, shapes, hashes and batches of images."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.conftest import TINY_IMAGES
from vskd.distillation.experiment import Experiment, prepare
from vskd.distillation.inputs import ImageInputs, SensorInputs, VideoInputs, student_inputs, teacher_inputs
from vskd.errors import RecipeError
from vskd.preprocessing.image.image_file import read_image
from vskd.recipe import Recipe, load_recipe

MakeExperiment = Callable[..., Experiment]


@pytest.fixture(scope="module")
def images(shapes_root: Path, tmp_path_factory: pytest.TempPathFactory) -> MakeExperiment:
    cache = tmp_path_factory.mktemp("inputs")

    def make(*overrides: str, name: str = "krca") -> Experiment:
        recipe = load_recipe(name, (*TINY_IMAGES, f"dataset.path={shapes_root}", *overrides))
        return prepare(recipe, cache, needs_teacher=True)

    return make


def test_the_recipe_decides_who_sees_what(tiny: Callable[..., Recipe], shared_cache: Path, images) -> None:
    wrist = prepare(tiny(), shared_cache, needs_teacher=True)
    student, teacher = student_inputs(wrist), teacher_inputs(wrist)
    assert isinstance(student, SensorInputs) and isinstance(teacher, VideoInputs)
    assert (student.stream, student.shape) == ("accelerometer", (3, 32))
    assert (teacher.stream, teacher.shape) == ("rgb", (3, 3, 32, 32))
    for inputs in (student, teacher):
        (batch,) = inputs.batches(tuple(sorted(wrist.recordings))[:1])
        assert batch.inputs.shape[1:] == inputs.shape
    camera = images()
    student, teacher = student_inputs(camera), teacher_inputs(camera)
    assert isinstance(student, ImageInputs) and isinstance(teacher, ImageInputs)
    assert (student.stream, student.shape, student.hash) == ("image", (1, 32, 32), teacher.hash)


def test_images_are_those_of_the_files(images) -> None:
    experiment = images()
    ids = experiment.split.test
    (batch,) = student_inputs(experiment).batches(ids)
    assert batch.ids == ids
    assert batch.labels.tolist() == experiment.labels_of(ids)
    assert batch.positions.tolist() == list(range(len(ids)))
    for recording, image in zip(ids, batch.inputs, strict=True):
        path = experiment.recordings[recording].stream("image").path
        expected = read_image(path, size=32, grey=True).transpose(2, 0, 1) / 255
        np.testing.assert_allclose(image.numpy(), expected, atol=1e-7)


def test_a_training_epoch_holds_every_image_once_changed_at_random_and_repeats(images) -> None:
    experiment = images()
    inputs, ids = student_inputs(experiment), experiment.split.train
    assert inputs.augmented
    plain = {i: x for b in inputs.batches(ids) for i, x in zip(b.ids, b.inputs, strict=True)}
    epochs = [list(inputs.batches(ids, epoch)) for epoch in (0, 0, 1)]
    assert Counter(i for b in epochs[0] for i in b.ids) == Counter(ids)
    assert all(ids[p] == i for b in epochs[0] for i, p in zip(b.ids, b.positions.tolist(), strict=True))
    assert all(torch.equal(a.inputs, b.inputs) for a, b in zip(epochs[0], epochs[1], strict=True))
    assert [b.ids for b in epochs[0]] != [b.ids for b in epochs[2]]
    assert not any(torch.equal(x, plain[i]) for b in epochs[0] for i, x in zip(b.ids, b.inputs, strict=True))


def test_balanced_sampling_is_the_trainings_choice(images) -> None:
    experiment = images("training.sampling=balanced")
    circles = [i for i in experiment.split.train if "circle" in i]
    squares = [i for i in experiment.split.train if "square" in i]
    some = tuple(sorted([*circles, *squares[:2]]))
    shown = Counter("circle" in i for b in student_inputs(experiment).batches(some, 0) for i in b.ids)
    assert shown == {True: 11, False: 11}
    teacher = Counter("circle" in i for b in teacher_inputs(experiment).batches(some, 0) for i in b.ids)
    assert teacher == {True: 20, False: 2}


def test_hashes_follow_what_is_stored_and_not_what_is_random(images) -> None:
    base = images().images_hash
    assert images("images.augmentation.contrast=0.9").images_hash == base
    assert images("images.size=40").images_hash != base
    assert images("images.grey=false").images_hash != base


def test_mirror_images_of_unknown_classes_are_refused(images) -> None:
    experiment = images("images.augmentation.flip=0.5")
    with pytest.raises(RecipeError, match=r"images\.augmentation\.flip: the classes of 'image-folder'"):
        student_inputs(experiment).batches(experiment.split.train, 0)


def test_label_swap_by_name_becomes_numbers(images, monkeypatch: pytest.MonkeyPatch) -> None:
    from types import SimpleNamespace

    swap = SimpleNamespace(label_swap={"circle": "square", "square": "circle"})
    monkeypatch.setattr("vskd.distillation.inputs.get_dataset", lambda _: swap)
    experiment = images("images.augmentation.flip=1.0", "images.augmentation.crop=0")
    (batch,) = student_inputs(images("training.batch_size=100", "images.augmentation.flip=1.0")).batches(
        experiment.split.train, 0
    )
    assert batch.labels.tolist() == [2 - k for k in experiment.labels_of(batch.ids)]
