"""A wrist as an accelerometer feels it, with the noise of a real sensor: still, then a movement, then still."""

import numpy as np


def wrist(samples: int = 150, rate_hz: float = 50.0, seed: int = 0) -> np.ndarray:
    """(samples, 3) in g; the first and last fifth are at rest."""
    random = np.random.default_rng(seed)
    time = np.arange(samples) / rate_hz
    duration = samples / rate_hz
    moving = np.clip(np.minimum(time, duration - time) / duration - 0.2, 0, None)[:, None] * 4
    gravity = random.normal(size=3)
    gravity /= np.linalg.norm(gravity)
    movement = np.sin(2 * np.pi * time[:, None] * random.uniform(0.8, 2.5, 3) + random.uniform(0, 6, 3))
    return np.asarray(gravity + moving * movement + 0.01 * random.normal(size=(samples, 3)))
