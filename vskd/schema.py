"""Strict models of all that is read from YAML or JSON: their base, number types, and their errors in English.

Settings stand beside the code that they set. What a recipe may choose from (networks, modalities, losses) is a catalog
of such models told apart by one key; `choice` makes the union of them, so that a key which the chosen one lacks is an
error.
"""

import types
import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self, TypeVar, cast, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, create_model, model_validator

from vskd.errors import VskdError, first_few, nearest

Finite = Annotated[float, Field(allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NonNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Fraction = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
"""0..1, both ends included."""
BelowOne = Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)]
"""0..1, without 1."""
ShareOfOne = Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)]
"""0..1, without 0."""
Count = Annotated[int, Field(ge=1)]
Size = Annotated[int, Field(ge=0)]
Seed = Annotated[int, Field(ge=0, lt=2**31)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]

MOST_PROBLEMS = 8
"""Misfits of a file that a message lists."""
LONGEST_SHOWN = 80
"""Characters of a wrong value in a message; a longer one is not repeated."""

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True)
class OnlyWhere:
    """A key that has an effect only where another key has one of some values.

    Attributes:
        key: the other one.
        values: with which this one counts.
        default: this one's value where it counts and is not said; elsewhere it is None.
        required: whether it must be said where it counts; then there is no default.
    """

    key: str
    values: frozenset[Any]
    default: Any
    required: bool = False

    def __str__(self) -> str:
        """The condition, e.g. `window is sliding`."""
        return f"{self.key} is {' or '.join(sorted(map(str, self.values)))}"

    def counts_with(self, value: Any) -> bool:
        """Whether the key counts where the other one has `value`."""
        return any(value == one for one in self.values)  # `in` would refuse a value that has no hash


def only_where(key: str, *values: Any, default: Any) -> OnlyWhere:
    """See `OnlyWhere`."""
    return OnlyWhere(key, frozenset(values), default)


def required_where(key: str, *values: Any) -> OnlyWhere:
    """See `OnlyWhere`."""
    return OnlyWhere(key, frozenset(values), default=None, required=True)


