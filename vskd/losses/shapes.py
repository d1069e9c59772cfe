"""Shape checks shared by the losses: torch would broadcast a mismatch into a wrong number."""

from torch import Tensor


def require_same_shape(what: str, student: Tensor, teacher: Tensor) -> None:
    """Refuse tensors of different shapes.

    Raises:
        ValueError: naming both shapes.
    """
    if student.shape != teacher.shape:
        raise ValueError(f"{what}: student {tuple(student.shape)} and teacher {tuple(teacher.shape)} differ in shape")


def require_same_batch(what: str, student: Tensor, teacher: Tensor) -> None:
    """Refuse anything but two matrices with the same number of rows; their widths may differ.

    Raises:
        ValueError: naming both shapes.
    """
    if student.ndim != 2 or teacher.ndim != 2 or student.shape[0] != teacher.shape[0]:
        shapes = f"student {tuple(student.shape)}, teacher {tuple(teacher.shape)}"
        raise ValueError(f"{what}: needs two (batch, width) embeddings of the same batch, got {shapes}")
