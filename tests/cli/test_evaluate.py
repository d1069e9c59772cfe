"""`vskd evaluate`: which of run and bundle it is, what is printed, and the mistakes."""

import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from vskd.cli.evaluate import evaluate


class FakeResults:
    """Stands in for Results where only the hand-over is tested; the printed text is tested with real ones."""

    def model_dump(self, **_: Any) -> dict[str, Any]:
        return {"accuracy": 0.5}


def real_results() -> Any:
    import numpy as np

    from vskd.evaluation.predictions import Predictions
    from vskd.evaluation.results import DataStamp, ProtocolStamp, TeacherFigures, build_results

    labels = np.array([0, 1, 0, 1, 0, 1])
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8], [0.9, 0.1], [0.2, 0.8], [0.9, 0.1], [0.8, 0.2]])
    ids = tuple(f"r{n}" for n in range(6))
    return build_results(
        Predictions(ids, ("1", "1", "2", "2", "3", "3"), labels, probabilities, ("clap", "wave")),
        kind="student",
        recipe="small",
        dataset="synthetic",
        network="resnet18",
        distiller="dask",
        protocol=ProtocolStamp(name="leave-one-subject-out", hash="ab" * 32, fold="3", split_hash="cd" * 32),
        data=DataStamp(hash="0123456789ab" + "f" * 52, parts={}),
        split="test",
        seed=7,
        teacher=TeacherFigures(accuracy=2 / 3, macro_f1=0.6, n=6),
    )


def test_evaluate_a_run(vskd, record, tmp_path: Path) -> None:
    import vskd.evaluation.evaluate as library

    seen = record(library, "evaluate_run", FakeResults())
    answer = vskd("evaluate", tmp_path, "--split", "validation", "--json")
    assert (answer.code, json.loads(answer.out)) == (0, {"accuracy": 0.5})
    assert seen == [{"run": tmp_path, "split": "validation"}]


def test_evaluate_prints_the_figures_that_decide(vskd, record, tmp_path: Path) -> None:
    import vskd.evaluation.evaluate as library

    record(library, "evaluate_run", real_results())
    answer = vskd("evaluate", tmp_path)
    text = answer.out
    assert answer.err == f"next: vskd export {tmp_path} --out BUNDLE\n"
    assert vskd("evaluate", tmp_path, "--split", "validation").err == ""
    for needle in (
        "83.3 %",
        "dask",
        "seed 7",
        "hash 0123456789ab",
        "leave-one-subject-out, fold 3, 6 test",
        "abababababab",
        "66.7 %",
        "95 %",
    ):
        assert needle in text
    assert "latency" not in text
    assert "note: The interval over subjects rests on 3 subjects" in text
    assert json.loads(vskd("evaluate", tmp_path, "--json").out)["n"] == 6


def test_evaluate_a_bundle(vskd, record, bundle: Path, tmp_path: Path) -> None:
    import vskd.export.evaluate as library

    seen = record(library, "evaluate_bundle", FakeResults())
    words = ["--data", tmp_path, "--protocol", "cross-subject", "--fold", "2", "--dataset", "synthetic"]
    answer = vskd("evaluate", bundle, *words, "--out", tmp_path / "out", "--json")
    assert answer.code == 0, answer.err
    assert seen == [
        {
            "bundle": bundle,
            "data": tmp_path,
            "dataset": "synthetic",
            "protocol": "cross-subject",
            "fold": "2",
            "out": tmp_path / "out",
        }
    ]


def test_the_latency_of_a_bundle_is_printed(vskd, record, comparison_copy, tmp_path: Path) -> None:
    import vskd.export.evaluate as library
    from vskd.evaluation.results import LatencyRow

    figures = {"p50_ms": 1.234, "p95_ms": 2.5, "min_ms": 1.0, "images_per_s": 809.6, "warmup": 10, "runs": 100}
    rows = (LatencyRow(model="int8", threads=1, **figures), LatencyRow(model="float32", threads=2, **figures))
    record(library, "evaluate_bundle", real_results().model_copy(update={"latency": rows}))
    text = vskd("evaluate", comparison_copy.bundle, "--data", tmp_path).out
    shown = [" ".join(line.split()) for line in text.splitlines() if line.startswith("latency")]
    assert shown == [
        f"latency, {model} p50 1.234 ms, p95 2.500 ms, 810 windows/s "
        f"(batch 1, {threads}, 10 warm-up and 100 measured runs)"
        for model, threads in (("int8", "1 thread"), ("float32", "2 threads"))
    ]


def test_a_bundle_of_images_is_timed_in_images(vskd, finished_images, shapes_root: Path, tmp_path: Path) -> None:
    answer = vskd("evaluate", finished_images.bundle, "--data", shapes_root, "--out", tmp_path / "results")
    assert answer.code == 0, answer.err
    assert answer.out.count(" images/s (batch 1, 1 thread, 10 warm-up and 100 measured runs)") == 2
    assert len([line for line in answer.out.splitlines() if line.startswith("latency, ")]) == 2


