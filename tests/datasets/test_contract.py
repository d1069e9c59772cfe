"""What every data set of the catalog must do.

A new data set writes a small folder of its own in its mirrored test, by a function `write_sample(root)` there.
"""

import importlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from vskd.datasets.catalog import DATASETS, DatasetEntry
from vskd.datasets.recording import Index, Recording, Stream
from vskd.datasets.sensors.read import read_stream
from vskd.datasets.splits.audit import audit_split, check_problems
from vskd.datasets.splits.protocol import carve_validation, list_protocols, load_protocol
from vskd.datasets.splits.split import find_overlaps
from vskd.errors import DataError
from vskd.preprocessing.image.image_file import read_image
from vskd.preprocessing.sensor.joints import read_joints
from vskd.preprocessing.sensor.signal_facts import signal_facts
from vskd.preprocessing.sensor.units import parse_unit
from vskd.preprocessing.video.frames import read_stored_frames

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
    for number, order in enumerate((chosen, chosen[::-1])):
        listed = entry.index(copied(index, order, tmp_path / str(number) / "world"))
        found.append([(r.id, list(r.streams), [s.path.name for s in r.streams.values()]) for r in listed])
    assert found[0] == found[1]
    assert [row[0] for row in found[0]] == [r.id for r in chosen]


def copied(index: Index, recordings: Sequence[Recording], root: Path) -> Path:
    """A folder with these recordings alone, written in this order; `root`."""
    root.mkdir(parents=True)
    samples = {stream.path for recording in index for stream in recording.streams.values()}
    patterns = ("*.json", "*.yaml", "**/*.csv", "**/_*.txt", "**/scene*_*.txt")
    beside = (path for pattern in patterns for path in index.root.glob(pattern) if path not in samples)
    files = [stream.path for recording in recordings for stream in recording.streams.values()]
    for path in (*beside, *files):
        target = root / path.relative_to(index.root)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    return root


def test_indexing_reads_no_samples(entry: DatasetEntry, index: Index, tmp_path: Path) -> None:
    check_nothing_is_decoded(entry, index, tmp_path / "world")


def check_nothing_is_decoded(entry: DatasetEntry, index: Index, root: Path) -> None:
    """Files a part of whose samples is lost, which no decoder would read, are listed as they were."""
    chosen = [r for r in index.recordings[:4] if r.timeline is None]
    copied(index, chosen, root)
    before = entry.index(root)
    for stream in (stream for recording in before for stream in recording.streams.values()):
        if stream.path.suffix not in (".csv", ".txt"):  # of a short text, all is the head that an index reads
            lose_samples(stream.path, 0.1 if stream.kind == "video" else 0.4)
    after = entry.index(root)
    assert after.recordings == before.recordings and after.problems == before.problems


def lose_samples(path: Path, share: float) -> None:
    """A tenth of a file that far behind its beginning: behind its header, and before what videos have at their end."""
    content = path.read_bytes()
    begin, length = int(share * len(content)), len(content) // 10
    path.write_bytes(content[:begin] + bytes(length) + content[begin + length :])


def first_streams(index: Index) -> dict[str, Stream]:
    """Each stream of the data set as the first recording that has it has it."""
    return {name: stream for recording in reversed(index.recordings) for name, stream in recording.streams.items()}


def test_streams_are_what_is_said_of_them(index: Index) -> None:
    for stream in first_streams(index).values():
        check_stream(stream)


def check_stream(stream: Stream) -> None:
    """Its file is of its kind and has its axes; what is called accelerometer shows gravity in its unit."""
    if stream.kind == "sensor":
        check_sensor(stream)
    elif stream.kind == "skeleton":
        assert read_joints(stream.path, stream.variable).shape[1] == len(stream.axes)
    elif stream.kind == "image":
        assert read_image(stream.path, size=8, grey=True).any()
    else:
        frame, _ = next(read_stored_frames(stream.path))
        assert frame.any()


FASTEST, SLOWEST = 5000.0, 5.0
"""Of a body that moves, deg/s: no gyroscope measures more, and one that never shows so little lies on a table."""


def check_sensor(stream: Stream) -> None:
    timed = read_stream(stream)
    assert timed.signal.shape[0] == len(stream.axes)
    facts = signal_facts(timed, stream=stream.name, unit=stream.unit, range_limit=stream.range_limit)
    assert not facts.gravity or not stream.calibrated
    unit = parse_unit(stream.unit)
    if stream.name.startswith("accelerometer"):
        assert unit is not None and unit.quantity == "acceleration"
    if stream.name.startswith("gyroscope"):
        assert unit is not None and unit.quantity == "angular rate"
        assert SLOWEST < facts.largest * unit.factor < FASTEST


def test_nobody_is_parted_by_groups(index: Index) -> None:
    check_groups(index)


def check_groups(index: Index) -> None:
    """The recordings of one person are of one group: they never straddle a split.

    In collections of films, persons are counted anew for each class, and groups with them.
    """
    found: dict[tuple[str, int], set[str]] = {}
    for recording in index:
        film = {stream.kind for stream in recording.streams.values()} == {"video"}
        found.setdefault((recording.subject, recording.label if film else 0), set()).add(recording.group)
    assert all(len(groups) == 1 for groups in found.values())


WRONG: dict[str, Callable[[Stream], Stream]] = {
    "a unit": lambda s: replace(s, unit={"g": "m/s^2", "m/s^2": "g", "deg/s": "rad/s", "rad/s": "deg/s"}[s.unit]),
    "a quantity": lambda s: replace(s, unit={"g": "deg/s", "m/s^2": "deg/s"}.get(s.unit, "g")),
    "an axis too few": lambda s: replace(s, axes=s.axes[:2]),
    "an axis too many": lambda s: replace(s, axes=(*s.axes, "w")),
    "a video": lambda s: replace(s, kind="video"),
    "an image": lambda s: replace(s, kind="image"),
    "a skeleton": lambda s: replace(s, kind="skeleton"),
}


@pytest.mark.parametrize("what", WRONG)
@pytest.mark.parametrize("name", ["accelerometer", "gyroscope"])
def test_a_wrong_word_about_a_stream_is_noticed(name: str, what: str, synthetic_root: Path) -> None:
    """Otherwise the tests above hold nothing."""
    stream = first_streams(DATASETS["synthetic"].index(synthetic_root))[name]
    check_stream(stream)
    with pytest.raises((AssertionError, DataError)):
        check_stream(WRONG[what](stream))


@pytest.mark.parametrize("wrong", ["{r.subject} {r.trial}", "{r.subject} {r.label}", "{r.id}"])
def test_a_group_for_less_than_a_person_is_noticed(wrong: str, synthetic_root: Path) -> None:
    index = DATASETS["synthetic"].index(synthetic_root)
    parted = replace(index, recordings=tuple(replace(r, group=wrong.format(r=r)) for r in index))
    with pytest.raises(AssertionError):
        check_groups(parted)


@pytest.mark.parametrize("kind", ["sensor", "video"])
def test_an_index_that_decodes_is_noticed(kind: str, synthetic_root: Path, tmp_path: Path) -> None:
    entry = DATASETS["synthetic"]

    def decoding(root: Path) -> Index:
        found = entry.index(root)
        for recording in found:
            for stream in recording.streams.values():
                if stream.kind == kind:
                    list(read_stored_frames(stream.path)) if kind == "video" else read_stream(stream)
        return found

    with pytest.raises((AssertionError, DataError)):
        check_nothing_is_decoded(replace(entry, index=decoding), entry.index(synthetic_root), tmp_path / "world")


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
