"""The distiller of the dangerous-driving system."""

import pytest
import torch
from torch import Tensor

from vskd.distillation.distiller import Distiller
from vskd.losses.attention_transfer import AttentionTransfer
from vskd.losses.cross_entropy import CrossEntropy
from vskd.losses.kd import KD, KDSettings
from vskd.losses.presets.dangerous_driving import DANGEROUS_DRIVING
from vskd.losses.term import TermContext, TermSettings
from vskd.models.efficientnet_v2 import EfficientNetV2
from vskd.models.mobilenet_v3 import MobileNetV3Small
from vskd.network import Outputs, layer_shapes

POSITIONS = torch.arange(6)
LAYERS = ("logits", "embedding", "deep", "shallow")


def shapes(width: int, side: int = 4) -> dict[str, tuple[int, ...]]:
    maps = {"deep": (width, side, side), "shallow": (3, 2 * side, 2 * side)}
    return {"logits": (4,), "embedding": (width,), **maps}


def pair() -> tuple[Outputs, Outputs, Tensor]:
    torch.manual_seed(0)

    def outputs(channels: int) -> Outputs:
        maps = {"deep": torch.randn(6, channels, 4, 4), "shallow": torch.randn(6, 3, 8, 8)}
        return Outputs(torch.randn(6, 4), torch.randn(6, channels), maps)

    return outputs(5), outputs(7), torch.randint(0, 4, (6,))


def make(terms: tuple[TermSettings, ...] = DANGEROUS_DRIVING.terms) -> Distiller:
    return Distiller(terms, DANGEROUS_DRIVING.weighting, TermContext(shapes(5), shapes(7)))


def test_default_loss_is_that_of_the_text() -> None:
    """a * CE + (1 - a) * T^2 * KL + 0.3 * MSE of features + attention on both maps."""
    student, teacher, labels = pair()
    distiller = make()
    terms = distiller(student, teacher, labels, POSITIONS)
    (projector,) = (module for module in distiller.modules() if isinstance(module, torch.nn.Conv2d))
    expected = {
        "cross_entropy": 0.3 * CrossEntropy()(student.logits, labels),
        "kd": 0.7 * KD(7.0)(student.logits, teacher.logits),
        "fitnets_hint": 0.3 * (projector(student.features["deep"]) - teacher.features["deep"]).square().mean(),
        "deep_attention": AttentionTransfer()(student.features["deep"], teacher.features["deep"]),
        "shallow_attention": AttentionTransfer()(student.features["shallow"], teacher.features["shallow"]),
    }
    assert list(terms) == list(expected)
    for name, value in expected.items():
        torch.testing.assert_close(terms[name], value)


def test_a_rising_temperature_reaches_the_soft_targets() -> None:
    student, teacher, labels = pair()
    rising = KDSettings(weight=0.7, temperature=3.0, temperature_slope=0.5)
    distiller = make(tuple(rising if term.loss == "kd" else term for term in DANGEROUS_DRIVING.terms))
    for epoch, temperature in ((0, 3.0), (10, 8.0), (99, 20.0)):
        distiller.start_epoch(epoch)
        expected = 0.7 * KD(temperature)(student.logits, teacher.logits)
        torch.testing.assert_close(distiller(student, teacher, labels, POSITIONS)["kd"], expected)


@pytest.mark.slow
def test_fits_the_networks_of_the_system() -> None:
    torch.manual_seed(0)
    student, teacher = MobileNetV3Small(3, 6, width=0.75), EfficientNetV2(3, 6).eval()
    found = [layer_shapes(network, (3, 64, 64), LAYERS) for network in (student, teacher)]
    assert [shape["deep"][0] for shape in found] == [432, 1280]
    distiller = Distiller(DANGEROUS_DRIVING.terms, DANGEROUS_DRIVING.weighting, TermContext(*found))
    images = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        told = teacher(images)
    loss = sum(distiller(student(images), told, torch.tensor([0, 5]), torch.arange(2)).values())
    loss.backward()
    assert torch.isfinite(loss)
    for parameter in student.parameters():
        assert parameter.grad is not None and torch.isfinite(parameter.grad).all()


def test_attention_is_averaged_as_in_the_published_runs() -> None:
    assert [term.pooling for term in DANGEROUS_DRIVING.terms if term.loss == "attention_transfer"] == [
        "squares",
        "squares",
    ]
