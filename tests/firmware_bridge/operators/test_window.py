"""The geometry of a moving window by hand: sizes, strides, padding; and what does not follow is refused."""

from types import SimpleNamespace

import pytest

from vskd.errors import BundleError
from vskd.firmware_bridge.graph import Operator, Tensor
from vskd.firmware_bridge.operators.window import SAME, VALID, window_fields


def operator(
    given: tuple[int, ...], output: tuple[int, ...], padding: int, stride: tuple[int, int] = (1, 1), **options: int
) -> Operator:
    tensors = [Tensor(n, f"t{n}", shape, "INT8", (0.1,), 0, None, 0) for n, shape in enumerate((given, output))]
    found = SimpleNamespace(padding=padding, strideH=stride[0], strideW=stride[1], **options)
    weight = Tensor(2, "weight", (7, 3, 3, 5), "INT8", (0.1,), 0, None, 0)
    return Operator("CONV_2D", 2, (tensors[0], weight), tensors[1], found)


def test_the_numbers_are_those_of_the_schema() -> None:
    assert (SAME, VALID) == (0, 1)


def test_without_padding() -> None:
    fields = window_fields(operator((1, 9, 12, 3), (1, 4, 3, 8), VALID, (2, 3)), (3, 5))
    assert fields == {
        "in_h": 9,
        "in_w": 12,
        "in_c": 3,
        "out_h": 4,  # (9 - 3) // 2 + 1
        "out_w": 3,  # (12 - 5) // 3 + 1
        "out_c": 8,
        "k_h": 3,
        "k_w": 5,
        "stride_h": 2,
        "stride_w": 3,
        "pad_h": 0,
        "pad_w": 0,
    }


def test_with_padding_the_odd_pixel_is_behind() -> None:
    """Height: 5 of stride 2 cover (5 - 1) * 2 + 3 = 11 of 10: one pixel, behind. Width: 6 of 7, 4 and 2."""
    fields = window_fields(operator((1, 10, 7, 3), (1, 5, 7, 8), SAME, (2, 1)), (3, 6))
    assert (fields["pad_h"], fields["pad_w"]) == (0, 2)
    fields = window_fields(operator((1, 9, 7, 3), (1, 5, 7, 8), SAME, (2, 1)), (3, 5))
    assert (fields["pad_h"], fields["pad_w"]) == (1, 2)


def test_a_window_smaller_than_its_stride_needs_none() -> None:
    assert window_fields(operator((1, 8, 8, 1), (1, 3, 3, 1), SAME, (3, 3)), (1, 1))["pad_h"] == 0


@pytest.mark.parametrize("given", [(2, 9, 9, 3), (9, 9, 3), (1, 1, 9, 9, 3)])
def test_one_picture_of_four_axes(given: tuple[int, ...]) -> None:
    with pytest.raises(BundleError, match=r"an input of shape \("):
        window_fields(operator(given, (1, 7, 7, 3), VALID), (3, 3))
    with pytest.raises(BundleError, match=r"an input of shape \("):
        window_fields(operator((1, 9, 9, 3), (7, 7, 3), VALID), (3, 3))


@pytest.mark.parametrize("name", ["dilationHFactor", "dilationWFactor"])
def test_dilated_windows_are_refused(name: str) -> None:
    fields = window_fields(operator((1, 9, 9, 3), (1, 7, 7, 3), VALID, **{name: 1}), (3, 3))
    assert fields["out_h"] == 7
    with pytest.raises(BundleError, match=r"Operator 2, CONV_2D: .*dilated windows"):
        window_fields(operator((1, 9, 9, 3), (1, 7, 7, 3), VALID, **{name: 2}), (3, 3))


@pytest.mark.parametrize(("output", "problem"), [((1, 6, 7, 3), "6 where 7"), ((1, 7, 8, 3), "8 where 7")])
def test_an_output_that_does_not_follow(output: tuple[int, ...], problem: str) -> None:
    with pytest.raises(BundleError, match=f"an output of {problem} follow"):
        window_fields(operator((1, 9, 9, 3), output, VALID), (3, 3))
