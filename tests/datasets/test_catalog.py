import shutil
from pathlib import Path

import pytest

from tests.datasets.entries import ENTRIES, TOLD, assert_entry
from vskd.datasets.catalog import DATASETS, entry_and_root, get_dataset
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
    assert set(ENTRIES) == set(TOLD) == set(DATASETS), "state in tests/datasets/entries.py what recipes take of each"


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


def test_the_data_set_is_named_or_a_folder_that_import_wrote(tmp_path: Path) -> None:
    (tmp_path / "dataset.yaml").write_text("")
    assert entry_and_root(str(tmp_path), None) == (get_dataset("sensor-folder"), tmp_path)
    assert entry_and_root("utd-mhad", tmp_path)[1] == tmp_path
    with pytest.raises(DataError, match=r"The folder of utd-mhad is not said\. Give it with --data FOLDER"):
        entry_and_root("utd-mhad", None)
    with pytest.raises(DataError, match=r"no data set 'utd'.*or give a folder that `vskd datasets import` wrote\.$"):
        entry_and_root("utd", None)


def test_a_name_of_the_catalog_is_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "utd-mhad").mkdir()
    (tmp_path / "utd-mhad" / "dataset.yaml").write_text("")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match="The folder of utd-mhad is not said"):
        entry_and_root("utd-mhad", None)


def test_a_folder_where_a_name_is_asked_for(tmp_path: Path) -> None:
    """With or without what `vskd datasets import` writes: what to say instead is said."""
    problem = f"There is no data set '{tmp_path}'; it is a folder. Name the data set that it holds: "
    for ask in (lambda: get_dataset(str(tmp_path)), lambda: entry_and_root(str(tmp_path), None)):
        with pytest.raises(DataError) as caught:
            ask()
        assert str(caught.value).startswith(f"{problem}its name with --data {tmp_path} (auc, berkeley-mhad, ")
    (tmp_path / "dataset.yaml").write_text("")
    with pytest.raises(DataError) as caught:
        get_dataset(str(tmp_path))
    assert str(caught.value).startswith(f"{problem}sensor-folder with --data {tmp_path} (auc, ")


@pytest.mark.parametrize("name", ["utd-mhad", "berkeley-mhad", "image-folder", "ucf101", "synthetic"])
def test_data_of_an_import_that_are_taken_for_others(name: str, tmp_path: Path) -> None:
    """The default recipe looks for UTD-MHAD: whoever leaves out --dataset is told so."""
    with pytest.raises(DataError) as plain:
        get_dataset(name).index(tmp_path)
    assert "vskd datasets import" not in str(plain.value)
    (tmp_path / "dataset.yaml").write_text("")
    with pytest.raises(
        DataError, match="was written by `vskd datasets import`: name the data set sensor-folder"
    ) as caught:
        get_dataset(name).index(tmp_path)
    assert caught.value.problem == plain.value.problem
