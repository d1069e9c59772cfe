"""State Farm Distracted Driver Detection: 22,424 labelled dashboard images of 26 drivers, ten classes.

Source: State Farm, "Distracted Driver Detection", Kaggle 2016; the folder layout with class names is that of SFD3.

Data requirements: one of two layouts.
  original    `driver_imgs_list.csv` (subject,classname,img) and `imgs/train/c0..c9/img_*.jpg`. The images of
              `imgs/test` have no labels and are not listed. Without the folder of images the recordings are listed by
              name alone, without a stream, so that protocols can be tried; the folder is named as missing.
  published   see `vskd.datasets.images.published_folders`; class folders may be called c0..c9, too. A
              `driver_imgs_list.csv` beside them names the drivers.
In both, an image's id is its file name without ending, the subject is the driver (`p002`), and the classes are those of
the published layout, in its order (`CODES` translates).
"""

import shlex
from pathlib import Path
from types import MappingProxyType
from typing import NoReturn

from vskd.datasets.data_folder import require_folder
from vskd.datasets.entry import DatasetEntry
from vskd.datasets.images.class_folders import Classes, join_drivers, list_class_folders, name_of, without_twins
from vskd.datasets.images.image_listing import ImageFacts, Listing, read_csv
from vskd.datasets.images.published_folders import LABEL_SWAP, LABELS, has_published_layout, index_published_folders
from vskd.datasets.images.side_view import SIDE_VIEW_RECIPES, WHOLE_FRAMES
from vskd.datasets.recording import Index
from vskd.datasets.splits.split import UNKNOWN
from vskd.errors import DataError
from vskd.preprocessing.folders import subfolders

__all__ = ["CODES", "LABELS", "LABEL_SWAP", "index"]

NAME = "state-farm"
TABLE, IMAGES = "driver_imgs_list.csv", Path("imgs") / "train"

CODES = {
    "c0": "normal driving",
    "c1": "texting - right",
    "c2": "talking on the phone - right",
    "c3": "texting - left",
    "c4": "talking on the phone - left",
    "c5": "operating the interactive interface",
    "c6": "drinking",
    "c7": "reaching behind",
    "c8": "makeup",
    "c9": "talking to passenger",
}
"""State Farm's code of a class -> the name that the published layout gives it."""

CLASSES = Classes(
    dataset=NAME,
    labels=LABELS,
    names={name: n for n, name in enumerate(LABELS)} | {code: LABELS.index(name) for code, name in CODES.items()},
    unique_names=True,
)


def index(root: Path) -> Index:
    """List the State Farm images under `root` and name what is missing, corrupt, duplicate, unpaired or unknown.

    Raises:
        DataError: `root` is missing or has neither layout, or a CSV file cannot be read.
    """
    require_folder(root, NAME)
    table = root / TABLE if (root / TABLE).is_file() else None
    if not (root / IMAGES).is_dir():
        if has_published_layout(root) or any((root / "train" / code).is_dir() for code in CODES):
            return index_published_folders(root, CLASSES, drivers=table)
        if table is not None:
            return _index_by_name(root)
    elif table is not None:
        return _index_original(root)
    _refuse_empty(root)


def _index_original(root: Path) -> Index:
    listing = Listing()
    read_csv(root / TABLE, ("subject", "classname", "img"))
    images = without_twins(list_class_folders(root / IMAGES, "train", CLASSES, root, listing), "image", listing)
    drivers = join_drivers(root / TABLE, images, CLASSES, listing)
    for image in images:
        if image.id in drivers:
            listing.add(image.id, image.path, image.place(drivers[image.id]))
    return listing.index(NAME, root, LABELS)


def _index_by_name(root: Path) -> Index:
    """The recordings that the CSV file names, without their images."""
    listing = Listing()
    rows = read_csv(root / TABLE, ("subject", "classname", "img"))
    detail = f"the folder of images is not here: {len(rows)} images that {TABLE} names"
    listing.problem("missing", "", root / IMAGES, detail)
    seen: dict[str, int] = {}
    for row in rows:
        name, label = Path(name_of(row.values["img"])).stem, CLASSES.label(row.values["classname"])
        where = f"{root / TABLE}, line {row.line}"
        if label is None:
            listing.problem(
                "unknown", name, root / TABLE, f"{where}: '{row.values['classname']}' is no class of {NAME}"
            )
        elif name in seen:
            what = "one image twice" if seen[name] == label else "two classes for one image"
            listing.problem("duplicate", name, root / TABLE, f"{where}: {what}")
        else:
            seen[name] = label
            listing.add_absent(name, ImageFacts(label, row.values["subject"] or UNKNOWN, part="train"))
    return listing.index(NAME, root, LABELS)


def _refuse_empty(root: Path) -> NoReturn:
    for child in subfolders(root):
        if (child / TABLE).is_file() or has_published_layout(child):
            raise DataError(f"{root} holds no {NAME} images, but {child} may", f"Pass --data {shlex.quote(str(child))}")
    raise DataError(
        f"{root} holds no {NAME} images ({TABLE} with imgs/train/c0, or folders like train/{LABELS[0]})",
        f"Give the folder that holds them with --data; `vskd datasets info {NAME}` tells how to get the data",
    )


ENTRY = DatasetEntry(
    name=NAME,
    title="State Farm Distracted Driver Detection",
    description="22,424 images of 26 drivers from the side, 10 classes of distraction.",
    index=index,
    labels=LABELS,
    streams=("image",),
    protocols=("driver-folds", "leave-2-drivers-out", "official"),
    url="https://www.kaggle.com/c/state-farm-distracted-driver-detection",
    licence="rules of the Kaggle competition",
    citation="State Farm: Distracted Driver Detection. Kaggle 2016",
    obtain="Download imgs.zip and driver_imgs_list.csv from its page; unpack them in one folder.",
    placement="camera on the dashboard, on the passenger's side",
    system="krca",
    defaults={"image": WHOLE_FRAMES},
    recipes=SIDE_VIEW_RECIPES,
    fold="1",  # the first of five; `vskd compare ... --fold all` pools them
    label_swap=MappingProxyType(LABEL_SWAP),
)
