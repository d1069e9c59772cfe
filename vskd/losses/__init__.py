"""Published losses of knowledge distillation, each an `nn.Module` on tensors.

>>> import torch
>>> from vskd.losses import RKDDistance
>>> RKDDistance()(torch.eye(3), 2 * torch.eye(3)).item()  # distances in the same proportions
0.0
"""

from vskd.losses.attention_transfer import AttentionTransfer
from vskd.losses.crcd import CRCD
from vskd.losses.crd import CRD
from vskd.losses.cross_entropy import CrossEntropy
from vskd.losses.dkd import NCKD, TCKD
from vskd.losses.embedding_mse import EmbeddingMSE
from vskd.losses.fitnets_hint import FitNetsHint
from vskd.losses.kd import KD, TemperatureSchedule
from vskd.losses.logits_mse import LogitsMSE
from vskd.losses.rkd_angle import RKDAngle
from vskd.losses.rkd_distance import RKDDistance
from vskd.losses.semckd import SemCKD
from vskd.losses.similarity_preserving import SimilarityPreserving
from vskd.losses.simkd import SimKD
from vskd.losses.uncertainty_weighting import UncertaintyWeighting

__all__ = [
    "CRCD",
    "CRD",
    "KD",
    "NCKD",
    "TCKD",
    "AttentionTransfer",
    "CrossEntropy",
    "EmbeddingMSE",
    "FitNetsHint",
    "LogitsMSE",
    "RKDAngle",
    "RKDDistance",
    "SemCKD",
    "SimKD",
    "SimilarityPreserving",
    "TemperatureSchedule",
    "UncertaintyWeighting",
]
