"""The same stream in Python and in C: every number of every decision is the same."""

from pathlib import Path

import numpy as np
import pytest

from tests.firmware_bridge.bundles import HOST, LABELS, Call, Pair, chunked, clock, movement, sensor_contract
from tests.firmware_bridge.random_streams import FORMS, random_stream
from vskd.bundle.stream.conditions import Condition
from vskd.firmware_bridge.generate import library_sources
from vskd.firmware_bridge.toolchain import build_program, run_program


def plan_has_rest(pair: Pair) -> bool:
    plan = pair.firmware.plan
    return plan is not None and plan.gravity is not None and plan.gravity.rest is not None


@pytest.fixture(scope="module", params=list(FORMS))
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Pair:
    if HOST.missing:
        pytest.skip(HOST.missing)
    return Pair.of(tmp_path_factory.mktemp("pair"), *FORMS[request.param])


def test_random_streams_with_all_that_can_go_wrong(pair: Pair) -> None:
    generator, plan = np.random.default_rng(0), pair.firmware.plan
    assert plan is not None
    calls: list[Call] = []
    for _ in range(40):
        calls += random_stream(plan, generator)
        calls.append((np.zeros((0, 3), np.float32), None))  # a reset between the streams
    expected = pair.in_python(calls)
    assert pair.in_c(calls) == expected
    seen = {decision.status for decision in expected}
    assert {Condition.OK, Condition.WRONG_RATE, Condition.GAP, Condition.NOT_FINITE, Condition.CONSTANT} <= seen
    if plan_has_rest(pair):
        assert Condition.WRONG_GRAVITY in seen
    assert len({decision.window_label for decision in expected}) > 1


def test_a_change_of_rate_of_odd_numbers(tmp_path: Path) -> None:
    """25 outputs for 52 samples, through a filter of 1,041 taps."""
    if HOST.missing:
        pytest.skip(HOST.missing)
    pair, generator = Pair.of(tmp_path, sensor_contract(rate_hz=104.0)), np.random.default_rng(0)
    samples = movement(500, generator)
    calls = chunked(samples, clock(500, 104.0, generator), generator)
    expected = pair.in_python(calls)
    assert pair.in_c(calls) == expected
    assert len(expected) > 30 and {decision.status for decision in expected} == {Condition.OK}


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
