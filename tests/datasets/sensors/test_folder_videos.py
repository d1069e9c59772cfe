from pathlib import Path

import pytest

from tests.datasets.video.clips import write_clip
from vskd.datasets.recording import Problem, Recording
from vskd.datasets.sensors.folder_description import Description, StreamDescription, VideoDescription
from vskd.datasets.sensors.folder_videos import with_videos
from vskd.errors import DataError


def paired(root: Path, table: str, rate_hz: float | None = None) -> tuple[list[Recording], list[Problem]]:
    (root / "videos.csv").write_text(table)
    write_clip(root / "v" / "a.mp4", rate=12)
    stream = StreamDescription(files="{label}.csv", columns=(0, 1, 2), rate_hz=50.0, unit="g")
    videos = {"front": VideoDescription(table="videos.csv", rate_hz=rate_hz, position="in front")}
    description = Description(format="sensor-folder 1", streams={"accelerometer": stream}, videos=videos)
    problems: list[Problem] = []
    recordings = [Recording(name, "1", "1", 0, "1", {}) for name in ("one", "two")]
    return with_videos(root, description, recordings, problems), problems


def test_a_pair_is_a_stream_and_what_is_not_there_a_problem(tmp_path: Path) -> None:
    (one, two), problems = paired(tmp_path, "recording;video\none;v/a.mp4\ntwo;v/b.mp4\nnone;v/a.mp4\none;v\\a.mp4\n")
    stream = one.streams["front"]
    assert (stream.path, stream.kind, round(stream.rate_hz, 2)) == (tmp_path / "v" / "a.mp4", "video", 12)
    assert stream.placement == "in front" and not two.streams
    assert [(p.kind, p.recording) for p in problems] == [("missing", "two"), ("unpaired", "none"), ("duplicate", "one")]


def test_a_rate_that_somebody_states_counts(tmp_path: Path) -> None:
    """Cameras are known that write another rate than they took: those of UTD-MHAD."""
    (one, _), _ = paired(tmp_path, "recording;video\none;v/a.mp4\n", rate_hz=19.6)
    assert one.streams["front"].rate_hz == 19.6


def test_a_damaged_video_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "v").mkdir()
    (tmp_path / "v" / "b.mp4").touch()
    (one, _), (problem,) = paired(tmp_path, "recording;video\none;v/b.mp4\n")
    assert not one.streams and (problem.kind, problem.recording) == ("corrupt", "one")


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
