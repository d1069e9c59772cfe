"""What the data sets of clips share: walking class folders, a look at each file's header, recordings and problems.

A clip's `subject` is the group that must not straddle a split: clips of one group show the same person, place or source
video.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from vskd.datasets.images.class_folders import Classes
from vskd.datasets.images.image_listing import ONCE, Listing
from vskd.datasets.recording import Recording, Stream
from vskd.datasets.sensors.headers import look_at_video
from vskd.datasets.splits.split import UNKNOWN
from vskd.errors import DataError, first_few
from vskd.preprocessing.folders import composed, files_below, is_text, shown, subfolders

STREAM = "rgb"
VIDEO_ENDINGS = frozenset({".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".webm", ".wmv"})


@dataclass(frozen=True)
class ClipFile:
    """A video file in a class folder: its id, class by folder, and the published part where its folder says one."""

    id: str
    path: Path
    label: int
    part: str = ""


@dataclass(frozen=True)
class ClipFacts:
    """What is known of a clip beside its file; the fields are those of `Recording`."""

    subject: str = UNKNOWN
    trial: str = ONCE
    group: str = UNKNOWN
    clip: str = ""
    part: str = ""
    factors: Mapping[str, str] = field(default_factory=dict)


def folder_of_classes(root: Path, classes: Classes, obtain: str) -> Path:
    """The folder that holds the class folders: `root`, or the one folder in it that does (`UCF-101`, `hmdb51_org`).

    Raises:
        DataError: there is none, or several.
    """
    found = [folder for folder in (root, *subfolders(root)) if _holds_classes(folder, classes)]
    if root in found:
        return root
    if len(found) > 1:
        raise DataError(
            f"{root} holds {classes.dataset} more than once: {', '.join(f.name for f in found)}",
            "Give one of these folders with --data",
        )
    if found:
        (only,) = found
        return only
    raise DataError(
        f"{root} holds no folder of a class of {classes.dataset} (such as {first_few(classes.labels, 3, ', ')})", obtain
    )


def _holds_classes(folder: Path, classes: Classes) -> bool:
    return any(classes.label(child.name) is not None for child in subfolders(folder) if is_text(child))


def list_clips(
    folder: Path, part: str, classes: Classes, root: Path, listing: Listing, *, beside: Collection[str] = ()
) -> Iterator[ClipFile]:
    """The clips of `folder/<class>/...`, sorted; what is odd goes to `listing`.

    A folder that is no class, a class without folder or clips, and files that are no videos are named.

    Args:
        folder: holds the class folders.
        part: of the published split that it is; empty where there is none.
        classes: of the data set.
        root: of the data set.
        listing: takes the problems.
        beside: names of folders and endings of files that the publisher put among the clips.

    Raises:
        DataError: a folder cannot be listed.
    """
    seen: set[int] = set()
    for class_folder in subfolders(folder):
        label = classes.label(class_folder.name)
        if label is None:
            if class_folder.name not in beside:
                detail = f"'{shown(Path(class_folder.name))}' is no class of {classes.dataset}"
                listing.problem("unknown", "", class_folder, detail)
            continue
        seen.add(label)
        clips = list(_clips_below(class_folder, label, part, classes, root, listing, beside))
        yield from clips
        if not clips:
            listing.problem("missing", "", class_folder, "a class folder without clips")
    for label, name in enumerate(classes.labels):
        if label not in seen:
            listing.problem("missing", "", folder, f"it has no folder of the class '{name}'")


def _clips_below(
    class_folder: Path,
    label: int,
    part: str,
    classes: Classes,
    root: Path,
    listing: Listing,
    beside: Collection[str],
) -> Iterator[ClipFile]:
    for path in files_below(class_folder):
        if path.suffix.lower() in beside:
            continue
        if path.suffix.lower() not in VIDEO_ENDINGS:
            listing.problem("unknown", "", path, "its name is not that of a video")
        elif not is_text(path):
            listing.problem("unknown", "", path, "its name is no UTF-8; rename the file")
        else:
            name = path.stem if classes.unique_names else path.relative_to(root).as_posix()
            yield ClipFile(composed(name), path, label, part)


def add_clip(clip: ClipFile, facts: ClipFacts, listing: Listing) -> None:
    """Add a recording of one stream, `rgb`; a file whose header shows damage becomes a problem instead."""
    try:
        rate_hz = look_at_video(clip.path)
    except DataError as error:
        listing.problem("corrupt", clip.id, clip.path, error.problem)
        return
    stream = Stream(STREAM, "video", clip.path, rate_hz, "uint8")
    listing.recordings.append(
        Recording(
            id=clip.id,
            subject=facts.subject,
            trial=facts.trial,
            label=clip.label,
            group=facts.group,
            streams={STREAM: stream},
            clip=facts.clip,
            part=facts.part or clip.part,
            factors=facts.factors,
        )
    )
