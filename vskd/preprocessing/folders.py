"""Walk a folder of data: links are followed, what machines left is passed over, names compare as people read them.

- Hidden files and folders (`.thumbnails`, `._image.jpg` of macOS, `.DS_Store`) and those of file servers, archives and
  file managers (`@eaDir`, `#recycle`, `__MACOSX`, `Thumbs.db`) are never data and never a class.
- Links to folders are followed; one to a folder that holds it is not, since that would never end.
- Two names are the same where only the form of their letters differs: `é` is one code point on most systems and two on
  macOS.
"""

import os
import re
import stat
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

from vskd.errors import DataError

_CLUTTER = frozenset(
    {
        *("desktop.ini", "thumbs.db", "ehthumbs.db", "icon\r", "$recycle.bin", "system volume information"),
        *("@eadir", "@recycle", "@recently-snapshot", "#recycle", "#snapshot", "lost+found", "__macosx"),
    }
)
"""Names in lower case; those that begin with a dot are passed over too."""


def is_clutter(name: str) -> bool:
    """Whether a file or folder of this name was left by a machine, not put there by a person.

    >>> [name for name in ("cat", "@eaDir", ".thumbnails", "._cat.jpg", "Thumbs.db", "@home") if is_clutter(name)]
    ['@eaDir', '.thumbnails', '._cat.jpg', 'Thumbs.db']
    """
    return name.startswith(".") or name.lower() in _CLUTTER


def subfolders(folder: Path) -> list[Path]:
    """The folders directly in `folder`, linked ones too, sorted by name.

    Raises:
        DataError: it cannot be listed.
    """
    try:
        return sorted(path for path in folder.iterdir() if not is_clutter(path.name) and path.is_dir())
    except OSError as error:
        _refuse_listing(error)


def files_below(folder: Path) -> Iterator[Path]:
    """Every file in `folder` at any depth, in linked folders too, sorted by name within each folder.

    A link that leads nowhere counts as a file, so that whoever reads it names it.

    Raises:
        DataError: a folder cannot be listed.
    """
    above = {*folder.absolute().parents, *folder.resolve().parents}
    yield from _files_below(folder, frozenset(_identity(parent.stat()) for parent in above))


def _identity(state: os.stat_result) -> tuple[int, int]:
    return state.st_dev, state.st_ino


def _files_below(folder: Path, above: frozenset[tuple[int, int]]) -> Iterator[Path]:
    try:
        state = folder.stat()
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        kinds = [(entry.name, _is_folder(entry)) for entry in entries if not is_clutter(entry.name)]
    except OSError as error:
        _refuse_listing(error)
    inside = above | {_identity(state)}
    yield from (folder / name for name, is_folder in kinds if not is_folder)
    for child in (folder / name for name, is_folder in kinds if is_folder):
        try:
            place = child.stat()
        except OSError as error:
            _refuse_listing(error)
        if _identity(place) not in inside:
            yield from _files_below(child, inside)


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    """Whether it is a folder or a link to one; a link in a circle of links is none."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def _refuse_listing(error: OSError) -> NoReturn:
    raise DataError(
        f"Cannot list {shown(Path(os.fspath(error.filename)))}: {error.strerror}", "Check its permissions"
    ) from error


def require_regular(path: Path) -> None:
    """Refuse a pipe, a device or a folder: reading some of them would wait for ever.

    Raises:
        DataError: it is one.
        OSError: there is nothing at `path`, or it may not be looked at.
    """
    if not stat.S_ISREG(path.stat().st_mode):
        raise DataError(f"{shown(path)} is no regular file", "Remove it, or put the file itself there")


def shown(path: Path) -> str:
    r"""A path as text that can be printed and stored: bytes of a name that are no UTF-8 become `\xNN`."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def is_text(path: Path) -> bool:
    """Whether a path is UTF-8, as names in tables and stores must be."""
    return shown(path) == str(path)


def composed(name: str) -> str:
    """A name in the one form in which names are compared and stored (Unicode NFC).

    >>> composed("cafe\\u0301") == "caf\\u00e9"
    True
    """
    return unicodedata.normalize("NFC", name)


def spelling(name: str) -> str:
    """What is left of a name without case, spaces and leading zeros of its numbers: equal for `D6`, `d 6` and `d06`.

    >>> [spelling(name) for name in ("D6", "d 6", "d06", "d60")]
    ['d6', 'd6', 'd6', 'd60']
    """
    return re.sub(r"(?<!\d)0+(?=\d)", "", "".join(composed(name).casefold().split()))
