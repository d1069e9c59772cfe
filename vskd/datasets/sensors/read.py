"""Samples and clock of a sensor's stream."""

from vskd.datasets.recording import Stream
from vskd.preprocessing.sensor.signals import Signal, read_sensor
from vskd.preprocessing.sensor.timed import Timed, read_timed
from vskd.preprocessing.sync.apply import cut_sensor


def read_stream(stream: Stream) -> Timed:
    """Read a stream of the kind `sensor`.

    Raises:
        DataError: see `read_timed` and `cut_sensor`.
    """
    timed = read_timed(
        stream.path,
        axes=stream.axes,
        rate_hz=stream.rate_hz,
        variable=stream.variable,
        columns=stream.columns,
        stream=stream.name,
        time_column=stream.time_column,
        reading=stream.reading,
    )
    return timed if stream.cut is None else cut_sensor(timed, stream.cut, stream.path)


def read_samples(stream: Stream) -> Signal:
    """The samples alone of a stream of the kind `sensor`, float32 (channels, samples), as they are compared.

    Raises:
        DataError: see `read_stream` and `read_sensor`.
    """
    if stream.reading is not None:
        return read_stream(stream).signal
    return read_sensor(stream.path, axes=stream.axes, variable=stream.variable, columns=stream.columns)
