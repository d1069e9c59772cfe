"""`vskd firmware`: what is printed, and that a difference is an error."""

import json
import re
from pathlib import Path

import pytest

from tests.firmware_bridge.bundles import make_bundle, sensor_contract
from vskd.firmware_bridge import conformance, mcuboot
from vskd.firmware_bridge import generate as generating
from vskd.firmware_bridge.conformance import Line
from vskd.firmware_bridge.generate import Report


@pytest.fixture
def real_bundle(tmp_path: Path) -> Path:
    return make_bundle(tmp_path / "real", sensor_contract()).path


def test_generate_says_what_a_device_needs(vskd, real_bundle: Path, tmp_path: Path) -> None:
    answer = vskd("firmware", "generate", real_bundle, "--out", tmp_path / "out")
    assert answer.code == 0 and answer.err == ""
    assert "RAM of the model" in answer.out and "vskd_stream.c" in answer.out
    assert (tmp_path / "out" / "CMakeLists.txt").is_file()


def test_generate_with_settings_as_json(vskd, real_bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "watch.yaml").write_text("device: {rate_hz: 100, rest: [0, 0, 1]}\ndecision: {votes: 3}\n")
    answer = vskd(
        *("firmware", "generate", real_bundle, "--out", tmp_path / "out"),
        *("--stream-settings", tmp_path / "watch.yaml", "--weights", "in-place", "--json"),
    )
    report = json.loads(answer.out)
    assert report["in_place"] is True and report["delay_samples"] == 20
    assert "#define VSKD_VOTES 3" in (tmp_path / "out" / "vskd_contract.h").read_text()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("device: {rates: 100}", "device.rates: unknown key"),
        ("decision: {votes: 40}", "decision.votes"),
        ("decision: {smoothing: hmm}", "decision.smoothing: hmm looks at windows that are still to come"),
        ("decision: {smoothing: median}", "decision.smoothing: median looks at windows that are still to come"),
        ("device: {unit_factor: 0}", "unit_factor is 0"),
        ("{", "is no valid YAML"),
    ],
)
def test_a_wrong_setting_is_one_line(vskd, real_bundle: Path, tmp_path: Path, text: str, problem: str) -> None:
    (tmp_path / "watch.yaml").write_text(text)
    answer = vskd(
        "firmware", "generate", real_bundle, "--out", tmp_path / "out", "--stream-settings", tmp_path / "watch.yaml"
    )
    assert answer.code == 1 and answer.out == ""
    assert problem in answer.err and answer.err.count("\n") == 1


def test_the_table_and_a_difference(vskd, record, real_bundle: Path) -> None:
    lines = [Line("C, gcc", "bit-exact", 64, 9), Line("C, clang", "skipped", note="clang is not installed")]
    record(conformance, "run_conformance", iter(lines))
    answer = vskd("firmware", "test", real_bundle)
    assert answer.code == 0
    assert "C, clang  skipped    0       0          clang is not installed" in answer.out
    record(conformance, "run_conformance", iter([*lines, Line("C, wasm", "differs", note="1 of 64")]))
    answer = vskd("firmware", "test", real_bundle, "--json")
    assert answer.code == 1
    assert json.loads(answer.out)[-1]["outcome"] == "differs"
    assert "other answers than the reference kernels' from C, wasm" in answer.err


@pytest.mark.parametrize(("in_place", "where"), [(False, "an array in vskd_weights.c"), (True, "read in model.tflite")])
def test_every_figure_of_the_firmware_is_printed(vskd, record, tmp_path: Path, in_place: bool, where: str) -> None:
    report = Report(tmp_path, ("a.c", "b.h"), 7, 12345, 6789, in_place, 1234567, 20)
    seen = record(generating, "generate", report)
    answer = vskd("firmware", "generate", tmp_path, "--out", tmp_path / "out", "--weights", "array")
    shown = dict(re.split(r"  +", line, maxsplit=1) for line in answer.out.splitlines())
    assert shown == {
        "firmware": str(tmp_path),
        "files": "a.c, b.h",
        "operators": "7",
        "RAM of the model": "12,345 bytes",
        "weights": f"6,789 bytes, {where}",
        "multiply-accumulates": "1,234,567",
        "delay of a decision": "20 samples of the device",
    }
    assert list(seen[0].values()) == [tmp_path, tmp_path / "out", None, "array"]


def test_a_model_without_a_stream_has_no_delay(vskd, record, tmp_path: Path) -> None:
    record(generating, "generate", Report(tmp_path, ("a.c",), 7, 1, 2, False, 3, None))
    assert "delay" not in vskd("firmware", "generate", tmp_path, "--out", tmp_path / "out").out


def test_the_settings_of_a_stream_reach_the_check(vskd, record, tmp_path: Path) -> None:
    (tmp_path / "watch.yaml").write_text("decision: {votes: 3}\n")
    seen = record(conformance, "run_conformance", iter([Line("C, gcc", "bit-exact", 64, 9)]))
    answer = vskd("firmware", "test", tmp_path, "--stream-settings", tmp_path / "watch.yaml")
    assert answer.code == 0 and answer.out.splitlines()[-1].split() == ["C,", "gcc", "bit-exact", "64", "9"]
    assert (seen[0]["bundle"], seen[0]["settings"].decision.votes) == (tmp_path, 3)


