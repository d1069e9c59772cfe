"""`vskd export`: the types of the ends, the printed figures, and a real bundle."""

import hashlib
import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from vskd.cli.export import export
from vskd.firmware_bridge.footprint import measure_needs


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
    words = ("--input-type", "float32", "--set", "export.fine_tuning=always")
    answer = vskd("export", tmp_path / "RUN", "--out", tmp_path / "B", *words)
    text = answer.out
    assert answer.err == f"next: vskd bundle verify {tmp_path / 'B'}\n"
    settings = ["export.input_type=float32", "export.fine_tuning=always"]
    given = {"run": tmp_path / "RUN", "out": tmp_path / "B", "settings": settings, "layers": None}
    assert seen == [{**given, "measure": measure_needs}]
    for needle in ("40 validation recordings", "90.0 %", "87.5 %", "98.0 %", "0.125", "11.4 MB (float32 45.2 MB)"):
        assert needle in text
    content = json.loads(vskd("export", tmp_path / "RUN", "--out", tmp_path / "B", "--json").out)
    assert content["accuracy"]["int8"] == 0.875
    assert content["bundle"] == str(tmp_path / "B")


def test_the_help_says_what_accuracy_is_measured_on(vskd) -> None:
    """Where the run kept no validation recordings, `export_run` measures on training recordings."""
    text = " ".join(vskd("export", "--help").out.split())
    assert "measured on validation recordings or, where the run kept none (student.training.validation: none)" in text
    assert "on training recordings outside the calibration" in text


def test_export_what_is_no_run(vskd, tmp_path: Path) -> None:
    answer = vskd("export", tmp_path / "nowhere", "--out", tmp_path / "B")
    assert (answer.code, answer.out) == (1, "")
    assert str(tmp_path / "nowhere") in answer.err
    assert not (tmp_path / "B").exists()


@pytest.mark.usefixtures("converted")
def test_a_real_run_becomes_a_bundle_that_verifies(run_example, vskd, comparison_copy) -> None:
    """The first example of the help, with the converter's work taken from an earlier bundle."""
    out = comparison_copy.out / "new"
    answer = run_example(export.examples[0], {"RUN": comparison_copy.student, "BUNDLE": out})
    assert (answer.code, answer.err) == (0, f"next: vskd bundle verify {out}\n")
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    assert f"{manifest['accuracy']['recordings']} validation recordings" in answer.out
    assert f"{100 * manifest['accuracy']['int8']:.1f} %" in answer.out
    assert json.loads(vskd("bundle", "verify", out, "--json").out)["golden_vectors"] == 4


@pytest.mark.usefixtures("converted")
def test_a_budget_that_is_not_kept_is_one_line(vskd, comparison_copy, tmp_path: Path) -> None:
    words = ("--set", "export.budget.part=cortex-m4-256k", "--set", "export.budget.flash_bytes=1000")
    answer = vskd("export", comparison_copy.student, "--out", tmp_path / "B", *words)
    assert (answer.code, answer.out) == (1, "") and answer.err.count("\n") == 1
    assert "no operator SUM" in answer.err  # the encoding is inside this model: no firmware, and so no budget, for it
    assert not (tmp_path / "B").exists()


@pytest.mark.usefixtures("converted")
def test_json_names_the_bundle_and_its_digest(vskd, comparison_copy) -> None:
    out = comparison_copy.bundle  # an earlier bundle, which is replaced
    content = json.loads(vskd("export", comparison_copy.student, "--out", out, "--json").out)
    assert content["bundle"] == str(out)
    assert content["digest"] == hashlib.sha256((out / "manifest.json").read_bytes()).hexdigest()
    assert content["model_bytes"] == (out / "model.tflite").stat().st_size
    assert content["float_model_bytes"] == (out / "model_float.tflite").stat().st_size
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    assert (content["accuracy"], content["parity"]) == (manifest["accuracy"], manifest["parity_int8"])


def test_mistakes(vskd, finished_comparison, finished_images, tmp_path: Path) -> None:
    out = tmp_path / "B"
    kind = vskd("export", finished_comparison.student, "--out", out, "--input-type", "int16")
    assert kind.code == 2 and "int16" in kind.err and "vskd export --help" in kind.err
    teacher = vskd("export", finished_comparison.teacher, "--out", out)
    assert teacher.code == 1 and "is a teacher's run" in teacher.err
    trained = vskd("export", finished_comparison.student, "--out", out, "--set", "student.training.epochs=2")
    assert trained.code == 1 and "--set student.training.epochs=2: an export changes nothing" in trained.err
    idle = vskd("export", finished_comparison.student, "--out", out, "--set", "export.fine_tuning=always")
    assert idle.code == 1 and "export.fine_tuning does nothing here" in idle.err and "sees images" in idle.err
    unknown = vskd("export", finished_images.student, "--out", out, "--set", "export.fine_tuning=perhaps")
    assert unknown.code == 1 and "export.fine_tuning" in unknown.err and "always" in unknown.err
    nowhere = vskd("export", finished_comparison.student)
    assert nowhere.code == 2 and "--out" in nowhere.err
    assert not out.exists()


@pytest.mark.usefixtures("converted")
def test_a_folder_of_other_things_is_never_replaced(vskd, comparison_copy, tmp_path: Path) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter1.tex").write_text("years of work", encoding="utf-8")
    answer = vskd("export", comparison_copy.student, "--out", tmp_path / "thesis")
    assert (answer.code, answer.out) == (1, "")
    assert "is not a bundle" in answer.err and answer.err.count("\n") == 1
    assert [path.name for path in (tmp_path / "thesis").iterdir()] == ["chapter1.tex"]


def test_all_that_is_said_of_an_export_reaches_the_library(vskd, record, tmp_path: Path) -> None:
    import vskd.export.run_export as library

    seen = record(library, "export_run", export_report(tmp_path / "B"))
    words = ("--output-type", "int8", "--input-type", "float32", "--layers", tmp_path / "l.md", "--set", "a=1")
    answer = vskd("export", "RUN", "--out", tmp_path / "B", *words, "--set", "b=2")
    assert seen[0]["settings"] == ["export.input_type=float32", "export.output_type=int8", "a=1", "b=2"]
    assert seen[0]["layers"] == tmp_path / "l.md"
    assert [re.split(r"  +", line.strip()) for line in answer.out.splitlines()] == [
        ["bundle", str(tmp_path / "B")],
        ["accuracy, 40 validation recordings"],
        ["float32", "90.0 %"],
        ["int8", "87.5 %"],
        ["int8 against float32"],
        ["same class", "98.0 %"],
        ["largest error of a logit", "0.125"],
        ["size of the int8 model", "11.4 MB (float32 45.2 MB)"],
    ]
    assert vskd("export", "RUN", "--out", tmp_path / "B", "--output-type", "float32").code == 0
    assert vskd("export", "RUN", "--out", tmp_path / "B").code == 0
    assert [call["settings"] for call in seen[1:]] == [["export.output_type=float32"], []]
    content = json.loads(vskd("export", "RUN", "--out", tmp_path / "B", "--json").out)
    accuracy = {"split": "validation", "recordings": 40, "float32": 0.9, "int8": 0.875}
    assert content == {
        **{"bundle": str(tmp_path / "B"), "digest": "ab" * 32, "accuracy": accuracy, "parity": {"n": 40}},
        **{"model_bytes": 11_400_000, "float_model_bytes": 45_200_000},
    }
