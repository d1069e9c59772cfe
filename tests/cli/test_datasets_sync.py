"""`vskd datasets sync`: what it writes, what it refuses, and what the page holds."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.cli.conftest import Answer
from vskd.datasets.sync.estimate import Measured
from vskd.datasets.sync.table import SyncRow, read_sync, write_sync
from vskd.preprocessing.sync.align import Alignment

Vskd = Callable[..., Answer]


@pytest.fixture
def world(synthetic_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Some recordings of the synthetic world; two of them are drawn."""
    monkeypatch.setattr("vskd.evaluation.report.sync_page.SHOWN", 2)
    root = tmp_path / "world"
    for path in sorted([*synthetic_root.rglob("a*_s[12]_*"), synthetic_root / "world.json"]):
        target = root / path.relative_to(synthetic_root)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    return root


def test_unclear_recordings_are_named_and_nothing_is_written(vskd: Vskd, world: Path, tmp_path: Path) -> None:
    answer = vskd("datasets", "sync", "synthetic", "--data", world, "--html", tmp_path / "page.html")
    assert answer.code == 1 and "have no clear peak" in answer.err and "a1_s" in answer.err
    assert not (world / "sync.csv").exists()
    page = (tmp_path / "page.html").read_text()
    assert page.count("data:image/png") == 3 and "not clear" in page


def test_medians_are_written_and_read_when_the_data_set_is_opened(vskd: Vskd, world: Path, tmp_path: Path) -> None:
    words = ("datasets", "sync", "synthetic", "--data", world, "--median", "all", "--png", tmp_path / "png")
    monitored = vskd(*words[:-2], "--dry-run", "--json")
    answer = vskd(*words)
    assert (monitored.code, answer.code) == (0, 0), monitored.err + answer.err
    assert json.loads(monitored.out)["written"] is None
    rows = read_sync(world / "sync.csv")
    assert len(rows) == 12 and {row.by[:9] for row in rows} == {"median of"} and abs(rows[0].offset_s) < 0.1
    assert len(list((tmp_path / "png").glob("a*.png"))) == 2
    index = json.loads(vskd("datasets", "index", "synthetic", "--data", world, "--json").out)
    assert index["recordings"] == 12
    again = vskd(*words[:-2], "--json")  # on what is uncut, not on what the first correction left
    assert json.loads(again.out)["rows"][0]["sensor_s"] == pytest.approx(rows[0].sensor_s, abs=1e-3)


def test_clear_recordings_alone_are_written_where_asked(vskd: Vskd, world: Path) -> None:
    answer = vskd("datasets", "sync", "synthetic", "--data", world, "--clear-only")
    assert answer.code == 0 and "no clear peak, not corrected: " in answer.out
    assert 1 <= len(read_sync(world / "sync.csv")) < 12


def row(recording: str, offset: float, sensor: str = "watch", drift: float = 0.0) -> SyncRow:
    return SyncRow(recording, sensor, "rgb", offset, drift, 5.0, 9.0, 9.0, "own")


