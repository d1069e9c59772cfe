"""What is particular to skeletons: motion, turning, joints read off a file's head, and damaged files."""

import json
import math
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch
from pydantic import ValidationError

from tests.modalities.conftest import inputs, source_of, write_bodies
from vskd.datasets.poses import pose_folder
from vskd.datasets.recording import Stream
from vskd.errors import DataError, SettingError
from vskd.files import sha256_json, write_json
from vskd.modalities import figures
from vskd.modalities.base import Inputs, Source, data_hash
from vskd.modalities.skeleton import SkeletonAugmentation, SkeletonSees, turns, with_motion
from vskd.models.catalog import AnyNetwork, build_network
from vskd.preprocessing.sensor.augment import WindowAugmentation
from vskd.preprocessing.sensor.joints import read_joints, trajectories
from vskd.preprocessing.stores.checksum import seal
from vskd.preprocessing.stores.store_parts import write_part
from vskd.schema import parse


def skeletons(source: Source, **settings: Any) -> Inputs:
    return inputs(source, "skeleton", "skeleton", length=16, **settings)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_motion_is_the_central_difference_per_twentieth_of_the_recording() -> None:
    joints = torch.randn(2, 6, 40, generator=generator())
    out = with_motion(joints)
    assert out.shape == (2, 12, 40)
    assert torch.equal(out[:, :6], joints)
    for t in range(1, 39):
        expected = (joints[:, :, t + 1] - joints[:, :, t - 1]) / 2 * (40 / 20)
        torch.testing.assert_close(out[:, 6:, t], expected)
    torch.testing.assert_close(out[:, 6:, 0], (joints[:, :, 1] - joints[:, :, 0]) * 2)


def test_motion_does_not_depend_on_the_number_of_frames() -> None:
    """The same movement, sampled twice as often."""
    slow, fast = (torch.linspace(0, 1, n).view(1, 1, n) for n in (40, 80))
    torch.testing.assert_close(with_motion(slow)[0, 1].mean(), with_motion(fast)[0, 1].mean(), rtol=0.03, atol=0)


def test_samples_are_what_is_stored_with_or_without_its_motion(bodies: Source) -> None:
    plain, moving = skeletons(bodies, motion=False), skeletons(bodies)
    assert (plain.shape, moving.shape) == ((60, 16), (120, 16))
    ids = sorted(plain.ids)[:3]
    (one,), (two,) = plain.batches(ids, batch_size=3), moving.batches(ids, batch_size=3)
    for k, recording in enumerate(ids):
        np.testing.assert_array_equal(one.inputs[k].numpy(), plain.store.joints(recording))  # type: ignore[attr-defined]
    assert torch.equal(two.inputs, with_motion(one.inputs))


def test_motion_alone_is_the_second_half_of_both(bodies: Source) -> None:
    both, alone = skeletons(bodies), skeletons(bodies, positions=False)
    assert alone.shape == (60, 16) and alone.hash != both.hash
    ids = sorted(both.ids)[:3]
    for seed in (None, 5):
        (two,), (one,) = both.batches(ids, batch_size=3, seed=seed), alone.batches(ids, batch_size=3, seed=seed)
        assert torch.equal(one.inputs, two.inputs[:, 60:])


def test_nothing_seen_is_refused() -> None:
    with pytest.raises(ValidationError, match="positions and motion are both false"):
        parse(SkeletonSees, {"positions": False, "motion": False, "streams": ["skeleton"]})


def test_turning_about_the_vertical_axis_keeps_heights_and_distances() -> None:
    joints = torch.randn(3, 60, 16, generator=generator())
    turned = SkeletonAugmentation(turn_deg=40.0)(joints, generator(1))
    before, after = joints.view(3, 20, 3, 16), turned.view(3, 20, 3, 16)
    assert not torch.allclose(before, after, atol=0.1)
    torch.testing.assert_close(after[:, :, 1], before[:, :, 1])
    for first in range(20):
        distances = [(x - x[:, first : first + 1]).norm(dim=2) for x in (before, after)]
        torch.testing.assert_close(*distances, rtol=1e-4, atol=1e-5)


def test_the_angles_have_the_deviation_that_is_said() -> None:
    found = turns(20000, math.radians(25.0), generator())
    angles = torch.rad2deg(torch.atan2(found[:, 0, 2], found[:, 0, 0]))
    assert angles.std().item() == pytest.approx(25.0, rel=0.02)
    assert angles.mean().abs() < 1.0
    torch.testing.assert_close(torch.linalg.det(found), torch.ones(20000))


