"""`vskd predict` with a model of sliding windows: its options, and what is printed, written and drawn."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.firmware_bridge.bundles import make_bundle, movement, sensor_contract
from vskd.bundle.file_reading import FileReading


@pytest.fixture
def sliding_bundle(tmp_path: Path) -> Path:
    contract = sensor_contract(window_mode="sliding", window_rate_hz=50.0, stride=16, max_samples=10**9)
    return make_bundle(tmp_path / "sliding", contract).path


@pytest.fixture
def long_file(tmp_path: Path) -> Path:
    samples = movement(600, np.random.default_rng(0))
    rows = [f"{20 * n},{x:.5f},{y:.5f},{z:.5f}" for n, (x, y, z) in enumerate(samples)]
    path = tmp_path / "long.csv"
    path.write_text("time_ms,x (g),y (g),z (g)\n" + "\n".join(rows), encoding="utf-8")
    return path


def test_a_model_of_sliding_windows_gives_a_timeline(
    vskd, sliding_bundle: Path, long_file: Path, tmp_path: Path
) -> None:
    flags = ("--out", tmp_path / "t.csv", "--plot", tmp_path / "t.png", "--smoothing", "median", "--min-seconds", "1")
    answer = vskd("predict", sliding_bundle, long_file, *flags)
    assert answer.code == 0, answer.err
    assert answer.out.startswith("start s") and "confidence" in answer.out and "windows" in answer.out
    lines = (tmp_path / "t.csv").read_text().splitlines()
    assert lines[0] == "start_s,end_s,label,confidence" and lines[1].startswith("0.0,")
    assert (tmp_path / "t.png").read_bytes().startswith(b"\x89PNG")
    content = json.loads(vskd("predict", sliding_bundle, long_file, "--json").out)
    assert content["timeline"][0]["start_s"] == 0 and content["windows"] == (600 - sensor_contract().length) // 16 + 1
    assert content["understood"]["rate"].startswith("50 Hz") and content["unknown_below"] == 0


@pytest.mark.parametrize("option", ["--out", "--plot"])
def test_the_recording_itself_is_not_written_over(vskd, sliding_bundle: Path, long_file: Path, option: str) -> None:
    before = long_file.read_bytes()
    answer = vskd("predict", sliding_bundle, long_file, option, long_file.parent / "." / long_file.name)
    assert answer.code == 2 and f"{option} names {long_file} itself" in answer.err
    assert long_file.read_bytes() == before


def test_options_of_a_timeline_that_do_nothing_are_refused(
    vskd, sliding_bundle: Path, long_file: Path, bundle: Path
) -> None:
    answer = vskd("predict", sliding_bundle, long_file, "--votes", 3)
    assert answer.code == 2 and "--votes does nothing without --smoothing" in answer.err
    for words, said in (
        (("--smoothing", "hmm", "--mean-seconds", 9, "--votes", 3), "--votes does nothing without --smoothing median"),
        (("--smoothing", "hmm"), "--smoothing hmm needs --mean-seconds"),
        (("--mean-seconds", 9), "--mean-seconds does nothing without --smoothing hmm"),
    ):
        answer = vskd("predict", sliding_bundle, long_file, *words)
        assert answer.code == 2 and said in answer.err
    for words in (("--min-seconds", 2), ("--out", "x.csv"), ("--unknown-below", 0)):
        answer = vskd("predict", bundle, long_file, *words)
        assert answer.code == 2 and f"{words[0]} does nothing" in answer.err
    answer = vskd("predict", sliding_bundle, long_file, "--stream", "--smoothing", "median")
    assert answer.code == 2 and "--smoothing does not fit --stream" in answer.err


@pytest.fixture
def timeline(record, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, object]]:
    """What the library is asked for; every model sees windows, and answers the same."""
    import vskd.bundle.predict as library
    from vskd.bundle import predict_timeline
    from vskd.bundle.timeline import Segment

    monkeypatch.setattr(library, "sees_windows", lambda _: True)
    segments = (Segment(-0.0004, 2.5, 1, 0.75), Segment(2.5, 4.0, -1, 0.5))
    answer = predict_timeline.TimelinePrediction(
        segments,
        np.zeros((7, 2)),
        np.zeros((7, 2), np.float32),
        ("sit", "run"),
        1.256,
        0.25,
        ("assumed",),
        (("u", "g"),),
        channels=("u", "v"),
        unit="g",
    )
    return record(predict_timeline, "predict_timeline", answer)


def test_every_setting_of_a_timeline_reaches_the_library(vskd, timeline, bundle: Path, tmp_path: Path) -> None:
    from vskd.bundle.predict_timeline import TimelineSettings

    words = ("--rate", 25, "--unit", "g", "--columns", "2,0,1", "--time", 3, "--variable", "d", "--min-seconds", 2)
    more = ("--smoothing", "majority", "--votes", 7, "--unknown-below", 0.25)
    assert vskd("predict", bundle, tmp_path / "r.csv", *words, *more).code == 0
    asked = timeline[0]
    expected = TimelineSettings(smoothing="majority", votes=7, min_seconds=2.0, unknown_below=0.25)
    assert expected in asked.values() and {bundle, tmp_path / "r.csv"} <= {
        v for v in asked.values() if isinstance(v, Path)
    }
    assert asked["reading"] == FileReading(25.0, "g", (2, 0, 1), 3, "d")
    assert vskd("predict", bundle, "r.csv", "--smoothing", "hmm", "--mean-seconds", 9).code == 0
    assert TimelineSettings(smoothing="hmm", mean_seconds=9.0) in timeline[1].values()
    assert vskd("predict", bundle, "r.csv", "--smoothing", "hysteresis", "--votes", 3).code == 0
    assert vskd("predict", bundle, "r.csv").code == 0 and TimelineSettings() in timeline[3].values()


def test_a_timeline_is_printed_with_what_was_understood(vskd, timeline, bundle: Path) -> None:
    answer = vskd("predict", bundle, "r.csv")
    assert [line.split() for line in answer.out.splitlines()] == [
        ["start", "s", "end", "s", "label", "confidence"],
        ["0.00", "2.50", "run", "0.750"],
        ["2.50", "4.00", "unknown", "0.500"],
        [],
        ["windows", "7"],
        ["latency", "1.26", "ms"],
        ["unknown", "below", "0.250"],
        ["u", "g"],
    ]
    assert answer.err == "note: assumed\n"
    content = json.loads(vskd("predict", bundle, "r.csv", "--json").out)
    assert content == {
        "timeline": [
            {"start_s": 0.0, "end_s": 2.5, "label": "run", "confidence": 0.75},
            {"start_s": 2.5, "end_s": 4.0, "label": "unknown", "confidence": 0.5},
        ],
        "windows": 7,
        "latency_ms": 1.256,
        "unknown_below": 0.25,
        "notes": ["assumed"],
        "understood": {"u": "g"},
    }


def test_a_plot_shows_the_answers_under_the_signal(
    vskd, timeline, bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[tuple[object, ...]] = []
    monkeypatch.setattr(
        "vskd.modalities.timeline_figure.timeline_figure", lambda *a, **named: drawn.append((*a, named)) or b"png"
    )
    assert vskd("predict", bundle, "r.csv", "--plot", tmp_path / "t.png").code == 0
    assert (tmp_path / "t.png").read_bytes() == b"png" and not (tmp_path / "t.csv").exists()
    said = {"channels": ("u", "v"), "unit": "g"}
    assert drawn[0][2:] == ({"answers": [(-0.0004, 2.5, 1), (2.5, 4.0, -1)]}, ("sit", "run"), said)


SMOOTHINGS = ("none", "median", "majority", "hysteresis", "hmm")


@pytest.mark.parametrize("smoothing", SMOOTHINGS)
@pytest.mark.parametrize(
    ("flag", "value", "fits"), [("--votes", 3, SMOOTHINGS[1:4]), ("--mean-seconds", 9, SMOOTHINGS[4:])]
)
def test_counts_fit_their_smoothing_alone(
    vskd, timeline, bundle: Path, smoothing: str, flag: str, value: int, fits: tuple[str, ...]
) -> None:
    needed = ("--mean-seconds", 9) if smoothing == "hmm" and flag != "--mean-seconds" else ()
    answer = vskd("predict", bundle, "r.csv", "--smoothing", smoothing, *needed, flag, value)
    those = fits[0] if len(fits) == 1 else f"{', '.join(fits[:-1])} or {fits[-1]}"
    if smoothing in fits:
        assert (answer.code, len(timeline)) == (0, 1)
    else:
        assert answer.code == 2 and f"{flag} does nothing without --smoothing {those}" in answer.err and timeline == []


def test_the_timeline_is_written_where_it_is_wanted(vskd, timeline, bundle: Path, tmp_path: Path) -> None:
    assert vskd("predict", bundle, "r.csv", "--out", tmp_path / "t.csv").code == 0
    assert [path.name for path in tmp_path.iterdir() if path.suffix] == ["t.csv"]
    assert (tmp_path / "t.csv").read_text().splitlines()[1].startswith("0.0,2.5,run,0.75")
