"""The store of skeletons: what was read is found again, and what cannot be read is named."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from vskd.errors import CacheError, DataError
from vskd.preprocessing.sensor.joints import cut_joints, read_joints, trajectories
from vskd.preprocessing.stores import joint_store
from vskd.preprocessing.stores.joint_store import JointSource, JointStore, build_joint_store
from vskd.preprocessing.sync.cut import Cut


def source(folder: Path, name: str, joints: np.ndarray) -> JointSource:
    path = folder / f"{name}.mat"
    savemat(path, {"d_skel": joints})
    return JointSource(name, path, "d_skel")


def body(seed: int, frames: int = 12) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(20, 3, frames)).astype(np.float32)


def test_trajectories_are_found_by_id(tmp_path: Path) -> None:
    sources = [source(tmp_path, name, body(seed)) for seed, name in enumerate(("a", "b"))]
    build_joint_store(sources, tmp_path / "store.h5", length=8)
    store = JointStore(tmp_path / "store.h5")
    assert store.ids == {"a", "b"}
    for one in sources:
        found = store.joints(one.id)
        assert (found.dtype, found.shape) == (np.float32, (60, 8))
        np.testing.assert_array_equal(found, trajectories(read_joints(one.path, one.variable), 8))


@pytest.mark.parametrize(
    ("joints", "told"),
    [
        (np.ones((20, 3, 9)), "all joints of the skeleton are at one place"),
        (np.full((20, 3, 9), np.nan), "not finite"),
        (np.ones((20, 9)), "a skeleton has"),
    ],
)
def test_a_bad_file_is_left_out_and_named_or_stops_the_build(tmp_path: Path, joints: np.ndarray, told: str) -> None:
    sources = [source(tmp_path, "good", body(0)), source(tmp_path, "bad", joints)]
    with pytest.raises(DataError, match=told) as caught:
        build_joint_store(sources, tmp_path / "strict.h5", length=8)
    assert "bad" in str(caught.value)
    build_joint_store(sources, tmp_path / "store.h5", length=8, max_bad_fraction=0.5)
    store = JointStore(tmp_path / "store.h5")
    assert store.ids == {"good"}
    assert told in store.problems["bad"]


def test_the_same_joints_in_another_file_have_the_same_content(tmp_path: Path) -> None:
    sources = [source(tmp_path, name, body(seed)) for name, seed in (("a", 0), ("b", 0), ("c", 1))]
    savemat(sources[1].path, {"d_skel": body(0)}, do_compression=True)
    build_joint_store(sources, tmp_path / "store.h5", length=8)
    contents = JointStore(tmp_path / "store.h5").contents
    assert contents["a"] == contents["b"] != contents["c"]


def test_a_store_of_another_length_is_replaced_only_if_told(tmp_path: Path) -> None:
    sources = [source(tmp_path, "a", body(0))]
    build_joint_store(sources, tmp_path / "store.h5", length=8)
    with pytest.raises(CacheError, match="other settings"):
        build_joint_store(sources, tmp_path / "store.h5", length=6)
    build_joint_store(sources, tmp_path / "store.h5", length=6, overwrite=True)
    assert JointStore(tmp_path / "store.h5").joints("a").shape == (60, 6)


def test_a_cut_and_the_least_confidence_reach_the_reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = source(tmp_path, "a", body(0, 30))
    part = replace(plain, id="part", cut=(Cut(0.2, 0.5), 30.0))
    build_joint_store([plain, part], tmp_path / "store.h5", length=8)
    store = JointStore(tmp_path / "store.h5")
    joints = read_joints(plain.path, plain.variable)
    np.testing.assert_array_equal(store.joints("part"), trajectories(cut_joints(joints, *part.cut, part.path), 8))
    assert not np.array_equal(store.joints("part"), store.joints("a")) and store.settings == {"length": 8}
    asked = []
    monkeypatch.setattr(joint_store, "read_joints", lambda *words: (asked.append(words[2]), joints)[1])
    build_joint_store([plain], tmp_path / "sure.h5", length=8, least_confidence=0.25)
    assert asked == [0.25] and JointStore(tmp_path / "sure.h5").settings == {"length": 8, "least_confidence": 0.25}