def test_nothing_is_changed_where_every_field_is_zero() -> None:
    joints = torch.randn(2, 60, 16, generator=generator())
    assert not SkeletonAugmentation().active
    assert torch.equal(SkeletonAugmentation()(joints, generator(1)), joints)


def test_a_network_of_series_reads_them(bodies: Source) -> None:
    seen = skeletons(bodies)
    network = build_network(parse(AnyNetwork, {"name": "cnn1d"}), shape=seen.network_shape, classes=27)
    (batch,) = seen.batches(sorted(seen.ids)[:4], batch_size=4, seed=1)
    assert network.eval()(seen.front()(batch.inputs)).logits.shape == (4, 27)


@pytest.mark.parametrize("content", [b"", b"not a mat file"])
def test_a_damaged_file_is_left_out_and_named(tmp_path: Path, content: bytes) -> None:
    write_bodies(tmp_path / "data")
    source = source_of("utd-mhad", tmp_path / "data", tmp_path / "cache", max_bad_fraction=0.1)
    path = tmp_path / "data" / "Skeleton" / "a2_s1_t1_skeleton.mat"
    sees = skeletons(source)
    path.write_bytes(content)
    assert "a2_s1_t1" not in sees.ids and len(sees.ids) == len(source.recordings) - 1
    assert path.name in sees.problems["a2_s1_t1"]
    with pytest.raises(DataError, match="a2_s1_t1"):
        _ = skeletons(replace(source, cache=tmp_path / "other", max_bad_fraction=0.0)).ids


def test_people_at_other_places_give_the_same_samples(tmp_path: Path) -> None:
    """Trials of the synthetic bodies differ in their distance from the camera, and in noise."""
    write_bodies(tmp_path / "data", trials=2)
    seen = skeletons(source_of("utd-mhad", tmp_path / "data", tmp_path / "cache"), motion=False)
    (batch,) = seen.batches(("a1_s1_t1", "a1_s1_t2", "a2_s1_t1"), batch_size=3)
    same, other = (batch.inputs[0] - batch.inputs[1]).abs().mean(), (batch.inputs[0] - batch.inputs[2]).abs().mean()
    assert same < 0.05 < other


def write_poses(root: Path, *ids: str) -> None:
    """Poses beside a world's videos: joints that move, some of which are hardly visible, and an empty frame."""
    random = np.random.default_rng(0)
    folder, rows = pose_folder(root, "rgb"), {}
    for i in ids:
        part, video = folder / f"{i}.h5", root / "RGB" / f"{i}_color.mp4"
        poses = np.cumsum(random.normal(size=(20, 33, 8)), axis=0).astype(np.float32)
        poses[:, :, 6:] = 0.9
        poses[5:12, 4, 6], poses[7] = 0.1, np.nan

        def write(file: h5py.File, poses: np.ndarray = poses) -> None:
            file.create_dataset("data", data=poses)
            seal(file.create_dataset("box", data=np.zeros((20, 5), np.float32)))

        write_part(part, video, "", write)
        rows[i] = {"file": part.name, "video_bytes": video.stat().st_size, "frames": 20, "empty": 1}
    write_json(folder / "poses.json", {"settings": {}, "recordings": rows, "left_out": {}})


@pytest.fixture
def posed(synthetic_root: Path, tmp_path: Path) -> Source:
    """Two recordings of the synthetic world with poses."""
    root = Path(shutil.copytree(synthetic_root, tmp_path / "world"))
    write_poses(root, "a1_s1_t1", "a2_s1_t1")
    source = source_of("synthetic", root, tmp_path / "cache")
    kept = {i: r for i, r in source.recordings.items() if "pose-rgb" in r.streams}
    return replace(source, recordings=kept)


