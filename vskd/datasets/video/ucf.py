"""What UCF11, UCF50 and UCF101 share: class folders, and 25 groups of clips of one person, place and view in each.

The groups of a number are those of all classes: clips of group 7 of any class train or test together. A file name that
has no group is named as unknown, and left out.
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from vskd.datasets.data_folder import require_folder
from vskd.datasets.images.class_folders import Classes, without_twins
from vskd.datasets.images.image_listing import Listing
from vskd.datasets.recording import Index
from vskd.datasets.video.clip_folders import (
    ClipFacts,
    ClipFile,
    add_clip,
    folder_of_classes,
    list_clips,
)

Factors = Callable[[Path, list[ClipFile], Listing], Mapping[str, Mapping[str, str]]]
"""(folder of the classes, clips, problems) -> clip -> factor -> value."""

BESIDE = frozenset({"Annotation", ".xgtf", "ucfTrainTestlist"})
"""What the publisher put among the clips."""


def no_factors(_folder: Path, _clips: list[ClipFile], _listing: Listing) -> Mapping[str, Mapping[str, str]]:
    """Of data sets without lists."""
    return {}


def index_groups(
    root: Path, classes: Classes, pattern: re.Pattern[str], obtain: str, factors: Factors = no_factors
) -> Index:
    """List the clips of a data set in which groups are told by file names.

    Args:
        root: the folder, or the one around it.
        classes: of the data set.
        pattern: of a file name without ending, with the groups `group` and `clip`, both numbers.
        obtain: what to do where `root` holds no clips.
        factors: what lists say of the clips.

    Raises:
        DataError: `root` is missing or holds none of the classes' folders.
    """
    require_folder(root, classes.dataset)
    folder, listing = folder_of_classes(root, classes, obtain), Listing()
    clips = without_twins(list_clips(folder, "", classes, folder, listing, beside=BESIDE), "clip", listing)
    said = factors(folder, clips, listing)
    for clip in clips:
        found = pattern.fullmatch(clip.path.stem)
        if found is None:
            listing.problem("unknown", "", clip.path, f"its name tells no group, as e.g. {pattern.pattern} does")
            continue
        number = str(int(found["group"]))
        group = f"{classes.labels[clip.label]} {number}"
        add_clip(clip, ClipFacts(number, str(int(found["clip"])), group, group, factors=said.get(clip.id, {})), listing)
    return listing.index(classes.dataset, root, classes.labels)
