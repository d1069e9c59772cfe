"""From a recipe to data: refusals, honest validation, corrupt recordings, and hashes that ignore the place on disk."""

import dataclasses
import logging
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from scipy.io import loadmat, savemat

from vskd.datasets.recording import UNLABELLED
from vskd.distillation.experiment import Experiment, prepare, streams_in_use
from vskd.distillation.train import distill
from vskd.errors import DataError, ProtocolError, RecipeError
from vskd.files import sha256_json
from vskd.recipe import Recipe, load_recipe

MakeRecipe = Callable[..., Recipe]


@pytest.fixture
def world(synthetic_root: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(synthetic_root, tmp_path / "world"))


def test_a_missing_data_path_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="--data PATH"):
        prepare(load_recipe("demo"), tmp_path)


def test_an_unknown_stream_is_refused(tiny: MakeRecipe, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no recording has the stream.*thermometer"):
        prepare(tiny("student.sees.streams=[thermometer]"), tmp_path)


def test_validation_is_carved_from_the_training_subjects(tiny: MakeRecipe, tmp_path: Path) -> None:
    recipe = tiny()
    experiment = prepare(recipe, tmp_path, with_teachers=True)
    split = experiment.training_split(recipe.student.training)
    assert set(split.train) | set(split.validation) == set(experiment.split.train)
    assert not set(split.train) & set(split.validation)
    assert split.validation
    assert split.test == experiment.split.test
    bare = recipe.updated("student.training.validation=none", "student.training.select=last").student.training
    assert experiment.training_split(bare) == experiment.split


def test_labels_that_a_recipe_takes_away_are_not_seen(tiny: MakeRecipe, tmp_path: Path) -> None:
    bare = ("student.training.validation=none", "student.training.select=last")
    experiment = prepare(tiny("labels.subjects=[1]", "distiller=kd", *bare), tmp_path, with_teachers=True)
    train, test = experiment.split.train, experiment.split.test
    own = {i: r.label for i, r in experiment.recordings.items()}
    kept = [own[i] if experiment.recordings[i].subject == "1" else UNLABELLED for i in train]
    assert experiment.labels_of(train) == kept and UNLABELLED in kept and kept != [UNLABELLED] * len(kept)
    assert experiment.labels_of(test) == [own[i] for i in test]


def test_hashes_do_not_depend_on_the_place_but_on_the_data(tiny: MakeRecipe, world: Path, tmp_path: Path) -> None:
    here = prepare(tiny(), tmp_path, with_teachers=True)
    there = prepare(tiny(root=world), tmp_path, with_teachers=True)
    assert (here.data_hash, here.inputs.hash, here.facts()) == (there.data_hash, there.inputs.hash, there.facts())
    sensor = world / "Inertial" / "a1_s1_t1_inertial.mat"
    sensor.write_bytes(sensor.read_bytes() + b"\0" * 8)
    changed = prepare(tiny("dataset.max_bad_fraction=0.5", root=world), tmp_path, with_teachers=True)
    assert changed.data_hash != here.data_hash


def test_corrupt_recordings_are_named_and_left_out(
    tiny: MakeRecipe, world: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clip = world / "RGB" / "a2_s1_t1_color.mp4"
    clip.write_bytes(clip.read_bytes()[:100])
    recipe = tiny("dataset.max_bad_fraction=0.1", root=world)
    experiment = prepare(recipe, tmp_path, with_teachers=True)
    ids, clips = tuple(experiment.recordings), experiment.of_teacher(recipe.of_teacher()).inputs
    with caplog.at_level(logging.WARNING, logger="vskd"):
        usable = experiment.only(ids, clips.ids, clips.name)
    assert "a2_s1_t1" not in usable
    assert len(usable) == 23
    assert "a2_s1_t1" in caplog.text


def test_too_many_corrupt_recordings_are_refused(tiny: MakeRecipe, world: Path, tmp_path: Path) -> None:
    clip = world / "RGB" / "a2_s1_t1_color.mp4"
    clip.write_bytes(clip.read_bytes()[:100])
    with pytest.raises(DataError, match="a2_s1_t1"):
        prepare(tiny(root=world), tmp_path, with_teachers=True)


def test_what_only_decoding_shows_counts_too(tiny: MakeRecipe, world: Path, tmp_path: Path) -> None:
    """The header of the clip is whole, and nothing behind it."""
    clip = world / "RGB" / "a2_s1_t1_color.mp4"
    content = clip.read_bytes()
    middle = content.index(b"mdat") + 8
    clip.write_bytes(content[:middle] + bytes(len(content) - middle))
    strict, lenient = (tiny(f"dataset.max_bad_fraction={share}", root=world).of_teacher() for share in (0.0, 0.1))
    with pytest.raises(DataError, match="a2_s1_t1"):
        _ = prepare(strict, tmp_path / "strict").inputs.ids
    assert "a2_s1_t1" not in prepare(lenient, tmp_path / "lenient").inputs.ids


def test_a_copied_recording_on_both_sides_of_the_split_is_refused(
    tiny: MakeRecipe, world: Path, tmp_path: Path
) -> None:
    """Subject 1 trains and subject 2 is tested: the audit sees what no protocol can."""
    files = world / "Inertial"
    shutil.copy(files / "a1_s1_t1_inertial.mat", files / "a1_s2_t1_inertial.mat")
    with pytest.raises(ProtocolError, match=r"a1_s[12]_t1"):
        prepare(tiny(root=world), tmp_path)


def test_a_copied_video_is_refused_too(tiny: MakeRecipe, world: Path, tmp_path: Path) -> None:
    """Where the teacher sees it; of the student's own eyes it is no leak."""
    shutil.copy(world / "RGB" / "a1_s1_t1_color.mp4", world / "RGB" / "a1_s2_t1_color.mp4")
    with pytest.raises(ProtocolError, match="train and test hold the same rgb samples: a1_s1_t1 = a1_s2_t1"):
        prepare(tiny(root=world), tmp_path, with_teachers=True)
    prepare(tiny(root=world), tmp_path)


@pytest.mark.parametrize(("copy", "parts"), [("a1_s2_t1", "train and test"), ("a1_s3_t1", "train and validation")])
def test_samples_that_were_saved_again_are_refused_before_training(
    tiny: MakeRecipe, world: Path, tmp_path: Path, copy: str, parts: str
) -> None:
    """In other bytes, which only decoding shows; a validation part that is carved from training (subject 3) counts."""
    files = world / "Inertial"
    samples = loadmat(files / "a1_s1_t1_inertial.mat")["d_iner"]
    savemat(files / f"{copy}_inertial.mat", {"d_iner": samples}, do_compression=True)
    recipe = tiny("distiller=none", root=world)
    assert "a1_s3_t1" in prepare(recipe, tmp_path).training_split(recipe.student.training).validation
    told = f"leaks: {parts} hold the same accelerometer samples: a1_s1_t1 = {copy}"
    with pytest.raises(ProtocolError, match=told):
        distill(recipe, tmp_path / "run", cache=tmp_path / "cache")
    assert not (tmp_path / "run" / "recipe.yaml").exists()


def relabelled(experiment: Experiment) -> Experiment:
    """The same recordings, the first with the label of another class."""
    first, *rest = experiment.index.recordings
    other = dataclasses.replace(first, label=(first.label + 1) % experiment.classes)
    return dataclasses.replace(experiment, index=dataclasses.replace(experiment.index, recordings=(other, *rest)))


def test_labels_are_data(tiny: MakeRecipe, tmp_path: Path) -> None:
    """A cache or a finished run of other labels is of other data."""
    experiment = prepare(tiny(), tmp_path, with_teachers=True)
    changed = relabelled(experiment)
    assert changed.data_hash != experiment.data_hash
    assert changed.inputs.hash != experiment.inputs.hash


def test_the_data_hash_is_of_the_streams_in_use(tiny: MakeRecipe, tmp_path: Path) -> None:
    recipe = tiny()
    alone, both = (prepare(recipe, tmp_path, with_teachers=teachers) for teachers in (False, True))
    assert (alone.streams, both.streams) == (("accelerometer",), ("accelerometer", "rgb"))
    assert alone.data_hash != both.data_hash
    assert alone.inputs.hash == both.inputs.hash
    assert sha256_json(alone.facts()) == sha256_json(prepare(recipe, tmp_path).facts())


def test_streams_follow_what_the_networks_see_each_once(tiny: MakeRecipe) -> None:
    recipe = tiny()
    content = recipe.model_dump(mode="json")
    content["teachers"].append({**content["student"], "seed": 1})
    from vskd.recipe import parse_recipe

    two = parse_recipe(content, "test")
    assert streams_in_use(two, with_teachers=True) == ("accelerometer", "rgb")
    assert streams_in_use(two, with_teachers=False) == ("accelerometer",)
    camera = load_recipe("krca")
    assert streams_in_use(camera, with_teachers=True) == ("image",)


def test_a_teacher_sees_the_same_recordings_its_own_way(tiny: MakeRecipe, tmp_path: Path) -> None:
    recipe = tiny()
    experiment = prepare(recipe, tmp_path, with_teachers=True)
    teacher = experiment.of_teacher(recipe.of_teacher())
    assert (teacher.index, teacher.split) == (experiment.index, experiment.split)
    assert teacher.inputs.sees == recipe.teachers[0].sees
    assert teacher.inputs.sees.modality == "frames"
    assert experiment.inputs.sees == recipe.student.sees


def test_what_a_modality_is_told_of_the_data_set(tiny: MakeRecipe, tmp_path: Path) -> None:
    from vskd.datasets.catalog import get_dataset

    source = prepare(tiny("dataset.max_bad_fraction=0.1"), tmp_path).source
    entry = get_dataset("synthetic")
    assert (source.dataset, source.label_swap, source.placement) == ("synthetic", entry.label_swap, entry.placement)
    assert source.max_bad_fraction == 0.1
    assert source.cache == tmp_path
    assert len(source.class_names) == 3


def test_a_recording_that_lacks_a_stream_is_unpaired_where_both_are_in_use(
    tiny: MakeRecipe, world: Path, tmp_path: Path
) -> None:
    (world / "Inertial" / "a1_s1_t1_inertial.mat").unlink()
    recipe = tiny("dataset.max_bad_fraction=0.0", root=world)
    with pytest.raises(DataError, match="unpaired"):
        prepare(recipe, tmp_path, with_teachers=True)
    assert len(prepare(recipe.of_teacher(), tmp_path).index) == 24
    assert len(prepare(recipe, tmp_path).index) == 23
