"""The recipe itself: assembled from the catalogs of modalities, networks and losses; its validation and its hash."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, model_validator

from vskd.errors import RecipeError
from vskd.files import sha256_json
from vskd.models.catalog import NETWORKS
from vskd.recipe.dataset import Dataset
from vskd.recipe.distiller import Distiller, expanded_distiller, terms_that_reuse
from vskd.recipe.expand import expanded
from vskd.recipe.export import Export, changeable_export, complete_export
from vskd.recipe.labels import Labels
from vskd.recipe.overrides import changeable, with_overrides
from vskd.recipe.roles import Role, Teacher
from vskd.schema import Count, Seed, Strict, explain, parse

VERSION = 2
"""Of the schema; written into every complete recipe. Version 1 had slots by modality in place of roles."""


class Recipe(Strict):
    """One experiment: data set, teachers, student and distiller, with everything that decides its numbers.

    Attributes:
        version: of the schema, in complete recipes; None in files that leave defaults to the data set.
        name, description: for people.
        seed: of everything random.
        threads: of torch on the CPU; another number rounds otherwise, and gives other weights of the same seed. None
            takes what the machine offers.
        dataset, labels, student, teachers, distiller, export: see their classes.
    """

    version: Literal[2] | None = None
    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]*$")]
    description: str = ""
    seed: Seed = 0
    threads: Count | None = None
    dataset: Dataset
    labels: Labels = Labels()
    student: Role
    teachers: tuple[Teacher, ...] = ()
    distiller: Distiller
    export: Export = Export()

    @model_validator(mode="before")
    @classmethod
    def _complete_export(cls, content: Any) -> Any:
        """Fill in what of `export` depends on the student."""
        if not isinstance(content, Mapping) or not isinstance(content.get("export", {}), Mapping):
            return content
        student = content.get("student")
        sees, network = ((student.get(key) if isinstance(student, Mapping) else None) for key in ("sees", "network"))
        if not isinstance(sees, Mapping) or not isinstance(network, Mapping):
            return content
        export = complete_export(content.get("export", {}), str(sees.get("modality")), str(network.get("name")))
        return {**content, "export": export}

    @model_validator(mode="after")
    def _teachers_are_there(self) -> "Recipe":
        if self.distiller.needs_teacher and not self.teachers:
            raise ValueError(
                f"distiller '{self.distiller.title}' needs a teacher: add one to `teachers`, or set distiller to none"
            )
        return self

    @model_validator(mode="after")
    def _several_are_fused(self) -> "Recipe":
        heard = len(self.teachers) if self.distiller.needs_teacher else 0
        if self.distiller.fusion != "equal" and heard < 2:
            raise ValueError(
                f"distiller.fusion does nothing here: it weighs several teachers, and {heard} is listened to. Name "
                "several, or leave it out"
            )
        return self

    @property
    def for_microcontrollers(self) -> bool:
        """Whether the student is made for a microcontroller: its hardware budget says so, or it has none and its
        network is one of the small ones that take the raw window."""
        if self.export.budget is not None:
            return self.export.budget.for_microcontrollers
        return self.student.sees.modality == "window" and NETWORKS[self.student.network.name].kind == "series"

    @model_validator(mode="after")
    def _a_reused_classifier_has_its_place(self) -> "Recipe":
        reusing = terms_that_reuse(self.distiller.terms)
        if not reusing:
            return self
        why = f"loss term '{reusing[0]}' reuses the teacher's classifier"
        if self.student.head is None:
            raise ValueError(f"{why}: set student.head.width to the width of the teacher's embedding, e.g. 128")
        if self.student.training.ridge is not None:
            raise ValueError(f"{why}, which student.training.ridge would overwrite: leave one of the two out")
        if len(self.teachers) > 1:
            raise ValueError(f"{why}, and {len(self.teachers)} teachers have no common one: name one teacher")
        if any(teacher.cross_fit is not None for teacher in self.teachers):
            raise ValueError(f"{why}, and each teacher of a cross-fit has its own: leave teachers.0.cross_fit out")
        return self

    def updated(self, *overrides: str) -> "Recipe":
        """A copy with `key.path=value` overrides applied and validated again."""
        content = changeable(self)
        content["export"] = changeable_export(content["export"])
        return parse_recipe(with_overrides(content, overrides), source=f"recipe {self.name}")

    def with_seed(self, seed: int) -> "Recipe":
        """The same experiment with another seed."""
        return self.model_copy(update={"seed": seed})

    def of_teacher(self, number: int = 0) -> "Recipe":
        """The recipe by which a teacher is trained: it is the student, and nobody guides it.

        Args:
            number: of the teacher.

        Raises:
            RecipeError: there is no such teacher.
        """
        if number >= len(self.teachers):
            raise RecipeError(
                f"Recipe {self.name} has {len(self.teachers)} teacher(s); there is no number {number}",
                "Add one to `teachers`, see `vskd recipe show vskd`",
            )
        teacher = self.teachers[number].model_dump(mode="json")
        seed, labels, *_ = (teacher.pop(key) for key in ("seed", "labels", "cross_fit", "views"))
        content = {
            "version": VERSION,
            "name": self.name,
            "description": f"teacher of {self.name}",
            "seed": self.seed if seed is None else seed,
            "threads": self.threads,
            "dataset": self.dataset.model_dump(mode="json"),
            "labels": self.labels.model_dump(mode="json") if labels is None else labels,
            "student": teacher,
            "distiller": expanded_distiller("none"),
        }
        return parse_recipe(content, source=f"teacher {number} of recipe {self.name}")

    def undistilled(self) -> "Recipe":
        """The twin without a teacher: same student, budget, initial weights, splits and batches."""
        content = self.model_dump(mode="json") | {"distiller": expanded_distiller("none")}
        return parse_recipe(content, source=f"recipe {self.name}")

    def hash_of(self, *keys: str) -> str:
        """Hash of the named top-level parts, without the data set's place on disk: the same data may live elsewhere."""
        content = {key: self.model_dump(mode="json")[key] for key in keys}
        if isinstance(content.get("dataset"), dict):
            content["dataset"].pop("path", None)
        for (part, key), default in _SINCE.items():
            if part in content and content[part].get(key) == default:
                del content[part][key]
        return sha256_json(content)


_SINCE: Mapping[tuple[str, str], Any] = {
    ("distiller", "untrained"): False,
    ("distiller", "confidence"): None,
    ("distiller", "fusion"): "equal",
    ("dataset", "leave_out"): None,
    ("labels", "untested_subjects"): None,
    ("student", "head"): None,
}
"""Keys that came later -> what recipes of before meant by their absence; their hashes stay what they were."""

DECIDING = ("seed", "dataset", "labels", "student", "distiller")
"""The parts that decide what a run computes; its teachers are told apart by the hashes of their weights."""


def parse_recipe(content: Any, source: str) -> Recipe:
    """Validate the content of a recipe.

    Raises:
        RecipeError: names every problem with its key's path.
    """
    if not isinstance(content, Mapping):
        raise RecipeError(f"{source} is not a mapping of keys to values", "See `vskd recipe show NAME` for an example")
    try:
        recipe: Recipe = parse(Recipe, {**expanded(dict(content)), "version": VERSION})
    except ValidationError as error:
        problems = "; ".join(explain(error, Recipe))
        raise RecipeError(f"{source} has {error.error_count()} problem(s): {problems}", "Correct these keys") from error
    return recipe
