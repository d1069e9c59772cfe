"""Batch-1 latency of LiteRT models: what a user waits for one image. Needs no torch."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from vskd.bundle.native_output import quiet_native_output
from vskd.bundle.runtime import LiteRTModel, RawArray
from vskd.errors import BundleError, MissingExtraError

MIN_RUNS = 20  # fewer do not show a 95th percentile
_BLOCK = 10


@dataclass(frozen=True)
class Latency:
    """Time of one inference, from an input in the model's own type to the output in the model's own type.

    Attributes:
        p50_ms, p95_ms: median and 95th percentile, in milliseconds.
        min_ms: the fastest run: what remains on a machine that is busy with other things.
        images_per_s: runs per second of time spent in them, one after another.
        threads: CPU threads of the kernels.
        warmup: runs before the clock was started.
        runs: measured runs.
    """

    p50_ms: float
    p95_ms: float
    min_ms: float
    images_per_s: float
    threads: int
    warmup: int
    runs: int


def compare_latency(
    models: Mapping[str, bytes], *, threads: int = 1, warmup: int = 10, runs: int = 100
) -> dict[str, Latency]:
    """Latency of several models in alternation, so that whatever else the machine does meets all of them alike.

    They take turns in blocks of a few runs, because the first run after another model's finds cold caches.

    Args:
        models: name -> flatbuffer. Each is asked about random input, batch 1.
        threads: CPU threads, at least 1.
        warmup: unmeasured runs of each first, at least 1: the first run packs weights and touches memory.
        runs: measured runs of each, at least 20.

    Raises:
        BundleError: not a LiteRT model, its batch is not 1, or an argument is out of range.
        MissingExtraError: ai-edge-litert is not installed.
    """
    for name, value, least in (("threads", threads, 1), ("warmup", warmup, 1), ("runs", runs, MIN_RUNS)):
        if value < least:
            raise BundleError(f"{name} is {value}", f"Set {name} to {least} or more")
    prepared = {name: _prepare(name, content, threads) for name, content in models.items()}
    for model, x in prepared.values():
        for _ in range(warmup):
            model.raw(x)
    times_s = {name: np.empty(runs) for name in prepared}
    for start in range(0, runs, _BLOCK):
        for name, (model, x) in prepared.items():
            for run in range(start, min(start + _BLOCK, runs)):
                times_s[name][run] = _time_s(model, x)
    return {name: _summarise(values, threads, warmup) for name, values in times_s.items()}


def delegate_partitions(model_bytes: bytes) -> int | None:
    """Into how many pieces XNNPACK takes the model: 1 is best, and each gap between pieces costs copies of tensors.

    Returns:
        Number of delegated pieces, 0 if nothing is delegated, None if this version of LiteRT does not tell.

    Raises:
        MissingExtraError: ai-edge-litert is not installed.
    """
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError as error:
        raise MissingExtraError("ai-edge-litert", "export") from error
    with quiet_native_output():
        interpreter: Any = Interpreter(model_content=model_bytes, num_threads=1)
        interpreter.allocate_tensors()
    if not hasattr(interpreter, "_get_ops_details"):
        return None
    return [operator["op_name"] for operator in interpreter._get_ops_details()].count("DELEGATE")


def _prepare(name: str, content: bytes, threads: int) -> tuple[LiteRTModel, RawArray]:
    model = LiteRTModel(content, threads=threads)
    if model.input_shape[0] != 1:
        raise BundleError(f"Model '{name}' has a batch of {model.input_shape[0]}", "Export it with a batch of 1")
    x = np.random.default_rng(0).random(model.input_shape, dtype=np.float32)
    return model, model.to_raw(x)


def _time_s(model: LiteRTModel, x: RawArray) -> float:
    start = time.perf_counter()
    model.raw(x)
    return time.perf_counter() - start


def _summarise(times_s: npt.NDArray[np.float64], threads: int, warmup: int) -> Latency:
    p50, p95 = np.percentile(times_s, [50, 95])
    return Latency(
        p50_ms=1e3 * float(p50),
        p95_ms=1e3 * float(p95),
        min_ms=1e3 * float(times_s.min()),
        images_per_s=float(len(times_s) / times_s.sum()),
        threads=threads,
        warmup=warmup,
        runs=len(times_s),
    )
