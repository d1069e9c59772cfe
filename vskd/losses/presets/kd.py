"""Plain knowledge distillation on the logits.

L = (1 - alpha) * L_CE + alpha * L_KD with alpha = 0.9 and T = 4, the loss's own default.

Source: Hinton, Vinyals & Dean, "Distilling the Knowledge in a Neural Network", 2015 (arXiv 1503.02531); the weights are
those of Tian, Krishnan & Isola, "Contrastive Representation Distillation", ICLR 2020.
"""

from vskd.losses.cross_entropy import CrossEntropySettings
from vskd.losses.kd import KDSettings
from vskd.losses.presets.preset import Preset

KD = Preset(
    (CrossEntropySettings(weight=0.1), KDSettings(weight=0.9)),
    "cross entropy and soft targets (Hinton et al.)",
)
