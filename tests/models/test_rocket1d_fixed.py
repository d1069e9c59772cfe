"""Kernels that are not trained: what they see, where their thresholds go, and the parts of a window, time by time."""

from statistics import NormalDist

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vskd.errors import SettingError
from vskd.models.catalog import build_network, parse_network
from vskd.models.rocket1d import DILATIONS, KERNEL, MINIMUM_SAMPLES, PartMeans, Rocket1d
from vskd.models.rocket1d_fixed import QUANTILES, AveragedNorm1d, AveragedNorm2d, FixedBank


def built(samples: int = 64, **settings: object) -> Rocket1d:
    torch.manual_seed(0)
    network = build_network(parse_network({"name": "rocket1d-fixed", **settings}), shape=(3, samples), classes=4)
    assert isinstance(network, Rocket1d)
    return network


def test_size() -> None:
    torch.manual_seed(0)
    network = build_network(parse_network("rocket1d-fixed"), shape=(3, 128), classes=27)
    assert sum(p.numel() for p in network.parameters()) == 1000 * 3 * KERNEL + 2 * 1000 + 2001 * 27 == 83_027


def bank_of(network: Rocket1d, name: str) -> FixedBank:
    bank = network.matches[name]
    assert isinstance(bank, FixedBank)
    return bank


