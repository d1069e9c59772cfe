"""BatchNorm statistics are those of the weights that ship, and nothing else changes."""

import logging
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from vskd.distillation import batch_norm
from vskd.distillation.batch_norm import (
    accuracies,
    recompute,
    refuse_single_samples,
    remembers_the_beginning,
    trained_norms,
    warn_if_parted,
)
from vskd.distillation.fitting import plain_batches
from vskd.errors import RecipeError
from vskd.modalities.base import Batch
from vskd.models.catalog import NETWORKS, build_network, parse_network
from vskd.network import Outputs
from vskd.recipe import Training


class Small(nn.Module):
    """Two normalised layers; the first may be frozen, as TRN freezes those of its pretrained frame network."""

    def __init__(self, frozen: bool = False) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first, self.second = nn.BatchNorm1d(3, momentum=0.01), nn.BatchNorm1d(4)
        self.linear, self.head, self.dropout = nn.Linear(3, 4), nn.Linear(4, 2), nn.Dropout(0.5)
        self.frozen = frozen

    def train(self, mode: bool = True) -> "Small":
        super().train(mode)
        self.first.train(mode and not self.frozen)
        return self

    def forward(self, x: torch.Tensor) -> Outputs:
        embedding = self.second(self.dropout(self.linear(self.first(x))))
        return Outputs(self.head(embedding), embedding)


def batches(*sizes: int) -> list[Batch]:
    generator = torch.Generator().manual_seed(1)
    made = []
    for size in sizes:
        inputs = 5 + 3 * torch.randn(size, 3, generator=generator)
        positions = torch.arange(size)
        made.append(Batch(tuple(map(str, range(size))), inputs, (inputs[:, 0] > 5).long(), positions))
    return made


def test_statistics_are_the_means_over_the_batches_by_samples() -> None:
    model, given = Small(), batches(8, 8, 4)
    recompute(model, given)
    share = torch.tensor([8, 8, 4]) / 20
    means, variances = (torch.stack([f(b.inputs) for b in given]) for f in (lambda x: x.mean(0), lambda x: x.var(0)))
    torch.testing.assert_close(model.first.running_mean, share @ means)
    torch.testing.assert_close(model.first.running_var, share @ variances)


def test_a_layer_behind_sees_what_the_one_before_gives_by_batch_and_without_dropout() -> None:
    model, (batch,) = Small(), batches(16)
    recompute(model, [batch])
    normal = nn.functional.batch_norm(
        batch.inputs, None, None, model.first.weight, model.first.bias, True, eps=model.first.eps
    )
    torch.testing.assert_close(model.second.running_mean, model.linear(normal).mean(0))


def test_what_was_there_before_is_forgotten_and_nothing_else_changes() -> None:
    model = Small()
    model.train()
    model.dropout.eval()  # a part that somebody froze
    nn.init.constant_(model.first.running_mean, 1e6)
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    state = torch.get_rng_state()
    recompute(model, batches(8, 8))
    assert model.first.running_mean.abs().max() < 20
    assert all(torch.equal(p, before[name]) for name, p in model.named_parameters())
    assert (model.first.momentum, model.second.momentum) == (0.01, 0.1)
    assert model.training and model.first.training and not model.dropout.training
    assert torch.equal(torch.get_rng_state(), state)


def test_frozen_layers_keep_their_statistics() -> None:
    model = Small(frozen=True)
    assert trained_norms(model) == [model.second]
    recompute(model, batches(8))
    assert torch.equal(model.first.running_mean, torch.zeros(3))
    assert not torch.equal(model.second.running_mean, torch.zeros(4))


def test_a_single_sample_at_the_end_is_left_out() -> None:
    one, other = Small(), Small()
    recompute(one, batches(8, 1))
    recompute(other, batches(8))
    assert torch.equal(one.first.running_var, other.first.running_var)


@pytest.mark.parametrize(("steps", "expected"), [(99, True), (100, False), (999, True), (1000, False)])
def test_few_steps_are_few_for_the_momentum(steps: int, expected: bool) -> None:
    momentum = 0.1 if steps < 500 else 0.01
    assert remembers_the_beginning([nn.BatchNorm1d(2, momentum=momentum)], steps) is expected
    assert remembers_the_beginning([], steps) is False
    assert remembers_the_beginning([nn.BatchNorm1d(2, momentum=1.0), nn.BatchNorm1d(2, momentum=0.001)], steps)


def parted() -> tuple[Small, list[Batch]]:
    """A network that is right by the statistics of a batch, and says class 1 of everything by its running ones."""
    model, given = Small(), batches(64, 64)
    with torch.no_grad():
        model.linear.weight.zero_()[0, 0] = 1.0
        model.linear.bias.zero_()
        model.head.weight.zero_()[1, 0] = 1.0
        model.head.bias.zero_()
    return model, given


def test_accuracies_of_both_modes_and_nothing_is_changed() -> None:
    model, given = parted()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    training, evaluation = accuracies(model, given)
    labels = torch.cat([batch.labels for batch in given])
    assert training > 0.9
    assert evaluation == pytest.approx(labels.float().mean().item(), abs=0.06)
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    recompute(model, given)
    assert accuracies(model, given)[1] > 0.9


def test_samples_without_a_label_do_not_count() -> None:
    model, (batch, other) = parted()
    hidden = Batch(other.ids, other.inputs, torch.full_like(other.labels, -1), other.positions)
    assert accuracies(model, [batch, hidden]) == accuracies(model, [batch])
    assert accuracies(model, [hidden]) == (0.0, 0.0)


