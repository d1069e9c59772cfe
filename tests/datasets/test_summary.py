import json
from collections.abc import Callable
from pathlib import Path

from vskd.datasets.recording import Index, Problem, Recording, Stream
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


def test_streams_and_problems_are_sorted_and_all_rates_named(tmp_path: Path) -> None:
    def stream(name: str, rate: float, unit: str) -> Stream:
        return Stream(name, "sensor", tmp_path / "a", rate, unit, ("x",))

    recordings = (
        Recording("r1", "2", "1", 1, "2", {"z": stream("z", 50.0, "g"), "a": stream("a", 20.0, "lux")}),
        *(Recording("r2", "1", "1", 1, "1", {"z": stream("z", 31.0, unit)}) for unit in "uts"),
        Recording("r3", "1", "1", 1, "1", {"z": stream("z", 9.0, "mg")}),
    )
    problems = tuple(Problem(kind, "", "p", "d") for kind in ("unknown", "corrupt", "unknown"))
    summary = index_summary(Index("mine", tmp_path, ("sit", "walk"), recordings, problems))
    assert (summary["dataset"], summary["root"]) == ("mine", str(tmp_path))
    assert list(summary["streams"]) == ["a", "z"]
    assert summary["streams"]["z"] == {"recordings": 5, "rate_hz": [9.0, 31.0, 50.0], "unit": ["g", "mg", *"stu"]}
    assert list(summary["problem_counts"].items()) == [("corrupt", 1), ("unknown", 2)]
    assert summary["recordings_per_class"] == {"sit": 0, "walk": 5}
    assert len(summary["problems"]) == 3
