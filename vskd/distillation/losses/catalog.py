"""Which losses exist. To add one: write losses/<name>.py, add one line here and a test against a naive version."""

from collections.abc import Mapping

from torch import nn

from vskd.distillation.losses.angle import Angle
from vskd.distillation.losses.cross_entropy import CrossEntropy
from vskd.distillation.losses.distance import Distance
from vskd.distillation.losses.semantic import Semantic
from vskd.distillation.losses.soft_target import SoftTarget

LOSSES: Mapping[str, type[nn.Module]] = {
    "cross_entropy": CrossEntropy,
    "soft": SoftTarget,
    "semantic": Semantic,
    "distance": Distance,
    "angle": Angle,
}
