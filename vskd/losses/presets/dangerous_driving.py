"""The distiller of the dangerous-driving system: labels, soft targets, a FitNets hint and attention transfer.

L = a * L_CE + (1 - a) * T^2 * KL + b * L_hint + c * (L_AT deep + L_AT shallow), with a = 0.3, b = 0.3, c = 1 and T = 7.
The hint compares the maps "deep" through a trained 1x1 convolution. In the text T rises from epoch to epoch: set
`temperature_slope` of the term `kd`.

Source: the public repository and text of the dangerous-driving system (EfficientNetV2-S teaches MobileNetV3-Small).

Points of deviation from the original implementation: the notebook's loss that ran lacks the factor T^2, its rising
temperature is computed but not used, and its comparison of features has shapes that do not fit; attention transfer and
class weights are in the text only.
"""

from vskd.losses.attention_transfer import AttentionTransferSettings
from vskd.losses.cross_entropy import CrossEntropySettings
from vskd.losses.fitnets_hint import FitNetsHintSettings
from vskd.losses.kd import KDSettings
from vskd.losses.presets.preset import Preset

DANGEROUS_DRIVING = Preset(
    (
        CrossEntropySettings(weight=0.3),
        KDSettings(weight=0.7, temperature=7.0),
        FitNetsHintSettings(weight=0.3),
        AttentionTransferSettings(name="deep_attention"),
        AttentionTransferSettings(name="shallow_attention", student_layer="shallow", teacher_layer="shallow"),
    ),
    "labels, soft targets, FitNets hint and attention transfer (dangerous driving)",
)
