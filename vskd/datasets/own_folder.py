"""A folder of one's own files in one folder per class: its parts and classes, and the table that tells what folders
cannot. What images and clips share.
"""

from collections.abc import Callable, Container, Iterator, Sequence
from pathlib import Path

from vskd.datasets.images.class_folders import Classes, ClassFileT, classes_of, key_of
from vskd.datasets.images.image_listing import Listing, read_csv
from vskd.errors import DataError
from vskd.preprocessing.folders import composed, is_text, subfolders
from vskd.preprocessing.table_file import Row

TABLE = "labels.csv"
_PARTS = {"train": "train", "valid": "valid", "val": "valid", "validation": "valid", "test": "test"}


def parts_in(root: Path) -> dict[Path, str]:
    """The folders that hold class folders, and the part that each is; the root itself where there are no parts.

    Raises:
        DataError: there are parts and other folders, or two folders for one part.
    """
    folders = subfolders(root)
    parts = {folder: _PARTS[folder.name.lower()] for folder in folders if folder.name.lower() in _PARTS}
    if not parts:
        return {root: ""}
    others = [folder.name for folder in folders if folder not in parts]
    if others:
        raise DataError(
            f"{root} mixes parts ({', '.join(f.name for f in parts)}) and other folders ({', '.join(others)})",
            "Put every class into a part, or none",
        )
    if len(set(parts.values())) < len(parts):
        raise DataError(
            f"{root} has two folders for one part: {', '.join(f.name for f in parts)}", "Merge or rename them"
        )
    return parts


def classes_in(dataset: str, root: Path, parts: dict[Path, str]) -> Classes:
    """The classes: the names of the class folders, in alphabetical order.

    Raises:
        DataError: there are no two that differ.
    """
    # A name that is no text becomes no class: who lists the folders names it.
    folders = [folder for part in parts for folder in subfolders(part) if is_text(folder)]
    labels = tuple(sorted({composed(folder.name) for folder in folders}))
    if len({key_of(label) for label in labels}) < max(2, len(labels)):
        raise DataError(
            f"{root} has the class folders {', '.join(labels) or '(none)'}; at least two that differ are needed",
            "Make one folder per class; names that differ in upper and lower case or spaces only are one class",
        )
    return classes_of(dataset, labels, unique_names=False)


def told_by_table(
    root: Path,
    files: Sequence[ClassFileT],
    what: str,
    classes: Classes,
    listing: Listing,
    id_of: Callable[[str], str] = str,
) -> Iterator[tuple[ClassFileT, Row, str]]:
    """The files that the table `path[,label,...]` names: file, its line, and where that stands, for messages.

    A line without a file, of another class than its folder's or of a file that has several, and a file without a line
    are named in `listing` and left out.

    Args:
        root: the folder with the table.
        files: in the class folders.
        what: `image` or `clip`, for messages.
        classes: of the data set.
        listing: takes the problems.
        id_of: the id that a file of a path would have, for one that is not there.

    Raises:
        DataError: the table cannot be read.
    """
    table = root / TABLE
    by_path = {composed(file.path.relative_to(root).as_posix()): file for file in files}
    lines: dict[str, list[Row]] = {}
    for row in read_csv(table, ("path",)):
        lines.setdefault(_path_of(row.values["path"], by_path), []).append(row)
    for path, rows in lines.items():
        where = f"{table}, line {', '.join(str(row.line) for row in rows)}"
        file = by_path.get(path)
        says = sorted({row.values["label"] for row in rows if row.values.get("label")})
        if file is None:
            listing.problem("missing", id_of(path), table, f"{where}: there is no {what} {path} in a class folder")
        elif any(classes.label(label) != file.label for label in says):
            folder = classes.labels[file.label]
            detail = f"two classes for one {what}: its folder says {folder}, {where} {', '.join(says)}"
            listing.problem("duplicate", file.id, file.path, detail)
        elif len(rows) > 1:
            listing.problem("duplicate", file.id, file.path, f"{where}: one {what} twice")
        else:
            yield file, rows[0], where
    for path, file in by_path.items():
        if path not in lines:
            listing.problem("unpaired", file.id, file.path, f"{table} has no line for this {what}")


def _path_of(said: str, known: Container[str]) -> str:
    """The path that a table means: as it is written, or with backslashes for slashes, as Windows writes them."""
    path = Path(said).as_posix()
    return path if path in known else Path(said.replace("\\", "/")).as_posix()
