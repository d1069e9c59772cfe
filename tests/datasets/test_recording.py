"""Streams, recordings and the index: what they answer, and how they refuse."""

import dataclasses
from pathlib import Path

import pytest

from vskd.datasets.recording import UNLABELLED, Index, Problem, Recording, Stream
from vskd.datasets.timeline import Timeline
from vskd.errors import DataError


def stream(name: str) -> Stream:
    kind = "video" if name in ("rgb", "depth") else "image" if name == "image" else "sensor"
    return Stream(name, kind, Path(f"/data/{name}"), 50.0, "g")


def recording(name: str, *streams: str, subject: str = "1") -> Recording:
    return Recording(name, subject, "1", 0, subject, {s: stream(s) for s in streams})


def index(*recordings: Recording) -> Index:
    return Index("synthetic", Path("/data"), ("wave", "clap"), recordings)


def test_a_stream_is_found_by_name() -> None:
    both = recording("r1", "accelerometer", "rgb")
    assert both.stream("rgb") is both.streams["rgb"]
    assert both.stream("rgb").path == Path("/data/rgb")


@pytest.mark.parametrize(
    ("streams", "listed"), [(("rgb", "accelerometer"), "it has: accelerometer, rgb"), ((), "it has: none")]
)
def test_a_missing_stream_is_refused_with_those_that_are_there(streams: tuple[str, ...], listed: str) -> None:
    with pytest.raises(DataError, match="Recording r1 has no stream 'depth'") as caught:
        recording("r1", *streams).stream("depth")
    assert listed in str(caught.value)


def test_what_a_sensor_or_video_does_not_have_is_empty() -> None:
    """Clip, frame number, official part and box belong to images."""
    one = recording("r1", "accelerometer")
    assert (one.clip, one.position, one.part) == ("", None, "")
    plain = one.stream("accelerometer")
    assert (plain.axes, plain.variable, plain.columns, plain.box) == ((), "", (), None)


def test_an_image_knows_where_it_is_from() -> None:
    face = dataclasses.replace(stream("image"), rate_hz=0.0, box=(1.0, 2.0, 30.5, 40.0))
    image = Recording("i1", "7", "2", 3, "7", {"image": face}, clip="s7_2", position=0, part="valid")
    assert image.stream("image").box == (1.0, 2.0, 30.5, 40.0)
    assert (image.clip, image.position, image.part) == ("s7_2", 0, "valid")
    assert image.position is not None  # the first frame is number 0, which is not the same as none


def test_an_index_is_walked_and_counted() -> None:
    both = index(recording("r1"), recording("r2"))
    assert [r.id for r in both] == ["r1", "r2"] and len(both) == 2
    assert not index() and both


def test_subjects_are_listed_once_and_2_comes_before_10() -> None:
    people = [recording(f"r{n}", subject=s) for n, s in enumerate(("10", "2", "1", "2", "11"))]
    assert index(*people).subjects == ("1", "2", "10", "11")


def test_recordings_by_id() -> None:
    one, two = recording("r1"), recording("r2")
    assert index(two, one).by_id() == {"r1": one, "r2": two}


def test_ids_that_occur_twice_are_named_in_order_and_at_most_five() -> None:
    twice = [recording(f"r{n}") for n in (7, 3, 5, 1, 2, 4) for _ in range(2)]
    with pytest.raises(DataError, match=r"more than once: r1, r2, r3, r4, r5 and 1 more\.") as caught:
        index(*twice, recording("r6")).by_id()
    assert "/data" in str(caught.value) and "r6" not in str(caught.value)


def test_recordings_that_have_all_of_some_streams() -> None:
    all_ = index(recording("r1", "rgb"), recording("r2", "rgb", "depth"), recording("r3", "depth"), recording("r4"))
    assert [r.id for r in all_.with_streams(["rgb"])] == ["r1", "r2"]
    assert [r.id for r in all_.with_streams(name for name in ("rgb", "depth"))] == ["r2"]
    assert all_.with_streams([]) == all_.recordings
    assert all_.with_streams(["sound"]) == ()


@pytest.mark.parametrize("thing", [stream("rgb"), recording("r1"), index(), Problem("missing", "r1", "/data", "gone")])
def test_nothing_can_be_changed_afterwards(thing: object) -> None:
    first = dataclasses.fields(thing)[0].name  # type: ignore[arg-type]
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(thing, first, "other")


def test_recordings_without_a_label_stand_by_themselves() -> None:
    timeline = Timeline((), UNLABELLED)
    made = [Recording(f"r{k}", "1", "1", label, "1", {}) for k, label in enumerate((0, UNLABELLED, 1))]
    made.append(Recording("r3", "1", "1", UNLABELLED, "1", {}, timeline=timeline))  # of whose windows some may be known
    index = Index("own", Path(), ("a", "b"), ()).with_recordings(made)
    assert [r.id for r in index] == ["r0", "r2", "r3"] and [r.id for r in index.unlabelled] == ["r1"]
    assert [r.id for r in index.everything] == ["r0", "r1", "r2", "r3"] and index.everything.unlabelled == ()
    assert index.everything.everything == index.everything
