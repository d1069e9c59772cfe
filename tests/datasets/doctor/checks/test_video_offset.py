"""Some were put in time."""

import dataclasses
from pathlib import Path

from tests.datasets.doctor.ward import changed, replaced, ward
from vskd.datasets.doctor.checks.unpaired import Unpaired
from vskd.datasets.doctor.checks.video_offset import VideoOffset
from vskd.datasets.doctor.survey import survey_of
from vskd.datasets.recording import Problem, Stream
from vskd.datasets.sync.table import SyncRow


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
