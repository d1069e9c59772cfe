"""vskd_golden.h holds the bundle's numbers: read back, they are the same."""

import base64
import re

import numpy as np
import pytest

from vskd.bundle.golden import Golden, GoldenVector
from vskd.bundle.stream.conditions import Condition
from vskd.bundle.stream.golden_stream import Played
from vskd.bundle.stream.stream import Decision
from vskd.errors import BundleError
from vskd.firmware_bridge.golden_source import ROW, golden_source


def golden(count: int = 2, size: int = 5, **changes: object) -> Golden:
    """Vectors of other numbers each."""
    vectors = []
    for n in range(count):
        given = np.arange(-n, size - n, dtype=np.int8)
        vectors.append(
            GoldenVector(
                id=f"v{n}",
                window=((0.5 + n, -0.25), (1.0, 0.1)),
                input=base64.b64encode(given.tobytes()).decode("ascii"),
                output=(-128.0 + n, 127.0, 3.0),
                logits=(0.0, 1.0, 0.5),
                label="b",
            )
        )
    content = {"input_shape": (1, size), "input_type": "int8", "output_type": "int8", "vectors": tuple(vectors)}
    return Golden(**(content | changes))


def array(text: str, name: str) -> tuple[str, list[list[str]]]:
    """Declaration and rows of an array of C."""
    found = re.search(rf"static const (\w+ {name}\[.*?) = \{{\n(.*?)\}};", text, re.DOTALL)
    assert found is not None, name
    rows = re.findall(r"\{(.*?)\}", found[2], re.DOTALL) or [found[2]]
    return found[1], [[word.strip() for word in row.split(",")] for row in rows]


def defined(text: str) -> dict[str, int]:
    return {name: int(value) for name, value in re.findall(r"#define VSKD_GOLDEN_(\w+) (\d+)\n", text)}


def test_inputs_and_outputs_of_images() -> None:
    text = golden_source(golden())
    declared, rows = array(text, "golden_inputs")
    assert declared == "int8_t golden_inputs[VSKD_GOLDEN_VECTORS][VSKD_MODEL_INPUT_BYTES]"
    assert rows == [["0", "1", "2", "3", "4"], ["-1", "0", "1", "2", "3"]]
    declared, rows = array(text, "golden_outputs")
    assert declared == "int8_t golden_outputs[VSKD_GOLDEN_VECTORS][VSKD_MODEL_CLASSES]"
    assert rows == [["-128", "127", "3"], ["-127", "127", "3"]]
    assert defined(text) == {"VECTORS": 2, "SAMPLES": 0, "DECISIONS": 0, "ANSWERED": 0}
    assert '#include "vskd_contract.h"\n#include "vskd_model.h"\n' in text and "vskd_stream.h" not in text
    assert "golden_windows" not in text and "golden_samples" not in text
    assert re.search(r"#ifndef VSKD_GOLDEN_H\n#define VSKD_GOLDEN_H\n.*#endif\n$", text, re.DOTALL)


def test_windows_samples_times_and_decisions_of_a_stream() -> None:
    calls = [
        (np.array([[1.5, np.nan]], np.float32), np.array([2**40], np.uint64)),
        (np.array([[0.1, -2.0], [0.0, 3.0]], np.float32), np.array([2**40 + 20_000, 7], np.uint64)),
    ]
    decisions = [Decision(Condition.OK, 2, 1, 17, 3, 9), Decision(Condition.GAP, -1, -1, 0, 2, 5)]
    windows, outputs = np.array([[[0.5, 7.0], [-1.0, 0.1]]], np.float32), np.array([[-128, 5, 127]], np.int8)
    text = golden_source(golden(), Played(calls, decisions, windows, outputs))
    assert defined(text) == {"VECTORS": 2, "SAMPLES": 3, "DECISIONS": 2, "ANSWERED": 1}
    assert '#include "vskd_stream.h"' in text and "vskd_contract.h" not in text

    declared, rows = array(text, "golden_windows")
    assert declared == "float golden_windows[VSKD_GOLDEN_VECTORS][VSKD_AXES * VSKD_LENGTH]"
    assert all(word.endswith("f") for row in rows for word in row)
    values = [[np.float32(float.fromhex(word[:-1])) for word in row] for row in rows]
    assert values == [[0.5, -0.25, 1.0, np.float32(0.1)], [1.5, -0.25, 1.0, np.float32(0.1)]]

    declared, rows = array(text, "golden_samples")
    assert declared == "float golden_samples[VSKD_GOLDEN_SAMPLES][VSKD_DEVICE_AXES]"
    assert rows[0][1] == "(0.0f / 0.0f)"
    read = [float.fromhex(word[:-1]) for word in (rows[0][0], *rows[1], *rows[2])]
    assert read == [1.5, float(np.float32(0.1)), -2.0, 0.0, 3.0]

    declared, (times,) = array(text, "golden_times")
    assert declared == "uint64_t golden_times[VSKD_GOLDEN_SAMPLES]"
    assert times == [f"{2**40}u", f"{2**40 + 20_000}u", "7u"]

    declared, rows = array(text, "golden_decisions")
    assert declared == "int32_t golden_decisions[VSKD_GOLDEN_DECISIONS][5]"
    assert rows == [["0", "2", "1", "17", "3"], [str(int(Condition.GAP)), "-1", "-1", "0", "2"]]

    declared, (row,) = array(text, "golden_stream_windows")
    assert declared == "float golden_stream_windows[VSKD_GOLDEN_ANSWERED][VSKD_AXES * VSKD_LENGTH]"
    assert [float.fromhex(word[:-1]) for word in row] == [0.5, 7.0, -1.0, float(np.float32(0.1))]
    declared, rows = array(text, "golden_stream_outputs")
    assert declared == "int8_t golden_stream_outputs[VSKD_GOLDEN_ANSWERED][VSKD_MODEL_CLASSES]"
    assert rows == [["-128", "5", "127"]]


def test_a_stream_of_which_no_window_was_answered_has_no_empty_arrays() -> None:
    calls = [(np.zeros((1, 2), np.float32), np.array([7], np.uint64))]
    nothing = Played(
        calls, [Decision(Condition.GAP, -1, -1, 0, 1, 7)], np.zeros((0, 2, 2), np.float32), np.zeros((0, 3), np.int8)
    )
    text = golden_source(golden(), nothing)
    assert defined(text)["ANSWERED"] == 0 and "golden_stream_" not in text


def test_long_rows_are_broken() -> None:
    text = golden_source(golden(1, 50))
    _, (row,) = array(text, "golden_inputs")
    assert row == [str(n) for n in range(50)]
    assert ROW == 24 and "22,23,\n24,25" in text and "46,47,\n48,49}" in text


@pytest.mark.parametrize("end", ["input_type", "output_type"])
def test_ends_of_floats_are_refused(end: str) -> None:
    with pytest.raises(BundleError, match="not int8 at both ends"):
        golden_source(golden(**{end: "float32"}))


def test_a_reset_in_between_has_no_samples_and_no_times() -> None:
    one = (np.array([[1.5, 2.0]], np.float32), np.array([7], np.uint64))
    reset = (np.zeros((0, 2), np.float32), None)
    decisions = [Decision(Condition.GAP, -1, -1, 0, 1, 7)]
    played = Played([one, reset, one], decisions, np.zeros((0, 2, 2), np.float32), np.zeros((0, 3), np.int8))
    text = golden_source(golden(), played)
    assert defined(text)["SAMPLES"] == 2
    assert array(text, "golden_times")[1] == [["7u", "7u"]]
