"""Some were put in time."""

import dataclasses
from pathlib import Path

import pytest

from tests.datasets.doctor.gathered import ACC, RGB, found, ids_of, indexed, surveyed
from tests.datasets.doctor.ward import changed, replaced, ward
from vskd.datasets.doctor.checks.unpaired import Unpaired
from vskd.datasets.doctor.checks.video_offset import CLEAR, VideoOffset
from vskd.datasets.doctor.survey import survey_of
from vskd.datasets.recording import Problem, Stream
from vskd.datasets.sync.table import OWN, SyncRow
from vskd.preprocessing.sync import align


def test_recordings_that_sync_left_out(tmp_path: Path) -> None:
    video = Stream("rgb", "video", tmp_path / "x.mp4", 30.0, "uint8")
    index = ward(tmp_path)
    survey = survey_of(index)
    paired = replaced(index, lambda r: dataclasses.replace(r, streams={**r.streams, "rgb": video}))
    rows = [SyncRow(r.id, "accelerometer", "rgb", 0.1, 0.0, 3.0, 4.0, 4.0) for r in index]
    doubtful = dataclasses.replace(rows[1], confidence=1.1)
    seen = dataclasses.replace(survey, index=paired)
    assert not list(VideoOffset().find(seen))
    assert not list(VideoOffset().find(dataclasses.replace(seen, sync=tuple(rows))))
    own = Problem("missing", "s1_rest_t1", "x/sync.csv", "says nothing of second")
    told = dataclasses.replace(seen, index=changed(paired, problems=(own,)), sync=tuple(rows))
    (third,) = VideoOffset().find(told)
    assert third.recordings == ("s1_rest_t1",) and "a clock of its own" in third.what
    assert not list(Unpaired().find(told))
    one, two = VideoOffset().find(dataclasses.replace(seen, sync=(doubtful, *rows[2:])))
    assert one.recordings == (index.recordings[0].id,) and "have no line in sync.csv" in one.what
    assert two.recordings == (index.recordings[1].id,) and "without a clear peak" in two.what


@pytest.mark.parametrize(("confidence", "by", "told"), [(1.5, OWN, 0), (1.49, OWN, 1), (1.49, "median", 0)])
def test_a_peak_is_clear_from_one_and_a_half_on(confidence: float, by: str, told: int) -> None:
    row = SyncRow("s1-0", "acc", "rgb", 0.1, 0.0, confidence, 4.0, 4.0, by)
    ones = found("video-offset", surveyed(indexed({"1": [0, 0]}), sync=(row,)))
    assert [(one.recordings, one.weight) for one in ones] == [(("s1-0",), 0.2)] * told
    assert CLEAR == align.CLEAR


def test_only_recordings_with_sensor_and_video_need_a_line() -> None:
    index = indexed({"1": [0] * 4})
    skeleton = Stream("skeleton", "skeleton", Path("x.mat"), 30.0, "m")
    streams = ([ACC], [RGB], [ACC, RGB], [ACC, skeleton, RGB])
    recordings = [
        dataclasses.replace(r, streams={s.name: s for s in own}) for r, own in zip(index, streams, strict=True)
    ]
    row = SyncRow("s9-0", "acc", "rgb", 0.1, 0.0, 3.0, 4.0, 4.0)
    other = Problem("missing", "s1-0", "x/other.csv", "says nothing")
    index = dataclasses.replace(index, recordings=tuple(recordings), problems=(other,))
    assert ids_of(found("video-offset", surveyed(index, sync=(row,)))) == [("s1-2", "s1-3")]
