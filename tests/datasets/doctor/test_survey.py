"""One pass over the files: what is gathered, and what cannot be read."""

import dataclasses
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from tests.datasets.doctor.gathered import indexed, surveyed
from tests.datasets.doctor.ward import changed, replaced, ward
from vskd.datasets.doctor import survey as module
from vskd.datasets.doctor.measure import in_one_scale
from vskd.datasets.doctor.survey import survey_of
from vskd.datasets.images.image_folder import ENTRY as IMAGES
from vskd.datasets.recording import Index, Problem, Recording, Stream
from vskd.datasets.sync.table import SyncRow, write_sync
from vskd.datasets.synthetic.dataset import ENTRY as SYNTHETIC
from vskd.datasets.timeline import Timeline


def test_each_sensor_file_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[Path] = []
    real = module.sensor_facts
    monkeypatch.setattr(module, "sensor_facts", lambda stream: [read.append(stream.path), real(stream)][1])
    index = ward(tmp_path)
    index.recordings[3].streams["accelerometer"].path.write_bytes(b"x")
    found = survey_of(index)
    assert sorted(read) == sorted(r.streams["accelerometer"].path for r in index)
    assert list(found.unreadable) == [index.recordings[3].id] and len(found.contents) == len(found.sketches) == 35


def test_videos_have_a_length_and_the_main_stream_is_chosen(synthetic_root: Path) -> None:
    found = survey_of(SYNTHETIC.index(synthetic_root), main="gyroscope")
    assert set(found.sensors) == {"accelerometer", "gyroscope"} and len(found.video_seconds) == 24
    first = next(iter(found.contents))
    assert found.contents[first] == found.sensors["gyroscope"][first].content


def test_images_are_read_small(image_folder_root: Path) -> None:
    index = IMAGES.index(image_folder_root)
    index.recordings[0].streams["image"].path.write_bytes(b"no picture")
    found = survey_of(index)
    assert list(found.unreadable) == [index.recordings[0].id]
    assert len(found.contents) == len(index) and len(found.sketches) == len(index) - 1


def two_sensors(root: Path) -> Index:
    """Six recordings; the second sensor, by name the first, shows the double and lacks in one."""
    index = ward(root, subjects=1)

    def both(r: Recording) -> Recording:
        first = r.streams["accelerometer"]
        double = dataclasses.replace(first, name="a", path=root / f"{r.id}-a.npy")
        np.save(double.path, 2 * np.load(first.path))
        return r if r.id == "s1_wave_t2" else dataclasses.replace(r, streams={**r.streams, "a": double})

    return replaced(index, both)


@pytest.mark.parametrize(("main", "taken"), [(None, "a"), ("nonsense", "a"), ("accelerometer", "accelerometer")])
def test_samples_of_one_sensor_are_compared(tmp_path: Path, main: str | None, taken: str) -> None:
    found = survey_of(two_sensors(tmp_path), main=main, window_s=2.5)
    assert list(found.sensors) == ["a", "accelerometer"] and found.window_s == 2.5
    assert {n: len(of) for n, of in found.sensors.items()} == {"a": 5, "accelerometer": 6}
    assert found.contents == {i: f.content for i, f in found.sensors[taken].items()}
    expected = in_one_scale({i: f.sketch for i, f in found.sensors[taken].items()}, 3)
    assert expected.keys() == found.sketches.keys()
    for i, sketch in expected.items():
        np.testing.assert_array_equal(found.sketches[i], sketch)
    assert found.stream("s1_rest_t1", "a").path.name == "s1_rest_t1-a.npy"


def test_of_two_recordings_of_one_name_the_first_counts_and_a_timeline_is_no_null_class(tmp_path: Path) -> None:
    index = ward(tmp_path, subjects=1)
    one, *_, last = index.recordings
    twin = dataclasses.replace(last, id=one.id)
    found = survey_of(changed(index, recordings=(*index, twin), null_class="rest"))
    assert found.by_id[one.id] is one and found.is_null(one.id) and not found.is_null(last.id)
    long = dataclasses.replace(one, timeline=Timeline(((0.0, 1.0, 1),), 0))
    assert not survey_of(changed(index, recordings=(long,), null_class="rest")).is_null(one.id)


def filmed(root: Path) -> Index:
    """Six recordings: with a film of 15 frames at 30 Hz, with one before it of 10 Hz, with a damaged one behind it,
    with one of no stated rate, without a film, and a damaged film alone."""
    index = ward(root, subjects=1)
    savemat(root / "film.mat", {"d_depth": np.ones((4, 6, 15), np.uint16)})
    (root / "damaged.mat").write_bytes(b"no film")
    film = Stream("depth", "video", root / "film.mat", 30.0, "uint16", variable="d_depth")
    slow = dataclasses.replace(film, name="early", rate_hz=10.0)
    damaged = dataclasses.replace(film, name="late", path=root / "damaged.mat")
    more = [(film,), (slow, film), (film, damaged), (dataclasses.replace(film, rate_hz=0.0),), (), (damaged,)]
    together = [
        dataclasses.replace(r, streams={**(r.streams if n < 5 else {}), **{s.name: s for s in own}})
        for n, (r, own) in enumerate(zip(index, more, strict=True))
    ]
    return changed(index, recordings=tuple(together))


def test_of_videos_the_header_is_read_whatever_else_a_recording_has(tmp_path: Path) -> None:
    index = filmed(tmp_path)
    found = survey_of(index)
    one, two, damaged, *_, alone = index
    assert found.video_seconds == {one.id: 0.5, two.id: 1.5}
    assert list(found.unreadable) == [damaged.id, alone.id]
    assert all("damaged.mat" in problem for problem in found.unreadable.values())


def test_without_a_reader_of_videos_no_length_is_known(synthetic_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    found = survey_of(SYNTHETIC.index(synthetic_root))
    assert not found.video_seconds and not found.unreadable and len(found.contents) == 24


def test_the_table_of_offsets_is_read_where_there_is_one(tmp_path: Path) -> None:
    index = ward(tmp_path, subjects=1)
    assert survey_of(index).sync == ()
    row = SyncRow("s1_rest_t1", "accelerometer", "rgb", 0.1, 0.0, 3.0, 4.0, 4.0)
    write_sync(tmp_path / "sync.csv", [row])
    assert survey_of(index).sync == (row,)


def test_damaged_files_count_as_recordings_once() -> None:
    damaged = (
        Problem("corrupt", "s9-0", "", ""), Problem("corrupt", "s9-0", "again", ""), Problem("corrupt", "", "z", ""),
        Problem("corrupt", "s1-0", "", ""), Problem("missing", "s9-1", "", ""),
    )  # fmt: skip
    survey = surveyed(changed(indexed({"1": [0, 0]}), problems=damaged))
    assert survey.total == 3 and survey.name == "sensor-folder --data nowhere"


def test_the_null_class_is_whole_recordings_of_it() -> None:
    index = changed(indexed({"1": [0, 1]}), null_class="rest")
    assert [surveyed(index).is_null(i) for i in ("s1-0", "s1-1")] == [True, False]
    assert not surveyed(changed(index, null_class="")).is_null("s1-0")
