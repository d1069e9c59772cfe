"""Golden inputs of a model of images: synthetic pictures, because a driver's face has no place in a bundle."""

import numpy as np
import numpy.typing as npt

from vskd.bundle.contract import ImageContract

CONTRASTS = (0.25, 1.0)
"""One golden picture each: how much of the range of grey values it fills."""
WAVES = 6
"""Plane waves that make up a channel."""
CYCLES = (0.5, 12.0)
"""Slowest and fastest of them, in turns per picture."""


def synthetic_images(contract: ImageContract, seed: int = 0) -> list[tuple[str, npt.NDArray[np.float32]]]:
    """Smooth random pictures, no one's face, from a dull one to one that fills the whole range.

    Each channel is a sum of plane waves of random direction, turns and phase, scaled to fill its part of 0..255 around
    the middle, and rounded.

    Args:
        contract: gives size and channels.
        seed: the same seed gives the same pictures (up to a step where a value lies between two grey levels; what a
            bundle stores are the values themselves).

    Returns:
        (name, float32 whole numbers 0..255 of the contract's window shape) pairs.
    """
    generator = np.random.default_rng(seed)
    axis = np.arange(contract.size) / contract.size
    result = []
    for number, contrast in enumerate(CONTRASTS):
        turns = generator.uniform(*CYCLES, (WAVES, contract.channels, 1, 1))
        angle = generator.uniform(0, 2 * np.pi, (WAVES, contract.channels, 1, 1))
        phase = generator.uniform(0, 2 * np.pi, (WAVES, contract.channels, 1, 1))
        across = np.cos(angle) * axis[np.newaxis, :] + np.sin(angle) * axis[:, np.newaxis]
        picture = np.sin(2 * np.pi * turns * across + phase).sum(axis=0)  # (channels, size, size)
        low, high = picture.min(axis=(1, 2), keepdims=True), picture.max(axis=(1, 2), keepdims=True)
        pixels = 127.5 + 255 * contrast * ((picture - low) / (high - low) - 0.5)
        result.append((f"synthetic-{number}", pixels.round().astype(np.float32).reshape(contract.window_shape)))
    return result
