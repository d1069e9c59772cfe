"""The same stream in Python and in C: every number of every decision is the same."""

from pathlib import Path

import numpy as np
import pytest

from tests.firmware_bridge.bundles import (
    HOST,
    LABELS,
    Call,
    Pair,
    chunked,
    clock,
    encoded,
    movement,
    sensor_contract,
)
from vskd.bundle.decision import DecisionSettings
from vskd.bundle.stream.conditions import Condition
from vskd.bundle.stream.stream_settings import DeviceSettings, StreamSettings
from vskd.firmware_bridge.generate import library_sources
from vskd.firmware_bridge.toolchain import build_program, run_program

WHOLE = {"window_mode": "whole", "stride": None, "window_rate_hz": None}
FORMS = {
    "raw": (sensor_contract(), StreamSettings()),
    "inside": (sensor_contract(encoding_inside=True), StreamSettings()),
    "minmax": (sensor_contract(**encoded("raw", "minmax")), StreamSettings()),
    "gasf": (
        sensor_contract(**encoded("gasf")),
        StreamSettings(decision=DecisionSettings(smoothing="majority", votes=4)),
    ),
    "gadf": (sensor_contract(**encoded("gadf", "minmax", 7)), StreamSettings(decision=DecisionSettings(hold=3))),
    "both": (
        sensor_contract(**encoded("gasf+gadf", "fixed", 16)),
        StreamSettings(decision=DecisionSettings(smoothing="hysteresis", votes=3, hold=4, min_log_odds=0.3)),
    ),
    "whole": (sensor_contract(**WHOLE), StreamSettings(samples=37, stride=9)),
    "whole gasf": (sensor_contract(**WHOLE, **encoded("gasf", "minmax")), StreamSettings()),
    "device": (
        sensor_contract(unit="m/s^2", range_limit=80.0),
        StreamSettings(
            device=DeviceSettings(
                unit_factor=9.80665 / 1024, axes=(1, 0, 3), signs=(1, -1, 1), rest=(0.0, 0.0, 1.0), rate_hz=50.0
            ),
            decision=DecisionSettings(smoothing="majority", votes=5, hold=2, min_log_odds=0.1),
        ),
    ),
    "down": (sensor_contract(), StreamSettings(device=DeviceSettings(rate_hz=100.0))),
    "down 6:5": (sensor_contract(stride=3), StreamSettings(device=DeviceSettings(rate_hz=60.0))),
    "up": (sensor_contract(), StreamSettings(device=DeviceSettings(rate_hz=25.0))),
    "whole, down": (sensor_contract(**WHOLE), StreamSettings(samples=30, device=DeviceSettings(rate_hz=100.0))),
}


def random_stream(pair: Pair, generator: np.random.Generator) -> list[Call]:
    """Movement with all that can go wrong, cut into calls of random size."""
    plan = pair.firmware.plan
    assert plan is not None
    rate = 50.0 * plan.resampling.down / plan.resampling.up
    calls: list[Call] = []
    for _ in range(int(generator.integers(1, 5))):
        count = int(generator.integers(1, 200 + 2 * plan.checked))
        scale = float(np.exp(generator.uniform(-2, 2))) * generator.choice([1.0, 1.0, 1 / plan.factor])
        samples = movement(count, generator, plan.device_axes, scale)
        times = clock(count, rate * generator.choice([1.0, 1.0, 1.0, 0.96, 1.05, 1.6]), generator)
        trouble = generator.integers(0, 9)
        place = int(generator.integers(0, count))
        if trouble == 0:
            samples[place, -1] = generator.choice([np.nan, np.inf, -np.inf, 3e38])
        elif trouble == 1:
            times[place:] += np.uint64(generator.choice([90_000, 100_001, 10_000_000]))
        elif trouble == 2:
            samples[:] = samples[place]
        elif trouble == 3:
            samples = np.clip(samples, -plan.contract.range_limit / plan.factor, None)
            samples[place:] *= np.float32(50)
        elif trouble in (4, 7):  # at rest, in any pose
            samples[:] = 0
            length = 9.80665 if plan.contract.unit == "m/s^2" else 1.0
            samples[:, -1 if trouble == 7 else int(generator.integers(0, 3))] = (
                generator.choice([-1, 1]) * length / plan.factor
            )
            samples += generator.normal(0, 1e-3, samples.shape).astype(np.float32)
        calls += chunked(samples, None if trouble == 5 else times, generator)
        if trouble == 6:
            calls.append((samples[:0], None))
    return calls


