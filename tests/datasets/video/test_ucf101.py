from pathlib import Path

import pytest

from tests.datasets.entries import assert_entry
from tests.datasets.video.clips import copy_clips
from vskd.datasets.splits.protocol import load_protocol
from vskd.datasets.splits.split import find_overlaps
from vskd.datasets.video.ucf101 import LABELS, index
from vskd.errors import DataError, ProtocolError

CLASSES = ("ApplyEyeMakeup", "HandstandPushups")
NAMES = {"ApplyEyeMakeup": "ApplyEyeMakeup", "HandstandPushups": "HandStandPushups"}


def write_sample(root: Path) -> None:
    """Two classes of nine groups, and the official lists, in the published layout: split k tests three groups."""
    clips = [(label, group) for label in CLASSES for group in range(1, 10)]
    name = "{}/v_{}_g{:02d}_c01.avi"
    copy_clips(root / "UCF-101", [name.format(label, NAMES[label], group) for label, group in clips])
    lists = root / "ucfTrainTestlist"
    lists.mkdir()
    for k in (1, 2, 3):
        tested = range(3 * k - 2, 3 * k + 1)
        lines = {(label, group): name.format(label, NAMES[label], group) for label, group in clips}
        (lists / f"testlist{k:02d}.txt").write_text("".join(f"{v}\n" for (_, g), v in lines.items() if g in tested))
        train = (f"{v} {LABELS.index(c) + 1}\r\n" for (c, g), v in lines.items() if g not in tested)
        (lists / f"trainlist{k:02d}.txt").write_text("".join(train))


@pytest.mark.parametrize("k", [1, 2, 3])
def test_the_official_splits_are_read_from_the_users_lists(tmp_path: Path, k: int) -> None:
    write_sample(tmp_path)
    found = index(tmp_path)
    split = load_protocol("ucf101", f"official-{k}").split(found)
    assert {int(found.by_id()[i].subject) for i in split.test} == set(range(3 * k - 2, 3 * k + 1))
    assert (len(split.train), len(split.test)) == (12, 6)
    assert not find_overlaps(split, found.by_id())


def test_without_lists_clips_are_listed_and_no_protocol_fits(tmp_path: Path) -> None:
    write_sample(tmp_path)
    for path in (tmp_path / "ucfTrainTestlist").iterdir():
        path.unlink()
    found = index(tmp_path)
    assert len(found) == 18
    assert any("trainlist01.txt" in p.detail and p.kind == "missing" for p in found.problems)
    with pytest.raises(ProtocolError, match="splits by split1"):
        load_protocol("ucf101", "official-1").split(found)


def test_a_list_that_lets_a_group_straddle_is_refused(tmp_path: Path) -> None:
    write_sample(tmp_path)
    lists = tmp_path / "ucfTrainTestlist"
    moved, *rest = (lists / "testlist01.txt").read_text().splitlines()
    (lists / "testlist01.txt").write_text("\n".join(rest))
    with (lists / "trainlist01.txt").open("a") as file:
        file.write(f"{moved} 1\n")
    with pytest.raises(ProtocolError, match="would leak: train and test share subject 1"):
        load_protocol("ucf101", "official-1").split(index(tmp_path))
    with (lists / "testlist01.txt").open("a") as file:
        file.write(f"\n{moved}\n")
    with pytest.raises(DataError, match=r"testlist01.txt, line \d+: v_ApplyEyeMakeup_g01_c01 trains and tests"):
        index(tmp_path)


def test_there_are_101_classes_in_the_official_order() -> None:
    assert len(set(LABELS)) == 101
    assert list(LABELS) == sorted(LABELS, key=str.lower) or LABELS.index("BlowDryHair") < LABELS.index("BlowingCandles")


def test_what_the_catalog_says_and_folders_that_are_none(tmp_path: Path) -> None:
    assert_entry("ucf101", tmp_path)
