"""What the generators share: what they refuse, multipliers of channels, biases, strides."""

import numpy as np
import pytest

from vskd.errors import BundleError
from vskd.firmware_bridge.graph import Operator, Tensor
from vskd.firmware_bridge.operators.base import (
    OperatorKind,
    bias_of,
    channel_multipliers,
    check_kinds,
    check_same_steps,
    padded,
    refuse,
    shares_nothing,
    strides_of,
)


def tensor(
    scales: tuple[float, ...] = (0.5,), zero: int = 0, kind: str = "INT8", data: object = None, name: str = "t"
) -> Tensor:
    content = None if data is None else np.array(data)
    return Tensor(0, name, (1, 4), kind, scales, zero, content, 0)


def operator(*inputs: Tensor, output: Tensor | None = None) -> Operator:
    return Operator("CONV_2D", 7, inputs, output or tensor((0.25,)), None)


def test_a_refusal_names_operator_and_way_out() -> None:
    error = refuse(operator(), "dilated windows")
    assert error.problem == "Operator 7, CONV_2D: the firmware does not have dilated windows"
    assert "LiteRT or TFLite Micro" in error.action


def test_tensors_other_than_int8_are_refused() -> None:
    check_kinds(operator(), tensor(), tensor())
    with pytest.raises(BundleError, match=r"INT32 tensors \('second'\)"):
        check_kinds(operator(), tensor(), tensor(kind="INT32", name="second"))


@pytest.mark.parametrize("other", [tensor((0.25,)), tensor(zero=1)])
def test_what_only_moves_values_does_not_rescale(other: Tensor) -> None:
    check_same_steps(operator(), tensor(), tensor())
    with pytest.raises(BundleError, match="different scales"):
        check_same_steps(operator(), tensor(), other)
    with pytest.raises(BundleError, match="INT32 tensors"):
        check_same_steps(operator(), tensor(kind="INT32"), tensor(kind="INT32"))


def test_multipliers_of_one_scale_and_of_one_per_channel() -> None:
    """input 0.5 x weight / output 0.25: 0.5 * 0.25 / 0.25 = 0.5 = 2^30 / 2^31 * 2^0."""
    one = operator(tensor(), tensor((0.25,), data=[1]))
    assert channel_multipliers(one, 3) == ([2**30] * 3, [0] * 3)
    each = operator(tensor(), tensor((0.5, 0.125, 0.375), data=[1]))
    assert channel_multipliers(each, 3) == ([2**30, 2**30, 3 * 2**29], [1, -1, 0])


@pytest.mark.parametrize(("scales", "zero"), [((0.5, 0.5), 0), ((0.5,), 1)])
def test_weights_with_a_zero_point_or_too_few_scales_are_refused(scales: tuple[float, ...], zero: int) -> None:
    with pytest.raises(BundleError, match=rf"weights with {len(scales)} scales for 3 channels, or a zero point"):
        channel_multipliers(operator(tensor(), tensor(scales, zero, data=[1])), 3)


def test_biases() -> None:
    given, weight = tensor(), tensor(data=[1])
    assert bias_of(operator(given, weight), 3) == [0, 0, 0]
    bias = tensor(kind="INT32", data=[[5, -6, 2**31 - 1]])
    assert bias_of(operator(given, weight, bias), 3) == [5, -6, 2**31 - 1]
    for wrong in (tensor(kind="INT32"), tensor(kind="INT64", data=[5, 6, 7])):
        with pytest.raises(BundleError, match=rf"a bias that is {wrong.kind}, or computed"):
            bias_of(operator(given, weight, wrong), 3)


def test_strides() -> None:
    assert strides_of((2, 3, 4, 5)) == [60, 20, 5, 1]
    assert strides_of((7,)) == [1]
    assert strides_of(()) == []


def test_padding_goes_in_front() -> None:
    assert padded([5, 6], 4, 1) == [1, 1, 5, 6]
    assert padded([5, 6], 2, 1) == [5, 6]


def test_an_output_shares_no_place_unless_it_says_so() -> None:
    assert OperatorKind(lambda _operator, _source: []).shares is shares_nothing
    assert shares_nothing(operator(tensor())) is None
