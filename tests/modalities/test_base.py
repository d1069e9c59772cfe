"""What identifies data, and what inputs of every modality refuse."""

import hashlib
import shutil
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from torch import nn

from tests.conftest import mend_in_place
from tests.modalities.conftest import inputs, source_of
from vskd.datasets.recording import UNLABELLED
from vskd.datasets.timeline import Timeline
from vskd.errors import DataError, SettingError
from vskd.modalities.base import LABELS, Source, _how_read, data_hash, data_parts, data_rows
from vskd.preprocessing.sensor.reading import Reading
from vskd.preprocessing.sync.cut import Cut


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


@pytest.mark.parametrize(
    "changes",
    [
        *({"columns": (0, 2, 1)}, {"rate_hz": 25.0}, {"unit": "m/s^2"}, {"variable": "d"}),
        *({"cut": Cut(0.0, 1.0)}, {"reading": Reading()}),
    ],
)
def test_so_is_how_a_file_is_read(world: Source, changes: dict[str, Any]) -> None:
    first = next(iter(world.recordings.values()))
    other = {**first.streams, "accelerometer": replace(first.stream("accelerometer"), **changes)}
    assert data_hash(altered(world, streams=other), ["accelerometer"]) != data_hash(world, ["accelerometer"])
    assert data_hash(altered(world, streams=other), ["rgb"]) == data_hash(world, ["rgb"])


@pytest.mark.parametrize(("modality", "stream", "file"), [
    ("window", "accelerometer", "Inertial/a1_s1_t1_inertial.mat"), ("frames", "rgb", "RGB/a1_s1_t1_color.mp4")
])  # fmt: skip
def test_data_mended_in_place_are_other_data(
    world: Source, copied: Path, modality: str, stream: str, file: str
) -> None:
    """Of another hash, in another store, for another teacher cache, though size and time of the file stay."""
    before = inputs(source_of("synthetic", copied, world.cache), modality, stream)
    was = data_hash(before.source, [stream]), before.hash, before.store_file
    mend_in_place(copied / file)
    after = inputs(source_of("synthetic", copied, world.cache), modality, stream)
    for old, new in zip(was, (data_hash(after.source, [stream]), after.hash, after.store_file), strict=True):
        assert old != new


def test_rows_say_which_part_of_which_recording_changed(world: Source) -> None:
    streams, first = ("rgb", "accelerometer"), next(iter(world.recordings))
    before = data_rows(world, streams)
    assert {tuple(sorted(row)) for row in before.values()} == {("accelerometer", LABELS, "rgb")}
    after = data_rows(altered(world, label=2), streams)
    assert [i for i in before if before[i] != after[i]] == [first]
    assert [part for part in before[first] if before[first][part] != after[first][part]] == [LABELS]
    parts, others = (data_parts(rows, world.class_names) for rows in (before, after))
    assert [part for part in parts if parts[part] != others[part]] == [LABELS]


def test_classes_count_by_name_and_in_their_order(world: Source) -> None:
    rows, (first, second, *rest) = data_rows(world, ["rgb"]), world.class_names
    swapped = data_parts(rows, (second, first, *rest))
    assert swapped[LABELS] != data_parts(rows, world.class_names)[LABELS]
    renamed = replace(world, class_names=("other", second, *rest))
    assert data_hash(renamed, ["rgb"]) != data_hash(world, ["rgb"])


def test_the_order_of_recordings_does_not_count(world: Source) -> None:
    turned = replace(world, recordings=dict(reversed(list(world.recordings.items()))))
    assert data_hash(turned, ["rgb"]) == data_hash(world, ["rgb"])


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


def test_what_a_source_tolerates_and_hides(world: Source) -> None:
    plain = Source("d", {}, (), None, "", world.cache)
    assert plain.max_bad_fraction == 0.02 and plain.hidden == frozenset()
    ids = sorted(world.recordings)[:3]
    hidden = replace(world, hidden=frozenset(ids[:1]))
    assert hidden.labels_of(ids) == [UNLABELLED, *(world.recordings[i].label for i in ids[1:])]
    assert inputs(hidden, "window", "accelerometer").sample_labels(ids) == hidden.labels_of(ids)


