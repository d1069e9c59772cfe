"""The recipe itself: its sections, its validation and its hash."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, ValidationError

from vskd.errors import RecipeError
from vskd.files import sha256_json
from vskd.recipe.explain import explain
from vskd.recipe.overrides import with_overrides
from vskd.recipe.sections import (
    AugmentationSection,
    DatasetSection,
    DistillerSection,
    EncodingSection,
    ExportSection,
    FramesSection,
    ImagesSection,
    Section,
    SensorSection,
    StudentSection,
    TeacherSection,
    TrainingSection,
)


class Recipe(Section):
    """One experiment: data set, teacher, student and distiller, with everything that decides its numbers."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]*$")]
    description: str = ""
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    dataset: DatasetSection
    sensor: SensorSection = SensorSection()
    encoding: EncodingSection = EncodingSection()
    augmentation: AugmentationSection = AugmentationSection()
    frames: FramesSection = FramesSection()
    images: ImagesSection = ImagesSection()
    teacher: TeacherSection = TeacherSection()
    student: StudentSection = StudentSection()
    distiller: DistillerSection = DistillerSection()
    training: TrainingSection = TrainingSection()
    export: ExportSection = ExportSection()

    def updated(self, *overrides: str) -> "Recipe":
        """A copy with `key.path=value` overrides applied and validated again."""
        return parse_recipe(with_overrides(self.model_dump(mode="json"), overrides), source=f"recipe {self.name}")

    def hash_of(self, *keys: str) -> str:
        """Hash of the named top-level parts, without the data set's place on disk (the same data may live elsewhere),
        and without `later` keys at their default (see `Section`)."""
        content = {key: _hashed(getattr(self, key)) for key in keys}
        if isinstance(content.get("dataset"), dict):
            content["dataset"].pop("path", None)
        return sha256_json(content)

    @property
    def student_stream(self) -> str:
        """Name of the stream that the student sees."""
        return {"sensor": self.dataset.sensor, "image": self.dataset.image}[self.student.input]

    @property
    def teacher_stream(self) -> str:
        """Name of the stream that the teacher sees."""
        return {"video": self.dataset.video, "image": self.dataset.image}[self.teacher.input]

    @property
    def teacher_seed(self) -> int:
        """The seed of the teacher's training."""
        return self.seed if self.teacher.seed is None else self.teacher.seed


def _hashed(value: Any) -> Any:
    """What of a setting or section goes into a hash."""
    if not isinstance(value, Section):
        return value
    fields = type(value).model_fields
    return {
        name: _hashed(getattr(value, name))
        for name, field in fields.items()
        if not (name in value.later and getattr(value, name) == field.default)
    }


def parse_recipe(content: Any, source: str) -> Recipe:
    """Validate the content of a recipe.

    Raises:
        RecipeError: names every problem with its key's path.
    """
    if not isinstance(content, Mapping):
        raise RecipeError(f"{source} is not a mapping of keys to values", "See `vskd recipe show NAME` for an example")
    try:
        return Recipe.model_validate(content)
    except ValidationError as error:
        problems = "; ".join(explain(dict(e), Recipe) for e in error.errors())
        raise RecipeError(f"{source} has {error.error_count()} problem(s): {problems}", "Correct these keys") from error
