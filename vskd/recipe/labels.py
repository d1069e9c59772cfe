"""Which training recordings carry labels; the rest are unlabelled pairs."""

from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from vskd.datasets.recording import Recording
from vskd.datasets.splits.labels import labelled_fraction, labelled_where
from vskd.errors import DataError, RecipeError, as_recipe_error, first_few, repeated
from vskd.preprocessing.table_file import read_rows
from vskd.schema import Seed, Strict


def _once(values: tuple[str, ...]) -> tuple[str, ...]:
    if several := repeated(values):
        raise ValueError(f"names more than once: {several}")
    return values


Some = Annotated[tuple[str, ...], Field(min_length=1), AfterValidator(_once)]
NAMED = {"subjects": "subject", "trials": "trial", "classes": "class"}
"""Keys that list names -> what one of them is called."""


class Labels(Strict):
    """Which recordings of the training part carry labels; all, where nothing is said.

    The labels of the others are taken away before a student or a teacher is trained: they are pairs without labels, of
    use only where a teacher speaks of them. Validation and test keep theirs.

    Attributes:
        subjects, trials, classes: those whose recordings do.
        untested_subjects: those do whom the protocol (of its folds, this one) does not test.
        fraction: of the recordings, drawn within every class and, as far as it goes, subject.
        seed: of that draw.
        ids: CSV file with a column `id`: the recordings that do.
    """

    subjects: Some | None = None
    trials: Some | None = None
    classes: Some | None = None
    untested_subjects: Literal[True] | None = None
    fraction: Annotated[float, Field(gt=0, le=1)] | None = None
    seed: Seed | None = None
    ids: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _names_are_text(cls, content: Any) -> Any:
        """Subjects, trials and classes are names: 1 means "1"."""
        if not isinstance(content, dict):
            return content
        named = {
            key: tuple(str(value) for value in content[key])
            for key in NAMED
            if isinstance(content.get(key), list | tuple)
        }
        return {**content, **named}

    @model_validator(mode="after")
    def _one_rule(self) -> "Labels":
        said = [key for key in (*NAMED, "untested_subjects", "fraction", "ids") if getattr(self, key) is not None]
        if len(said) > 1:
            raise ValueError(f"give one of {', '.join(said)} alone")
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
        if self.untested_subjects:
            return "untested subjects"
        for key in NAMED:
            values = getattr(self, key)
            if values is not None:
                return f"{key if len(values) > 1 else NAMED[key]} {', '.join(values)}"
        return "all"

    def labelled(
        self, recordings: Sequence[Recording], class_names: Sequence[str], tested: Collection[str]
    ) -> frozenset[str]:
        """Ids of those of the training recordings that carry labels.

        Args:
            recordings: of the protocol's training part, with whatever streams they have, so that students and teachers
                of different streams agree.
            class_names: in order of class number.
            tested: subjects of the protocol's test part.

        Raises:
            RecipeError: a subject, trial, class or id that no training recording has, an unreadable list, or
                `untested_subjects` where no training recording or every one is of a tested subject.
        """
        if self.untested_subjects:
            return _of_untested(recordings, tested)
        if self.fraction is not None:
            return labelled_fraction(recordings, self.fraction, self.seed or 0)
        values_of: dict[str, tuple[tuple[str, ...] | None, Callable[[Recording], str]]] = {
            "subject": (self.subjects, lambda r: r.subject),
            "trial": (self.trials, lambda r: r.trial),
            "class": (self.classes, lambda r: class_names[r.label]),
            "id": (self._listed(), lambda r: r.id),
        }
        with as_recipe_error("labels" if self.ids is None else f"labels.ids: {self.ids}"):
            for field, (values, value_of) in values_of.items():
                if values is not None:
                    return labelled_where(recordings, field, values, value_of)
        return frozenset(r.id for r in recordings)

    def _listed(self) -> tuple[str, ...] | None:
        if self.ids is None:
            return None
        try:
            rows = read_rows(Path(self.ids))
        except DataError as error:
            raise RecipeError(f"labels.ids: {self.ids} cannot be read: {error.problem}", error.action) from error
        if not rows or "id" not in rows[0]:
            raise RecipeError(
                f"labels.ids: {self.ids} has no column 'id', or no line below it",
                "Write the word id into its first line, and a recording into each of the others",
            )
        ids = tuple(row["id"] for row in rows)
        empty = [str(line) for line, i in enumerate(ids, 2) if not i]
        if empty:
            raise RecipeError(f"labels.ids: {self.ids}, line {first_few(empty, 6, ', ')}: no id", "Complete the list")
        if several := repeated(ids):
            raise RecipeError(f"labels.ids: {self.ids} names more than once: {several}", "Name each recording once")
        return ids


def _of_untested(recordings: Sequence[Recording], tested: Collection[str]) -> frozenset[str]:
    """Ids of the recordings of the others.

    Raises:
        RecipeError: there are none, or no others.
    """
    chosen = frozenset(r.id for r in recordings if r.subject not in tested)
    if len(chosen) == len(recordings):
        raise RecipeError(
            "labels.untested_subjects does nothing here: no training recording is of a subject whom the protocol tests",
            "Leave it out, or choose a protocol such as enrolment of utd-mhad",
        )
    if not chosen:
        raise RecipeError(
            "labels.untested_subjects leaves no label: the protocol tests every subject of the training part",
            "Say otherwise who carries labels, e.g. by trials",
        )
    return chosen
