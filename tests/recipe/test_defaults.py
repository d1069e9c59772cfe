"""What holds where a file says nothing, and what it may say: of every key of recipes, dataset.yaml and protocols.

Published figures and stored runs rest on these. Who changes one changes what recipes mean, and says so in defaults.txt.
"""

import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import annotated_types
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from vskd.bundle.contract import Manifest
from vskd.bundle.predict_timeline import TimelineSettings
from vskd.datasets.sensors.folder_description import Description
from vskd.datasets.splits.protocol import Protocol
from vskd.recipe import Recipe

ROOMS = ("vskd.modalities", "vskd.preprocessing", "vskd.recipe", "vskd.bundle", "vskd.datasets")
TABLE = Path(__file__).with_name("defaults.txt")
"""A line for each key: its default, and what it may be."""


def models(kind: Any, seen: dict[type[BaseModel], None]) -> dict[type[BaseModel], None]:
    """All models within a type, each once."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        if kind not in seen:
            seen[kind] = None
            for field in kind.model_fields.values():
                models(field.annotation, seen)
        return seen
    for inner in typing.get_args(kind):
        models(inner, seen)
    return seen


def limits(annotation: Any, metadata: tuple[Any, ...] = ()) -> Iterator[str]:
    """What a value must be, e.g. `>=1`, in whatever the annotation wraps it."""
    for one in metadata:
        if isinstance(one, FieldInfo):
            yield from limits(None, tuple(one.metadata))
        for name, sign in (("gt", ">"), ("ge", ">="), ("lt", "<"), ("le", "<="), ("min_length", "length>=")):
            if isinstance(one, annotated_types.BaseMetadata) and getattr(one, name, None) is not None:
                yield f"{sign}{getattr(one, name):g}"
    yield from (repr(value) for value in typing.get_args(annotation) if typing.get_origin(annotation) is typing.Literal)
    for inner in typing.get_args(annotation):
        if typing.get_origin(annotation) is not typing.Literal and not isinstance(inner, type(BaseModel)):
            yield from limits(inner, tuple(getattr(inner, "__metadata__", ())))


def plain(value: Any) -> str:
    """A default; of a model its name, since its own keys stand in the table."""
    return type(value).__name__ if isinstance(value, BaseModel) else repr(value)


def lines() -> list[str]:
    found: dict[type[BaseModel], None] = {}
    for root in (Recipe, Description, TimelineSettings, Protocol, Manifest):
        models(root, found)
    told = []
    for model in found:
        if not model.__module__.startswith(ROOMS):
            continue
        for name, field in model.model_fields.items():
            only = getattr(model, "conditional", {}).get(name)
            said = "required" if field.is_required() else plain(field.get_default(call_default_factory=True))
            if only is not None:
                said = f"{'required' if only.required else plain(only.default)} where {only}"
            allowed = " ".join(dict.fromkeys(limits(field.annotation, tuple(field.metadata))))
            told.append(f"{model.__name__}.{field.alias or name}: {said}{allowed and f'  {allowed}'}")
    return told


def test_every_key_has_its_default_and_its_limits() -> None:
    assert lines() == TABLE.read_text(encoding="utf-8").splitlines()
