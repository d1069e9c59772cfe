"""`vskd predict`: recordings of three formats, one answer; and what does not fit the contract."""

import json
from itertools import groupby
from pathlib import Path

import numpy as np
import pytest
from scipy.io import loadmat

from tests.firmware_bridge.bundles import make_bundle, movement, sensor_contract
from vskd.bundle.file_reading import FileReading
from vskd.cli.predict import predict
from vskd.preprocessing.sensor.resampling import plan_resampling


def test_predict(vskd, record, bundle: Path, tmp_path: Path) -> None:
    import vskd.bundle.predict as library

    probabilities = dict(zip("abcdefg", (0.5, 0.2, 0.1, 0.08, 0.06, 0.04, 0.02), strict=True))
    seen = record(
        library,
        "predict_file",
        library.Prediction("a", probabilities, 1.25, 3, ("unit assumed",), understood=(("columns", "ax, ay, az"),)),
    )
    words = ["--rate", 50, "--unit", "g", "--columns", "1, 2,3", "--time", 0, "--variable", "acc"]
    answer = vskd("predict", bundle, tmp_path / "r.csv", *words)
    assert answer.code == 0, answer.err
    assert seen == [
        {"bundle": bundle, "file": tmp_path / "r.csv", "reading": FileReading(50.0, "g", (1, 2, 3), 0, "acc")}
    ]
    for needle in ("label    a", "1.25 ms", "0.060", "2 less probable"):
        assert needle in answer.out
    assert "0.040" not in answer.out
    assert answer.err == "note: unit assumed\n"
    assert "columns  ax, ay, az" in answer.out
    plain = vskd("predict", bundle, tmp_path / "r.csv", "--json")
    assert json.loads(plain.out)["probabilities"] == probabilities
    assert list(json.loads(plain.out)["probabilities"]) == list("abcdefg")
    assert json.loads(plain.out)["understood"] == {"columns": "ax, ay, az"}
    assert seen[1]["reading"] == FileReading()


@pytest.fixture
def recordings(synthetic_root: Path, tmp_path: Path) -> dict[str, Path]:
    """One recording in the formats of the examples: .mat with both sensors, .csv with names, .npy, .csv of a logger."""
    source = synthetic_root / "Inertial" / "a2_s2_t1_inertial.mat"
    samples = loadmat(source)["d_iner"][:, :3]
    named = "# rate_hz: 50\n# unit: g\nx,y,z\n"
    rows = [",".join(repr(float(v)) for v in row) for row in samples]
    (tmp_path / "recording.csv").write_text(named + "\n".join(rows) + "\n", encoding="utf-8")
    logged = [f"{7 * n},{row},0.5" for n, row in enumerate(rows)]
    (tmp_path / "log.csv").write_text("tick,ax,ay,az,battery\n" + "\n".join(logged) + "\n", encoding="utf-8")
    np.save(tmp_path / "samples.npy", samples)
    files = {name: tmp_path / name for name in ("recording.csv", "log.csv", "samples.npy")}
    return {**files, "a1_s1_t1_inertial.mat": source}


def answer_of(out: str) -> dict[str, float]:
    """Probabilities, as printed or as JSON."""
    if out.startswith("{"):
        return {name: float(value) for name, value in json.loads(out)["probabilities"].items()}
    lines = (line.rsplit(None, 1) for line in out.splitlines() if line.startswith("  "))
    return {name.strip(): float(value) for name, value in lines}


def test_the_examples_of_the_help_give_one_answer(run_example, finished_comparison, recordings) -> None:
    places = {"BUNDLE": finished_comparison.bundle, **recordings}
    examples = [example for example in predict.examples if recordings.keys() & set(example.split())]
    assert len(examples) == len(recordings)
    answers = [run_example(example, places) for example in examples]
    assert [answer.code for answer in answers] == [0] * 4, [answer.err for answer in answers]
    first, *others = [answer_of(answer.out) for answer in answers]
    assert len(first) == 3 and sum(first.values()) == pytest.approx(1, abs=2e-3)
    for other in others:
        assert other == pytest.approx(first, abs=1e-3)