@pytest.fixture
def library(record, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the command asks of the library, whose answers stand in `made`."""
    from vskd.datasets import catalog
    from vskd.datasets.sync import estimate
    from vskd.evaluation.report import sync_page

    found = [
        SimpleNamespace(recording=SimpleNamespace(id=name), alignment=Alignment(offset, 0.0, confidence, 0.9))
        for name, offset, confidence in (("a", 0.1, 9.0), ("b", -0.3, 0.5), ("c", 0.2, 9.0))
    ]
    measured = Measured("watch", "rgb", tuple(found), {"d": "d.mp4 is broken"}, ("e", "f"))  # type: ignore[arg-type]
    monkeypatch.setattr(catalog, "get_dataset", lambda name: SimpleNamespace(index=lambda root: (name, root)))
    monkeypatch.setattr(estimate, "uncut", lambda index: ("uncut", *index))
    seen: dict[str, Any] = {"chosen": []}
    monkeypatch.setattr(
        estimate, "chosen_stream", lambda *words: seen["chosen"].append(words) or f"the {words[1]} stream"
    )
    seen["measure"] = record(estimate, "measure", measured)
    seen["true_rate"] = record(estimate, "true_rate", None)
    seen["rows_of"] = record(estimate, "rows_of", (row("c", 0.2, drift=8.0), row("a", 0.1, drift=2.0)))
    seen["plots"] = record(sync_page, "sync_plots", {"a": b"png"})
    seen["page"] = record(sync_page, "write_sync_page", None)
    seen["png"] = record(sync_page, "write_plots", None)
    return seen


def test_every_option_reaches_the_library(vskd: Vskd, library: dict[str, Any], tmp_path: Path) -> None:
    words = ("--sensor", "s", "--video", "v", "--video-rate", 19.5, "--max-offset", 3, "--median", "subject")
    more = ("--clear-only", "--dry-run", "--html", tmp_path / "p.html", "--png", tmp_path / "png")
    assert vskd("datasets", "sync", "x", "--data", tmp_path, *words, *more).code == 0
    index = ("uncut", "x", tmp_path)
    assert library["chosen"] == [(index, "sensor", "s"), (index, "video", "v")]
    (asked,) = library["measure"]
    assert asked == {
        "index": index, "sensor": "the sensor stream", "video": "the video stream", "max_offset_s": 3.0,
        "video_rate_hz": 19.5,
    }  # fmt: skip
    assert library["true_rate"] == []  # nobody is told what is known better
    (lines,) = library["rows_of"]
    assert (lines["median"], lines["clear_only"]) == ("subject", True)
    assert library["page"][0]["path"] == tmp_path / "p.html" and library["png"][0]["folder"] == tmp_path / "png"
    assert library["png"][0]["plots"] == library["page"][0]["plots"] == {"a": b"png"}
    assert not (tmp_path / "sync.csv").exists()


def test_lines_of_other_sensors_stay_and_all_are_in_order(vskd: Vskd, library: dict[str, Any], tmp_path: Path) -> None:
    write_sync(tmp_path / "sync.csv", [row("b", 1.0, "belt"), row("a", 2.0, "belt"), row("z", 3.0)])
    answer = vskd("datasets", "sync", "x", "--data", tmp_path)
    assert [(r.recording, r.sensor, r.offset_s) for r in read_sync(tmp_path / "sync.csv")] == [
        *(("a", "belt", 2.0), ("a", "watch", 0.1), ("b", "belt", 1.0), ("c", "watch", 0.2)),
    ]
    assert library["plots"] == library["page"] == library["png"] == []  # nobody asked for pictures
    assert library["measure"][0]["max_offset_s"] == 10.0 and library["measure"][0]["video_rate_hz"] is None
    assert len(library["true_rate"]) == 1 and library["rows_of"][0]["clear_only"] is False
    assert [re.split(r"  +", line) for line in answer.out.splitlines()] == [
        ["streams", "watch and rgb"],
        ["recordings", "3, 2 with a clear peak"],
        ["offset", "+0.150 s (+0.110 to +0.190 s hold eight of ten)"],
        ["drift", "+5.0 ppm"],
        ["lines", "2"],
        ["without a partner", "2"],
        ["unreadable", "1"],
        ["written", str(tmp_path / "sync.csv")],
        ["note: d: d.mp4 is broken"],
        ["note: no clear peak, not corrected: b"],
    ]


def test_for_programs_everything_that_was_found(vskd: Vskd, library: dict[str, Any], tmp_path: Path) -> None:
    content = json.loads(vskd("datasets", "sync", "x", "--data", tmp_path, "--json").out)
    assert content["written"] == str(tmp_path / "sync.csv") and [r["recording"] for r in content["rows"]] == ["c", "a"]
    assert list(content["found"]) == ["a", "b", "c"] and content["found"]["b"]["offset_s"] == -0.3
    assert (content["unclear"], content["unpaired"], content["unreadable"]) == (
        ["b"], ["e", "f"], {"d": "d.mp4 is broken"}
    )  # fmt: skip


def test_another_rate_than_the_files_say_is_refused_and_drawn(
    vskd: Vskd, library: dict[str, Any], record, tmp_path: Path
) -> None:
    from vskd.datasets.sync import estimate

    record(estimate, "true_rate", 19.62)
    answer = vskd("datasets", "sync", "x", "--data", tmp_path, "--html", tmp_path / "p.html")
    assert answer.code == 1 and "by the lengths of 3 recordings, the video stream has about 19.6 frames" in answer.err
    assert "Pass --video-rate 19.6" in answer.err and library["rows_of"] == []
    assert library["page"][0]["rows"] == () and not (tmp_path / "sync.csv").exists()
    facts = library["page"][0]["facts"]  # of what was found, as nothing was decided
    assert facts["offset"].startswith("+0.100 s (-0.220 to +0.180 s") and facts["drift"] == "+0.0 ppm"


def test_offset_and_drift_are_in_the_middle_of_what_is_written(
    vskd: Vskd, library: dict[str, Any], record, tmp_path: Path
) -> None:
    """Medians, which one recording that is far out does not move."""
    from vskd.datasets.sync import estimate

    record(estimate, "rows_of", (row("c", 0.2, drift=9.0), row("a", 5.0, drift=-1.0), row("b", 0.1, drift=1.0)))
    lines = vskd("datasets", "sync", "x", "--data", tmp_path, "--dry-run").out.splitlines()
    assert [re.split(r"  +", line) for line in lines if line.startswith(("offset", "drift", "written"))] == [
        ["offset", "+0.200 s (+0.120 to +4.040 s hold eight of ten)"],
        ["drift", "+1.0 ppm"],
        ["written", "nothing (--dry-run)"],
    ]
