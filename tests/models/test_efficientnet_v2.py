"""EfficientNetV2-S against torchvision's."""

import torch
from torch import nn

from vskd.models.efficientnet_v2 import EfficientNetV2
from vskd.models.torchvision_shim import load_torchvision


def test_equals_torchvision_behind_the_normalisation() -> None:
    torch.manual_seed(0)
    network = EfficientNetV2(3, 6).eval()
    assert sum(p.numel() for p in network.parameters()) == 20_185_174
    reference = load_torchvision().models.efficientnet_v2_s(weights=None, num_classes=6).eval()
    reference.load_state_dict(network.state_dict())
    x = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        outputs = network(x)
        normalised = network.normalise(x)
        torch.testing.assert_close(outputs.logits, reference(normalised))
        torch.testing.assert_close(outputs.features["shallow"], reference.features[0](normalised))
        torch.testing.assert_close(outputs.embedding, reference.avgpool(outputs.features["deep"]).flatten(1))
    assert outputs.features["shallow"].shape == (1, 24, 32, 32)
    assert outputs.features["deep"].shape == (1, 1280, 2, 2)


def test_half_the_width_and_a_third_of_the_depth() -> None:
    network = EfficientNetV2(1, 6, width=0.5, depth=1 / 3)
    blocks = [len(stage) for stage in list(network.features)[1:-1]]
    assert blocks == [1, 2, 2, 2, 3, 5]
    widths = [stage[-1].out_channels for stage in list(network.features)[1:-1]]
    assert widths == [16, 24, 32, 64, 80, 128]
    assert network(torch.rand(2, 1, 64, 64)).features["deep"].shape == (2, 1280, 2, 2)


def test_dropout_and_the_skipping_of_blocks_are_what_is_asked_and_the_published_ones_otherwise() -> None:
    def rates(network: EfficientNetV2) -> tuple[float, float]:
        skipped = [m.p for m in network.modules() if type(m).__name__ == "StochasticDepth"]
        (dropped,) = {m.p for m in network.modules() if isinstance(m, nn.Dropout)}
        return dropped, max(skipped)

    with torch.device("meta"):
        plain, other = EfficientNetV2(3, 6), EfficientNetV2(3, 6, dropout=0.35, drop_path=0.1)
    (dropped, skipped), (more, less) = rates(plain), rates(other)
    assert (dropped, more) == (0.2, 0.35)
    assert skipped == 0.2 * 39 / 40 and less == 0.1 * 39 / 40  # it grows with the depth, over 40 blocks
    norms = {m.eps for m in plain.modules() if isinstance(m, nn.BatchNorm2d)}
    assert norms == {1e-3}
