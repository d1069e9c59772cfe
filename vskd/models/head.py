"""A head in place of a network's own classifier: a projector, and a classifier of another embedding behind it.

Of SimKD (Chen et al., "Knowledge Distillation with the Reused Teacher Classifier", CVPR 2022): with the teacher's
classifier in it, the student is to give the teacher's embedding, and is shipped with both. Without a teacher the same
head has a classifier of its own, which is trained as ever.
"""

from typing import Any

import torch
from torch import Tensor, nn

from vskd.errors import SettingError
from vskd.network import Network, Outputs, PretrainedPart, Shape, answer
from vskd.schema import Count, Strict

NARROWING = 2
"""The projector's hidden layer is the embedding's width divided by this, as in the published code."""
SHOWN = 2
"""Samples that a classifier is looked for with."""


class HeadSettings(Strict):
    """A head in place of the network's own classifier.

    Attributes:
        width: of the embedding that the projector gives, and the classifier behind it takes; that of the teacher whose
            classifier is reused.
    """

    width: Count


class Headed(Network):
    """A network, a projector of what its classifier would be given, and a classifier.

    Args:
        body: its own linear classifier is taken out, in place.
        shape: of one sample.
        classes: number of classes.
        width: of the embedding.

    Shape:
        input: as the body; output: logits (batch, classes), embedding (batch, width), the body's features.

    Raises:
        SettingError: the body has no linear classifier.
    """

    def __init__(self, body: Network, shape: Shape, classes: int, width: int) -> None:
        super().__init__()
        name, own = linear_classifier(body, shape, f"network {type(body).__name__}")
        body.set_submodule(name, nn.Identity())
        self.embedding_size, hidden = width, max(1, width // NARROWING)
        self.body = body
        self.projector = nn.Sequential(nn.Linear(own.in_features, hidden), nn.ReLU(), nn.Linear(hidden, width))
        self.classifier = nn.Linear(width, classes)

    def forward(self, x: Tensor) -> Outputs:
        """Classify a batch."""
        inner: Outputs = self.body(x)
        embedding = self.projector(inner.logits)  # without a classifier: its input, behind the body's dropout
        return Outputs(self.classifier(embedding), embedding, inner.features)

    def reuse(self, classifier: nn.Linear) -> None:
        """Take over a classifier of this embedding; it is not trained from then on.

        Raises:
            SettingError: it takes another embedding, or knows another number of classes.
        """
        if classifier.weight.shape != self.classifier.weight.shape:
            raise SettingError(
                f"The student's head takes an embedding of {self.classifier.in_features} values to "
                f"{self.classifier.out_features} classes, the teacher's classifier {classifier.in_features} to "
                f"{classifier.out_features}",
                f"Set student.head.width to {classifier.in_features}",
            )
        with torch.no_grad():
            self.classifier.weight.copy_(classifier.weight)
            self.classifier.bias.copy_(torch.zeros(()) if classifier.bias is None else classifier.bias)
        self.classifier.requires_grad_(False)

    def reseed(self, seed: int) -> None:
        """See `Network`."""
        self.body.reseed(seed)

    def start_from(self, *, pretrained: bool) -> None:
        """See `Network`."""
        self.body.start_from(pretrained=pretrained)

    def parameter_groups(self, learning_rate: float, weight_decay: float) -> list[dict[str, Any]]:
        """The body's, then the head's."""
        head = [*self.projector.parameters(), *self.classifier.parameters()]
        return [*self.body.parameter_groups(learning_rate, weight_decay), {"params": head}]

    def pretrained_part(self) -> PretrainedPart:
        """The body's."""
        return self.body.pretrained_part()


def linear_classifier(network: nn.Module, shape: Shape, who: str) -> tuple[str, nn.Linear]:
    """The layer that gives a network's logits from its embedding alone, and its path: found by trying.

    Args:
        network: returns `Outputs`; its mode is left as it is.
        shape: of one sample.
        who: it is, for the message.

    Raises:
        SettingError: there is none: more than one layer, or another kind of layer, lies between the two.
    """
    like = next(network.parameters())
    samples = torch.rand(SHOWN, *shape, generator=torch.Generator().manual_seed(0))
    said: Outputs = answer(network, samples.to(like))
    for name, layer in network.named_modules():
        if isinstance(layer, nn.Linear) and _gives(layer, said):
            return name, layer
    raise SettingError(
        f"The classifier of {who} is not one linear layer on its embedding, so that no other network can take it over "
        "or do with another one in its place",
        "Choose another network (e.g. cnn1d, separable-resnet1d, resnet18), or another distiller",
    )


def _gives(layer: nn.Linear, said: Outputs) -> bool:
    if (layer.in_features, layer.out_features) != (said.embedding.shape[1], said.logits.shape[1]):
        return False
    with torch.no_grad():
        return torch.allclose(layer(said.embedding), said.logits, rtol=1e-4, atol=1e-5)
