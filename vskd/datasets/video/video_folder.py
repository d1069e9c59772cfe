"""Clips of one's own, sorted into one folder per class.

Data requirements: one of two layouts; videos lie in a class folder or in folders below it.
  `<class>/<clip>`
  `<part>/<class>/<clip>`   part: train, valid (or val, validation), test
The classes are the names of the folders, in alphabetical order. A clip's id is its path with its ending.

An optional file `labels.csv` beside those folders tells what folders cannot: `path[,label,group]`.
  path    of the clip, from the folder of `labels.csv`; backslashes will do
  label   must be the class of its folder
  group   what must not be in two parts of a split: the person, the place, or the source video that clips were cut from
Where there is such a file, clips that it does not name are left out. Without groups only the protocols `official` and
`official-val` fit, which take the folders train and test as they are: clips that were divided at random share source
videos, and figures on them say nothing.
"""

from pathlib import Path

from vskd.datasets.data_folder import require_folder
from vskd.datasets.entry import DatasetEntry
from vskd.datasets.images.class_folders import Classes, key_of
from vskd.datasets.images.image_listing import Listing, Row, read_csv
from vskd.datasets.recording import Index
from vskd.datasets.splits.split import UNKNOWN
from vskd.datasets.video.clip_folders import ClipFacts, ClipFile, add_clip, classes_of, list_clips, without_twins
from vskd.errors import DataError
from vskd.preprocessing.folders import composed, is_text, subfolders

NAME, TABLE = "video-folder", "labels.csv"
_PARTS = {"train": "train", "valid": "valid", "val": "valid", "validation": "valid", "test": "test"}


def index(root: Path) -> Index:
    """List the clips under `root` and name what is missing, corrupt, duplicate, unpaired or unknown.

    Raises:
        DataError: `root` is missing, holds no clips of two classes, mixes the two layouts, or its CSV is not valid.
    """
    require_folder(root, NAME)
    listing = Listing()
    parts = _parts(root)
    classes = _classes(root, parts)
    found = [clip for folder, part in parts.items() for clip in list_clips(folder, part, classes, root, listing)]
    clips = without_twins(found, listing)
    if not clips:
        raise DataError(
            f"{root} holds no videos in its folders {', '.join(classes.labels)}",
            "Put the clips of each class into its folder",
        )
    if (root / TABLE).is_file():
        _add_by_table(root, clips, classes, listing)
    else:
        detail = "no file says which clips belong together; give it the columns path and group to have them kept apart"
        listing.problem("missing", "", root / TABLE, detail)
        nothing = ClipFacts()
        for clip in clips:
            add_clip(clip, nothing, listing)
    return listing.index(NAME, root, classes.labels)


def _parts(root: Path) -> dict[Path, str]:
    """The folders that hold class folders, and the part that each is; the root itself where there are no parts."""
    folders = subfolders(root)
    parts = {folder: _PARTS[folder.name.lower()] for folder in folders if folder.name.lower() in _PARTS}
    if not parts:
        return {root: ""}
    others = [folder.name for folder in folders if folder not in parts]
    if others or len(set(parts.values())) < len(parts):
        raise DataError(
            f"{root} mixes parts ({', '.join(f.name for f in parts)}) and other folders ({', '.join(others) or 'none'})"
            if others
            else f"{root} has two folders for one part: {', '.join(f.name for f in parts)}",
            "Put every class into one folder for each part, or none",
        )
    return parts


def _classes(root: Path, parts: dict[Path, str]) -> Classes:
    folders = [folder for part in parts for folder in subfolders(part) if is_text(folder)]
    labels = tuple(sorted({composed(folder.name) for folder in folders}))
    if len({key_of(label) for label in labels}) < max(2, len(labels)):
        raise DataError(
            f"{root} has the class folders {', '.join(labels) or '(none)'}; at least two that differ are needed",
            "Make one folder per class; names that differ in upper and lower case or spaces only are one class",
        )
    return classes_of(NAME, labels, unique_names=False)


def _add_by_table(root: Path, clips: list[ClipFile], classes: Classes, listing: Listing) -> None:
    """Add the clips that the CSV file names, with their groups."""
    table = root / TABLE
    by_path = {composed(clip.path.relative_to(root).as_posix()): clip for clip in clips}
    lines: dict[str, list[Row]] = {}
    for row in read_csv(table, ("path",)):
        said = row.values["path"]
        path = Path(said).as_posix()
        lines.setdefault(path if path in by_path else Path(said.replace("\\", "/")).as_posix(), []).append(row)
    for path, rows in lines.items():
        _add_line(table, path, rows, by_path.get(path), classes, listing)
    for path, clip in by_path.items():
        if path not in lines:
            listing.problem("unpaired", clip.id, clip.path, f"{table} has no line for this clip")


def _add_line(
    table: Path, path: str, rows: list[Row], clip: ClipFile | None, classes: Classes, listing: Listing
) -> None:
    where = f"{table}, line {', '.join(str(row.line) for row in rows)}"
    says = sorted({row.values["label"] for row in rows if row.values.get("label")})
    if clip is None:
        listing.problem("missing", path, table, f"{where}: there is no clip {path} in a class folder")
    elif any(classes.label(label) != clip.label for label in says):
        detail = f"two classes for one clip: its folder says {classes.labels[clip.label]}, {where} {', '.join(says)}"
        listing.problem("duplicate", clip.id, clip.path, detail)
    elif len(rows) > 1:
        listing.problem("duplicate", clip.id, clip.path, f"{where}: one clip twice")
    else:
        (row,) = rows
        group = row.values.get("group") or UNKNOWN
        add_clip(clip, ClipFacts(subject=group, group=group), listing)


ENTRY = DatasetEntry(
    name=NAME,
    title="Clips of one's own",
    description="One folder per class, in parts or not; labels.csv names the groups that must stay together.",
    index=index,
    labels=(),
    streams=("rgb",),
    protocols=("official", "official-val", "leave-one-group-out", "leave-5-groups-out"),
    url="",
    licence="whatever you agreed on with the people in it",
    citation="your own",
    obtain="Sort videos into CLASS, or train/CLASS and test/CLASS; write labels.csv (path,group) beside them, where a "
    "group is a person, a place or a source video.",
    placement="camera",
    system="kd3d",
    defaults={"clip": {"streams": ["rgb"]}, "frames": {"streams": ["rgb"]}},
)
