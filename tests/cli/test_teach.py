"""`vskd teach`: the words become the recipe and the arguments that the library gets; and a real run."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import TINY
from vskd.distillation.run import RunFolder
from vskd.recipe import load_recipe

RESULT = ("RUN", 4, {"epoch": 4, "validation/accuracy": 0.875})


@pytest.fixture
def taught(record) -> list[dict[str, Any]]:
    import vskd.distillation.train as train

    return record(train, "teach", train.TrainResult(Path(RESULT[0]), *RESULT[1:]))


def test_epochs_of_teach_are_the_teachers(vskd, taught, tmp_path: Path) -> None:
    answer = vskd("teach", "--teacher", "trn", "--epochs", "3", "--out", tmp_path / "T")
    assert answer.code == 0, answer.err
    (call,) = taught
    assert call["recipe"].teachers[0].training.epochs == 3
    assert call["recipe"].student == load_recipe("vskd").student
    assert (call["run"], call["number"], call["cache"]) == (tmp_path / "T", 0, None)


def tiny_words(*overrides: str) -> list[str]:
    return [word for setting in (*TINY, *overrides) for word in ("--set", setting)]


def test_a_real_teacher(vskd, synthetic_root: Path, tmp_path: Path) -> None:
    """Trained once; the same command again reads what is there."""
    run = tmp_path / "TEACHER"
    words = ["teach", "--recipe", "demo", "--data", synthetic_root, *tiny_words(), "--out", run, "--json"]
    first = vskd(*words)
    assert first.code == 0, first.err
    content = json.loads(first.out)
    assert (content["run"], content["epoch"]) == (str(run), 0)
    assert content["figures"]["train/loss"] > 0
    assert {path.name for path in run.iterdir()} == {
        *("SHA256SUMS", "checkpoints", "data.json", "environment.json", "learned.json", "metrics.jsonl"),
        *("recipe.yaml", "run.log", "training.json"),
    }
    assert RunFolder.open(run).role == "teacher"
    before = (run / "checkpoints" / "model.safetensors").stat().st_mtime_ns
    assert vskd(*words).out == first.out
    assert (run / "checkpoints" / "model.safetensors").stat().st_mtime_ns == before
    other = vskd(*words, "--seed", "9")
    assert (other.code, other.out) == (1, "")
    assert "another recipe (different: seed)" in other.err


def test_the_number_of_a_teacher(vskd, taught, synthetic_root: Path, tmp_path: Path) -> None:
    one = "{sees: {modality: skeleton}, network: cnn1d}"
    (tmp_path / "two.yaml").write_text(f"extends: wrist\nteachers: [{one}, {one}]\n")
    answer = vskd("teach", "--recipe", tmp_path / "two.yaml", "--number", "1", "--out", tmp_path / "T")
    assert answer.code == 0, answer.err
    assert taught[0]["number"] == 1
    below = vskd("teach", "--number", "-1", "--out", tmp_path / "T")
    assert below.code == 2 and "--number" in below.err


def test_a_teacher_that_the_recipe_lacks(vskd, synthetic_root: Path, tmp_path: Path) -> None:
    words = ["teach", "--recipe", "demo", "--data", synthetic_root, "--number", 1, *tiny_words()]
    answer = vskd(*words, "--out", tmp_path / "T")
    assert (answer.code, answer.out) == (1, "")
    assert "Recipe demo has 1 teacher(s); there is no number 1" in answer.err and answer.err.count("\n") == 1
    assert not (tmp_path / "T").exists()


def test_a_video_that_is_not_there(vskd, synthetic_root: Path, tmp_path: Path) -> None:
    words = ["teach", "--recipe", "demo", "--data", synthetic_root, "--video", "depth", *tiny_words()]
    answer = vskd(*words, "--out", tmp_path / "T")
    assert (answer.code, answer.out) == (1, "")
    assert "depth" in answer.err and answer.err.count("\n") == 1
    assert not (tmp_path / "T").exists()


@pytest.mark.parametrize("option", ["--student", "--distiller", "--sensor", "--teacher-run"])
def test_options_of_a_student_are_unknown(vskd, taught, tmp_path: Path, option: str) -> None:
    answer = vskd("teach", option, "x", "--out", tmp_path / "T")
    assert answer.code == 2
    assert option in answer.err and "vskd teach --help" in answer.err
    assert taught == []


def test_every_option_reaches_the_library(vskd, taught, tmp_path: Path) -> None:
    words = ["--recipe", "demo", "--teacher", "resnet18", "--video", "rgb", "--dataset", "synthetic", "--fold", "3"]
    more = ["--protocol", "leave-one-subject-out", "--labels", "trials=2", "--seed", 7, "--data", tmp_path]
    answer = vskd("teach", *words, *more, "--cache", tmp_path / "C", "--out", tmp_path / "T", "--json")
    assert answer.code == 0, answer.err
    (call,) = taught
    recipe = call["recipe"]
    assert (call["run"], call["number"], call["cache"]) == (tmp_path / "T", 0, tmp_path / "C")
    assert (recipe.name, recipe.seed, recipe.labels.trials) == ("demo", 7, ("2",))
    assert (recipe.teachers[0].network.name, recipe.teachers[0].sees.streams) == ("resnet18", ("rgb",))
    data = recipe.dataset
    assert (data.name, data.protocol, data.fold, data.path) == (
        *("synthetic", "leave-one-subject-out", "3", str(tmp_path)),
    )
    assert json.loads(answer.out) == {"run": "RUN", "epoch": RESULT[1], "figures": RESULT[2]}
