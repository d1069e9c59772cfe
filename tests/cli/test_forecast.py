"""`vskd forecast`: the folders reach the library, the answer is printed; and `vskd distill` says it too."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from vskd.evaluation.forecast import Forecast

FOUND = Forecast(
    verdict="will hurt",
    reason="it knows less",
    n=40,
    teacher_accuracy=0.5,
    student_accuracy=0.75,
    disagreement=0.4,
    teaches=0.2,
    only_teacher=2,
    only_student=12,
    p_value=0.0065,
    unlabelled=0.25,
)


@pytest.fixture
def foretold(record) -> list[dict[str, Any]]:
    import vskd.evaluation.forecast as forecasts

    return record(forecasts, "forecast_of_runs", FOUND)


def test_runs_reach_the_library(vskd, foretold, tmp_path: Path) -> None:
    answer = vskd("forecast", tmp_path / "T1", tmp_path / "T2", tmp_path / "S", "--json")
    assert answer.code == 0, answer.err
    assert Forecast.model_validate_json(answer.out) == FOUND
    (call,) = foretold
    assert (call["teacher_runs"], call["student_run"]) == ((tmp_path / "T1", tmp_path / "T2"), tmp_path / "S")


def test_the_answer_in_words(vskd, foretold, tmp_path: Path) -> None:
    lines = vskd("forecast", tmp_path / "T", tmp_path / "S").out.splitlines()
    assert lines[0].split(maxsplit=1) == ["forecast", "will hurt"]
    assert lines[1].split(maxsplit=1) == ["reason", "it knows less"]


def test_a_teacher_is_needed(vskd, foretold, tmp_path: Path) -> None:
    assert vskd("forecast", tmp_path / "S").code == 2
    assert foretold == []


def test_no_run_folder(vskd, tmp_path: Path) -> None:
    answer = vskd("forecast", tmp_path / "T", tmp_path / "S")
    assert (answer.code, answer.out) == (1, "")
    assert answer.err == f"error: There is no run folder {tmp_path / 'S'}. Name the folder given to --out.\n"
    for name in "ST":
        (tmp_path / name).mkdir()
    assert "is not a run folder" in vskd("forecast", tmp_path / "T", tmp_path / "S").err


def test_distill_says_it_before_and_after(vskd, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from vskd.distillation import train
    from vskd.evaluation import forecast as forecasts

    def trained(recipe, run, teacher_runs=(), *, cache=None, ready=None, data=None) -> train.TrainResult:
        ready([tmp_path / "T"])
        return train.TrainResult(run, 4, {"epoch": 4})

    monkeypatch.setattr(train, "distill", trained)
    monkeypatch.setattr(forecasts, "forecast_before", lambda recipe, run, teachers: FOUND)
    answer = vskd("distill", "--out", tmp_path / "R", "--data", tmp_path)
    assert answer.err == f"forecast: will hurt: it knows less\nnext: vskd evaluate {tmp_path / 'R'}\n"
    assert answer.out.splitlines()[-1].split(maxsplit=1) == ["forecast", "will hurt: it knows less"]
    content = json.loads(vskd("distill", "--out", tmp_path / "R", "--data", tmp_path, "--json").out)
    assert content["forecast"] == FOUND.model_dump(mode="json")
    monkeypatch.setattr(forecasts, "forecast_before", lambda recipe, run, teachers: None)
    assert "forecast" not in vskd("distill", "--out", tmp_path / "R", "--data", tmp_path).out


def test_every_figure_in_words(vskd, foretold, tmp_path: Path) -> None:
    lines = [re.split(r"  +", line) for line in vskd("forecast", tmp_path / "T", tmp_path / "S").out.splitlines()]
    assert lines == [
        ["forecast", "will hurt"],
        ["reason", "it knows less"],
        ["validation", "40 recordings"],
        ["teacher", "50.0 %"],
        ["student without it", "75.0 %"],
        ["answers differ", "40.0 %"],
        ["teacher alone right", "2"],
        ["student alone right", "12"],
        ["one-sided p", "0.0065"],
        ["without a label", "25 % of the training recordings"],
    ]
