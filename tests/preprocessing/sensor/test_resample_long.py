"""Piece by piece or at once, the samples at another rate are the same."""

import numpy as np
import pytest

from tests.preprocessing.sensor.recordings import wrist
from vskd.preprocessing.sensor.resample_long import resampled_count, resampled_pieces
from vskd.preprocessing.sensor.signals import resample_to_rate

RATES = [(50.0, 50.0), (50.0, 25.0), (25.0, 50.0), (104.0, 50.0), (49.6, 50.0), (31.047618, 30.0)]


@pytest.mark.parametrize(("rate", "new"), RATES)
@pytest.mark.parametrize("piece", [1, 64, 1000, 10**6])
def test_pieces_are_those_of_the_whole(rate: float, new: float, piece: int) -> None:
    signal = wrist(40 if piece == 1 else 3001, rate).T.astype(np.float32) + np.float32([[0], [2], [-3]])
    whole = resample_to_rate(signal, rate, new)
    assert resampled_count(signal.shape[1], rate, new) == whole.shape[1]
    pieces = list(resampled_pieces(lambda a, b: signal[:, a:b], signal.shape[1], rate, new, piece))
    assert all(part.shape[1] <= piece and part.dtype == np.float32 for part in pieces)
    np.testing.assert_allclose(np.concatenate(pieces, axis=1), whole, rtol=0, atol=2e-6)


def test_only_a_piece_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def read(first: int, behind: int) -> np.ndarray:
        asked.append(behind - first)
        return np.ones((1, behind - first), dtype=np.float32)

    for _ in resampled_pieces(read, 100_000, 50.0, 25.0, 200):
        pass
    assert max(asked) < 500
