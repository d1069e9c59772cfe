"""Dead filters go without a change of the answers; what is not quite dead is measured."""

import pytest
import torch

from vskd.errors import BundleError
from vskd.export.prune import prune_stem
from vskd.models.squeezenet_lw import SqueezeNetLW

DEAD = (0, 5, 17, 95)


def network_with_dead_filters(scale: float, in_channels: int = 3) -> SqueezeNetLW:
    """Filters whose weights are multiplied by `scale`; their biases are of both signs and matter."""
    torch.manual_seed(0)
    network = SqueezeNetLW(in_channels, 6).eval()
    with torch.no_grad():
        network.initial_conv.weight[list(DEAD)] *= scale
        network.initial_conv.bias[list(DEAD)] = torch.tensor([2.0, -1.0, 3.0, 0.5])
    return network


def images(channels: int = 3, count: int = 3) -> torch.Tensor:
    return torch.rand(count, channels, 64, 64, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("channels", [1, 3])
def test_exactly_dead_filters_change_nothing(channels: int):
    network = network_with_dead_filters(0.0, channels)
    x = images(channels)
    pruning = prune_stem(network)
    assert pruning.removed == DEAD and pruning.kept == 92 and pruning.bound == 0
    assert pruning.network.initial_conv.weight.shape == (92, channels, 7, 7)
    assert pruning.network(x).features["shallow"].shape[1] == 92
    torch.testing.assert_close(pruning.network(x).logits, network(x).logits, rtol=1e-5, atol=1e-6)
    assert network.initial_conv.out_channels == 96  # untouched


def test_the_constant_matters():
    """Without the bias of the removed filters the logits would differ: the exactness above is not for nothing."""
    network = network_with_dead_filters(0.0)
    x = images()
    pruned = prune_stem(network).network
    with torch.no_grad():
        pruned.features[2].squeeze.bias.copy_(network.features[2].squeeze.bias)
    assert (pruned(x).logits - network(x).logits).abs().max() > 1e-3


def test_nearly_dead_filters_are_measured_and_bounded():
    network = network_with_dead_filters(0.1)
    x = images()
    pruning = prune_stem(network, threshold=0.2, images=x)
    assert pruning.removed == DEAD
    measured = (pruning.network(x).logits - network(x).logits).abs().max().item()
    assert pruning.max_logit_change == pytest.approx(measured, rel=0.01) and measured > 1e-5
    assert pruning.argmax_agreement == 1.0
    with torch.no_grad():
        responses = network.initial_conv(network.normalise(x))[:, list(DEAD)]
    assert 0 < (responses.amax((0, 2, 3)) - responses.amin((0, 2, 3))).max() <= pruning.bound


def test_the_mean_response_is_nearer_than_the_bias():
    network = network_with_dead_filters(0.05)
    x = images(count=6)
    threshold = 0.2
    measured = prune_stem(network, threshold=threshold, images=x)
    blind = prune_stem(network, threshold=threshold)
    assert measured.removed == blind.removed == DEAD
    change = (blind.network(x).logits - network(x).logits).abs().max().item()
    assert measured.max_logit_change < change


def test_nothing_to_remove_gives_an_equal_copy():
    torch.manual_seed(0)
    network = SqueezeNetLW(3, 6).eval()
    pruning = prune_stem(network)
    assert (pruning.removed, pruning.kept) == ((), 96)
    torch.testing.assert_close(pruning.network(images()).logits, network(images()).logits, rtol=1e-5, atol=1e-6)


def test_one_filter_always_stays():
    network = network_with_dead_filters(1.0)
    assert prune_stem(network, threshold=0.999999).kept >= 1
    with torch.no_grad():
        network.initial_conv.weight.zero_()
    assert prune_stem(network).kept == 1


def test_bad_arguments_are_refused():
    network = network_with_dead_filters(0.0)
    for threshold in (-0.1, 1.0):
        with pytest.raises(BundleError, match="threshold"):
            prune_stem(network, threshold=threshold)
    for bad in (torch.rand(2, 1, 64, 64), torch.rand(3, 64, 64), torch.rand(0, 3, 64, 64)):
        with pytest.raises(BundleError, match="images have shape"):
            prune_stem(network, images=bad)
    with torch.no_grad():
        network.initial_conv.weight[3, 0, 0, 0] = torch.nan
    with pytest.raises(BundleError, match="not finite"):
        prune_stem(network)
