"""Which runs a table is of, in a folder that holds others, too."""

import json
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from vskd.errors import DataError
from vskd.evaluation.predictions import Predictions, write_csv
from vskd.evaluation.results import Results, write_results
from vskd.files import write_text
from vskd.study.comparison import compare
from vskd.study.comparison_schema import Comparison
from vskd.study.table_runs import run_recipe, table_runs

HASHES = dict.fromkeys(("protocol_hash", "split_hash", "data_hash"), "x")
WORDS = dict.fromkeys(("vskd", "python", "accelerator", "dataset", "protocol"), "x")
TEST, WHOLE = ("a1", "a2"), (0, 1)

Evaluated = Callable[..., tuple[str, int, Results, Predictions]]


@pytest.fixture
def evaluated(make_results) -> Evaluated:  # type: ignore[no-untyped-def]
    """Leaves what is read of an evaluated run of two classes; returns it as an item of a comparison."""

    def write(
        run: Path, recipe: str, *, ids: Sequence[str] = TEST, predicted: Sequence[int] = WHOLE, more: str = "",
        teachers: Sequence[Path] = (), fold: str | None = None, seed: int = 0, kind: str = "student",
        distiller: str = "kd",
    ) -> tuple[str, int, Results, Predictions]:  # fmt: skip
        answers = np.eye(2)[list(predicted)]
        rows = Predictions(tuple(ids), tuple(i[0] for i in ids), np.array(WHOLE), answers, ("no", "yes"))
        results = make_results(rows, recipe=recipe, fold=fold, seed=seed, kind=kind, split_hash=fold or "whole")
        results = results.model_copy(update={"distiller": distiller})
        write_csv(rows, run / "predictions.csv")
        write_results(results, run / "results.json")
        if kind != "bundle":
            write_text(run / "recipe.yaml", f"name: {recipe}\n{more}")
            facts = {
                "packages": {"torch": "x"},
                "teacher_runs": [os.path.relpath(teacher, run) for teacher in teachers],
            }
            write_text(run / "environment.json", json.dumps(WORDS | HASHES | facts))
        return recipe, seed, results, rows

    return write


def names(comparison: Path, table: Comparison) -> list[str]:
    return [run.name for run in table_runs(comparison, table).of_table]


def test_runs_of_other_recipes_and_seeds_and_their_teachers_are_left_out(evaluated: Evaluated, tmp_path: Path) -> None:
    own, strange = tmp_path / "teachers" / "0a-seed0", tmp_path / "teachers" / "0b-seed0"
    table = compare([
        evaluated(tmp_path / "runs" / "mine" / "seed0", "mine", teachers=[own]),
        evaluated(own, "mine", kind="teacher"),
    ])  # fmt: skip
    evaluated(tmp_path / "runs" / "mine" / "seed1", "mine", teachers=[own], seed=1)
    evaluated(tmp_path / "runs" / "other" / "seed0", "other", teachers=[strange])
    evaluated(strange, "other", kind="teacher")
    found = table_runs(tmp_path, table)
    assert [run.name for run in found.of_table] == ["mine-seed0", "teacher-of-mine-seed0"]
    assert [str(path.relative_to(tmp_path)) for path in found.left_out] == [
        *("runs/mine/seed1", "runs/other/seed0", "teachers/0b-seed0")
    ]


def test_further_results_of_a_run_are_of_no_row(evaluated: Evaluated, tmp_path: Path) -> None:
    """What was validated for a forecast, or an int8 model that the table does not have."""
    run = tmp_path / "runs" / "mine" / "seed0"
    table = compare([evaluated(run, "mine")])
    evaluated(run / "validation", "mine", ids=("b1", "b2"))
    item = evaluated(run / "int8", "mine", kind="bundle")
    found = table_runs(tmp_path, table)
    assert [run.name for run in found.of_table] == ["mine-seed0"]
    assert found.left_out == (run / "int8", run / "validation")
    with_int8 = compare([evaluated(run, "mine"), item])
    assert names(tmp_path, with_int8) == ["mine-seed0-int8", "mine-seed0"]


def of_folds(evaluated: Evaluated, tmp_path: Path, teachers: Path) -> list[tuple[str, int, Results, Predictions]]:
    """A recipe of two folds, with an int8 model and a teacher each."""
    items = []
    for fold, ids in (("a-1", ("a1", "a2")), ("b", ("b1", "b2"))):
        run, teacher = tmp_path / "runs" / "mine" / f"fold-{fold}" / "seed0", teachers / f"fold-{fold}" / "0f-seed0"
        items += [
            evaluated(run, "mine", ids=ids, fold=fold, teachers=[teacher]),
            evaluated(run / "int8", "mine", ids=ids, fold=fold, kind="bundle"),
            evaluated(teacher, "mine", ids=ids, fold=fold, kind="teacher"),
        ]
    return items


@pytest.mark.parametrize("teachers", ["c/teachers", "shared"])
def test_runs_of_folds_name_theirs_wherever_their_teachers_lie(
    evaluated: Evaluated, tmp_path: Path, teachers: str
) -> None:
    table = compare(of_folds(evaluated, tmp_path / "c", tmp_path / teachers))
    assert names(tmp_path / "c", table) == [
        *("mine-fold-a-1-seed0-int8", "mine-fold-a-1-seed0", "mine-fold-b-seed0-int8", "mine-fold-b-seed0"),
        *("teacher-of-mine-fold-a-1-seed0", "teacher-of-mine-fold-b-seed0"),
    ]
    evaluated(tmp_path / "c" / "runs" / "mine" / "seed0", "mine", fold="b", ids=("b1", "b2"))
    assert table_runs(tmp_path / "c", table).left_out == (tmp_path / "c" / "runs" / "mine" / "seed0",)


