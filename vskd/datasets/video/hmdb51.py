"""HMDB51: 6,766 clips of 51 actions from films and the web, with three official splits.

Source: Kuehne, Jhuang, Garrote, Poggio & Serre, "HMDB: A Large Video Database for Human Motion Recognition", ICCV 2011.

Data requirements: a folder for each class with its .avi files, `brush_hair/<source>_brush_hair_u_nm_np1_ba_goo_0.avi`,
and the official lists `testTrainMulti_7030_splits/brush_hair_test_split1.txt` ... in that folder, around it or beside
it. Lines of a list are a clip and 1 (train), 2 (test) or 0 (unused). The source video that a clip was cut from is the
beginning of its name, and is its group.
"""

import re
from collections.abc import Mapping
from pathlib import Path

from vskd.datasets.data_folder import require_folder
from vskd.datasets.entry import DatasetEntry
from vskd.datasets.images.class_folders import classes_of, without_twins
from vskd.datasets.images.image_listing import Listing
from vskd.datasets.recording import Index
from vskd.datasets.video.clip_folders import (
    ClipFacts,
    ClipFile,
    add_clip,
    folder_of_classes,
    list_clips,
)
from vskd.datasets.video.split_lists import (
    SPLITS,
    UNUSED,
    Said,
    factors_of,
    lines_of,
    list_folder,
    merge,
    name_missing_lists,
)
from vskd.errors import DataError
from vskd.preprocessing.folders import composed

NAME = "hmdb51"
LISTS = ("testTrainMulti_7030_splits", "test_train_splits", "splits")
LABELS = (
    *("brush_hair", "cartwheel", "catch", "chew", "clap", "climb", "climb_stairs", "dive", "draw_sword", "dribble"),
    *("drink", "eat", "fall_floor", "fencing", "flic_flac", "golf", "handstand", "hit", "hug", "jump", "kick"),
    *("kick_ball", "kiss", "laugh", "pick", "pour", "pullup", "punch", "push", "pushup", "ride_bike", "ride_horse"),
    *("run", "shake_hands", "shoot_ball", "shoot_bow", "shoot_gun", "sit", "situp", "smile", "smoke", "somersault"),
    *("stand", "swing_baseball", "sword", "sword_exercise", "talk", "throw", "turn", "walk", "wave"),
)
_NAME_END = re.compile(r"_(?P<view>[a-z]+_[a-z]+_np\d+_[a-z]+_[a-z]+)_(?P<clip>\d+)$")
_PART = {"0": UNUSED, "1": "train", "2": "test"}
_OBTAIN = "Unpack hmdb51_org.rar, the archives in it, and test_train_splits.rar; give that folder with --data."


def index(root: Path) -> Index:
    """List the clips under `root` and name what is missing, corrupt, duplicate or unknown.

    Raises:
        DataError: `root` is missing or holds none of the classes' folders, or a list is not valid.
    """
    require_folder(root, NAME)
    classes, listing = classes_of(NAME, LABELS, unique_names=True), Listing()
    folder = folder_of_classes(root, classes, _OBTAIN)
    clips = without_twins(list_clips(folder, "", classes, folder, listing, beside=LISTS), "clip", listing)
    said = _factors(folder, root, clips, listing)
    for clip in clips:
        source, trial = _source(clip)
        facts = ClipFacts(source, trial, source, source, factors=said.get(clip.id, {}))
        add_clip(clip, facts, listing)
    return listing.index(NAME, root, LABELS)


def _source(clip: ClipFile) -> tuple[str, str]:
    """The source video of a clip, and the clip's number in it; a name of another form is a source of its own.

    The class stands between the source and what is said of the view.
    """
    end = _NAME_END.search(clip.id)
    if end is None:
        return clip.id, "0"
    before = clip.id[: end.start()]
    return before.removesuffix(f"_{LABELS[clip.label]}"), str(int(end["clip"]))


def _factors(folder: Path, root: Path, clips: list[ClipFile], listing: Listing) -> Mapping[str, Said]:
    lists = next((found for name in LISTS if (found := list_folder(name, folder, root)) is not None), None)
    splits = {} if lists is None else {n: s for k, n in enumerate(SPLITS, 1) if (s := read_split(lists, k))}
    if lists is None or not splits:
        name_missing_lists(lists or root / LISTS[0], ("brush_hair_test_split1.txt",), listing)
        return {}
    return factors_of(splits, clips, lists, listing)


def read_split(lists: Path, number: int) -> dict[str, str]:
    """Clip -> train, test or unused; empty where there is no list.

    Raises:
        DataError: a list cannot be read, or a line is not of the form `clip.avi 0|1|2`.
    """
    said: dict[str, str] = {}
    for path in sorted(lists.glob(f"*_test_split{number}.txt")):
        for line, words in lines_of(path):
            name, mark = " ".join(words[:-1]), words[-1]
            if not name or mark not in _PART:
                raise DataError(
                    f"{path}, line {line}: '{' '.join(words)}' is not a clip with 0, 1 or 2", "Download the lists again"
                )
            merge(path, line, said, composed(Path(name).stem), _PART[mark])
    return said


ENTRY = DatasetEntry(
    name=NAME,
    title="HMDB51",
    description="6,766 clips of 51 actions from films and the web; three official splits.",
    index=index,
    labels=LABELS,
    streams=("rgb",),
    protocols=("official-1", "official-2", "official-3"),
    url="https://serre-lab.clps.brown.edu/resource/hmdb-a-large-human-motion-database/",
    licence="CC BY 4.0",
    citation="Kuehne et al.: HMDB: A Large Video Database for Human Motion Recognition. ICCV 2011",
    obtain=_OBTAIN,
    placement="camera",
    system="kd3d",
    defaults={"clip": {"streams": ["rgb"]}, "frames": {"streams": ["rgb"]}},
)
