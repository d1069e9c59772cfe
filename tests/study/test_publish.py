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

from vskd.errors import DataError, RecipeError
from vskd.evaluation.predictions import Predictions, write_csv
from vskd.files import write_text
from vskd.recipe import load_recipe
from vskd.study import publish as module
from vskd.study.comparison_schema import read_comparison
from vskd.study.publish import (
    _data_folders,
    _environment,
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


def test_a_published_recipe_says_what_files_are_called_not_where_they_lay() -> None:
    words = ("dataset.path=/home/me/data", "student.weights=/home/me/a.safetensors", "teachers.0.weights=/home/me/b")
    lists = ("labels.ids=/home/me/few.csv", "teachers.0.labels={ids: /home/me/some.csv}")
    recipe = load_recipe("wrist").updated(*words, *lists)
    made = without_paths(recipe.model_dump(mode="json"))
    assert "/home" not in json.dumps(made)
    (teacher,) = made["teachers"]
    assert (made["dataset"]["path"], made["student"]["weights"], teacher["weights"]) == (None, "a.safetensors", "b")
    assert (made["labels"]["ids"], teacher["labels"]["ids"]) == ("few.csv", "some.csv")
    plain = load_recipe("wrist").model_dump(mode="json")
    assert without_paths(plain) == plain
    assert without_paths({"name": "old"}) == {"name": "old"}


def test_a_recipe_with_keys_of_another_version_is_published_as_it_stands(
    finished_comparison, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:  # type: ignore[no-untyped-def]
    """Of students and of teachers; the figures need none of them."""
    copy = shutil.copytree(finished_comparison.out, tmp_path / "copy", ignore=shutil.ignore_patterns("cache", "*.h5"))
    recipes = [*(copy / "runs").rglob("recipe.yaml"), *(copy / "teachers").rglob("recipe.yaml")]
    for file in recipes:
        text = file.read_text(encoding="utf-8")
        Sums(file.parent).replace_text("recipe.yaml", text.replace("student:\n", "student:\n  gone: {a: 1}\n"))
        with pytest.raises(RecipeError, match="gone"):
            load_recipe(str(file))
    assert main([str(copy), str(tmp_path / "out")]) == 0
    assert capsys.readouterr().out == "5 runs published\n" and len(recipes) == 3
    publish(finished_comparison.out, tmp_path / "plain")
    new, plain = (
        {
            str(p.relative_to(out)): p.read_text(encoding="utf-8")
            for p in out.rglob("*")
            if p.suffix in (".yaml", ".json", ".csv")
        }
        for out in (tmp_path / "out", tmp_path / "plain")
    )
    changed = {name for name in plain if plain[name] != new[name]}
    assert changed == {"recipes/demo.yaml", "recipes/demo-no-kd.yaml"} and set(new) == set(plain)
    assert all(new[name].replace("  gone:\n    a: 1\n", "") == plain[name] for name in changed)


def test_runs_that_the_table_is_not_of_are_counted_and_named(
    finished_comparison, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:  # type: ignore[no-untyped-def]
    """As a comparison leaves them that was begun with other recipes or more seeds; and what an earlier call wrote."""
    copy = shutil.copytree(finished_comparison.out, tmp_path / "copy", ignore=shutil.ignore_patterns("cache", "*.h5"))
    for seed in (1, 2, 3, 4):
        shutil.copytree(copy / "runs" / "demo" / "seed0", copy / "runs" / "demo" / f"seed{seed}")
    others = [f"runs/demo/seed{seed}{part}" for seed in (1, 2, 3) for part in ("", "/int8")]
    write_text(tmp_path / "out" / "runs" / "older-seed0.json", "{}")
    assert main([str(copy), str(tmp_path / "out")]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "5 runs published",
        f"8 left out, which the table is not of: {', '.join(others)} and 2 more",
        f"1 in {tmp_path / 'out' / 'runs'} are of another time; delete them: older-seed0",
    ]
    assert not [p for p in (tmp_path / "out" / "runs").iterdir() if "seed1" in p.name]
    assert "seed1" not in (tmp_path / "out" / "predictions.csv").read_text().splitlines()[0]


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


def test_the_folds_of_a_run_share_a_column(tmp_path: Path) -> None:
    runs = []
    for name, right in (("mine", [0, 0]), ("teacher-of-mine", [0, 1])):
        for fold, ids in (("a-1", ("a1", "a2")), ("b", ("b1", "b2"))):
            rows = Predictions(ids, tuple(i[0] for i in ids), np.array([0, 1]), np.eye(2)[right], ("no", "yes"))
            write_csv(rows, tmp_path / name / fold / "predictions.csv")
            runs.append(SimpleNamespace(name=f"{name}-fold-{fold}-seed0", path=tmp_path / name / fold))
    assert _predictions(runs).splitlines() == [
        "id,subject,label,mine-seed0,teacher-of-mine-seed0",
        "a1,a,0,0,0",
        "a2,a,1,0,1",
        "b1,b,0,0,0",
        "b2,b,1,0,1",
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
    shutil.copytree(teacher, tmp_path / "shared" / "fold-b" / "0ff-seed0")
    publish(copy, tmp_path / "out")
    own, out = (
        {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
        for folder in (tmp_path / "own", tmp_path / "out")
    )
    assert "runs/teacher-of-demo-seed0.json" in own and set(own) == set(out)
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
    table = json.loads((copy / "comparison.json").read_text(encoding="utf-8"))
    table["rows"] = [row for row in table["rows"] if row["kind"] != "bundle"]
    write_text(copy / "comparison.json", json.dumps(table))
    publish(copy, tmp_path / "out")
    assert sorted(p.name for p in (tmp_path / "out").glob("*.png")) == [
        *("confusion-demo-seed0.png", "subjects-demo-seed0.png")
    ]


def test_the_longest_folder_is_taken_out_first() -> None:
    """One data set may lie within the folder of another."""
    paths = ({"path": "/data"}, {"path": "/data/inner"}, {"path": "/data/inner"}, {"path": None}, None)
    folders = _data_folders([*({"dataset": path} for path in paths), {}])
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
    monkeypatch.setattr(module, "publish", lambda *words: asked.append(words) or "")
    assert main(["c", "o"]) == main(["c", "o", "--audit", "a.json"]) == 0
    assert asked == [(Path("c"), Path("o"), None), (Path("c"), Path("o"), Path("a.json"))]

    def refuse(*_: object) -> None:
        raise DataError("no comparison", "Make one")

    monkeypatch.setattr(module, "publish", refuse)
    assert main(["c", "o"]) == 1 and capsys.readouterr().err == "error: no comparison. Make one.\n"
