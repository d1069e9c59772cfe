"""The engine end to end on the synthetic world: complete runs, exact repetition, exact resuming, and refusals."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import h5py
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from vskd.distillation import train
from vskd.distillation.distiller import new_distiller
from vskd.distillation.experiment import prepare
from vskd.distillation.fitting import TrainResult
from vskd.distillation.model import load_model
from vskd.distillation.ridge import fit_classifier
from vskd.distillation.run import RunFolder, default_cache
from vskd.distillation.teacher.outputs import CachedTeacher, OnlineTeacher
from vskd.distillation.train import distill, teach
from vskd.errors import CacheError, CheckpointError, DivergedError, ProtocolError, RecipeError, RunError
from vskd.files import sha256_file
from vskd.losses.term import TermContext
from vskd.models.weights.state import read_tensors, save_state
from vskd.preprocessing.stores.store_file import text
from vskd.recipe import Recipe, load_recipe, parse_recipe

MakeRecipe = Callable[..., Recipe]
DASK_TERMS = {"cross_entropy", "kd", "embedding_mse", "rkd_distance", "rkd_angle"}
ONE_EPOCH = ("student.training.epochs=1", "student.training.select=last")


def weights(run: Path) -> dict[str, Tensor]:
    return read_tensors(RunFolder(run).weights_file)[0]


def assert_same(one: dict[str, Tensor], other: dict[str, Tensor]) -> None:
    assert one.keys() == other.keys()
    different = [name for name in one if not torch.equal(one[name], other[name])]
    assert different == []


def differ(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return any(not torch.equal(one[name], other[name]) for name in one)


def never_train(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise AssertionError("trained, although nothing was to be trained")

    monkeypatch.setattr(train, "fit", fail)


def watched(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The tasks that are trained from now on, by their run's name."""
    tasks: list[Any] = []
    fit = train.fit

    def watch(task, folder, *rest):
        tasks.append(task)
        return fit(task, folder, *rest)

    monkeypatch.setattr(train, "fit", watch)
    return tasks


@pytest.fixture(scope="module")
def student_run(tiny: MakeRecipe, teacher_run: Path, shared_cache: Path, tmp_path_factory) -> Path:
    """A student of two epochs by dask. Read it, never change it."""
    return distill(tiny(), tmp_path_factory.mktemp("runs") / "student", [teacher_run], cache=shared_cache).run


def test_teacher_run_is_complete(teacher_run: Path, tiny: MakeRecipe) -> None:
    folder = RunFolder.open(teacher_run)
    assert folder.complete
    assert [row["epoch"] for row in folder.metrics()] == [0, 1]
    assert {"train/loss", "train/cross_entropy", "validation/accuracy"} <= folder.metrics()[0].keys()
    assert not folder.trainer_file.exists()
    assert folder.role == "teacher"
    assert folder.recipe() == tiny().of_teacher()
    assert folder.teacher_runs() == ()


def test_student_run_is_complete(student_run: Path, teacher_run: Path, tiny: MakeRecipe, shared_cache: Path) -> None:
    folder = RunFolder.open(student_run)
    assert folder.role == "student"
    assert folder.complete
    assert folder.recipe() == tiny()
    assert not folder.trainer_file.exists()
    assert folder.beside("cache") == shared_cache
    assert folder.teacher_runs() == (teacher_run,)
    training = folder.training()
    assert training["train"] == 6
    assert training["epochs"] == 2
    assert {i.split("_")[1] for i in training["validation"]} == {"s3"}
    assert (student_run / "run.log").read_text().count("epoch 2:") == 1


def test_every_loss_term_is_logged_and_they_sum_to_the_loss(student_run: Path) -> None:
    rows = [json.loads(line) for line in (student_run / "metrics.jsonl").read_text().splitlines()]
    assert len(rows) == 2
    for row in rows:
        terms = {k.removeprefix("train/"): v for k, v in row.items() if k.startswith("train/")}
        loss = terms.pop("loss")
        assert terms.keys() == DASK_TERMS
        assert loss == pytest.approx(sum(terms.values()), rel=1e-5)
        assert {
            "validation/accuracy",
            "validation/loss",
            "validation/macro_f1",
            "learning_rate",
            "seconds",
        } <= row.keys()


def test_kept_epoch_is_the_best_on_validation(student_run: Path) -> None:
    folder = RunFolder(student_run)
    rows = folder.metrics()
    best = max(rows, key=lambda row: (row["validation/accuracy"], -row["validation/loss"]))
    assert folder.training()["selected_epoch"] == best["epoch"]
    assert read_tensors(folder.weights_file)[1]["epoch"] == str(best["epoch"])


@pytest.mark.parametrize(("network", "seeds"), [("cnn1d", (0, 0, 1)), ("resnet18-small-stem", (0, 0))])
def test_same_seed_same_weights_other_seed_others(
    tiny: MakeRecipe, teacher_run: Path, shared_cache: Path, tmp_path: Path, network: str, seeds: tuple[int, ...]
) -> None:
    words = [*ONE_EPOCH, f"student.network={network}", "student.network.dropout=0.3"]
    if network != "cnn1d":
        words += ["student.sees.encoding=gasf+gadf", "student.sees.encoding.image_size=16"]
    first, again, *others = (
        distill(
            tiny(*words, f"seed={seed}", "teachers.0.seed=0"), tmp_path / str(number), [teacher_run], cache=shared_cache
        ).run
        for number, seed in enumerate(seeds)
    )
    assert_same(weights(first), weights(again))
    assert all(differ(weights(first), weights(other)) for other in others)


@pytest.fixture(scope="module")
def three_epochs(
    tiny: MakeRecipe, teacher_run: Path, shared_cache: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Recipe, TrainResult]:
    """A student that draws for its dropout, trained in one go."""
    recipe = tiny("student.training.epochs=3", "student.training.select=last", "student.network.dropout=0.3")
    return recipe, distill(recipe, tmp_path_factory.mktemp("runs") / "whole", [teacher_run], cache=shared_cache)


