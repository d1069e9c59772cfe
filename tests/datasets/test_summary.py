import json
from collections.abc import Callable
from pathlib import Path

from vskd.datasets.sensors.utd_mhad import index
from vskd.datasets.summary import index_summary


def test_summary_counts_and_names(make_utd: Callable[..., Path]) -> None:
    root = make_utd("a1_s1_t1", "a1_s2_t1", "a2_s1_t1")
    (root / "Inertial" / "a1_s1_t1_inertial.mat").write_bytes(b"")
    summary = index_summary(index(root))
    assert json.loads(json.dumps(summary)) == summary
    assert (summary["recordings"], summary["subjects"], summary["classes"]) == (3, ["1", "2"], 27)
    assert summary["recordings_per_class"]["swipe left"] == 2
    assert summary["recordings_per_subject"] == {"1": 2, "2": 1}
    assert summary["streams"]["accelerometer"] == {"recordings": 2, "rate_hz": [50.0], "unit": ["g"]}
    assert summary["streams"]["depth"]["recordings"] == 3
    assert summary["problem_counts"] == {"corrupt": 1, "missing": 861}
    corrupt = [p for p in summary["problems"] if p["kind"] == "corrupt"]
    assert [p["recording"] for p in corrupt] == ["a1_s1_t1"]
    assert corrupt[0]["path"].endswith("a1_s1_t1_inertial.mat")
