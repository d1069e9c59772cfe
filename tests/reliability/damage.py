"""Damage as disks, networks, editors and attackers do it: bytes in, other bytes out, decided by a generator alone."""

import copy
import json
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import yaml

Damage = Callable[[bytes, np.random.Generator], bytes]
EXTREME = (0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
"""What a size or an offset is when it is wrong."""
HEADER = 4096
"""Where formats keep what they say about themselves."""
WRONG: tuple[Any, ...] = (
    *(None, True, "", "x", "../x", "nan", -1, 0, 10**9, 10**30, 0.5, -1.5, 1e308),
    *(float("nan"), float("inf"), [], {}, [None], [[]], [1, [2]], {"x": 1}, "x" * 5000, "\u0000", "ä\u2028"),
)
"""Values that no field of ours expects everywhere."""


def _place(content: bytes, generator: np.random.Generator) -> int:
    """A position; every second time within the header."""
    end = len(content) if generator.random() < 0.5 else min(HEADER, len(content))
    return int(generator.integers(0, max(1, end)))


def flip(content: bytes, generator: np.random.Generator) -> bytes:
    """One bit."""
    result = bytearray(content)
    if result:
        result[_place(content, generator)] ^= 1 << int(generator.integers(0, 8))
    return bytes(result)


def flips(content: bytes, generator: np.random.Generator) -> bytes:
    """Some bits."""
    for _ in range(int(generator.integers(2, 30))):
        content = flip(content, generator)
    return content


def truncate(content: bytes, generator: np.random.Generator) -> bytes:
    """A download or a copy that stopped."""
    return content[: _place(content, generator)]


def empty(content: bytes, generator: np.random.Generator) -> bytes:
    """What a power cut leaves of a new file."""
    return b""


def zero(content: bytes, generator: np.random.Generator) -> bytes:
    """A block of zeros, as unwritten sectors are."""
    start = _place(content, generator)
    length = min(int(generator.choice([1, 8, 64, 512, 4096])), len(content) - start)
    return content[:start] + bytes(length) + content[start + length :]


def noise(content: bytes, generator: np.random.Generator) -> bytes:
    """A block of anything."""
    start = _place(content, generator)
    length = min(int(generator.integers(1, 64)), len(content) - start)
    return content[:start] + generator.bytes(length) + content[start + length :]


def splice(content: bytes, generator: np.random.Generator) -> bytes:
    """A piece of the file moved, repeated or left out."""
    start, end = sorted(_place(content, generator) for _ in range(2))
    to = _place(content, generator)
    forms = (content[:to] + content[start:end] + content[to:], content[:start] + content[end:])
    return forms[int(generator.integers(0, 2))]


def append(content: bytes, generator: np.random.Generator) -> bytes:
    """Something behind the end."""
    return content + (content[:100] if generator.random() < 0.5 else generator.bytes(int(generator.integers(1, 200))))


def number(content: bytes, generator: np.random.Generator) -> bytes:
    """A 16-, 32- or 64-bit number, which may be a size or an offset, becomes an extreme one."""
    width = int(generator.choice([2, 4, 8]))
    start = _place(content, generator) // width * width
    value = EXTREME[int(generator.integers(0, len(EXTREME)))] & (256**width - 1)
    order = "little" if generator.random() < 0.7 else "big"
    return content[:start] + value.to_bytes(width, order) + content[start + width :]  # type: ignore[arg-type]


BYTES: tuple[Damage, ...] = (flip, flips, truncate, empty, zero, noise, splice, append, number)


def _places(content: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in nested lists and mappings."""
    yield path
    keys = content.keys() if isinstance(content, dict) else range(len(content)) if isinstance(content, list) else ()
    for key in keys:
        yield from _places(content[key], (*path, key))


def swapped(content: Any, generator: np.random.Generator) -> Any:
    """One value of nested content replaced by a wrong one, removed, renamed, or doubled."""
    result = copy.deepcopy(content)
    places = list(_places(result))
    path = places[int(generator.integers(0, len(places)))]
    wrong = copy.deepcopy(WRONG[int(generator.integers(0, len(WRONG)))])
    if not path:
        return wrong
    holder = result
    for key in path[:-1]:
        holder = holder[key]
    what = generator.random()
    if what < 0.6:
        holder[path[-1]] = wrong
    elif what < 0.8:
        del holder[path[-1]]
    elif isinstance(holder, dict):
        holder[f"{path[-1]}x"] = holder.pop(path[-1])
    else:
        holder.append(holder[path[-1]])
    return result


def json_value(content: bytes, generator: np.random.Generator) -> bytes:
    """A JSON file that is well-formed and wrong."""
    return json.dumps(swapped(json.loads(content), generator)).encode()


def json_line(content: bytes, generator: np.random.Generator) -> bytes:
    """One line of JSON that is wrong, or a line too many or too few."""
    lines = content.splitlines()
    at = int(generator.integers(0, len(lines)))
    if generator.random() < 0.8:
        lines[at] = json_value(lines[at], generator)
    else:
        lines = lines[:at] if generator.random() < 0.5 else [*lines, lines[at]]
    return b"\n".join(lines) + b"\n"


def yaml_value(content: bytes, generator: np.random.Generator) -> bytes:
    """A YAML file that is well-formed and wrong."""
    return yaml.safe_dump(swapped(yaml.safe_load(content), generator)).encode()


def yaml_syntax(content: bytes, generator: np.random.Generator) -> bytes:
    """YAML of another kind: tags, anchors, several documents, dates."""
    pieces = (
        b"!!python/object:x.Y {}\n",
        b"--- 1\n",
        b"&a [*a]\n",
        b"? [1]\n: 2\n",
        b"x: 2001-99-99\n",
        b"\t- x\n",
        b"*b\n",
    )
    lines = content.splitlines(keepends=True)
    lines.insert(int(generator.integers(0, len(lines) + 1)), pieces[int(generator.integers(0, len(pieces)))])
    return b"".join(lines)


def cell(content: bytes, generator: np.random.Generator) -> bytes:
    """One cell of a table becomes something else, or is lost."""
    lines = content.decode("utf-8").split("\n")
    at = int(generator.integers(0, len(lines)))
    cells = lines[at].split(",")
    column = int(generator.integers(0, len(cells)))
    words = ("", "nan", "1e999", "-1", "x", '"', "0x1", "1_0", "٣", "1" * 400, "\x00", "12:30", "1;2", str(10**30))
    cells[column : column + 1] = [[words[int(generator.integers(0, len(words)))]], []][int(generator.random() < 0.2)]
    lines[at] = ",".join(cells)
    return "\n".join(lines).encode("utf-8")


def line(content: bytes, generator: np.random.Generator) -> bytes:
    """A line lost, repeated or moved."""
    lines = content.splitlines(keepends=True)
    at, to = (int(generator.integers(0, len(lines))) for _ in range(2))
    taken = lines[at]
    what = generator.random()
    if what < 0.6:
        del lines[at]
    if what > 0.3:
        lines.insert(to, taken)
    return b"".join(lines)


def npy_header(content: bytes, generator: np.random.Generator) -> bytes:
    """The text in the header of a .npy file, of the right length and wrong."""
    length = struct.unpack_from("<H", content, 8)[0]
    header = content[10 : 10 + length].decode("latin1")
    edits = (
        ("'<f8'", "'|O'"),
        ("'<f8'", "'<M8[s]'"),
        ("'<f8'", "[('a','<f4'),('b','<f4')]"),
        ("'<f8'", "'|V0'"),
        ("'<f8'", "'<U100000'"),
        ("False", "None"),
        ("False", "True"),
        ("(", "(-"),
        ("(", "(9" * 9 + ","),
        ("(", "((("),
        ("'shape'", "'shapf'"),
        ("{", "{'x': 1, "),
        ("}", ""),
        (", 3)", ", 3, 0)"),
        (", 3)", ", 3.0)"),
        ("'", '"'),
        (" ", "\n"),
        ("{", "{" * 3000),
    )
    old, new = edits[int(generator.integers(0, len(edits)))]
    text = header.replace(old, new).encode("latin1")
    return content[:8] + struct.pack("<H", len(text)) + text + content[10 + length :]


def safetensors_header(content: bytes, generator: np.random.Generator) -> bytes:
    """The JSON in the header of a .safetensors file, well-formed and wrong."""
    length = struct.unpack_from("<Q", content)[0]
    header = json_value(content[8 : 8 + length], generator)
    return struct.pack("<Q", len(header)) + header + content[8 + length :]


OF_TEXT: tuple[Damage, ...] = (line,)
OF_ENDING: dict[str, tuple[Damage, ...]] = {
    ".json": (json_value, json_value, json_value),
    ".jsonl": (json_line, json_line, *OF_TEXT),
    ".yaml": (yaml_value, yaml_value, yaml_value, yaml_syntax, *OF_TEXT),
    ".csv": (cell, cell, *OF_TEXT),
    ".txt": (cell, *OF_TEXT),
    ".npy": (npy_header, npy_header),
    ".safetensors": (safetensors_header, safetensors_header),
    ".h5": (number, number),
    ".tflite": (number, number),
    ".mat": (number,),
    ".sha256": OF_TEXT,
}
"""What else happens to files of a kind, once for each mention."""


def damaged(file: Path, content: bytes, generator: np.random.Generator) -> tuple[str, bytes]:
    """A damaged form of a file's content, and the name of what was done to it."""
    choices = (*BYTES, *OF_ENDING.get(file.suffix, ()) * 2)
    damage = choices[int(generator.integers(0, len(choices)))]
    return damage.__name__, damage(content, generator)
