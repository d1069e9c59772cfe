"""Golden inputs of a model of any kind: see `golden`, `golden_images` and `golden_clips`."""

import numpy as np
import numpy.typing as npt

from vskd.bundle.contract import ClipContract, Contract, ImageContract
from vskd.bundle.golden import synthetic_windows
from vskd.bundle.golden_clips import synthetic_clips
from vskd.bundle.golden_images import synthetic_images


def synthetic_samples(contract: Contract) -> list[tuple[str, npt.NDArray[np.float32]]]:
    """Synthetic windows, images or clips: names, and float32 values in the contract's window shape."""
    if isinstance(contract, ClipContract):
        return synthetic_clips(contract)
    return synthetic_images(contract) if isinstance(contract, ImageContract) else synthetic_windows(contract)
