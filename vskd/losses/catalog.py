"""Which losses a distiller can be made of; term.py says how to add one."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from vskd.losses.attention_transfer import AttentionTransferSettings
from vskd.losses.crcd import CRCDSettings
from vskd.losses.crd import CRDSettings
from vskd.losses.cross_entropy import CrossEntropySettings
from vskd.losses.dkd import NCKDSettings, TCKDSettings
from vskd.losses.embedding_mse import EmbeddingMSESettings
from vskd.losses.fitnets_hint import FitNetsHintSettings
from vskd.losses.kd import KDSettings
from vskd.losses.kd_on_probabilities import KDOnProbabilitiesSettings
from vskd.losses.logits_mse import LogitsMSESettings
from vskd.losses.rkd_angle import RKDAngleSettings
from vskd.losses.rkd_distance import RKDDistanceSettings
from vskd.losses.semckd import SemCKDSettings
from vskd.losses.similarity_preserving import SimilarityPreservingSettings
from vskd.losses.simkd import SimKDSettings
from vskd.losses.term import TermSettings
from vskd.schema import choice

LOSSES: Mapping[str, type[TermSettings]] = {
    "cross_entropy": CrossEntropySettings,
    "kd": KDSettings,
    "kd_on_probabilities": KDOnProbabilitiesSettings,
    "tckd": TCKDSettings,
    "nckd": NCKDSettings,
    "embedding_mse": EmbeddingMSESettings,
    "rkd_distance": RKDDistanceSettings,
    "rkd_angle": RKDAngleSettings,
    "crcd": CRCDSettings,
    "attention_transfer": AttentionTransferSettings,
    "fitnets_hint": FitNetsHintSettings,
    "logits_mse": LogitsMSESettings,
    "similarity_preserving": SimilarityPreservingSettings,
    "crd": CRDSettings,
    "semckd": SemCKDSettings,
    "simkd": SimKDSettings,
}

if TYPE_CHECKING:
    AnyTerm = TermSettings
else:
    AnyTerm = choice("loss", LOSSES.values())
