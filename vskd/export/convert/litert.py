"""From a torch network to a float LiteRT model."""

import os

import torch
from torch import Tensor, nn

from vskd.bundle.native_output import quiet_native_output
from vskd.errors import BundleError, MissingExtraError
from vskd.network import Outputs


class LogitsOnly(nn.Module):
    """A network that returns `Outputs`, made to return its logits alone, as a deployed model does.

    Args:
        network: nn.Module that returns `Outputs`.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        """(batch, ...) -> (batch, classes)."""
        outputs: Outputs = self.network(x)
        return outputs.logits


def convert_float(module: nn.Module, example: Tensor) -> bytes:
    """Convert a network to a float32 LiteRT model with the example's fixed shape.

    The network is put into evaluation mode for the conversion, and every part back into its own mode afterwards.

    Args:
        module: returns one tensor, the logits (see `LogitsOnly`).
        example: float32 (1, ...), an input of the deployed shape.

    Returns:
        The flatbuffer; its weights are inside.

    Raises:
        MissingExtraError: litert-torch is not installed.
        BundleError: the network holds an operation that the converter does not know.
    """
    # The converter prints its progress to the terminal unless told otherwise before its first import.
    os.environ.setdefault("LITERT_TORCH_SHOW_PROGRESS", "n")
    try:
        with quiet_native_output():
            import litert_torch
    except ImportError as error:
        raise MissingExtraError("litert-torch", "export") from error
    modes = [(part, part.training) for part in module.modules()]  # a part may be frozen: each gets its own mode back
    module.eval()
    try:
        with quiet_native_output(), torch.no_grad():
            content: bytes = litert_torch.convert(module, (example,)).model_content()
    except (RuntimeError, ValueError, NotImplementedError, TypeError) as error:
        detail = " ".join(str(error).split())[:300]
        raise BundleError(
            f"The network cannot be converted to LiteRT: {detail}",
            "Replace the operation that is named, or export with the encoding outside the model",
        ) from error
    finally:
        for part, training in modes:
            part.training = training
    return content
