"""`vskd predict --stream`: a line per decision."""

import json
from itertools import groupby
from pathlib import Path

import numpy as np
import pytest

from tests.firmware_bridge.bundles import make_bundle, movement, sensor_contract
from vskd.preprocessing.sensor.resampling import plan_resampling


@pytest.fixture
def streaming(tmp_path: Path) -> tuple[Path, Path]:
    """A bundle of sliding windows, and four seconds with a NaN."""
    samples = movement(200, np.random.default_rng(0))
    samples[150, 0] = np.nan
    np.savetxt(tmp_path / "long.csv", samples, delimiter=",")
    return make_bundle(tmp_path / "real", sensor_contract()).path, tmp_path / "long.csv"


def test_a_stream_prints_a_line_per_window(vskd, streaming: tuple[Path, Path]):
    answer = vskd("predict", *streaming, "--stream")
    lines = answer.out.splitlines()
    assert answer.code == 0 and lines[0].split()[0] == "0.32"
    assert sum("NOT_FINITE: a sample is not a finite number" in line for line in lines) == 1
    assert len(lines) == (150 - 16) // 5 + 1 + 1 + (49 - 16) // 5 + 1


def test_a_stream_as_json_is_an_object_per_line(vskd, streaming: tuple[Path, Path], tmp_path: Path):
    (tmp_path / "s.yaml").write_text("decision: {min_log_odds: 1000}\n")
    answer = vskd("predict", *streaming, "--stream", "--stream-settings", tmp_path / "s.yaml", "--json")
    events = [json.loads(line) for line in answer.out.splitlines()]
    assert {event["label"] for event in events} == {None}
    assert {event["status"] for event in events} == {"OK", "NOT_FINITE"}


@pytest.mark.parametrize("rate", [100.0, 104.0, 20.0])
def test_a_stream_at_another_rate_gives_the_labels_of_the_timeline(vskd, tmp_path: Path, rate: float) -> None:
    """All of them, once the last sample is held for the delay."""
    contract = sensor_contract(rate_hz=rate, length=48, calibrated=False, max_samples=10**9)
    bundle = make_bundle(tmp_path / "real", contract).path
    samples = movement(400, np.random.default_rng(1))
    held = np.repeat(samples[-1:], plan_resampling(rate, 50.0).delay, axis=0)
    for name, rows in (("long", samples), ("held", np.concatenate([samples, held]))):
        np.savetxt(
            tmp_path / f"{name}.csv", rows, delimiter=",", comments="", header=f"# rate_hz: {rate}\n# unit: g\nx,y,z"
        )
    timeline = json.loads(vskd("predict", bundle, tmp_path / "long.csv", "--json").out)
    lines = vskd("predict", bundle, tmp_path / "held.csv", "--stream", "--json").out.splitlines()
    events = [json.loads(line) for line in lines]
    assert len(events) == timeline["windows"]
    assert [label for label, _ in groupby(e["label"] for e in events)] == [s["label"] for s in timeline["timeline"]]
    assert len(timeline["timeline"]) > 2


def test_decisions_of_a_stream_line_by_line(vskd, monkeypatch: pytest.MonkeyPatch, bundle: Path) -> None:
    from types import SimpleNamespace

    from vskd.bundle.stream.conditions import Condition

    events = [
        SimpleNamespace(time_s=0.326, status=Condition.OK, label="run", confidence=0.8754, log_odds=1.5),
        SimpleNamespace(time_s=1.0, status=Condition.OK, label="", confidence=0.5, log_odds=0.25),
        SimpleNamespace(time_s=2.0, status=Condition.GAP, label="", confidence=0.0, log_odds=0.0),
    ]
    seen: list[object] = []
    monkeypatch.setattr("vskd.bundle.bundle.load_bundle", lambda path: f"opened {path}")
    monkeypatch.setattr("vskd.firmware_bridge.stream_file.stream_file", lambda *words: seen.append(words) or events)
    assert vskd("predict", bundle, "r.csv", "--stream").out.splitlines() == [
        "      0.33  run  0.875",
        "      1.00  unknown  0.500",
        f"      2.00  GAP: {Condition.GAP.meaning}",
    ]
    assert seen == [(f"opened {bundle}", Path("r.csv"), None)]
    lines = vskd("predict", bundle, "r.csv", "--stream", "--json").out.splitlines()
    assert [json.loads(line) for line in lines] == [
        {"time_s": 0.326, "status": "OK", "label": "run", "confidence": 0.8754, "log_odds": 1.5},
        {"time_s": 1.0, "status": "OK", "label": None, "confidence": 0.5, "log_odds": 0.25},
        {"time_s": 2.0, "status": "GAP", "label": None, "confidence": 0.0, "log_odds": 0.0},
    ]
