"""From a window or an image to the model's input, as the contract says; torch-free."""

import numpy as np
import numpy.typing as npt

from vskd.bundle.contract import ClipContract, Contract, ImageContract
from vskd.bundle.encode_numpy import encode

Sample = npt.NDArray[np.float32] | npt.NDArray[np.uint8]
"""A window, float32 (channels, samples) in the contract's unit; an image, (channels, height, width), 0..255; or a clip,
(channels, frames, height, width), 0..255."""


def model_input(sample: Sample, contract: Contract) -> npt.NDArray[np.float32]:
    """The float32 network input of one window or image, without a batch dimension.

    Args:
        sample: of the contract's sample shape; an image also in its window shape.
        contract: says whether and how a window is encoded outside the model, or how pixels are scaled.

    Returns:
        The window itself if the encoding is inside the model, else the encoded window; the scaled image with its
        channels last, (height, width, channels); the scaled clip, (channels, frames, height, width).
    """
    if isinstance(contract, ImageContract):
        return np.ascontiguousarray(_scaled(sample, contract).transpose(1, 2, 0))
    if isinstance(contract, ClipContract):
        return _scaled(sample, contract)
    if contract.encoding_inside:
        return sample.astype(np.float32)
    encoding = contract.encoding
    window = sample.astype(np.float32)
    return encode(window, encoding.method, encoding.scaling, encoding.limit, encoding.image_size)


def student_input(sample: Sample, contract: Contract) -> npt.NDArray[np.float32]:
    """What the trained student takes: the window, which it encodes by itself; or the scaled image or clip, channels
    first."""
    if isinstance(contract, ImageContract | ClipContract):
        return _scaled(sample, contract)
    return sample.astype(np.float32)


def _scaled(sample: Sample, contract: ImageContract | ClipContract) -> npt.NDArray[np.float32]:
    """Pixel values 0..255 -> the contract's range, in the contract's sample shape."""
    low, high = contract.value_range
    pixels = np.asarray(sample, dtype=np.float32).reshape(contract.sample_shape)
    return np.asarray(pixels * np.float32((high - low) / 255) + np.float32(low), dtype=np.float32)
