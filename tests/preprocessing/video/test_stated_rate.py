import struct
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from vskd.errors import DataError
from vskd.preprocessing.video.probe import probe_video
from vskd.preprocessing.video.stated_rate import stated_rate


def write_frames(
    path: Path,
    rate: Fraction = Fraction(25, 2),
    ticks: Sequence[int] = range(10),
    options: dict[str, str] | None = None,
) -> Path:
    """Grey frames, each shown at its tick; there are `rate` ticks a second."""
    with av.open(str(path), "w", options=options or {}) as container:
        stream = container.add_stream("mpeg4", rate=rate)
        stream.width, stream.height = 32, 32
        for tick in ticks:
            frame = av.VideoFrame.from_ndarray(np.full((32, 32, 3), 8 * tick % 256, np.uint8), format="rgb24")
            frame.pts, frame.time_base = tick, 1 / rate
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


@pytest.mark.parametrize("rate", [Fraction(12), Fraction(30000, 1001), Fraction(1, 2)])
def test_an_mp4_states_its_rate(tmp_path: Path, rate: Fraction) -> None:
    path = write_frames(tmp_path / "a.mp4", rate)
    assert stated_rate(path) == pytest.approx(float(rate))
    assert stated_rate(path) == pytest.approx(probe_video(path).rate_hz)


def test_of_a_rate_that_changes_the_mean_is_stated(tmp_path: Path) -> None:
    path = write_frames(tmp_path / "a.mp4", Fraction(100), [0, 4, 8, 20, 21, 40, 48])
    assert 0 < (stated_rate(path) or 0) < 20
    assert stated_rate(path) == pytest.approx(probe_video(path).rate_hz)


def test_an_index_in_front_is_found_too(tmp_path: Path) -> None:
    path = write_frames(tmp_path / "a.mp4", options={"movflags": "faststart"})
    assert path.read_bytes().index(b"moov") < path.read_bytes().index(b"mdat")
    assert stated_rate(path) == pytest.approx(12.5)


def test_what_comes_in_fragments_states_none_in_its_header(tmp_path: Path) -> None:
    options = {"movflags": "frag_keyframe+empty_moov"}
    path = write_frames(tmp_path / "a.mp4", options=options)
    assert stated_rate(path) is None and probe_video(path).rate_hz == pytest.approx(12.5)


def test_sound_alone_has_no_frames(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=16000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.rate = 16000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    assert stated_rate(path) is None


def test_nonsense_states_none(tmp_path: Path) -> None:
    """Whatever byte of an index is spoiled, there is a number or none."""
    whole = write_frames(tmp_path / "a.mp4").read_bytes()
    path, start = tmp_path / "b.mp4", whole.index(b"moov") - 4
    found = set()
    for at in range(start, len(whole), 3):
        for byte in (0, 255):
            path.write_bytes(whole[:at] + bytes([byte]) + whole[at + 1 :])
            found.add(stated_rate(path))
    assert found >= {None, 12.5}
    for content in (b"", b"mdat", struct.pack(">I4s", 0, b"mdat"), struct.pack(">I4sQ", 1, b"moov", 1 << 40)):
        path.write_bytes(content)
        assert stated_rate(path) is None


def test_an_avi_states_its_rate(tmp_path: Path) -> None:
    path = write_frames(tmp_path / "a.AVI", Fraction(12))
    assert stated_rate(path) == pytest.approx(12, rel=1e-5)
    path.write_bytes(path.read_bytes()[:35])
    assert stated_rate(path) is None


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"Cannot read .*a\.mp4"):
        stated_rate(tmp_path / "a.mp4")