@pytest.mark.parametrize(
    ("words", "needle"), [([], "--data"), (["--data", "X", "--split", "validation"], "--split only fits a run")]
)
def test_evaluate_a_bundle_wrongly(vskd, bundle: Path, words: list[str], needle: str) -> None:
    answer = vskd("evaluate", bundle, *words)
    assert answer.code == 2
    assert needle in answer.err


def test_a_bundle_that_lost_its_manifest_is_still_treated_as_one(vskd, bundle: Path, tmp_path: Path) -> None:
    (bundle / "manifest.json").rename(bundle / "model.tflite")
    answer = vskd("evaluate", bundle, "--data", tmp_path)
    assert answer.code == 1
    assert str(bundle / "manifest.json") in answer.err


def test_evaluate_what_is_no_run(vskd, tmp_path: Path) -> None:
    answer = vskd("evaluate", tmp_path / "nowhere")
    assert (answer.code, answer.out) == (1, "")
    assert str(tmp_path / "nowhere") in answer.err
    assert answer.err.count("\n") == 1


@pytest.mark.parametrize("example", evaluate.examples)
def test_the_examples_of_the_help_work(
    run_example, comparison_copy, synthetic_root: Path, tmp_path: Path, example: str
) -> None:
    out = tmp_path / "int8-results"
    places = {"RUN": comparison_copy.student, "BUNDLE": comparison_copy.bundle, "UTD-MHAD": synthetic_root}
    answer = run_example(example, {**places, "int8-results": out})
    after = f"next: vskd export {comparison_copy.student} --out BUNDLE\n" if example == "vskd evaluate RUN" else ""
    told = [line for line in answer.err.splitlines(keepends=True) if "the teacher's figure is left out" not in line]
    assert (answer.code, "".join(told)) == (0, after)  # the teacher was trained on the student's validation recordings
    run = comparison_copy.student
    place = out if "BUNDLE" in example else run / "validation" if "validation" in example else run
    results = json.loads((place / "results.json").read_text(encoding="utf-8"))
    if "--json" in example:
        assert json.loads(answer.out) == results
    else:
        assert f"{100 * results['accuracy']:.1f} %" in answer.out
        assert f"{results['n']} {results['split']} recordings (hash {results['protocol']['hash'][:12]})" in answer.out
        assert [line.split()[1] for line in answer.out.splitlines() if line.startswith("latency, ")] == [
            row["model"] for row in results["latency"]
        ]
    assert (place / "report.html").is_file() and (place / "predictions.csv").is_file()


