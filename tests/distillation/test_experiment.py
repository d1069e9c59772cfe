"""From a recipe to data: refusals, honest validation, corrupt recordings, and hashes that ignore the place on disk."""

import dataclasses
import logging
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy.io import loadmat, savemat

from vskd.datasets.catalog import get_dataset
from vskd.datasets.recording import UNLABELLED, Problem
from vskd.distillation import experiment as experiments
from vskd.distillation.experiment import DataOnce, Experiment, prepare, read_index, streams_in_use
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


def test_one_look_serves_many_recipes_and_gives_each_what_a_look_of_its_own_does(
    tiny: MakeRecipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other folds, streams, labels and people left out; splits are made and audited once for those that share them."""
    looks, splits, data = [], [], DataOnce()
    monkeypatch.setattr(experiments, "read_index", lambda recipe: looks.append(recipe) or read_index(recipe))
    monkeypatch.setattr(experiments, "audit_split", lambda *words, **_: splits.append(words[0]))
    folds = [("dataset.protocol=leave-one-subject-out", f"dataset.fold='{fold}'") for fold in (1, 2)]
    shared = [("seed=3",), ("labels.trials=[1]",), (*BARE, "dataset.leave_out=['3']")]
    found = [
        data.prepare(tiny(*words), tmp_path, with_teachers=taught)
        for words in ((), *folds, *shared)
        for taught in (False, True)
    ]
    assert len(looks) == 1
    assert len(splits) == 6
    monkeypatch.undo()
    for experiment in found:
        own = prepare(experiment.recipe, tmp_path, with_teachers=len(experiment.streams) > 1)
        assert experiment == own
        assert experiment.facts() == own.facts()


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


BARE = ("student.training.validation=none", "student.training.select=last", "distiller=none")


def test_facts_are_what_decides_a_result(tiny: MakeRecipe, tmp_path: Path) -> None:
    experiment = prepare(tiny(*BARE, "seed=7", "labels.subjects=[1]"), tmp_path)
    problem = Problem("missing", "a9", "a9.mat", "not there")
    index = dataclasses.replace(experiment.index, problems=(problem,))
    split = dataclasses.replace(experiment.split, fold="2")
    facts = dataclasses.replace(experiment, index=index, split=split).facts()
    assert facts == {
        "seed": 7,
        "dataset": "synthetic",
        "classes": list(experiment.index.labels),
        "data": experiment.data,
        "data_hash": sha256_json(["synthetic", experiment.data]),
        "protocol": experiment.split.protocol,
        "protocol_hash": experiment.split.protocol_hash,
        "split_hash": experiment.split.split_hash,
        "fold": "2",
        "labels": "subject 1",
        "labels_hash": experiment.setting.hash,
        "labelled": 6,
        "unlabelled": 6,
        "problems_in_data": [{"kind": "missing", "recording": "a9", "path": "a9.mat", "detail": "not there"}],
    }
    assert set(experiment.data) == {"labels", "accelerometer"}


def test_recordings_that_no_part_uses_are_no_data(tiny: MakeRecipe, tmp_path: Path) -> None:
    experiment = prepare(tiny(*BARE), tmp_path)
    left = experiment.split.test[0]
    fewer = dataclasses.replace(
        experiment,
        split=dataclasses.replace(experiment.split, test=experiment.split.test[1:], validation=("a1_s2_t2",)),
    )
    assert set(experiment.data_rows) == set(experiment.recordings)
    assert set(fewer.data_rows) == set(experiment.recordings) - {left}
    assert fewer.data_hash != experiment.data_hash


def test_what_a_training_learns_from(tiny: MakeRecipe, tmp_path: Path) -> None:
    experiment = prepare(tiny("labels.trials=[1]", "distiller=none"), tmp_path)
    part = experiment.training_split(experiment.recipe.student.training)
    learned = experiment.learned()
    assert (learned.train, learned.subjects) == (part.train, ("1",))
    assert learned.labels == tuple(sorted([i for i in part.train if i.endswith("_t1")] + list(part.validation)))
    assert learned.contents == experiment.inputs.fingerprints(part.train) and len(learned.contents) >= 6
    assert experiment.labelled == {i for i in part.train if i.endswith("_t1")}
    assert experiment.unlabelled == {i for i in part.train if i.endswith("_t2")}


def test_a_validation_part_of_the_protocol_is_taken_as_it_is(tiny: MakeRecipe, tmp_path: Path) -> None:
    recipe = tiny("distiller=none")
    experiment = prepare(recipe, tmp_path)
    own = dataclasses.replace(experiment.split, validation=("a1_s2_t1",), test=experiment.split.test[1:])
    for words in ((), BARE):
        made = dataclasses.replace(experiment, split=own, recipe=recipe.updated(*words))
        assert made.training_split(made.recipe.student.training) == own


@pytest.mark.parametrize(
    ("people", "told"),
    [
        (["9"], "9 is nobody of the training part"),
        (["2"], "2 is nobody of the training part"),
        (["3", "9", "8"], "8, 9 is nobody of the training part"),
        (["1", "3"], "nobody would be left"),
    ],
)
def test_who_is_left_out_must_be_one_of_several(tiny: MakeRecipe, tmp_path: Path, people: list[str], told: str) -> None:
    experiment = prepare(tiny(*BARE, f"dataset.leave_out={people}"), tmp_path)
    with pytest.raises(RecipeError, match=rf"dataset\.leave_out: {told}\. Name some of: 1, 3"):
        experiment.training_split(experiment.recipe.student.training)


def test_of_who_is_left_out_nothing_is_trained_on(tiny: MakeRecipe, tmp_path: Path) -> None:
    experiment = prepare(tiny(*BARE, "dataset.leave_out=['3']"), tmp_path)
    split = experiment.training_split(experiment.recipe.student.training)
    assert split.train == tuple(i for i in experiment.split.train if "_s1_" in i) and len(split.train) == 6
    assert (split.validation, split.test) == (experiment.split.validation, experiment.split.test)
    assert len(experiment.split.train) == 12


def test_recordings_without_a_stream_are_counted_and_stay_in_the_pool(
    tiny: MakeRecipe, world: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Which recordings carry labels is chosen from all of them, so that a teacher that sees them chooses alike."""
    with caplog.at_level(logging.WARNING, logger="vskd"):
        prepare(tiny(*BARE, root=world), tmp_path)
        assert "are left out" not in caplog.text
        (world / "Inertial" / "a1_s1_t1_inertial.mat").unlink()
        experiment = prepare(tiny(*BARE, root=world), tmp_path)
    assert "1 of 24 recordings lack accelerometer and are left out" in caplog.text
    assert "a1_s1_t1" not in experiment.recordings and "a1_s1_t1" not in experiment.split.train
    assert sorted(r.id for r in experiment.pool) == sorted(["a1_s1_t1", *experiment.split.train])


@pytest.mark.parametrize("teachers", [False, True])
def test_what_lacks_another_stream_is_no_problem_of_one_alone(
    tiny: MakeRecipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, teachers: bool
) -> None:
    """What is not listed at all, or is corrupt, stays one."""
    entry = get_dataset("synthetic")
    problems = (
        Problem("unpaired", "a1_s1_t1", "a1", "no video"),
        Problem("unpaired", "a9_s9_t9", "a9", "no line in the list"),
        Problem("corrupt", "a1_s1_t1", "a1", "cut off"),
    )
    other = dataclasses.replace(entry, index=lambda root: dataclasses.replace(entry.index(root), problems=problems))
    monkeypatch.setattr("vskd.distillation.experiment.get_dataset", lambda _: other)
    recipe = tiny("dataset.max_bad_fraction=0.5") if teachers else tiny(*BARE, "dataset.max_bad_fraction=0.5")
    found = prepare(recipe, tmp_path, with_teachers=teachers).index.problems
    assert found == (problems if teachers else problems[1:])


def test_recordings_whose_sample_was_corrupt_are_named_and_the_others_keep_their_order(
    tiny: MakeRecipe, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    experiment = prepare(tiny(*BARE), tmp_path)
    with caplog.at_level(logging.WARNING, logger="vskd"):
        assert experiment.only(("b", "a"), frozenset("abc"), "clips") == ("b", "a")
        assert caplog.text == ""
        assert experiment.only(("d", "b", "e", "a"), frozenset("abc"), "clips") == ("b", "a")
    assert "2 recording(s) have no usable clips and are left out: d, e" in caplog.text


def camera_session(root: Path) -> Path:
    """Subjects 1 and 2 with labels, 3 without, subject 4 tests; two sensors, of which one may be a teacher's."""
    root.mkdir()
    for subject in range(1, 5):
        for trial, label in enumerate(("walk", "run", "walk", "run")):
            name = f"s{subject}_{'open' if subject == 3 else label}_t{trial}.csv"
            values = np.random.default_rng([subject, trial]).normal(0, 1 + (label == "run"), (100, 6))
            np.savetxt(root / name, values, delimiter=",")
    stream = "files: 's{subject}_{label}_t{trial}.csv', rate_hz: 50, unit: deg/s"
    (root / "dataset.yaml").write_text(
        "format: sensor-folder 1\nunlabelled: open\nstreams:\n"
        f"  accelerometer: {{{stream}, columns: [0, 1, 2]}}\n  gyroscope: {{{stream}, columns: [3, 4, 5]}}\n"
    )
    rule = "split_by: subject, disjoint: subject, validation_unit: subject"
    parts = "parts: {train: [1, 2, 3], test: [4]}"
    (root / "own.yaml").write_text(
        f"{{name: own, version: 1, dataset: sensor-folder, description: own, {rule}, {parts}}}"
    )
    return root


def test_whoever_is_tested_carries_no_label_in_training_where_the_recipe_says_so(
    tiny: MakeRecipe, tmp_path: Path
) -> None:
    rule = "split_by: subject-trial, disjoint: none, validation_unit: trial"
    folds = 'folds: {"1": [1-2], two: [2-2, 3-2]}'
    (tmp_path / "own.yaml").write_text(
        f"{{name: own, version: 1, dataset: synthetic, description: own, {rule}, {folds}}}"
    )
    own = (*BARE, f"dataset.protocol={tmp_path / 'own.yaml'}", "labels.untested_subjects=true")
    for fold, tested in [("1", {"1"}), ("two", {"2", "3"})]:
        experiment = prepare(tiny(*own, f"dataset.fold='{fold}'"), tmp_path / "cache")
        people = {i: r.subject for i, r in experiment.recordings.items()}
        assert {people[i] for i in experiment.unlabelled} == tested
        assert {people[i] for i in experiment.labelled} == set(people.values()) - tested
        assert experiment.facts()["labels"] == "untested subjects"


@pytest.mark.parametrize(("validation", "known"), [("none", {"1", "2"}), ("carve", {"1"})])
def test_what_nobody_labelled_trains_without_a_label_and_is_nowhere_else(
    validation: str, known: set[str], tmp_path: Path
) -> None:
    root = camera_session(tmp_path / "session")
    last = ("student.training.select=last",) if validation == "none" else ()
    recipe = load_recipe(
        "berkeley",
        ("dataset.name=sensor-folder", f"dataset.path={root}", f"dataset.protocol={root / 'own.yaml'}",
         f"student.training.validation={validation}", *last),
    )  # fmt: skip
    experiment = prepare(recipe, tmp_path / "cache")
    setting, people = experiment.setting, {i: r.subject for i, r in experiment.recordings.items()}
    assert {people[i] for i in setting.labelled} == known
    assert {people[i] for i in setting.unlabelled} == {"3"}
    assert {people[i] for i in (*setting.validation, *experiment.split.test)} == {"4"} | ({"1", "2"} - known)
    assert set(experiment.labels_of(tuple(setting.unlabelled))) == {UNLABELLED}
    assert UNLABELLED not in experiment.labels_of(tuple(setting.labelled))
    assert experiment.classes == 2 and experiment.data_hash
