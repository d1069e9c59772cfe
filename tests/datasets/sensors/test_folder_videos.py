from pathlib import Path

import pytest

from vskd.datasets.recording import Problem, Recording
from vskd.datasets.sensors.folder_description import Description, StreamDescription, VideoDescription
from vskd.datasets.sensors.folder_videos import with_videos
from vskd.errors import DataError


def paired(root: Path, table: str) -> tuple[list[Recording], list[Problem]]:
    (root / "videos.csv").write_text(table)
    (root / "v").mkdir(exist_ok=True)
    (root / "v" / "a.mp4").touch()
    stream = StreamDescription(files="{label}.csv", columns=(0, 1, 2), rate_hz=50.0, unit="g")
    videos = {"front": VideoDescription(table="videos.csv", rate_hz=25.0, position="in front")}
    description = Description(format="sensor-folder 1", streams={"accelerometer": stream}, videos=videos)
    problems: list[Problem] = []
    recordings = [Recording(name, "1", "1", 0, "1", {}) for name in ("one", "two")]
    return with_videos(root, description, recordings, problems), problems


def test_a_pair_is_a_stream_and_what_is_not_there_a_problem(tmp_path: Path) -> None:
    (one, two), problems = paired(tmp_path, "recording;video\none;v/a.mp4\ntwo;v/b.mp4\nnone;v/a.mp4\none;v/a.mp4\n")
    stream = one.streams["front"]
    assert (stream.path, stream.kind, stream.rate_hz) == (tmp_path / "v" / "a.mp4", "video", 25.0)
    assert stream.placement == "in front" and not two.streams
    assert [(p.kind, p.recording) for p in problems] == [("missing", "two"), ("unpaired", "none"), ("duplicate", "one")]


def test_a_table_without_its_columns_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"videos\.csv: has no column 'recording'"):
        paired(tmp_path, "file;video\na;b\n")


def test_paths_may_be_written_as_windows_does_and_a_table_may_be_empty(tmp_path: Path) -> None:
    (one, _), problems = paired(tmp_path, "recording;video\none;v\\a.mp4\n")
    assert one.streams["front"].path == tmp_path / "v" / "a.mp4" and not problems
    (one, _), problems = paired(tmp_path, "recording;video\n")
    assert not one.streams and not problems
    with pytest.raises(DataError, match=r"has no column 'video'"):
        paired(tmp_path, "recording;film\na;b\n")
