"""The recipe: one experiment as strict, validated YAML.

Unknown keys are refused, all problems are reported at once, and every message gives the key's path and, for a
misspelled key or name, the nearest valid one. Components never see a recipe; they take plain arguments.
"""

import difflib
import math
import types
import typing
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from vskd.errors import RecipeError
from vskd.files import sha256_json

RECIPES_FOLDER = Path(__file__).parent / "recipes"

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NonNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Fraction = Annotated[float, Field(ge=0, lt=1)]
Count = Annotated[int, Field(ge=1)]


class Section(BaseModel):
    """A part of a recipe: immutable, unknown keys refused, no silent conversion of types."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class DatasetSection(Section):
    """Which recordings, and how they are split."""

    name: str
    path: str | None = None
    protocol: str = "cross-subject"
    fold: str | None = None
    sensor: str = "accelerometer"
    video: str = "depth"
    max_bad_fraction: Fraction = 0.02


class SensorSection(Section):
    """How a recording becomes windows of `length` samples.

    `whole`: the whole recording is resampled to `length`. `sliding`: resampled to `rate_hz`, then cut every `stride`
    samples.
    """

    window: Literal["whole", "sliding"] = "whole"
    length: Annotated[int, Field(ge=8, le=8192)] = 128
    rate_hz: Positive | None = None
    stride: Count | None = None

    @model_validator(mode="after")
    def _sliding_is_complete(self) -> "SensorSection":
        if self.window == "sliding" and (self.rate_hz is None or self.stride is None):
            raise ValueError("sliding windows need both rate_hz and stride")
        return self


class EncodingSection(Section):
    """How a window becomes the network's input; `limit` is the range of fixed scaling, in the stream's unit."""

    method: Literal["raw", "gasf", "gadf", "gasf+gadf"] = "gasf+gadf"
    scaling: Literal["minmax", "fixed"] = "fixed"
    limit: Positive = 4.0
    image_size: Annotated[int, Field(ge=4, le=1024)] = 64


class AugmentationSection(Section):
    """Random changes of training windows, drawn anew every epoch from the run's seed; all zero means none."""

    rotation_deg: NonNegative = 0.0
    scale: NonNegative = 0.0
    jitter: NonNegative = 0.0
    time_warp: Fraction = 0.0
    crop: Fraction = 0.0


class FramesSection(Section):
    """How video frames are stored, once, for the teacher."""

    size: Annotated[int, Field(ge=16, le=1024)] = 224
    fit: Literal["squash", "centre-crop", "foreground"] = "centre-crop"


class TrainingSection(Section):
    """Budget and optimiser of one training.

    `select`: keep the epoch that is best on the validation recordings, or the last one. `validation`: where the
    protocol has no validation part, `carve` one out of the training subjects (or trials), or train on all of them
    (`none`, needs `select: last`).
    """

    epochs: Count = 100
    batch_size: Count = 16
    optimizer: Literal["adam", "adamw", "sgd"] = "adam"
    learning_rate: Positive = 2e-4
    weight_decay: NonNegative = 1e-5
    momentum: Fraction = 0.9
    schedule: Literal["constant", "step", "cosine", "onecycle"] = "constant"
    step_epochs: Count = 50
    warmup: Fraction = 0.15
    label_smoothing: Fraction = 0.0
    gradient_clip: NonNegative = 0.0
    validation: Literal["carve", "none"] = "carve"
    select: Literal["best", "last"] = "best"
    precision: Literal["float32", "bfloat16"] = "float32"

    @model_validator(mode="after")
    def _selection_needs_validation(self) -> "TrainingSection":
        if self.select == "best" and self.validation == "none":
            raise ValueError(
                "select 'best' needs validation recordings: set validation to 'carve', or select to 'last'"
            )
        return self


class TeacherSection(Section):
    """The video network that teaches. The defaults of its training are those of the TRN paper's code.

    `seed`: the teacher's own seed; None follows the recipe's seed, a number shares one teacher among all student seeds.
    """

    network: str = "trn"
    backbone: Literal["bn-inception", "resnet18"] = "bn-inception"
    segments: Annotated[int, Field(ge=2, le=64)] = 8
    feature_size: Count = 300
    feature_init_std: Positive = 0.001
    dropout: Fraction = 0.5
    weights: str | None = None
    crop: Fraction = 0.0
    seed: Annotated[int, Field(ge=0, lt=2**31)] | None = None
    training: TrainingSection = TrainingSection(
        epochs=100,
        batch_size=8,
        optimizer="sgd",
        learning_rate=1e-3,
        weight_decay=5e-4,
        schedule="step",
        step_epochs=50,
    )