def test_poses_of_a_video_are_seen_like_skeletons(posed: Source) -> None:
    for stream in ("pose-rgb", "pose-rgb-world"):
        seen = inputs(posed, "skeleton", stream, length=16)
        assert seen.shape == (2 * 33 * 3, 16)
        (batch,) = seen.batches(sorted(seen.ids), batch_size=2, seed=1)
        assert batch.inputs.shape == (2, 198, 16) and torch.isfinite(batch.inputs).all()
        own = posed.recordings["a1_s1_t1"].stream(stream)
        expected = trajectories(read_joints(own.path, own.variable), 16)
        np.testing.assert_array_equal(seen.store.joints("a1_s1_t1"), expected)  # type: ignore[attr-defined]
        assert set(seen.pictures({"a1_s1_t1": "one"}, "teacher")) == {"What the teacher sees (joints of 5 frames)"}


def test_joints_of_little_confidence_are_bridged(posed: Source) -> None:
    every, sure = (inputs(posed, "skeleton", "pose-rgb", length=20, least_confidence=c) for c in (0.0, 0.5))
    assert len({every.hash, sure.hash}) == len({every.store_file, sure.store_file}) == 2
    one, other = (seen.store.joints("a1_s1_t1").reshape(33, 3, 20) for seen in (every, sure))  # type: ignore[attr-defined]
    bridged = np.diff(other[4, :, 4:13], n=2, axis=1)
    assert np.abs(bridged).max() < 1e-4 < np.abs(np.diff(one[4, :, 4:13], n=2, axis=1)).max()


def test_hashes_of_skeletons_without_confidence_are_as_they_were(bodies: Source) -> None:
    seen = skeletons(bodies)
    said = {k: v for k, v in seen.sees.model_dump(mode="json").items() if k in ("modality", "streams", "length")}
    assert seen.store_hash == sha256_json([data_hash(bodies, ["skeleton"]), said])


def test_settings_that_do_nothing_here_are_refused(bodies: Source, tmp_path: Path) -> None:
    with pytest.raises(
        SettingError, match=r"least_confidence is 0\.5, and the joints of 'skeleton' have no confidence"
    ):
        skeletons(bodies, least_confidence=0.5).batches(sorted(bodies.recordings), batch_size=2)
    flat = {i: replace(r, streams={"skeleton": flat_stream(tmp_path, i)}) for i, r in bodies.recordings.items()}
    source = replace(bodies, recordings=flat, cache=tmp_path)
    with pytest.raises(SettingError, match="have no depth, so that nobody can turn"):
        skeletons(source, augmentation={"turn_deg": 9.0}).batches(sorted(flat), batch_size=2)
    assert skeletons(source).shape == (2 * 17 * 2, 16)
    (batch,) = skeletons(source).batches(sorted(flat)[:3], batch_size=3, seed=1)
    assert batch.inputs.shape == (3, 68, 16)


def flat_stream(folder: Path, recording: str) -> Stream:
    """Joints in a plane, as MMAct has them."""
    path, random = folder / f"{recording}.json", np.random.default_rng(sum(recording.encode()))
    frames = {str(n): {"person1": random.uniform(1, 99, 51).tolist()} for n in range(9)}
    path.write_text(json.dumps(frames))
    return Stream("skeleton", "skeleton", path, 30.0, "px", ("x", "y"))


def test_what_holds_where_nothing_is_said() -> None:
    sees = SkeletonSees(streams=("skeleton",))
    assert (sees.length, sees.least_confidence, sees.positions, sees.motion) == (64, 0.0, True, True)
    assert sees.augmentation.model_dump() == {"turn_deg": 0, "scale": 0, "jitter": 0, "time_warp": 0, "crop": 0}


def test_turns_are_matrices_about_the_axis_y_by_the_angles_that_are_drawn() -> None:
    found = turns(3, 0.7, generator(4))
    for matrix, drawn in zip(found.tolist(), torch.randn(3, generator=generator(4)).tolist(), strict=True):
        cosine, sine = math.cos(0.7 * drawn), math.sin(0.7 * drawn)
        expected = [[cosine, 0, sine], [0, 1, 0], [-sine, 0, cosine]]
        np.testing.assert_allclose(matrix, expected, atol=1e-6)


@pytest.mark.parametrize("name", ["turn_deg", "scale", "jitter", "time_warp", "crop"])
def test_each_change_alone_is_the_one_that_is_said(bodies: Source, name: str) -> None:
    """Turns of whole skeletons, joint by joint; the others as those of windows."""
    joints = torch.randn(2, 60, 16, generator=generator())
    alone = SkeletonAugmentation(**{name: 0.25})
    assert alone.active and skeletons(bodies, augmentation={name: 0.25}).augmented
    found = alone(joints, generator(3))
    if name == "turn_deg":
        matrices = turns(2, math.radians(0.25), generator(3))
        expected = torch.stack([matrices[n] @ joints[n, 3 * k : 3 * k + 3] for n in range(2) for k in range(20)])
        torch.testing.assert_close(found, expected.reshape(2, 60, 16))
    else:
        assert torch.equal(found, WindowAugmentation(**{name: 0.25})(joints, generator(3)))
    assert not torch.equal(found, joints)


