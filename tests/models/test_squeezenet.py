"""SqueezeNet 1.0 against torchvision's."""

import torch

from vskd.models.squeezenet import SqueezeNet
from vskd.models.torchvision_shim import load_torchvision


def test_equals_torchvision_behind_the_normalisation() -> None:
    torch.manual_seed(0)
    network = SqueezeNet(3, 10).eval()
    reference = load_torchvision().models.squeezenet1_0(weights=None, num_classes=10).eval()
    reference.load_state_dict(network.state_dict())
    x = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        outputs = network(x)
        normalised = network.normalise(x)
        torch.testing.assert_close(outputs.logits, reference(normalised))
        stem = torch.relu(reference.features[0](normalised))
        torch.testing.assert_close(outputs.features["shallow"], stem)
        torch.testing.assert_close(outputs.features["deep"], reference.features(normalised))
    torch.testing.assert_close(outputs.embedding, outputs.features["deep"].mean((2, 3)))


def test_parameter_count_of_the_baseline() -> None:
    assert sum(p.numel() for p in SqueezeNet(3, 10).parameters()) == 740_554


def test_dropout_is_torchvisions_unless_it_is_said() -> None:
    assert [m.p for m in SqueezeNet(3, 4).modules() if isinstance(m, torch.nn.Dropout)] == [0.5]
    assert [m.p for m in SqueezeNet(3, 4, dropout=0.1).modules() if isinstance(m, torch.nn.Dropout)] == [0.1]
    assert SqueezeNet(1, 4).embedding_size == 512
