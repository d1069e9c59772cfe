"""Contrastive representation distillation beside the labels.

L = L_CE + 0.8 * L_CRD on the embeddings.

Source: Tian, Krishnan & Isola, "Contrastive Representation Distillation", ICLR 2020 (arXiv 1910.10699); the weight is
the public code's.

Points of deviation from the original implementation: see the loss.
"""

from vskd.losses.crd import CRDSettings
from vskd.losses.cross_entropy import CrossEntropySettings
from vskd.losses.presets.preset import Preset

CRD = Preset((CrossEntropySettings(), CRDSettings(weight=0.8)), "cross entropy and CRD (Tian et al.)")
