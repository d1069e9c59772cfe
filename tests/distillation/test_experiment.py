"""From a recipe to data: refusals, honest validation, corrupt recordings, and hashes that ignore the place on disk."""

import logging
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from vskd.distillation.experiment import prepare
from vskd.errors import DataError, RecipeError
from vskd.recipe import Recipe, load_recipe

MakeRecipe = Callable[..., Recipe]


@pytest.fixture
def world(synthetic_root: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(synthetic_root, tmp_path / "world"))


def test_a_missing_data_path_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="--data PATH"):
        prepare(load_recipe("demo"), tmp_path, needs_teacher=False)


def test_an_unknown_stream_is_refused(tiny: MakeRecipe, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no recording has the stream.*thermometer"):
        prepare(tiny("dataset.sensor=thermometer"), tmp_path, needs_teacher=False)


def test_validation_is_carved_from_the_training_subjects(tiny: MakeRecipe, tmp_path: Path) -> None:
    recipe = tiny()
    experiment = prepare(recipe, tmp_path, needs_teacher=True)
    split = experiment.training_split(recipe.training)
    assert set(split.train) | set(split.validation) == set(experiment.split.train)
    assert not set(split.train) & set(split.validation)
    assert split.validation
    assert split.test == experiment.split.test
    bare = recipe.updated("training.validation=none", "training.select=last").training
    assert experiment.training_split(bare) == experiment.split


def test_hashes_do_not_depend_on_the_place_but_on_the_data(tiny: MakeRecipe, world: Path, tmp_path: Path) -> None:
    here = prepare(tiny(), tmp_path, needs_teacher=True)
    there = prepare(tiny(root=world), tmp_path, needs_teacher=True)
    assert (here.data_hash, here.frames_hash, here.facts()) == (there.data_hash, there.frames_hash, there.facts())
    sensor = world / "Inertial" / "a1_s1_t1_inertial.mat"
    sensor.write_bytes(sensor.read_bytes() + b"\0" * 8)
    changed = prepare(tiny("dataset.max_bad_fraction=0.5", root=world), tmp_path, needs_teacher=True)
    assert changed.data_hash != here.data_hash


def test_corrupt_recordings_are_named_and_left_out(
    tiny: MakeRecipe, world: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clip = world / "RGB" / "a2_s1_t1_color.mp4"
    clip.write_bytes(clip.read_bytes()[:100])
    experiment = prepare(tiny("dataset.max_bad_fraction=0.1", root=world), tmp_path, needs_teacher=True)
    ids = tuple(experiment.recordings)
    with caplog.at_level(logging.WARNING, logger="vskd"):
        usable = experiment.only(ids, experiment.frame_store.ids, "rgb")
    assert "a2_s1_t1" not in usable
    assert len(usable) == 23
    assert "a2_s1_t1" in caplog.text


def test_too_many_corrupt_recordings_are_refused(tiny: MakeRecipe, world: Path, tmp_path: Path) -> None:
    clip = world / "RGB" / "a2_s1_t1_color.mp4"
    clip.write_bytes(clip.read_bytes()[:100])
    with pytest.raises(DataError, match="a2_s1_t1"):
        _ = prepare(tiny(root=world), tmp_path, needs_teacher=True).frame_store
