"""What the page knows: which sensors a phone can stand for."""

import pytest

from tests.firmware_bridge.bundles import make_bundle, sensor_contract
from vskd.bundle.stream.conditions import Condition
from vskd.firmware_bridge.generate import read_firmware
from vskd.firmware_bridge.page_contract import page_contract


@pytest.mark.parametrize(
    ("changes", "motion"),
    [
        ({}, {"factor": 1 / 9.80665, "axes": [0, 1, 2]}),
        ({"unit": "m/s^2", "axes": ("Z", "x", "y"), "range_limit": 80.0}, {"factor": 1.0, "axes": [2, 0, 1]}),
    ],
)
def test_a_phone_stands_for_an_accelerometer(tmp_path, changes, motion) -> None:
    contract = sensor_contract(**changes)
    firmware = read_firmware(make_bundle(tmp_path / "bundle", contract))
    assert firmware.plan is not None
    found = page_contract(firmware, firmware.plan)
    assert found["motion"]["axes"] == motion["axes"] and found["motion"]["factor"] == pytest.approx(motion["factor"])
    assert [status["name"] for status in found["statuses"]] == [condition.name for condition in Condition]


@pytest.mark.parametrize(
    "changes", [{"stream": "gyroscope", "unit": "deg/s"}, {"axes": ("x", "y")}, {"stream": "linear acceleration"}]
)
def test_a_phone_does_not_stand_for_others(tmp_path, changes) -> None:
    firmware = read_firmware(make_bundle(tmp_path / "bundle", sensor_contract(**changes)))
    assert firmware.plan is not None
    refused = page_contract(firmware, firmware.plan)["motion"]["refused"]
    assert refused.startswith("A phone's page gives acceleration along x, y and z; the model asks for")
