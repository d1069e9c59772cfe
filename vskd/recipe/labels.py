"""Which training recordings carry labels; the rest are unlabelled pairs."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, model_validator

from vskd.datasets.recording import Recording
from vskd.datasets.splits.labels import labelled_fraction, labelled_where
from vskd.errors import RecipeError, SettingError
from vskd.files import sha256_json
from vskd.schema import Seed, Strict

Some = Annotated[tuple[str, ...], Field(min_length=1)]


class Labels(Strict):
    """Which recordings of the training part carry labels; all, where nothing is said.

    The labels of the others are taken away before a student or a teacher is trained: they are pairs without labels, of
    use only where a teacher speaks of them. Validation and test keep theirs.

    Attributes:
        subjects, trials: those whose recordings do.
        fraction: of the recordings, drawn within every class and subject.
        seed: of that draw.
        ids: CSV file with a column `id`: the recordings that do.
    """

    subjects: Some | None = None
    trials: Some | None = None
    fraction: Annotated[float, Field(gt=0, le=1)] | None = None
    seed: Seed | None = None
    ids: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _names_are_text(cls, content: Any) -> Any:
        """Subjects and trials are names: 1 means "1"."""
        if not isinstance(content, dict):
            return content
        named = {
            key: tuple(str(value) for value in content[key])
            for key in ("subjects", "trials")
            if isinstance(content.get(key), list | tuple)
        }
        return {**content, **named}

    @model_validator(mode="after")
    def _one_rule(self) -> "Labels":
        said = [key for key in ("subjects", "trials", "fraction", "ids") if getattr(self, key) is not None]
        if len(said) > 1:
            raise ValueError(f"say one of {' and '.join(said)}, not both")
        if self.seed is not None and self.fraction is None:
            raise ValueError("seed does nothing here: it counts only with fraction")
        return self

    @property
    def title(self) -> str:
        """For tables: `all`, `subjects 1`, `10 %` ..."""
        if self.fraction is not None:
            return f"{100 * self.fraction:g} %" + (f" (draw {self.seed})" if self.seed else "")
        if self.ids is not None:
            return f"ids of {Path(self.ids).name}"
        for key, values in (("subjects", self.subjects), ("trials", self.trials)):
            if values is not None:
                return f"{key} {', '.join(values)}"
        return "all"

    def labelled(self, recordings: Sequence[Recording]) -> frozenset[str]:
        """Ids of those of the training recordings that carry labels.

        Raises:
            RecipeError: a subject, trial or id that no training recording has, or an unreadable list.
        """
        try:
            if self.fraction is not None:
                return labelled_fraction(recordings, self.fraction, self.seed or 0)
            for field, values in (("subject", self.subjects), ("trial", self.trials), ("id", self._listed())):
                if values is not None:
                    return labelled_where(recordings, field, values)
        except RecipeError:
            raise
        except SettingError as error:
            raise RecipeError(error.problem, error.action) from error
        return frozenset(r.id for r in recordings)

    def _listed(self) -> tuple[str, ...] | None:
        if self.ids is None:
            return None
        try:
            with Path(self.ids).open(encoding="utf-8-sig", newline="") as file:
                rows = list(csv.DictReader(file))
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise RecipeError(f"labels.ids: {self.ids} cannot be read: {error}", "Check the path") from error
        if not rows or "id" not in rows[0]:
            raise RecipeError(f"labels.ids: {self.ids} has no column 'id'", "Begin the file with a line `id`")
        return tuple(row["id"] for row in rows)


def labels_hash(labelled: frozenset[str]) -> str:
    """Hash of who carries labels; equal for exactly the same recordings."""
    return sha256_json(sorted(labelled))
