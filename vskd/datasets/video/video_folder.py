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
from vskd.datasets.images.class_folders import without_twins
from vskd.datasets.images.image_listing import Listing
from vskd.datasets.own_folder import TABLE, classes_in, parts_in, told_by_table
from vskd.datasets.recording import Index
from vskd.datasets.splits.split import UNKNOWN
from vskd.datasets.video.clip_folders import ClipFacts, add_clip, list_clips
from vskd.errors import DataError

NAME = "video-folder"


def index(root: Path) -> Index:
    """List the clips under `root` and name what is missing, corrupt, duplicate, unpaired or unknown.

    Raises:
        DataError: `root` is missing, holds no clips of two classes, mixes the two layouts, or its CSV is not valid.
    """
    require_folder(root, NAME)
    listing = Listing()
    parts = parts_in(root)
    classes = classes_in(NAME, root, parts)
    found = [clip for folder, part in parts.items() for clip in list_clips(folder, part, classes, root, listing)]
    clips = without_twins(found, "clip", listing)
    if not clips:
        raise DataError(
            f"{root} holds no videos in its folders {', '.join(classes.labels)}",
            "Put the clips of each class into its folder",
        )
    if (root / TABLE).is_file():
        for clip, row, _ in told_by_table(root, clips, "clip", classes, listing):
            group = row.values.get("group") or UNKNOWN
            add_clip(clip, ClipFacts(subject=group, group=group), listing)
    else:
        detail = "no file says which clips belong together; give it the columns path and group to have them kept apart"
        listing.problem("missing", "", root / TABLE, detail)
        nothing = ClipFacts()
        for clip in clips:
            add_clip(clip, nothing, listing)
    return listing.index(NAME, root, classes.labels)


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
