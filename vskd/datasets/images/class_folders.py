"""Images sorted into one folder per class, with or without a CSV file that names their drivers."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from vskd.datasets.images.image_listing import ONCE, ImageFacts, Listing, read_csv
from vskd.datasets.splits.split import UNKNOWN
from vskd.preprocessing.folders import composed, files_below, is_text, shown, subfolders
from vskd.preprocessing.image.image_header import is_image_name
from vskd.preprocessing.table_file import Row


@dataclass(frozen=True)
class Classes:
    """The classes of a data set by the names that its folders and CSV files use, and how its images are called.

    Attributes:
        dataset: name of the data set.
        labels: class names in order.
        names: name as `key_of` writes it -> class number; several names may mean the same class.
        unique_names: no two images of the data set have the same file name, which therefore is the id; else it is the
            path.
    """

    dataset: str
    labels: tuple[str, ...]
    names: Mapping[str, int]
    unique_names: bool

    def label(self, name: str) -> int | None:
        """Class number of a name, whatever its case, spaces around it and form of Unicode; None if it is none."""
        return self.names.get(key_of(name))


def classes_of(dataset: str, labels: tuple[str, ...], *, unique_names: bool) -> Classes:
    """Classes whose folders have their names, in any case."""
    return Classes(dataset, labels, {key_of(label): n for n, label in enumerate(labels)}, unique_names)


def key_of(name: str) -> str:
    """A name of a class as names are compared: two that differ in case, spaces or form of Unicode only are one.

    >>> key_of("Texting  - Left ")
    'texting - left'
    """
    return " ".join(composed(name).casefold().split())


class ClassFile(Protocol):
    """A file in a class folder: its id, and its class by folder."""

    @property
    def id(self) -> str:
        """Of the recording that it becomes."""

    @property
    def path(self) -> Path:
        """Where it lies."""

    @property
    def label(self) -> int:
        """Class number."""


ClassFileT = TypeVar("ClassFileT", bound=ClassFile)


@dataclass(frozen=True)
class FolderImage:
    """An image file: its id, class by folder, published part, and the folder between class and image (lighting)."""

    id: str
    path: Path
    label: int
    part: str
    trial: str

    def place(self, subject: str = UNKNOWN) -> ImageFacts:
        """What is known of it, given its driver."""
        return ImageFacts(self.label, subject, self.trial, part=self.part)


def list_class_folders(
    folder: Path, part: str, classes: Classes, root: Path, listing: Listing
) -> Iterator[FolderImage]:
    """The images of one part, `folder/<class>/[<lighting>/]<image>`, sorted; what is odd goes to `listing`.

    A folder that is no class, a class without folder or images, and files that are no images are named.

    Raises:
        DataError: a folder cannot be listed.
    """
    seen: set[int] = set()
    for class_folder in subfolders(folder):
        label = classes.label(class_folder.name)
        if label is None:
            name = shown(class_folder.relative_to(root))
            detail = f"'{shown(Path(class_folder.name))}' is no class of {classes.dataset}, which has "
            listing.problem("unknown", name, class_folder, detail + ", ".join(classes.labels))
            continue
        seen.add(label)
        empty = True
        for path in files_below(class_folder):
            if not is_image_name(path):
                listing.problem("unknown", "", path, "its name is not that of a JPEG or PNG image")
                continue
            if not is_text(path):
                listing.problem("unknown", "", path, "its name is no UTF-8; rename the file")
                continue
            empty = False
            between = path.parent.relative_to(class_folder).as_posix()
            name = path.stem if classes.unique_names else path.relative_to(root).with_suffix("").as_posix()
            yield FolderImage(composed(name), path, label, part, ONCE if between == "." else between)
        if empty:
            listing.problem("missing", "", class_folder, "a class folder without images")
    for label, name in enumerate(classes.labels):
        if label not in seen:
            listing.problem("missing", "", folder, f"it has no folder of the class '{name}'")


def name_of(path: str) -> str:
    r"""The file's name in a path that a table gives, with slashes or, from Windows, backslashes.

    >>> name_of(r"c0\img_1.jpg"), name_of("c0/img_1.jpg")
    ('img_1.jpg', 'img_1.jpg')
    """
    return path.replace("\\", "/").rpartition("/")[2]


def without_twins(files: Iterable[ClassFileT], what: str, listing: Listing) -> list[ClassFileT]:
    """`files` (of which each is a `what`) without those that share an id: a program cannot know which one is right."""
    by_id: dict[str, list[ClassFileT]] = {}
    for file in files:
        by_id.setdefault(file.id, []).append(file)
    for name, twins in by_id.items():
        if len(twins) > 1:
            told = f"two classes for one {what}" if len({t.label for t in twins}) > 1 else f"one {what} twice"
            places = ", ".join(shown(t.path) for t in twins)
            listing.problem("duplicate", name, twins[1].path, f"{told}: {places}")
    return [file for file, *others in by_id.values() if not others]


def join_drivers(table: Path, images: list[FolderImage], classes: Classes, listing: Listing) -> dict[str, str]:
    """Drivers of images by id, from a CSV file `classname[,subject,img]`; an image that it does not fit is left out.

    Without a column `img` it can only be counted: then every image stays, its driver unknown.

    Raises:
        DataError: the file cannot be read, or has no column `classname`.
    """
    rows = read_csv(table, ("classname",))
    if any("img" not in row.values for row in rows):
        _compare_counts(table, rows, images, classes, listing)
        return {image.id: UNKNOWN for image in images}
    by_name: dict[str, list[FolderImage]] = {}
    for image in images:
        by_name.setdefault(composed(image.path.name), []).append(image)
    said: dict[str, list[Row]] = {}
    for row in rows:
        said.setdefault(name_of(row.values["img"]), []).append(row)
    drivers: dict[str, str] = {}
    for name, lines in said.items():
        for image, line in _agreeing(table, name, lines, by_name.get(name, []), classes, listing):
            drivers[image.id] = line.values.get("subject") or UNKNOWN
    for image in images:
        if composed(image.path.name) not in said:
            listing.problem("unpaired", image.id, image.path, f"{table} has no line for this image")
    return drivers


def _agreeing(
    table: Path, name: str, lines: list[Row], found: list[FolderImage], classes: Classes, listing: Listing
) -> Iterator[tuple[FolderImage, Row]]:
    """The images called `name`, each with the one line that gives it the class of its folder; all else is a problem."""
    where = f"{table}, line {', '.join(str(line.line) for line in lines)}"
    stem = found[0].id if found else Path(name).stem
    says = [line.values["classname"] for line in lines]
    labels = [classes.label(each) for each in says]
    if None in labels:
        wrong = says[labels.index(None)]
        listing.problem("unknown", stem, table, f"{where}: '{wrong}' is no class of {classes.dataset}")
        return
    if len(set(labels)) < len(lines) or (classes.unique_names and len(lines) > 1):
        what = "two classes for one image" if len(set(labels)) == len(lines) else "one image twice"
        listing.problem("duplicate", stem, table, f"{where}: {what} ({', '.join(sorted(set(says)))})")
        return
    if not found:
        listing.problem("missing", stem, table, f"{where}: there is no image {name}")
    for image in found:
        if image.label in labels:
            yield image, lines[labels.index(image.label)]
        else:
            detail = f"two classes for one image: its folder says {image.path.parent.name}, {where} says {min(says)}"
            listing.problem("duplicate", image.id, image.path, detail)


def _compare_counts(
    table: Path, rows: list[Row], images: list[FolderImage], classes: Classes, listing: Listing
) -> None:
    listed = Counter(classes.label(row.values["classname"]) for row in rows)
    there = Counter(image.label for image in images)
    if listed[None]:
        listing.problem("unknown", "", table, f"{listed[None]} lines name no class of {classes.dataset}")
    for label, name in enumerate(classes.labels):
        if listed[label] != there[label]:
            listing.problem(
                "missing", "", table, f"it lists {listed[label]} images of '{name}', {there[label]} are here"
            )
