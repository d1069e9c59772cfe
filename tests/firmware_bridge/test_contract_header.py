"""vskd_contract.h: every constant of C has the number that bundle and plan say."""

import re
from pathlib import Path

import numpy as np
import pytest

from tests.firmware_bridge.bundles import LABELS, encoded, make_bundle, sensor_contract
from vskd import __version__
from vskd.bundle.bundle import Bundle
from vskd.bundle.contract import ImageContract, SensorContract
from vskd.bundle.stream.stream_plan import plan_stream
from vskd.bundle.stream.stream_settings import StreamSettings
from vskd.firmware_bridge.contract_header import c_double, c_string, image_header, stream_header

WHOLE = {"window_mode": "whole", "stride": None, "window_rate_hz": None}
IDENTITY = {"VERSION", "BUNDLE_SHA256", "MODEL_SHA256", "RECIPE", "DATASET", "LABELS"}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return make_bundle(tmp_path_factory.mktemp("header") / "bundle", sensor_contract())


def defined(text: str) -> dict[str, str]:
    return dict(re.findall(r"#define VSKD_(\w+) (.*)\n", text))


def header(bundle: Bundle, contract: SensorContract | None = None, **settings: object) -> dict[str, str]:
    plan = plan_stream(contract or sensor_contract(), StreamSettings.model_validate(settings), 0.1)
    return defined(stream_header(bundle, plan))


def numbers(braces: str) -> list[float]:
    return [float.fromhex(v) if "0x" in v else float(v.rstrip("f")) for v in braces.strip("{}").split(", ")]


def single(constant: str) -> float:
    """A float32 constant."""
    assert constant.endswith("f")
    return float.fromhex(constant[:-1])


def test_what_it_was_made_from(bundle: Bundle) -> None:
    values = header(bundle)
    assert values["VERSION"] == f'"{__version__}"'
    assert values["BUNDLE_SHA256"] == f'"{bundle.digest}"'
    assert values["MODEL_SHA256"] == f'"{bundle.manifest.files["model.tflite"]}"'
    assert (values["RECIPE"], values["DATASET"]) == ('"hand-made"', '"none"')
    assert values["LABELS"] == "{" + ", ".join(c_string(label) for label in LABELS) + "}"


def test_a_sensor_as_the_contract_has_it(bundle: Bundle) -> None:
    values = header(bundle)
    assert (values["STREAM"], values["PLACEMENT"], values["UNIT"]) == ('"accelerometer"', '"right wrist"', '"g"')
    assert (values["AXIS_NAMES"], values["AXES"], values["DEVICE_AXES"]) == ('{"x", "y", "z"}', "3", "3")
    assert (values["AXIS_OF"], values["SIGN_OF"]) == ("{0, 1, 2}", "{1.0f, 1.0f, 1.0f}")
    assert single(values["DEVICE_RATE_HZ"]) == 50.0
    assert (single(values["UNIT_FACTOR"]), single(values["RANGE_LIMIT"])) == (1.0, 8.0)
    assert (values["MAX_SATURATED"], values["MAX_GAP_US"]) == ("0", "100000u")
    assert (values["MIN_ELAPSED_US"], values["MAX_ELAPSED_US"]) == ("291263u", "309278u")
    assert (values["HAS_GRAVITY"], values["HAS_REST"]) == ("1", "0")
    assert float.fromhex(values["GRAVITY"]) == 1.0
    assert single(values["STILL"]) == float(np.float32(0.1))
    assert numbers(values["REST"]) == [0.0, 0.0, 0.0]


def test_a_device_of_its_own(bundle: Bundle) -> None:
    device = {
        "axes": (3, 0, 1),
        "signs": (1, -1, 1),
        "unit_factor": 0.1,
        "rest": (0, 0.5, -1),
        "rate_hz": 100.0,
        "max_saturated": 0.1,
    }
    values = header(bundle, sensor_contract(unit="m/s^2", range_limit=78.4), device=device)
    assert (values["AXIS_OF"], values["SIGN_OF"], values["DEVICE_AXES"]) == ("{3, 0, 1}", "{1.0f, -1.0f, 1.0f}", "4")
    assert single(values["DEVICE_RATE_HZ"]) == 100.0
    assert single(values["UNIT_FACTOR"]) == float(np.float32(0.1))
    assert single(values["RANGE_LIMIT"]) == float(np.float32(78.4))
    assert (values["MAX_SATURATED"], values["HAS_REST"]) == ("3", "1")
    assert float.fromhex(values["GRAVITY"]) == 9.80665
    assert single(values["STILL"]) == float(np.float32(0.980665))
    assert numbers(values["REST"]) == [0.0, 0.5, -1.0]


def test_without_gravity(bundle: Bundle) -> None:
    values = header(bundle, sensor_contract(unit="deg/s"))
    assert (values["HAS_GRAVITY"], values["HAS_REST"]) == ("0", "0")
    assert (float.fromhex(values["GRAVITY"]), single(values["STILL"])) == (1.0, 0.0)


