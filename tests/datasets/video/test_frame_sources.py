"""Sources of frames are the streams, field by field."""

from pathlib import Path

from vskd.datasets.recording import Stream
from vskd.datasets.video.frame_sources import frame_sources
from vskd.preprocessing.stores.frame_store import FrameSource
from vskd.preprocessing.sync.cut import Cut


def test_each_recording_keeps_its_place_and_what_its_stream_says() -> None:
    whole = Stream("depth", "video", Path("b.mat"), variable="d_depth", rate_hz=30.0, unit="")
    part = Stream("rgb", "video", Path("a.mp4"), rate_hz=25.0, unit="", cut=Cut(1.0, 2.5))
    assert frame_sources({"b": whole, "a": part}) == [
        FrameSource("b", Path("b.mat"), "d_depth", 30.0, None),
        FrameSource("a", Path("a.mp4"), "", 25.0, Cut(1.0, 2.5)),
    ]
    assert frame_sources({}) == []
