"""From the video streams of a data set to what a store of frames is built from."""

from collections.abc import Mapping

from vskd.datasets.recording import Stream
from vskd.preprocessing.stores.frame_store import FrameSource


def frame_sources(streams: Mapping[str, Stream]) -> list[FrameSource]:
    """One source for each recording, in the order of `streams`: recording id -> its video."""
    return [FrameSource(i, s.path, s.variable, s.rate_hz, s.cut) for i, s in streams.items()]
