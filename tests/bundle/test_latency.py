"""The figures are consistent with each other and with a clock of our own."""

import subprocess
import sys
import time

import numpy as np
import pytest

from vskd.bundle import latency
from vskd.bundle.latency import Latency, compare_latency, delegate_partitions, measure_latency
from vskd.bundle.runtime import LiteRTModel
from vskd.errors import BundleError


def test_figures_are_consistent(tiny_int8: bytes):
    figures = measure_latency(tiny_int8, threads=1, warmup=3, runs=40)
    assert (figures.threads, figures.warmup, figures.runs) == (1, 3, 40)
    assert 0 < figures.min_ms <= figures.p50_ms <= figures.p95_ms
    assert figures.images_per_s <= 1e3 / figures.min_ms


def test_percentiles_of_known_times(tiny_int8: bytes, monkeypatch: pytest.MonkeyPatch):
    durations_s = iter(0.001 * np.arange(1, 101))
    now = [0.0, True]

    def clock() -> float:
        now[1] = not now[1]
        now[0] += float(next(durations_s)) if now[1] else 0.0
        return now[0]

    monkeypatch.setattr(latency.time, "perf_counter", clock)
    figures = measure_latency(tiny_int8, warmup=1, runs=100)
    expected = Latency(50.5, 95.05, 1.0, 100 / 5.05, 1, 1, 100)  # of 1, 2, ... 100 ms
    assert vars(figures) == pytest.approx(vars(expected))


def test_order_of_magnitude_is_that_of_a_clock_of_our_own(tiny_int8: bytes):
    model = LiteRTModel(tiny_int8)
    x = np.zeros(model.input_shape, np.int8)
    best = np.inf
    for _ in range(300):
        start = time.perf_counter()
        model.raw(x)
        best = min(best, time.perf_counter() - start)
    assert measure_latency(tiny_int8, runs=300).min_ms == pytest.approx(1e3 * best, rel=4)


def test_models_take_turns(tiny_int8: bytes, tiny_float: bytes, monkeypatch: pytest.MonkeyPatch):
    order: list[str] = []
    monkeypatch.setattr(latency, "_time_s", lambda model, x: order.append(model.input_type) or 0.001)
    result = compare_latency({"int8": tiny_int8, "float": tiny_float}, runs=25)
    assert list(result) == ["int8", "float"]
    assert order == (["int8"] * 10 + ["float32"] * 10) * 2 + ["int8"] * 5 + ["float32"] * 5


@pytest.mark.parametrize(("option", "value"), [("threads", 0), ("warmup", 0), ("runs", 19)])
def test_bad_options_are_named(tiny_int8: bytes, option: str, value: int):
    with pytest.raises(BundleError, match=f"{option} is {value}"):
        measure_latency(tiny_int8, **{option: value})


def test_not_a_model():
    with pytest.raises(BundleError):
        measure_latency(b"not a model")


def test_a_small_convolution_network_is_one_piece(tiny_int8: bytes, tiny_float: bytes):
    assert delegate_partitions(tiny_int8) == delegate_partitions(tiny_float) == 1


def test_it_needs_no_torch():
    program = "import sys, vskd.bundle.latency; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
