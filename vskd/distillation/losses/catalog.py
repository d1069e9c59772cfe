"""Which losses exist. To add one: write losses/<name>.py, add one line here and a test against a naive version."""

from collections.abc import Mapping

from torch import nn

from vskd.distillation.losses.angle import Angle
from vskd.distillation.losses.attention_transfer import AttentionTransfer
from vskd.distillation.losses.cross_entropy import CrossEntropy
from vskd.distillation.losses.decoupled import NonTarget, Target
from vskd.distillation.losses.distance import Distance
from vskd.distillation.losses.hint import Hint
from vskd.distillation.losses.sample_relation import SampleRelation
from vskd.distillation.losses.semantic import Semantic
from vskd.distillation.losses.soft_target import SoftTarget
from vskd.distillation.losses.uncertainty import Uncertainty

LOSSES: Mapping[str, type[nn.Module]] = {
    "cross_entropy": CrossEntropy,
    "soft": SoftTarget,
    "semantic": Semantic,
    "distance": Distance,
    "angle": Angle,
    "target": Target,
    "non_target": NonTarget,
    "sample_relation": SampleRelation,
    "attention_transfer": AttentionTransfer,
    "hint": Hint,
    "uncertainty": Uncertainty,
}
