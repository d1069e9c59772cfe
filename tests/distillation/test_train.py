"""The engine end to end on the synthetic world: complete runs, exact repetition, exact resuming, and refusals."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from vskd.distillation import fitting, networks, train
from vskd.distillation.callbacks import ResumePoint
from vskd.distillation.run import RunFolder
from vskd.distillation.train import distill, teach
from vskd.errors import CheckpointError, ProtocolError, RecipeError, RunError
from vskd.models.weights.state import read_tensors
from vskd.recipe import Recipe

MakeRecipe = Callable[..., Recipe]
DASK_TERMS = {"cross_entropy", "soft", "semantic", "distance", "angle"}


def weights(run: Path, kind: str = "student") -> dict[str, Tensor]:
    return read_tensors(RunFolder(run, kind).weights_file)[0]


def assert_same(one: dict[str, Tensor], other: dict[str, Tensor]) -> None:
    assert one.keys() == other.keys()
    different = [name for name in one if not torch.equal(one[name], other[name])]
    assert different == []


def differ(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return any(not torch.equal(one[name], other[name]) for name in one)


def interrupt_after(monkeypatch: pytest.MonkeyPatch, epoch: int) -> None:
    """Make training stop with Ctrl-C right after the state of `epoch` (from 0) was saved."""

    class Interrupting(ResumePoint):
        def __init__(self, path: Path) -> None:
            super().__init__(path, interval_s=0.0)

        def on_train_epoch_end(self, trainer, pl_module) -> None:
            super().on_train_epoch_end(trainer, pl_module)
            if trainer.current_epoch == epoch:
                raise KeyboardInterrupt

    monkeypatch.setattr(fitting, "ResumePoint", Interrupting)


def never_train(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise AssertionError("trained, although nothing was to be trained")

    monkeypatch.setattr(train, "fit", fail)


@pytest.fixture(scope="module")
def student_run(tiny: MakeRecipe, teacher_run: Path, shared_cache: Path, tmp_path_factory) -> Path:
    """A student of two epochs by dask. Read it, never change it."""
    return distill(tiny(), tmp_path_factory.mktemp("runs") / "student", teacher_run, cache=shared_cache).run


def test_teacher_run_is_complete(teacher_run: Path) -> None:
    folder = RunFolder(teacher_run, "teacher")
    assert folder.complete
    assert [row["epoch"] for row in folder.metrics()] == [0, 1]
    assert {"train/loss", "train/cross_entropy", "validation/accuracy"} <= folder.metrics()[0].keys()
    assert not folder.trainer_file.exists()
    assert folder.facts()["kind"] == "teacher"


def test_student_run_is_complete(student_run: Path, teacher_run: Path, tiny: MakeRecipe, shared_cache: Path) -> None:
    folder = RunFolder.open(student_run)
    assert folder.kind == "student"
    assert folder.complete
    assert folder.recipe() == tiny()
    assert not folder.trainer_file.exists()
    assert folder.beside("cache") == shared_cache
    assert folder.beside("teacher_run") == teacher_run
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
    folder = RunFolder(student_run, "student")
    rows = folder.metrics()
    best = max(rows, key=lambda row: (row["validation/accuracy"], -row["validation/loss"]))
    assert folder.training()["selected_epoch"] == best["epoch"]
    assert read_tensors(folder.weights_file)[1]["epoch"] == str(best["epoch"])


@pytest.mark.parametrize("network", ["cnn1d", "resnet18-small-stem"])
def test_same_seed_same_weights_other_seed_others(
    tiny: MakeRecipe, teacher_run: Path, shared_cache: Path, tmp_path: Path, network: str
) -> None:
    words = ["training.epochs=1", "training.select=last", f"student.network={network}"]
    if network != "cnn1d":
        words += ["encoding.method=gasf+gadf", "encoding.image_size=16"]
    seeds = {"a": 0, "b": 0, "c": 1}
    runs = {
        name: distill(
            tiny(*words, f"seed={seed}", "teacher.seed=0"), tmp_path / name, teacher_run, cache=shared_cache
        ).run
        for name, seed in seeds.items()
    }
    assert_same(weights(runs["a"]), weights(runs["b"]))
    assert differ(weights(runs["a"]), weights(runs["c"]))


@pytest.mark.parametrize("epoch", [0, 1, 2])
def test_a_student_that_was_interrupted_ends_as_one_that_was_not(
    tiny: MakeRecipe, teacher_run: Path, shared_cache: Path, tmp_path: Path, epoch: int
) -> None:
    """Also after the last epoch, where nothing is left to train."""
    recipe = tiny("training.epochs=3", "training.select=last", "student.dropout=0.3")
    whole = distill(recipe, tmp_path / "whole", teacher_run, cache=shared_cache)
    broken = RunFolder(tmp_path / "broken", "student")
    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        interrupt_after(patch, epoch)
        distill(recipe, broken.path, teacher_run, cache=shared_cache)
    assert broken.trainer_file.is_file()
    assert not broken.complete
    resumed = distill(recipe, broken.path, teacher_run, cache=shared_cache)
    assert broken.complete
    assert not broken.trainer_file.exists()
    assert_same(weights(whole.run), weights(resumed.run))
    assert resumed.epoch == whole.epoch == 2
    timeless = [
        [{k: v for k, v in row.items() if k != "seconds"} for row in RunFolder(run, "student").metrics()]
        for run in (whole.run, resumed.run)
    ]
    assert [row["epoch"] for row in timeless[0]] == [0, 1, 2]
    assert timeless[0] == timeless[1]


def test_a_teacher_that_was_interrupted_ends_as_one_that_was_not(
    tiny: MakeRecipe, teacher_run: Path, shared_cache: Path, tmp_path: Path
) -> None:
    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        interrupt_after(patch, 0)
        teach(tiny(), tmp_path / "teacher", cache=shared_cache)
    teach(tiny(), tmp_path / "teacher", cache=shared_cache)
    assert_same(weights(teacher_run, "teacher"), weights(tmp_path / "teacher", "teacher"))


def test_every_distiller_starts_from_the_same_student(
    tiny: MakeRecipe, teacher_run: Path, shared_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    starts: dict[str, dict[str, Tensor]] = {}
    fit = train.fit

    def watch(task, folder, *rest):
        starts[folder.path.name] = {k: v.clone() for k, v in task.network.state_dict().items()}
        return fit(task, folder, *rest)

    monkeypatch.setattr(train, "fit", watch)
    for name, teacher in (("dask", teacher_run), ("kd", teacher_run), ("none", None)):
        recipe = tiny(f"distiller.name={name}", "training.epochs=1")
        distill(recipe, tmp_path / name, teacher, cache=shared_cache)
    assert_same(starts["dask"], starts["none"])
    assert_same(starts["kd"], starts["none"])
    assert differ(weights(tmp_path / "dask"), weights(tmp_path / "none"))


def test_without_a_distiller_no_teacher_is_trained(tiny: MakeRecipe, shared_cache: Path, tmp_path: Path) -> None:
    distill(tiny("distiller.name=none", "training.epochs=1"), tmp_path / "run", cache=shared_cache)
    assert [p.name for p in tmp_path.iterdir()] == ["run"]
    assert "teacher_run" not in RunFolder(tmp_path / "run", "student").facts()


def test_a_missing_teacher_is_trained_beside_the_run(
    tiny: MakeRecipe, teacher_run: Path, shared_cache: Path, tmp_path: Path
) -> None:
    distill(tiny("training.epochs=1"), tmp_path / "run", cache=shared_cache)
    assert_same(weights(tmp_path / "run-teacher", "teacher"), weights(teacher_run, "teacher"))
    assert RunFolder(tmp_path / "run", "student").beside("teacher_run") == tmp_path / "run-teacher"


def test_a_finished_run_is_returned(
    tiny: MakeRecipe,
    teacher_run: Path,
    student_run: Path,
    shared_cache: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    never_train(monkeypatch)
    before = {p: p.read_bytes() for p in (student_run / "checkpoints").iterdir()}
    result = distill(tiny(), student_run, teacher_run, cache=shared_cache)
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
    with pytest.raises(RunError, match=r"another recipe \(different: training\)"):
        distill(tiny("training.epochs=5"), student_run, teacher_run, cache=shared_cache)
    with pytest.raises(RunError, match=r"another recipe \(different: seed\)"):
        teach(tiny("seed=1"), teacher_run, cache=shared_cache)
    assert (student_run / "recipe.yaml").read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"no checkpoint at all", "cut"])
def test_a_damaged_resume_state_is_named(
    tiny: MakeRecipe, teacher_run: Path, shared_cache: Path, tmp_path: Path, content: bytes | str
) -> None:
    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        interrupt_after(patch, 0)
        distill(tiny(), tmp_path / "run", teacher_run, cache=shared_cache)
    state = RunFolder(tmp_path / "run", "student").trainer_file
    state.write_bytes(state.read_bytes()[:-200] if isinstance(content, str) else content)
    with pytest.raises(CheckpointError, match=r"trainer\.ckpt") as caught:
        distill(tiny(), tmp_path / "run", teacher_run, cache=shared_cache)
    assert str(state) in str(caught.value)
    state.unlink()
    distill(tiny(), tmp_path / "run", teacher_run, cache=shared_cache)
    assert [row["epoch"] for row in RunFolder(tmp_path / "run", "student").metrics()] == [0, 1]


def test_a_teacher_of_another_protocol_is_refused(
    tiny: MakeRecipe, teacher_run: Path, shared_cache: Path, tmp_path: Path
) -> None:
    """With leave-one-subject-out, the cross-subject teacher may have seen the subject that is tested."""
    recipe = tiny("dataset.protocol=leave-one-subject-out", "dataset.fold='1'")
    with pytest.raises(ProtocolError, match=r"cross-subject.*leave-one-subject-out"):
        distill(recipe, tmp_path / "run", teacher_run, cache=shared_cache)
    assert not (tmp_path / "run").exists()


def test_a_teacher_serves_its_own_protocol_where_a_recording_lacks_its_sensor(
    tiny: MakeRecipe, synthetic_root: Path, tmp_path: Path
) -> None:
    """The teacher learns from a video that has no sensor file; the protocol, and so who is tested, is the same."""
    world = tmp_path / "world"
    shutil.copytree(synthetic_root, world)
    (world / "Inertial" / "a1_s1_t1_inertial.mat").unlink()
    recipe = tiny("dataset.max_bad_fraction=0.1", "training.epochs=1", "teacher.training.epochs=1", root=world)
    result = distill(recipe, tmp_path / "run", cache=tmp_path / "cache")
    assert RunFolder(result.run, "student").training()["train"] == 5
    assert RunFolder(tmp_path / "run-teacher", "teacher").training()["train"] == 6


def test_an_unfinished_teacher_is_refused(tiny: MakeRecipe, shared_cache: Path, tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        interrupt_after(patch, 0)
        teach(tiny(), tmp_path / "teacher", cache=shared_cache)
    with pytest.raises(RunError, match="has not finished"):
        distill(tiny(), tmp_path / "run", tmp_path / "teacher", cache=shared_cache)


def test_an_unknown_teacher_is_named(tiny: MakeRecipe) -> None:
    with pytest.raises(RecipeError, match="did you mean 'trn'"):
        networks.new_teacher(tiny("teacher.network=trm"), classes=3)


def test_load_student_and_teacher_give_what_was_trained(student_run: Path, teacher_run: Path) -> None:
    student, teacher = networks.load_student(student_run, 3, 3), networks.load_teacher(teacher_run, 3)
    assert not student.training
    assert not teacher.training
    assert_same(student.state_dict(), weights(student_run))
    assert_same(teacher.state_dict(), weights(teacher_run, "teacher"))
