"""Images of one's own, sorted into one folder per class.

Data requirements: one of two layouts, JPEG or PNG files, in sub-folders of a class or directly in it.
  `<class>/<image>`
  `<part>/<class>/<image>`   part: train, valid (or val, validation), test
The classes are the names of the folders, in alphabetical order. An image's id is its path without ending.

An optional file `labels.csv` beside those folders tells what folders cannot: `path[,label,driver,clip,frame]`.
  path     of the image, from the folder of `labels.csv`
  label    must be the class of its folder
  driver   the person; without it everybody is one unknown person, and no driver-disjoint protocol fits
  clip     the source video, and
  frame    the number of the image in it; `vskd datasets audit` measures distances in time by them
Where there is such a file, images that it does not name are left out. Paths may be written with backslashes.

Hidden folders and those of file servers and archives (`@eaDir`, `__MACOSX`) are no classes and hold no images; links
to folders are followed. See `vskd.preprocessing.folders`.
"""

from collections.abc import Container
from pathlib import Path

from vskd.datasets.data_folder import require_folder
from vskd.datasets.entry import DatasetEntry, Settings
from vskd.datasets.images.class_folders import Classes, FolderImage, key_of, list_class_folders, without_twins
from vskd.datasets.images.image_listing import ImageFacts, Listing, Row, read_csv
from vskd.datasets.images.side_view import WHOLE_FRAMES
from vskd.datasets.recording import Index
from vskd.datasets.splits.split import UNKNOWN
from vskd.errors import DataError
from vskd.preprocessing.folders import composed, is_text, subfolders

NAME, TABLE = "image-folder", "labels.csv"
_PARTS = {"train": "train", "valid": "valid", "val": "valid", "validation": "valid", "test": "test"}


def index(root: Path) -> Index:
    """List the images under `root` and name what is missing, corrupt, duplicate, unpaired or unknown.

    Raises:
        DataError: `root` is missing, holds no images of two classes, mixes the two layouts, or its CSV is not valid.
    """
    require_folder(root, NAME)
    listing = Listing()
    parts = _parts(root)
    classes = _classes(root, parts)
    found = [
        image for folder, part in parts.items() for image in list_class_folders(folder, part, classes, root, listing)
    ]
    images = without_twins(found, listing)
    if not images:
        raise DataError(
            f"{root} holds no JPEG or PNG images in its folders {', '.join(classes.labels)}",
            "Put the images of each class into its folder",
        )
    if (root / TABLE).is_file():
        _add_by_table(root, images, classes, listing)
    else:
        for image in images:
            listing.add(image.id, image.path, image.place())
    return listing.index(NAME, root, classes.labels)


def _parts(root: Path) -> dict[Path, str]:
    """The folders that hold class folders, and the part that each is; the root itself where there are no parts."""
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


def _classes(root: Path, parts: dict[Path, str]) -> Classes:
    # A name that is no text becomes no class: list_class_folders names it.
    folders = [folder for part in parts for folder in subfolders(part) if is_text(folder)]
    labels = tuple(sorted({composed(folder.name) for folder in folders}))
    if len({key_of(label) for label in labels}) < max(2, len(labels)):
        raise DataError(
            f"{root} has the class folders {', '.join(labels) or '(none)'}; at least two that differ are needed",
            "Make one folder per class; names that differ in upper and lower case or spaces only are one class",
        )
    return Classes(NAME, labels, {key_of(label): n for n, label in enumerate(labels)}, unique_names=False)


def _add_by_table(root: Path, images: list[FolderImage], classes: Classes, listing: Listing) -> None:
    """Add the images that the CSV file names, with what it says of them."""
    table = root / TABLE
    by_path = {composed(image.path.relative_to(root).as_posix()): image for image in images}
    lines: dict[str, list[Row]] = {}
    for row in read_csv(table, ("path",)):
        lines.setdefault(_path_of(row.values["path"], by_path), []).append(row)
    for path, rows in lines.items():
        where = f"{table}, line {', '.join(str(row.line) for row in rows)}"
        name = Path(path).with_suffix("").as_posix() if Path(path).name else path
        image = by_path.get(path)
        says = sorted({row.values["label"] for row in rows if row.values.get("label")})
        if image is None:
            listing.problem("missing", name, table, f"{where}: there is no image {path} in a class folder")
        elif any(classes.label(label) != image.label for label in says):
            detail = (
                f"two classes for one image: its folder says {classes.labels[image.label]}, {where} {', '.join(says)}"
            )
            listing.problem("duplicate", image.id, image.path, detail)
        elif len(rows) > 1:
            listing.problem("duplicate", image.id, image.path, f"{where}: one image twice")
        else:
            (row,) = rows
            listing.add(image.id, image.path, _place(image, row, where))
    for path, image in by_path.items():
        if path not in lines:
            listing.problem("unpaired", image.id, image.path, f"{table} has no line for this image")


def _path_of(said: str, known: Container[str]) -> str:
    """The path that a table means: as it is written, or with backslashes for slashes, as Windows writes them."""
    path = Path(said).as_posix()
    return path if path in known else Path(said.replace("\\", "/")).as_posix()


def _place(image: FolderImage, row: Row, where: str) -> ImageFacts:
    clip, frame = row.values.get("clip", ""), row.values.get("frame", "")
    if frame and not (frame.isdecimal() and clip):
        raise DataError(
            f"{where}: frame '{frame}' is no number of a frame in a clip", "Give clip and frame, or neither"
        )
    return ImageFacts(
        label=image.label,
        subject=row.values.get("driver") or UNKNOWN,
        trial=image.trial,
        clip=clip,
        position=int(frame) if frame else None,
        part=image.part,
    )


_NO_MIRROR: Settings = {
    "student": {"sees": {"augmentation": {"flip": 0.0}}},
    "teachers": {0: {"sees": {"augmentation": {"flip": 0.0}}}},
}
ENTRY = DatasetEntry(
    name=NAME,
    title="Images of one's own",
    description="One folder per class, in parts or not; labels.csv may name drivers and source videos.",
    index=index,
    labels=(),
    streams=("image",),
    protocols=("official", "official-val", "leave-one-driver-out"),
    url="",
    licence="whatever you agreed on with the people in it",
    citation="your own",
    obtain="Sort JPEG or PNG files into train/CLASS and test/CLASS; or into CLASS, and name the drivers in labels.csv "
    "(path,label,driver) beside them.",
    placement="camera",
    system="krca",
    # As for State Farm: there are no boxes to cut out, and posture wants more pixels than a face.
    defaults={"image": WHOLE_FRAMES},
    # Nobody but the folder's owner knows what a mirrored image of a class shows.
    recipes={"krca": _NO_MIRROR},
    label_swap=None,
)