def plan_has_rest(pair: Pair) -> bool:
    plan = pair.firmware.plan
    return plan is not None and plan.gravity is not None and plan.gravity.rest is not None


@pytest.fixture(scope="module", params=list(FORMS))
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Pair:
    if HOST.missing:
        pytest.skip(HOST.missing)
    return Pair.of(tmp_path_factory.mktemp("pair"), *FORMS[request.param])


def test_random_streams_with_all_that_can_go_wrong(pair: Pair) -> None:
    generator = np.random.default_rng(0)
    calls: list[Call] = []
    for _ in range(40):
        calls += random_stream(pair, generator)
        calls.append((np.zeros((0, 3), np.float32), None))  # a reset between the streams
    expected = pair.in_python(calls)
    assert pair.in_c(calls) == expected
    seen = {decision.status for decision in expected}
    assert {Condition.OK, Condition.WRONG_RATE, Condition.GAP, Condition.NOT_FINITE, Condition.CONSTANT} <= seen
    if plan_has_rest(pair):
        assert Condition.WRONG_GRAVITY in seen
    assert len({decision.window_label for decision in expected}) > 1


def test_labels_and_hashes_reach_c(tmp_path: Path) -> None:
    if HOST.missing:
        pytest.skip(HOST.missing)
    pair = Pair.of(tmp_path, *FORMS["raw"])
    (pair.folder / "show.c").write_text(
        '#include <stdio.h>\n#include "vskd_stream.h"\n'
        "int main(void)\n{\n    const vskd_description d = vskd_info();\n    int32_t n;\n"
        '    (void)printf("%s\\n%d %d %d\\n", d.bundle, (int)d.classes, (int)d.device_axes, (int)d.delay_samples);\n'
        '    for (n = 0; n < d.classes; n++) {\n        (void)printf("%s\\n", d.labels[n]);\n    }\n'
        "    return d.arena_bytes == VSKD_ARENA_BYTES ? 0 : 1;\n}\n"
    )
    program = build_program(HOST, pair.folder, ["show.c", *library_sources(pair.firmware)], tmp_path / "show")
    lines = run_program(program, b"").decode("utf-8").splitlines()
    assert lines == [pair.firmware.bundle.digest, "4 3 0", *LABELS]


def test_an_arena_that_does_not_do_is_refused(tmp_path: Path) -> None:
    if HOST.missing:
        pytest.skip(HOST.missing)
    pair = Pair.of(tmp_path, *FORMS["raw"])
    calls = ["0, VSKD_ARENA_BYTES, w", "a, VSKD_ARENA_BYTES - 1, w", "a + 1, VSKD_ARENA_BYTES, w", "a, sizeof b - 8, 0"]
    refused = " || ".join(f"vskd_init({call}) != NULL" for call in calls)
    (pair.folder / "show.c").write_text(
        '#include "vskd_stream.h"\n'
        "static union { double align; unsigned char bytes[VSKD_ARENA_BYTES + 8]; } b;\n"
        "int main(void)\n{\n    unsigned char *const a = b.bytes;\n    const int8_t *const w = vskd_weights;\n"
        f"    if ({refused}) {{\n        return 1;\n    }}\n"
        "    return vskd_init(a, VSKD_ARENA_BYTES, w) == NULL;\n}\n"
    )
    program = build_program(HOST, pair.folder, ["show.c", *library_sources(pair.firmware)], tmp_path / "show")
    assert run_program(program, b"") == b""
