"""What the names of a folder's files say: the pattern of subject, label and trial, or why nobody can tell it.

`s01`, `subject-1`, `user1` name a subject, `a05`, `activity5` a label, `t2`, `r2`, `trial2`, `rep2` a trial;
`session2`, `scene1`, `camera3`, `device1` are factors of these names. Of other words, the one that differs between
files is the label. A bare number that differs may be a subject or a trial, and two words that differ may be a name and
a label: these are refused, never guessed.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from vskd.errors import DataError, first_few
from vskd.preprocessing.sensor.column_names import other_sensor, words_of

_WORDS = {
    "subject": "subject subj sub person participant user volunteer proband p s",
    "label": "activity action act label class a",
    "trial": "trial repetition rep take t r",
    "session": "session sess",
    "scene": "scene",
    "camera": "camera cam",
    "device": "device dev",
}
_MARKS = {word: kind for kind, words in _WORDS.items() for word in words.split()}
_SEPARATORS = re.compile(r"([/_\-. ]+)")
_MARKED = re.compile(r"([A-Za-z]+)(\d+)")
_PLACES = frozenset("left right wrist ankle hip chest waist arm leg pocket head foot hand thigh watch phone".split())  # noqa: SIM905
_OF_PLACES = (
    "; in --pattern, {stream} stands for places at which sensors were worn at once, {position} or {hand} for a factor "
    "of recordings"
)
EXAMPLES = 4


@dataclass(frozen=True)
class Item:
    """A piece of a file's name: `kind` is a known word, `text`, `number`, or `separator`; `mark` stands before it."""

    kind: str
    value: str
    mark: str = ""


@dataclass(frozen=True)
class NamePattern:
    """A pattern, and what it was understood from."""

    pattern: str
    said: str


def guess_pattern(names: Sequence[str], *, needs_label: bool = True) -> NamePattern:
    """The pattern of some files.

    Args:
        names: their paths from the folder, with slashes; at least one.
        needs_label: whether labels must come from names; False where a column holds them.

    Raises:
        DataError: the names are of several kinds, or can be understood in several ways; --pattern is named.
    """
    if (sensors := _in_each_folder(names)) is not None:
        raise _unclear(sensors, f"each folder holds the files {first_few([_last(n) for n in sensors], EXAMPLES, ', ')}")
    endings = sorted({_ending(name) for name in names})
    if len(endings) > 1:
        raise _unclear(names, f"they end in {', '.join(endings)}")
    (ending,) = endings
    parsed = [_items(name.removesuffix(ending)) for name in names]
    shape = _shape(parsed[0])
    other = next((n for n, items in zip(names, parsed, strict=True) if _shape(items) != shape), None)
    if other is not None:
        raise _unclear([names[0], other], "they are not built alike")
    columns = [[items[k] for items in parsed] for k in range(len(shape))]
    kinds = _kinds(shape, columns, names, needs_label)
    text = "".join(_written(kind, column) for kind, column in zip(kinds, columns, strict=True))
    found = {kind: column for kind, column in zip(kinds, columns, strict=True) if kind not in ("", "*")}
    said = [f"{kind} {first_few(sorted({i.value for i in column}), 3, ', ')}" for kind, column in found.items()]
    return NamePattern(text + ending, "; ".join(said))


def _in_each_folder(names: Sequence[str]) -> list[str] | None:
    """Files of the first folder, the accelerometer's first, where every folder holds the same: a file for each sensor.

    None where a folder holds one file, folders hold different ones, or none is called as an accelerometer's.
    """
    folders: dict[str, list[str]] = {}
    for name in names:
        folders.setdefault(name.rpartition("/")[0], []).append(name)
    kinds = {tuple(sorted(map(_last, files))) for files in folders.values()}
    files = sorted(next(iter(folders.values())), key=lambda name: not _is_accelerometer(name))
    same = len(folders) > 1 and len(kinds) == 1 and len(files) > 1
    return files if same and _is_accelerometer(files[0]) else None


def _is_accelerometer(name: str) -> bool:
    """Whether a file is called after the sensor, and no more: `acc_s1` names a person, too."""
    stem = _last(name).partition(".")[0]
    return other_sensor(stem, "barometer") == "accelerometer" and not re.search(r"\d", stem)


def _last(name: str) -> str:
    return name.rpartition("/")[2]


def _ending(name: str) -> str:
    return re.sub(r".*(?=\.[^./]+$)", "", name)


def _unclear(names: Sequence[str], why: str) -> DataError:
    return DataError(
        f"The names of the files do not say what is subject, label and trial: {why} "
        f"({first_few(list(names), EXAMPLES, ', ')})",
        f"Say it with --pattern, e.g. '{_example(names[0])}' (* for what does not matter), or list the files, "
        "or labelled parts of them (start, end), in a table: --table",
    )


def _example(name: str) -> str:
    """A pattern that fits a name: the last word is the label, the one before it the subject, the last number the trial.

    Only an example: what else the words may be is the reader's to know.
    """
    ending = f"/{_last(name)}" if _is_accelerometer(name) else _ending(name)
    items = _items(name.removesuffix(ending))
    texts, numbers = ([k for k, item in enumerate(items) if item.kind == kind] for kind in ("text", "number"))
    if not texts:
        return f"s{{subject}}/{{label}}_{{trial}}{ending}"
    marked = {item.kind for item in items if item.mark}
    guessed = {"label": texts[-1:], "subject": texts[-2:-1] or numbers[-2:-1], "trial": numbers[-1:]}
    meant = {k: kind for kind, places in guessed.items() if kind not in marked for k in places}
    return "".join(_exemplary(item, meant.get(k, item.kind)) for k, item in enumerate(items)) + ending


