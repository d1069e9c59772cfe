"""PAD and PADV2 against LiteRT's reference kernel."""

from dataclasses import replace

import numpy as np
import pytest

from tests.firmware_bridge.conftest import (
    MOVED_SCALE,
    MOVED_ZERO,
    HandMade,
    Step,
    Value,
    Workbench,
    check,
    constant,
    moved,
)
from tests.firmware_bridge.operators.each import (
    CHECKED,
    EACH,
    check_kinds_of,
    computed,
    emitted,
    fields,
    operator,
    tensor,
)
from vskd.errors import BundleError
from vskd.firmware_bridge.graph import read_graph
from vskd.firmware_bridge.model_source import model_source


@pytest.mark.parametrize("paddings", [((0, 0), (1, 2), (3, 0), (0, 0)), ((0, 0), (0, 1), (0, 0), (2, 1))])
@pytest.mark.parametrize("fill", [None, -100])
def test_padding(workbench: Workbench, paddings: tuple[tuple[int, int], ...], fill: int | None) -> None:
    shape = (1, 3, 4, 2)
    padded = tuple(n + before + after for n, (before, after) in zip(shape, paddings, strict=True))
    values = [moved(*shape), constant(paddings), moved(*padded)]
    step = Step("PAD", (0, 1), 2, ("PadOptions", {}))
    if fill is not None:
        values.append(Value((1,), MOVED_SCALE, MOVED_ZERO, np.array([fill], np.int8)))
        step = Step("PADV2", (0, 1, 3), 2, ("PadV2Options", {}))
    check(workbench, HandMade(values, [step]), np.random.default_rng(0))


def test_padding_of_three_axes(workbench: Workbench) -> None:
    values = [moved(1, 3, 4), constant(((0, 0), (2, 1), (1, 0))), moved(1, 6, 5)]
    check(workbench, HandMade(values, [Step("PAD", (0, 1), 2, ("PadOptions", {}))]), np.random.default_rng(0))


def test_axes_that_a_tensor_does_not_have_are_of_one_value() -> None:
    values = [moved(3, 4), constant(((2, 1), (1, 0))), moved(6, 5)]
    model = HandMade(values, [Step("PAD", (0, 1), 2, ("PadOptions", {}))])
    code = "".join(model_source(read_graph(model.pack()), in_place=False).code.split())
    assert "{1,1,3,4}" in code
    assert "{1,1,6,5}" in code
    assert "{0,0,2,1}" in code


@pytest.mark.parametrize("name", ["PAD", "PADV2"])
def test_other_kinds_and_other_steps_are_refused(name: str) -> None:
    """Of the input, of the output and of the value that PADV2 pads with."""
    check_kinds_of(name)
    tensors = [*EACH[name].inputs, EACH[name].output]
    for place in (0, -2, -1) if name == "PADV2" else (0, -1):
        for change in ({"scales": (0.2,)}, {"zero_point": 1}):
            changed = list(tensors)
            changed[place] = replace(changed[place], **change)
            with pytest.raises(BundleError, match=f"{name}: .*inputs and output of different scales"):
                emitted(replace(EACH[name], inputs=tuple(changed[:-1]), output=changed[-1]))


def test_computed_sizes_and_values_and_five_axes_are_refused() -> None:
    for one, problem in (
        (computed("PAD", 1), "padding of 2 axes, or by sizes that are computed"),
        (computed("PADV2", 2), "a value of padding that is computed"),
        (
            operator("PAD", (tensor(0, (1,) * 5), tensor(1, (5, 2), [[0, 0]] * 5, "INT32")), tensor(2, (1,) * 5)),
            "padding of 5 axes",
        ),
    ):
        with pytest.raises(BundleError, match=problem):
            emitted(one)
    four = operator("PAD", (tensor(0, CHECKED), tensor(1, (4, 2), [[0, 1]] * 4, "INT32")), tensor(2, (3, 4, 3, 4)))
    assert len(emitted(four)) == 1


def test_pad_fills_with_the_zero_point_and_padv2_with_its_value() -> None:
    moved_zero = [
        replace(t, zero_point=7) if t.kind == "INT8" else t for t in (*EACH["PAD"].inputs, EACH["PAD"].output)
    ]
    one = replace(EACH["PAD"], inputs=tuple(moved_zero[:-1]), output=moved_zero[-1])
    assert fields(one, "vskd_padding")["value"] == "7"
    assert fields(EACH["PADV2"], "vskd_padding") == {
        "in_size": "{1, 1, 1, 8}",
        "out_size": "{1, 1, 1, 11}",
        "before": "{0, 0, 0, 1}",
        "value": "-9",
    }
