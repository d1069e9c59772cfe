"""What distillers share, where the contract tests do not look."""

import pytest
import torch
from torch import Tensor

from vskd.distillation.distillers.base import Distiller, SoftTargetDistiller, feature_pair
from vskd.losses.soft_target import TemperatureSchedule
from vskd.network import Outputs


class Recorder(Distiller):
    """Keeps what its terms are given."""

    def __init__(self) -> None:
        super().__init__({"soft": 2.0})
        self.given: tuple[Outputs, Tensor, Tensor | None] | None = None

    def _teacher_terms(
        self, student: Outputs, teacher: Outputs, labels: Tensor, positions: Tensor | None
    ) -> dict[str, Tensor]:
        self.given = (teacher, labels, positions)
        return {"soft": student.logits.sum()}


def test_terms_get_the_teachers_features_detached_with_labels_and_positions() -> None:
    maps = {"deep": torch.ones(2, 3, 4, 4, requires_grad=True)}
    teacher = Outputs(torch.ones(2, 3, requires_grad=True), torch.ones(2, 5, requires_grad=True), maps)
    recorder, labels, positions = Recorder(), torch.tensor([0, 1]), torch.tensor([7, 3])
    terms = recorder(Outputs(torch.ones(2, 3), torch.ones(2, 5)), teacher, labels, positions)
    assert terms["soft"].item() == 12.0
    assert recorder.given is not None
    fixed, *others = recorder.given
    assert others == [labels, positions]
    assert list(fixed.features) == ["deep"]
    for tensor in (fixed.logits, fixed.embedding, fixed.features["deep"]):
        assert not tensor.requires_grad


def test_the_temperature_follows_the_epoch_and_no_earlier_one() -> None:
    distiller = SoftTargetDistiller({"soft": 1.0}, TemperatureSchedule(3.0, 0.5))
    assert distiller.soft.temperature == 3.0
    for epoch, expected in ((4, 5.0), (100, 20.0), (1, 3.5)):  # in any order: a resumed training starts in between
        distiller.start_epoch(epoch)
        assert distiller.soft.temperature == expected


def test_missing_maps_are_named() -> None:
    logits, embedding = torch.zeros(1, 2), torch.zeros(1, 3)
    full = Outputs(logits, embedding, {"deep": torch.zeros(1, 2, 2, 2)})
    assert feature_pair("deep", full, full)[0] is full.features["deep"]
    with pytest.raises(ValueError, match="'shallow', but the student has deep"):
        feature_pair("shallow", full, full)
    with pytest.raises(ValueError, match="'deep', but the teacher has none"):
        feature_pair("deep", full, Outputs(logits, embedding))
