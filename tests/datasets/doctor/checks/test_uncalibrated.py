"""Half a g at rest, and known."""

from pathlib import Path

from tests.datasets.doctor.gathered import said
from tests.datasets.doctor.ward import only, ward


def test_a_sensor_that_is_known_not_to_be_calibrated(tmp_path: Path) -> None:
    found = only(ward(tmp_path, lambda _, values: values * 0.5, calibrated=False), "uncalibrated")
    assert found.share == 1 and found.weight == 0.2 and not found.untrustworthy


def test_a_calibrated_sensor_is_spoken_of_elsewhere() -> None:
    assert said("uncalibrated", rest=2.0, calibrated=False) == said("uncalibrated", gravity="no 1 g") == ""
    assert said("uncalibrated", gravity="no 1 g", calibrated=False) == "no 1 g"
