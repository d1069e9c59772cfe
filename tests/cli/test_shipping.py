"""The commands that measure, ship and use a model: arguments passed on, answers printed, mistakes told."""

import json
import pickle
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A folder that looks like a bundle; the library decides whether it is one."""
    folder = tmp_path / "BUNDLE"
    folder.mkdir()
    (folder / "manifest.json").write_text("{}", encoding="utf-8")
    return folder


class FakeResults:
    """Stands in for Results where only the hand-over is tested; the printed text is tested with real ones."""

    def model_dump(self, **_: Any) -> dict[str, Any]:
        return {"accuracy": 0.5}


def real_results() -> Any:
    import numpy as np

    from vskd.evaluation.predictions import Predictions
    from vskd.evaluation.results import ProtocolStamp, TeacherFigures, build_results

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
    text = vskd("evaluate", tmp_path).out
    for needle in (
        "83.3 %",
        "dask",
        "seed 7",
        "leave-one-subject-out, fold 3, 6 test",
        "abababababab",
        "66.7 %",
        "95 %",
    ):
        assert needle in text
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


def export_report(out: Path) -> Any:
    accuracy = {"split": "validation", "recordings": 40, "float32": 0.9, "int8": 0.875}
    return SimpleNamespace(
        bundle=SimpleNamespace(path=out, digest="ab" * 32),
        accuracy=SimpleNamespace(**accuracy, model_dump=lambda mode: accuracy),
        parity=SimpleNamespace(argmax_agreement=0.98, max_abs_error=0.125, model_dump=lambda mode: {"n": 40}),
        model_bytes=11_400_000,
        float_model_bytes=45_200_000,
    )


def test_export(vskd, record, tmp_path: Path) -> None:
    import vskd.export.run_export as library

    seen = record(library, "export_run", export_report(tmp_path / "B"))
    text = vskd("export", tmp_path / "RUN", "--out", tmp_path / "B", "--input-type", "float32").out
    assert seen == [{"run": tmp_path / "RUN", "out": tmp_path / "B", "input_type": "float32", "output_type": None}]
    for needle in ("40 validation recordings", "90.0 %", "87.5 %", "98.0 %", "0.125", "11.4 MB (float32 45.2 MB)"):
        assert needle in text
    content = json.loads(vskd("export", tmp_path / "RUN", "--out", tmp_path / "B", "--json").out)
    assert content["accuracy"]["int8"] == 0.875
    assert content["bundle"] == str(tmp_path / "B")


def test_export_what_is_no_run(vskd, tmp_path: Path) -> None:
    answer = vskd("export", tmp_path / "nowhere", "--out", tmp_path / "B")
    assert (answer.code, answer.out) == (1, "")
    assert str(tmp_path / "nowhere") in answer.err
    assert not (tmp_path / "B").exists()


def test_bundle_verify(vskd, record, bundle: Path) -> None:
    import vskd.export.bundle as library

    report = library.VerifyReport(bundle, "ab" * 32, ("golden.json", "manifest.json"), 4)
    seen = record(library, "verify_bundle", report)
    text = vskd("bundle", "verify", bundle).out
    assert seen == [{"path": bundle}]
    assert "2 files unchanged, 4 golden vectors reproduced" in text
    assert "ab" * 32 in text
    assert json.loads(vskd("bundle", "verify", bundle, "--json").out)["golden_vectors"] == 4


def test_bundle_show(vskd, record, bundle: Path) -> None:
    import vskd.export.bundle as library

    manifest = {"contract": {"unit": "g", "axes": ["x", "y", "z"], "stride": None}, "ids": [f"a{n}" for n in range(50)]}
    opened = SimpleNamespace(digest="ab" * 32, manifest=SimpleNamespace(model_dump=lambda mode: manifest))
    record(library, "load_bundle", opened)
    lines = dict(line.split(None, 1) for line in vskd("bundle", "show", bundle).out.splitlines()[2:])
    assert lines["contract.unit"] == "g"
    assert lines["contract.axes"] == "x, y, z"
    assert lines["contract.stride"] == "-"
    assert lines["ids"] == "50 entries (all of them: --json)"
    assert json.loads(vskd("bundle", "show", bundle, "--json").out)["manifest"] == manifest


@pytest.mark.parametrize("command", [["bundle", "verify"], ["bundle", "show"], ["predict"]])
@pytest.mark.parametrize("state", ["absent", "no digest", "tampered"])
def test_a_folder_that_is_no_intact_bundle_is_refused(vskd, bundle: Path, command: list[str], state: str) -> None:
    if state == "absent":
        bundle = bundle.with_name("nowhere")
    if state == "tampered":
        (bundle / "manifest.sha256").write_text(f"{'0' * 64}  manifest.json\n", encoding="utf-8")
    rest = [bundle.parent / "recording.csv"] if command == ["predict"] else []
    answer = vskd(*command, bundle, *rest)
    assert (answer.code, answer.out) == (1, "")
    assert str(bundle) in answer.err
    assert answer.err.count("\n") == 1


def test_predict(vskd, record, bundle: Path, tmp_path: Path) -> None:
    import vskd.export.predict as library

    probabilities = dict(zip("abcdefg", (0.5, 0.2, 0.1, 0.08, 0.06, 0.04, 0.02), strict=True))
    seen = record(
        library, "predict_file", library.Prediction("a", probabilities, 1.25, 3, ("rate assumed to be 50 Hz",))
    )
    words = ["--rate", 50, "--unit", "g", "--columns", "1, 2,3", "--variable", "acc"]
    answer = vskd("predict", bundle, tmp_path / "r.csv", *words)
    assert answer.code == 0, answer.err
    assert seen == [
        {
            "bundle": bundle,
            "file": tmp_path / "r.csv",
            "rate_hz": 50.0,
            "unit": "g",
            "columns": (1, 2, 3),
            "variable": "acc",
        }
    ]
    for needle in ("label    a", "1.25 ms", "0.060", "2 less probable"):
        assert needle in answer.out
    assert "0.040" not in answer.out
    assert answer.err == "note: rate assumed to be 50 Hz\n"
    plain = vskd("predict", bundle, tmp_path / "r.csv", "--json")
    assert json.loads(plain.out)["probabilities"] == probabilities
    assert list(json.loads(plain.out)["probabilities"]) == list("abcdefg")
    assert seen[1]["columns"] == ()


@pytest.mark.parametrize("columns", ["a", "1,,2", "1;2;3", "-1,2,3"])
def test_predict_refuses_columns_that_are_none(vskd, bundle: Path, tmp_path: Path, columns: str) -> None:
    answer = vskd("predict", bundle, tmp_path / "r.csv", f"--columns={columns}")
    assert answer.code == 2
    assert "--columns" in answer.err


def test_weights_import(vskd, record, tmp_path: Path) -> None:
    import vskd.models.weights as library

    out = tmp_path / "w.safetensors"
    seen = record(library, "import_weights", library.ImportReport(342, ("fc.weight", "fc.bias"), "ab" * 32, out))
    answer = vskd("weights", "import", tmp_path / "w.pth", "--network", "bn-inception", "--out", out)
    assert answer.code == 0, answer.err
    assert seen == [{"source": tmp_path / "w.pth", "network": "bn-inception", "out": out}]
    assert "342 tensors of bn-inception; left out: fc.weight, fc.bias" in answer.out


class Malicious:
    """A pickle that would write a file when it is loaded."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> Any:
        return (Path.write_text, (self.target, "owned"))


