"""What every network is to the engine: what it returns, what it can be asked, and how any of its layers is seen."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from vskd.errors import SettingError, nearest

OUTPUT_LAYERS = ("logits", "embedding")
"""Layers that every network has."""


@dataclass(frozen=True)
class Outputs:
    """The answer of a network for one batch.

    Attributes:
        logits: (batch, classes), unnormalised.
        embedding: (batch, width), the semantic embedding that the distillers compare.
        features: layer name -> tensor with the batch first, for distillers that look inside.
    """

    logits: Tensor
    embedding: Tensor
    features: Mapping[str, Tensor] = field(default_factory=dict)

    def layer(self, name: str) -> Tensor:
        """The logits, the embedding, or a feature.

        Raises:
            ValueError: there is none of that name; the message lists those there are.
        """
        found = {"logits": self.logits, "embedding": self.embedding, **self.features}
        if name not in found:
            raise ValueError(f"there is no layer '{name}' among the outputs, only {', '.join(found)}")
        return found[name]

    def fixed(self) -> "Outputs":
        """The same without a gradient, in at least float32."""
        features = {name: whole(feature.detach()) for name, feature in self.features.items()}
        return Outputs(whole(self.logits.detach()), whole(self.embedding.detach()), features)


def whole(x: Tensor) -> Tensor:
    """At least float32: losses are not computed in bfloat16."""
    return x.to(torch.promote_types(x.dtype, torch.float32))


class Network(nn.Module):
    """Base of the networks: what the engine asks of each, with the answers of one that has nothing special.

    Attributes:
        embedding_size: width of the embedding.
    """

    embedding_size: int

    def forward(self, x: Tensor) -> Outputs:
        """Classify a batch."""
        raise TypeError(f"{type(self).__name__} does not say how it computes: define forward")

    def reseed(self, seed: int) -> None:
        """Make what is random inside depend on `seed` only; called at the start of every epoch."""

    def start_from(self, *, pretrained: bool) -> None:
        """Called once before training: whether the weights were trained before, elsewhere."""

    def parameter_groups(self, learning_rate: float, weight_decay: float) -> list[dict[str, Any]]:
        """Groups for the optimizer; by default all parameters alike."""
        return [{"params": list(self.parameters())}]


class FeatureTaps:
    """Sees layers of a network that it does not return by itself, by their module path (as torchdistill does).

    A layer is `logits`, `embedding`, a name in the network's own `features` (`deep`), or the path of a module
    (`layer3.1.conv2`), whose output is taken by a forward hook.

    Args:
        network: returns `Outputs`.
        layers: names of layers.

    Raises:
        SettingError: a layer is none of these; the nearest path is given.
    """

    def __init__(self, network: nn.Module, layers: Iterable[str], own: Iterable[str] = ()) -> None:
        modules = dict(network.named_modules())
        self._seen: dict[str, Tensor] = {}
        self._handles: list[RemovableHandle] = []
        self.layers = tuple(dict.fromkeys(layers))
        known = (*OUTPUT_LAYERS, *own)
        for layer in self.layers:
            if layer in known:
                continue
            if layer not in modules or not layer:
                names = [*known, *(path for path in modules if path)]
                raise SettingError(
                    f"There is no layer '{layer}' in {type(network).__name__}: {nearest(layer, names)}",
                    "Name an output, a feature, or the path of a module",
                )
            self._handles.append(modules[layer].register_forward_hook(self._keep(layer)))

    def _keep(self, layer: str) -> Any:
        def hook(_module: nn.Module, _inputs: Any, output: Any) -> None:
            self._seen[layer] = output

        return hook

    def collect(self, outputs: Outputs) -> Outputs:
        """`outputs` of the forward pass just made, its features being those asked for."""
        own = {name: outputs.features[name] for name in self.layers if name in outputs.features}
        seen, self._seen = self._seen, {}
        return replace(outputs, features=own | seen)

    def remove(self) -> None:
        """Take the hooks away."""
        for handle in self._handles:
            handle.remove()
        self._handles.clear()


def layer_shapes(network: nn.Module, input_shape: tuple[int, ...], layers: Iterable[str]) -> dict[str, tuple[int, ...]]:
    """Shapes of layers for one sample, the batch left out, from one forward pass on zeros in evaluation mode.

    Args:
        network: returns `Outputs`; its mode is left as it was.
        input_shape: of one sample, e.g. (channels, height, width).
        layers: as in `FeatureTaps`.

    Raises:
        SettingError: the network has no such layer, or it gives no tensor.
    """
    device = next(network.parameters()).device
    training = network.training
    network.eval()
    try:
        with torch.no_grad():
            own = network(torch.zeros(1, *input_shape, device=device)).features
            taps = FeatureTaps(network, layers, own)
            outputs = taps.collect(network(torch.zeros(1, *input_shape, device=device)))
            taps.remove()
    finally:
        network.train(training)
    shapes = {}
    for layer in taps.layers:
        tensor = outputs.layer(layer)
        if not isinstance(tensor, Tensor):
            raise SettingError(f"Layer '{layer}' gives a {type(tensor).__name__}", "Name a layer that gives one tensor")
        shapes[layer] = tuple(tensor.shape[1:])
    return shapes
