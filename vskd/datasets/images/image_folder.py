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

from pathlib import Path

from vskd.datasets.data_folder import require_folder
from vskd.datasets.entry import DatasetEntry, Settings
from vskd.datasets.images.class_folders import FolderImage, list_class_folders, without_twins
from vskd.datasets.images.image_listing import ImageFacts, Listing
from vskd.datasets.images.side_view import WHOLE_FRAMES
from vskd.datasets.own_folder import TABLE, classes_in, parts_in, told_by_table
from vskd.datasets.recording import Index
from vskd.datasets.splits.split import UNKNOWN
from vskd.errors import DataError
from vskd.preprocessing.table_file import Row

NAME = "image-folder"


def index(root: Path) -> Index:
    """List the images under `root` and name what is missing, corrupt, duplicate, unpaired or unknown.

    Raises:
        DataError: `root` is missing, holds no images of two classes, mixes the two layouts, or its CSV is not valid.
    """
    require_folder(root, NAME)
    listing = Listing()
    parts = parts_in(root)
    classes = classes_in(NAME, root, parts)
    found = [
        image for folder, part in parts.items() for image in list_class_folders(folder, part, classes, root, listing)
    ]
    images = without_twins(found, "image", listing)
    if not images:
        raise DataError(
            f"{root} holds no JPEG or PNG images in its folders {', '.join(classes.labels)}",
            "Put the images of each class into its folder",
        )
    if (root / TABLE).is_file():
        for image, row, where in told_by_table(root, images, "image", classes, listing, _id_of):
            listing.add(image.id, image.path, _place(image, row, where))
    else:
        for image in images:
            listing.add(image.id, image.path, image.place())
    return listing.index(NAME, root, classes.labels)


def _id_of(path: str) -> str:
    return Path(path).with_suffix("").as_posix() if Path(path).name else path


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
