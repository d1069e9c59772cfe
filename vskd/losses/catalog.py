"""Which losses exist. To add one: write losses/<name>.py, add one line here and a test against a naive version."""

from collections.abc import Mapping

from torch import nn

from vskd.losses.angle import Angle
from vskd.losses.attention_transfer import AttentionTransfer
from vskd.losses.cross_entropy import CrossEntropy
from vskd.losses.decoupled import NonTarget, Target
from vskd.losses.distance import Distance
from vskd.losses.hint import Hint
from vskd.losses.sample_relation import SampleRelation
from vskd.losses.semantic import Semantic
from vskd.losses.soft_target import SoftTarget
from vskd.losses.uncertainty import Uncertainty

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
