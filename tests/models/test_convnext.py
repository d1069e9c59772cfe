"""ConvNeXt-Tiny against torchvision's."""

from itertools import pairwise

import torch

from vskd.models.convnext import ATTO, ConvNeXt
from vskd.models.torchvision_shim import load_torchvision


def test_equals_torchvision_behind_the_normalisation() -> None:
    torch.manual_seed(0)
    network = ConvNeXt(3, 10).eval()
    assert sum(p.numel() for p in network.parameters()) == 27_827_818
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if name.endswith("layer_scale"):  # at its initial 1e-6 the blocks hardly count
                parameter.fill_(0.5)
    reference = load_torchvision().models.convnext_tiny(weights=None, num_classes=10).eval()
    reference.load_state_dict(network.state_dict())
    x = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        outputs = network(x)
        normalised = network.normalise(x)
        torch.testing.assert_close(outputs.logits, reference(normalised), rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(outputs.features["shallow"], reference.features[0](normalised))
        deep = reference.features(normalised)
        torch.testing.assert_close(outputs.features["deep"], deep)
        pooled = reference.classifier[1](reference.classifier[0](reference.avgpool(deep)))
        torch.testing.assert_close(outputs.embedding, pooled, rtol=1e-4, atol=1e-5)
    assert outputs.features["shallow"].shape == (2, 96, 16, 16)
    assert outputs.features["deep"].shape == (2, 768, 2, 2)


def test_training_without_drop_path_is_deterministic() -> None:
    torch.manual_seed(0)
    x = torch.rand(2, 3, 32, 32)
    network = ConvNeXt(3, 4).train()
    with torch.no_grad():
        assert torch.equal(network(x).logits, network(x).logits)
        network.dropout.p = 0.5
        first, second = network(x), network(x)
    assert not torch.equal(first.logits, second.logits)
    assert torch.equal(first.embedding, second.embedding)


def test_atto() -> None:
    network = ConvNeXt(1, 6, size=ATTO)
    blocks = [len(stage) for stage in list(network.features)[1::2]]
    assert blocks == [2, 2, 6, 2]
    outputs = network(torch.rand(2, 1, 64, 64))
    assert outputs.features["shallow"].shape == (2, 40, 16, 16)
    assert outputs.embedding.shape == (2, 320)
    c = (40, 80, 160, 320)
    stem, head = 16 * c[0] + c[0] + 2 * c[0], 2 * c[3] + 6 * c[3] + 6
    between = sum(2 * a + 4 * a * b + b for a, b in pairwise(c))
    stages = sum(depth * (8 * w**2 + 58 * w) for w, depth in zip(c, blocks, strict=True))
    assert sum(p.numel() for p in network.parameters()) == stem + between + stages + head == 3_375_166


def test_a_faint_map_is_pooled_by_its_mean() -> None:
    """What is pooled is normalised, with 1e-6 added to the variance: only of faint maps does its size count."""
    torch.manual_seed(0)
    network = ConvNeXt(3, 10, size=ATTO).eval()
    deep = 1e-3 * torch.randn(2, network.embedding_size, 4, 4)
    expected = torch.nn.functional.layer_norm(deep.mean(dim=(2, 3)), (network.embedding_size,), eps=1e-6)
    torch.testing.assert_close(network.classify(deep, {}).embedding, expected)


def test_dropout_and_the_skipping_of_blocks_are_what_is_asked_and_none_otherwise() -> None:
    def rates(network: ConvNeXt) -> tuple[float, float]:
        return network.dropout.p, max(m.p for m in network.modules() if type(m).__name__ == "StochasticDepth")

    with torch.device("meta"):
        plain, other = ConvNeXt(3, 6, size=ATTO), ConvNeXt(3, 6, dropout=0.35, drop_path=0.1, size=ATTO)
    assert rates(plain) == (0.0, 0.0) and rates(other) == (0.35, 0.1)
    assert (plain.embedding_size, plain.head, plain.stem) == (320, "classifier.2", "features.0.0")
