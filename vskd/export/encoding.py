"""From a window to the model's input, as the contract says; torch-free."""

import numpy as np
import numpy.typing as npt

from vskd.export.contract import SensorContract
from vskd.preprocessing.encode_numpy import encode


def model_input(window: npt.NDArray[np.float32], contract: SensorContract) -> npt.NDArray[np.float32]:
    """The float32 network input of one window.

    Args:
        window: float32 (channels, samples) in the contract's unit.
        contract: says whether and how the window is encoded outside the model.

    Returns:
        The window itself if the encoding is inside the model, else the encoded window; no batch dimension.
    """
    if contract.encoding_inside:
        return window.astype(np.float32)
    encoding = contract.encoding
    return encode(window, encoding.method, encoding.scaling, encoding.limit, encoding.image_size)
