"""The frame rate is not what is stated."""

import dataclasses
from pathlib import Path

from tests.datasets.doctor.ward import Floats, movement, replaced, ward
from vskd.datasets.doctor.checks.video_rate import VideoRate
from vskd.datasets.doctor.survey import survey_of
from vskd.datasets.recording import Recording, Stream
from vskd.datasets.sync.table import SyncRow


def test_lengths_that_grow_at_another_rate(tmp_path: Path) -> None:
    """Sensors of 3 to 4 s, videos that state 30 frames per second and have 20."""

    def cut(r: Recording, values: Floats) -> Floats:
        return values[: 150 + 4 * int(r.subject) + r.label + int(r.trial)]

    video = Stream("rgb", "video", tmp_path / "x.mp4", 30.0, "uint8")
    index = ward(tmp_path, cut)
    seconds = {r.id: len(cut(r, movement(r))) / 50 * 20 / 30 for r in index}
    paired = replaced(index, lambda r: dataclasses.replace(r, streams={**r.streams, "rgb": video}))
    survey = dataclasses.replace(survey_of(index), index=paired, video_seconds=seconds)
    (found,) = VideoRate().find(survey)
    assert "states 30 frames per second" in found.what and "about 20.0" in found.what
    assert "--video-rate 20.0" in found.action
    agreeing = {i: s * 30 / 20 for i, s in seconds.items()}
    assert not list(VideoRate().find(dataclasses.replace(survey, video_seconds=agreeing)))
    row = SyncRow("s1_walk_t1", "accelerometer", "rgb", 0.1, 0.0, 3.0, 4.0, 4.0)
    assert not list(VideoRate().find(dataclasses.replace(survey, sync=(row,))))
