"""Published lists of clips that train and test: UCF101's and HMDB51's three splits, read from the user's own copy.

Each split is a factor of the recordings, `split1` to `split3`, with the values `train`, `test` and `unused`.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from vskd.datasets.images.image_listing import Listing
from vskd.datasets.video.clip_folders import ClipFile
from vskd.errors import DataError, first_few
from vskd.preprocessing.text_file import read_text

SPLITS = ("split1", "split2", "split3")
UNUSED = "unused"
Said = Mapping[str, str]
"""Clip -> train, test or unused."""


def list_folder(name: str, folder: Path, root: Path | None = None) -> Path | None:
    """The folder called `name` in `folder`, in `root`, or beside `folder`; None where there is none."""
    places = (folder, root or folder, folder.parent)
    return next((place / name for place in places if (place / name).is_dir()), None)


def lines_of(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Line numbers and words of a text file; empty lines are skipped.

    Raises:
        DataError: it cannot be read.
    """
    for number, line in enumerate(read_text(path)[0].splitlines(), 1):
        if line.strip():
            yield number, line.split()


def merge(path: Path, number: int, said: dict[str, str], clip: str, part: str) -> None:
    """Note what a line says of a clip.

    Raises:
        DataError: an earlier line says something else.
    """
    if said.setdefault(clip, part) != part:
        raise DataError(f"{path}, line {number}: {clip} trains and tests in one split", "Download the lists again")


def factors_of(splits: Mapping[str, Said], clips: list[ClipFile], where: Path, listing: Listing) -> dict[str, Said]:
    """Clip -> its factors. Clips of which a list does not speak are unused; those that are not here are counted."""
    known = {clip.id for clip in clips}
    for name, said in splits.items():
        _name_absent(name, sorted(set(said) - known), len(said), where, listing)
    return {clip.id: {name: said.get(clip.id, UNUSED) for name, said in splits.items()} for clip in clips}


def _name_absent(name: str, absent: list[str], total: int, where: Path, listing: Listing) -> None:
    if absent:
        detail = f"{len(absent)} of the {total} clips of {name} are not here: {first_few(absent, 3, ', ')}"
        listing.problem("missing", "", where, detail)


def name_missing_lists(where: Path, files: Iterable[str], listing: Listing) -> None:
    """Say that the lists are not here; no official protocol fits then."""
    detail = f"without {', '.join(files)} no official split fits; download the lists, and unpack them there"
    listing.problem("missing", "", where, detail)
