"""Copy the small, lasting part of a comparison into results/: figures, settings, pictures, and who was predicted what.

Run: python -m vskd.study.publish COMPARISON results/DATASET/PROTOCOL [--audit AUDIT.json]
"""

import argparse
import csv
import io
import json
import re
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from vskd.distillation.run import RunFolder
from vskd.errors import DataError, VskdError, first_few
from vskd.evaluation.finished import FILES
from vskd.evaluation.predictions import read_csv
from vskd.evaluation.report.plots import confusion_matrix, subject_bars
from vskd.evaluation.results import read_results
from vskd.files import write_bytes, write_json, write_text
from vskd.recipe import Recipe, dump_recipe, load_recipe
from vskd.recipe.roles import Role
from vskd.study.audit_file import AUDIT, read_audit
from vskd.study.comparison_schema import Comparison, read_comparison
from vskd.sums import Sums

_COPIED = tuple(f"comparison.{end}" for end in ("json", "csv", "txt", "tex", "html"))
DATA = "DATA"
"""What the folder of the data is called in published files, as in the documents."""
RoleT = TypeVar("RoleT", bound=Role)
_FOLD = re.compile(r"-fold-.*?(?=-seed)")


def publish(comparison: Path, out: Path, audit: Path | None = None) -> None:
    """Write comparison files, one results.json per run, recipes without paths, predictions, timings and pictures.

    Args:
        comparison: output folder of `vskd compare`. Teachers in a folder that comparisons share are found by their
            students.
        out: folder to keep under version control.
        audit: what `vskd datasets audit --json` printed of the same protocol; kept as audit.json, without its path.

    Raises:
        DataError: `comparison` holds no finished comparison, a result was changed since it was written, a teacher is
            no longer there, or `audit` is of another data set or protocol.
    """
    if not (comparison / "comparison.json").is_file():
        raise DataError(f"{comparison} holds no comparison.json", "Run `vskd compare` to its end first")
    _require_intact(comparison)
    for name in _COPIED:
        if (comparison / name).is_file():
            write_bytes(out / name, (comparison / name).read_bytes())
    timings, folders = {}, _data_folders(comparison)
    for name, run in _evaluated_runs(comparison):
        write_text(out / "runs" / f"{name}.json", _without(folders, (run / "results.json").read_text(encoding="utf-8")))
        timings[name] = read_results(run / "results.json").timings
        if (run / "recipe.yaml").is_file() and run.is_relative_to(comparison / "runs"):
            recipe = without_paths(load_recipe(str(run / "recipe.yaml")))
            write_text(out / "recipes" / f"{recipe.name}.yaml", dump_recipe(recipe))
            write_json(out / "environment.json", _environment(run))
    write_json(out / "timings.json", timings)
    write_text(out / "predictions.csv", _predictions(comparison))
    _pictures(comparison, out)
    if audit is not None:
        write_json(out / AUDIT, _audit(audit, read_comparison(comparison / "comparison.json")))


def without_paths(recipe: Recipe) -> Recipe:
    """A recipe that says of weights what they are called, not where they lay, and nothing of the data's place."""
    return recipe.model_copy(
        update={
            "dataset": recipe.dataset.model_copy(update={"path": None}),
            "student": _by_name(recipe.student),
            "teachers": tuple(_by_name(teacher) for teacher in recipe.teachers),
        }
    )


def _by_name(role: RoleT) -> RoleT:
    return role.model_copy(update={"weights": None if role.weights is None else Path(role.weights).name})


def _data_folders(comparison: Path) -> list[str]:
    """Where the data lay on the machine of the runs, the longest path first."""
    recipes = sorted((comparison / "runs").rglob("recipe.yaml"))
    return sorted({load_recipe(str(r)).dataset.path or "" for r in recipes} - {""}, key=len, reverse=True)


def _without(folders: Sequence[str], content: str) -> str:
    """JSON in which `folders` are called DATA: notes on missing or damaged files name them by their path."""
    for folder in folders:
        content = content.replace(json.dumps(folder, ensure_ascii=False)[1:-1], DATA)
    return content


def _require_intact(comparison: Path) -> None:
    """What is published is what was measured: runs have the hashes of their results on record."""
    changed = []
    for _, run in _evaluated_runs(comparison):
        known = Sums(run).recorded()
        changed += [run / name for name in Sums(run).damaged(name for name in FILES if name in known)]
    if changed:
        named = first_few([str(path) for path in changed], 5)
        raise DataError(f"Changed since they were written: {named}", "Run the same `vskd compare` again")


