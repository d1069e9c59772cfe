"""A device whose line stalls: what cannot be sent is counted, and the numbers of the samples show where."""

import shutil
from pathlib import Path

import pytest

from tests.firmware_bridge.bundles import Pair, sensor_contract
from tests.firmware_bridge.link.harness import HOST
from vskd.firmware_bridge.generate import library_sources
from vskd.firmware_bridge.link.messages import most_samples
from vskd.firmware_bridge.toolchain import build_program, run_program

ALL = 400


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if HOST.missing:
        pytest.skip(HOST.missing)
    pair = Pair.of(tmp_path_factory.mktemp("device"), sensor_contract())
    shutil.copy(Path(__file__).parent / "device_harness.c", pair.folder / "link")
    parts = [f"link/{path.name}" for path in sorted((pair.folder / "link").glob("*.c"))]
    return build_program(HOST, pair.folder, [*parts, *library_sources(pair.firmware)], pair.folder / "program")


@pytest.mark.parametrize("stalled", [0, 10, 43, 44, 100, 399, 400])
def test_samples_arrive_or_are_counted(program: Path, stalled: int) -> None:
    *batches, end, shown = [line.split() for line in run_program(program, b"", str(stalled)).decode().splitlines()]
    spans = [(int(first), int(first) + int(count)) for first, count in batches]
    missing = sum(start - stop for (_, stop), (start, _) in zip([(0, 0), *spans], [*spans, (ALL, ALL)], strict=True))
    assert end == ["end", str(ALL), str(missing)]
    # Half a message is on the line, a whole one waits; two samples more come while the acknowledgement travels.
    most = most_samples(3)
    assert missing == max(0, min(stalled + 2, ALL) - most // 2 - most)
    assert shown == ["shown", str(1 + (ALL - 16) // 5), "1"]
