"""A network that computes in float what its int8 model will compute, so that it can be trained under it.

Weights and activations are rounded in the forward pass to the values that int8 can hold, with the scales that
`quantize_int8` would choose, and the gradient passes the rounding as if it were not there (straight-through; Jacob et
al., "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference", CVPR 2018, arXiv
1712.05877). Rounding and its gradient are torch's own `fake_quantize_per_*` functions. BatchNorm is folded into the
convolutions first, as it is in the deployed model, and stays so.
"""

import copy
import operator

import torch
from torch import Tensor, fx, nn
from torch.func import functional_call
from torch.fx.passes.shape_prop import ShapeProp
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

from vskd.bundle.contract import RangeEstimator
from vskd.errors import BundleError
from vskd.export.convert.deploy_form import SpaceToDepthConvolution
from vskd.export.convert.integer_form import PointwiseLinear

_CLAMPS: tuple[object, ...] = (nn.ReLU, nn.ReLU6, functional.relu, functional.relu6, torch.relu, "relu")
# These give back values of their input: the int8 tensor keeps the input's scale.
_PASSING: tuple[object, ...] = (
    nn.Dropout,
    nn.Identity,
    nn.MaxPool2d,
    nn.Flatten,
    torch.flatten,
    "flatten",
    "permute",
    "reshape",
    "view",
    getattr,
    operator.getitem,
)
_JOINS: tuple[object, ...] = (torch.cat,)
_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)


class RoundedLayer(nn.Module):
    """A layer that computes with its weights as int8 holds them: symmetric, -127..127, one scale per output channel.

    Args:
        layer: a convolution, a fully connected layer, or a module of such.
    """

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor) -> Tensor:
        """Like the layer."""
        parameters = self.layer.named_parameters()
        rounded = {name: round_weight(value) for name, value in parameters if name.split(".")[-1] == "weight"}
        output: Tensor = functional_call(self.layer, rounded, (x,))
        return output


def round_weight(weight: Tensor) -> Tensor:
    """Weights (out, ...) as int8 holds them, in float."""
    scale = weight.detach().flatten(1).abs().amax(dim=1).clamp_min(torch.finfo(torch.float32).tiny) / 127
    zeros = torch.zeros(len(scale), dtype=torch.int32, device=weight.device)
    return torch.fake_quantize_per_channel_affine(weight, scale, zeros, 0, -127, 127)


class ActivationRounding(nn.Module):
    """Activations as int8 holds them: one scale and zero point per tensor; zero is always held exactly.

    Args:
        range_estimator: as in `quantize_int8`: true extremes, or their moving average with smoothing 0.95.

    Attributes:
        frozen: whether the range stays as it is. It never changes in evaluation mode.
    """

    low: Tensor
    high: Tensor
    seen: Tensor

    def __init__(self, range_estimator: RangeEstimator) -> None:
        super().__init__()
        self.range_estimator = range_estimator
        self.frozen = False
        self.register_buffer("low", torch.zeros(()))
        self.register_buffer("high", torch.zeros(()))
        self.register_buffer("seen", torch.zeros((), dtype=torch.bool))

    def forward(self, x: Tensor) -> Tensor:
        """Any shape -> the same."""
        if self.training and not self.frozen:
            self._observe(*x.detach().aminmax())
        if not self.seen:
            return x
        scale = ((self.high - self.low) / 255).clamp_min(torch.finfo(torch.float32).tiny)
        zero = (-128 - self.low / scale).round().clamp(-128, 127).to(torch.int32)
        return torch.fake_quantize_per_tensor_affine(x, scale, zero, -128, 127)

    def _observe(self, low: Tensor, high: Tensor) -> None:
        low, high = low.clamp_max(0), high.clamp_min(0)
        if not self.seen:
            pass
        elif self.range_estimator == "minmax":
            low, high = torch.minimum(self.low, low), torch.maximum(self.high, high)
        else:
            low, high = 0.95 * self.low + 0.05 * low, 0.95 * self.high + 0.05 * high
        self.low.copy_(low)
        self.high.copy_(high)
        self.seen.fill_(True)


