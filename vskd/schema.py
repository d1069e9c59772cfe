"""Strict models of all that is read from YAML or JSON: their base, number types, and their errors in English.

Settings stand beside the code that they set. What a recipe may choose from (networks, modalities, losses) is a catalog
of such models told apart by one key; `choice` makes the union of them, so that a key which the chosen one lacks is an
error.
"""

import typing
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, create_model, model_validator

from vskd.errors import nearest

Finite = Annotated[float, Field(allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NonNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Fraction = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
"""0..1, both ends included."""
BelowOne = Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)]
"""0..1, without 1."""
Count = Annotated[int, Field(ge=1)]
Size = Annotated[int, Field(ge=0)]
Seed = Annotated[int, Field(ge=0, lt=2**31)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]

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
        return f"{self.key} is {' or '.join(str(value) for value in sorted(self.values, key=str))}"


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
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True)
    conditional: ClassVar[Mapping[str, OnlyWhere]] = {}

    @model_validator(mode="before")
    @classmethod
    def _complete_conditional(cls, content: Any) -> Any:
        if not cls.conditional or not isinstance(content, Mapping):
            return content
        complete = dict(content)
        for name, only in cls.conditional.items():
            decides = complete.get(only.key, cls.model_fields[only.key].default)
            if isinstance(decides, list | dict) or decides not in only.values:
                if complete.get(name) is not None:
                    raise ValueError(f"{name} does nothing here: it counts only where {only}")
            elif complete.get(name) is None:
                if only.required:
                    raise ValueError(f"{name} is missing: it must be set where {only}")
                complete[name] = only.default
        return complete


def named(base: type[Model], key: str, value: str) -> type[Model]:
    """`base` as the settings of one catalog entry: with the key that tells it from the others.

    >>> class Photo(Strict):
    ...     dropout: float = 0.0
    >>> named(Photo, "name", "squeezenet-lw")(dropout=0.2)
    squeezenet-lw(name='squeezenet-lw', dropout=0.2)
    """
    fields: dict[str, Any] = {key: (Literal[value], value)}
    made: type[Model] = create_model(value, __base__=base, __module__=base.__module__, __doc__=base.__doc__, **fields)
    made.__pydantic_fields__ = {key: made.model_fields[key]} | made.model_fields  # said first, written first
    made.model_rebuild(force=True)
    return made


def choice(key: str, models: Iterable[type[BaseModel]]) -> Any:
    """The type "one of `models`", told apart by `key`; for the annotation of a field."""
    members = tuple(models)
    return members[0] if len(members) == 1 else Annotated[typing.Union[members], Field(discriminator=key)]  # noqa: UP007


def tuples(content: Any) -> Any:
    """Lists become tuples, everywhere: YAML and JSON know lists alone, and strict models of ours hold tuples."""
    if isinstance(content, Mapping):
        return {key: tuples(value) for key, value in content.items()}
    return tuple(map(tuples, content)) if isinstance(content, list | tuple) else content


def explain(error: ValidationError, root: Any) -> list[str]:
    """Every problem that pydantic found, in plain English: the key's path, what is wrong, the nearest valid name.

    Args:
        error: of validating `root`.
        root: the model.
    """
    return list(dict.fromkeys(_explained(dict(e), root) for e in error.errors()))


def _explained(error: Mapping[str, Any], root: Any) -> str:
    place, model = _placed(tuple(error["loc"]), root)
    value, kind, context = error.get("input"), error["type"], error.get("ctx", {})
    where = f"{place}: " if place else ""
    if kind == "extra_forbidden":
        names = sorted(model.model_fields) if model is not None else []
        has = f" (of {_title(model)})" if model is not None and place.count(".") else ""
        return f"{where}unknown key{has}, {nearest(place.rsplit('.', 1)[-1], names)}"
    if kind == "missing":
        return f"{where}missing"
    if kind in ("union_tag_invalid", "literal_error"):
        valid = [
            v.strip(" '")
            for v in str(context.get("expected_tags", context.get("expected"))).replace(" or ", ",").split(",")
        ]
        tag = context.get("tag", value)
        key = f".{context['discriminator'].strip(chr(39))}" if "discriminator" in context else ""
        return f"{place}{key}: {tag!r} is not allowed, {nearest(str(tag), valid)}"
    if kind == "union_tag_not_found":
        return f"{place}.{context['discriminator'].strip(chr(39))}: missing"
    message = str(error["msg"]).removeprefix("Value error, ")
    shown = (
        f" (got {value!r})" if not isinstance(value, Mapping | BaseModel | Sequence) or isinstance(value, str) else ""
    )
    return f"{where}{message[:1].lower()}{message[1:]}{shown}"


def _title(model: type[BaseModel]) -> str:
    """What tells a model of a catalog from its neighbours, e.g. `cnn1d`."""
    kinds = [typing.get_args(f.annotation) for f in model.model_fields.values() if _is_literal(f.annotation)]
    return str(next((values[0] for values in kinds if len(values) == 1), model.__name__))


def _is_literal(annotation: Any) -> bool:
    return typing.get_origin(annotation) is Literal


def _placed(location: tuple[int | str, ...], root: Any) -> tuple[str, type[BaseModel] | None]:
    """The key's path without the tags that pydantic puts between, and the model that holds (or lacks) the last key."""
    keys: list[str] = []
    kind: Any = root
    holder: type[BaseModel] | None = None
    for part in location:
        kind = _unwrapped(kind)
        members = typing.get_args(kind)
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            holder = kind
            field = kind.model_fields.get(str(part))
            kind = field.annotation if field is not None else None
            if field is not None and field.discriminator is not None:
                kind = Annotated[field.annotation, Field(discriminator=field.discriminator)]
            keys.append(str(part))
        elif tagged := [m for m in members if _is_model(m) and _title(m) == part]:
            kind = tagged[0]
        else:
            kind = members[0] if members else None
            keys.append(str(part))
    return ".".join(keys), holder


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _unwrapped(kind: Any) -> Any:
    """The type inside Annotated[...] and Optional[...]."""
    while True:
        members = [m for m in typing.get_args(kind) if m is not type(None)]
        if typing.get_origin(kind) is Annotated or (len(members) == 1 and type(None) in typing.get_args(kind)):
            kind = members[0]
        else:
            return kind


def parse(model: type[Model] | Any, content: Any) -> Any:
    """Validate what was read from YAML or JSON.

    Raises:
        pydantic.ValidationError: see `explain`.
    """
    return TypeAdapter(model).validate_python(tuples(content))
