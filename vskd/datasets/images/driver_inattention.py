"""Driver inattention: 9,739 infrared pictures of ten drivers' faces, six classes, one box around the face in each.

Source: "DMD v6", published on Roboflow Universe (driver-monitoring/dmd-tfiw0), from the Driver Monitoring Dataset,
Ortega et al., "DMD: a large-scale multi-modal driver monitoring dataset for attention and alertness analysis", ECCV
Workshops 2020.

Data requirements: a folder with `train`, `valid` and `test` (not all need be there), each with
  `_annotations.txt`  YOLO-v3-Keras: `FILE x1,y1,x2,y2,class[ x1,...]`, boxes in pixels of the file, one line an image
  `_classes.txt`      the class names, in the order of the class numbers
  `g{A|B}_{subject}_{session}[_{time}]_ir_face_mp4-{frame}_jpg.rf.{hash}.jpg`
The clip is the source video, the position the frame's number in it, the trial the session. An image's id is its source
frame. The published training part holds most source frames twice, one of them usually mirrored: copies are recordings
of their own, in the order of their file names, with `~2` (`~3`, ...) after the id; a source frame in two parts is a
`duplicate`. Of several boxes of one class the largest counts; boxes of different classes make the image a `duplicate`.
"""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import NoReturn

from vskd.datasets.data_folder import require_folder
from vskd.datasets.entry import DatasetEntry
from vskd.datasets.images.image_listing import ImageFacts, Listing
from vskd.datasets.recording import Index
from vskd.errors import DataError
from vskd.preprocessing.folders import files_below, subfolders
from vskd.preprocessing.image.image_header import Box, is_image_name
from vskd.preprocessing.text_file import read_text

NAME = "driver-inattention"
LABELS = ("DangerousDriving", "Distracted", "Drinking", "SafeDriving", "SleepyDriving", "Yawn")
PARTS = ("train", "valid", "test")
ANNOTATIONS, CLASSES = "_annotations.txt", "_classes.txt"

_FILE = re.compile(r"(g[A-Z])_(\d+)_s(\d+)_(.*?)_?ir_face_mp4-(\d+)_jpg\.rf\.[0-9a-f]{32}\.jpg")
_NUMBER = r"-?\d+(?:\.\d+)?"
_BOX = re.compile(rf"({_NUMBER}),({_NUMBER}),({_NUMBER}),({_NUMBER}),(-?\d+)")


@dataclass(frozen=True)
class _Frame:
    """What a file's name says."""

    id: str
    clip: str
    subject: str
    session: str
    number: int


@dataclass(frozen=True)
class _Row:
    """One line of an annotation file: the boxes with their class numbers, and what is wrong with the line."""

    line: int
    path: Path
    boxes: tuple[tuple[Box, int], ...]
    fault: str


def index(root: Path) -> Index:
    """List the images under `root` and name what is missing, corrupt, duplicate, unpaired or unknown.

    Raises:
        DataError: `root` is missing, holds none of the parts, or a part lacks its annotations or has other classes.
    """
    require_folder(root, NAME)
    present = [part for part in PARTS if (root / part).is_dir()]
    if not present:
        _refuse_empty(root)
    listing = Listing()
    for part in PARTS:
        if part not in present:
            listing.problem("missing", "", root / part, f"the data set's part '{part}' is not here")
    seen: dict[str, str] = {}
    copies: dict[str, int] = {}
    for part in present:
        for row, label in _labelled_rows(root / part, listing):
            frame = parse_name(row.path.name)
            if frame is None:
                listing.problem("unknown", row.path.name, row.path, "its name is not one of this data set's")
            elif seen.setdefault(frame.id, part) != part:
                detail = f"the same source frame is in the part '{seen[frame.id]}' too"
                listing.problem("duplicate", frame.id, row.path, detail)
            else:
                copies[frame.id] = copies.get(frame.id, 0) + 1
                name = frame.id if copies[frame.id] == 1 else f"{frame.id}~{copies[frame.id]}"
                place = ImageFacts(label, frame.subject, frame.session, frame.clip, frame.number, part)
                listing.add(name, row.path, place, max(row.boxes, key=_area)[0])
    if not listing.recordings:
        _refuse_empty(root)
    return listing.index(NAME, root, LABELS)


def parse_name(name: str) -> _Frame | None:
    """Group, subject, session, recording time and frame number of a file name; None if it is not one of these."""
    match = _FILE.fullmatch(name)
    if match is None:
        return None
    group, subject, session, time, number = match.groups()
    clip = f"{group}_{int(subject)}_s{int(session)}" + (f"_{time}" if time else "")
    return _Frame(f"{clip}-{int(number)}", clip, str(int(subject)), str(int(session)), int(number))


def _refuse_empty(root: Path) -> NoReturn:
    inside = [p for p in subfolders(root) if any((p / part / ANNOTATIONS).is_file() for part in PARTS)]
    above = root.parent if (root / ANNOTATIONS).is_file() else None
    for place in (*inside, *([above] if above else [])):
        raise DataError(f"{root} holds no parts of {NAME}, but {place} may", f"Pass --data {shlex.quote(str(place))}")
    raise DataError(
        f"{root} holds no {NAME} images (folders {', '.join(PARTS)} with {ANNOTATIONS} and labelled images)",
        f"Give the folder that holds them with --data; `vskd datasets info {NAME}` tells how to get the data",
    )