class Strict(BaseModel):
    """Immutable; unknown keys and silent conversions of types are refused.

    Attributes:
        conditional: keys without an effect of their own, see `OnlyWhere`. Saying one where it does nothing is an error,
            and so is leaving out a required one.
            Such a field is optional and None by default. One that depends on another of them stands behind it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True)
    conditional: ClassVar[Mapping[str, OnlyWhere]] = {}

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        for name, only in cls.conditional.items():
            if name not in cls.model_fields or only.key not in cls.model_fields:
                raise TypeError(f"{cls.__name__}.conditional: '{name}' or '{only.key}' is no field")
            if cls.model_fields[name].default is not None:
                raise TypeError(f"{cls.__name__}.{name} is conditional, so its own default must be None")

    # After the fields: before them pydantic would read JSON as if it were Python, whose strict mode refuses lists for
    # tuples; and a mistyped deciding key is thus reported itself, not that nothing depends on it.
    @model_validator(mode="after")
    def _complete_conditional(self) -> Self:
        problems = []
        for name, only in self.conditional.items():
            counts, said = only.counts_with(getattr(self, only.key)), getattr(self, name) is not None
            if said and not counts:
                problems.append(f"{name} does nothing here: it counts only where {only}")
            elif counts and not said and only.required:
                problems.append(f"{name} is missing: it must be set where {only}")
            elif counts and not said:
                self.__dict__[name] = only.default  # still being made, so not yet frozen
                self.__pydantic_fields_set__.add(name)
        if problems:
            raise ValueError("; ".join(problems))
        return self


def named(base: type[Model], key: str, value: str) -> type[Model]:
    """`base` as the settings of one catalog entry: with the key that tells it from the others.

    The same arguments give the same class, and its instances can be pickled.

    >>> class Photo(Strict):
    ...     dropout: float = 0.0
    >>> named(Photo, "name", "squeezenet-lw")(dropout=0.2)
    squeezenet-lw(name='squeezenet-lw', dropout=0.2)
    """
    return cast(type[Model], _named(base, key, value))


@cache
def _named(base: type[BaseModel], key: str, value: str) -> type[BaseModel]:
    fields: dict[str, Any] = {key: (Literal[value], value)}
    made = create_model(value, __base__=base, __module__=base.__module__, __doc__=base.__doc__, **fields)
    # By what makes the class: pickle finds a class by its name in its module, where this one does not stand.
    made.__reduce__ = lambda self: (_restored, (base, key, value, self.__getstate__()))  # type: ignore[method-assign]
    made.__pydantic_fields__ = {key: made.model_fields[key]} | made.model_fields  # said first, written first
    made.model_rebuild(force=True)
    return made


def _restored(base: type[BaseModel], key: str, value: str, state: dict[Any, Any]) -> BaseModel:
    kind = _named(base, key, value)
    made = kind.__new__(kind)
    made.__setstate__(state)
    return made


def choice(key: str, models: Iterable[type[BaseModel]]) -> Any:
    """The type "one of `models`", told apart by `key`; for the annotation of a field."""
    members = tuple(models)
    if len(members) == 1:
        [alone] = members
        return alone
    return Annotated[typing.Union[members], Field(discriminator=key)]  # noqa: UP007


def tuples(content: Any) -> Any:
    """Lists become tuples, everywhere: YAML and JSON know lists alone, and strict models of ours hold tuples."""
    if isinstance(content, Mapping):
        return {key: tuples(value) for key, value in content.items()}
    return tuple(map(tuples, content)) if isinstance(content, list | tuple) else content


def explain(error: ValidationError, root: Any) -> list[str]:
    """Every problem that pydantic found, in plain English: the key's path, what is wrong, the nearest valid name.

    Args:
        error: of validating `root`.
        root: the model, or a type made of models.
    """
    return list(dict.fromkeys(_explained(dict(e), root) for e in error.errors()))


def _explained(error: Mapping[str, Any], root: Any) -> str:
    place, model = _placed(tuple(error["loc"]), root)
    where = f"{place}: " if place else ""
    match error["type"]:
        case "extra_forbidden":
            return where + _unknown_key(place, model)
        case "missing":
            return f"{where}missing"
        case "union_tag_invalid" | "union_tag_not_found" | "literal_error":
            return _no_choice(error, place)
        case "model_type" | "model_attributes_type" | "dict_type":
            return f"{where}should be keys with values{_shown(error['input'])}"
        case "tuple_type":
            return f"{where}should be a list{_shown(error['input'])}"
    message = str(error["msg"]).removeprefix("Value error, ")
    return f"{where}{message[:1].lower()}{message[1:]}{_shown(error['input'])}"


def _unknown_key(place: str, model: type[BaseModel] | None) -> str:
    if model is None:
        return "unknown key"
    names = sorted(field.alias or name for name, field in model.model_fields.items())
    has = f" (of {_tag(model)})" if "." in place and _tag(model) else ""
    return f"unknown key{has}, {nearest(place.rsplit('.', 1)[-1], names)}"


def _no_choice(error: Mapping[str, Any], place: str) -> str:
    """A key that chooses, but not among what there is; a function that reads the key is not named."""
    context = error["ctx"]
    key = str(context.get("discriminator", "")).strip("'")
    path = ".".join(part for part in (place, "" if key.endswith("()") else key) if part)
    where = f"{path}: " if path else ""
    if error["type"] == "union_tag_not_found":
        return f"{where}missing"
    listed = str(context.get("expected_tags", context.get("expected"))).replace(" or ", ", ").split(", ")
    tag = context.get("tag", error["input"])
    return f"{where}{tag!r} is not allowed, {nearest(str(tag), [value.strip(chr(39)) for value in listed])}"


def _shown(value: Any) -> str:
    """A plain value as it was given; nothing of one that would fill the screen."""
    said = list(value) if isinstance(value, tuple) else value
    plain = said is None or isinstance(said, str | int | float | list)
    return f" (got {said!r})" if plain and len(repr(said)) <= LONGEST_SHOWN else ""


def _tag(model: type[BaseModel]) -> str:
    """What tells a model of a catalog from its neighbours, e.g. `cnn1d`; empty of other models."""
    literals = (get_args(f.annotation) for f in model.model_fields.values() if get_origin(f.annotation) is Literal)
    return next((values[0] for values in literals if len(values) == 1 and isinstance(values[0], str)), "")


def _placed(location: tuple[int | str, ...], root: Any) -> tuple[str, type[BaseModel] | None]:
    """The key's path without what pydantic puts between, and the model that holds (or lacks) the last key.

    Pydantic puts there the tag of the chosen member of a union, or the type of one without tags, and `[key]` for the
    key of a mapping.
    """
    keys: list[str] = []
    kind: Any = root
    holder: type[BaseModel] | None = None
    for part in location:
        kind = _unwrapped(kind)
        members = get_args(kind)
        if get_origin(kind) in (typing.Union, types.UnionType):
            kind = next((m for m in map(_unwrapped, members) if _is_member(m, part)), None)
            continue
        if part != "[key]":
            keys.append(str(part))
        holder = kind if _is_model(kind) else None
        if holder is not None:
            kind = next((f.annotation for n, f in holder.model_fields.items() if part in (n, f.alias)), None)
        elif members and isinstance(part, int) and get_origin(kind) is tuple and members[-1] is not Ellipsis:
            kind = members[part] if part < len(members) else None
        else:  # tuple[X, ...], or a mapping to X
            kind = next((m for m in reversed(members) if m is not Ellipsis), None)
    return ".".join(keys), holder


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _is_member(kind: Any, label: int | str) -> bool:
    """Whether pydantic calls the member `kind` of a union `label`; one with a validator is `function-after[f(), X]`."""
    text = str(label)
    name = text.rstrip("]").rpartition(", ")[2] if text.startswith("function-") else text
    return name in ((_tag(kind), kind.__name__) if _is_model(kind) else (getattr(kind, "__name__", ""), str(kind)))


def _unwrapped(kind: Any) -> Any:
    """The type inside Annotated[...] and Optional[...]."""
    while True:
        members = [m for m in get_args(kind) if m is not type(None)]
        if get_origin(kind) is Annotated or (len(members) == 1 and type(None) in get_args(kind)):
            kind = members[0]
        else:
            return kind


def parse(model: type[Model] | Any, content: Any) -> Any:
    """Validate what was read from YAML or JSON.

    Raises:
        pydantic.ValidationError: see `explain`.
    """
    return TypeAdapter(model).validate_python(tuples(content))


def read_json(path: Path, model: type[Model] | Any, error: type[VskdError], action: str) -> Any:
    """The content of a JSON file as a `model`: the one way in which files of ours are read.

    Args:
        path: the file.
        model: a pydantic model, or a type made of models.
        error: the class to raise.
        action: what to do about a bad file.

    Raises:
        VskdError: of class `error`: the file is missing, unreadable, no JSON, or does not fit; the misfits are named.
    """
    try:
        return parse_json(path.read_bytes(), model, str(path), error, action)
    except OSError as problem:
        raise error(f"{path} cannot be read: {problem.strerror or problem}", action) from problem
    except ValueError as problem:  # a path with a null byte in it
        raise error(f"{str(path)!r} cannot be read: {problem}", action) from problem


def parse_json(content: bytes, model: type[Model] | Any, source: str, error: type[VskdError], action: str) -> Any:
    """JSON text as a `model`; `source` names it in messages. Raises as `read_json`."""
    try:
        return TypeAdapter(model).validate_json(content)
    except ValidationError as problem:
        raise error(f"{source} is damaged: {first_few(explain(problem, model), MOST_PROBLEMS)}", action) from problem
