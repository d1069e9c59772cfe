"""What is wrong with a recipe, in plain English: the key's path, and the nearest valid key or name."""

import types
import typing
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import BaseModel

from vskd.errors import nearest


def _strip(annotation: Any) -> Any:
    """The type inside Annotated[...] and Optional[...]."""
    while typing.get_origin(annotation) in (Annotated, typing.Union, types.UnionType):
        annotation = typing.get_args(annotation)[0]
    return annotation


def _section_at(root: type[BaseModel], path: Sequence[str | int]) -> type[BaseModel] | None:
    model: Any = root
    for key in path:
        field = model.model_fields.get(str(key)) if isinstance(model, type) and issubclass(model, BaseModel) else None
        if field is None:
            return None
        model = _strip(field.annotation)
    return model if isinstance(model, type) and issubclass(model, BaseModel) else None


def explain(error: Mapping[str, Any], root: type[BaseModel]) -> str:
    """One pydantic error of a model `root` in plain English."""
    path = tuple(error["loc"])
    where = ".".join(str(p) for p in path) or "recipe"
    value = error.get("input")
    if error["type"] == "extra_forbidden":
        section = _section_at(root, path[:-1])
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
