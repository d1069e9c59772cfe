"""Samples and clock of a sensor's stream."""

from vskd.datasets.recording import Stream
from vskd.datasets.sensors.source import window_source
from vskd.preprocessing.sensor.timed import Timed
from vskd.preprocessing.stores.window_store import read_source


def read_stream(stream: Stream) -> Timed:
    """Read a stream of the kind `sensor`.

    Raises:
        DataError: see `read_timed`.
    """
    return read_source(window_source(stream.path.stem, stream))
