"""The same network in layers whose int8 arithmetic is one and the same in every runtime. Every rewrite here is exact.

- A fully connected layer becomes a 1x1 convolution. LiteRT's reference kernel of FULLY_CONNECTED scales its sums in
  float64, TFLite Micro's in int32 with two roundings, and they differ by one step now and then. Of CONV_2D both have
  the same arithmetic, which fixed-point C repeats bit for bit (`vskd.firmware_bridge`).
- BatchNorm behind a 1-D convolution is folded into it. The converter folds the 2-D ones alone; the others would remain
  as a product and a sum, each with its own rounding and its own pass over the tensor.
- What else a network knows how to fold is folded (`Network.fold`), for the same reason: `Rocket1d` its standardisation.
"""

import copy
import logging

import torch
from torch import Tensor, fx, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from vskd.export.convert.litert import LogitsOnly
from vskd.network import Network

logger = logging.getLogger(__name__)


class PointwiseLinear(nn.Module):
    """A fully connected layer, computed as a 1x1 convolution.

    Args:
        linear: the layer. It is not changed.

    Shape:
        (..., in_features) -> (..., out_features), as `linear`.
    """

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        self.in_features, self.out_features = linear.in_features, linear.out_features
        self.convolution = nn.Conv2d(self.in_features, self.out_features, 1, bias=linear.bias is not None)
        self.convolution.weight.data = linear.weight.detach()[:, :, None, None].clone()
        if linear.bias is not None:
            self.convolution.bias = nn.Parameter(linear.bias.detach().clone())

    def forward(self, x: Tensor) -> Tensor:
        """Every vector is a picture of one pixel."""
        output: Tensor = self.convolution(x.reshape(-1, self.in_features, 1, 1))
        return output.reshape(*x.shape[:-1], self.out_features)


def integer_form(network: nn.Module) -> nn.Module:
    """A copy of a network without fully connected layers, and without BatchNorm behind 1-D convolutions.

    Args:
        network: returns `Outputs` or one tensor; it is not changed. Where torch.fx cannot trace it, BatchNorm stays.

    Returns:
        The same network in evaluation mode; its logits differ by float rounding alone.
    """
    result = copy.deepcopy(network).eval()
    with torch.no_grad():
        if any(isinstance(part, nn.BatchNorm1d) for part in result.modules()):
            _fold_series_norms(result)
        if isinstance(result, Network):
            result.fold()
        for name, part in list(result.named_modules()):
            if type(part) is nn.Linear and name:
                result.set_submodule(name, PointwiseLinear(part))
    return result


def _fold_series_norms(network: nn.Module) -> None:
    """Fold in place every BatchNorm1d whose input is the output of a Conv1d and of nothing else."""
    for convolution_name, norm_name in _norms_behind_convolutions(network):
        convolution, norm = network.get_submodule(convolution_name), network.get_submodule(norm_name)
        if isinstance(convolution, nn.Conv1d) and isinstance(norm, nn.BatchNorm1d):
            network.set_submodule(convolution_name, fuse_conv_bn_eval(convolution, norm))
            network.set_submodule(norm_name, nn.Identity())


def _norms_behind_convolutions(network: nn.Module) -> list[tuple[str, str]]:
    """(name of the convolution, name of the BatchNorm), in the order of computing."""
    wrapped = LogitsOnly(network)
    try:
        traced = fx.GraphModule(wrapped, fx.Tracer().trace(wrapped))
    except (fx.proxy.TraceError, AttributeError, TypeError, RuntimeError) as error:
        logger.info("BatchNorm stays as it is, the network cannot be traced: %s", " ".join(str(error).split())[:200])
        return []
    traced.graph.eliminate_dead_code()  # features, which the logits do not need
    found = []
    for node in traced.graph.nodes:
        if node.op != "call_module" or not isinstance(wrapped.get_submodule(str(node.target)), nn.BatchNorm1d):
            continue
        (source,) = node.args
        if isinstance(source, fx.Node) and source.op == "call_module" and len(source.users) == 1:
            found.append((str(source.target).removeprefix("network."), str(node.target).removeprefix("network.")))
    return found
