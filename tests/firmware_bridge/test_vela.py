"""Vela's estimate: its table is read, its absence named."""

import importlib.util

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
