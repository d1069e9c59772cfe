"""The mark by which a camera says how it was held, and what turns its frames upright."""

import struct
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vskd.errors import DataError

_OBLIQUE = 0.02
"""How far a mark may be from a quarter turn, as a fraction: numbers of marks are rounded."""


class Turn(NamedTuple):
    """Quarter turns and mirror images: rows and columns change places first, then either direction is reversed."""

    swap: bool = False
    flip_columns: bool = False
    flip_rows: bool = False

    def apply(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """A view of (height, width, ...), upright."""
        if self.swap:
            picture = picture.swapaxes(0, 1)
        return picture[:: -1 if self.flip_rows else 1, :: -1 if self.flip_columns else 1]


UPRIGHT = Turn()


def turn_of_matrix(content: bytes, path: Path) -> Turn:
    """What a display matrix says.

    Args:
        content: nine integers a b u, c d v, x y w in the machine's byte order; a stored pixel (p, q), counted to the
            right and down, is shown at (a p + c q, b p + d q). See ISO/IEC 14496-12, 8.2.2.
        path: for messages.

    Raises:
        DataError: it is no quarter turn.
    """
    a, b, _, c, d = struct.unpack("=9i", content)[:5]
    straight, crossed = min(abs(a), abs(d)), min(abs(b), abs(c))
    if max(map(abs, (b, c))) <= _OBLIQUE * straight:
        return Turn(False, a < 0, d < 0)
    if crossed and max(map(abs, (a, d))) <= _OBLIQUE * crossed:
        return Turn(True, c < 0, b < 0)
    raise DataError(
        f"{path}: its rotation mark ({', '.join(f'{value / 65536:.3g}' for value in (a, b, c, d))}) is no quarter turn",
        "Convert the video so that it is stored upright",
    )