def test_weights_import_runs_nothing(vskd, tmp_path: Path) -> None:
    source, out, target = tmp_path / "w.pth", tmp_path / "w.safetensors", tmp_path / "owned"
    source.write_bytes(pickle.dumps(Malicious(target), protocol=2))
    answer = vskd("weights", "import", source, "--network", "bn-inception", "--out", out)
    assert (answer.code, answer.out) == (1, "")
    assert str(source) in answer.err
    assert not target.exists()
    assert not out.exists()


def test_weights_import_of_nothing_and_for_nothing(vskd, tmp_path: Path) -> None:
    words = ["--out", tmp_path / "w.safetensors"]
    missing = vskd("weights", "import", tmp_path / "nowhere.pth", "--network", "bn-inception", *words)
    assert missing.code == 1
    assert "nowhere.pth" in missing.err
    unknown = vskd("weights", "import", tmp_path / "nowhere.pth", "--network", "vgg", *words)
    assert unknown.code == 1
    assert "'vgg'" in unknown.err and "bn-inception" in unknown.err


def test_demo(vskd, record, tmp_path: Path) -> None:
    import vskd.export.demo as library

    seen = record(library, "run_demo", "the report")
    assert vskd("demo", "--out", tmp_path).out == "the report\n"
    assert seen == [{"out": tmp_path}]
