"""The figures are consistent with each other and with a clock of our own."""

import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from vskd.bundle import latency
from vskd.bundle.latency import Latency, compare_latency, delegate_partitions
from vskd.bundle.runtime import LiteRTModel
from vskd.errors import BundleError


def measured(model: bytes, **options: int) -> Latency:
    return compare_latency({"model": model}, **options)["model"]


def test_figures_are_consistent(tiny_int8: bytes):
    figures = measured(tiny_int8, threads=1, warmup=3, runs=40)
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
    figures = measured(tiny_int8, warmup=1, runs=100)
    expected = Latency(50.5, 95.05, 1.0, 100 / 5.05, 1, 1, 100)  # of 1, 2, ... 100 ms
    assert vars(figures) == pytest.approx(vars(expected))


def test_the_clock_runs_over_single_inferences_after_the_warm_up(tiny_int8: bytes, monkeypatch: pytest.MonkeyPatch):
    """Every run takes a millisecond less than the one before it; making the input takes a minute."""
    now, runs = 0.0, 0
    to_raw = LiteRTModel.to_raw

    def run(_model: LiteRTModel, _x: np.ndarray) -> None:
        nonlocal now, runs
        now, runs = now + 0.001 * (100 - runs), runs + 1

    def prepare(model: LiteRTModel, x: np.ndarray) -> np.ndarray:
        nonlocal now
        now += 60
        return to_raw(model, x)

    monkeypatch.setattr(LiteRTModel, "raw", run)
    monkeypatch.setattr(LiteRTModel, "to_raw", prepare)
    monkeypatch.setattr(latency.time, "perf_counter", lambda: now)
    figures = measured(tiny_int8, warmup=5, runs=20)
    assert runs == 25
    assert (figures.min_ms, figures.p50_ms) == pytest.approx((76.0, 85.5))  # of 95, 94, ... 76 ms
    assert figures.images_per_s == pytest.approx(1000 / 85.5)


def test_figures_lie_between_those_of_a_clock_inside_and_one_outside(tiny_int8: bytes, monkeypatch: pytest.MonkeyPatch):
    """Each run takes at least what its inference takes and at most what its call takes; so do the order statistics."""
    inside: list[float] = []
    outside: list[float] = []

    def timed(function: Callable[..., Any], times: list[float]) -> Callable[..., Any]:
        def call(*given: Any) -> Any:
            start = time.perf_counter()
            answer = function(*given)
            times.append(1e3 * (time.perf_counter() - start))
            return answer

        return call

    monkeypatch.setattr(LiteRTModel, "raw", timed(LiteRTModel.raw, inside))
    monkeypatch.setattr(latency, "_time_s", timed(latency._time_s, outside))
    figures = measured(tiny_int8, warmup=1, runs=300)
    assert (len(inside), len(outside)) == (301, 300)
    found = (figures.min_ms, figures.p50_ms, figures.p95_ms)
    low, high = (np.percentile(times, [0, 50, 95]) for times in (inside[1:], outside))
    assert (low <= found).all() and (found <= high).all()


def test_models_take_turns(tiny_int8: bytes, tiny_float: bytes, monkeypatch: pytest.MonkeyPatch):
    order: list[str] = []
    monkeypatch.setattr(latency, "_time_s", lambda model, x: order.append(model.input_type) or 0.001)
    result = compare_latency({"int8": tiny_int8, "float": tiny_float}, runs=25)
    assert list(result) == ["int8", "float"]
    assert order == (["int8"] * 10 + ["float32"] * 10) * 2 + ["int8"] * 5 + ["float32"] * 5


@pytest.mark.parametrize(("option", "value"), [("threads", 0), ("warmup", 0), ("runs", 19)])
def test_bad_options_are_named(tiny_int8: bytes, option: str, value: int):
    with pytest.raises(BundleError, match=f"{option} is {value}"):
        measured(tiny_int8, **{option: value})


def test_not_a_model():
    with pytest.raises(BundleError):
        measured(b"not a model")


def test_a_small_convolution_network_is_one_piece(tiny_int8: bytes, tiny_float: bytes):
    assert delegate_partitions(tiny_int8) == delegate_partitions(tiny_float) == 1


def test_it_needs_no_torch():
    program = "import sys, vskd.bundle.latency; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_what_holds_where_nothing_is_said_and_threads_reach_the_model(
    tiny_int8: bytes, monkeypatch: pytest.MonkeyPatch
):
    asked: list[int] = []
    runs: list[int] = []

    class Spy(LiteRTModel):
        def __init__(self, content: bytes, threads: int) -> None:
            asked.append(threads)
            super().__init__(content, threads)

        def raw(self, x):
            runs.append(1)

    monkeypatch.setattr(latency, "LiteRTModel", Spy)
    plain = measured(tiny_int8)
    other = measured(tiny_int8, threads=2, warmup=3, runs=20)
    assert (plain.threads, plain.warmup, plain.runs) == (1, 10, 100)
    assert (other.threads, other.warmup, other.runs) == (2, 3, 20)
    assert asked == [1, 2] and len(runs) == 110 + 23
    figures = (plain.p50_ms, plain.p95_ms, plain.min_ms, plain.images_per_s)
    assert [type(figure) for figure in figures] == [float] * 4


def test_a_model_with_a_larger_batch_is_refused_by_name(tiny_int8: bytes, monkeypatch: pytest.MonkeyPatch):
    class Two(LiteRTModel):
        def __init__(self, content: bytes, threads: int) -> None:
            super().__init__(content, threads)
            self.input_shape = (2, *self.input_shape[1:-1], 1)

    monkeypatch.setattr(latency, "LiteRTModel", Two)
    with pytest.raises(BundleError, match="Model 'odd' has a batch of 2"):
        compare_latency({"odd": tiny_int8})


def test_a_version_that_does_not_tell_its_pieces(tiny_int8: bytes, monkeypatch: pytest.MonkeyPatch):
    from ai_edge_litert import interpreter

    class Silent:
        def __init__(self, **_: object) -> None:
            pass

        def allocate_tensors(self) -> None:
            pass

    monkeypatch.setattr(interpreter, "Interpreter", Silent)
    assert delegate_partitions(tiny_int8) is None
