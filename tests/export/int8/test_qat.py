"""Training under simulated int8 brings back what quantization had lost."""

import copy
import inspect
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tests.export.conftest import IMAGE, random_inputs
from vskd.bundle.runtime import LiteRTModel
from vskd.datasets.recording import UNLABELLED
from vskd.errors import CheckpointError, DataError
from vskd.export.convert.litert import LogitsOnly, convert_float
from vskd.export.int8.int8_simulation import ActivationRounding
from vskd.export.int8.qat import stay_close, train_for_int8
from vskd.export.int8.quantize import quantize_int8
from vskd.recipe.export import Export


class Lopsided(nn.Module):
    """A trained classifier in which one channel's range leaves hardly any steps for the others."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(8, 12), nn.Linear(12, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.second(torch.relu(self.first(x)))


def blobs(count: int, seed: int) -> tuple[Tensor, Tensor]:
    """Three classes, 8 features."""
    generator = torch.Generator().manual_seed(seed)
    centres = torch.randn(3, 8, generator=torch.Generator().manual_seed(7))
    labels = torch.randint(0, 3, (count,), generator=generator)
    return centres[labels] + 0.5 * torch.randn(count, 8, generator=generator), labels


def lopsided() -> Lopsided:
    torch.manual_seed(0)
    network = Lopsided()
    optimizer = torch.optim.Adam(network.parameters(), lr=0.02)
    x, labels = blobs(400, 1)
    for _ in range(100):
        optimizer.zero_grad()
        nn.functional.cross_entropy(network(x), labels).backward()
        optimizer.step()
    with torch.no_grad():  # the same function, in ranges that int8 cannot hold together
        network.first.weight[0] *= 400
        network.first.bias[0] *= 400
        network.second.weight[:, 0] /= 400
    return network.eval()


def int8_accuracy(module: nn.Module) -> float:
    x, labels = blobs(300, 3)
    calibration = list(blobs(100, 2)[0].numpy())
    content = quantize_int8(convert_float(module, torch.zeros(1, 8)), calibration)
    return float((LiteRTModel(content).predict(x.numpy()).argmax(axis=1) == labels.numpy()).mean())


def test_training_brings_back_what_quantization_lost():
    network = lopsided()
    before = copy.deepcopy(network.state_dict())
    x, labels = blobs(300, 3)
    float_accuracy = float((network(x).argmax(dim=1) == labels).float().mean())
    batches = [blobs(64, 100 + step) for step in range(300)]
    trained = train_for_int8(network, batches, steps=300, learning_rate=0.01)
    lost, kept = float_accuracy - int8_accuracy(network), float_accuracy - int8_accuracy(trained)
    assert float_accuracy > 0.95 and lost > 0.1  # there is something to repair
    assert kept < 0.02
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())


def test_the_rate_falls_linearly_to_zero(monkeypatch: pytest.MonkeyPatch):
    rates: list[float] = []
    step = torch.optim.Adam.step

    def noted(self: torch.optim.Adam) -> object:
        rates.append(self.param_groups[0]["lr"])
        return step(self)

    monkeypatch.setattr(torch.optim.Adam, "step", noted)
    train_for_int8(lopsided(), [blobs(8, s) for s in range(5)], steps=4, learning_rate=0.4)
    assert rates[-5:] == pytest.approx([0.4, 0.3, 0.2, 0.1, 0.0])


@pytest.mark.parametrize(("steps", "observed"), [(6, {0, 1, 2}), (5, {0, 1}), (3, {0}), (2, {0}), (1, {0})])
def test_ranges_are_those_of_the_first_half(monkeypatch: pytest.MonkeyPatch, steps: int, observed: set[int]):
    """Later batches change the weights alone."""
    step, seen = -1, set()
    observe = ActivationRounding._observe

    def noted(self: ActivationRounding, low: Tensor, high: Tensor) -> None:
        seen.add(step)
        observe(self, low, high)

    def batches() -> Iterator[tuple[Tensor, Tensor]]:
        nonlocal step
        for step in range(steps):
            yield blobs(8, step)

    monkeypatch.setattr(ActivationRounding, "_observe", noted)
    train_for_int8(lopsided(), batches(), steps=steps)
    assert seen == observed


def test_the_rate_is_by_default_that_of_a_recipe():
    usual = Export.conditional["fine_tuning_rate"].default
    assert inspect.signature(train_for_int8).parameters["learning_rate"].default == usual == 1e-4


def test_training_is_deterministic(tiny_network: nn.Module):
    batches = [(torch.from_numpy(np.stack(random_inputs(4, IMAGE, seed=s))), torch.arange(4)) for s in range(3)]
    once, again = (train_for_int8(LogitsOnly(tiny_network), batches, steps=3) for _ in range(2))
    for (name, a), b in zip(once.state_dict().items(), again.state_dict().values(), strict=True):
        assert torch.equal(a, b), name


def test_no_batch_and_bad_loss_are_refused(tiny_network: nn.Module):
    with pytest.raises(DataError, match="no batch"):
        train_for_int8(LogitsOnly(tiny_network), [], steps=1)
    with pytest.raises(DataError, match="batch 0 is not finite"):
        train_for_int8(LogitsOnly(tiny_network), [(torch.full((2, *IMAGE), torch.nan), torch.zeros(2).long())], steps=1)


def test_weights_that_the_last_step_spoilt_are_refused(tiny_network: nn.Module):
    inputs, labels = torch.from_numpy(np.stack(random_inputs(4, IMAGE, seed=0))), torch.arange(4)
    with pytest.raises(CheckpointError, match="fine-tuned under simulated int8 holds NaN or infinity"):
        train_for_int8(LogitsOnly(tiny_network), [(inputs, labels)], steps=1, learning_rate=float("inf"))


def test_the_loss_is_half_of_the_labels_and_half_of_the_float_answers() -> None:
    """Per sample; where no label is known, the answers alone. The divergence is of the float network's answers."""
    logits = torch.tensor([[1.0, 3.0, 0.0], [0.5, -1.0, 2.0]])
    answers = torch.tensor([[0.0, 2.0, 1.0], [3.0, 0.0, 0.0]])
    labels = torch.tensor([2, 0])
    p, q = (np.exp(x.double().numpy()) / np.exp(x.double().numpy()).sum(1, keepdims=True) for x in (answers, logits))
    divergence = (p * np.log(p / q)).sum() / 2
    from_labels = -np.log([q[0, 2], q[1, 0]]).mean()
    assert stay_close(logits, answers, labels).item() == pytest.approx(0.5 * from_labels + 0.5 * divergence, rel=1e-5)
    unlabelled = torch.full((2,), UNLABELLED)
    assert stay_close(logits, answers, unlabelled).item() == pytest.approx(0.5 * divergence, rel=1e-5)