def test_modes_that_part_are_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    model, given = parted()

    def endless() -> Iterator[Batch]:
        while True:
            yield from given

    with caplog.at_level(logging.WARNING, logger="vskd"):
        warn_if_parted(model, endless(), 64)  # a few of them are enough
        assert "as it will be used: train longer, or with a larger batch_size" in caplog.text
        caplog.clear()
        recompute(model, given)
        warn_if_parted(model, endless(), 64)
        warn_if_parted(nn.Linear(2, 2), endless(), 64)
        assert caplog.text == ""


def test_plain_batches_are_every_recording_once_in_an_order_of_the_seed() -> None:
    asked = []
    inputs = SimpleNamespace(batches=lambda ids, **options: asked.append((ids, options)))
    ids = tuple(f"r{i}" for i in range(20))
    for seed in (0, 0, 1):
        plain_batches(inputs, Training(batch_size=5), seed, ids)()
    (one, options), (same, _), (other, _) = asked
    assert options == {"batch_size": 5}  # no seed: not augmented
    assert one == same != other and one != ids
    assert sorted(one) == sorted(other) == sorted(ids)


@pytest.mark.parametrize(
    ("samples", "batches", "remedy"), [(1, 1, "Add training recordings"), (3, 2, "batch_size to 4"), (5, 5, "to 4")]
)
def test_batches_of_one_sample_are_refused(samples: int, batches: int, remedy: str) -> None:
    with pytest.raises(RecipeError, match=rf"^training\.batch_size: of {samples} training sample.*{remedy}"):
        refuse_single_samples(Small(), samples, batches)
    refuse_single_samples(nn.Linear(2, 2), samples, batches)  # without BatchNorm
    refuse_single_samples(Small(), 2 * batches, batches)


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_every_network_with_batch_norm_is_asked(name: str) -> None:
    shape = {"series": (3, 64), "image": (3, 64, 64), "frames": (3, 3, 64, 64), "clip": (3, 17, 32, 32)}[
        NETWORKS[name].kind
    ]
    network = build_network(parse_network(name), shape=shape, classes=3)
    if any(isinstance(module, nn.modules.batchnorm._BatchNorm) for module in network.modules()):
        with pytest.raises(RecipeError, match="batch_size"):
            refuse_single_samples(network, 1, 1)
    else:
        refuse_single_samples(network, 1, 1)


@pytest.mark.parametrize(
    ("found", "warned"), [((0.9, 0.7), True), ((0.7, 0.9), True), ((0.7, 0.79), False), ((0.1, 0.0), False)]
)
def test_either_mode_may_be_the_better_one(
    found: tuple[float, float], warned: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    asked: list[int] = []

    def compared(_model: nn.Module, given: Iterator[Batch]) -> tuple[float, float]:
        asked.append(len(list(given)))
        return found

    monkeypatch.setattr(batch_norm, "accuracies", compared)
    for size in (64, 100, 300):
        warn_if_parted(Small(), iter(batches(8, 8, 8, 8, 8, 8)), size)
    assert asked == [4, 2, 1]  # about 256 samples, at least a batch
    assert ("as it will be used" in caplog.text) is warned
    if warned:
        assert f"right on {100 * found[0]:.1f} % by the statistics of each batch" in caplog.text


def test_a_layer_that_averages_over_all_batches_never_forgets_the_beginning() -> None:
    """`momentum=None` of torch."""
    assert remembers_the_beginning([nn.BatchNorm1d(2, momentum=None)], 10**9)


class Photos(nn.Module):
    """A normalised map: a single image has a variance."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        normalised: torch.Tensor = self.norm(x)
        return normalised


def test_a_single_sample_at_the_beginning_counts_where_it_has_a_variance() -> None:
    model, image = Photos(), torch.tensor([1.0, 2.0, 3.0, 6.0]).view(1, 1, 2, 2)
    recompute(model, [Batch(("a",), image, torch.tensor([0]), torch.tensor([0]))])
    assert model.norm.running_mean.item() == pytest.approx(3.0)
    assert model.norm.running_var.item() == pytest.approx(14 / 3)


def test_statistics_that_are_not_kept_are_not_trained() -> None:
    model = nn.Sequential(nn.BatchNorm1d(2, track_running_stats=False), nn.BatchNorm1d(2)).eval()
    assert trained_norms(model) == [model[1]]
    assert not any(module.training for module in model.modules())


def test_batches_of_one_sample_are_left_out_of_the_comparison() -> None:
    """It has no variance, by which the network could answer in training."""
    model, given = parted()
    (one,) = batches(1)
    wrong = Batch(one.ids, one.inputs, 1 - one.labels, one.positions)
    assert accuracies(model, [*given, wrong]) == accuracies(model, given)
    assert accuracies(model, [wrong]) == (0.0, 0.0)


@pytest.mark.parametrize(("samples", "batches", "refused"), [(4, 2, False), (3, 2, True), (7, 4, True), (8, 4, False)])
def test_batches_of_two_samples_and_more_are_trained_on(samples: int, batches: int, refused: bool) -> None:
    if refused:
        with pytest.raises(RecipeError, match=rf"of {samples} training sample\(s\) in {batches} batch"):
            refuse_single_samples(Small(), samples, batches)
    else:
        refuse_single_samples(Small(), samples, batches)
