"""Vela's estimate: its table is read, its absence named."""

import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.firmware_bridge.bundles import linear_model
from vskd.errors import BundleError, MissingExtraError
from vskd.firmware_bridge import vela
from vskd.firmware_bridge.vela import read_summary, vela_estimate

HEAD = (
    "system_config,memory_mode,core_clock,inference_time,sram_memory_used,off_chip_flash_memory_used,nn_macs,cycles_npu"
)
ROW = "Ethos_U55_High_End_Embedded,Shared_Sram,500000000.0,0.000103702,4.359375,36.296875,359488,29529"


def test_the_table_is_read_in_plain_units() -> None:
    estimate = read_summary(f"{HEAD}\n{ROW}\n")
    assert estimate.inference_ms == pytest.approx(0.103702)
    assert (estimate.sram_bytes, estimate.flash_bytes, estimate.macs) == (4464, 37168, 359488)
    assert (estimate.accelerator, estimate.npu_cycles) == ("ethos-u55-128", 29529)
    assert estimate.system == "Ethos_U55_High_End_Embedded, Shared_Sram, 500 MHz"


@pytest.mark.parametrize("text", ["", HEAD, f"{HEAD}\n{ROW[:-6]}", "a\n1"])
def test_another_table_is_refused(text: str) -> None:
    with pytest.raises(BundleError, match="figures is not as expected"):
        read_summary(text)


def test_without_vela_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vela.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"ethos-u-vela.*vskd\[npu\]"):
        vela_estimate(b"")


def test_vela_itself() -> None:
    if importlib.util.find_spec("ethosu") is None:
        pytest.skip("needs the extra 'npu' (ethos-u-vela)")
    estimate = vela_estimate(linear_model((3, 16)))
    assert estimate.macs >= 192 and estimate.inference_ms > 0 and estimate.sram_bytes > 0
    with pytest.raises(BundleError, match="Vela gives no estimate"):
        vela_estimate(b"no model")


@pytest.fixture
def compiler(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A compiler that writes `tables`, and says `error` and `output` with an exit `code`."""
    told: dict[str, Any] = {"code": 0, "error": "", "output": "", "tables": {"model_summary_x.csv": f"{HEAD}\n{ROW}\n"}}

    def run(command: list[str], **settings: Any) -> subprocess.CompletedProcess[str]:
        told.update(command=command, settings=settings)
        folder = Path(settings["cwd"])
        told["model"] = (folder / command[3]).read_bytes()
        for name, text in told["tables"].items():
            (folder / name).write_text(text, encoding="utf-8")
        return subprocess.CompletedProcess(command, told["code"], told["output"], told["error"])

    monkeypatch.setattr(vela.importlib.util, "find_spec", lambda name: name == "ethosu" or None)
    monkeypatch.setattr(vela.subprocess, "run", run)
    return told


def test_the_model_is_compiled_for_the_named_npu_within_a_time_limit(compiler: dict[str, Any]) -> None:
    assert vela_estimate(b"model") == read_summary(f"{HEAD}\n{ROW}\n")
    assert compiler["command"] == [
        *(sys.executable, "-m", "ethosu.vela", "model.tflite"),
        *("--accelerator-config", "ethos-u55-128", "--output-dir", "."),
    ]
    assert compiler["model"] == b"model" and compiler["settings"]["timeout"] == 300
    assert not Path(compiler["settings"]["cwd"]).exists()


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"code": 1, "error": "bad\n operator", "output": "x"}, "no estimate: bad operator"),
        ({"code": 1, "output": "said here"}, "no estimate: said here"),
        ({"tables": {}, "output": "said here"}, "no estimate: said here"),
        ({"code": 1, "error": "a" * 99 + "b" * 300}, f"no estimate: {'b' * 300}"),
    ],
)
def test_what_vela_says_is_in_the_error(compiler: dict[str, Any], told: dict[str, Any], said: str) -> None:
    compiler.update(told)
    with pytest.raises(BundleError) as caught:
        vela_estimate(b"model")
    assert f"Vela gives {said}." in str(caught.value)


def test_a_compiler_without_end_is_named(compiler: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    def run(command: list[str], **settings: Any) -> None:
        raise subprocess.TimeoutExpired(command, settings["timeout"])

    monkeypatch.setattr(vela.subprocess, "run", run)
    with pytest.raises(BundleError, match="does not end within 300 s"):
        vela_estimate(b"model")


def test_figures_between_two_bytes_are_rounded() -> None:
    row = "Ethos_U55,Shared_Sram,400000000.0,0.25,4.3999,36.3001,12.6,29.4"
    estimate = read_summary(f"{HEAD}\n{row}\n")
    found = (estimate.sram_bytes, estimate.flash_bytes, estimate.macs, estimate.npu_cycles)
    assert found == (4505, 37171, 13, 29)  # 4505.5 - 0.002 and 37171.3
    assert [type(number) for number in found] == [int] * 4
    assert (estimate.inference_ms, estimate.system) == (250.0, "Ethos_U55, Shared_Sram, 400 MHz")


def test_what_vela_says_is_heard_and_its_folder_is_gone_afterwards(compiler: dict[str, Any]) -> None:
    vela_estimate(b"model")
    settings = compiler["settings"]
    assert (settings["capture_output"], settings["check"]) == (True, False)
    assert Path(settings["cwd"]).name.startswith("vskd-")
