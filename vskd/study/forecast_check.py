"""How often the forecast was right: afterwards, over the finished students of comparisons.

`python -m vskd.study.forecast_check COMPARISON... --out results/DATASET/forecast` writes forecast.json and a table.
Only here does a test part meet a forecast, and only to judge it: the forecast is made of validation recordings alone.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from vskd.distillation.run import RunFolder
from vskd.errors import DataError, VskdError
from vskd.evaluation.evaluate import evaluate_run
from vskd.evaluation.forecast import LEVEL, Forecast, finished_twin, forecast_of_runs
from vskd.evaluation.predictions import Predictions, read_csv
from vskd.evaluation.report import formatting
from vskd.evaluation.statistics import mcnemar
from vskd.files import write_json, write_text
from vskd.schema import Count, Finite, Fraction, Size, Strict, read_json

Outcome = Literal["helped", "no difference", "hurt"]
EXPECTED: dict[str, Outcome] = {"will help": "helped", "will not help": "no difference", "will hurt": "hurt"}


class Cell(Strict):
    """One student with a teacher, and what had been foretold of it.

    Attributes:
        dataset, protocol, fold, labels, recipe, seed: which.
        forecast: from validation recordings.
        gain: accuracy on the test part over that of the twin without a teacher; p_value: of McNemar's test, two-sided.
        outcome: by the sign of the gain, where it is beyond chance at `LEVEL`.
    """

    dataset: str
    protocol: str
    fold: str | None
    labels: str
    recipe: str
    seed: Size
    forecast: Forecast
    n: Count
    gain: Finite
    p_value: Fraction
    outcome: Outcome

    @property
    def right(self) -> bool:
        """Whether it came as foretold."""
        return EXPECTED[self.forecast.verdict] == self.outcome

    @property
    def opposite(self) -> bool:
        """Whether it helped where it should hurt, or the other way round."""
        return {self.outcome, EXPECTED[self.forecast.verdict]} == {"helped", "hurt"}


def outcome_of(taught: Predictions, alone: Predictions) -> tuple[float, float, Outcome]:
    """Gain in accuracy on the test part, its p-value, and what that means.

    Raises:
        ProtocolError: they are not of the same recordings.
    """
    test = mcnemar(taught, alone)
    gain = (test.only_candidate - test.only_baseline) / test.n
    if test.p_value > LEVEL:
        return gain, test.p_value, "no difference"
    return gain, test.p_value, "helped" if gain > 0 else "hurt"


def cells_of(comparison: Path) -> list[Cell]:
    """All students with a teacher in a comparison's folder whose twin without one is finished there, too.

    Raises:
        VskdError: a run is damaged, or had no validation part.
    """
    found = []
    for file in sorted(comparison.glob("runs/**/recipe.yaml")):
        run, folder = file.parent, RunFolder(file.parent)
        recipe = folder.recipe()
        twin = finished_twin(recipe, run) if recipe.distiller.needs_teacher and folder.complete else None
        if twin is not None:
            found.append(_cell(run, twin))
    return found


def _cell(run: Path, twin: Path) -> Cell:
    folder, results = RunFolder(run), evaluate_run(run)
    evaluate_run(twin)
    taught, alone = (read_csv(one / "predictions.csv") for one in (run, twin))
    gain, p_value, outcome = outcome_of(taught, alone)
    return Cell(
        dataset=results.dataset,
        protocol=results.protocol.name,
        fold=results.protocol.fold,
        labels=results.labels_title,
        recipe=results.recipe,
        seed=results.seed,
        forecast=forecast_of_runs(folder.teacher_runs(), twin),
        n=len(alone),
        gain=gain,
        p_value=p_value,
        outcome=outcome,
    )


HEADER = (
    *(
        "protocol",
        "labels",
        "teacher of",
        "seed",
        "teacher, validation",
        "student, validation",
        "right where it is wrong",
    ),
    *("forecast", "gain on test", "McNemar", "came true"),
)


def to_markdown(cells: Sequence[Cell]) -> str:
    """The table, and how often the forecast was right."""
    rows = [HEADER, ("---",) * len(HEADER), *(_cells(cell) for cell in cells)]
    lines = [f"| {' | '.join(row)} |" for row in rows]
    right, opposite = sum(cell.right for cell in cells), sum(cell.opposite for cell in cells)
    verdict = (
        f"The forecast came true in {right} of {len(cells)} cells; in {opposite} the opposite happened. An outcome "
        f"counts as a difference where McNemar's test on the test recordings says so at {100 * LEVEL:g} %. These are "
        "few cells, and cells of one label setting share the student without a teacher, so that they are not "
        "independent."
    )
    return "\n".join(["# Forecasts and what came of them", "", *lines, "", verdict]) + "\n"


def _cells(cell: Cell) -> tuple[str, ...]:
    f = cell.forecast
    return (
        cell.protocol + (f", fold {cell.fold}" if cell.fold else ""),
        cell.labels,
        cell.recipe,
        str(cell.seed),
        formatting.percent(f.teacher_accuracy),
        formatting.percent(f.student_accuracy),
        "–" if f.teaches is None else formatting.percent(f.teaches),
        f.verdict,
        formatting.points(cell.gain),
        formatting.p_value(cell.p_value),
        "yes" if cell.right else "no, the opposite" if cell.opposite else f"no: {cell.outcome}",
    )


def read_cells(path: Path) -> tuple[Cell, ...]:
    """Read a forecast.json.

    Raises:
        DataError: it is missing, or does not fit the schema.
    """
    cells: tuple[Cell, ...] = read_json(path, tuple[Cell, ...], DataError, "Run vskd.study.forecast_check again")
    return cells


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line: `forecast_check COMPARISON... --out FOLDER`; returns the exit code."""
    parser = argparse.ArgumentParser(prog="forecast_check", description="How often the forecast was right.")
    parser.add_argument("comparisons", type=Path, nargs="+", help="output folders of `vskd compare`")
    parser.add_argument("--out", type=Path, required=True, help="folder to keep under version control")
    options = parser.parse_args(arguments)
    try:
        cells = [cell for comparison in options.comparisons for cell in cells_of(comparison)]
        write_json(options.out / "forecast.json", [cell.model_dump() for cell in cells])
        write_text(options.out / "README.md", to_markdown(cells))
    except VskdError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
