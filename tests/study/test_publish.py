"""Publishing a comparison: small files, figures that can be recomputed, and the program around it."""

import csv
import json
import os
import runpy
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from vskd.errors import DataError
from vskd.evaluation.predictions import Predictions, write_csv
from vskd.files import write_text
from vskd.recipe import load_recipe
from vskd.study import publish as module
from vskd.study.comparison_schema import read_comparison
from vskd.study.publish import (
    _data_folders,
    _environment,
    _evaluated_runs,
    _predictions,
    _without,
    main,
    publish,
    without_paths,
)
from vskd.study.readme_table import results_table
from vskd.sums import Sums

ROOT = Path(__file__).parents[2]


def test_only_small_files_without_paths_of_the_machine_are_kept(finished_comparison, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    out = tmp_path / "results"
    publish(finished_comparison.out, out)
    files = [p for p in out.rglob("*") if p.is_file()]
    assert {p.suffix for p in files} <= {".json", ".csv", ".tex", ".txt", ".html", ".yaml", ".png"}
    for path in files:
        if path.suffix in (".json", ".yaml", ".csv"):
            assert str(finished_comparison.out) not in path.read_text()
    assert load_recipe(str(out / "recipes" / "demo.yaml")).dataset.path is None


def test_a_published_recipe_says_what_weights_are_called_not_where_they_lay() -> None:
    words = ("dataset.path=/home/me/data", "student.weights=/home/me/a.safetensors", "teachers.0.weights=/home/me/b")
    recipe = without_paths(load_recipe("wrist").updated(*words))
    assert (recipe.dataset.path, recipe.student.weights, recipe.teachers[0].weights) == (None, "a.safetensors", "b")
    plain = load_recipe("wrist")
    assert without_paths(plain) == plain


def test_notes_name_no_folder_of_the_machine(finished_comparison, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    copy = shutil.copytree(finished_comparison.out, tmp_path / "copy", ignore=shutil.ignore_patterns("cache", "*.h5"))
    (recipe, *_) = sorted((copy / "runs").rglob("recipe.yaml"))
    folder = str(load_recipe(str(recipe)).dataset.path)
    results = recipe.with_name("results.json")
    content = json.loads(results.read_text(encoding="utf-8"))
    notes = [*content["notes"], f"missing {folder}/walk.mat: no file", f"{folder}: subject 3 is not there"]
    Sums(results.parent).replace_text("results.json", json.dumps(content | {"notes": notes}))
    publish(copy, tmp_path / "out")
    (kept,) = [p for p in (tmp_path / "out" / "runs").glob("*.json") if "subject 3" in p.read_text(encoding="utf-8")]
    assert json.loads(kept.read_text(encoding="utf-8")) == content | {
        "notes": [*content["notes"], "missing DATA/walk.mat: no file", "DATA: subject 3 is not there"]
    }


def test_figures_can_be_recomputed_from_the_kept_predictions(finished_comparison, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    publish(finished_comparison.out, tmp_path)
    read_comparison(tmp_path / "comparison.json")
    with (tmp_path / "predictions.csv").open() as file:
        rows = list(csv.DictReader(file))
    for path in (tmp_path / "runs").glob("*.json"):
        mine = [row["label"] == row[path.stem] for row in rows if row[path.stem]]
        assert np.mean(mine) == pytest.approx(json.loads(path.read_text())["accuracy"])


@pytest.mark.parametrize("name", ["results.json", "predictions.csv"])
def test_a_changed_result_is_named_and_not_published(finished_comparison, tmp_path: Path, name: str) -> None:  # type: ignore[no-untyped-def]
    copy = shutil.copytree(finished_comparison.out, tmp_path / "copy", ignore=shutil.ignore_patterns("cache", "*.h5"))
    changed = sorted((copy / "runs").rglob(name))[0]
    changed.write_text(changed.read_text(encoding="utf-8").replace("0", "1", 1), encoding="utf-8")
    with pytest.raises(DataError, match=f"Changed since they were written: {changed}"):
        publish(copy, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_unfinished_comparison_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"comparison\.json"):
        publish(tmp_path, tmp_path / "out")


def publish_as_a_program(*words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "vskd.study.publish", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)


def test_the_program_writes_what_the_function_writes(finished_comparison, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    done = publish_as_a_program(finished_comparison.out, tmp_path / "program")
    assert done.returncode == 0, done.stderr
    publish(finished_comparison.out, tmp_path / "function")
    program, function = (
        {str(p.relative_to(out)): p.read_bytes() for p in out.rglob("*") if p.is_file()}
        for out in (tmp_path / "program", tmp_path / "function")
    )
    assert program == function
    assert {"comparison.json", "predictions.csv", "timings.json", "environment.json"} <= set(program)


def test_the_program_fails_where_there_is_no_comparison(tmp_path: Path) -> None:
    done = publish_as_a_program(tmp_path, tmp_path / "out")
    assert done.returncode != 0
    assert f"{tmp_path} holds no comparison.json" in done.stderr
    assert not (tmp_path / "out").exists()


def evaluated(folder: Path, recipe: str, ids: tuple[str, ...], predicted: list[int], more: str = "") -> None:
    """What `publish` reads of one evaluated run of two classes."""
    rows = Predictions(ids, tuple(i[0] for i in ids), np.array([0, 1]), np.eye(2)[predicted], ("no", "yes"))
    write_csv(rows, folder / "predictions.csv")
    write_text(folder / "results.json", "{}")
    write_text(folder / "recipe.yaml", f"extends: demo\nname: {recipe}\n{more}")


def test_the_folds_of_a_run_share_a_column(tmp_path: Path) -> None:
    for fold, ids in (("a-1", ("a1", "a2")), ("b", ("b1", "b2"))):
        evaluated(tmp_path / "runs" / "mine" / f"fold-{fold}" / "seed0", "mine", ids, [0, 0])
        evaluated(tmp_path / "teachers" / f"fold-{fold}" / f"0{fold}f-seed0", "mine", ids, [0, 1])
    assert _predictions(tmp_path).splitlines() == [
        "id,subject,label,mine-seed0,teacher-of-mine-seed0",
        "a1,a,0,0,0",
        "a2,a,1,0,1",
        "b1,b,0,0,0",
        "b2,b,1,0,1",
    ]


def test_several_teachers_of_a_recipe_have_a_column_each_whatever_their_folders_are_called(tmp_path: Path) -> None:
    """Folders are named by hashes, whose order differs between folds."""
    other = "student: {training: {epochs: 3}}\n"
    for fold, ids, names in (("a", ("a1", "a2"), ("00", "ff")), ("b", ("b1", "b2"), ("ff", "00"))):
        teachers = tmp_path / "teachers" / f"fold-{fold}"
        evaluated(teachers / f"{names[0]}-seed0", "mine", ids, [0, 1])
        evaluated(teachers / f"{names[1]}-seed0", "mine", ids, [1, 1], other)
    assert _predictions(tmp_path).splitlines() == [
        "id,subject,label,teacher-of-mine-seed0,teacher-of-mine-2-seed0",
        "a1,a,0,0,1",
        "a2,a,1,1,1",
        "b1,b,0,0,1",
        "b2,b,1,1,1",
    ]


def shared(comparison: Path, teachers: Path) -> Path:
    """The comparison as `vskd compare --teachers` leaves it; returns the teacher's new folder."""
    shutil.move(comparison / "teachers", teachers)
    (teacher,) = (path.parent for path in teachers.rglob("results.json"))
    for facts in (comparison / "runs").rglob("environment.json"):
        content = json.loads(facts.read_text(encoding="utf-8"))
        content["teacher_runs"] = [os.path.relpath(teacher, facts.parent) for _ in content["teacher_runs"]]
        Sums(facts.parent).replace_text("environment.json", json.dumps(content))
    return teacher


def test_teachers_of_a_shared_folder_are_published_like_ones_own(finished_comparison, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """What other comparisons keep there is not."""
    copy = shutil.copytree(finished_comparison.out, tmp_path / "copy", ignore=shutil.ignore_patterns("cache", "*.h5"))
    publish(copy, tmp_path / "own")
    teacher = shared(copy, tmp_path / "shared")
    evaluated(tmp_path / "shared" / "fold-b" / "0ff-seed0", "stranger", ("a1", "a2"), [0, 0])
    publish(copy, tmp_path / "out")
    own, out = (
        {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
        for folder in (tmp_path / "own", tmp_path / "out")
    )
    assert "runs/teacher-of-demo-no-kd-seed0.json" in own and set(own) == set(out)
    assert [name for name in own if own[name] != out[name]] == []
    shutil.rmtree(teacher)
    with pytest.raises(DataError, match=f"{teacher}/results.json is missing: it is of a teacher of {copy}/runs/demo"):
        publish(copy, tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_a_changed_result_of_a_shared_teacher_is_named(finished_comparison, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    copy = shutil.copytree(finished_comparison.out, tmp_path / "copy", ignore=shutil.ignore_patterns("cache", "*.h5"))
    changed = shared(copy, tmp_path / "shared") / "predictions.csv"
    changed.write_text(changed.read_text(encoding="utf-8").replace("0", "1", 1), encoding="utf-8")
    with pytest.raises(DataError, match=f"Changed since they were written: {changed}"):
        publish(copy, tmp_path / "out")


def test_shared_teachers_of_folds_are_named_by_their_students_folds(tmp_path: Path) -> None:
    for fold, ids in (("a", ("a1", "a2")), ("b", ("b1", "b2"))):
        run, teacher = tmp_path / "c" / "runs" / "mine" / f"fold-{fold}" / "seed0", tmp_path / "t" / f"{fold}-seed0"
        evaluated(run, "mine", ids, [0, 0])
        words = dict.fromkeys(("vskd", "python", "accelerator", "dataset", "protocol"), "x")
        hashes = dict.fromkeys(("protocol_hash", "split_hash", "data_hash"), "x")
        facts = words | hashes | {"packages": {"torch": "x"}, "teacher_runs": [os.path.relpath(teacher, run)]}
        write_text(run / "environment.json", json.dumps(facts))
        evaluated(run / "int8", "mine", ids, [1, 1])
        evaluated(teacher, "mine", ids, [0, 1])
    assert [name for name, _ in _evaluated_runs(tmp_path / "c")] == [
        *("mine-fold-a-seed0-int8", "mine-fold-a-seed0", "mine-fold-b-seed0-int8", "mine-fold-b-seed0"),
        *("teacher-of-mine-fold-a-seed0", "teacher-of-mine-fold-b-seed0"),
    ]


def test_pictures_are_of_the_first_int8_model(tmp_path: Path, finished_comparison) -> None:  # type: ignore[no-untyped-def]
    publish(finished_comparison.out, tmp_path / "out")
    names = {p.name for p in (tmp_path / "out").glob("*.png")}
    assert names == {f"{what}-demo-seed0-int8.png" for what in ("confusion", "subjects")}
    facts = json.loads((tmp_path / "out" / "environment.json").read_text(encoding="utf-8"))
    assert {"cache", "teacher_runs", "teacher_hashes", "teachers_say", "role", "seed"}.isdisjoint(facts)
    assert {"data_hash", "packages", "torch_threads", "split_hash"} <= set(facts)


def test_an_audit_is_kept_without_its_path(finished_comparison, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    comparison = read_comparison(finished_comparison.out / "comparison.json")
    pooled = {"majority class": {"accuracy": 0.25, "macro_f1": 0.1}}
    folds = [{"protocol": comparison.protocol}]
    audit = {"dataset": comparison.dataset, "root": "/home/me/data", "folds": folds, "pooled": pooled}
    path = tmp_path / "audit.json"
    path.write_text(json.dumps(audit), encoding="utf-8")
    publish(finished_comparison.out, tmp_path / "out", path)
    del audit["root"]
    assert json.loads((tmp_path / "out" / "audit.json").read_text()) == audit
    line = "Without learning, on the same recordings: majority class 25.0 % (macro F1 10.0 %)."
    assert results_table(tmp_path / "out").replace("\u00a0", " ").endswith(line)
    path.write_text(json.dumps(audit | {"folds": [{"protocol": "another"}]}), encoding="utf-8")
    with pytest.raises(DataError, match=r"is not an audit of synthetic, protocol"):
        publish(finished_comparison.out, tmp_path / "other", path)


def test_every_form_of_the_table_is_kept_and_the_audit_by_the_program_too(finished_comparison, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    comparison = read_comparison(finished_comparison.out / "comparison.json")
    content = {"dataset": comparison.dataset, "root": "/x", "folds": [{"protocol": comparison.protocol}], "pooled": {}}
    audit = tmp_path / "a.json"
    audit.write_text(json.dumps(content), encoding="utf-8")
    assert main([str(finished_comparison.out), str(tmp_path / "out"), "--audit", str(audit)]) == 0
    kept = {p.name for p in (tmp_path / "out").glob("*") if p.is_file()} - {
        f"{what}-demo-seed0-int8.png" for what in ("confusion", "subjects")
    }
    assert kept == {
        *(f"comparison.{end}" for end in ("json", "csv", "txt", "tex", "html")),
        *("audit.json", "environment.json", "timings.json", "predictions.csv"),
    }
    for name in (name for name in kept if name.startswith("comparison.")):
        assert (tmp_path / "out" / name).read_bytes() == (finished_comparison.out / name).read_bytes()
    timings = json.loads((tmp_path / "out" / "timings.json").read_text())
    results = json.loads((finished_comparison.student / "results.json").read_text())
    assert timings["demo-seed0"] == results["timings"]
    assert {p.stem for p in (tmp_path / "out" / "recipes").iterdir()} == {"demo", "demo-no-kd"}


def test_without_int8_models_the_pictures_are_of_the_first_student(finished_comparison, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    left_out = shutil.ignore_patterns("cache", "*.h5", "int8", "bundle")
    copy = shutil.copytree(finished_comparison.out, tmp_path / "copy", ignore=left_out)
    publish(copy, tmp_path / "out")
    assert sorted(p.name for p in (tmp_path / "out").glob("*.png")) == [
        *("confusion-demo-seed0.png", "subjects-demo-seed0.png")
    ]


def test_the_longest_folder_is_taken_out_first(tmp_path: Path) -> None:
    """One data set may lie within the folder of another."""
    for number, folder in enumerate(("/data", "/data/inner", "/data/inner")):
        write_text(tmp_path / "runs" / str(number) / "recipe.yaml", f"extends: demo\ndataset: {{path: {folder}}}\n")
    write_text(tmp_path / "runs" / "3" / "recipe.yaml", "extends: demo\n")
    folders = _data_folders(tmp_path)
    assert folders == ["/data/inner", "/data"]
    assert _without(folders, '"/data/inner/a and /data/b"') == '"DATA/a and DATA/b"'


def test_of_a_runs_environment_only_what_says_nothing_of_its_place_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    places = ("cache", "teacher_runs", "teacher_hashes", "teachers_say", "role", "seed", "problems_in_data")
    facts = {**dict.fromkeys(places, "x"), "data_hash": "d", "torch_threads": 3, "packages": {"torch": "2"}}
    monkeypatch.setattr(module, "RunFolder", lambda run: SimpleNamespace(facts=lambda: facts))
    assert _environment(Path("run")) == {"data_hash": "d", "torch_threads": 3, "packages": {"torch": "2"}}


@pytest.mark.parametrize("words", [[], ["comparison"]])
def test_the_program_needs_a_comparison_and_a_folder(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["x", *words])
    with pytest.raises(SystemExit) as caught:
        runpy.run_path(str(Path(module.__file__)), run_name="__main__")
    assert caught.value.code == 2
    assert capsys.readouterr().err.startswith("usage: publish ")


def test_the_program_hands_on_its_words(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    asked: list[tuple[Path | None, ...]] = []
    monkeypatch.setattr(module, "publish", lambda *words: asked.append(words))
    assert main(["c", "o"]) == main(["c", "o", "--audit", "a.json"]) == 0
    assert asked == [(Path("c"), Path("o"), None), (Path("c"), Path("o"), Path("a.json"))]

    def refuse(*_: object) -> None:
        raise DataError("no comparison", "Make one")

    monkeypatch.setattr(module, "publish", refuse)
    assert main(["c", "o"]) == 1 and capsys.readouterr().err == "error: no comparison. Make one.\n"