def test_results_of_a_bundle_go_beside_it_by_default(vskd, comparison_copy, synthetic_root: Path) -> None:
    answer = vskd("evaluate", comparison_copy.bundle, "--data", synthetic_root, "--json")
    assert answer.code == 0, answer.err
    beside = comparison_copy.bundle.with_name("bundle-results")
    assert json.loads(answer.out) == json.loads((beside / "results.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("option", ["--data", "--dataset", "--protocol", "--fold", "--out"])
def test_options_of_a_bundle_are_refused_for_a_run(vskd, finished_comparison, option: str) -> None:
    answer = vskd("evaluate", finished_comparison.student, option, "x")
    assert (answer.code, answer.out) == (2, "")
    assert f"{option} only fits a bundle" in answer.err


@pytest.mark.parametrize(
    ("words", "needle"),
    [(["--protocol", "no-such"], "no-such"), (["--protocol", "subject-specific"], "may hold recordings")],
)
def test_a_bundle_on_another_protocol(vskd, comparison_copy, synthetic_root: Path, words, needle: str) -> None:
    out = comparison_copy.out / "elsewhere"
    answer = vskd("evaluate", comparison_copy.bundle, "--data", synthetic_root, *words, "--out", out)
    assert (answer.code, answer.out) == (1, "")
    assert needle in answer.err and answer.err.count("\n") == 1
    assert not out.exists()


def lines_of(out: str) -> list[list[str]]:
    return [re.split(r"  +", line.strip()) for line in out.splitlines()]


def test_every_figure_has_its_line(vskd, record, tmp_path: Path) -> None:
    import vskd.evaluation.evaluate as library
    from vskd.evaluation.report.formatting import percent_interval

    results = real_results()
    record(library, "evaluate_run", results)
    found = {name: results.intervals[name] for name in ("accuracy", "macro_f1")}
    lines = lines_of(vskd("evaluate", tmp_path).out)
    expected = [
        ["model", "student, resnet18, distiller dask, seed 7"],
        ["protocol", "leave-one-subject-out, fold 3, 6 test recordings (hash abababababab)"],
        ["data", "hash 0123456789ab"],
        ["accuracy", "83.3 %"],
        ["95 % over recordings", percent_interval(found["accuracy"].recordings)],
        ["95 % over subjects", percent_interval(found["accuracy"].subjects)],
        ["macro f1", f"{100 * results.macro_f1:.1f} %"],
        ["95 % over recordings", percent_interval(found["macro_f1"].recordings)],
        ["95 % over subjects", percent_interval(found["macro_f1"].subjects)],
        ["mean average precision", f"{100 * results.mean_average_precision:.1f} %"],
        ["calibration error", f"{100 * results.ece:.1f} %"],
        ["teacher's accuracy", "66.7 %"],
    ]
    assert lines[: len(expected)] == [[cell.replace("\u00a0", " ") for cell in line] for line in expected]
    assert all(line[0].startswith("note: ") for line in lines[len(expected) :])
    assert len(lines) == len(expected) + len(results.remarks) > len(expected)


def test_what_results_lack_has_no_line(vskd, record, tmp_path: Path) -> None:
    import vskd.evaluation.evaluate as library

    results = real_results()
    bare = {"data": None, "teacher": None, "distiller": None, "intervals": {}, "mean_average_precision": None}
    protocol = results.protocol.model_copy(update={"fold": None})
    record(library, "evaluate_run", results.model_copy(update={**bare, "protocol": protocol}))
    lines = lines_of(vskd("evaluate", tmp_path).out)
    assert [line[0] for line in lines if not line[0].startswith("note: ")] == [
        *("model", "protocol", "accuracy", "macro f1", "calibration error"),
    ]
    assert lines[0][1] == "student, resnet18, distiller -, seed 7"
    assert lines[1][1] == "leave-one-subject-out, 6 test recordings (hash abababababab)"


@pytest.mark.parametrize(
    ("latency", "shown"), [(1.256, ", median latency 1.26 s"), (0.0, ", median latency 0.00 s"), (None, "")]
)
def test_figures_over_time(vskd, record, tmp_path: Path, latency: float | None, shown: str) -> None:
    import vskd.evaluation.evaluate as library
    from vskd.evaluation.windows import WindowFigures

    windows = WindowFigures(
        n=12, unlabelled=3, accuracy=0.75, macro_f1=0.5, balanced_accuracy=0.25, confusion=((9, 0), (3, 0))
    )
    events = SimpleNamespace(
        n=5, segment_f1={"0.1": 0.1, "0.25": 0.2, "0.5": 0.4}, onset_f1=0.3, false_alarms_per_hour=2.25, found=0.6,
        latency_s=latency,
    )  # fmt: skip
    more = {"windows": windows, "events": events, "mean_average_precision": 0.625}
    record(library, "evaluate_run", real_results().model_copy(update=more))
    lines = dict(line for line in lines_of(vskd("evaluate", tmp_path).out) if len(line) == 2)
    assert lines["mean average precision"] == "62.5 %"
    assert lines["12 windows"] == "accuracy 75.0 %, macro F1 50.0 %"
    assert lines["5 events"] == (
        f"F1 40.0 % at half overlap, 30.0 % by onset, 2.2 false alarms an hour, 60.0 % found{shown}"
    )


@pytest.mark.parametrize(("kind", "samples"), [("image", "images"), ("clip", "clips"), ("sensor", "windows")])
def test_what_a_bundle_takes_per_second(
    vskd, record, monkeypatch: pytest.MonkeyPatch, bundle: Path, tmp_path: Path, kind: str, samples: str
) -> None:
    import vskd.export.evaluate as library
    from vskd.evaluation.results import LatencyRow

    figures = {"p50_ms": 1.0, "p95_ms": 2.0, "min_ms": 1.0, "images_per_s": 800.0, "warmup": 3, "runs": 7}
    row = LatencyRow(model="int8", threads=1, **figures)
    seen = record(library, "evaluate_bundle", real_results().model_copy(update={"latency": (row,)}))
    opened = SimpleNamespace(manifest=SimpleNamespace(contract=SimpleNamespace(kind=kind)))
    monkeypatch.setattr("vskd.bundle.bundle.load_bundle", lambda path: opened)
    out = vskd("evaluate", bundle, "--data", tmp_path).out
    assert f"800 {samples}/s (batch 1, 1 thread, 3 warm-up and 7 measured runs)" in out
    assert list(seen[0].values()) == [bundle, tmp_path, None, None, None, None]


def test_a_run_is_measured_on_its_test_part_where_nothing_is_said(vskd, record, tmp_path: Path) -> None:
    import vskd.evaluation.evaluate as library

    seen = record(library, "evaluate_run", FakeResults())
    assert vskd("evaluate", tmp_path, "--json").code == 0 and seen == [{"run": tmp_path, "split": "test"}]
