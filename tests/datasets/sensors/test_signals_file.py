"""Signals in a file: what was added is taken out, each by itself."""

from pathlib import Path

import numpy as np
import pytest

from vskd.datasets.sensors.signals_file import SignalsFile


def test_each_signal_is_as_it_was(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    made = {str(n): generator.normal(size=(3, 5 * n)).astype(np.float32) for n in range(4)}
    made["turned"] = np.arange(12, dtype=np.float32).reshape(4, 3).T  # its memory is in another order
    signals = SignalsFile(tmp_path / "signals")
    for name, signal in made.items():
        signals.add(name, signal)
    assert list(signals) == list(made) and len(signals) == 5
    for name in reversed(made):
        np.testing.assert_array_equal(signals[name], made[name])
        assert signals[name].dtype == np.float32
    assert signals.path.stat().st_size == 4 * sum(signal.size for signal in made.values())
    with pytest.raises(KeyError):
        signals["other"]
    assert not SignalsFile(tmp_path / "signals")  # begins anew
