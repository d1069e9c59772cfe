"""The checks refuse what torch would broadcast into a wrong number."""

import pytest
import torch

from vskd.losses.shapes import require_same_batch, require_same_shape


def test_equal_shapes_pass() -> None:
    require_same_shape("loss", torch.zeros(4, 3), torch.ones(4, 3))
    require_same_batch("loss", torch.zeros(4, 3), torch.ones(4, 7))


@pytest.mark.parametrize("teacher", [(1, 3), (4, 1), (3,), (4, 3, 1)])
def test_what_would_broadcast_is_refused(teacher: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"loss: student \(4, 3\) and teacher") as caught:
        require_same_shape("loss", torch.zeros(4, 3), torch.zeros(teacher))
    assert str(teacher) in str(caught.value)


@pytest.mark.parametrize(("student", "teacher"), [((4, 3), (5, 3)), ((4,), (4,)), ((4, 3, 1), (4, 3))])
def test_other_batches_are_refused(student: tuple[int, ...], teacher: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="of the same batch"):
        require_same_batch("loss", torch.zeros(student), torch.zeros(teacher))


@pytest.mark.parametrize("shape", [(4,), (4, 3, 1)])
def test_either_side_must_be_a_matrix(shape: tuple[int, ...]) -> None:
    for student, teacher in ((shape, (4, 3)), ((4, 3), shape)):
        with pytest.raises(ValueError, match="of the same batch") as caught:
            require_same_batch("loss", torch.zeros(student), torch.zeros(teacher))
        assert f"student {student}, teacher {teacher}" in str(caught.value)