@pytest.mark.parametrize(
    ("words", "asked", "got"),
    [
        (["--rate", "20", "--unit", "g"], "50 Hz", "20 Hz"),
        (["--unit", "m/s^2", "--rate", "50"], "asks for g", "m/s^2"),
        (["--columns", "0,1"], "3 channels", "2 columns"),
        ([], "50 Hz", "--rate"),
    ],
)
def test_what_the_contract_does_not_allow_is_refused(
    vskd, finished_comparison, recordings, words, asked: str, got: str
) -> None:
    answer = vskd("predict", finished_comparison.bundle, recordings["samples.npy"], *words)
    assert (answer.code, answer.out) == (1, "")
    assert answer.err.count("\n") == 1
    assert asked in answer.err and got in answer.err


@pytest.mark.parametrize("count", [1, 100_000])
def test_a_recording_of_another_length_is_refused(vskd, finished_comparison, tmp_path: Path, count: int) -> None:
    np.save(tmp_path / "r.npy", np.zeros((count, 3)))
    answer = vskd("predict", finished_comparison.bundle, tmp_path / "r.npy", "--rate", 50, "--unit", "g")
    assert (answer.code, answer.out) == (1, "")
    assert str(count) in answer.err.replace(",", "") and answer.err.count("\n") == 1


def test_a_recording_that_is_not_there_is_named(vskd, finished_comparison, tmp_path: Path) -> None:
    answer = vskd("predict", finished_comparison.bundle, tmp_path / "nowhere.csv")
    assert (answer.code, answer.out) == (1, "")
    assert str(tmp_path / "nowhere.csv") in answer.err and answer.err.count("\n") == 1


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


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("--stream", "--rate", "50"), "--rate does not fit --stream"),
        (("--stream-settings", "s.yaml"), "--stream-settings does nothing without --stream"),
    ],
)
def test_options_that_do_not_fit_a_stream(vskd, streaming: tuple[Path, Path], words: tuple[str, ...], problem: str):
    answer = vskd("predict", *streaming, *words)
    assert answer.code == 2 and problem in answer.err


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


SENSOR = {"--rate": 50, "--unit": "g", "--columns": "1", "--time": 0, "--variable": "x"}
IMAGES = {"--box": "whole", "--every": 2, "--piece": 1}
TIME = {"--out": "o", "--plot": "p", "--smoothing": "none", "--votes": 2, "--mean-seconds": 2, "--min-seconds": 0,
        "--unknown-below": 0}  # fmt: skip


@pytest.mark.parametrize(("flag", "value"), {**SENSOR, **IMAGES, **TIME}.items())
def test_each_option_is_refused_where_it_does_nothing(vskd, bundle: Path, tmp_path: Path, flag: str, value) -> None:
    (tmp_path / "i.png").touch()
    answer = vskd("predict", bundle, "r.csv", "--stream", flag, value)
    assert answer.code == 2 and f"{flag} does not fit --stream; see --stream-settings" in answer.err
    file, what = ("r.csv", "a") if flag in IMAGES else (tmp_path / "i.png", "no")
    answer = vskd("predict", bundle, file, flag, value)
    assert answer.code == 2 and f"{flag} does not fit {file}, which is {what} recording of a sensor." in answer.err


def test_options_that_do_nothing_are_named_together(vskd, bundle: Path) -> None:
    answer = vskd("predict", bundle, "clip.mp4", "--out", "t.csv", "--plot", "t.png")
    assert answer.code == 2
    assert "--out, --plot do not fit clip.mp4, which is no recording of a sensor." in answer.err


@pytest.mark.parametrize("flag", ["--out", "--plot"])
def test_pieces_of_a_video_are_no_timeline_and_the_error_says_where_they_stand(vskd, bundle: Path, flag: str) -> None:
    answer = vskd("predict", bundle, "clip.mp4", "--piece", 2, flag, "t")
    assert answer.code == 2 and f"{flag} does not fit --piece: pieces of a video" in answer.err
    assert "--json has the start and label of each" in answer.err


@pytest.mark.parametrize("words", [("r.csv", "--out", "t.csv"), ("r.csv", "--stream"), ("i.png", "--box", "whole")])
def test_a_bundle_that_is_not_there_is_said_first(vskd, tmp_path: Path, words: tuple[str, ...]) -> None:
    answer = vskd("predict", tmp_path / "none", *words)
    assert answer.code == 1
    assert answer.err == f"error: There is no folder {tmp_path / 'none'}. Give the folder that `vskd export` wrote.\n"


