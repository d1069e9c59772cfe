"""`vskd teach`, `distill`, `compare`: the words become the recipe and the arguments that the library gets."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from vskd.recipe import load_recipe

RESULT = ("RUN", 4, {"epoch": 4, "validation/accuracy": 0.875})


@pytest.fixture
def taught(record) -> list[dict[str, Any]]:
    import vskd.distillation.train as train

    return record(train, "teach", train.TrainResult(Path(RESULT[0]), *RESULT[1:]))


@pytest.fixture
def distilled(record) -> list[dict[str, Any]]:
    import vskd.distillation.train as train

    return record(train, "distill", train.TrainResult(Path(RESULT[0]), *RESULT[1:]))


@pytest.fixture
def compared(record) -> list[dict[str, Any]]:
    import vskd.evaluation.compare as comparing

    return record(comparing, "compare", SimpleNamespace(model_dump=lambda mode: {"rows": []}))


def test_distill_with_plain_options_alone(vskd, distilled, tmp_path: Path) -> None:
    """The call that the README shows."""
    answer = vskd(
        *["distill", "--teacher", "trn", "--student", "resnet18", "--data", tmp_path],
        *["--protocol", "cross-subject", "--out", tmp_path / "RUN"],
    )
    assert answer.code == 0, answer.err
    (call,) = distilled
    assert call["recipe"] == load_recipe("vskd-utd-mhad").updated(f"dataset.path={tmp_path}")
    assert (call["run"], call["teacher_run"], call["cache"]) == (tmp_path / "RUN", None, None)
    assert answer.out.splitlines()[:2] == ["run                  RUN", "epoch kept           5"]
    assert "0.875" in answer.out


def test_distill_passes_every_option_on(vskd, distilled, tmp_path: Path) -> None:
    words = [
        "--distiller",
        "none",
        "--seed",
        "4",
        "--epochs",
        "6",
        "--fold",
        "s2",
        "--sensor",
        "gyroscope",
        "--video",
        "rgb",
    ]
    files = ["--teacher-run", tmp_path / "T", "--cache", tmp_path / "C", "--out", tmp_path / "R"]
    answer = vskd("distill", *words, *files, "--set", "distiller.temperature=2", "--json")
    assert answer.code == 0, answer.err
    assert json.loads(answer.out) == {"run": "RUN", "epoch": 4, "figures": {"epoch": 4, "validation/accuracy": 0.875}}
    (call,) = distilled
    recipe = call["recipe"]
    assert (recipe.distiller.name, recipe.seed, recipe.training.epochs) == ("none", 4, 6)
    assert (recipe.dataset.fold, recipe.dataset.sensor, recipe.dataset.video) == ("s2", "gyroscope", "rgb")
    assert recipe.distiller.temperature == 2
    assert (call["teacher_run"], call["cache"], call["run"]) == (tmp_path / "T", tmp_path / "C", tmp_path / "R")


def test_epochs_of_teach_are_the_teachers(vskd, taught, tmp_path: Path) -> None:
    answer = vskd("teach", "--teacher", "trn", "--epochs", "3", "--out", tmp_path / "T")
    assert answer.code == 0, answer.err
    (call,) = taught
    assert call["recipe"].teacher.training.epochs == 3
    assert call["recipe"].training == load_recipe("vskd-utd-mhad").training
    assert call["run"] == tmp_path / "T"


@pytest.mark.parametrize(
    ("text", "seeds"), [("0,1,2", (0, 1, 2)), ("3", (3,)), ("0-2", (0, 1, 2)), ("5, 0-1,0", (5, 0, 1))]
)
def test_compare_reads_seeds(vskd, compared, tmp_path: Path, text: str, seeds: tuple[int, ...]) -> None:
    answer = vskd("compare", "vskd-utd-mhad", "vskd-utd-mhad-no-kd", "--seeds", text, "--out", tmp_path, "--json")
    assert answer.code == 0, answer.err
    assert json.loads(answer.out) == {"rows": []}
    (call,) = compared
    assert call["seeds"] == seeds
    assert [recipe.name for recipe in call["recipes"]] == ["vskd-utd-mhad", "vskd-utd-mhad-no-kd"]
    assert (call["out"], call["after_run"]) == (tmp_path, None)


@pytest.mark.parametrize("text", ["", "a", "1-", "-1", "2-1", "1,,2", "0.5"])
def test_compare_refuses_what_is_no_seed(vskd, compared, tmp_path: Path, text: str) -> None:
    answer = vskd("compare", "vskd-utd-mhad", f"--seeds={text}", "--out", tmp_path)
    assert answer.code == 2
    assert "--seeds" in answer.err
    assert compared == []


def test_compare_gives_its_options_to_every_recipe(vskd, compared, tmp_path: Path) -> None:
    words = ["--data", tmp_path, "--epochs", "2", "--int8", "--json"]
    vskd("compare", "vskd-utd-mhad", "vskd-utd-mhad-no-kd", *words, "--out", tmp_path)
    (call,) = compared
    assert {(r.dataset.path, r.training.epochs) for r in call["recipes"]} == {(str(tmp_path), 2)}
    assert call["after_run"].__name__ == "export_and_evaluate"


def test_an_unknown_key_stops_before_anything_is_written(vskd, distilled, tmp_path: Path) -> None:
    answer = vskd("distill", "--set", "training.epoch=3", "--out", tmp_path / "RUN")
    assert answer.code == 1
    assert "did you mean 'epochs'" in answer.err
    assert distilled == []
    assert not (tmp_path / "RUN").exists()
