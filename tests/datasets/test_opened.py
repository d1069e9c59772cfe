"""A data set as arrays: the recordings, labels and splits of its index and protocols, and whole windows."""

from pathlib import Path

import numpy as np
import pytest
from scipy.io import loadmat

import vskd
from vskd.datasets.opened import OpenedDataset
from vskd.datasets.splits.protocol import load_protocol
from vskd.errors import DataError, ProtocolError, SettingError
from vskd.preprocessing.stores.window_store import WindowSource, WindowStore, build_window_store


@pytest.fixture
def world(synthetic_root: Path) -> OpenedDataset:
    return vskd.open_dataset("synthetic", str(synthetic_root))


def test_recordings_labels_and_subjects_stand_in_one_order(world: OpenedDataset) -> None:
    assert world.ids == tuple(sorted(world.ids)) and len(world.ids) == 24
    for name, label, subject in zip(world.ids, world.labels, world.subjects, strict=True):
        assert (world.index.by_id()[name].label, world.index.by_id()[name].subject) == (label, subject)
    assert world.class_names == world.index.labels
    assert world.labels.dtype == np.int64
    assert world.labels_of(world.ids[3:1:-1]).tolist() == world.labels[3:1:-1].tolist()


def test_splits_are_those_of_the_protocols(world: OpenedDataset) -> None:
    assert world.split() == load_protocol("synthetic", world.entry.protocols[0]).split(world.index)
    left_out = world.split("leave-one-subject-out", "2")
    assert set(world.subjects_of(left_out.test)) == {"2"}
    with pytest.raises(ProtocolError, match="did you mean 'cross-subject'"):
        world.split("cros-subject")


def test_the_usual_fold_belongs_to_the_usual_protocol(state_farm_root: Path) -> None:
    images = vskd.open_dataset("state-farm", state_farm_root)
    assert images.split().fold == "1"
    assert images.split(fold="2").fold == "2"
    with pytest.raises(ProtocolError, match="no fold was named"):
        images.split("driver-folds")


def test_windows_are_those_of_the_store(world: OpenedDataset, tmp_path: Path) -> None:
    ids = world.ids[5:1:-1]
    found = world.windows("gyroscope", ids, length=40)
    assert (found.shape, found.dtype) == ((4, 3, 40), np.float32)
    streams = [world.recording(i).stream("gyroscope") for i in ids]
    sources = [
        WindowSource(i, s.path, s.variable, s.columns, s.axes, s.rate_hz) for i, s in zip(ids, streams, strict=True)
    ]
    build_window_store(sources, tmp_path / "windows.h5", mode="whole", length=40)
    store = WindowStore(tmp_path / "windows.h5")
    np.testing.assert_array_equal(found, np.concatenate([store.windows(i) for i in ids]))


def test_a_window_begins_and_ends_as_the_recording(world: OpenedDataset) -> None:
    (window,) = world.windows("accelerometer", world.ids[:1], length=9)
    stream = world.recording(world.ids[0]).stream("accelerometer")
    raw = loadmat(stream.path)["d_iner"][:, :3].astype(np.float32)
    np.testing.assert_array_equal(window[:, 0], raw[0])
    np.testing.assert_array_equal(window[:, -1], raw[-1])


def test_all_recordings_that_have_the_stream_by_default(world: OpenedDataset) -> None:
    assert world.windows("accelerometer").shape == (24, 3, 128)


@pytest.mark.parametrize(
    ("stream", "ids", "length", "error", "match"),
    [
        ("rgb", None, 128, SettingError, "Stream 'rgb' is of the kind video"),
        ("accelerometer", None, 1, SettingError, "length is 1"),
        ("accelerometer", [], 128, DataError, "no recording of stream 'accelerometer'"),
        ("skeleton", None, 128, DataError, "no recording of stream 'skeleton'"),
        ("skeleton", ["a1_s1_t1"], 128, DataError, "has no stream 'skeleton'"),
        ("accelerometer", ["a9_s1_t1"], 128, DataError, "has no recording 'a9_s1_t1'"),
    ],
)
def test_what_is_not_there_is_named(world: OpenedDataset, stream, ids, length, error, match: str) -> None:
    with pytest.raises(error, match=match):
        world.windows(stream, ids, length=length)


def test_an_unknown_data_set_or_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="did you mean 'synthetic'"):
        vskd.open_dataset("synthetc", tmp_path)
    with pytest.raises(DataError, match=str(tmp_path)):
        vskd.open_dataset("synthetic", tmp_path)
    with pytest.raises(SettingError, match="The path of synthetic is None"):
        vskd.open_dataset("synthetic", None)  # type: ignore[arg-type]


@pytest.mark.parametrize("asked", ["labels_of", "subjects_of", "windows"])
def test_one_id_is_no_list_of_ids(world: OpenedDataset, asked: str) -> None:
    words = ("accelerometer",) if asked == "windows" else ()
    assert len(getattr(world, asked)(*words, ["a1_s1_t1"])) == 1
    with pytest.raises(SettingError, match=r"Give a list of ids: \['a1_s1_t1'\]"):
        getattr(world, asked)(*words, "a1_s1_t1")


def test_the_shortest_window_is_the_two_ends(world: OpenedDataset) -> None:
    whole, short = (world.windows("accelerometer", world.ids[:1], length=n) for n in (128, 2))
    np.testing.assert_array_equal(short, whole[:, :, [0, -1]])