def steps(network: Rocket1d, name: str, x: Tensor) -> Tensor:
    """Where the answers of a dilated convolution are above the thresholds: (batch, kernels, samples)."""
    bank, dilation = bank_of(network, name), int(name.removeprefix("dilation"))
    (convolution, *_), norm = bank, bank.norm
    assert isinstance(convolution, nn.Conv2d) and norm.running_mean is not None and norm.running_var is not None
    answers = F.conv1d(x, convolution.weight[..., 0], padding=KERNEL // 2 * dilation, dilation=dilation)
    scores = (answers - norm.running_mean[:, None]) / norm.running_var[:, None].sqrt()
    return (scores > (3 - norm.bias[:, None]) / norm.weight[:, None]).float()


@pytest.mark.parametrize("parts", [1, 2, 4])
def test_the_embedding_has_the_share_of_each_part_in_which_a_kernel_is_matched(parts: int) -> None:
    network = built(samples=120, kernels=8, parts=parts)
    for _ in range(20):
        network(torch.randn(16, 3, 120))
    x = torch.randn(5, 3, 120)
    seen = network.eval()(x)
    padded = F.pad(x, (0, -120 % (8 * parts)))
    shares = [
        steps(network, name, padded).reshape(5, -1, parts, padded.shape[2] // parts).mean(dim=3).flatten(1)
        for name in seen.features
    ]
    expected = torch.cat(shares, dim=1)
    mean, variance = network.standardise.running_mean, network.standardise.running_var
    assert mean is not None and variance is not None
    found = (seen.embedding * (variance + 1e-5).sqrt() + mean) / 6
    assert list(seen.features) == [f"dilation{dilation}" for dilation in DILATIONS]
    torch.testing.assert_close(found, expected, rtol=0, atol=0.04)  # the ramp is a tenth of a deviation wide
    assert float((found - expected).abs().mean()) < 0.01


def test_thresholds_are_passed_for_the_shares_that_were_drawn() -> None:
    torch.manual_seed(0)
    bank = FixedBank(3, 40)
    assert QUANTILES[0] <= float(bank.passed.min()) < 0.3 < 0.7 < float(bank.passed.max()) <= QUANTILES[1]
    x = torch.randn(200, 3, 32, 2).abs().pow(3)  # far from normal
    for _ in range(60):
        bank(x)
    shares = (bank.eval()(x) > 3).float().mean(dim=(0, 2, 3))
    torch.testing.assert_close(shares, bank.passed, rtol=0, atol=0.02)


def test_in_evaluation_thresholds_stay_and_in_training_nothing_else_moves() -> None:
    bank, x = FixedBank(3, 6), 0.01 * torch.rand(8, 3, 32, 1)
    before = {name: tensor.clone() for name, tensor in bank.state_dict().items()}
    bank.eval()(x)
    assert all(torch.equal(tensor, before[name]) for name, tensor in bank.state_dict().items())
    bank.train()(x)
    moved = {name for name, tensor in bank.state_dict().items() if not torch.equal(tensor, before[name])}
    assert moved == {"1.weight", "1.bias", "1.running_mean", "1.running_var", "1.num_batches_tracked"}
    assert not any(parameter.requires_grad for parameter in bank.parameters())


def test_the_shares_that_are_followed_travel_with_the_weights() -> None:
    torch.manual_seed(0)
    bank = FixedBank(3, 6)
    other = FixedBank(3, 6)
    assert not torch.equal(bank.passed, other.passed)
    other.load_state_dict(bank.state_dict())
    assert torch.equal(bank.passed, other.passed)


@pytest.mark.parametrize("axis_share", [1.0, 0.5, 0.01])
def test_a_kernel_sees_some_of_the_axes_and_one_at_least(axis_share: float) -> None:
    torch.manual_seed(0)
    (convolution, *_) = FixedBank(4, 500, axis_share)
    assert isinstance(convolution, nn.Conv2d)
    seen = convolution.weight.abs().amax(dim=(2, 3)) > 0
    assert seen.any(dim=1).all()
    assert float(seen.float().mean()) == pytest.approx(max(axis_share, 0.26), abs=0.04)
    torch.testing.assert_close(convolution.weight.sum(dim=2), torch.zeros(500, 4, 1), rtol=0, atol=1e-5)
    torch.testing.assert_close(convolution.weight.flatten(1).norm(dim=1), torch.ones(500))


@pytest.mark.parametrize(("parts", "rows", "columns"), [(1, 3, 2), (2, 4, 1), (3, 2, 8)])
def test_means_of_parts_are_an_average_pooling(parts: int, rows: int, columns: int) -> None:
    x = torch.randn(2, 5, parts * rows, columns)
    expected = F.avg_pool2d(x, (rows, columns))
    torch.testing.assert_close(PartMeans(5, rows, columns)(x), expected)


def test_short_windows_are_refused() -> None:
    with pytest.raises(SettingError, match=r"31 samples is too short for network 'rocket1d-fixed'.*32 samples"):
        built(samples=MINIMUM_SAMPLES - 1)
    assert built(samples=MINIMUM_SAMPLES)(torch.zeros(2, 3, MINIMUM_SAMPLES)).logits.shape == (2, 4)


@pytest.mark.parametrize(("size", "steepness"), [(1.0, None), (1e-3, 300.0)])
def test_no_ramp_is_steeper_than_int8_can_tell(size: float, steepness: float | None) -> None:
    torch.manual_seed(0)
    bank, x = FixedBank(3, 20), size * torch.randn(64, 3, 32, 2)
    for _ in range(20):
        bank(x)
    norm = bank.norm
    assert norm.running_var is not None
    slope = norm.weight / norm.running_var.sqrt()  # for one unit of a kernel's answer
    if steepness is None:
        torch.testing.assert_close(norm.weight.detach(), torch.full((20,), 60.0))
        assert float(slope.max()) < 300
    else:
        torch.testing.assert_close(slope.detach(), torch.full((20,), steepness), rtol=0.05, atol=0)


def test_a_network_where_nothing_is_said_and_one_of_other_settings() -> None:
    assert parse_network("rocket1d-fixed").model_dump() == {
        "name": "rocket1d-fixed",
        "kernels": 1000,
        "parts": 2,
        "axis_share": 1.0,
        "dropout": 0.0,
    }
    network = built(kernels=8, parts=4, axis_share=0.01, dropout=0.35)
    assert (network.embedding_size, network.parts, network.dropout.p) == (32, 4, 0.35)
    weights = torch.cat([bank[0].weight.abs().amax(dim=(2, 3)) for bank in network.matches.values()])  # type: ignore[index]
    assert ((weights > 0).sum(dim=1) == 1).all()  # of three axes


def test_shares_are_drawn_between_a_tenth_and_nine_tenths_and_thresholds_stand_there_of_normal_answers() -> None:
    torch.manual_seed(0)
    bank = FixedBank(1, 2000)
    assert 0.1 <= bank.passed.min() < 0.11 and 0.89 < bank.passed.max() <= 0.9
    assert bank.passed.mean().item() == pytest.approx(0.5, abs=0.02)
    normal = NormalDist()
    for share, bias in list(zip(bank.passed.tolist(), bank.norm.bias.tolist(), strict=True))[:50]:
        assert bias == pytest.approx(3 + 60 * normal.inv_cdf(share), rel=1e-4, abs=1e-3)


@pytest.mark.parametrize("size", [1.0, 1e-3])
def test_one_step_of_the_thresholds_by_hand(size: float) -> None:
    """By half a deviation where all answers are on the wrong side; 3, the middle of the ramp, is not above it."""
    torch.manual_seed(0)
    bank = FixedBank(2, 4)
    norm, matches = bank.norm, torch.tensor([0.0, 3.0, 3.5, 6.0])[torch.randint(4, (5, 4, 6, 2))]
    assert norm.running_var is not None
    norm.running_var.copy_(torch.tensor([0.5, 1.0, 2.0, 4.0]) * size**2)
    before = ((3 - norm.bias) / norm.weight).tolist()
    bank._follow(matches)
    for kernel, variance in enumerate((0.5, 1.0, 2.0, 4.0)):
        share = sum(value > 3 for value in matches[:, kernel].flatten().tolist()) / 60
        threshold = before[kernel] + 0.5 * (share - bank.passed[kernel].item())
        weight = min(60.0, 300 * size * variance**0.5)
        assert norm.weight[kernel].item() == pytest.approx(weight, rel=1e-5)
        assert norm.bias[kernel].item() == pytest.approx(3 - weight * threshold, rel=1e-4, abs=1e-4)


def test_averages_are_over_all_batches_alike() -> None:
    network, batches = built(kernels=8), [k + k * torch.randn(16, 3, 64) for k in (1, 2, 4)]
    banks = [bank_of(network, name) for name in network.matches]
    answers: list[list[Tensor]] = [[] for _ in banks]
    features: list[Tensor] = []
    for bank, seen in zip(banks, answers, strict=True):
        bank[0].register_forward_hook(lambda _m, _i, y, seen=seen: seen.append(y))
    network.standardise.register_forward_pre_hook(lambda _m, given: features.append(given[0]))
    for batch in batches:
        network(batch)
    for bank, seen in zip(banks, answers, strict=True):
        assert bank.norm.running_mean is not None
        torch.testing.assert_close(
            bank.norm.running_mean, torch.stack([y.mean(dim=(0, 2, 3)) for y in seen]).mean(dim=0)
        )
    mean = network.standardise.running_mean
    assert mean is not None
    torch.testing.assert_close(mean, torch.stack([y.mean(dim=0) for y in features]).mean(dim=0))


@pytest.mark.parametrize("training", [True, False])
def test_a_batch_is_normalised_by_the_averages_and_the_floor_of_the_variance_is_its_own(training: bool) -> None:
    norm, x = AveragedNorm1d(3, eps=0.5, momentum=None).train(training), torch.randn(7, 3)
    found = norm(x)
    assert norm.running_mean is not None and norm.running_var is not None
    assert norm.running_mean.any() == training
    torch.testing.assert_close(found, (x - norm.running_mean) / (norm.running_var + 0.5).sqrt())
    wide, maps = AveragedNorm2d(3, eps=0.5).train(training), torch.randn(2, 3, 4, 5)
    assert wide(maps).shape == maps.shape