class SimulatedInt8(nn.Module):
    """A network that computes as its int8 model will, up to the rounding of biases and of int32 sums.

    Args:
        module: one tensor in, one tensor out, e.g. `deploy_form(network)`; it is not changed. Its operations must be
            traceable by torch.fx.
        example: an input, float (1, ...).
        range_estimator: how activation ranges follow from what is seen in training mode.

    Raises:
        BundleError: the module cannot be traced.
    """

    def __init__(self, module: nn.Module, example: Tensor, range_estimator: RangeEstimator = "minmax") -> None:
        super().__init__()
        self._plain = fold_batch_norm(_trace(copy.deepcopy(module).eval()))
        graph = fx.Graph()
        graph.output(graph.graph_copy(self._plain.graph, {}))
        self.simulated = fx.GraphModule(self._plain, graph)  # shares the layers of the plain one
        with torch.no_grad():
            ShapeProp(self.simulated).propagate(example)
        _round_weights(self.simulated)
        self._roundings = _insert_roundings(self.simulated, range_estimator)

    def forward(self, x: Tensor) -> Tensor:
        """Like the module."""
        output: Tensor = self.simulated(x)
        return output

    def freeze_ranges(self) -> None:
        """Keep all activation ranges as they are from now on."""
        for rounding in self._roundings:
            rounding.frozen = True

    def plain(self) -> nn.Module:
        """The float module with the trained weights, for `convert_float`; a copy, in evaluation mode."""
        return copy.deepcopy(self._plain).eval()


class _Tracer(fx.Tracer):
    """Steps into everything but what decides by shapes, and convolutions of whatever class."""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        whole = isinstance(m, SpaceToDepthConvolution | PointwiseLinear | nn.Conv2d)
        return whole or super().is_leaf_module(m, module_qualified_name)


def _trace(module: nn.Module) -> fx.GraphModule:
    try:
        graph = _Tracer().trace(module)
    except (fx.proxy.TraceError, TypeError, RuntimeError) as error:
        detail = " ".join(str(error).split())[:200]
        raise BundleError(f"The network cannot be traced: {detail}", "Quantize it without training") from error
    traced = fx.GraphModule(module, graph)
    traced.graph.eliminate_dead_code()  # features and embedding, which the logits do not need
    return traced


def fold_batch_norm(traced: fx.GraphModule) -> fx.GraphModule:
    """Fold every BatchNorm that follows a convolution into it, in place, as conversion does."""
    for node in list(traced.graph.nodes):
        if node.op != "call_module" or not isinstance(traced.get_submodule(node.target), _NORMS):
            continue
        (source,) = node.args
        if source.op == "call_module" and len(source.users) == 1:
            convolution, norm = traced.get_submodule(source.target), traced.get_submodule(node.target)
            if isinstance(convolution, (nn.Conv1d, nn.Conv2d)) and isinstance(norm, _NORMS):
                traced.set_submodule(source.target, fuse_conv_bn_eval(convolution, norm))
                node.replace_all_uses_with(source)
                traced.graph.erase_node(node)
    traced.delete_all_unused_submodules()
    traced.recompile()
    return traced


def _round_weights(traced: fx.GraphModule) -> None:
    for node in traced.graph.nodes:
        if node.op == "call_module":
            layer = traced.get_submodule(str(node.target))
            if isinstance(layer, (nn.Conv1d, nn.Conv2d, nn.Linear, PointwiseLinear, SpaceToDepthConvolution)):
                traced.set_submodule(str(node.target), RoundedLayer(layer))


def _insert_roundings(traced: fx.GraphModule, range_estimator: RangeEstimator) -> list[ActivationRounding]:
    """One `ActivationRounding` behind everything that is a tensor of its own in the int8 model."""
    roundings: list[ActivationRounding] = []
    for node in list(traced.graph.nodes):
        if not _is_stored(traced, node):
            continue
        rounding = ActivationRounding(range_estimator)
        name = f"rounding_{len(roundings)}"
        traced.add_submodule(name, rounding)
        with traced.graph.inserting_after(node):
            rounded = traced.graph.call_module(name, (node,))
        node.replace_all_uses_with(rounded, delete_user_cb=lambda user, own=rounded: user is not own)
        roundings.append(rounding)
    traced.recompile()
    return roundings


def _is_stored(traced: fx.GraphModule, node: fx.Node) -> bool:
    """Whether the int8 model has a tensor with its own scale here: not in front of a clamp that is fused, or a join."""
    meta = node.meta.get("tensor_meta")
    if node.op in ("output", "get_attr") or meta is None or not meta.dtype.is_floating_point:
        return False
    if node.op != "placeholder" and _is_one_of(traced, node, _PASSING):
        return False
    return not all(_is_one_of(traced, user, (*_CLAMPS, *_JOINS)) for user in node.users)


def _is_one_of(traced: fx.GraphModule, node: fx.Node, kinds: tuple[object, ...]) -> bool:
    if node.op == "call_module":
        return type(traced.get_submodule(str(node.target))) in kinds
    return node.op in ("call_function", "call_method") and node.target in kinds
