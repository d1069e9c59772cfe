"""Any `nn.Module` as a network: what it returns, its embedding and the layers that loss terms compare, as `Outputs`."""

from collections.abc import Iterable
from contextlib import ExitStack
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from vskd.errors import SettingError
from vskd.network import OUTPUT_LAYERS, FeatureTaps, Outputs, Shape, answer


class AnyModule(nn.Module):
    """A module whose answer is made into `Outputs`.

    The module returns `Outputs`, or logits alone as one tensor. Its embedding is, in this order:

    1. the output of the layer that `embedding` names, flattened by sample: (batch, 512, 1, 1) becomes (batch, 512);
    2. what it returns as embedding, where it returns `Outputs`;
    3. what the `nn.Linear` is given whose output are the logits that it returns, untouched by anything behind it;
       a dropout before that layer has been applied.

    Where none of these is there, it has no embedding, and a term that compares embeddings is refused.

    The module gets forward hooks, which `remove` takes away. It is not copied, and nothing else of it changes.

    Args:
        module: takes one tensor, the batch first.
        samples: some of its inputs, (batch, ...), at least one; two show whether layers have the batch first.
        layers: that are wanted, see `vskd.network.FeatureTaps`.
        embedding: path of the module whose output is the embedding.
        who: what messages call it: `student` or `teacher`.

    Shape:
        (batch, ...) -> Outputs

    Attributes:
        shapes: of logits, embedding (where it is wanted) and the layers, for one sample.

    Raises:
        SettingError: the module returns something else, has no such layer (the nearest name is given), or an embedding
            is wanted and unknown.
    """

    def __init__(
        self,
        module: nn.Module,
        samples: Tensor,
        layers: Iterable[str] = (),
        *,
        embedding: str | None = None,
        who: str = "network",
    ) -> None:
        super().__init__()
        self.module, self._who, self._embedding = module, who, embedding
        self.layers = tuple(dict.fromkeys(("logits", *layers)))
        inside = [layer for layer in self.layers if layer not in OUTPUT_LAYERS]
        self._taps = FeatureTaps(module, [*inside, *([] if embedding is None else [embedding])])
        self._penultimate: Tensor | None = None
        self._handles: list[RemovableHandle] = []
        with ExitStack() as undo:
            undo.callback(self.remove)  # a module that is refused keeps no hook
            shown = samples[:2].to(device_of(module))
            self._watch(shown)
            self.shapes = self._probed(shown)
            undo.pop_all()

    def forward(self, samples: Tensor) -> Outputs:
        """Outputs for a batch, with the wanted layers as features."""
        said = self._taps.collect(self._outputs(self.module(samples), len(samples)))
        self._penultimate = None
        if self._embedding is None:
            return said
        return Outputs(said.logits, said.layer(self._embedding).flatten(1), said.features)

    def remove(self) -> None:
        """Take the hooks away."""
        self._taps.remove()
        for handle in self._handles:
            handle.remove()
        self._penultimate = None

    def _watch(self, samples: Tensor) -> None:
        """Keep the input of the last linear layer, where the embedding is wanted and nothing else gives it."""
        if "embedding" not in self.layers or self._embedding is not None:
            return
        said, heads = _answer_and_heads(self.module, samples)
        if isinstance(said, Outputs):
            return
        if not heads:
            raise SettingError(
                f"A loss term compares embeddings, but the {self._who} ({type(self.module).__name__}) returns logits "
                "that no linear layer gives, so that its embedding is unknown",
                f"Name the layer that gives it: {self._who}_embedding='<path of a module>'",
            )
        self._handles.append(heads[-1].register_forward_pre_hook(self._keep))

    def _keep(self, _: nn.Module, given: tuple[Tensor, ...]) -> None:
        (self._penultimate,) = given

    def _outputs(self, said: Any, batch: int) -> Outputs:
        """What the module returned, as `Outputs`."""
        logits = said.logits if isinstance(said, Outputs) else said
        if not isinstance(logits, Tensor) or logits.ndim != 2 or len(logits) != batch:
            found = f"shape {tuple(logits.shape)}" if isinstance(logits, Tensor) else f"a {type(said).__name__}"
            raise SettingError(
                f"The {self._who} ({type(self.module).__name__}) should return logits (batch, classes) or Outputs, but "
                f"for a batch of {batch} it returns {found}",
                "Wrap it in a module that returns its logits, or vskd.network.Outputs",
            )
        if isinstance(said, Outputs):
            return said
        return Outputs(logits, logits[:, :0] if self._penultimate is None else self._penultimate)

    def _probed(self, samples: Tensor) -> dict[str, Shape]:
        one, two = (_shapes(answer(self, samples[:n]), self.layers) for n in (1, 2))
        turned = next((layer for layer in self.layers if one[layer] != two[layer]), None)
        if turned is not None:
            raise SettingError(
                f"Layer '{turned}' of the {self._who} does not have the batch as its first axis",
                "Name a layer that does",
            )
        return one


def device_of(module: nn.Module) -> torch.device:
    """Where a module's parameters are; the CPU where it has none."""
    return next((parameter.device for parameter in module.parameters()), torch.device("cpu"))


def _answer_and_heads(module: nn.Module, samples: Tensor) -> tuple[Any, list[nn.Linear]]:
    """What the module returns, and its linear layers that gave just this, the last one last."""
    given: list[tuple[nn.Linear, Tensor]] = []
    linear = [layer for layer in module.modules() if isinstance(layer, nn.Linear)]
    handles = [layer.register_forward_hook(lambda at, _, gave: given.append((at, gave))) for layer in linear]
    try:
        said = answer(module, samples)
    finally:
        for handle in handles:
            handle.remove()
    return said, [layer for layer, output in given if output is said]


def _shapes(said: Outputs, layers: Iterable[str]) -> dict[str, Shape]:
    return {layer: tuple(said.layer(layer).shape[1:]) for layer in layers}
