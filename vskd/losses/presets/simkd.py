"""SimKD: the teacher's classifier behind a projector, in the student too.

L = L_SimKD; the labels are not looked at. The student needs a `head` as wide as the teacher's embedding.

Source: Chen, Mei, Zhang, Wang, Feng & Chen, "Knowledge Distillation with the Reused Teacher Classifier", CVPR 2022
(arXiv 2203.14001).

Points of deviation from the original: see the loss.
"""

from vskd.losses.presets.preset import Preset
from vskd.losses.simkd import SimKDSettings

SIMKD = Preset((SimKDSettings(),), "the teacher's classifier reused in the student (SimKD, Chen et al.)")
