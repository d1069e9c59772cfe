"""YAML as people mean it: the one reader, and writer, of recipes, protocols, settings and values behind `--set`.

What versions 1.1 and 1.2 of YAML, or its programs, read differently is refused with the readings, since neither is sure
to be meant: `010`, `1:30`, `0x10`, `1_000`, `yes`. So are dates, and keys that stand twice, of which the last would win
without a word. `1e-3` is a number here, as in YAML 1.2; PyYAML alone takes it for text.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from vskd.errors import VskdError

MOST_VALUES = 100_000
"""Values in a YAML file, counted wherever an alias repeats them."""

_Reading = Callable[[str], str]


def _integer(text: str, base: int) -> str:
    return str(int(text.replace("_", ""), base))


def _octal(text: str) -> str:
    decimal = _integer(text, 10)
    digits = text.replace("_", "").lstrip("+-")
    return decimal if set(digits) & {"8", "9"} else f"{_integer(text, 8)} (octal) or {decimal}"


def _sexagesimal(text: str) -> str:
    total = 0.0
    for part in text.lstrip("+-").split(":"):
        total = 60 * total + float(part)
    return f"{'-' * text.startswith('-')}{total:g} (base 60)"


_AMBIGUOUS: tuple[tuple[re.Pattern[str], _Reading], ...] = (
    (re.compile(r"[-+]?0[0-9_]+"), _octal),
    (re.compile(r"[-+]?0[oO][0-7_]+"), lambda text: _integer(text, 8)),
    (re.compile(r"[-+]?0[xX][0-9a-fA-F_]+"), lambda text: _integer(text, 16)),
    (re.compile(r"[-+]?0[bB][01_]+"), lambda text: _integer(text, 2)),
    (re.compile(r"[-+]?\d+(:[0-5]?\d)+(\.\d*)?"), _sexagesimal),
    (re.compile(r"[-+]?\d[\d_]*_[\d_]*(\.[\d_]*)?([eE][-+]?\d+)?"), lambda text: text.replace("_", "")),
    (re.compile(r"[-+]?\d[\d_]*\.\d*_[\d_]*([eE][-+]?\d+)?"), lambda text: text.replace("_", "")),
    (re.compile(r"yes|on", re.IGNORECASE), lambda _: "true"),
    (re.compile(r"no|off", re.IGNORECASE), lambda _: "false"),
    (re.compile(r"\d{4}-\d\d?-\d\d?([Tt ].*)?"), lambda _: "a date"),
)
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+")


def readings(text: str) -> str:
    """What an unquoted word may mean besides the text itself; empty where programs agree.

    >>> readings("010"), readings("08"), readings("1:30"), readings("yes"), readings("10")
    ('8 (octal) or 10', '8', '90 (base 60)', 'true', '')
    """
    return next((read(text) for pattern, read in _AMBIGUOUS if pattern.fullmatch(text)), "")


class AmbiguousError(yaml.YAMLError):
    """A word, or a key, that can be read in two ways."""


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader, strict."""

    def compose_scalar_node(self, anchor: Any) -> yaml.ScalarNode:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        found = readings(event.value) if event.style is None and event.tag is None else ""
        if found:
            raise AmbiguousError(
                f"line {event.start_mark.line + 1}: {event.value} may be read as {found}, or as the text "
                f"'{event.value}': write the number or word that is meant, or quote the text"
            )
        node: yaml.ScalarNode = super().compose_scalar_node(anchor)
        return node

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            name = (key.tag, key.value) if isinstance(key, yaml.ScalarNode) else id(key)
            if name in seen:
                raise AmbiguousError(f"line {key.start_mark.line + 1}: the key '{key.value}' stands twice: leave one")
            seen.add(name)
        made: dict[Any, Any] = super().construct_mapping(node, deep=deep)
        return made


_Loader.add_implicit_resolver("tag:yaml.org,2002:float", _NUMBER, list("-+.0123456789"))


class _Dumper(yaml.SafeDumper):
    """Quotes every text that the loader would not give back."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    quoted = readings(text) or _NUMBER.fullmatch(text)
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="'" if quoted else None)


_Dumper.add_representer(str, _text)


def load_yaml(text: str) -> Any:
    """The content of a YAML document: mappings, lists, text, numbers, true and false, and None.

    Raises:
        yaml.YAMLError: it is none, or holds what can be read in two ways; the message says the line and both readings.

    Examples:
        >>> load_yaml("{rate: 1e-3, epochs: 10, name: '010', fold: a10}")
        {'rate': 0.001, 'epochs': 10, 'name': '010', 'fold': 'a10'}
        >>> load_yaml("epochs: 010")
        Traceback (most recent call last):
        ...
        vskd.yaml_text.AmbiguousError: line 1: 010 may be read as 8 (octal) or 10, or as the text '010': ...
    """
    content = _parsed(text)
    _check_extent(content)
    return _unshared(content)


@lru_cache(maxsize=64)  # a training reads its recipe and protocol several times, and parsing takes longer than all else
def _parsed(text: str) -> Any:
    """The content of a document, shared by all who ask for it."""
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader
    except (ValueError, RecursionError) as error:  # of nothing but brackets
        raise yaml.YAMLError(str(error)) from error


def read_yaml(path: Path, error: type[VskdError], action: str) -> Any:
    """The content of a YAML file; see `load_yaml`.

    Args:
        path: the file.
        error: the class to raise.
        action: what to do about a bad file.

    Raises:
        VskdError: of class `error`: the file cannot be read, is no YAML, or can be read in two ways.
    """
    try:
        return load_yaml(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise error(f"{path} cannot be read: {problem.strerror or problem}", action) from problem
    except (yaml.YAMLError, UnicodeDecodeError) as problem:
        raise error(f"{path} is no valid YAML: {' '.join(str(problem).split())}", action) from problem


def _check_extent(content: Any) -> None:
    """Refuse nested content that is endless, or grows beyond all use, because parts of it stand for others."""
    waiting, count = [content], 0
    while waiting:
        value = waiting.pop()
        count += 1
        if count > MOST_VALUES:
            raise yaml.YAMLError(f"it has more than {MOST_VALUES} values; does an alias (*) refer to what holds it?")
        if isinstance(value, dict):
            waiting += [*value, *value.values()]
        elif isinstance(value, list):
            waiting += value


def _unshared(content: Any) -> Any:
    """What an anchor names stands in several places, and is to be changed in one of them alone."""
    if isinstance(content, dict):
        return {key: _unshared(value) for key, value in content.items()}
    return [_unshared(value) for value in content] if isinstance(content, list) else content


def dump_yaml(content: Any) -> str:
    """YAML that `load_yaml`, and PyYAML, read as `content` again; keys keep their order."""
    return yaml.dump(content, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)