@pytest.mark.parametrize(("text", "box"), [("1,2,3.5,4", (1.0, 2.0, 3.5, 4.0)), ("whole", "whole")])
def test_a_box_is_four_numbers_or_a_word(vskd, bundle: Path, tmp_path: Path, monkeypatch, text: str, box) -> None:
    seen: list[tuple[object, ...]] = []
    monkeypatch.setattr("vskd.cli.predict._predict_pictures", lambda *given: seen.append(given))
    (tmp_path / "i.png").touch()
    words = ("predict", bundle, tmp_path / "i.png")
    assert vskd(*words, "--box", text, "--every", 3, "--piece", 0.5, "--json").code == 0
    assert seen == [(bundle, tmp_path / "i.png", FileReading(box=box, every=3), 0.5, True)]
    for wrong in ("1,2,3", "1,2,3,4,5", "a,b,c,d", ""):
        answer = vskd(*words, f"--box={wrong}")
        assert answer.code == 2 and f"'{wrong}' is no box; write X1,Y1,X2,Y2 in pixels, or whole" in answer.err


def test_pieces_of_a_clip_are_printed_where_there_are_several(vskd, capsys: pytest.CaptureFixture[str]) -> None:
    from types import SimpleNamespace

    from vskd.cli.predict_clips import print_clip

    shares = dict(zip("abcdefg", (0.5, 0.2, 0.1, 0.08, 0.06, 0.04, 0.02), strict=True))
    rows = np.array([[0.5, 0.25], [0.125, 0.875]])
    answer = SimpleNamespace(label="a", labels=("a", "b"), per_window=rows, probabilities=shares, latency_ms=3.256)
    print_clip(SimpleNamespace(answer=answer, starts_s=(0.0, 1.00049)), as_json=False)
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines[:3] == [["label", "a"], ["latency", "3.26", "ms", "a", "clip"], ["probabilities"]]
    assert [line[0] for line in lines[3:8]] == list("abcde")
    assert lines[8:] == [["start", "(s)", "label", "probability"], ["0.0", "a", "0.500"], ["1.0", "b", "0.875"]]
    print_clip(SimpleNamespace(answer=answer, starts_s=(0.0, 1.00049)), as_json=True)
    content = json.loads(capsys.readouterr().out)
    assert content["pieces"][1] == {"start_s": 1.0, "label": "b", "probability": 0.875}
    assert (content["label"], content["latency_ms"], content["probabilities"]) == ("a", 3.256, shares)
    one = SimpleNamespace(**{**vars(answer), "labels": ("a",), "per_window": rows[:1]})
    print_clip(SimpleNamespace(answer=one, starts_s=(0.0,)), as_json=False)
    assert "start (s)" not in capsys.readouterr().out


@pytest.mark.parametrize(("count", "rest"), [(5, 0), (6, 1)])
def test_five_classes_are_shown_and_the_rest_is_counted(vskd, record, bundle: Path, count: int, rest: int) -> None:
    import vskd.bundle.predict as library

    shares = {name: 1 / (n + 2) for n, name in enumerate("abcdef"[:count])}
    record(library, "predict_file", library.Prediction("a", shares, 1.256, 3, ("one", "two"), understood=(("u", "g"),)))
    answer = vskd("predict", bundle, "r.csv")
    lines = [line.split() for line in answer.out.splitlines()]
    assert lines[:4] == [["label", "a"], ["latency", "1.26", "ms"], ["windows", "3"], ["probabilities"]]
    assert lines[4:9] == [[name, f"{share:.3f}"] for name, share in list(shares.items())[:5]]
    assert lines[9:] == [["and", str(rest), "less", "probable", "(all", "of", "them:", "--json)"]] * bool(rest) + [
        ["u", "g"]
    ]
    assert answer.err == "note: one\nnote: two\n"
    content = json.loads(vskd("predict", bundle, "r.csv", "--json").out)
    assert content == {
        **{"label": "a", "probabilities": shares, "latency_ms": 1.256, "windows": 3, "notes": ["one", "two"]},
        "understood": {"u": "g"},
    }


@pytest.mark.parametrize(("flag", "value"), {**TIME, "--smoothing": "hmm"}.items())
def test_a_model_of_whole_recordings_has_no_timeline(vskd, record, bundle: Path, flag: str, value: object) -> None:
    import vskd.bundle.predict as library

    seen = record(library, "predict_file", None)
    answer = vskd("predict", bundle, "r.csv", flag, value)
    assert answer.code == 2 and f"{flag} does nothing: {bundle} answers once for a whole recording" in answer.err
    assert seen == []


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


