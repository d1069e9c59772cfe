from dataclasses import fields
from pathlib import Path

from vskd.datasets.recording import Stream
from vskd.datasets.sensors.source import joined_source, window_source
from vskd.files import sha256_file
from vskd.preprocessing.sensor.reading import Reading
from vskd.preprocessing.sync.cut import Cut


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
        reading=Reading(offset=1.0),
        cut=Cut(0.1, 0.5),
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
        "reading",
        "cut",
    }
    assert all(getattr(source, name) == getattr(stream, name) for name in shared)


def test_the_scale_and_the_streams_that_share_the_window(tmp_path: Path) -> None:
    streams = []
    for number, name in enumerate(("accelerometer", "gyroscope", "barometer")):
        path = tmp_path / f"{name}.txt"
        path.write_text(str(number))
        streams.append(Stream(name, "sensor", path, 50.0, "g", ("x",), reading=Reading(offset=float(number))))
    joined = joined_source("r1", streams, (2.0, 100.0, 5.0))
    assert (joined.stream, joined.scale, joined.reading.offset) == ("accelerometer", 2.0, 0.0)
    assert [(o.stream, o.scale, o.id, o.reading.offset) for o in joined.others] == [
        ("gyroscope", 100.0, "r1", 1.0),
        ("barometer", 5.0, "r1", 2.0),
    ]
    assert joined.others_sha256 == tuple(sha256_file(s.path) for s in streams[1:])
    assert joined_source("r1", streams[:1], (2.0,)) == window_source("r1", streams[0], 2.0)
    assert window_source("r1", streams[0]).scale == 1.0
