from dataclasses import fields
from pathlib import Path

from vskd.datasets.recording import Stream
from vskd.datasets.sensors.source import window_source


def test_nothing_of_a_stream_that_the_store_knows_is_lost() -> None:
    stream = Stream(
        "accelerometer-right-hip",
        "sensor",
        Path("a.txt"),
        31.0,
        "g",
        ("x", "y", "z"),
        variable="d",
        columns=(1, 2, 3),
        range_limit=2.0,
        time_column=0,
        calibrated=False,
    )
    source = window_source("r1", stream)
    assert (source.id, source.stream) == ("r1", stream.name)
    shared = {f.name for f in fields(source)} & {f.name for f in fields(stream)}
    assert shared >= {
        "path",
        "columns",
        "time_column",
        "calibrated",
        "range_limit",
        "rate_hz",
        "unit",
        "axes",
        "variable",
    }
    assert all(getattr(source, name) == getattr(stream, name) for name in shared)