def test_the_window(bundle: Bundle) -> None:
    values = header(bundle)
    names = ("UP", "DOWN", "HALF", "SPAN", "LENGTH", "STRIDE", "CHECKED", "RING")
    assert [int(values[name]) for name in names] == [1, 1, 0, 16, 16, 5, 16, 17]
    assert float.fromhex(values["STEP"]) == 0.0
    assert "TAPS" not in values


def test_a_window_that_is_resampled(bundle: Bundle) -> None:
    values = header(bundle, sensor_contract(**WHOLE), samples=30, stride=9, device={"rate_hz": 100.0})
    names = ("UP", "DOWN", "HALF", "SPAN", "LENGTH", "STRIDE", "CHECKED", "RING")
    assert [int(values[name]) for name in names] == [1, 2, 20, 30, 16, 9, 59, 100]
    assert float.fromhex(values["STEP"]) == 29 / 15
    taps = numbers(values["TAPS"])
    assert len(taps) == 41 and sum(taps) == pytest.approx(1.0) and taps == taps[::-1]


def test_encodings(bundle: Bundle) -> None:
    raw = header(bundle)
    assert (raw["ENCODING"], raw["FIXED_SCALING"], raw["SIDE"]) == ("VSKD_ENCODING_RAW", "1", "16")
    assert (float.fromhex(raw["LIMIT"]), float.fromhex(raw["SMALLEST_SQUARE"])) == (4.0, 1e-14)
    assert "BOUNDS" not in raw
    for method, kind in (("gasf", "GASF"), ("gadf", "GADF"), ("gasf+gadf", "BOTH")):
        values = header(bundle, sensor_contract(**encoded(method, "minmax", 6)))
        assert (values["ENCODING"], values["FIXED_SCALING"]) == (f"VSKD_ENCODING_{kind}", "0")
        assert (values["SIDE"], values["BOUNDS"]) == ("6", "{0, 2, 5, 8, 10, 13, 16}")
    inside = header(bundle, sensor_contract(**encoded("gasf"), encoding_inside=True))
    assert (inside["ENCODING"], inside["SIDE"]) == ("VSKD_ENCODING_WINDOW", "1")
    assert "BOUNDS" not in inside


def test_the_decision(bundle: Bundle) -> None:
    plain = header(bundle)
    names = ("SMOOTHING", "VOTES", "HOLD", "MIN_MARGIN")
    assert [plain[name] for name in names] == ["VSKD_SMOOTHING_NONE", "1", "0", "0"]
    chosen = header(bundle, decision={"smoothing": "majority", "votes": 5, "hold": 2, "min_log_odds": 0.7})
    assert [chosen[name] for name in names] == ["VSKD_SMOOTHING_MAJORITY", "5", "2", "7"]


def test_names_have_numbers_and_the_header_is_read_once(bundle: Bundle) -> None:
    text = stream_header(bundle, plan_stream(sensor_contract(), StreamSettings(), 0.1))
    values = defined(text)
    kinds = ("WINDOW", "RAW", "GASF", "GADF", "BOTH")
    assert [values[f"ENCODING_{kind}"] for kind in kinds] == ["0", "1", "2", "3", "4"]
    assert [values[f"SMOOTHING_{kind}"] for kind in ("NONE", "MAJORITY", "HYSTERESIS")] == ["0", "1", "2"]
    assert re.search(r"#ifndef VSKD_CONTRACT_H\n#define VSKD_CONTRACT_H\n.*\n#endif\n$", text, re.DOTALL)


def test_images(tmp_path: Path) -> None:
    contract = ImageContract(stream="image", size=9, channels=3, crop="full")
    values = defined(image_header(make_bundle(tmp_path / "b", contract), contract, [3, -128, 127]))
    assert (values["IMAGE_SIZE"], values["IMAGE_CHANNELS"], values["PIXELS"]) == ("9", "3", "{3, -128, 127}")
    assert set(values) == IDENTITY | {"IMAGE_SIZE", "IMAGE_CHANNELS", "PIXELS"}


@pytest.mark.parametrize(
    ("text", "constant"),
    [
        ("rest", '"rest"'),
        ("a~ b", '"a~ b"'),
        ('"', '"\\""'),
        ("\\", '"\\\\"'),
        ("?", '"\\?"'),
        ("ß", '"\\303\\237"'),
        ("\x7f", '"\\177"'),
        ("\n", '"\\012"'),
        ("\x1f!", '"\\037!"'),
        ("", '""'),
    ],
)
def test_strings(text: str, constant: str) -> None:
    assert c_string(text) == constant


def test_doubles_are_exact() -> None:
    assert [float.fromhex(c_double(v)) for v in (0.1, -1e-300, 9.80665, 0)] == [0.1, -1e-300, 9.80665, 0.0]
