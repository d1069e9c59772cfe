"""What identifies data, and what inputs of every modality refuse."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.modalities.conftest import inputs, source_of
from vskd.errors import DataError, SettingError
from vskd.modalities.base import Source, data_hash


@pytest.fixture
def copied(synthetic_root: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(synthetic_root, tmp_path / "elsewhere"))


def altered(source: Source, **changes: Any) -> Source:
    """One recording has another fact."""
    first = next(iter(source.recordings))
    return replace(source, recordings={**source.recordings, first: replace(source.recordings[first], **changes)})


def test_data_is_the_same_wherever_it_lies(world: Source, copied: Path) -> None:
    there = source_of("synthetic", copied, world.cache)
    assert data_hash(there, ["accelerometer"]) == data_hash(world, ["accelerometer"])


def test_a_hash_covers_its_own_streams_only(world: Source, copied: Path) -> None:
    clip, sensor = copied / "RGB" / "a1_s1_t1_color.mp4", copied / "Inertial" / "a1_s1_t1_inertial.mat"
    clip.write_bytes(clip.read_bytes() + b"\0" * 8)
    there = source_of("synthetic", copied, world.cache)
    assert data_hash(there, ["accelerometer"]) == data_hash(world, ["accelerometer"])
    assert data_hash(there, ["rgb"]) != data_hash(world, ["rgb"])
    sensor.write_bytes(sensor.read_bytes() + b"\0" * 8)
    there = source_of("synthetic", copied, world.cache)
    assert data_hash(there, ["accelerometer"]) != data_hash(world, ["accelerometer"])
    assert data_hash(world, ["rgb", "accelerometer"]) == data_hash(world, ["accelerometer", "rgb"])


@pytest.mark.parametrize("changes", [{"label": 2}, {"subject": "other"}, {"id": "other"}])
def test_who_did_what_is_part_of_the_data(world: Source, changes: dict[str, Any]) -> None:
    assert data_hash(altered(world, **changes), ["rgb"]) != data_hash(world, ["rgb"])


def test_so_are_boxes_and_the_data_set_and_what_is_left_out(world: Source, shapes: Source) -> None:
    first = next(iter(shapes.recordings.values()))
    moved = {"image": replace(first.stream("image"), box=(5.0, 6.0, 40.0, 42.0))}
    bare = {"image": replace(first.stream("image"), box=None)}
    hashes = {data_hash(altered(shapes, streams=streams), ["image"]) for streams in (first.streams, moved, bare)}
    assert len(hashes) == 3
    fewer = replace(world, recordings=dict(list(world.recordings.items())[1:]))
    assert data_hash(fewer, ["rgb"]) != data_hash(world, ["rgb"])
    assert data_hash(replace(world, dataset="other"), ["rgb"]) != data_hash(world, ["rgb"])


def test_a_stream_that_is_not_there(world: Source) -> None:
    with pytest.raises(DataError, match="has no stream 'thermometer'"):
        _ = inputs(world, "window", "thermometer").store


def test_a_stream_of_another_kind(world: Source) -> None:
    with pytest.raises(SettingError, match="modality 'window' reads sensor streams; 'rgb' is video"):
        _ = inputs(world, "window", "rgb").store


def test_several_streams_where_one_is_seen(world: Source) -> None:
    both = inputs(world, "frames", "rgb", streams=["rgb", "depth"])
    assert both.name == "rgb + depth"
    with pytest.raises(SettingError, match=r"sees one stream, not 2 \(rgb \+ depth\)"):
        _ = both.store


def test_corrupt_recordings_are_named_and_left_out(copied: Path, tmp_path: Path) -> None:
    clip = copied / "RGB" / "a2_s1_t1_color.mp4"
    source = source_of("synthetic", copied, tmp_path, max_bad_fraction=0.1)
    clip.write_bytes(clip.read_bytes()[:100])
    clips = inputs(source, "frames", "rgb", size=32)
    assert clips.ids == frozenset(source.recordings) - {"a2_s1_t1"}
    assert set(clips.problems) == {"a2_s1_t1"}
    strict = replace(source, max_bad_fraction=0.02, cache=tmp_path / "strict")
    with pytest.raises(DataError, match="a2_s1_t1"):
        _ = inputs(strict, "frames", "rgb", size=32).store
