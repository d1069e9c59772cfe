"""One pass over the files: what is gathered, and what cannot be read."""

from pathlib import Path

import pytest

from tests.datasets.doctor.ward import ward
from vskd.datasets.doctor import survey as module
from vskd.datasets.doctor.survey import survey_of
from vskd.datasets.images.image_folder import ENTRY as IMAGES
from vskd.datasets.synthetic.dataset import ENTRY as SYNTHETIC


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
