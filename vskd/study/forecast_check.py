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
FORECASTS = "forecast.json"
EXPECTED: dict[str, Outcome] = {"will help": "helped", "will not help": "no difference", "will hurt": "hurt"}
"""What a verdict foretells; `cannot say` foretells nothing."""


class Cell(Strict):
    """One student with a teacher, and what had been foretold of it.

    Attributes:
        dataset, protocol, fold, labels, recipe, seed: which.
        forecast: from validation recordings.
        gain: accuracy on the test part over that of the twin without a teacher; p_value: of McNemar's test, two-sided.
        outcome: by the sign of the gain, where it is beyond chance at `LEVEL`.
        published: comparison that the outcome is taken from, where the forecast was made afterwards, see
            `vskd.study.forecast_published`; then `gain` is the mean over its `seeds`, `outcome` says on which side of 0
            its interval over subjects lies, and `p_value` is of the permutation test over subjects.
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
    published: str | None = None
    seeds: tuple[Size, ...] = ()

    @property
    def right(self) -> bool | None:
        """Whether it came as foretold; None where nothing was."""
        return came_true(self.forecast.verdict, self.outcome)

    @property
    def opposite(self) -> bool:
        """Whether it helped where it should hurt, or the other way round."""
        return {self.outcome, EXPECTED.get(self.forecast.verdict)} == {"helped", "hurt"}


def came_true(verdict: str, outcome: Outcome) -> bool | None:
    """Whether a verdict and an outcome agree; None where the verdict foretells nothing."""
    return EXPECTED[verdict] == outcome if verdict in EXPECTED else None


def outcome_of(taught: Predictions, alone: Predictions) -> tuple[float, float, Outcome]:
    """Gain in accuracy on the test part, its p-value, and what that means.

    Raises:
        ProtocolError: they are not of the same recordings.
    """
    test = mcnemar(taught, alone)
    gain = (test.only_candidate - test.only_baseline) / test.n
    return gain, test.p_value, meaning(gain, test.p_value)


def meaning(gain: float, p_value: float) -> Outcome:
    """What a gain says that a test gives this p-value."""
    if p_value > LEVEL:
        return "no difference"
    return "helped" if gain > 0 else "hurt"


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
    *("protocol", "labels", "teacher of", "seeds", "n, validation", "teacher", "student alone"),
    *("right where it is wrong", "forecast", "gain on test", "p", "came true"),
)


def to_markdown(cells: Sequence[Cell]) -> str:
    """The table, and how often the forecast was right."""
    rows = [HEADER, ("---",) * len(HEADER), *(_cells(cell) for cell in cells)]
    lines = [f"| {' | '.join(row)} |" for row in rows]
    judged = [cell for cell in cells if cell.right is not None]
    right, opposite = sum(cell.right is True for cell in judged), sum(cell.opposite for cell in judged)
    by_verdict = []
    for verdict, outcome in EXPECTED.items():
        said = [cell for cell in cells if cell.forecast.verdict == verdict]
        by_verdict.append(f"{verdict}: {sum(cell.right is True for cell in said)} of {len(said)} ({outcome})")
    summary = (
        f"The forecast came true in {right} of {len(judged)} cells; in {opposite} the opposite happened. By what was "
        f"said: {'; '.join(by_verdict)}. An outcome counts as a difference where McNemar's test says so at "
        f"{100 * LEVEL:g} % on the test recordings of one seed; of several, where the 95 % interval over subjects and "
        "seeds leaves 0 out (p is of the permutation test over subjects, 0.125 or more for four). These are few cells, "
        "and cells of one label setting share the student without a teacher, so that they are not independent."
    )
    if len(judged) < len(cells):
        summary += f" Of {len(cells) - len(judged)} further cells the forecast cannot say anything."
    parts = [*lines, "", summary]
    if any(cell.published for cell in cells):
        parts += ["", _AFTERWARDS]
    return "\n".join(["# Forecasts and what came of them", "", *parts]) + "\n"


_AFTERWARDS = (
    "A name in brackets is the published comparison that the outcome is taken from. It kept no validation recordings, "
    "so the forecast was made afterwards: its teachers and the student without one were trained once more, of the "
    "first seed, without the recordings that the protocol sets aside for validation."
)


def _cells(cell: Cell) -> tuple[str, ...]:
    f = cell.forecast
    return (
        cell.protocol + (f", fold {cell.fold}" if cell.fold else ""),
        cell.labels,
        cell.recipe + (f" ({cell.published})" if cell.published else ""),
        ", ".join(str(seed) for seed in cell.seeds or (cell.seed,)),
        str(f.n),
        formatting.percent(f.teacher_accuracy),
        formatting.percent(f.student_accuracy),
        "–" if f.teaches is None else formatting.percent(f.teaches),
        f.verdict,
        formatting.points(cell.gain),
        formatting.p_value(cell.p_value),
        _came(cell),
    )


def _came(cell: Cell) -> str:
    if cell.right is None:
        return "–"
    return "yes" if cell.right else "no, the opposite" if cell.opposite else f"no: {cell.outcome}"


def read_cells(path: Path) -> tuple[Cell, ...]:
    """Read a forecast.json.

    Raises:
        DataError: it is missing, or does not fit the schema.
    """
    cells: tuple[Cell, ...] = read_json(path, tuple[Cell, ...], DataError, "Run vskd.study.forecast_check again")
    return cells


def write_cells(cells: Sequence[Cell], out: Path) -> None:
    """Write forecast.json and the table into a folder."""
    write_json(out / FORECASTS, [cell.model_dump() for cell in cells])
    write_text(out / "README.md", to_markdown(cells))


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line: `forecast_check COMPARISON... --out FOLDER`; returns the exit code."""
    parser = argparse.ArgumentParser(prog="forecast_check", description="How often the forecast was right.")
    parser.add_argument("comparisons", type=Path, nargs="+", help="output folders of `vskd compare`")
    parser.add_argument("--out", type=Path, required=True, help="folder to keep under version control")
    options = parser.parse_args(arguments)
    try:
        cells = [cell for comparison in options.comparisons for cell in cells_of(comparison)]
        write_cells(cells, options.out)
    except VskdError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
