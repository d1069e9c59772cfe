"""What every data set of the catalog must do.

A new data set writes a small folder of its own in its mirrored test, by a function `write_sample(root)` there.
"""

import importlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from vskd.datasets.catalog import DATASETS, DatasetEntry
from vskd.datasets.recording import Index
from vskd.datasets.splits.audit import audit_split, check_problems
from vskd.datasets.splits.protocol import carve_validation, list_protocols, load_protocol
from vskd.datasets.splits.split import find_overlaps
from vskd.errors import DataError

FIXTURES = {
    "utd-mhad": "utd_mhad_root",
    "synthetic": "synthetic_root",
    "driver-inattention": "inattention_root",
    "state-farm": "state_farm_root",
    "auc": "auc_root",
    "image-folder": "image_folder_root",
}
"""Data sets whose sample is a fixture that other tests share."""
OWN_CLASSES = {"image-folder", "sensor-folder", "video-folder"}
"""Data sets whose classes are the names of a folder's own folders."""


@pytest.fixture(params=sorted(DATASETS))
def entry(request: pytest.FixtureRequest) -> DatasetEntry:
    return DATASETS[request.param]


@pytest.fixture
def index(entry: DatasetEntry, request: pytest.FixtureRequest, tmp_path: Path) -> Index:
    if entry.name in FIXTURES:
        return entry.index(request.getfixturevalue(FIXTURES[entry.name]))
    room, _, name = entry.index.__module__.rpartition(".")
    mirror = importlib.import_module(f"{room.replace('vskd', 'tests', 1)}.test_{name}")
    root = tmp_path / "sample"
    root.mkdir()
    mirror.write_sample(root)
    return entry.index(root)


def test_entry_tells_a_newcomer_what_it_is(entry: DatasetEntry) -> None:
    assert all((entry.title, entry.description, entry.licence, entry.citation, entry.obtain, entry.streams))
    assert len(set(entry.labels)) == len(entry.labels) > 1 or entry.name in OWN_CLASSES
    assert sorted(entry.protocols) == list(list_protocols(entry.name))


def test_what_an_entry_wants_of_recipes_is_plain_data_of_its_own_streams(entry: DatasetEntry) -> None:
    assert json.loads(json.dumps(entry.defaults)) == entry.defaults
    json.dumps(entry.recipes)
    assert entry.system and entry.defaults
    for sees in entry.defaults.values():
        assert sees["streams"] and set(sees["streams"]) <= set(entry.streams)
        assert "modality" not in sees
    for recipe in entry.recipes.values():
        assert set(recipe) <= {"student", "teachers", "distiller"}
        assert all(isinstance(number, int) for number in recipe.get("teachers", {}))


def test_the_usual_protocol_and_fold_split_its_index(entry: DatasetEntry, index: Index) -> None:
    usual = load_protocol(entry.name, entry.protocols[0])
    split = usual.split(index, entry.fold)
    assert split.train and split.test
    assert (entry.fold is None) == (usual.folds is None)


def test_label_swap_is_its_own_inverse(entry: DatasetEntry) -> None:
    swap = entry.label_swap or {}
    assert set(swap) <= set(entry.labels)
    assert all(swap[swap[label]] == label for label in swap)


def test_recordings(entry: DatasetEntry, index: Index) -> None:
    ids = [r.id for r in index]
    assert index.dataset == entry.name
    assert ids and ids == sorted(set(ids))
    assert index.labels == entry.labels[: len(index.labels)] or entry.name in OWN_CLASSES
    for recording in index:
        assert 0 <= recording.label < len(index.labels)
        assert recording.subject and recording.trial and recording.group
        assert recording.streams
        for name, stream in recording.streams.items():
            assert name == stream.name and name in entry.streams
            assert stream.path.is_file() and stream.unit
            assert (stream.rate_hz > 0) == (stream.kind != "image")
            assert stream.kind in ("sensor", "video", "image", "skeleton")
            assert not stream.columns or len(stream.columns) == len(stream.axes)


def test_a_sound_folder_has_no_problem_but_absent_recordings(index: Index) -> None:
    assert {p.kind for p in index.problems} <= {"missing"}
    check_problems(index)


def test_indexing_twice_gives_the_same(entry: DatasetEntry, index: Index) -> None:
    assert entry.index(index.root) == index


def test_indexing_does_not_change_with_the_order_of_writing(entry: DatasetEntry, index: Index, tmp_path: Path) -> None:
    """The first recordings, copied in two orders into two folders, give the same index."""
    found = []
    chosen = index.recordings[:4]
    samples = {stream.path for recording in index for stream in recording.streams.values()}
    for number, order in enumerate((chosen, chosen[::-1])):
        root = tmp_path / str(number) / "world"
        root.mkdir(parents=True)
        beside = (
            p
            for pattern in ("*.json", "*.yaml", "**/*.csv", "**/_*.txt", "**/scene*_*.txt")
            for p in index.root.glob(pattern)
        )
        for extra in (p for p in beside if p not in samples):
            (root / extra.relative_to(index.root)).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(extra, root / extra.relative_to(index.root))
        for recording in order:
            for stream in sorted(recording.streams.values(), key=lambda s: s.name, reverse=bool(number)):
                target = root / stream.path.relative_to(index.root)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(stream.path, target)
        listed = entry.index(root)
        found.append([(r.id, list(r.streams), [s.path.name for s in r.streams.values()]) for r in listed])
    assert found[0] == found[1]
    assert [row[0] for row in found[0]] == [r.id for r in chosen]


def test_missing_and_empty_folders_are_data_errors(entry: DatasetEntry, tmp_path: Path) -> None:
    for root in (tmp_path / "nowhere", tmp_path):
        with pytest.raises(DataError, match=str(root)):
            entry.index(root)


def test_what_is_no_folder_or_has_a_name_that_is_no_text_is_said(entry: DatasetEntry, tmp_path: Path) -> None:
    """Before anything is looked for in it."""
    (tmp_path / "file").write_text("")
    for root, told in ((tmp_path / "file", "is not a folder"), (tmp_path / "nowhere", "does not exist")):
        with pytest.raises(DataError, match=told):
            entry.index(root)
    odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xe4"))
    try:
        odd.mkdir()
    except OSError:
        pytest.skip("this file system takes UTF-8 names alone")
    said = "holds no synthetic world" if entry.name == "synthetic" else "is no UTF-8"
    with pytest.raises(DataError, match=said):
        entry.index(odd)


def test_every_protocol_splits_without_leaks(entry: DatasetEntry, index: Index) -> None:
    for name in entry.protocols:
        protocol = load_protocol(entry.name, name)
        for fold in protocol.fold_names(index) or (None,):
            split = protocol.split(index, fold)
            assert find_overlaps(split, index.by_id()) == ()
            audit_split(split, index, streams=("accelerometer", "image"))
            if not split.validation and len({r.subject for r in index if r.id in set(split.train)}) > 1:
                carved = carve_validation(split, index, "subject")
                assert carved.test == split.test
                assert set(carved.train) | set(carved.validation) == set(split.train)


def test_importing_the_catalog_stays_light() -> None:
    heavy = "torch av h5py scipy sklearn matplotlib pandas numpy"
    code = f"import sys, vskd.datasets.catalog; print([m for m in {heavy.split()} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
