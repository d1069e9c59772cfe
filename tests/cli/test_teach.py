"""`vskd teach`: the words become the recipe and the arguments that the library gets; and a real run."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import TINY
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
    assert call["recipe"].teacher.training.epochs == 3
    assert call["recipe"].training == load_recipe("vskd-utd-mhad").training
    assert call["run"] == tmp_path / "T"


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
        *("checkpoints", "environment.json", "metrics.jsonl", "recipe.yaml", "run.log", "training.json")
    }
    before = (run / "checkpoints" / "teacher.safetensors").stat().st_mtime_ns
    assert vskd(*words).out == first.out
    assert (run / "checkpoints" / "teacher.safetensors").stat().st_mtime_ns == before
    other = vskd(*words, "--seed", "9")
    assert (other.code, other.out) == (1, "")
    assert "another recipe (different: seed)" in other.err


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
