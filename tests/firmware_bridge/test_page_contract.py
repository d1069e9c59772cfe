"""What the page knows: which sensors a phone can stand for."""

import pytest

from tests.firmware_bridge.bundles import encoded, make_bundle, sensor_contract
from vskd import __version__
from vskd.bundle.probabilities import powers
from vskd.bundle.stream.conditions import Condition
from vskd.firmware_bridge.generate import read_firmware
from vskd.firmware_bridge.page_contract import page_contract
from vskd.preprocessing.sensor.column_names import vocabulary
from vskd.preprocessing.sensor.units import spellings


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


def test_everything_else_is_the_bundles_own(tmp_path) -> None:
    contract = sensor_contract(rate_hz=40.0, window_rate_hz=20.0)
    firmware = read_firmware(make_bundle(tmp_path / "bundle", contract))
    assert firmware.plan is not None
    found, plan, graph = page_contract(firmware, firmware.plan), firmware.plan, firmware.graph
    manifest = firmware.bundle.manifest.provenance
    assert (found["version"], found["bundle"]) == (__version__, firmware.bundle.digest)
    assert (found["recipe"], found["dataset"], found["labels"]) == ("hand-made", "none", list(manifest.labels))
    assert (found["stream"], found["placement"], found["unit"]) == ("accelerometer", "right wrist", "g")
    assert (found["axes"], found["range_limit"], found["length"]) == (["x", "y", "z"], 8.0, 16)
    assert found["input"] == {"scale": graph.input.scale, "zero_point": graph.input.zero_point}
    assert found["output_scale"] == graph.output.scale and found["powers"] == list(powers(graph.output.scale))
    device = found["device"]
    assert device["rate_hz"] == pytest.approx(1e6 / plan.period_us) and device["window_rate_hz"] == pytest.approx(20)
    assert (device["axes"], device["signs"], device["factor"]) == (list(plan.axes), list(plan.signs), plan.factor)
    assert (device["checked"], device["delay"], device["gap_us"]) == (plan.checked, plan.delay, plan.gap)
    assert found["statuses"][1] == {"name": list(Condition)[1].name, "meaning": list(Condition)[1].meaning}


@pytest.mark.parametrize(
    ("changes", "images"),
    [
        ({}, []),
        (encoded("gasf"), ["gasf"]),
        (encoded("gasf+gadf"), ["gasf", "gadf"]),
    ],
)
def test_the_page_draws_the_fields_that_the_model_sees(tmp_path, changes, images) -> None:
    firmware = read_firmware(make_bundle(tmp_path / "bundle", sensor_contract(**changes)))
    assert firmware.plan is not None
    assert page_contract(firmware, firmware.plan)["encoding"] == {"images": images, "side": 8}


def test_a_unit_that_no_acceleration_has_is_refused_by_itself(tmp_path) -> None:
    firmware = read_firmware(make_bundle(tmp_path / "bundle", sensor_contract(unit="deg/s")))
    assert firmware.plan is not None
    refused = page_contract(firmware, firmware.plan)["motion"]["refused"]
    assert refused.endswith("the model asks for accelerometer (x, y, z) in deg/s.")


def test_a_model_that_encodes_itself_is_drawn_no_field(tmp_path) -> None:
    firmware = read_firmware(make_bundle(tmp_path / "b", sensor_contract(**encoded("gasf"), encoding_inside=True)))
    assert firmware.plan is not None
    assert page_contract(firmware, firmware.plan)["encoding"] == {"images": [], "side": 8}


def test_the_words_of_units_are_those_of_python(tmp_path) -> None:
    firmware = read_firmware(make_bundle(tmp_path / "bundle", sensor_contract()))
    assert firmware.plan is not None
    found = page_contract(firmware, firmware.plan)
    assert found["words"] == vocabulary() and set(found["units"]) == set(spellings())
    for text, unit in spellings().items():
        assert found["units"][text] == [unit.name, unit.quantity, unit.factor]
