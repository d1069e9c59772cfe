"""No distillation: the same training and student without a teacher, to measure what the teacher is worth.

L = L_CE.
"""

from vskd.losses.cross_entropy import CrossEntropySettings
from vskd.losses.presets.preset import Preset

NONE = Preset((CrossEntropySettings(),), "cross entropy only, no teacher")
