"""`vskd firmware`: what is printed, and that a difference is an error."""

import json
from pathlib import Path

import pytest

from tests.firmware_bridge.bundles import make_bundle, sensor_contract
from vskd.firmware_bridge import conformance
from vskd.firmware_bridge.conformance import Line


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