@pytest.fixture
def pictures(record, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """A bundle of the kind that a test says, and what the library is asked for."""
    from types import SimpleNamespace

    from vskd.bundle import bundle as opening
    from vskd.bundle import predict_clips, predict_images
    from vskd.cli import predict_clips as of_clips
    from vskd.cli import predict_images as of_images

    (tmp_path / "v.mp4").touch()
    monkeypatch.setattr(of_clips, "print_clip", lambda answer, as_json: print(answer, as_json))
    monkeypatch.setattr(of_images, "print_images", lambda answer, as_json: print(answer, as_json))

    clips, images = record(predict_clips, "predict_clip", "clip"), record(predict_images, "predict_images", "images")

    def of(kind: str):
        contract = SimpleNamespace(manifest=SimpleNamespace(contract=SimpleNamespace(kind=kind)))
        monkeypatch.setattr(opening, "load_bundle", lambda path: contract)
        clips.clear()
        images.clear()
        return clips, images

    return of


def test_settings_of_pictures_reach_the_bundle_that_has_them(vskd, pictures, bundle: Path, tmp_path: Path) -> None:
    words, file = ("predict", bundle, tmp_path / "v.mp4"), tmp_path / "v.mp4"
    clips, images = pictures("clip")
    assert vskd(*words, "--piece", 2.5, "--json").out == "clip True\n" and vskd(*words).out == "clip False\n"
    assert clips == [{"bundle": bundle, "path": file, "piece_s": piece} for piece in (2.5, None)] and images == []
    for flag, value in (("--box", "1,2,3,4"), ("--box", "whole"), ("--every", 1)):
        answer = vskd(*words, flag, value)
        assert answer.code == 2 and f"{flag} does not fit {bundle}, which takes video clips." in answer.err
    clips, images = pictures("image")
    assert vskd(*words, "--box", "1,2,3,4", "--every", 3, "--json").out == "images True\n"
    assert vskd(*words).out == "images False\n"
    readings = [FileReading(box=(1.0, 2.0, 3.0, 4.0), every=3), FileReading()]
    assert images == [{"bundle": bundle, "path": file, "reading": reading} for reading in readings]
    answer = vskd(*words, "--piece", 2)
    assert answer.code == 2 and f"--piece does not fit {bundle}, which takes images." in answer.err and clips == []


def images_answer(kind: str, labels: str):
    from vskd.bundle.predict_images import ImageAnswer, ImagesPrediction

    shares = dict(zip("abcdefg", (0.5, 0.2, 0.1, 0.08, 0.06, 0.04, 0.02), strict=True))
    answers = tuple(ImageAnswer(f"{n}.png", label, shares) for n, label in enumerate(labels))
    return ImagesPrediction(kind, answers, (("x.txt", "is no image"),), {} if kind == "folder" else shares, 3.256)


@pytest.mark.parametrize(
    ("kind", "lines"),
    [
        ("folder", [["image", "label", "probability"], ["0.png", "a", "0.500"], ["1.png", "b", "0.200"],
                    ["2.png", "a", "0.500"]]),
        ("image", [["label", "a"], ["latency", "3.26", "ms", "an", "image"], ["probabilities"], ["a", "0.500"],
                   ["b", "0.200"], ["c", "0.100"], ["d", "0.080"], ["e", "0.060"]]),
        ("video", [["label", "a"], ["latency", "3.26", "ms", "an", "image"],
                   ["mean", "probabilities,", "and", "frames", "of", "each", "label"],
                   ["a", "0.500", "2", "of", "3"], ["b", "0.200", "1", "of", "3"], ["c", "0.100", "0", "of", "3"],
                   ["d", "0.080", "0", "of", "3"], ["e", "0.060", "0", "of", "3"]]),
    ],
)  # fmt: skip
def test_answers_about_pictures_are_printed_by_their_kind(capsys, kind: str, lines: list[list[str]]) -> None:
    from vskd.cli.predict_images import print_images

    answer = images_answer(kind, "aba")
    print_images(answer, as_json=False)
    said = capsys.readouterr()
    assert [line.split() for line in said.out.splitlines()] == lines
    assert said.err == "left out: x.txt: is no image\n"
    print_images(answer, as_json=True)
    content = json.loads(capsys.readouterr().out)
    shares = answer.answers[0].probabilities
    assert content == {
        **{"kind": kind, "label": None if kind == "folder" else "a", "latency_ms": 3.256},
        "probabilities": {} if kind == "folder" else shares,
        "answers": [{"source": f"{n}.png", "label": label, "probabilities": shares} for n, label in enumerate("aba")],
        "left_out": [{"source": "x.txt", "problem": "is no image"}],
    }


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
