"""What was foretold of a comparison's students before they were trained, and whether it came true."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from vskd.errors import DataError
from vskd.evaluation.finished import PREDICTIONS
from vskd.evaluation.forecast import Forecast, finished_twin, forecast_before
from vskd.evaluation.predictions import read_csv
from vskd.files import write_json
from vskd.recipe import Recipe
from vskd.schema import read_json
from vskd.study.comparison_schema import Comparison, Foretold
from vskd.study.forecast_check import came_true, outcome_of


def forecast_file(run: Path) -> Path:
    """What was said before a student's training; beside its run, which is not begun yet when it is said."""
    return run.with_name(f"{run.name}-forecast.json")


@dataclass(frozen=True)
class Foretelling:
    """Called by a training once its teachers are finished; can be pickled.

    Attributes:
        recipe: of the student, with its seed.
        run: of the student.
        say: gets one line for people.
    """

    recipe: Recipe
    run: Path
    say: Callable[[str], None]

    def __call__(self, teachers: Sequence[Path]) -> None:
        """Say the forecast, and keep it beside the run, where a twin without a teacher is finished."""
        made = forecast_before(self.recipe, self.run, teachers)
        if made is not None:
            write_json(forecast_file(self.run), made.model_dump())
            self.say(f"forecast for {self.recipe.name}, seed {self.recipe.seed}: {made}")


def foretold(recipe: Recipe, run: Path) -> Foretold | None:
    """What was foretold of a finished student, beside what came; None where nothing was.

    Raises:
        DataError: the file is damaged.
    """
    file = forecast_file(run)
    twin = finished_twin(recipe, run) if file.is_file() else None
    if twin is None:
        return None
    made: Forecast = read_json(file, Forecast, DataError, f"Delete {file}")
    taught, alone = (read_csv(one / PREDICTIONS) for one in (run, twin))
    gain, p_value, outcome = outcome_of(taught, alone)
    return Foretold(
        fold=recipe.dataset.fold,
        seed=recipe.seed,
        verdict=made.verdict,
        reason=made.reason,
        gain=gain,
        p_value=p_value,
        outcome=outcome,
        right=came_true(made.verdict, outcome),
    )


def with_forecasts(comparison: Comparison, students: Sequence[tuple[str, Recipe, Path]]) -> Comparison:
    """The comparison, its rows of students with what was foretold of them.

    Args:
        comparison: of these runs.
        students: name of the row, recipe with its seed and fold, run.
    """
    said: dict[str, list[Foretold]] = {}
    for name, recipe, run in students:
        made = foretold(recipe, run)
        if made is not None:
            said.setdefault(name, []).append(made)
    rows = tuple(
        row.model_copy(update={"forecasts": tuple(said[row.recipe])})
        if row.kind == "student" and row.recipe in said
        else row
        for row in comparison.rows
    )
    return comparison.model_copy(update={"rows": rows})