def _audit(path: Path, comparison: Comparison) -> dict[str, object]:
    """The audit, without the folder that the data lay in."""
    action = f"Run: vskd datasets audit {comparison.dataset} --protocol {comparison.protocol} --data DATA --json"
    content = read_audit(path, action).content()
    of = {(content["dataset"], fold["protocol"]) for fold in content["folds"]}
    if of != {(comparison.dataset, comparison.protocol)}:
        raise DataError(
            f"{path} is not an audit of {comparison.dataset}, protocol {comparison.protocol}",
            action,
        )
    return {key: value for key, value in content.items() if key != "root"}


def _evaluated_runs(comparison: Path) -> Iterator[tuple[str, Path]]:
    """A short name and the folder of everything that was evaluated; what belongs to a fold names it."""
    teachers: dict[str, list[str]] = defaultdict(list)
    found = [results.parent for results in sorted(comparison.glob("*/**/results.json"))]
    places = {folder: folder.relative_to(comparison).parts for folder in found}
    for folder, (kind, *parts) in (places | _shared_teachers(comparison, places)).items():
        if kind == "cache" or "cache" in parts:
            continue
        if kind == "teachers":  # its folder is named by a hash; it is told apart by the recipe that it was made for
            recipe = load_recipe(str(folder / "recipe.yaml"))
            parts = [_teacher_name(recipe, teachers[recipe.name]), *parts[:-1], f"seed{recipe.seed}"]
        yield "-".join(parts), folder


def _shared_teachers(comparison: Path, students: Mapping[Path, Sequence[str]]) -> dict[Path, tuple[str, ...]]:
    """Teachers of the students that lie elsewhere (`vskd compare --teachers`), and where they would lie here.

    Raises:
        DataError: one is no longer there.
    """
    found = {}
    for student, (kind, *parts) in students.items():
        if kind != "runs" or not (student / "environment.json").is_file():
            continue
        for run in RunFolder(student).teacher_runs():
            if run.resolve().is_relative_to(comparison.resolve()):
                continue
            if not (run / "results.json").is_file():
                raise DataError(
                    f"{run / 'results.json'} is missing: it is of a teacher of {student}",
                    "Put the folder of the teachers back, or run the same `vskd compare` again",
                )
            found[run] = ("teachers", *parts[1:-1], run.name)
    return found


def _teacher_name(recipe: Recipe, known: list[str]) -> str:
    """`teacher-of-NAME`; the second one of a recipe, in every fold and seed, is `teacher-of-NAME-2`.

    Args:
        recipe: by which the teacher was trained.
        known: hashes of the teachers of this recipe so far; a new one is added.
    """
    own = recipe.hash_of("student")
    if own not in known:
        known.append(own)
    number = known.index(own) + 1
    return f"teacher-of-{recipe.name}" + (f"-{number}" if number > 1 else "")


def _environment(run: Path) -> dict[str, object]:
    """Versions, hashes and threads of a run, without its relative paths."""
    content = RunFolder(run).facts()
    left_out = {"cache", "teacher_runs", "teacher_hashes", "teachers_say", "role", "seed", "problems_in_data"}
    return {key: value for key, value in content.items() if key not in left_out}


def _predictions(comparison: Path) -> str:
    """One row per recording: its truth, then what each run predicted; the folds of a run share a column.

    Enough to recompute accuracy, F1, intervals and tests. Empty where a run did not see a recording.
    """
    truths: dict[str, tuple[str, int]] = {}
    columns: dict[str, dict[str, int]] = defaultdict(dict)
    for name, run in _evaluated_runs(comparison):
        p = read_csv(run / "predictions.csv")
        truths.update(zip(p.ids, zip(p.subjects, p.labels.tolist(), strict=True), strict=True))
        columns[_FOLD.sub("", name)].update(zip(p.ids, p.predicted.tolist(), strict=True))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["id", "subject", "label", *columns])
    for recording, truth in sorted(truths.items()):
        writer.writerow([recording, *truth, *(column.get(recording, "") for column in columns.values())])
    return text.getvalue()


def _pictures(comparison: Path, out: Path) -> None:
    """Confusion matrix and per-subject bars of the first int8 model, or of the first student where there is none."""
    runs = dict(_evaluated_runs(comparison))
    chosen = next((n for n in runs if n.endswith("int8")), next(iter(runs)))
    results = read_results(runs[chosen] / "results.json")
    write_bytes(
        out / f"confusion-{chosen}.png", confusion_matrix(results.confusion, [c.name for c in results.per_class])
    )
    write_bytes(out / f"subjects-{chosen}.png", subject_bars(results))


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line: `publish COMPARISON OUT`; returns the exit code."""
    parser = argparse.ArgumentParser(prog="publish", description="Keep the small, lasting part of a comparison.")
    parser.add_argument("comparison", type=Path, help="output folder of `vskd compare`")
    parser.add_argument("out", type=Path, help="folder to keep under version control")
    parser.add_argument("--audit", type=Path, help="what `vskd datasets audit --json` printed")
    options = parser.parse_args(arguments)
    try:
        publish(options.comparison, options.out, options.audit)
    except VskdError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