def test_an_image_for_mcuboot(vskd, record, tmp_path: Path) -> None:
    made = mcuboot.McubootImage(tmp_path / "m.bin", 12176, 12000, 32, "1.2.0")
    seen = record(mcuboot, "make_image", made)
    words = ("firmware", "image", tmp_path, "--out", tmp_path / "m.bin", "--key", tmp_path / "k.pem")
    words = (*words, "--version", "1.2.0", "--slot-bytes", "65536")
    shown = dict(re.split(r"  +", line, maxsplit=1) for line in vskd(*words).out.splitlines())
    assert shown == {
        "image": str(tmp_path / "m.bin"),
        "size": "12,176 bytes",
        "model": "12,000 bytes, from byte 32",
        "version": "1.2.0",
    }
    assert list(seen[0].values()) == [tmp_path, tmp_path / "m.bin", tmp_path / "k.pem", "1.2.0", 65536]
    assert json.loads(vskd(*words, "--json").out)["image_bytes"] == 12176


def test_every_option_of_generated_sources_reaches_the_library(vskd, record, tmp_path: Path) -> None:
    (tmp_path / "watch.yaml").write_text("decision: {votes: 3}\n")
    seen = record(generating, "generate", Report(tmp_path, ("a.c",), 7, 1, 2, False, 3, 0))
    words = ("firmware", "generate", tmp_path, "--out", tmp_path / "out", "--weights", "in-place")
    answer = vskd(*words, "--stream-settings", tmp_path / "watch.yaml")
    assert "delay of a decision" in answer.out, "none at all is one, too"
    assert list(seen[0].values())[:2] == [tmp_path, tmp_path / "out"] and list(seen[0].values())[3] == "in-place"
    assert list(seen[0].values())[2].decision.votes == 3
    assert vskd(*words[:-2]).code == 0 and list(seen[1].values())[2:] == [None, "auto"]


def test_a_page(vskd, record, tmp_path: Path) -> None:
    from vskd.firmware_bridge import make_page

    (tmp_path / "watch.yaml").write_text("decision: {votes: 3}\n")
    seen = record(make_page, "make_page", make_page.PageReport(tmp_path / "page", ("index.html",), 12345, 6789))
    words = ("firmware", "page", tmp_path, "--out", tmp_path / "page")
    answer = vskd(*words, "--stream-settings", tmp_path / "watch.yaml")
    assert [re.split(r"  +", line) for line in answer.out.splitlines()] == [
        ["page", str(tmp_path / "page" / "index.html")],
        ["module", "12,345 bytes"],
        ["weights", "6,789 bytes beside it"],
    ]
    bundle, out, settings, *_ = seen[0].values()
    assert (bundle, out, settings.decision.votes) == (tmp_path, tmp_path / "page", 3)
    assert json.loads(vskd(*words, "--json").out)["module_bytes"] == 12345
    record(make_page, "make_page", make_page.PageReport(tmp_path / "page", ("index.html",), 12345, 0))
    assert "weights" not in vskd(*words).out


@pytest.mark.parametrize(
    "words",
    [
        ("firmware", "generate", "BUNDLE", "--out", "OUT"),
        ("firmware", "page", "BUNDLE", "--out", "OUT"),
        ("firmware", "image", "BUNDLE", "--out", "OUT", "--key", "K", "--version", "1.0.0", "--slot-bytes", 9),
        ("serve", "BUNDLE", "--no-browser"),
        ("predict", "BUNDLE", "r.csv"),
        ("predict", "BUNDLE", "r.csv", "--stream"),
    ],
    ids=lambda words: " ".join(words[:3:2] if words[0] == "predict" else words[:2]),
)
def test_nothing_is_made_of_a_bundle_whose_signature_is_missing(
    vskd, real_bundle: Path, tmp_path: Path, words: tuple[object, ...]
) -> None:
    (tmp_path / "keys").write_text("maker ssh-ed25519 AAAA\n")
    places = {"BUNDLE": real_bundle, "OUT": tmp_path / "out"}
    answer = vskd(*(places.get(word, word) for word in words), "--require-signature", tmp_path / "keys")
    assert (answer.code, answer.out) == (1, "") and f"{real_bundle} is not signed" in answer.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["keys", "real"]


def test_the_table_of_a_check_is_complete(vskd, record, tmp_path: Path) -> None:
    lines = [Line("C, gcc", "bit-exact", 64, 9), Line("C, clang", "differs", 5, 2, "3 of 5"), Line("wasm", "differs")]
    seen = record(conformance, "run_conformance", iter(lines))
    answer = vskd("firmware", "test", tmp_path)
    assert [re.split(r"  +", line) for line in answer.out.splitlines()] == [
        ["runs on", "outcome", "inputs", "decisions", "note"],
        ["C, gcc", "bit-exact", "64", "9"],
        ["C, clang", "differs", "5", "2", "3 of 5"],
        ["wasm", "differs", "0", "0"],
    ]
    assert answer.code == 1 and "from C, clang, wasm." in answer.err and seen[0]["settings"] is None
