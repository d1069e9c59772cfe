import shutil
from pathlib import Path

import pytest

from tests.datasets.entries import ENTRIES, TOLD, assert_entry
from vskd.datasets.catalog import DATASETS, get_dataset
from vskd.datasets.sync.table import SyncRow, write_sync
from vskd.datasets.synthetic import dataset as synthetic
from vskd.errors import DataError


@pytest.mark.parametrize(("name", "nearest"), [("utd_mhad", "utd-mhad"), ("UTD-MHAD", None), ("synthetc", "synthetic")])
def test_unknown_names_give_the_nearest(name: str, nearest: str | None) -> None:
    with pytest.raises(
        DataError, match=r"Choose one of: .*synthetic, ucf101, ucf11, ucf50, utd-mhad, video-folder"
    ) as caught:
        get_dataset(name)
    assert nearest is None or f"did you mean '{nearest}'" in str(caught.value)


def test_names_are_those_of_the_entries() -> None:
    assert all(get_dataset(name).name == name for name in DATASETS)


def test_every_entry_is_here() -> None:
    assert set(ENTRIES) == set(TOLD) == set(DATASETS)


@pytest.mark.parametrize("name", DATASETS)
def test_what_recipes_take_of_an_entry_and_folders_that_are_none(name: str, tmp_path: Path) -> None:
    assert_entry(name, tmp_path)


def test_every_folder_may_hold_poses_and_offsets_of_its_videos(synthetic_root: Path, tmp_path: Path) -> None:
    """What a data set's own file does not know."""
    root = shutil.copytree(synthetic_root, tmp_path / "world")
    (root / "poses" / "rgb").mkdir(parents=True)
    (root / "poses" / "rgb" / "poses.json").write_text("{")
    assert [p.kind for p in get_dataset("synthetic").index(root).problems] == ["corrupt"]
    write_sync(root / "sync.csv", [SyncRow("a1_s1_t1", "accelerometer", "rgb", 0.1, 0.0, 3.0, 2.0, 2.0)])
    recordings = get_dataset("synthetic").index(root)
    assert [r.id for r in recordings if r.stream("rgb").cut] == ["a1_s1_t1"]
    assert not any(r.stream("rgb").cut for r in synthetic.index(root)) and not synthetic.index(root).problems