def _exemplary(item: Item, kind: str) -> str:
    if kind == "separator":
        return item.value
    return "*" if kind in ("text", "number") else f"{item.mark}{{{kind}}}"


def _items(name: str) -> list[Item]:
    """The pieces of a name without its ending; words between marks and separators of folders are one text."""
    pieces = [piece for piece in _SEPARATORS.split(name) if piece]
    items: list[Item] = []
    for piece in pieces:
        before = items[-2] if len(items) > 1 else None
        if _SEPARATORS.fullmatch(piece):
            items.append(Item("separator", piece))
        elif piece.isdecimal() and before and len(before.value) > 1 and before.value.lower() in _MARKS:
            kind = _MARKS[before.value.lower()]
            items[-2:] = [Item(kind, piece, before.value + items[-1].value)]
        else:
            items.append(_item(piece))
    return _joined(items)


def _item(piece: str) -> Item:
    match = _MARKED.fullmatch(piece)
    if match and match[1].lower() in _MARKS:
        return Item(_MARKS[match[1].lower()], match[2], match[1])
    return Item("number" if piece.isdecimal() else "text", piece)


def _joined(items: Sequence[Item]) -> list[Item]:
    """Texts with a separator between them that is no slash, as one: `sit_down`."""
    result: list[Item] = []
    for item in items:
        parts = result[-2:]
        if item.kind == "text" and [p.kind for p in parts] == ["text", "separator"] and "/" not in parts[1].value:
            result[-2:] = [Item("text", parts[0].value + parts[1].value + item.value)]
        else:
            result.append(item)
    return result


def _shape(items: Sequence[Item]) -> list[tuple[str, str]]:
    return [(item.kind, item.mark or (item.value if item.kind == "separator" else "")) for item in items]


def _kinds(
    shape: Sequence[tuple[str, str]], columns: Sequence[Sequence[Item]], names: Sequence[str], needs_label: bool
) -> list[str]:
    """What each piece is in the pattern: a word, `*`, or empty where it is written as it stands."""
    kinds: list[str] = []
    seen: dict[str, Sequence[Item]] = {}
    persons = [mark for kind, mark in shape if kind == "subject"]
    for (kind, own), column in zip(shape, columns, strict=True):
        if kind == "subject" and own.lower() == "s" and any(mark.lower() != "s" for mark in persons):
            kind = "session"  # p01_s2: a person's second session
        varies = len({item.value for item in column}) > 1
        if kind == "number" and varies:
            raise _unclear(names, f"the number '{column[0].value}' may be a subject or a trial")
        if kind in ("number", "separator") or (kind == "text" and not varies):
            kinds.append("")
            continue
        kind = "label" if kind == "text" else kind
        if kind not in seen:
            seen[kind] = column
            kinds.append(kind)
        elif all(a.value == b.value for a, b in zip(seen[kind], column, strict=True)):
            kinds.append("*")
        else:
            both = seen[kind][0].value, column[0].value
            hint = _OF_PLACES if any(_PLACES & set(words_of(value)) for value in both) else ""
            raise _unclear(names, f"'{both[0]}' and '{both[1]}' may both be the {kind}{hint}")
    _check_label(seen.get("label"), names, needs_label)
    return kinds


def _check_label(column: Sequence[Item] | None, names: Sequence[str], needs_label: bool) -> None:
    """Refuse words that are more than labels: with a number behind, or a sensor's name or place."""
    if column is None:
        if needs_label:
            raise _unclear(names, "no word in them differs that could be a label; or name --label-column")
        return
    words = sorted({item.value for item in column})
    if not needs_label:
        raise _unclear(names, f"'{words[0]}' is no label where --label-column names a column")
    if column[0].mark:
        return
    stems = {re.sub(r"[_\- ]?\d+$", "", word) for word in words}
    if len(stems) < len(words):
        raise _unclear(names, f"the number in '{words[0]}' may be of the label, a subject or a trial")
    places = sorted(p for p in _PLACES if 0 < sum(p in words_of(word) for word in words) < len(words))
    sensors = {other_sensor(word, "barometer") for word in words}
    if places or len(sensors) > 1:
        named = ", ".join(places or sorted(sensors - {""}))
        raise _unclear(names, f"they name sensors or places ({named}), which may be no part of the label{_OF_PLACES}")


def _written(kind: str, column: Sequence[Item]) -> str:
    first = column[0]
    if kind in ("", "*"):
        return first.mark + (kind or first.value)
    start, end = _common(column) if not first.mark else ("", "")
    return f"{first.mark}{start}{{{kind}}}{end}"


def _common(column: Sequence[Item]) -> tuple[str, str]:
    """The words with which all texts of a column begin, and those with which they end: no part of a label."""
    split = [_SEPARATORS.split(item.value) for item in column]
    most = min(map(len, split)) - 1
    start = next((k for k in range(0, most, 2) if len({tuple(one[: k + 2]) for one in split}) > 1), most)
    end = next((k for k in range(0, most - start, 2) if len({tuple(one[-k - 2 :]) for one in split}) > 1), most - start)
    return "".join(split[0][:start]), "".join(split[0][len(split[0]) - end :])