def test_a_loss_of_ones_own_sees_the_float_answers_and_the_estimator_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    """The float network's answers are those before training, also after steps that changed the weights."""
    network, seen, estimators = lopsided(), [], set()
    batches = [blobs(8, s) for s in range(3)]
    made = ActivationRounding.__init__

    def noted(self: ActivationRounding, range_estimator: str) -> None:
        estimators.add(range_estimator)
        made(self, range_estimator)  # type: ignore[arg-type]

    def loss(logits: Tensor, answers: Tensor, labels: Tensor) -> Tensor:
        seen.append((answers, labels))
        return logits.square().mean()

    monkeypatch.setattr(ActivationRounding, "__init__", noted)
    trained = train_for_int8(network, batches, steps=3, learning_rate=0.1, range_estimator="minmax", loss=loss)
    assert estimators == {"minmax"} and not trained.training
    for (answers, labels), (x, expected) in zip(seen, batches, strict=True):
        with torch.no_grad():
            torch.testing.assert_close(answers, network(x))
        assert torch.equal(labels, expected)
    assert not torch.equal(trained.get_parameter("first.weight"), network.first.weight)
    assert inspect.signature(train_for_int8).parameters["range_estimator"].default == "moving-average"
    assert inspect.signature(train_for_int8).parameters["loss"].default is stay_close


def test_batches_beyond_the_steps_change_nothing() -> None:
    few, more = (
        train_for_int8(lopsided(), [blobs(8, s) for s in range(count)], steps=2, learning_rate=0.1) for count in (2, 4)
    )
    for (name, a), b in zip(few.state_dict().items(), more.state_dict().values(), strict=True):
        assert torch.equal(a, b), name


def test_each_step_goes_by_the_gradient_of_its_own_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same batch three times at a rate of zero: the gradient is the same each time, and is no sum."""
    gradients: list[Tensor] = []

    def noted(self: torch.optim.Adam) -> None:
        gradients.append(torch.cat([p.grad.flatten().clone() for p in self.param_groups[0]["params"]]))

    network = lopsided()
    monkeypatch.setattr(torch.optim.Adam, "step", noted)
    train_for_int8(network, [blobs(8, 1)] * 3, steps=3, learning_rate=0.0)
    assert len(gradients) == 3 and gradients[0].abs().max() > 0
    for later in gradients[1:]:
        torch.testing.assert_close(later, gradients[0], rtol=1e-3, atol=1e-6)
