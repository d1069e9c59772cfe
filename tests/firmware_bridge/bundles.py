"""Small bundles around hand-made models, without torch or a converter; and their streams in Python and C."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tests.firmware_bridge.conftest import HandMade, Step, Value
from vskd.bundle.bundle import Bundle, load_bundle, write_bundle
from vskd.bundle.contract import (
    Accuracy,
    ClipContract,
    Contract,
    EncodingContract,
    ImageContract,
    Manifest,
    ParityNumbers,
    ProtocolRecord,
    Provenance,
    Quantization,
    SensorContract,
    SplitSizes,
)
from vskd.bundle.encoding import model_input
from vskd.bundle.golden import make_golden, synthetic_windows
from vskd.bundle.golden_clips import synthetic_clips
from vskd.bundle.golden_images import synthetic_images
from vskd.bundle.stream.stream import Decision, Stream
from vskd.bundle.stream.stream_settings import StreamSettings
from vskd.bundle.stream.synthetic_stream import Call, Samples, Times
from vskd.firmware_bridge.generate import Firmware, library_sources, read_firmware, write_firmware
from vskd.firmware_bridge.reference import reference_stream
from vskd.firmware_bridge.stream_records import pack_calls, read_decisions
from vskd.firmware_bridge.toolchain import Build, build_program, run_program

LABELS = ("rest", 'wave "hello"?', "größer", "clap")
HOST = Build("C, gcc", "gcc", ("-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"))


def sensor_contract(**changes: object) -> SensorContract:
    """Sliding windows of 16 samples at 50 Hz, raw."""
    content: dict[str, object] = {
        "stream": "accelerometer",
        "placement": "right wrist",
        "unit": "g",
        "axes": ("x", "y", "z"),
        "rate_hz": 50.0,
        "window_mode": "sliding",
        "length": 16,
        "stride": 5,
        "window_rate_hz": 50.0,
        "min_samples": 8,
        "max_samples": 400,
        "range_limit": 8.0,
        "encoding": EncodingContract(method="raw", scaling="fixed", limit=4.0, image_size=8),
        "encoding_inside": False,
    }
    return SensorContract(**(content | changes))


def encoded(method: str, scaling: str = "fixed", size: int = 8) -> dict[str, object]:
    """Changes of a contract."""
    return {"encoding": EncodingContract(method=method, scaling=scaling, limit=4.0, image_size=size)}


def linear_model(shape: tuple[int, ...], seed: int = 0) -> bytes:
    """int8 input of `shape` -> logits of four classes, by one 1x1 convolution."""
    generator, size = np.random.default_rng(seed), int(np.prod(shape))
    weight = generator.integers(-127, 128, (len(LABELS), 1, 1, size)).astype(np.int8)
    scales = (1 / 127.0, 0.01, 0.012, 0.009)
    values = [
        Value((1, *shape), (1 / 127.0,), 3),
        Value((1, 1, 1, size), (1 / 127.0,), 3),
        Value(weight.shape, scales, 0, weight),
        Value((1, 1, 1, len(LABELS)), (0.02 * size**0.5,), -4),
        Value((1, len(LABELS)), (0.02 * size**0.5,), -4),
        Value((len(LABELS),), tuple(scale / 127 for scale in scales), 0, np.zeros(len(LABELS), np.int32)),
    ]
    options = {"strideH": 1, "strideW": 1}
    steps = [
        Step("RESHAPE", (0,), 1, ("ReshapeOptions", {"newShape": [1, 1, 1, size]})),
        Step("CONV_2D", (1, 2, 5), 3, ("Conv2DOptions", options)),
        Step("RESHAPE", (3,), 4, ("ReshapeOptions", {"newShape": [1, len(LABELS)]})),
    ]
    return HandMade(values, steps).pack()


def _samples(contract: Contract) -> list[tuple[str, npt.NDArray[np.float32]]]:
    if isinstance(contract, ClipContract):
        return synthetic_clips(contract)
    return synthetic_images(contract) if isinstance(contract, ImageContract) else synthetic_windows(contract)


def make_bundle(out: Path, contract: Contract, seed: int = 0) -> Bundle:
    """A bundle whose model fits the contract."""
    samples = _samples(contract)
    encode = partial(model_input, contract=contract)
    model = linear_model(encode(samples[0][1]).shape, seed)
    parity = ParityNumbers(max_abs_error=0.0, mean_abs_error=0.0, argmax_agreement=1.0, n=1)
    manifest = Manifest(
        vskd_version="0",
        created_utc=datetime(2026, 1, 1, tzinfo=UTC),
        provenance=Provenance(
            recipe="hand-made",
            dataset="none",
            protocol=ProtocolRecord(name="none", hash="0" * 64),
            split_sizes=SplitSizes(train=1, validation=1, test=1),
            labels=LABELS,
            seed=0,
        ),
        contract=contract,
        quantization=Quantization(
            input_type="int8", output_type="int8", range_estimator="minmax", calibration_ids=("a",)
        ),
        accuracy=Accuracy(split="train", recordings=1, float32=1.0, int8=1.0, max_drop=0.0),
        parity_int8=parity,
        parity_float32=parity,
        files={},
    )
    golden = make_golden(model, samples, encode, LABELS, contract)
    write_bundle(out, model=model, float_model=model, golden=golden, manifest=manifest)
    return load_bundle(out)


@dataclass
class Pair:
    """One stream, in Python and in C."""

    firmware: Firmware
    folder: Path
    program: Path | None = None

    @classmethod
    def of(cls, folder: Path, contract: SensorContract, settings: StreamSettings | None = None) -> "Pair":
        """Make the bundle and write its firmware."""
        firmware = read_firmware(make_bundle(folder / "bundle", contract), settings)
        out = folder / "firmware"
        out.mkdir()
        write_firmware(firmware, out)
        return cls(firmware, out)

    def stream(self) -> Stream:
        """The stream in Python."""
        assert self.firmware.plan is not None
        return reference_stream(self.firmware.graph, self.firmware.plan)

    def in_python(self, calls: Sequence[Call]) -> list[Decision]:
        """Decisions after calls of push; one without samples is a reset."""
        stream, found = self.stream(), []
        for samples, times in calls:
            if len(samples):
                found += list(stream.feed(samples, times))
            else:
                stream.reset()
        return found

    def in_c(self, calls: Sequence[Call]) -> list[Decision]:
        """The same in C, with sanitizers."""
        if self.program is None:
            sources = ["vskd_stream_run.c", *library_sources(self.firmware)]
            self.program = build_program(HOST, self.folder, sources, self.folder / "stream")
        return read_decisions(run_program(self.program, pack_calls(calls)))


def chunked(samples: Samples, times: Times | None, generator: np.random.Generator) -> list[Call]:
    """The same samples in calls of random size."""
    calls, start = [], 0
    while start < len(samples):
        stop = start + int(generator.integers(1, 40))
        calls.append((samples[start:stop], None if times is None else times[start:stop]))
        start = stop
    return calls


def movement(count: int, generator: np.random.Generator, axes: int = 3, scale: float = 1.0) -> Samples:
    """A signal like that of a wrist: gravity, slow sines, noise; some stretches at rest."""
    time = np.arange(count)[:, np.newaxis] / 50
    signal = np.sin(time * generator.uniform(1, 20, axes) + generator.uniform(0, 6, axes)) * generator.uniform(0.2, 2)
    signal[:, axes - 1] += 1.0
    signal += generator.normal(0, 0.01, signal.shape)
    return (scale * signal).astype(np.float32)


def clock(count: int, rate_hz: float, generator: np.random.Generator, jitter: float = 0.1) -> Times:
    """Time stamps in microseconds, with jitter."""
    times = (np.arange(count) + generator.uniform(-jitter, jitter, count)) * 1e6 / rate_hz + 5e6
    return np.asarray(times, dtype=np.uint64)
