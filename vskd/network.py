"""What every network is to the engine: what it returns, what it can be asked, and how any of its layers is seen."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from vskd.errors import SettingError, did_you_mean, first_few
from vskd.schema import Strict

TensorKind = Literal["series", "image", "frames", "clip"]
"""What a network takes; `AXES` has the axes of each."""
AXES: Mapping[TensorKind, tuple[str, ...]] = {
    "series": ("channels", "samples"),
    "image": ("channels", "height", "width"),
    "frames": ("segments", "channels", "height", "width"),
    "clip": ("channels", "frames", "height", "width"),
}
"""The axes of one sample; in a batch, the batch stands before them."""
Shape = tuple[int, ...]
"""Of one sample, without the batch."""
OUTPUT_LAYERS = ("logits", "embedding")
"""Layers that every network has."""


@dataclass(frozen=True)
class Outputs:
    """The answer of a network for one batch.

    Attributes:
        logits: (batch, classes), unnormalised.
        embedding: (batch, width), the semantic embedding that the distillers compare.
        features: layer name -> tensor with the batch first, for distillers that look inside.

    Examples:
        >>> outputs = Outputs(torch.zeros(2, 3), torch.ones(2, 5), {"deep": torch.ones(2, 8, 4, 4)})
        >>> outputs.layer("embedding").shape, outputs.layer("deep").shape
        (torch.Size([2, 5]), torch.Size([2, 8, 4, 4]))
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

    @property
    def finite(self) -> bool:
        """Whether nothing in it is NaN or infinite."""
        return all(bool(torch.isfinite(x).all()) for x in (self.logits, self.embedding, *self.features.values()))

    def to(self, device: torch.device) -> "Outputs":
        """The same on a device."""
        features = {name: feature.to(device) for name, feature in self.features.items()}
        return Outputs(self.logits.to(device), self.embedding.to(device), features)

    def fixed(self) -> "Outputs":
        """The same without a gradient, in at least float32."""
        features = {name: whole(feature.detach()) for name, feature in self.features.items()}
        return Outputs(whole(self.logits.detach()), whole(self.embedding.detach()), features)


def whole(x: Tensor) -> Tensor:
    """At least float32: losses are not computed in bfloat16."""
    return x.to(torch.promote_types(x.dtype, torch.float32))


class NetworkSettings(Strict):
    """Settings of a network: a subclass stands beside each network and adds its own.

    Attributes:
        name: of the network in the catalog, which makes it a literal.
    """

    name: str


@dataclass(frozen=True)
class PretrainedPart:
    """Where weights that were trained elsewhere go.

    Attributes:
        module: takes the whole file; the rest of the network stays as it is.
        stem: name of its first convolution, whose kernels are adapted to the input's channels; None where they must
            fit as they are.
        head: name of its layer whose size depends on the classes; it stays as it is where the file has none that fits.
            None where there is no such layer.
    """

    module: nn.Module
    stem: str | None = None
    head: str | None = None


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
        """Groups for the optimizer, each parameter in one; by default all alike."""
        return [{"params": list(self.parameters())}]

    def pretrained_part(self) -> PretrainedPart:
        """Where weights that were trained elsewhere go; by default into the whole network."""
        return PretrainedPart(self)

    def fold(self) -> None:
        """Rewrite in place, exactly but for rounding, what a deployed model computes in fewer layers; called on a copy
        in evaluation mode, of which only the logits count. By default nothing."""


