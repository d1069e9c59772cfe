"""A sensor's stream as the store of windows wants to have it."""

from vskd.datasets.recording import Stream
from vskd.preprocessing.stores.window_store import WindowSource


def window_source(recording: str, stream: Stream) -> WindowSource:
    """What the store has to know of a stream.

    Args:
        recording: its id.
        stream: of the kind `sensor`.
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
    )
