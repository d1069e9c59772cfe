"""Golden inputs of a model of clips: synthetic pictures that drift, because nobody's video has a place in a bundle."""

import numpy as np
import numpy.typing as npt

from vskd.bundle.contract import ClipContract

CONTRASTS = (0.25, 1.0)
"""One golden clip each: how much of the range of grey values it fills."""
WAVES, CYCLES, DRIFT = 4, (0.5, 6.0), 2.0
"""Plane waves of a channel; slowest and fastest, in turns per picture; and the most turns that one drifts by."""


def synthetic_clips(contract: ClipContract, seed: int = 0) -> list[tuple[str, npt.NDArray[np.float32]]]:
    """Smooth random clips, from a dull one to one that fills the whole range; see `synthetic_images`.

    Args:
        contract: gives frames, size and channels.
        seed: the same seed gives the same clips (up to a step where a value lies between two grey levels).

    Returns:
        (name, float32 whole numbers 0..255 of the contract's window shape) pairs.
    """
    generator = np.random.default_rng(seed)
    time, down, across = (np.arange(n) / n for n in (contract.length, contract.height, contract.width))
    result = []
    for number, contrast in enumerate(CONTRASTS):
        waves = (WAVES, contract.channels, 1, 1, 1)
        turns, angle = generator.uniform(*CYCLES, waves), generator.uniform(0, 2 * np.pi, waves)
        phase, drift = generator.uniform(0, 2 * np.pi, waves), generator.uniform(-DRIFT, DRIFT, waves)
        place = np.cos(angle) * across + np.sin(angle) * down[:, None]
        clip = np.sin(2 * np.pi * (turns * place + drift * time[:, None, None]) + phase).sum(axis=0)
        low, high = (extreme(axis=(1, 2, 3), keepdims=True) for extreme in (clip.min, clip.max))
        pixels = 127.5 + 255 * contrast * ((clip - low) / (high - low) - 0.5)
        result.append((f"synthetic-{number}", pixels.round().astype(np.float32).reshape(contract.window_shape)))
    return result