class StudentSection(Section):
    """The network that is shipped."""

    network: str = "resnet18"
    embedding_size: Count = 300
    dropout: Fraction = 0.0
    weights: str | None = None


class LossWeights(Section):
    """Weights of the loss terms; one left out is the distiller's own default, one the distiller lacks is not used."""

    cross_entropy: NonNegative | None = None
    soft: NonNegative | None = None
    semantic: NonNegative | None = None
    distance: NonNegative | None = None
    angle: NonNegative | None = None


class DistillerSection(Section):
    """How the teacher's outputs guide the student."""

    name: str = "dask"
    temperature: Positive = 4.0
    weights: LossWeights = LossWeights()


class ExportSection(Section):
    """The int8 model: types of its input and output, and what it may lose."""

    input_type: Literal["int8", "float32"] = "int8"
    output_type: Literal["int8", "float32"] = "int8"
    encoding_inside: bool = False
    calibration_recordings: Count = 200
    max_accuracy_drop: Annotated[float, Field(ge=0, le=1)] = 0.02


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
    teacher: TeacherSection = TeacherSection()
    student: StudentSection = StudentSection()
    distiller: DistillerSection = DistillerSection()
    training: TrainingSection = TrainingSection()
    export: ExportSection = ExportSection()

    def updated(self, *overrides: str) -> "Recipe":
        """A copy with `key.path=value` overrides applied and validated again."""
        return parse_recipe(_with_overrides(self.model_dump(mode="json"), overrides), source=f"recipe {self.name}")

    def hash_of(self, *keys: str) -> str:
        """Hash of the named top-level parts, without the data set's place on disk (the same data may live
        elsewhere)."""
        content = self.model_dump(mode="json", include=set(keys))
        if isinstance(content.get("dataset"), dict):
            content["dataset"].pop("path", None)
        return sha256_json(content)


def _strip(annotation: Any) -> Any:
    """The type inside Annotated[...] and Optional[...]."""
    while typing.get_origin(annotation) in (Annotated, typing.Union, types.UnionType):
        annotation = typing.get_args(annotation)[0]
    return annotation


def _section_at(path: Sequence[str | int]) -> type[BaseModel] | None:
    model: Any = Recipe
    for key in path:
        field = model.model_fields.get(str(key)) if isinstance(model, type) and issubclass(model, BaseModel) else None
        if field is None:
            return None
        model = _strip(field.annotation)
    return model if isinstance(model, type) and issubclass(model, BaseModel) else None


def nearest(name: str, valid: Sequence[str]) -> str:
    """A clause that proposes the valid name nearest to `name`, or lists all of them."""
    close = difflib.get_close_matches(name, valid, n=1, cutoff=0.5)
    return f"did you mean '{close[0]}'?" if close else f"valid names: {', '.join(sorted(valid))}"


def _explain(error: Mapping[str, Any]) -> str:
    """One pydantic error in plain English."""
    path = tuple(error["loc"])
    where = ".".join(str(p) for p in path) or "recipe"
    value = error.get("input")
    if error["type"] == "extra_forbidden":
        section = _section_at(path[:-1])
        hint = nearest(str(path[-1]), list(section.model_fields)) if section else ""
        return f"{where}: unknown key, {hint}"
    if error["type"] == "missing":
        return f"{where}: missing"
    if error["type"] == "literal_error":
        valid = [v.strip(" '") for v in str(error["ctx"]["expected"]).replace(" or ", ",").split(",")]
        return f"{where}: {value!r} is not allowed, {nearest(str(value), valid)}"
    message = str(error["msg"]).removeprefix("Value error, ")
    message = message[:1].lower() + message[1:]
    return f"{where}: {message}" + (f" (got {value!r})" if not isinstance(value, Mapping | BaseModel) else "")


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
        problems = "; ".join(_explain(dict(e)) for e in error.errors())
        raise RecipeError(f"{source} has {error.error_count()} problem(s): {problems}", "Correct these keys") from error


