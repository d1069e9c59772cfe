"""KRCA: labels, DKD, CRCD and attention transfer, with uncertainty weighting.

L = sum over the terms k of weight_k * (0.5 / w_k^2 * l_k + log(1 + w_k^2)), w_k learned.

Terms: cross entropy (HL), the two parts of DKD (SL), CRCD on the embeddings (SR), and attention transfer on the maps
"deep" and "shallow" (IA). The ablations leave terms out; those without HL or SL keep the cross entropy, because no
classifier is learned without one of the two.

Source: the public repository of KRCA, by its formulas and weights.

Points of deviation from the original implementation:
    - attention: parameter-free maps instead of gates that are trained on both sides, for which two constants are a
      perfect solution;
    - alignment: pooled embeddings and maps averaged to a common size, no linear layers on flattened maps (there 95
      million parameters);
    - uncertainty weights: one for every term; there one for both parts of DKD together, and one of two for the
      attentions receives no gradient. The fixed weights stand outside, so that they keep their meaning;
    - see also the losses.
"""

from collections.abc import Mapping

from vskd.losses.attention_transfer import AttentionTransferSettings
from vskd.losses.crcd import CRCDSettings
from vskd.losses.cross_entropy import CrossEntropySettings
from vskd.losses.dkd import NCKDSettings, TCKDSettings
from vskd.losses.presets.preset import Preset

_HL = (CrossEntropySettings(weight=0.7),)
_SL = (TCKDSettings(), NCKDSettings(weight=8.0))
_SR = (CRCDSettings(name="sample_relation"),)
_IA = (
    AttentionTransferSettings(name="deep_attention", weight=0.5),
    AttentionTransferSettings(name="shallow_attention", weight=0.5, student_layer="shallow", teacher_layer="shallow"),
)

KRCA = Preset(
    (*_HL, *_SL, *_SR, *_IA),
    "labels, DKD, CRCD and attention transfer, with learned weights (KRCA)",
    "uncertainty",
)

ABLATIONS: Mapping[str, Preset] = {
    "krca-hl": Preset(_HL, "KRCA, ablation HL: labels only, with a learned weight", "uncertainty"),
    "krca-hl-sl": Preset((*_HL, *_SL), "KRCA, ablation HL_SL: labels and DKD", "uncertainty"),
    "krca-hl-sl-sr": Preset((*_HL, *_SL, *_SR), "KRCA, ablation HL_SL_SR: labels, DKD and CRCD", "uncertainty"),
    "krca-sl": Preset(_SL, "KRCA, ablation SL: DKD only", "uncertainty"),
    "krca-sr": Preset((*_HL, *_SR), "KRCA, ablation SR: CRCD and the labels", "uncertainty"),
    "krca-ia": Preset((*_HL, *_IA), "KRCA, ablation IA: attention transfer and the labels", "uncertainty"),
}