def _labelled_rows(folder: Path, listing: Listing) -> Iterator[tuple[_Row, int]]:
    """The annotated images of a part, sorted by file name, with their labels; what is wrong goes to `listing`."""
    classes = _classes(folder, listing)
    rows = _rows(folder)
    for path in files_below(folder):
        if is_image_name(path) and path not in rows:
            listing.problem("unpaired", _id_of(path), path, f"{ANNOTATIONS} has no line for this image")
    for path in sorted(rows):
        name, row = _id_of(path), rows[path][0]
        numbers = {number for each in rows[path] for _, number in each.boxes}
        others = sorted(n for n in numbers if not 0 <= n < len(classes))
        where = f"{folder / ANNOTATIONS}, line {', '.join(str(each.line) for each in rows[path])}"
        if not path.is_file():
            listing.problem("missing", name, path, f"{where}: there is no such image")
        elif row.fault:
            listing.problem("corrupt", name, path, f"{where}: {row.fault}")
        elif others:
            detail = f"{where}: class {others[0]} is no class of {NAME}, which has 0..{len(classes) - 1}"
            listing.problem("unknown", name, path, detail)
        elif len(numbers) > 1:
            listing.problem("duplicate", name, path, f"{where}: two classes for one image ({_names(numbers)})")
        elif len(rows[path]) > 1:
            listing.problem("duplicate", name, path, f"{where}: one image twice")
        elif not row.boxes:
            listing.problem("unpaired", name, path, f"{where}: an image without box and class")
        else:
            (number,) = numbers
            yield row, classes[number]


def _names(numbers: set[int]) -> str:
    return ", ".join(map(str, sorted(numbers)))


def _id_of(path: Path) -> str:
    frame = parse_name(path.name)
    return frame.id if frame else path.name


def _classes(folder: Path, listing: Listing) -> tuple[int, ...]:
    """Label of each class number.

    Raises:
        DataError: the file names other classes.
    """
    path = folder / CLASSES
    if not path.is_file():
        listing.problem("missing", "", path, f"class numbers are taken in the published order: {', '.join(LABELS)}")
        return tuple(range(len(LABELS)))
    names = [line.strip() for line in read_text(path)[0].splitlines() if line.strip()]
    if sorted(names) != sorted(LABELS):
        raise DataError(
            f"{path} names the classes {', '.join(names) or '(none)'} and should name {', '.join(LABELS)}",
            "Use the original data set, or sort the images into folders and use the data set image-folder",
        )
    return tuple(LABELS.index(name) for name in names)


def _rows(folder: Path) -> dict[Path, list[_Row]]:
    """The lines of the annotation file, by image.

    Raises:
        DataError: there is none, or it cannot be read.
    """
    path = folder / ANNOTATIONS
    if not path.is_file():
        raise DataError(f"{folder} has no {ANNOTATIONS}", "Copy it from the data set; it holds labels and boxes")
    rows: dict[Path, list[_Row]] = {}
    for line, text in enumerate(read_text(path)[0].splitlines(), start=1):
        if text.strip():
            row = _parse_row(text, line, folder)
            rows.setdefault(row.path, []).append(row)
    return rows


def _parse_row(text: str, line: int, folder: Path) -> _Row:
    name, *words = text.split()
    matches = [_BOX.fullmatch(word) for word in words]
    boxes = tuple(((float(m[1]), float(m[2]), float(m[3]), float(m[4])), int(m[5])) for m in matches if m is not None)
    odd = next((word for word, match in zip(words, matches, strict=True) if match is None), None)
    fault = "" if odd is None else f"'{odd}' is not x1,y1,x2,y2,class"
    return _Row(line, folder / name, boxes, fault)


def _area(item: tuple[Box, int]) -> float:
    x1, y1, x2, y2 = item[0]
    return (x2 - x1) * (y2 - y1)


ENTRY = DatasetEntry(
    name=NAME,
    title="Driver inattention (DMD v6 on Roboflow)",
    description="Infrared pictures of 10 drivers, 6 classes from safe to sleepy, one face box each.",
    index=index,
    labels=LABELS,
    streams=("image",),
    protocols=("official", "subject-folds", "leave-one-subject-out", "official-test"),
    url="https://universe.roboflow.com/driver-monitoring/dmd-tfiw0",
    licence="CC BY 4.0 as published on Roboflow; the Driver Monitoring Dataset it is drawn from has its own terms",
    citation=(
        "J. D. Ortega et al.: DMD: a large-scale multi-modal driver monitoring dataset for attention and alertness "
        "analysis. ECCV Workshops 2020"
    ),
    obtain="Export version 6 from its page in the format 'YOLO v3 Keras'; unpack train, valid and test in one folder.",
    placement="infrared camera in front of the driver",
    system="krca",
    # The face fills a small part of the picture, and infrared has no colours.
    defaults={"image": {"streams": ["image"], "size": 64, "crop": "box", "margin": 0.1, "grey": True}},
    # No class knows left from right: a mirrored driver does the same.
    label_swap=MappingProxyType({}),
)