class FeatureTaps:
    """Sees layers of a network that it does not return by itself, by their module path (as torchdistill does).

    A layer is `logits`, `embedding`, a name in the network's own `features` (`deep`), or the path of a module
    (`layer3.1.conv2`), whose output is taken by a forward hook; the first that fits counts. Paths are those inside
    `network`, which may itself stand in a wrapper.

    Make it once and call `collect` after each forward pass. What a module gives is copied, with its gradient: the
    in-place activation that often follows would change it. Of a module that is used several times the last output
    counts. A frame network's rows (batch * segments, ...) become (batch, segments, ...).

    Args:
        network: returns `Outputs`.
        layers: names of layers. Whether they exist is known after a forward pass: ask `layer_shapes` first.

    Examples:
        >>> class Small(nn.Module):
        ...     def __init__(self):
        ...         super().__init__()
        ...         self.body, self.head = nn.Sequential(nn.Conv1d(3, 8, 5), nn.ReLU()), nn.Linear(8, 2)
        ...
        ...     def forward(self, x):
        ...         embedding = self.body(x).mean(dim=2)
        ...         return Outputs(self.head(embedding), embedding)
        >>> network = Small()
        >>> taps = FeatureTaps(network, ["body.0"])
        >>> taps.collect(network(torch.zeros(4, 3, 32))).layer("body.0").shape
        torch.Size([4, 8, 28])
        >>> taps.remove()
    """

    def __init__(self, network: nn.Module, layers: Iterable[str]) -> None:
        self.layers = tuple(dict.fromkeys(layers))
        self._network = type(network).__name__
        modules = {path: module for path, module in network.named_modules(remove_duplicate=False) if path}
        self._paths = tuple(modules)
        self._seen: dict[str, Tensor] = {}
        self._handles: list[RemovableHandle] = [network.register_forward_pre_hook(self._forget)]
        for layer in self.layers:
            if layer in modules and layer not in OUTPUT_LAYERS:
                self._handles.append(modules[layer].register_forward_hook(self._keep(layer)))

    def _forget(self, _network: nn.Module, _inputs: Any) -> None:
        """Nothing of an earlier forward pass is taken for this one's."""
        self._seen.clear()

    def _keep(self, layer: str) -> Any:
        def hook(_module: nn.Module, _inputs: Any, output: Any) -> None:
            if not isinstance(output, Tensor):
                raise SettingError(
                    f"Layer '{layer}' of {self._network} gives a {type(output).__name__}",
                    "Name a layer that gives one tensor",
                )
            self._seen[layer] = output.clone()

        return hook

    def collect(self, outputs: Outputs) -> Outputs:
        """`outputs` of the forward pass just made, its features being those asked for.

        Raises:
            SettingError: the network has no such layer (the nearest name is given), or it took no part, or it does not
                have the batch first.
        """
        seen = {layer: self._by_sample(layer, tensor, len(outputs.logits)) for layer, tensor in self._seen.items()}
        self._seen.clear()
        found = {**seen, **outputs.features}
        wanted = [layer for layer in self.layers if layer not in OUTPUT_LAYERS]
        for layer in wanted:
            if layer not in found:
                raise self._absent(layer, outputs)
        return replace(outputs, features={layer: found[layer] for layer in wanted})

    def _by_sample(self, layer: str, tensor: Tensor, batch: int) -> Tensor:
        """(batch * n, ...) -> (batch, n, ...); (batch, ...) stays."""
        rows = tensor.shape[0] if tensor.ndim else 0
        if rows == 0 or rows % batch:
            raise self._not_by_sample(layer)
        return tensor if rows == batch else tensor.reshape(batch, -1, *tensor.shape[1:])

    def _not_by_sample(self, layer: str) -> SettingError:
        return SettingError(
            f"Layer '{layer}' of {self._network} does not have the batch as its first axis", "Name a layer that does"
        )

    def _absent(self, layer: str, outputs: Outputs) -> SettingError:
        if layer in self._paths:
            problem = f"Layer '{layer}' of {self._network} is not called by itself in a forward pass"
            return SettingError(problem, "Name a layer inside it")
        names = (*OUTPUT_LAYERS, *outputs.features, *self._paths)
        near = did_you_mean(layer, names) or f"there are {first_few(names, 12, ', ')}"
        return SettingError(
            f"There is no layer '{layer}' in {self._network}: {near}",
            "Name an output, a feature, or the path of a module",
        )

    def remove(self) -> None:
        """Take the hooks away."""
        for handle in self._handles:
            handle.remove()
        self._seen.clear()


def probe(network: nn.Module, input_shape: Shape, batch: int = 1) -> Any:
    """What a network answers to zeros, see `answer`.

    Args:
        network: takes (batch, *input_shape).
        input_shape: of one sample, e.g. (channels, height, width).
        batch: number of samples.
    """
    like = next(network.parameters())
    return answer(network, torch.zeros(batch, *input_shape, device=like.device, dtype=like.dtype))


def answer(network: nn.Module, samples: Tensor) -> Any:
    """What a network says of samples in evaluation mode and without a gradient; the network's mode stays.

    Args:
        network: takes `samples`.
        samples: (batch, ...).
    """
    modes = {module: module.training for module in network.modules()}
    network.eval()
    try:
        with torch.no_grad():
            return network(samples)
    finally:
        for module, training in modes.items():  # each by itself: one that stays in evaluation mode was frozen
            module.training = training


def layer_shapes(network: nn.Module, input_shape: Shape, layers: Iterable[str]) -> dict[str, Shape]:
    """Shapes of layers for one sample, the batch left out, from forward passes on zeros in evaluation mode.

    Args:
        network: returns `Outputs`; its mode is left as it was.
        input_shape: of one sample, e.g. (channels, height, width).
        layers: as in `FeatureTaps`.

    Raises:
        SettingError: the network has no such layer, or the layer gives no tensor with the batch first.

    Examples:
        >>> class Tiny(nn.Module):
        ...     def __init__(self):
        ...         super().__init__()
        ...         self.pool, self.head = nn.AdaptiveAvgPool1d(1), nn.Linear(3, 2)
        ...
        ...     def forward(self, x):
        ...         embedding = self.pool(x).flatten(1)
        ...         return Outputs(self.head(embedding), embedding)
        >>> layer_shapes(Tiny(), (3, 32), ["logits", "embedding", "pool"])
        {'logits': (2,), 'embedding': (3,), 'pool': (3, 1)}
    """
    taps = FeatureTaps(network, layers)
    try:
        one, two = (_shapes(taps.collect(probe(network, input_shape, batch)), taps.layers) for batch in (1, 2))
        for layer in taps.layers:
            if one[layer] != two[layer]:  # another axis came first, and was divided by the batch
                raise taps._not_by_sample(layer)
    finally:
        taps.remove()
    return one


def _shapes(outputs: Outputs, layers: Iterable[str]) -> dict[str, Shape]:
    return {layer: tuple(outputs.layer(layer).shape[1:]) for layer in layers}
