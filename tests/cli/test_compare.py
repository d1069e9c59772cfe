"""`vskd compare`: seeds and recipes become the arguments that the library gets; and a finished comparison."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.conftest import TINY, TINY_STUDENT


@pytest.fixture
def compared(record) -> list[dict[str, Any]]:
    import vskd.study.compare as comparing

    return record(comparing, "compare", SimpleNamespace(model_dump=lambda mode: {"rows": []}))


@pytest.mark.parametrize(
    ("text", "seeds"), [("0,1,2", (0, 1, 2)), ("3", (3,)), ("0-2", (0, 1, 2)), ("5, 0-1,0", (5, 0, 1))]
)
def test_compare_reads_seeds(vskd, compared, tmp_path: Path, text: str, seeds: tuple[int, ...]) -> None:
    answer = vskd("compare", "vskd", "--controls", "none", "--seeds", text, "--out", tmp_path, "--json")
    assert answer.code == 0, answer.err
    assert json.loads(answer.out) == {"rows": []}
    (call,) = compared
    assert call["seeds"] == seeds
    assert [recipe.name for recipe in call["recipes"]] == ["vskd", "vskd-no-kd"]
    assert (call["out"], call["after_run"], call["workers"], call["teachers"]) == (tmp_path, None, 1, None)


@pytest.mark.parametrize("text", ["", "a", "1-", "-1", "2-1", "1,,2", "0.5"])
def test_compare_refuses_what_is_no_seed(vskd, compared, tmp_path: Path, text: str) -> None:
    answer = vskd("compare", "vskd", f"--seeds={text}", "--out", tmp_path)
    assert answer.code == 2
    assert "--seeds" in answer.err
    assert compared == []


def test_compare_gives_its_options_to_every_recipe(vskd, compared, tmp_path: Path) -> None:
    words = ["--data", tmp_path, "--epochs", "2", "--int8", "--json"]
    vskd("compare", "vskd", "krca", *words, "--controls", "none", "--out", tmp_path)
    (call,) = compared
    assert [r.name for r in call["recipes"]] == ["vskd", "vskd-no-kd", "krca", "krca-no-kd"]
    assert {(r.dataset.path, r.student.training.epochs) for r in call["recipes"]} == {(str(tmp_path), 2)}
    assert call["after_run"].__name__ == "export_and_evaluate"


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ([], ["vskd"]),
        (["--controls", ""], ["vskd"]),
        (["--controls", "none"], ["vskd", "vskd-no-kd"]),
        (["--controls", " none ,"], ["vskd", "vskd-no-kd"]),
    ],
)
def test_controls_are_asked_for(vskd, compared, tmp_path: Path, words: list[str], names: list[str]) -> None:
    assert vskd("compare", "vskd", *words, "--out", tmp_path, "--json").code == 0
    (call,) = compared
    assert [recipe.name for recipe in call["recipes"]] == names
    assert [recipe.distiller.title for recipe in call["recipes"]] == ["dask", "none"][: len(names)]


def test_a_control_that_does_not_exist_stops_before_anything_is_written(vskd, compared, tmp_path: Path) -> None:
    answer = vskd("compare", "vskd", "--controls", "nome", "--out", tmp_path / "out")
    assert (answer.code, answer.out) == (1, "")
    assert "There is no control 'nome'; did you mean 'none'?" in answer.err and answer.err.count("\n") == 1
    assert compared == [] and not (tmp_path / "out").exists()


def words_for(comparison) -> list[object]:
    """The call that made the finished comparison."""
    settings = [word for setting in TINY for word in ("--set", setting)]
    return ["compare", "demo", "--controls", "none", "--seeds", "0", "--int8", *settings, "--out", comparison.out]


def test_a_finished_comparison_is_printed_again_and_nothing_is_run(
    vskd, comparison_copy, synthetic_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vskd.evaluation.evaluate.predict_recordings", None)
    monkeypatch.setattr("vskd.export.evaluate.export_run", None)
    words = [*words_for(comparison_copy), "--data", synthetic_root]
    text, content = vskd(*words), vskd(*words, "--json")
    assert (text.code, content.code) == (0, 0), text.err + content.err
    assert text.out == (comparison_copy.out / "comparison.txt").read_text(encoding="utf-8")
    rows = {(row["recipe"], row["kind"]): row for row in json.loads(content.out)["rows"]}
    for key, run in {
        ("demo", "student"): comparison_copy.student,
        ("demo-no-kd", "bundle"): comparison_copy.no_kd / "int8",
        ("demo", "teacher"): comparison_copy.teacher,
    }.items():
        results = json.loads((run / "results.json").read_text(encoding="utf-8"))
        assert rows[key]["accuracy"]["mean"] == results["accuracy"]
        assert f"{100 * results['accuracy']:.1f}" in text.out


def test_two_protocols_never_share_a_table(vskd, comparison_copy, synthetic_root: Path, tmp_path: Path) -> None:
    """One recipe of the two asks for another protocol in its own file."""
    other = tmp_path / "other.yaml"
    content = "extends: demo\nname: other\ndistiller: none\ndataset: {protocol: subject-specific}\n"
    other.write_text(content, encoding="utf-8")
    before = (comparison_copy.out / "comparison.json").read_bytes()
    words = words_for(comparison_copy)
    words[2:4] = [other]
    answer = vskd(*words, *(word for setting in TINY_STUDENT for word in ("--set", setting)), "--data", synthetic_root)
    assert (answer.code, answer.out) == (1, "")
    assert "protocol" in answer.err.splitlines()[-1]
    assert (comparison_copy.out / "comparison.json").read_bytes() == before


def test_a_recipe_that_is_not_there_stops_before_anything_is_written(vskd, compared, tmp_path: Path) -> None:
    answer = vskd("compare", "demo", "dmo", "--out", tmp_path / "out")
    assert (answer.code, answer.out) == (1, "")
    assert "'dmo'" in answer.err and "demo" in answer.err
    assert compared == [] and not (tmp_path / "out").exists()


def test_every_control_is_named_in_the_help(vskd) -> None:
    from vskd.study.controls import CONTROLS

    help_text = " ".join(vskd("compare", "--help").out.split())
    described = help_text.split("Add each recipe's twins: ")[1].split("--data")[0].replace("- ", "-")
    assert all(f"{name} (" in described for name in CONTROLS)


def test_labels_and_controls_reach_every_recipe(vskd, compared, tmp_path: Path) -> None:
    words = ["--labels", "trials=1", "--controls", "none,permuted,all-labels", "--json"]
    answer = vskd("compare", "demo", *words, "--data", tmp_path, "--out", tmp_path)
    assert answer.code == 0, answer.err
    (call,) = compared
    assert {r.name: r.labels.title for r in call["recipes"]} == {
        "demo": "trial 1",
        "demo-no-kd": "trial 1",
        "demo-permuted": "trial 1",
        "demo-all-labels": "all",
    }


@pytest.mark.parametrize("command", ["teach", "distill"])
def test_labels_are_an_option_of_training(vskd, command: str) -> None:
    assert "--labels" in vskd(command, "--help").out


def test_workers_and_teachers_reach_the_library(vskd, compared, tmp_path: Path) -> None:
    vskd("compare", "demo", "--workers", "3", "--teachers", tmp_path / "T", "--out", tmp_path, "--json")
    (call,) = compared
    assert (call["workers"], call["teachers"]) == (3, tmp_path / "T")
    assert vskd("compare", "demo", "--workers", "0", "--out", tmp_path).code == 2


def test_workers_and_teachers_are_handed_on(vskd, compared, tmp_path: Path) -> None:
    words = ["compare", "demo", "--out", tmp_path, "--json"]
    assert vskd(*words, "--workers", 3, "--teachers", tmp_path / "shared").code == 0
    assert vskd(*words).code == 0
    assert [(call["workers"], call["teachers"]) for call in compared] == [(3, tmp_path / "shared"), (1, None)]


def test_a_curve_and_the_options_of_a_recipe_reach_the_library(vskd, compared, tmp_path: Path) -> None:
    words = ["--curve", "trials=1", "--curve", "all", "--controls", "none", "--seeds", "4"]
    data = ["--dataset", "synthetic", "--protocol", "leave-one-subject-out", "--fold", "2", "--set", "seed=9"]
    answer = vskd("compare", "demo", *words, *data, "--out", tmp_path, "--json")
    assert answer.code == 0, answer.err
    (call,) = compared
    assert {recipe.labels.title for recipe in call["recipes"]} == {"trial 1", "all"} and len(call["recipes"]) == 4
    for recipe in call["recipes"]:
        assert (recipe.dataset.name, recipe.dataset.protocol, recipe.dataset.fold) == (
            *("synthetic", "leave-one-subject-out", "2"),
        )
        assert recipe.seed == 9


def test_recipes_stay_in_the_order_in_which_they_were_named(vskd, compared, tmp_path: Path) -> None:
    assert vskd("compare", "wrist", "demo", "--seeds", "7-9,2", "--out", tmp_path, "--json").code == 0
    (call,) = compared
    assert [recipe.name for recipe in call["recipes"]] == ["wrist", "demo"] and call["seeds"] == (7, 8, 9, 2)


def test_news_are_said_beside_the_table(
    vskd, compared, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys
) -> None:
    """On stderr, so that the table can be redirected; the table ends as it ends."""
    monkeypatch.setattr("vskd.study.comparison_tables.to_text", lambda comparison: "the table\n")
    answer = vskd("compare", "demo", "--out", tmp_path)
    assert (answer.code, answer.out) == (0, "the table\n")
    compared[0]["say"]("it will help")
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "it will help\n")
