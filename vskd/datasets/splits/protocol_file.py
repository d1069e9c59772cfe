"""Read a protocol's YAML file and say in plain English, all at once, what is wrong with it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from vskd.errors import ProtocolError, did_you_mean

Model = TypeVar("Model", bound=BaseModel)


def parse_protocol_file(path: Path, model: type[Model], *, known: Sequence[str], name: str) -> Model:
    """Validate the YAML file at `path` as a `model`.

    Raises:
        ProtocolError: the file is missing, no YAML, or not valid.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        hint = _clause(name, known)
        choice = f"Choose one of: {', '.join(known)}; or give the path of a .yaml file"
        raise ProtocolError(f"There is no protocol '{name}'{hint}", choice) from error
    except OSError as error:
        raise ProtocolError(f"Cannot read {path}: {error.strerror}", "Check the path and its permissions") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ProtocolError(f"{path} is no valid YAML: {' '.join(str(error).split())}", "Correct the file") from error
    try:
        return model.model_validate(content)
    except ValidationError as error:
        problems = "; ".join(dict.fromkeys(_explain(item, model) for item in error.errors()))
        raise ProtocolError(f"{path}: {problems}", "Correct the file; the shipped protocols are examples") from error


def _explain(error: Mapping[str, Any], model: type[BaseModel]) -> str:
    """One pydantic error as a phrase that starts with the key's path."""
    location = [str(part) for part in error["loc"]]
    key = ".".join(location)
    if error["type"] == "extra_forbidden":
        return f"unknown key '{key}'{_clause(location[-1], _keys(model))}"
    if error["type"] == "missing":
        return f"key '{key}' is missing"
    message = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "model_type":
        return "it is not a list of keys and values" if not location else f"{key} is not a list of keys and values"
    return f"{key} is {error['input']!r}: {message[:1].lower()}{message[1:]}" if location else message


def _keys(model: type[BaseModel]) -> list[str]:
    """Keys of `model` and of the models directly below it."""
    keys = list(model.model_fields)
    for field in model.model_fields.values():
        for kind in (field.annotation, *getattr(field.annotation, "__args__", ())):
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                keys += list(kind.model_fields)
    return keys


def _clause(name: str, valid: Sequence[str]) -> str:
    """`; did you mean 'x'?`, or empty."""
    hint = did_you_mean(name, valid)
    return hint and f"; {hint}"