def test_classes_of_mirror_images(world: Source) -> None:
    named = replace(world, class_names=("a", "left", "right"), label_swap={"left": "right", "right": "left"})
    assert named.mirror_labels() == (0, 2, 1)
    with pytest.raises(SettingError, match=r"flip: the classes of 'synthetic' do not fit mirror images.*Set it to 0"):
        replace(world, label_swap=None).mirror_labels()


def test_a_timeline_is_part_of_the_data(world: Source) -> None:
    spans = ((0.0, 1.0, 0), (1.0, 2.0, 1))
    hashes = [
        data_hash(altered(world, timeline=timeline), ["rgb"])
        for timeline in (
            None,
            Timeline(spans),
            Timeline(spans[:1]),
            Timeline(((0.0, 1.5, 0), (1.5, 2.0, 1))),
            Timeline(((0.0, 1.0, 1), (1.0, 2.0, 0))),
            Timeline(spans, elsewhere=2),
        )
    ]
    assert len(set(hashes)) == len(hashes)


def test_fingerprints_are_of_files_and_of_what_they_hold(world: Source) -> None:
    """Both tell a recording; a file that was cut or is read otherwise is another one."""
    ids = sorted(world.recordings)[:2]
    seen = inputs(world, "window", "accelerometer")
    prints = seen.fingerprints([*ids, "absent"])
    assert set(prints.values()) == set(ids) and len(prints) == 4 and {len(key) for key in prints} == {16}
    file = hashlib.sha256(world.recordings[ids[0]].stream("accelerometer").path.read_bytes()).hexdigest()
    assert prints[file[:16]] == ids[0] and prints[seen.store.contents[ids[1]][:16]] == ids[1]


def test_a_store_is_named_by_what_it_holds(world: Source) -> None:
    seen = inputs(world, "frames", "rgb")
    assert seen.store_file == world.cache / f"frames-rgb-{seen.store_hash[:12]}.h5"
    assert inputs(world, "frames", "rgb", size=48).store_hash != seen.store_hash


def test_what_most_modalities_do_not_do(world: Source) -> None:
    seen = inputs(world, "frames", "rgb")
    assert not seen.several and not seen.exported and isinstance(seen.front(), nn.Identity)
    with pytest.raises(SettingError, match=r"sees frames cannot be shipped.*exported modalities: window, image, clip"):
        seen.contract([])
    assert type(seen).asks(inputs(world, "clip", "rgb").contract([])) is None


def test_of_how_a_file_is_read_only_what_there_is_is_said(world: Source) -> None:
    """Hashes of data that are read as ever are as they were."""
    stream = next(iter(world.recordings.values())).stream("accelerometer")
    plain = _how_read(stream)
    assert not {"path", "reading", "cut"} & plain.keys() and {"columns", "rate_hz", "unit"} <= plain.keys()
    cut, read = Cut(0.5, 1.0), Reading()
    assert _how_read(replace(stream, cut=cut)) == {**plain, "cut": asdict(cut)}
    assert _how_read(replace(stream, reading=read)) == {**plain, "reading": read.told()}


def test_parts_are_in_the_order_of_their_names(world: Source) -> None:
    streams = tuple(next(iter(world.recordings.values())).streams)
    assert len(streams) > 2
    for row in data_rows(world, [*streams[::-1], streams[0]]).values():
        assert list(row) == [LABELS, *sorted(streams)]
    names = [f"p{n:02}" for n in range(20, 0, -1)]
    parts = data_parts({"r": dict.fromkeys(names, "0"), "s": dict.fromkeys(names, "1")}, ("a",))
    assert list(parts) == [*sorted(names), LABELS]
