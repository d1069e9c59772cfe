"""Read a protocol's YAML file; everything that is wrong with it is said at once, in plain English."""

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from vskd.errors import ProtocolError, lookup
from vskd.schema import explain, parse
from vskd.yaml_text import load_yaml

Model = TypeVar("Model", bound=BaseModel)


def parse_protocol_file(path: Path, model: type[Model], *, known: Sequence[str], name: str) -> Model:
    """Validate the YAML file at `path` as a `model`.

    Args:
        path: the file.
        model: what it must be.
        known: names of the shipped protocols, for the message where there is no such file.
        name: what the protocol was asked for by.

    Raises:
        ProtocolError: the file is missing, no YAML, or not valid.
    """
    try:
        if not path.exists():
            lookup(dict.fromkeys(known), name, "protocol", ProtocolError, also="give the path of a .yaml file")
        content = load_yaml(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ProtocolError(f"Cannot read {path}: {error.strerror}", "Check the path and its permissions") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ProtocolError(f"{path} is no valid YAML: {' '.join(str(error).split())}", "Correct the file") from error
    try:
        read: Model = parse(model, content)
    except ValidationError as error:
        problems = "; ".join(explain(error, model))
        raise ProtocolError(f"{path}: {problems}", "Correct the file; the shipped protocols are examples") from error
    return read
