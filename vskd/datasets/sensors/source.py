"""A sensor's stream as the store of windows wants to have it."""

from collections.abc import Sequence
from dataclasses import replace

from vskd.datasets.recording import Stream
from vskd.preprocessing.file_hashes import file_hash
from vskd.preprocessing.stores.window_store import WindowSource


def window_source(recording: str, stream: Stream, scale: float = 1.0) -> WindowSource:
    """What the store has to know of a stream.

    Args:
        recording: its id.
        stream: of the kind `sensor`.
        scale: what its samples are divided by.
    """
    return WindowSource(
        recording,
        stream.path,
        stream.variable,
        stream.columns,
        stream.axes,
        stream.rate_hz,
        stream.unit,
        stream.name,
        stream.time_column,
        stream.calibrated,
        stream.range_limit,
        scale,
        reading=stream.reading,
        cut=stream.cut,
    )


def joined_source(recording: str, streams: Sequence[Stream], scales: Sequence[float]) -> WindowSource:
    """What the store has to know of several streams that share a window.

    Args:
        recording: its id.
        streams: at least one, of the kind `sensor`, in the order of their channels.
        scales: of each stream, what its samples are divided by.
    """
    first, *others = (window_source(recording, s, scale) for s, scale in zip(streams, scales, strict=True))
    return replace(first, others=tuple(others), others_sha256=tuple(file_hash(part.path) for part in others))
