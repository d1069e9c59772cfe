"""What is trained: the front of the modality, an encoding or nothing, and the network, in one module."""

from pathlib import Path

import torch
from torch import Tensor, nn

from vskd.distillation.run import RunFolder
from vskd.errors import RecipeError, as_recipe_error
from vskd.modalities.base import Inputs
from vskd.models.catalog import NETWORKS, build_network
from vskd.models.head import Headed
from vskd.models.weights.pretrained import load_pretrained
from vskd.models.weights.state import load_state
from vskd.network import Network, Outputs
from vskd.recipe.roles import Role


class Model(nn.Module):
    """Sample -> front -> network; exported with or without the front.

    Shape:
        samples as the modality's batches hold them -> Outputs
    """

    def __init__(self, front: nn.Module, network: Network) -> None:
        super().__init__()
        self.front = front
        self.network = network

    def forward(self, samples: Tensor) -> Outputs:
        """Outputs of the network for a batch."""
        seen = self.front(samples)
        if seen is not samples and seen.ndim == 4:  # convolutions on CPU are about twice as fast with channels last
            seen = seen.to(memory_format=torch.channels_last)
        outputs: Outputs = self.network(seen)
        return outputs


def new_model(role: Role, inputs: Inputs, classes: int) -> Model:
    """The role's model, its weights drawn from torch's global generator, so seed that first.

    Args:
        role: names the network.
        inputs: what it sees.
        classes: number of classes.

    Raises:
        RecipeError: the network does not take what the modality gives.
    """
    name = role.network.name
    takes, gives = NETWORKS[name].kind, inputs.kind
    if takes != gives:
        raise RecipeError(
            f"Network '{name}' reads {_ARTICLE[takes]}, but what it sees ({inputs.sees.modality} of {inputs.name}) "
            f"gives {_ARTICLE[gives]}",
            f"See otherwise, or choose a network that reads {_ARTICLE[gives]}: {', '.join(networks_of(gives))}",
        )
    with as_recipe_error(f"network '{name}'"):
        network = build_network(role.network, shape=inputs.network_shape, classes=classes)
        if role.head is not None:
            network = Headed(network, inputs.network_shape, classes, role.head.width)
    model = Model(inputs.front(), network)
    channels_last(model)
    return model


_ARTICLE = {"series": "a series", "image": "an image", "frames": "frames of a clip", "clip": "clips"}


def networks_of(kind: str) -> tuple[str, ...]:
    """Names of the networks that read one kind of tensor."""
    return tuple(name for name, entry in NETWORKS.items() if entry.kind == kind)


def channels_last(module: nn.Module) -> None:
    """Store the weights of 2-D and 3-D convolutions with channels last, in place: two to three times as fast on CPU,
    1.4 times where they are 3-D.

    By `to`, not `contiguous`, which leaves weights of one input channel (grey images, depthwise layers) as they are:
    their order is the same either way, but torch takes them for channels first and goes on in that layout.
    """
    for parameter in module.parameters():
        if parameter.ndim == 4:
            parameter.data = parameter.data.to(memory_format=torch.channels_last)
        elif parameter.ndim == 5:
            parameter.data = parameter.data.to(memory_format=torch.channels_last_3d)


def initial_weights(network: Network, weights: str | None) -> None:
    """Load the pretrained weights that a recipe names, where it names any, and tell the network."""
    if weights is not None:
        load_pretrained(network, Path(weights))
    network.start_from(pretrained=weights is not None)


def load_model(run: Path, inputs: Inputs, classes: int) -> Model:
    """The trained model of a finished run, in evaluation mode.

    Raises:
        RunError: training has not finished.
        CheckpointError: its weights are damaged.
    """
    folder = RunFolder(run)
    folder.require_complete()
    model = new_model(folder.recipe().student, inputs, classes)
    load_state(model, folder.weights_file)
    return model.eval()