def test_an_epoch_against_a_naive_one(bodies: Source) -> None:
    """Order from numpy's permutation, changes from one torch generator that goes on from batch to batch."""
    words = {"turn_deg": 20.0, "jitter": 0.1}
    seen, ids = skeletons(bodies, augmentation=words), sorted(bodies.recordings)
    order, random = np.random.default_rng(3).permutation(len(ids)), generator(3)
    batches = seen.batches(ids, batch_size=9, seed=3)
    for batch, positions in zip(batches, np.array_split(order, -(-len(ids) // 9)), strict=True):
        stored = np.stack([seen.store.joints(ids[p]) for p in positions])  # type: ignore[attr-defined]
        changed = SkeletonAugmentation(**words)(torch.from_numpy(stored), random)
        assert torch.equal(batch.inputs, with_motion(changed))
    (plain,) = seen.batches(ids, batch_size=100)
    (same,) = skeletons(bodies).batches(ids, batch_size=100, seed=None)
    assert torch.equal(plain.inputs, same.inputs)


def test_the_picture_shows_joints_from_the_front(
    bodies: Source, posed: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[Any] = []
    monkeypatch.setattr(figures, "to_png", lambda figure: drawn.append(figure) or b"png")
    first, second = sorted(bodies.recordings)[:2]
    seen = skeletons(bodies)
    assert seen.pictures({"absent": "none"}, "student") == {} and not drawn
    captions = {first: "one", "absent": "none", second: "two"}
    assert seen.pictures(captions, "student") == {"What the student sees (joints of 5 frames)": b"png"}
    axes = drawn[0].axes
    assert [ax.get_title("left") for ax in axes] == ["one", *[""] * 4, "two", *[""] * 4]
    for number, ax in enumerate(axes):
        joints = seen.store.joints((first, second)[number // 5]).reshape(20, 3, 16)  # type: ignore[attr-defined]
        frame = (0, 3, 7, 11, 15)[number % 5]
        np.testing.assert_allclose(ax.collections[0].get_offsets(), joints[:, :2, frame])
        assert ax.get_aspect() == 1 and not ax.axison and ax.collections[0].get_sizes().tolist() == [6]
    assert drawn[0].get_size_inches().tolist() == pytest.approx([1.4 * 5, 1.6 * 2])
    assert axes[5].title.get_fontsize() != 7 == axes[5]._left_title.get_fontsize()
    poses = inputs(posed, "skeleton", "pose-rgb", length=16)
    poses.pictures({"a1_s1_t1": "one"}, "student")
    joints = poses.store.joints("a1_s1_t1").reshape(33, 3, 16)  # type: ignore[attr-defined]
    upright = joints[:, :2, 15] * [1, -1]  # y of a picture points down
    np.testing.assert_allclose(drawn[1].axes[4].collections[0].get_offsets(), upright)


def test_a_damaged_store_is_made_again(bodies: Source, tmp_path: Path) -> None:
    seen = skeletons(replace(bodies, cache=tmp_path))
    seen.store_file.write_bytes(b"no store")
    first = min(bodies.recordings)
    np.testing.assert_array_equal(seen.store.joints(first), skeletons(bodies).store.joints(first))  # type: ignore[attr-defined]


def test_confidence_counts_where_one_of_the_recordings_has_it(posed: Source, bodies: Source) -> None:
    first, second = sorted(posed.recordings)
    pose = posed.recordings[second].stream("pose-rgb")
    plain = next(iter(bodies.recordings.values())).stream("skeleton")
    both = {
        first: replace(posed.recordings[first], streams={"x": replace(plain, name="x")}),
        second: replace(posed.recordings[second], streams={"x": replace(pose, name="x")}),
    }
    seen = inputs(replace(posed, recordings=both), "skeleton", "x", length=16, least_confidence=0.5)
    assert seen.batches([second], batch_size=1).samples == 1
