"""`vskd predict` with a model of whole recordings: three formats, one answer; and what does not fit the contract."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.io import loadmat

from vskd.bundle.file_reading import FileReading
from vskd.cli.predict import predict


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
