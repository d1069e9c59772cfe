"""The folder layout in which State Farm and AUC images are published for distillation studies (SFD3).

    train/<class name>/[<lighting>/]<image>     test/ likewise, and valid/ where there is one
    train_labels.csv, test_labels.csv           optional: classname[,subject,img]

The class names are those of `LABELS`; sorted, they are the class numbers of the published networks. Without a CSV file
that has `subject` and `img`, nobody knows the driver of an image: no driver-disjoint protocol fits then.
"""

from pathlib import Path

from vskd.datasets.images.class_folders import Classes, join_drivers, list_class_folders, without_twins
from vskd.datasets.images.image_listing import Listing
from vskd.datasets.recording import Index
from vskd.datasets.splits.split import UNKNOWN

PARTS = ("train", "valid", "test")

LABELS = (
    "drinking",
    "makeup",
    "normal driving",
    "operating the interactive interface",
    "reaching behind",
    "talking on the phone - left",
    "talking on the phone - right",
    "talking to passenger",
    "texting - left",
    "texting - right",
)

LABEL_SWAP = {
    "talking on the phone - left": "talking on the phone - right",
    "talking on the phone - right": "talking on the phone - left",
    "texting - left": "texting - right",
    "texting - right": "texting - left",
}
"""The class of a mirrored image, where it changes: the hand that holds the phone becomes the other one."""


def has_published_layout(root: Path) -> bool:
    """Whether `root` has a part with a folder of one of the classes."""
    return any((root / part / name).is_dir() for part in PARTS for name in LABELS)


def index_published_folders(root: Path, classes: Classes, drivers: Path | None = None) -> Index:
    """List the images of a folder in this layout.

    Args:
        root: the folder.
        classes: of the data set.
        drivers: a CSV file `subject,classname,img` of all parts, to be used instead of those of the parts.

    Raises:
        DataError: a folder or CSV file cannot be read.
    """
    listing = Listing()
    present = [part for part in PARTS if (root / part).is_dir()]
    for part in ("train", "test"):
        if part not in present:
            listing.problem("missing", "", root / part, f"the part '{part}' is not here")
    found = [image for part in present for image in list_class_folders(root / part, part, classes, root, listing)]
    images = without_twins(found, "image", listing)
    tables = {root / f"{part}_labels.csv": [i for i in images if i.part == part] for part in present}
    for table, members in ({drivers: images} if drivers else tables).items():
        known = {image.id: UNKNOWN for image in members}
        if table.is_file():
            known = join_drivers(table, members, classes, listing)
        for image in members:
            if image.id in known:
                listing.add(image.id, image.path, image.place(known[image.id]))
    return listing.index(classes.dataset, root, classes.labels)
