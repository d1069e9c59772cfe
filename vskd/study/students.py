"""Who is trained in a comparison: every recipe in every fold, of every seed, and whose runs teach them."""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from vskd.datasets.recording import Index
from vskd.datasets.splits.protocol import load_protocol
from vskd.distillation.experiment import read_index, streams_in_use
from vskd.distillation.run import RunFolder
from vskd.errors import ProtocolError
from vskd.recipe import DECIDING, Recipe

ALL_FOLDS = "all"
"""As `dataset.fold` of a recipe to compare: every fold of its protocol, in one table."""


def teacher_key(recipe: Recipe, number: int = 0) -> str:
    """Recipes with the same key share one teacher, and so one training and one cache."""
    return recipe.of_teacher(number).hash_of(*DECIDING)[:12]


ReadIndex = Callable[[Recipe], Index]


def in_folds(recipe: Recipe, index_of: ReadIndex = read_index) -> dict[Path, Recipe]:
    """The recipe once per fold that it asks for, and the folder under which the runs of each belong.

    Args:
        recipe: may ask for all.
        index_of: reads the index of its data set.

    Raises:
        ProtocolError: it asks for all folds of a protocol that has none.
        RecipeError: it asks for all folds, but names no data.
    """
    dataset = recipe.dataset
    if dataset.fold != ALL_FOLDS:
        return {Path(): recipe}
    names = load_protocol(dataset.name, dataset.protocol).fold_names(index_of(recipe))
    if not names:
        raise ProtocolError(f"Protocol {dataset.protocol} has no folds", "Leave --fold out")
    folds = {Path(f"fold-{name}"): dataset.model_copy(update={"fold": name}) for name in names}
    return {folder: recipe.model_copy(update={"dataset": section}) for folder, section in folds.items()}


@dataclass(frozen=True)
class Student:
    """One recipe, fold and seed.

    Attributes:
        recipe: with its seed.
        run: the student's folder.
        teachers: folders of the recipe's teachers, in its order; those that the student has, or is compared with.
    """

    recipe: Recipe
    run: Path
    teachers: tuple[Path, ...]

    def rows(self, further: Path | None) -> list[tuple[Path, str, bool]]:
        """Folders of results, each with the name of its row, and whether it is there as a teacher.

        Teachers, student, and what `after_run` added; all have the recipe's name but further teachers.
        """
        name = self.recipe.name
        own = [self.run, *([further] if further is not None else [])]
        return [
            *((path, name, True) for path in self.teachers[:1]),
            *((path, name, False) for path in own),
            *((path, f"{name}, teacher {number}", True) for number, path in enumerate(self.teachers[1:], 1)),
        ]


def students_of(
    recipes: Sequence[Recipe], seeds: Sequence[int], out: Path, teachers: Path, index_of: ReadIndex = read_index
) -> list[Student]:
    """All that are trained; those that listen to nobody keep only teachers that another one listens to."""
    by_recipe = [in_folds(recipe, index_of) for recipe in recipes]
    students = [
        Student(
            seeded := recipe.with_seed(seed),
            out / "runs" / recipe.name / fold / f"seed{seed}",
            tuple(_teacher_run(seeded, number, teachers, fold) for number in range(len(recipe.teachers))),
        )
        for seed in seeds
        for folds in by_recipe
        for fold, recipe in folds.items()
    ]
    heard = {run for s in students if s.recipe.distiller.needs_teacher for run in s.teachers}
    return _taught_by_twins(
        [s if heard.issuperset(s.teachers) else dataclasses.replace(s, teachers=()) for s in students], index_of
    )


def _taught_by_twins(students: Sequence[Student], index_of: ReadIndex) -> list[Student]:
    """The students, those that teach themselves with their finished twin without a teacher as theirs.

    The two trainings are the same, bit by bit: same recipe, seed, fold and recordings. The recordings differ where some
    lack a stream of the teachers that the twin is compared with: it learns from the others alone, a teacher from all
    that it sees. There, and where the teacher was trained already, it stays a run of its own.
    """
    alone = {s.recipe.hash_of(*DECIDING): s for s in students if not s.recipe.distiller.needs_teacher}

    def same_recordings(twin: Student) -> bool:
        own, paired = (streams_in_use(twin.recipe, with_teachers=there) for there in (False, bool(twin.teachers)))
        return own == paired or _all_paired(twin.recipe, index_of, own, paired)

    def teachers(student: Student) -> Iterator[Path]:
        own = student.recipe.undistilled().hash_of(*DECIDING)
        for number, run in enumerate(student.teachers):
            alike = own in alone and student.recipe.of_teacher(number).hash_of(*DECIDING) == own
            if not alike or RunFolder(run).training_file.is_file() or not same_recordings(alone[own]):
                yield run
            elif student is not alone[own]:  # nobody is compared with itself
                yield alone[own].run

    return [dataclasses.replace(student, teachers=tuple(teachers(student))) for student in students]


def _all_paired(recipe: Recipe, index_of: ReadIndex, own: tuple[str, ...], paired: tuple[str, ...]) -> bool:
    """Whether every recording of a data set that has the streams `own` has those of `paired`, too."""
    if recipe.dataset.path is None:
        return False
    index = index_of(recipe).everything
    return index.with_streams(own) == index.with_streams(paired)


def _teacher_run(recipe: Recipe, number: int, teachers: Path, fold: Path) -> Path:
    """Where one of a recipe's teachers lies."""
    return teachers / fold / f"{teacher_key(recipe, number)}-seed{recipe.of_teacher(number).seed}"