@pytest.mark.parametrize("epoch", [0, 1, 2])
def test_a_student_that_was_interrupted_ends_as_one_that_was_not(
    three_epochs: tuple[Recipe, TrainResult],
    teacher_run: Path,
    shared_cache: Path,
    tmp_path: Path,
    interrupt_after,
    epoch: int,
) -> None:
    """Also after the last epoch, where nothing is left to train."""
    recipe, whole = three_epochs
    broken = RunFolder(tmp_path / "broken")
    interrupt_after(epoch)
    with pytest.raises(KeyboardInterrupt):
        distill(recipe, broken.path, [teacher_run], cache=shared_cache)
    assert broken.trainer_file.is_file()
    assert not broken.complete
    resumed = distill(recipe, broken.path, [teacher_run], cache=shared_cache)
    assert broken.complete
    assert not broken.trainer_file.exists()
    assert_same(weights(whole.run), weights(resumed.run))
    assert resumed.epoch == whole.epoch == 2
    timeless = [
        [{k: v for k, v in row.items() if k != "seconds"} for row in RunFolder(run).metrics()]
        for run in (whole.run, resumed.run)
    ]
    assert [row["epoch"] for row in timeless[0]] == [0, 1, 2]
    assert timeless[0] == timeless[1]


def test_a_teacher_that_was_interrupted_ends_as_one_that_was_not(
    tiny: MakeRecipe, teacher_run: Path, shared_cache: Path, tmp_path: Path, interrupt_after
) -> None:
    """Its random frames and relations depend on the epoch's number."""
    interrupt_after(0)
    with pytest.raises(KeyboardInterrupt):
        teach(tiny(), tmp_path / "teacher", cache=shared_cache)
    teach(tiny(), tmp_path / "teacher", cache=shared_cache)
    assert_same(weights(teacher_run), weights(tmp_path / "teacher"))


