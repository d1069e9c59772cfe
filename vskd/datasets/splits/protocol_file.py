"""Read a protocol's YAML file; everything that is wrong with it is said at once, in plain English."""

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from vskd.errors import ProtocolError, lookup
from vskd.schema import explain, parse
from vskd.yaml_text import read_yaml

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
    if not path.exists() and name.endswith((".yaml", ".yml")):
        raise ProtocolError(
            f"There is no protocol file {name}", f"Check its path, or choose one by name: {', '.join(known)}"
        )
    if not path.exists():
        also = "give the path of a .yaml file, leave-one-FACTOR-out or K-fold-FACTOR"
        lookup(dict.fromkeys(known), name, "protocol", ProtocolError, also=also)
    content = read_yaml(path, ProtocolError, "Correct the file; the shipped protocols are examples")
    try:
        read: Model = parse(model, content)
    except ValidationError as error:
        problems = "; ".join(explain(error, model))
        raise ProtocolError(f"{path}: {problems}", "Correct the file; the shipped protocols are examples") from error
    return read
