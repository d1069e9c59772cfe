"""Nothing can be measured."""

from pathlib import Path

from tests.datasets.doctor.ward import only, ward


def test_a_protocol_that_does_not_fit(tmp_path: Path) -> None:
    found = only(ward(tmp_path), "protocol", protocol_problem="Protocol official has no test part")
    assert found.what == "Protocol official has no test part" and found.share == 1 and found.untrustworthy
