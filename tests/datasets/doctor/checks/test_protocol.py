"""Nothing can be measured."""

from pathlib import Path

from tests.datasets.doctor.gathered import found, indexed, surveyed
from tests.datasets.doctor.ward import only, ward


def test_a_protocol_that_does_not_fit(tmp_path: Path) -> None:
    found = only(ward(tmp_path), "protocol", protocol_problem="Protocol official has no test part")
    assert found.what == "Protocol official has no test part" and found.share == 1 and found.untrustworthy


def test_a_protocol_that_fits_is_not_spoken_of() -> None:
    seen = surveyed(indexed({"1": [0, 1], "2": [0]}))
    assert found("protocol", seen) == []
    (one,) = found("protocol", surveyed(seen.index, protocol_problem="it has no test part"))
    assert one.recordings == ("s1-0", "s1-1", "s2-0") and one.weight == 0.9
