"""The distiller of the dangerous-driving system."""

import torch
from torch import Tensor

from vskd.distillation.distillers.dangerous_driving import TERMS, DangerousDriving
from vskd.losses.attention_transfer import AttentionTransfer
from vskd.losses.cross_entropy import CrossEntropy
from vskd.losses.soft_target import SoftTarget, TemperatureSchedule
from vskd.models.efficientnet_v2 import EfficientNetV2
from vskd.models.feature_shapes import feature_shapes
from vskd.models.mobilenet_v3 import MobileNetV3Small
from vskd.network import Outputs


def pair() -> tuple[Outputs, Outputs, Tensor]:
    torch.manual_seed(0)

    def outputs(channels: int) -> Outputs:
        maps = {"deep": torch.randn(6, channels, 4, 4), "shallow": torch.randn(6, 3, 8, 8)}
        return Outputs(torch.randn(6, 4), torch.randn(6, channels), maps)

    return outputs(5), outputs(7), torch.randint(0, 4, (6,))


def test_default_loss_is_that_of_the_text() -> None:
    """a * CE + (1 - a) * T^2 * KL + 0.3 * MSE of features + attention on both maps."""
    student, teacher, labels = pair()
    distiller = DangerousDriving(5, 7)
    terms = distiller(student, teacher, labels)
    assert distiller.hint is not None
    projected = distiller.hint.projector(student.features["deep"])
    expected = {
        "cross_entropy": 0.3 * CrossEntropy()(student.logits, labels),
        "soft": 0.7 * SoftTarget(7.0)(student.logits, teacher.logits),
        "hint": 0.3 * (projected - teacher.features["deep"]).square().mean(),
        "deep_attention": AttentionTransfer()(student.features["deep"], teacher.features["deep"]),
        "shallow_attention": AttentionTransfer()(student.features["shallow"], teacher.features["shallow"]),
    }
    assert list(terms) == list(expected) == list(TERMS)
    for name, value in expected.items():
        torch.testing.assert_close(terms[name], value)


def test_the_rising_temperature_reaches_the_soft_targets() -> None:
    student, teacher, labels = pair()
    distiller = DangerousDriving(5, 7, temperature=TemperatureSchedule(3.0, 0.5))
    for epoch, temperature in ((0, 3.0), (10, 8.0), (99, 20.0)):
        distiller.start_epoch(epoch)
        expected = 0.7 * SoftTarget(temperature)(student.logits, teacher.logits)
        torch.testing.assert_close(distiller(student, teacher, labels)["soft"], expected)


def test_without_the_hint_there_is_no_projector() -> None:
    distiller = DangerousDriving(0, 0, {"hint": 0.0})
    assert not list(distiller.parameters())
    assert "hint" not in distiller(*pair())


def test_class_weights_touch_the_cross_entropy_only() -> None:
    student, teacher, labels = pair()
    weights = torch.tensor([0.5, 1.0, 2.0, 4.0])
    distiller = DangerousDriving(5, 7, class_weights=weights)
    plain = DangerousDriving(5, 7)
    plain.load_state_dict(distiller.state_dict())
    balanced, unbalanced = distiller(student, teacher, labels), plain(student, teacher, labels)
    expected = 0.3 * CrossEntropy(class_weights=weights)(student.logits, labels)
    torch.testing.assert_close(balanced["cross_entropy"], expected)
    assert all(torch.equal(balanced[n], unbalanced[n]) for n in TERMS if n != "cross_entropy")


def test_fits_the_networks_of_the_system() -> None:
    torch.manual_seed(0)
    student, teacher = MobileNetV3Small(3, 6, width=0.75), EfficientNetV2(3, 6).eval()
    channels = [feature_shapes(network, (3, 64, 64))["deep"][0] for network in (student, teacher)]
    assert channels == [432, 1280]
    distiller = DangerousDriving(*channels)
    images = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        told = teacher(images)
    loss = sum(distiller(student(images), told, torch.tensor([0, 5])).values())
    loss.backward()
    assert torch.isfinite(loss)
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in student.parameters())
