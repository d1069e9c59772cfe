"""Samples and clock of a sensor's stream."""

from vskd.datasets.recording import Stream
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