def _with_overrides(content: dict[str, Any], overrides: Sequence[str]) -> dict[str, Any]:
    """Apply `a.b=value` to nested mappings; the value is read as YAML."""
    for override in overrides:
        path, separator, text = override.partition("=")
        keys = path.strip().split(".")
        if not separator or not all(keys):
            raise RecipeError(
                f"--set {override!r} is not of the form key.path=value", "Write e.g. --set training.epochs=5"
            )
        place: Any = content
        for key in keys[:-1]:
            place = place.setdefault(key, {}) if isinstance(place, dict) else None
            if not isinstance(place, dict):
                raise RecipeError(
                    f"--set {override!r}: '{key}' holds no keys of its own", "See `vskd recipe show NAME`"
                )
        place[keys[-1]] = _scalar(text, override)
    return content


def _scalar(text: str, override: str) -> Any:
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise RecipeError(
            f"--set {override!r}: the value is not YAML", "Quote it, or write a plain number or word"
        ) from error
    if isinstance(value, str) and text.strip()[:1] not in ('"', "'"):
        try:  # YAML 1.1 reads 1e-3 as a string; a person means the number
            number = float(value)
        except ValueError:
            return value
        return number if math.isfinite(number) else value
    return value


def _merged(base: dict[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with `changes` laid over it, key by key."""
    for key, value in changes.items():
        nested = isinstance(value, Mapping) and isinstance(base.get(key), dict)
        base[key] = _merged(base[key], value) if nested else value
    return base


def _read_yaml(path: Path) -> Any:
    """The content of a recipe file; one that says `extends: OTHER` is laid over the recipe it names."""
    try:
        content = _numbers(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        detail = " ".join(str(error).split())
        raise RecipeError(f"Recipe {path} cannot be read: {detail}", "Correct the file") from error
    if not isinstance(content, dict) or "extends" not in content:
        return content
    base_path = _recipe_path(str(content.pop("extends")))
    if base_path == path:
        raise RecipeError(f"Recipe {path} extends itself", "Name another recipe in 'extends'")
    base = _read_yaml(base_path)
    return _merged(base, content) if isinstance(base, dict) else content


def _recipe_path(name_or_path: str) -> Path:
    path = Path(name_or_path)
    if path.suffix in (".yaml", ".yml") or path.is_file():
        if not path.is_file():
            raise RecipeError(
                f"Recipe file {path} does not exist", "Check the path; `vskd recipe list` names the shipped recipes"
            )
        return path
    shipped = RECIPES_FOLDER / f"{name_or_path}.yaml"
    if not shipped.is_file():
        names = [p.stem for p in RECIPES_FOLDER.glob("*.yaml")]
        raise RecipeError(
            f"No recipe is called '{name_or_path}', {nearest(name_or_path, names)}", "See `vskd recipe list`"
        )
    return shipped


def load_recipe(name_or_path: str, overrides: Sequence[str] = ()) -> Recipe:
    """Read a shipped recipe by name, or a recipe file, and apply `key.path=value` overrides.

    Raises:
        RecipeError: unknown name, unreadable file, or invalid content; all problems at once.
    """
    path = _recipe_path(name_or_path)
    content = _read_yaml(path)
    if isinstance(content, dict):
        content = _with_overrides(content, overrides)
    return parse_recipe(content, source=f"recipe {path.name}")


def _numbers(content: Any) -> Any:
    """Turn the strings that YAML 1.1 makes of 1e-3 into numbers, everywhere."""
    if isinstance(content, dict):
        return {k: _numbers(v) for k, v in content.items()}
    if isinstance(content, str) and content[:1].isdigit() and "e" in content:
        try:
            return float(content)
        except ValueError:
            return content
    return content


def dump_recipe(recipe: Recipe) -> str:
    """The complete recipe as YAML, defaults included."""
    return yaml.safe_dump(recipe.model_dump(mode="json"), sort_keys=False, allow_unicode=True, width=120)


def list_recipes() -> list[tuple[str, str]]:
    """Names and descriptions of the shipped recipes."""
    return [
        (p.stem, load_recipe(p.stem).description) for p in sorted(RECIPES_FOLDER.glob("*.yaml"), key=lambda p: p.stem)
    ]
