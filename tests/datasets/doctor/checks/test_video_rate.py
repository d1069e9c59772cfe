"""The frame rate is not what is stated."""

import dataclasses
from pathlib import Path

import pytest

from tests.datasets.doctor.gathered import ACC, RGB, facts, found, indexed, surveyed
from tests.datasets.doctor.ward import Floats, movement, replaced, ward
from vskd.datasets.doctor.checks.video_rate import VideoRate
from vskd.datasets.doctor.survey import Survey, survey_of
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


def filmed(count: int = 25) -> Survey:
    """Recordings of 3 to 5 s whose videos, of 30 frames per second, have 20; the last one's states 60."""
    index = indexed({"1": [0] * count}, ACC, RGB)
    fast = {"acc": ACC, "rgb": dataclasses.replace(RGB, rate_hz=60.0)}
    index = dataclasses.replace(
        index, recordings=(*index.recordings[:-1], dataclasses.replace(index.recordings[-1], streams=fast))
    )
    seconds = {r.id: 3 + n / 12 for n, r in enumerate(index)}
    sensors = {"acc": {i: facts(seconds=s) for i, s in seconds.items()}}
    return surveyed(index, sensors=sensors, video_seconds={i: s * 20 / 30 for i, s in seconds.items()})


def test_the_rate_of_the_first_video_is_told() -> None:
    (one,) = found("video-rate", filmed())
    assert one.what == ("rgb: states 30 frames per second, and by the lengths of 25 recordings (acc) it has about 20.0")
    assert one.weight == pytest.approx(0.3) and len(one.recordings) == 25


def test_the_first_sensor_is_compared_where_there_are_films() -> None:
    seen = filmed()
    both = dataclasses.replace(seen, sensors={**seen.sensors, "gyro": seen.sensors["acc"]})
    assert len(found("video-rate", both)) == 1
    fewer = dataclasses.replace(seen, video_seconds=dict(list(seen.video_seconds.items())[3:]))
    assert found("video-rate", fewer)[0].recordings == tuple(f"s1-{n}" for n in range(3, 25))
    assert found("video-rate", filmed(19)) == []
