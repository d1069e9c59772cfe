import time
from datetime import UTC, datetime
from pathlib import Path

import av
import numpy as np
import pytest

from vskd.errors import DataError
from vskd.preprocessing.video.start import start_in_header, start_in_name

START = datetime(2024, 3, 1, 9, 30, 15, tzinfo=UTC)


def write_video(path: Path, *, frames: int = 30, created: datetime | None = START) -> Path:
    """A grey video at 10 frames per second."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        if created:
            container.metadata["creation_time"] = created.isoformat().replace("+00:00", "Z")
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height = 32, 32
        for n in range(frames):
            picture = np.full((32, 32, 3), 8 * n % 256, dtype=np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return path


@pytest.mark.parametrize("name", ["VID_20240301_093015.mp4", "20240301-093015.avi", "cam1-20240301T093015_2.mov"])
def test_times_in_names(name: str) -> None:
    assert start_in_name(Path(name)) == START.timestamp()


@pytest.mark.parametrize("name", ["a1_s1_t1.mp4", "20241301_093015.mp4", "120240301_0930159.mp4"])
def test_other_numbers_are_no_times(name: str) -> None:
    assert start_in_name(Path(name)) is None


def test_times_in_headers(tmp_path: Path) -> None:
    assert start_in_header(write_video(tmp_path / "a.mp4")) == START.timestamp()
    assert start_in_header(write_video(tmp_path / "b.mp4", created=None)) is None
    (tmp_path / "c.mp4").write_bytes(b"no video")
    with pytest.raises(DataError, match=r"c\.mp4: not a readable video"):
        start_in_header(tmp_path / "c.mp4")


def test_times_in_names_are_universal_wherever_the_computer_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        assert start_in_name(Path("VID_20240301_093015.mp4")) == START.timestamp()
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_title_that_is_no_utf8_does_no_harm(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "a.mkv"), "w") as container:
        container.metadata["creation_time"] = "2024-03-01T09:30:15Z"
        container.metadata["title"] = "Latin-ONE"
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height = 32, 32
        container.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format="rgb24")))
        container.mux(stream.encode())
    content = (tmp_path / "a.mkv").read_bytes()
    (tmp_path / "a.mkv").write_bytes(content.replace(b"Latin-ONE", b"Latin-\xd6\xd1\xc9"))
    assert start_in_header(tmp_path / "a.mkv") == START.timestamp()


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("2024-03-01T09:30:15Z", START.timestamp()),
        ("2024-03-01T11:30:15+02:00", START.timestamp()),
        ("2024-03-01 09:30:15", START.timestamp()),
        ("in the morning", None),
        ("", None),
    ],
)
def test_times_as_headers_say_them(tmp_path: Path, said: str, expected: float | None) -> None:
    """Those of .flv are free text; one without a zone is universal, as the others are."""
    with av.open(str(tmp_path / "a.flv"), "w") as container:
        container.metadata["creation_time"] = "2024-03-01T09:30:15Z"
        stream = container.add_stream("flv", rate=10)
        stream.width, stream.height = 32, 32
        container.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format="rgb24")))
        container.mux(stream.encode())
    content = (tmp_path / "a.flv").read_bytes()
    written = b"2024-03-01T09:30:15.000000Z"
    assert content.count(written) == 1
    (tmp_path / "a.flv").write_bytes(content.replace(written, said.encode().ljust(len(written), b"\0")))
    assert start_in_header(tmp_path / "a.flv") == expected