def test_every_distiller_starts_from_the_same_student(
    tiny: MakeRecipe, teacher_run: Path, shared_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    starts: dict[str, dict[str, Tensor]] = {}
    fit = train.fit

    def watch(task, folder, *rest):
        starts[folder.path.name] = {k: v.clone() for k, v in task.model.state_dict().items()}
        return fit(task, folder, *rest)

    monkeypatch.setattr(train, "fit", watch)
    for name, teachers in (("dask", [teacher_run]), ("kd", [teacher_run]), ("none", [])):
        recipe = tiny(f"distiller={name}", "student.training.epochs=1")
        distill(recipe, tmp_path / name, teachers, cache=shared_cache)
    assert_same(starts["dask"], starts["none"])
    assert_same(starts["kd"], starts["none"])
    assert differ(weights(tmp_path / "dask"), weights(tmp_path / "none"))


def test_training_starts_from_the_weights_that_the_recipe_names(
    tiny: MakeRecipe, shared_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inputs = prepare(tiny(), shared_cache).inputs
    torch.manual_seed(99)
    trained = train.new_model(tiny().student, inputs, 3).network
    save_state(trained, tmp_path / "trained.safetensors", {})
    starts: list[dict[str, Tensor]] = []

    def keep(task, *_: object) -> None:
        starts.append({k: v.clone() for k, v in task.model.network.state_dict().items()})

    monkeypatch.setattr(train, "fit", keep)
    recipe = tiny("distiller=none", f"student.weights={tmp_path / 'trained.safetensors'}")
    distill(recipe, tmp_path / "run", cache=shared_cache)
    assert_same(starts[0], trained.state_dict())


def test_weights_are_on_record_and_others_are_noticed_on_resume(
    tiny: MakeRecipe, shared_cache: Path, tmp_path: Path, interrupt_after: Callable[[int], None]
) -> None:
    """Under the same name; a finished run needs its first weights no more."""
    first, run = tmp_path / "first.safetensors", tmp_path / "run"
    network = train.new_model(tiny().student, prepare(tiny(), shared_cache).inputs, 3).network
    save_state(network, first, {"network": "cnn1d", "origin": "public.pth", "origin_sha256": "ab"})
    recipe = tiny("distiller=none", f"student.weights={first}")
    interrupt_after(0)
    with pytest.raises(KeyboardInterrupt):
        distill(recipe, run, cache=shared_cache)
    facts = RunFolder(run).facts()
    assert facts["weights_hash"] == sha256_file(first)
    assert facts["weights"] == {
        "file": "first.safetensors",
        "network": "cnn1d",
        "origin": "public.pth",
        "origin_sha256": "ab",
    }
    kept = first.read_bytes()
    save_state(network, first, {"network": "cnn1d", "origin": "another.pth"})
    with pytest.raises(RunError, match=r"other weights or with another teacher \(different: weights_hash\)"):
        distill(recipe, run, cache=shared_cache)
    first.write_bytes(kept)
    distill(recipe, run, cache=shared_cache)
    first.unlink()
    distill(recipe, run, cache=shared_cache)
    assert RunFolder(run).facts()["weights_hash"] == facts["weights_hash"]


def test_without_a_distiller_no_teacher_is_trained(tiny: MakeRecipe, shared_cache: Path, tmp_path: Path) -> None:
    distill(tiny("distiller=none", "student.training.epochs=1"), tmp_path / "run", cache=shared_cache)
    assert [p.name for p in tmp_path.iterdir()] == ["run"]
    assert RunFolder(tmp_path / "run").teacher_runs() == ()


def test_a_twin_may_have_its_teacher_beside_it(
    tiny: MakeRecipe, teacher_run: Path, shared_cache: Path, tmp_path: Path
) -> None:
    """Then it learns from the same recordings; the teacher is not listened to."""
    twin = tiny("student.training.epochs=1").undistilled()
    distill(twin, tmp_path / "run", [teacher_run], cache=shared_cache)
    folder = RunFolder(tmp_path / "run")
    assert folder.teacher_runs() == (teacher_run,)
    assert {k for k in folder.metrics()[0] if k.startswith("train/")} == {"train/loss", "train/cross_entropy"}
    assert set(folder.facts()["data"]) == {"labels", "accelerometer", "rgb"}


def test_a_missing_teacher_is_trained_beside_the_run(
    tiny: MakeRecipe, teacher_run: Path, shared_cache: Path, tmp_path: Path
) -> None:
    distill(tiny("student.training.epochs=1"), tmp_path / "run", cache=shared_cache)
    assert_same(weights(tmp_path / "run-teacher"), weights(teacher_run))
    assert RunFolder(tmp_path / "run").teacher_runs() == (tmp_path / "run-teacher",)
    assert RunFolder(tmp_path / "run-teacher").role == "teacher"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["run", "run-teacher"]


def test_stores_lie_beside_the_run_unless_said_otherwise(
    tiny: MakeRecipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert default_cache(tmp_path / "run") == tmp_path / "cache"
    monkeypatch.setattr(train, "fit", lambda *_: None)
    distill(tiny("distiller=none"), tmp_path / "run")
    assert RunFolder(tmp_path / "run").beside("cache") == tmp_path / "cache"
    assert any((tmp_path / "cache").iterdir()) and RunFolder(tmp_path / "run").role == "student"


def test_a_finished_run_is_returned(
    tiny: MakeRecipe,
    teacher_run: Path,
    student_run: Path,
    shared_cache: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    never_train(monkeypatch)
    before = {p: p.read_bytes() for p in (student_run / "checkpoints").iterdir()}
    result = distill(tiny(), student_run, [teacher_run], cache=shared_cache)
    assert result.run == student_run
    assert result.figures["epoch"] == result.epoch
    assert {p: p.read_bytes() for p in (student_run / "checkpoints").iterdir()} == before
    assert teach(tiny(), teacher_run, cache=shared_cache).run == teacher_run


def test_another_recipe_in_the_same_folder_is_refused(
    tiny: MakeRecipe,
    teacher_run: Path,
    student_run: Path,
    shared_cache: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    never_train(monkeypatch)
    before = (student_run / "recipe.yaml").read_bytes()
    with pytest.raises(RunError, match=r"another recipe \(different: student\)"):
        distill(tiny("student.training.epochs=5"), student_run, [teacher_run], cache=shared_cache)
    with pytest.raises(RunError, match=r"another recipe \(different: seed\)"):
        teach(tiny("seed=1"), teacher_run, cache=shared_cache)
    assert (student_run / "recipe.yaml").read_bytes() == before


def test_another_teacher_in_the_same_folder_is_refused(
    tiny: MakeRecipe, student_run: Path, shared_cache: Path, tmp_path: Path
) -> None:
    other = teach(tiny("teachers.0.seed=5", "teachers.0.training.epochs=1"), tmp_path / "other", cache=shared_cache)
    with pytest.raises(RunError, match=r"another teacher \(different: teacher_hashes\)"):
        distill(tiny(), student_run, [other.run], cache=shared_cache)


def test_students_of_different_teachers_learn_what_their_own_says(
    tiny: MakeRecipe, teacher_run: Path, student_run: Path, shared_cache: Path, tmp_path: Path
) -> None:
    """Both caches lie in one folder."""
    other = teach(tiny("teachers.0.seed=5"), tmp_path / "other", cache=shared_cache).run
    run = distill(tiny(), tmp_path / "run", [other], cache=shared_cache).run
    first, second = (RunFolder(r).metrics()[0] for r in (student_run, run))
    assert first["train/kd"] != second["train/kd"]
    alone = distill(tiny(), tmp_path / "alone", [other], cache=tmp_path / "cache").run
    assert_same(weights(run), weights(alone))


def test_a_damaged_resume_state_is_named(
    tiny: MakeRecipe, teacher_run: Path, shared_cache: Path, tmp_path: Path, interrupt_after
) -> None:
    interrupt_after(0)
    with pytest.raises(KeyboardInterrupt):
        distill(tiny(), tmp_path / "run", [teacher_run], cache=shared_cache)
    state = RunFolder(tmp_path / "run").trainer_file
    for content in (b"", b"no checkpoint at all", state.read_bytes()[:-200]):
        state.write_bytes(content)
        with pytest.raises(CheckpointError, match=r"trainer\.ckpt") as caught:
            distill(tiny(), tmp_path / "run", [teacher_run], cache=shared_cache)
        assert str(state) in str(caught.value)
    state.unlink()
    distill(tiny(), tmp_path / "run", [teacher_run], cache=shared_cache)
    assert [row["epoch"] for row in RunFolder(tmp_path / "run").metrics()] == [0, 1]


def test_a_teacher_of_another_protocol_is_refused(
    tiny: MakeRecipe, teacher_run: Path, shared_cache: Path, tmp_path: Path
) -> None:
    """With leave-one-subject-out, the cross-subject teacher may have seen the subject that is tested."""
    recipe = tiny("dataset.protocol=leave-one-subject-out", "dataset.fold='1'")
    with pytest.raises(ProtocolError, match=r"cross-subject.*leave-one-subject-out"):
        distill(recipe, tmp_path / "run", [teacher_run], cache=shared_cache)
    assert not (tmp_path / "run").exists()


def test_a_teacher_of_another_fold_is_refused(tiny: MakeRecipe, shared_cache: Path, tmp_path: Path) -> None:
    words = ("dataset.protocol=leave-one-subject-out", "teachers.0.training.epochs=1")
    teacher = teach(tiny(*words, "dataset.fold='1'"), tmp_path / "teacher", cache=shared_cache).run
    with pytest.raises(ProtocolError, match="was trained on another split"):
        distill(tiny(*words, "dataset.fold='2'"), tmp_path / "run", [teacher], cache=shared_cache)


def test_a_teacher_serves_its_own_protocol_where_a_recording_lacks_its_sensor(
    tiny: MakeRecipe, synthetic_root: Path, tmp_path: Path
) -> None:
    """The teacher learns from a video that has no sensor file; the protocol, and so who is tested, is the same."""
    world = tmp_path / "world"
    shutil.copytree(synthetic_root, world)
    (world / "Inertial" / "a1_s1_t1_inertial.mat").unlink()
    words = ("dataset.max_bad_fraction=0.1", "student.training.epochs=1", "teachers.0.training.epochs=1")
    result = distill(tiny(*words, root=world), tmp_path / "run", cache=tmp_path / "cache")
    assert RunFolder(result.run).training()["train"] == 5
    assert RunFolder(tmp_path / "run-teacher").training()["train"] == 6


def test_an_unfinished_teacher_is_refused(
    tiny: MakeRecipe, shared_cache: Path, tmp_path: Path, interrupt_after
) -> None:
    interrupt_after(0)
    with pytest.raises(KeyboardInterrupt):
        teach(tiny(), tmp_path / "teacher", cache=shared_cache)
    with pytest.raises(RunError, match="has not finished"):
        distill(tiny(), tmp_path / "run", [tmp_path / "teacher"], cache=shared_cache)


@pytest.mark.parametrize("count", [2, 3])
def test_more_runs_than_teachers_are_refused(
    tiny: MakeRecipe, teacher_run: Path, shared_cache: Path, tmp_path: Path, count: int
) -> None:
    with pytest.raises(RunError, match=rf"has 1 teacher\(s\), but {count} run\(s\) are given"):
        distill(tiny(), tmp_path / "run", [teacher_run] * count, cache=shared_cache)
    assert not (tmp_path / "run").exists()


def test_a_finished_model_is_what_was_trained(
    tiny: MakeRecipe, student_run: Path, teacher_run: Path, shared_cache: Path
) -> None:
    experiment = prepare(tiny(), shared_cache, with_teachers=True)
    clips = experiment.of_teacher(tiny().of_teacher()).inputs
    for run, inputs in ((student_run, experiment.inputs), (teacher_run, clips)):
        model = load_model(run, inputs, 3)
        assert not model.training
        assert_same(model.state_dict(), weights(run))


def with_teachers(recipe: Recipe, *teachers: dict[str, Any]) -> Recipe:
    return parse_recipe({**recipe.model_dump(mode="json"), "teachers": list(teachers)}, "test")


def test_a_teacher_may_have_learned_from_a_teacher_itself(
    tiny: MakeRecipe, teacher_run: Path, shared_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A teacher assistant (Mirzadeh et al., AAAI 2020): video network -> wide wrist network -> small one."""
    wide = tiny(*ONE_EPOCH, "student.network.embedding_size=20")
    assistant = distill(wide, tmp_path / "assistant", [teacher_run], cache=shared_cache).run
    role = wide.student.model_dump(mode="json")
    recipe = with_teachers(tiny(*ONE_EPOCH, "student.sees.augmentation.jitter=0.1"), role)
    tasks = watched(monkeypatch)
    run = distill(recipe, tmp_path / "run", [assistant], cache=shared_cache).run
    folder = RunFolder(run)
    assert folder.teacher_runs() == (assistant,)
    assert RunFolder(assistant).teacher_runs() == (teacher_run,)
    assert folder.metrics()[0].keys() >= {f"train/{term}" for term in DASK_TERMS}
    (source,) = tasks[0]._teacher
    assert isinstance(source, OnlineTeacher)  # both see the same windows, which are changed at random
    experiment = prepare(recipe, shared_cache, with_teachers=True)
    (batch,) = experiment.inputs.batches(experiment.split.test[:4], batch_size=4)
    expected = load_model(assistant, experiment.inputs, 3)(batch.inputs)
    torch.testing.assert_close(source.outputs(batch)[0].logits, expected.logits.detach())


def test_two_teachers_are_trained_and_fused(
    tiny: MakeRecipe, teacher_run: Path, shared_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A video teacher, cached, and a gyroscope teacher, in the recipe's order; the twin of one of them is another."""
    video = tiny().teachers[0].model_dump(mode="json")
    wrist = tiny(*ONE_EPOCH, "student.sees.streams=[gyroscope]").student.model_dump(mode="json")
    recipe = with_teachers(tiny(*ONE_EPOCH), video, {**wrist, "seed": 4})
    tasks = watched(monkeypatch)
    run = distill(recipe, tmp_path / "run", cache=shared_cache).run
    runs = (tmp_path / "run-teacher", tmp_path / "run-teacher-1")
    assert RunFolder(run).teacher_runs() == runs
    assert_same(weights(runs[0]), weights(teacher_run))
    assert RunFolder(runs[1]).recipe().seed == 4
    assert RunFolder(runs[1]).recipe().student.sees.streams == ("gyroscope",)
    (source,) = tasks[-1]._teacher
    assert source.shapes == {"logits": (3,), "embedding": (16 + 12,)}
    again = distill(recipe, tmp_path / "again", runs, cache=shared_cache).run
    assert_same(weights(run), weights(again))
    with pytest.raises(RunError, match=r"has 2 teacher\(s\), but 1 run\(s\) are given"):
        distill(recipe, tmp_path / "other", runs[:1], cache=shared_cache)


HINT = "distiller={terms: [{loss: cross_entropy}, {loss: fitnets_hint, student_layer: %s, teacher_layer: %s}]}"
PHOTO = (
    *("student.network=resnet18-small-stem", "student.sees.encoding=gasf", "student.sees.encoding.image_size=16"),
    *ONE_EPOCH,
)


def photo_teacher(tiny: MakeRecipe, *overrides: str) -> Recipe:
    """Student and teacher are networks of images that see the same windows as GAF images."""
    teacher = tiny(*PHOTO, "student.network.dropout=0.1").student.model_dump(mode="json")
    student = tiny(*PHOTO, "distiller=kd")
    return with_teachers(student, teacher).updated(*overrides)


@pytest.fixture(scope="module")
def photo_run(tiny: MakeRecipe, shared_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The teacher of `photo_teacher`. Read it, never change it."""
    return teach(photo_teacher(tiny), tmp_path_factory.mktemp("runs") / "photo", cache=shared_cache).run


@pytest.mark.parametrize(("outputs", "kind"), [("online", OnlineTeacher), ("cached", CachedTeacher)])
def test_any_layer_of_both_networks_can_be_compared(
    tiny: MakeRecipe,
    photo_run: Path,
    shared_cache: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    outputs: str,
    kind: type,
) -> None:
    """By its module path, end to end; the value of the first step is that of the layers themselves."""
    layers = ("body.layer1.0.conv1", "body.layer2.1.bn2")
    recipe = photo_teacher(tiny, HINT % layers, f"distiller.teacher_outputs={outputs}")
    run = tmp_path / "run"
    tasks = watched(monkeypatch)
    distill(recipe, run, [photo_run], cache=shared_cache)
    (row,) = RunFolder(run).metrics()
    assert row["train/loss"] == pytest.approx(row["train/cross_entropy"] + row["train/fitnets_hint"], rel=1e-5)
    task = tasks[-1]
    (source,) = task._teacher
    assert isinstance(source, kind)
    assert source.shapes[layers[1]] == (128, 4, 4)
    experiment = prepare(recipe, shared_cache, with_teachers=True)
    (batch,) = experiment.inputs.batches(experiment.split.train[:4], batch_size=4)
    teacher = load_model(photo_run, experiment.inputs, 3)
    seen: list[Tensor] = []
    teacher.network.get_submodule(layers[1]).register_forward_hook(lambda *a: seen.append(a[2].detach().clone()))
    teacher(batch.inputs)
    torch.testing.assert_close(source.outputs(batch)[0].features[layers[1]], seen[0], rtol=1e-4, atol=1e-5)


def test_a_layer_that_is_not_there_is_refused_before_the_training(
    tiny: MakeRecipe, photo_run: Path, shared_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = photo_teacher(tiny)
    never_train(monkeypatch)
    for layers, needle in (
        (("body.layer9", "body.layer1"), "the student does not fit: There is no layer 'body.layer9' in ResNet18"),
        (("body.layer1", "body.layer9"), "the teacher does not fit: There is no layer 'body.layer9'"),
        (("embedding", "body.layer1"), "compares feature maps, but the student's layer 'embedding' has shape"),
    ):
        recipe = good.updated(HINT % layers)
        with pytest.raises(RecipeError, match=needle):
            distill(recipe, tmp_path / "run", [photo_run], cache=shared_cache)


def test_features_are_stated_and_refused_by_their_size_before_the_teacher_is_asked(
    tiny: MakeRecipe,
    photo_run: Path,
    shared_cache: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    layers = ("body.layer1", "body.layer1.1.conv2")  # no other test stores these
    recipe = photo_teacher(tiny, HINT % layers, "distiller.teacher_outputs=cached")
    size = 24 * 64 * 8 * 8 * 4
    monkeypatch.setattr("vskd.distillation.teacher.cache.LARGEST_BYTES", size - 1)
    with pytest.raises(CacheError, match=r"body\.layer1\.1\.conv2 64x8x8 of 24 samples.*teacher_outputs: online"):
        distill(recipe, tmp_path / "run", [photo_run], cache=shared_cache)
    assert not (tmp_path / "run").exists()
    monkeypatch.setattr("vskd.distillation.teacher.cache.LARGEST_BYTES", size)
    monkeypatch.setattr("vskd.distillation.teacher.cache.STATED_BYTES", size - 1)
    with caplog.at_level("WARNING", logger="vskd"):
        distill(recipe, tmp_path / "run", [photo_run], cache=shared_cache)
    assert "GiB of features (body.layer1.1.conv2 64x8x8)" in caplog.text


def test_the_distiller_gets_what_the_recipe_says() -> None:
    words = ["distiller.terms.fitnets_hint.weight=0"]
    recipe = load_recipe("dangerous-driving", words)
    shapes = {"logits": (2,), "embedding": (8,), "deep": (8, 2, 2), "shallow": (4, 4, 4)}
    context = TermContext(shapes, shapes, 10, (6, 4), balanced=True, label_smoothing=0.2)
    made = new_distiller(recipe, context)
    assert list(made.weights.items()) == [
        ("cross_entropy", 0.3),
        ("kd", 0.7),
        ("deep_attention", 1.0),
        ("shallow_attention", 1.0),
    ]
    made.start_epoch(4)
    assert made.terms["kd"].loss.temperature == 3 + 0.5 * 4
    made.start_epoch(1000)
    assert made.terms["kd"].loss.temperature == 20
    assert made.terms["cross_entropy"].loss.class_weights.tolist() == pytest.approx([10 / 12, 10 / 8])
    with pytest.raises(RecipeError, match="distiller: Loss term 'deep_attention' compares the layer 'deep'"):
        new_distiller(recipe, TermContext({"logits": (2,)}, shapes, 10, (6, 4)))


def test_what_the_training_says_of_the_labels_reaches_the_distiller(
    tiny: MakeRecipe, synthetic_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Label smoothing, class weights by the counts of the training part, and the size of the training list."""
    world = Path(shutil.copytree(synthetic_root, tmp_path / "world"))
    for path in world.rglob("a1_s1_t1_*"):
        path.unlink()
    contexts: list[TermContext] = []
    monkeypatch.setattr(train, "new_distiller", lambda recipe, context: contexts.append(context))
    monkeypatch.setattr("vskd.distillation.task.DistillationTask", lambda *_, **__: None)
    monkeypatch.setattr(train, "fit", lambda *_: None)
    words = ["distiller=none", "student.training.label_smoothing=0.3", "student.training.class_weights=balanced"]
    distill(tiny(*words, "seed=8", root=world), tmp_path / "run", cache=tmp_path / "cache")
    (context,) = contexts
    assert (context.label_smoothing, context.balanced, context.seed) == (0.3, True, 8)
    assert (context.class_counts, context.samples) == ((1, 2, 2), 5)
    assert context.batch == 4
    assert context.student == {"logits": (3,), "embedding": (12,)}
    assert context.teacher == {}


@pytest.mark.parametrize("select", [("student.training.select=last", "student.training.validation=none"), ()])
def test_a_run_that_diverged_is_not_complete(tiny: MakeRecipe, shared_cache: Path, tmp_path: Path, select) -> None:
    settings = ("student.training.learning_rate=1e30", *select)
    recipe = tiny(*settings).undistilled()
    for _ in range(2):  # given again, it says the same
        with pytest.raises(DivergedError, match=rf"{tmp_path}/run: training diverged in epoch [12]: "):
            distill(recipe, tmp_path / "run", cache=shared_cache)
    folder = RunFolder(tmp_path / "run")
    assert not folder.complete and not folder.training_file.exists()
    if folder.weights_file.exists():  # of an epoch before
        assert all(torch.isfinite(tensor).all() for tensor in weights(folder.path).values())


def spoil_weights(run: Path) -> None:
    """One NaN in the weights, as an older vskd would have kept them."""
    RunFolder(run).sums.file.unlink()
    path = RunFolder(run).weights_file
    tensors = weights(run)
    next(t for t in tensors.values() if t.is_floating_point()).view(-1)[0] = torch.nan
    save_file(tensors, path)


def test_a_finished_run_of_nan_is_neither_finished_nor_taught_from(
    tiny: MakeRecipe, teacher_run: Path, student_run: Path, shared_cache: Path, tmp_path: Path
) -> None:
    shutil.copytree(teacher_run, tmp_path / "teacher")
    spoil_weights(tmp_path / "teacher")
    with pytest.raises(CheckpointError, match="holds NaN or infinity"):
        teach(tiny(), tmp_path / "teacher", cache=shared_cache)
    with pytest.raises(CheckpointError, match="holds NaN or infinity"):
        distill(tiny(), tmp_path / "student", [tmp_path / "teacher"], cache=shared_cache)
    assert not RunFolder(tmp_path / "student").complete


def spoil(path: Path) -> None:
    """Zeroes in the middle third, as after a power loss."""
    content = path.read_bytes()
    third = len(content) // 3
    path.unlink()
    path.write_bytes(content[:third] + bytes(third) + content[2 * third :])


def test_a_damaged_store_and_teacher_cache_are_named_and_made_again(
    tiny: MakeRecipe, student_run: Path, teacher_run: Path, shared_cache: Path, tmp_path: Path, caplog
) -> None:
    cache = tmp_path / "cache"
    shutil.copytree(shared_cache, cache)
    folder = RunFolder(student_run)
    inputs = prepare(tiny(), cache).inputs
    (teacher_cache,) = (path for path in cache.glob("teacher-*.h5") if key_of(path) == folder.facts()["teacher_hashes"])
    for path in (inputs.store_file, teacher_cache):
        spoil(path)
    with caplog.at_level("WARNING", logger="vskd"):
        again = distill(tiny(), tmp_path / "again", [teacher_run], cache=cache)
    assert_same(weights(student_run), weights(again.run))
    for path in (inputs.store_file, teacher_cache):
        assert any(str(path) in line and "made again" in line for line in caplog.messages)


def key_of(path: Path) -> list[str]:
    """The hash of the teacher whose outputs for all recordings, without features, a cache holds."""
    with h5py.File(path, "r") as file:
        return [text(file, "teacher_hash")] if "features" not in file and len(file["ids"]) == 24 else []


def test_damage_to_an_interrupted_run(
    tiny: MakeRecipe, student_run: Path, teacher_run: Path, shared_cache: Path, tmp_path: Path, interrupt_after
) -> None:
    """What it would go on from is refused; figures are in the checkpoint too, and written anew."""
    interrupt_after(0)
    with pytest.raises(KeyboardInterrupt):
        distill(tiny(), tmp_path / "begun", [teacher_run], cache=shared_cache)
    for name in ("checkpoints/trainer.ckpt", "checkpoints/model.safetensors"):
        copy = tmp_path / Path(name).stem
        shutil.copytree(tmp_path / "begun", copy)
        spoil(copy / name)
        with pytest.raises(CheckpointError, match=rf"{copy / name} is damaged.*run the command again"):
            distill(tiny(), copy, [teacher_run], cache=shared_cache)
    (tmp_path / "trainer" / "checkpoints" / "trainer.ckpt").unlink()
    (tmp_path / "begun" / "metrics.jsonl").write_bytes(b"")
    for run in (tmp_path / "trainer", tmp_path / "begun"):
        distill(tiny(), run, [teacher_run], cache=shared_cache)
        assert_same(weights(student_run), weights(run))
        assert [row["epoch"] for row in RunFolder(run).metrics()] == [0, 1]


def test_a_finished_run_that_lost_a_file_is_not_trained_again(
    tiny: MakeRecipe, student_run: Path, teacher_run: Path, shared_cache: Path, tmp_path: Path, monkeypatch
) -> None:
    shutil.copytree(student_run, tmp_path / "copy")
    (tmp_path / "copy" / "training.json").unlink()
    monkeypatch.setattr(train, "DataOnce", never_train)
    with pytest.raises(CheckpointError, match=r"copy/training\.json changed or was damaged"):
        distill(tiny(), tmp_path / "copy", [teacher_run], cache=shared_cache)


def test_a_damaged_finished_run_is_refused_before_anything_is_done(
    tiny: MakeRecipe, student_run: Path, teacher_run: Path, shared_cache: Path, tmp_path: Path, monkeypatch
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(student_run, copy)
    content = bytearray((copy / "checkpoints" / "model.safetensors").read_bytes())
    content[-5] ^= 1
    (copy / "checkpoints" / "model.safetensors").write_bytes(content)
    monkeypatch.setattr(train, "DataOnce", never_train)
    for use in (
        lambda: distill(tiny(), copy, [teacher_run], cache=shared_cache),
        lambda: load_model(copy, None, 3),  # type: ignore[arg-type]
    ):
        with pytest.raises(CheckpointError, match=rf"{copy / 'checkpoints/model.safetensors'} changed or was damaged"):
            use()


def test_the_recipe_fixes_the_threads_and_the_number_is_put_back(
    tiny: MakeRecipe, shared_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    monkeypatch.setattr(train, "fit", lambda *_: seen.append(torch.get_num_threads()))
    before = torch.get_num_threads()
    for name, threads in (("two", "2"), ("three", "3"), ("machine", "null")):
        distill(tiny("distiller=none", f"threads={threads}"), tmp_path / name, cache=shared_cache)
        assert torch.get_num_threads() == before
    assert seen == [2, 3, before]
    facts = [RunFolder(tmp_path / name).facts()["torch_threads"] for name in ("two", "three", "machine")]
    assert facts == seen


@pytest.mark.parametrize("name", ["vskd", "krca", "krca-convnext", "krca-long", "dangerous-driving"])
def test_recipes_that_publish_fix_the_threads(name: str) -> None:
    recipe = load_recipe(name)
    assert recipe.threads == recipe.of_teacher().threads == recipe.undistilled().threads == 1


def test_batches_of_one_sample_are_refused_before_the_folder_is_claimed(
    tiny: MakeRecipe, shared_cache: Path, tmp_path: Path
) -> None:
    recipe = tiny("distiller=none", "student.training.batch_size=1")
    with pytest.raises(RecipeError, match=r"training\.batch_size: of \d+ .*Set training\.batch_size to 4"):
        distill(recipe, tmp_path / "run", cache=shared_cache)
    assert not RunFolder(tmp_path / "run").recipe_file.exists()


def test_who_waits_for_the_teachers_is_told_before_the_student_is_trained(
    tiny: MakeRecipe, teacher_run: Path, student_run: Path, shared_cache: Path, tmp_path: Path, monkeypatch
) -> None:
    """Not of a finished run, nor where there are no teachers."""
    told: list[Any] = []
    monkeypatch.setattr(train, "fit", lambda *_: told.append("trained"))
    distill(tiny(), tmp_path / "run", [teacher_run], cache=shared_cache, ready=told.append)
    assert told == [[teacher_run], "trained"]
    distill(tiny("distiller=none"), tmp_path / "alone", cache=shared_cache, ready=told.append)
    assert told[2:] == ["trained"]
    distill(tiny(), student_run, [teacher_run], cache=shared_cache, ready=told.append)
    assert len(told) == 3


def test_the_context_of_a_guided_student_is_of_both_networks(
    tiny: MakeRecipe, teacher_run: Path, shared_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    contexts: list[TermContext] = []
    monkeypatch.setattr(train, "new_distiller", lambda recipe, context: contexts.append(context))
    monkeypatch.setattr("vskd.distillation.task.DistillationTask", lambda *_, **__: None)
    monkeypatch.setattr(train, "fit", lambda *_: None)
    recipe = tiny(
        "student.training.batch_size=5", "student.training.label_smoothing=0.1", "seed=3", "teachers.0.seed=0"
    )
    distill(recipe, tmp_path / "run", [teacher_run], cache=shared_cache)
    shapes = {"logits": (3,), "embedding": (12,)}, {"logits": (3,), "embedding": (16,)}
    assert contexts == [TermContext(*shapes, 6, (2, 2, 2), False, 0.1, 3, 5)]
    assert RunFolder(tmp_path / "run").facts()["teachers_say"] == []


@pytest.mark.parametrize("weighting", ["fixed", "uncertainty"])
def test_the_weighting_of_the_recipe_reaches_the_distiller(tiny: MakeRecipe, weighting: str) -> None:
    shapes = {"logits": (3,), "embedding": (4,)}
    made = new_distiller(tiny("distiller=kd", f"distiller.weighting={weighting}"), TermContext(shapes, shapes))
    assert len(made.undecayed_parameters()) == (0 if weighting == "fixed" else 2)


@pytest.mark.parametrize(("cross_fit", "untrained", "folded"), [
    ("subject", False, True), ("subject", True, False), (None, False, False)
])  # fmt: skip
def test_a_teacher_is_trained_once_more_without_each_subject_where_it_is_cross_fitted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cross_fit: str | None, untrained: bool, folded: bool
) -> None:
    """The second teacher is; the first has another setting."""
    trained: list[tuple[object, ...]] = []
    monkeypatch.setattr(train, "fold_subjects", lambda experiment, own: ("1", "3"))
    monkeypatch.setattr(train, "fold_recipe", lambda recipe, subject, path: (recipe, subject, path))
    monkeypatch.setattr(
        train, "distill", lambda recipe, run, *, cache, role, data: trained.append((recipe, run, cache, role, data))
    )
    monkeypatch.setattr(train, "finished_teacher", lambda experiment, run, *, admitted: (run.name, admitted))
    other = SimpleNamespace(cross_fit=None if cross_fit else "subject")
    recipe = SimpleNamespace(
        teachers=(other, SimpleNamespace(cross_fit=cross_fit)),
        distiller=SimpleNamespace(untrained=untrained),
        dataset=SimpleNamespace(path="DATA"),
    )
    teacher: Any = SimpleNamespace(folder=SimpleNamespace(path=tmp_path / "teacher", recipe=lambda: "its own"))
    student: Any = SimpleNamespace(recipe=recipe, cache=tmp_path / "stores")
    runs = {subject: tmp_path / f"teacher-without-{subject}" for subject in "13"} if folded else {}
    for look in (None, train.DataOnce()):  # of a student that is finished, whose teachers were admitted
        trained.clear()
        found = train._folds(student, 1, teacher, look)
        assert found == {subject: (run.name, look is not None) for subject, run in runs.items()}
        assert trained == [
            (("its own", subject, "DATA"), run, tmp_path / "stores", "teacher", look) for subject, run in runs.items()
        ]


def test_what_the_engine_offers() -> None:
    assert sorted(train.__all__) == ["TrainResult", "distill", "teach"]


def test_what_the_teachers_say_is_stamped_unless_all_say_it_of_the_unchanged_recordings(tmp_path: Path) -> None:
    (tmp_path / "weights").write_bytes(b"of a fold")
    fold = SimpleNamespace(folder=SimpleNamespace(weights_file=tmp_path / "weights"))
    sha256 = sha256_file(tmp_path / "weights")

    def said(*teachers: tuple[int, dict[str, Any]]) -> list[dict[str, Any]]:
        recipe = SimpleNamespace(teachers=[SimpleNamespace(views=views) for views, _ in teachers])
        return train._say(recipe, [folds for _, folds in teachers])["teachers_say"]  # type: ignore[arg-type]

    assert said() == said((1, {})) == said((1, {}), (1, {})) == []
    plain, viewed, fitted = (1, {}), (3, {}), (1, {"2": fold})
    told = {"views": 1, "folds": {}}, {"views": 3, "folds": {}}, {"views": 1, "folds": {"2": sha256}}
    assert said(plain, viewed) == [told[0], told[1]]
    assert said(fitted, plain) == [told[2], told[0]]


def test_ridge_regression_fits_the_classifier_of_the_run_and_nothing_else_changes(
    tiny: MakeRecipe, shared_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The weights of a run are those of one without it, but for the classifier, which is the regression's."""
    plain = ("distiller=none", "student.training.epochs=1", "student.training.validation=none")
    recipe = tiny(*plain, "student.training.select=last")
    distill(recipe, tmp_path / "trained", cache=shared_cache)
    tasks = watched(monkeypatch)
    distill(
        tiny(*plain, "student.training.select=last", "student.training.ridge=0.1"), tmp_path / "r", cache=shared_cache
    )
    trained, found = weights(tmp_path / "trained"), weights(tmp_path / "r")
    changed = {name for name in trained if not torch.equal(trained[name], found[name])}
    assert changed == {"network.classifier.weight", "network.classifier.bias"}
    (task,) = tasks
    classifier = task.model.network.classifier
    assert torch.equal(classifier.weight, found["network.classifier.weight"])
    experiment = prepare(recipe, shared_cache)
    ids = sorted(experiment.training_split(recipe.student.training).train)
    batches = experiment.inputs.batches(ids, batch_size=8)
    fit_classifier(task.model, classifier, batches, 0.1, recipe.student.training.label_smoothing)
    torch.testing.assert_close(classifier.weight, found["network.classifier.weight"], rtol=1e-3, atol=1e-3)


@pytest.fixture(scope="module")
def few_labels(tiny: MakeRecipe, shared_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Recipe, Path]:
    """A recipe with a quarter of the labels, and its teacher. Read it, never change it."""
    few = tiny("labels.fraction=0.25", "teachers.0.training.validation=none", "teachers.0.training.select=last")
    return few, teach(few, tmp_path_factory.mktemp("runs") / "few", cache=shared_cache).run


@pytest.mark.parametrize(
    ("words", "heard"),
    [
        (("distiller=kd",), "all"),
        (("distiller={terms: [{loss: cross_entropy}, {loss: rkd_angle}]}",), "labelled"),
        (("distiller=none",), "labelled"),
        (("distiller=kd", "distiller.confidence.share=0.5"), "shown"),
    ],
    ids=["soft targets", "embeddings alone", "no teacher", "the surest"],
)
def test_ridge_regression_counts_pairs_without_labels_where_the_teacher_names_their_class(
    few_labels: tuple[Recipe, Path],
    shared_cache: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    heard: str,
) -> None:
    """Those that the student is shown at all: with `confidence`, those of which the teacher is sure enough."""
    counted: list[tuple[frozenset[str], int]] = []

    def fitted(model: Any, classifier: Any, batches: Any, strength: float, smoothing: float, teacher: Any) -> int:
        shown = list(batches)
        counted.append((
            frozenset(i for batch in shown for i in batch.ids),
            fit_classifier(model, classifier, shown, strength, smoothing, teacher),
        ))  # fmt: skip
        return counted[-1][1]

    monkeypatch.setattr("vskd.distillation.callbacks.fit_classifier", fitted)
    few, teacher = few_labels
    plain = (*ONE_EPOCH, "student.training.validation=none", "student.training.ridge=0.1")
    recipe = few.updated(*plain, *words)
    distill(recipe, tmp_path / "run", [teacher], cache=shared_cache)
    ((ids, samples),) = counted
    experiment = prepare(recipe, shared_cache, with_teachers=True)
    labelled, pairs = experiment.labelled, experiment.unlabelled
    assert labelled < ids <= labelled | pairs or heard == "labelled"
    assert samples == {"labelled": len(labelled), "shown": len(ids), "all": len(labelled | pairs)}[heard]
    assert (len(ids) < len(labelled | pairs)) == (heard == "shown" or words == ("distiller=none",))


def test_ridge_regression_needs_a_classifier_of_one_layer(tiny: MakeRecipe, shared_cache: Path, tmp_path: Path) -> None:
    recipe = tiny(
        "distiller=none",
        "student.training.ridge=0.1",
        "student.sees.length=64",
        "student.sees.encoding=gasf",
        "student.network=squeezenet-1-0",
    )
    with pytest.raises(RecipeError, match=r"'squeezenet-1-0', which training.ridge is to fit, is not one linear layer"):
        distill(recipe, tmp_path / "run", cache=shared_cache)
    assert not (tmp_path / "run" / "recipe.yaml").exists()
