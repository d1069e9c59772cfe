"""What is particular to skeletons: motion, turning, joints read off a file's head, and damaged files."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from tests.modalities.conftest import inputs, source_of, write_bodies
from vskd.errors import DataError
from vskd.modalities.base import Inputs, Source
from vskd.modalities.skeleton import SkeletonAugmentation, SkeletonSees, turns, with_motion
from vskd.models.catalog import AnyNetwork, build_network
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