def test_one_fold_alone_has_no_folder_of_its_own(evaluated: Evaluated, tmp_path: Path) -> None:
    table = compare([evaluated(tmp_path / "runs" / "mine" / "seed0", "mine", fold="b")])
    assert names(tmp_path, table) == ["mine-seed0"]


def test_several_teachers_of_a_recipe_are_told_apart_whatever_their_folders_are_called(
    evaluated: Evaluated, tmp_path: Path
) -> None:
    """Folders are named by hashes, whose order differs between folds."""
    items = []
    for fold, ids, (first, second) in (("a", ("a1", "a2"), ("00", "ff")), ("b", ("b1", "b2"), ("ff", "00"))):
        folder = tmp_path / "teachers" / f"fold-{fold}"
        teachers = [folder / f"{first}-seed0", folder / f"{second}-seed0"]
        evaluated(teachers[0], "mine", ids=ids, predicted=[0, 1], fold=fold, kind="teacher")
        evaluated(teachers[1], "mine", ids=ids, predicted=[1, 1], fold=fold, kind="teacher", more="student: {a: 3}\n")
        run = tmp_path / "runs" / "mine" / f"fold-{fold}" / "seed0"
        items.append(evaluated(run, "mine", ids=ids, fold=fold, teachers=teachers))
    found = {run.name: run.results.accuracy for run in table_runs(tmp_path, compare(items)).of_table[2:]}
    assert found == {
        "teacher-of-mine-fold-a-seed0": 1, "teacher-of-mine-2-fold-a-seed0": 0.5,
        "teacher-of-mine-fold-b-seed0": 1, "teacher-of-mine-2-fold-b-seed0": 0.5,
    }  # fmt: skip


def test_a_shared_teacher_bears_the_name_of_who_listens_to_it(evaluated: Evaluated, tmp_path: Path) -> None:
    """Not of a control that is compared with it and comes first, nor of the comparison that used it last."""
    teacher, unheard = tmp_path / "teachers" / "0a-seed0", tmp_path / "teachers" / "0b-seed0"
    table = compare([
        evaluated(tmp_path / "runs" / "a-no-kd" / "seed0", "a-no-kd", teachers=[teacher], distiller="none"),
        evaluated(tmp_path / "runs" / "b" / "seed0", "b", teachers=[teacher]),
        evaluated(tmp_path / "runs" / "b-permuted" / "seed0", "b-permuted", teachers=[teacher]),
        evaluated(tmp_path / "runs" / "c-no-kd" / "seed0", "c-no-kd", teachers=[unheard], distiller="none"),
    ])  # fmt: skip
    evaluated(teacher, "of-another-comparison", kind="teacher")
    evaluated(unheard, "of-another-comparison", kind="teacher")
    assert names(tmp_path, table)[4:] == ["teacher-of-b-seed0", "teacher-of-c-no-kd-seed0"]


def test_a_student_that_teaches_another_comes_once(evaluated: Evaluated, tmp_path: Path) -> None:
    alone = tmp_path / "runs" / "mine-no-kd" / "seed0"
    items = [evaluated(alone, "mine-no-kd"), evaluated(tmp_path / "runs" / "mine" / "seed0", "mine", teachers=[alone])]
    found = table_runs(tmp_path, compare(items))
    assert ([run.name for run in found.of_table], found.left_out) == (["mine-seed0", "mine-no-kd-seed0"], ())


def test_a_run_of_the_table_that_is_gone_or_was_evaluated_anew_is_named(evaluated: Evaluated, tmp_path: Path) -> None:
    teacher, run = tmp_path / "teachers" / "0a-seed0", tmp_path / "runs" / "mine" / "seed0"
    item = evaluated(run, "mine", teachers=[teacher])
    with pytest.raises(DataError, match=f"{teacher}/results.json is missing: it is of a teacher of {run}"):
        table_runs(tmp_path, compare([item]))
    evaluated(teacher, "mine", kind="teacher")
    evaluated(run, "mine", predicted=[1, 1], teachers=[teacher])
    with pytest.raises(DataError, match=r"of mine \(student, seed 0\) another accuracy than .*evaluated anew since"):
        table_runs(tmp_path, compare([item]))
    shutil.rmtree(run)
    with pytest.raises(DataError, match=f"{run}/results.json: missing"):
        table_runs(tmp_path, compare([item]))


def test_a_recipe_is_read_as_it_stands(tmp_path: Path) -> None:
    write_text(tmp_path / "recipe.yaml", "name: old\nstudent: {gone: 3}\n")
    assert run_recipe(tmp_path) == {"name": "old", "student": {"gone": 3}}
    for damaged in ("- 3\n", "student: {}\n"):
        write_text(tmp_path / "recipe.yaml", damaged)
        with pytest.raises(DataError, match=r"recipe\.yaml is no recipe: it has no key 'name'"):
            run_recipe(tmp_path)
    (tmp_path / "recipe.yaml").unlink()
    with pytest.raises(DataError, match=f"{tmp_path}/recipe.yaml cannot be read"):
        run_recipe(tmp_path)
