"""Settings of a stream: what holds where nothing is said, and what is refused."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from vskd.bundle.stream.stream_settings import DecisionSettings, DeviceSettings, StreamSettings, read_stream_settings
from vskd.errors import SettingError


def write(folder: Path, text: str) -> Path:
    path = folder / "stream.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_what_holds_where_nothing_is_said(tmp_path: Path) -> None:
    for settings in (StreamSettings(), read_stream_settings(write(tmp_path, ""))):
        assert settings.model_dump() == {
            "device": {
                "rate_hz": None,
                "unit_factor": 1.0,
                "axes": None,
                "signs": None,
                "rest": None,
                "gap_periods": 5.0,
                "max_saturated": 0.05,
            },
            "decision": {"smoothing": "none", "votes": 1, "hold": 0, "min_log_odds": 0.0},
            "samples": None,
            "stride": None,
        }


def test_a_file_is_read(tmp_path: Path) -> None:
    text = """
device:
  {rate_hz: 104, unit_factor: -0.5, axes: [2, 0, 1], signs: [1, -1, 1], rest: [0, 0, 1], gap_periods: 2,
   max_saturated: 1}
decision: {smoothing: hysteresis, votes: 31, hold: 4, min_log_odds: 0.5}
samples: 60
stride: 1
"""
    assert read_stream_settings(write(tmp_path, text)) == StreamSettings(
        device=DeviceSettings(
            rate_hz=104.0,
            unit_factor=-0.5,
            axes=(2, 0, 1),
            signs=(1, -1, 1),
            rest=(0.0, 0.0, 1.0),
            gap_periods=2.0,
            max_saturated=1.0,
        ),
        decision=DecisionSettings(smoothing="hysteresis", votes=31, hold=4, min_log_odds=0.5),
        samples=60,
        stride=1,
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("device: {unit_factor: 0}", "unit_factor is 0"),
        ("device: {rate_hz: 0}", "device.rate_hz"),
        ("device: {axes: [0, -1, 2]}", r"device\.axes"),
        ("device: {signs: [1, 2, 1]}", r"device\.signs"),
        ("device: {gap_periods: 0}", "device.gap_periods"),
        ("device: {max_saturated: 1.5}", "device.max_saturated"),
        ("decision: {votes: 32}", "decision.votes"),
        ("decision: {votes: 0}", "decision.votes"),
        ("decision: {hold: -1}", "decision.hold"),
        ("decision: {min_log_odds: -0.1}", "decision.min_log_odds"),
        ("decision: {smoothing: mean}", "decision.smoothing"),
        ("samples: 0", "samples"),
        ("stride: 0", "stride"),
        ("strid: 5", "strid"),
        ("[1, 2]", "stream.yaml"),
        ("device: {rate_hz: [", "stream.yaml"),
    ],
)
def test_what_does_not_fit_is_named_with_the_file(tmp_path: Path, text: str, problem: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(SettingError, match=problem) as caught:
        read_stream_settings(path)
    assert str(path) in caught.value.problem
    assert caught.value.action == "Correct the file"


def test_every_problem_is_named_up_to_eight(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"device\.rate_hz.*decision\.votes.*stride"):
        read_stream_settings(write(tmp_path, "device: {rate_hz: 0}\ndecision: {votes: 0}\nstride: 0"))
    nine = "\n".join(f"unknown_{n}: 1" for n in range(9))
    with pytest.raises(SettingError, match=r"unknown_7.*1 more"):
        read_stream_settings(write(tmp_path, nine))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"absent\.yaml"):
        read_stream_settings(tmp_path / "absent.yaml")


def test_a_factor_of_zero_is_refused_in_python_too() -> None:
    with pytest.raises(ValidationError, match=r"device\.unit_factor is 0"):
        StreamSettings(device=DeviceSettings(unit_factor=0.0))
