"""Copy the small, lasting part of a comparison into results/: figures, settings, pictures, and who was predicted what.

Recipes are copied as they stand in the runs, whatever keys recipes of today have.

Run: python -m vskd.study.publish COMPARISON results/DATASET/PROTOCOL [--audit AUDIT.json]
"""

import argparse
import csv
import io
import json
import re
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from vskd.distillation.run import RunFolder
from vskd.errors import DataError, VskdError, first_few
from vskd.evaluation.predictions import read_csv
from vskd.evaluation.report.plots import confusion_matrix, subject_bars
from vskd.files import write_bytes, write_json, write_text
from vskd.study.audit_file import AUDIT, read_audit
from vskd.study.comparison_schema import Comparison, read_comparison
from vskd.study.table_runs import EvaluatedFolder, run_recipe, table_runs
from vskd.yaml_text import dump_yaml

_COPIED = tuple(f"comparison.{end}" for end in ("json", "csv", "txt", "tex", "html"))
NAMED = 6
"""Of the runs that are left out; those to be deleted are all named."""
DATA = "DATA"
"""What the folder of the data is called in published files, as in the documents."""
_FOLD = re.compile(r"-fold-.*?(?=-seed)")


def publish(comparison: Path, out: Path, audit: Path | None = None) -> str:
    """Write comparison files, one results.json per run, recipes without paths, predictions, timings and pictures.

    Args:
        comparison: output folder of `vskd compare`. Teachers in a folder that comparisons share are found by their
            students.
        out: folder to keep under version control.
        audit: what `vskd datasets audit --json` printed of the same protocol; kept as audit.json, without its path.

    Returns:
        What to say of it: how many runs were published, which of the folder were not, since the table is not of them,
        and which lie in `out` from another time.

    Raises:
        DataError: `comparison` holds no finished comparison, a run of its table is not there any more or was changed
            since it was written, or `audit` is of another data set or protocol.
    """
    if not (comparison / "comparison.json").is_file():
        raise DataError(f"{comparison} holds no comparison.json", "Run `vskd compare` to its end first")
    table = read_comparison(comparison / "comparison.json")
    found = table_runs(comparison, table)
    runs = found.of_table
    recipes = {run.path: run_recipe(run.path) for run in runs if run.results.kind != "bundle"}
    audited = None if audit is None else _audit(audit, table)
    folders = _data_folders(list(recipes.values()))
    for name in _COPIED:
        if (comparison / name).is_file():
            write_bytes(out / name, (comparison / name).read_bytes())
    for run in runs:
        text = (run.path / "results.json").read_text(encoding="utf-8")
        write_text(out / "runs" / f"{run.name}.json", _without(folders, text))
        if run.results.kind == "student":
            recipe = without_paths(recipes[run.path])
            write_text(out / "recipes" / f"{recipe['name']}.yaml", dump_yaml(recipe))
            write_json(out / "environment.json", _environment(run.path))
    write_json(out / "timings.json", {run.name: run.results.timings for run in runs})
    write_text(out / "predictions.csv", _predictions(runs))
    _pictures(runs, out)
    if audited is not None:
        write_json(out / AUDIT, audited)
    return _said([str(path.relative_to(comparison)) for path in found.left_out], [run.name for run in runs], out)


def _said(left_out: Sequence[str], published: Sequence[str], out: Path) -> str:
    """See `publish`."""
    earlier = sorted({file.stem for file in (out / "runs").glob("*.json")} - set(published))
    lines = [f"{len(published)} runs published"]
    if left_out:
        lines.append(f"{len(left_out)} left out, which the table is not of: {first_few(left_out, NAMED, ', ')}")
    if earlier:
        lines.append(f"{len(earlier)} in {out / 'runs'} are of another time; delete them: {', '.join(earlier)}")
    return "".join(f"{line}\n" for line in lines)


def without_paths(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """A recipe's content that says of files what they are called, not where they lay, and nothing of the data's place.

    Files: weights that a network starts from, and lists of recordings that carry labels.
    """
    named: dict[str, Any] = _by_name(recipe)
    dataset = named.get("dataset")
    return {**named, "dataset": {**dataset, "path": None}} if isinstance(dataset, Mapping) else named


_FILES = ("weights", "ids")
"""Keys of a recipe whose value is a path."""


def _by_name(content: Any) -> Any:
    if isinstance(content, Mapping):
        return {
            key: Path(value).name if key in _FILES and isinstance(value, str) else _by_name(value)
            for key, value in content.items()
        }
    return [_by_name(value) for value in content] if isinstance(content, list) else content


def _data_folders(recipes: Sequence[Mapping[str, Any]]) -> list[str]:
    """Where the data lay on the machine of the runs, the longest path first."""
    found = {str((recipe.get("dataset") or {}).get("path") or "") for recipe in recipes}
    return sorted(found - {""}, key=len, reverse=True)


def _without(folders: Sequence[str], content: str) -> str:
    """JSON in which `folders` are called DATA: notes on missing or damaged files name them by their path."""
    for folder in folders:
        content = content.replace(json.dumps(folder, ensure_ascii=False)[1:-1], DATA)
    return content


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


def _environment(run: Path) -> dict[str, object]:
    """Versions, hashes and threads of a run, without its relative paths."""
    content = RunFolder(run).facts()
    left_out = {
        "cache",
        "teacher_runs",
        "teacher_hashes",
        "teachers_say",
        "role",
        "seed",
        "problems_in_data",
        "near_copies",
    }
    return {key: value for key, value in content.items() if key not in left_out}


def _predictions(runs: Sequence[EvaluatedFolder]) -> str:
    """One row per recording: its truth, then what each run predicted; the folds of a run share a column.

    Enough to recompute accuracy, F1, intervals and tests. Empty where a run did not see a recording.
    """
    truths: dict[str, tuple[str, int]] = {}
    columns: dict[str, dict[str, int]] = defaultdict(dict)
    for run in runs:
        p = read_csv(run.path / "predictions.csv")
        truths.update(zip(p.ids, zip(p.subjects, p.labels.tolist(), strict=True), strict=True))
        columns[_FOLD.sub("", run.name)].update(zip(p.ids, p.predicted.tolist(), strict=True))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["id", "subject", "label", *columns])
    for recording, truth in sorted(truths.items()):
        writer.writerow([recording, *truth, *(column.get(recording, "") for column in columns.values())])
    return text.getvalue()


def _pictures(runs: Sequence[EvaluatedFolder], out: Path) -> None:
    """Confusion matrix and per-subject bars of the first int8 model, or of the first student where there is none."""
    chosen = next((run for run in runs if run.results.kind == "bundle"), runs[0])
    names = [row.name for row in chosen.results.per_class]
    write_bytes(out / f"confusion-{chosen.name}.png", confusion_matrix(chosen.results.confusion, names))
    write_bytes(out / f"subjects-{chosen.name}.png", subject_bars(chosen.results))


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line: `publish COMPARISON OUT`; returns the exit code."""
    parser = argparse.ArgumentParser(prog="publish", description="Keep the small, lasting part of a comparison.")
    parser.add_argument("comparison", type=Path, help="output folder of `vskd compare`")
    parser.add_argument("out", type=Path, help="folder to keep under version control")
    parser.add_argument("--audit", type=Path, help="what `vskd datasets audit --json` printed")
    options = parser.parse_args(arguments)
    try:
        sys.stdout.write(publish(options.comparison, options.out, options.audit))
    except VskdError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
