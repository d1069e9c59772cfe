"""Hours of signal from a .csv: the stream's decisions, with times, at flat memory."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from tests.firmware_bridge.bundles import LABELS, Pair, clock, make_bundle, movement, sensor_contract
from vskd.bundle.bundle import Bundle
from vskd.bundle.contract import ImageContract
from vskd.errors import BundleError, DataError
from vskd.firmware_bridge.conditions import Condition
from vskd.firmware_bridge.generate import read_firmware
from vskd.firmware_bridge.stream_file import stream_file


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    return make_bundle(tmp_path / "bundle", sensor_contract())


def write(path: Path, samples: np.ndarray, times: np.ndarray | None = None, head: str = "") -> Path:
    rows = [",".join(map(repr, map(float, sample))) for sample in samples]
    if times is not None:
        rows = [f"{int(t) / 1e6!r},{row}" for t, row in zip(times, rows, strict=True)]
    path.write_text(head + "\n".join(rows) + "\n")
    return path


def test_the_events_are_the_streams_decisions(bundle: Bundle, tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    samples, times = movement(2500, generator), clock(2500, 50.0, generator)
    times[1200:] += np.uint64(2_000_000)
    samples[2000, 1] = np.nan
    file = write(tmp_path / "long.csv", samples, times, "# unit: g\ntime_s,x,y,z\n")
    found = list(stream_file(bundle, file))
    expected = list(Pair(read_firmware(bundle), tmp_path).stream().feed(samples, times))
    assert [event.status for event in found] == [d.status for d in expected]
    assert {Condition.OK, Condition.GAP, Condition.NOT_FINITE} <= {event.status for event in found}
    for event, decision in zip(found, expected, strict=True):
        assert event.label == (LABELS[decision.label] if decision.label >= 0 else "")
        assert event.time_s == pytest.approx((decision.time_us - int(times[0])) / 1e6)
        assert event.log_odds == pytest.approx(decision.margin * read_firmware(bundle).graph.output.scale)


def test_columns_are_found_by_name_and_without_times_the_rate_is_the_contracts(bundle: Bundle, tmp_path: Path) -> None:
    samples = movement(64, np.random.default_rng(0))
    plain = list(stream_file(bundle, write(tmp_path / "plain.csv", samples)))
    named = write(tmp_path / "named.csv", samples[:, [2, 0, 1]], None, "z,x,y\n")
    assert list(stream_file(bundle, named)) == plain
    assert [event.time_s for event in plain[:2]] == pytest.approx([16 / 50, 21 / 50])


def test_memory_is_flat(bundle: Bundle, tmp_path: Path) -> None:
    """What a stream needs at most does not depend on its length: ten minutes are 2 MB of text, and 6 MB as arrays."""
    short = write(tmp_path / "short.csv", movement(3_000, np.random.default_rng(0)))
    long = tmp_path / "long.csv"
    peaks, counts = [], []
    for minutes in (1, 5, 10):  # the first one loads what is loaded once
        long.write_text(short.read_text() * minutes)
        tracemalloc.start()
        counts.append(sum(1 for _ in stream_file(bundle, long)))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert counts[2] == (30_000 - 16) // 5 + 1
    assert peaks[2] < 1.05 * peaks[1]


def test_what_is_wrong_is_named(bundle: Bundle, tmp_path: Path) -> None:
    samples = movement(20, np.random.default_rng(0))
    wrong = write(tmp_path / "unit.csv", samples, None, "# unit: m/s^2\nx,y,z\n")
    with pytest.raises(BundleError, match=r"asks for g, the file says m/s\^2"):
        list(stream_file(bundle, wrong))
    broken = tmp_path / "broken.csv"
    broken.write_text("1,2,3\n" * 2500 + "1,2\n")
    with pytest.raises(DataError, match="data row 2501 is not 3 numbers"):
        list(stream_file(bundle, broken))
    with pytest.raises(DataError, match="cannot be read"):
        list(stream_file(bundle, tmp_path / "absent.csv"))
    images = make_bundle(tmp_path / "images", ImageContract(stream="image", size=9, channels=1, crop="full"))
    with pytest.raises(BundleError, match="takes images"):
        list(stream_file(images, wrong))
