"""Similarity-preserving distillation beside the labels.

L = L_CE + 3000 * L_SP, on the embeddings, which every network has. The weight is that of the paper and of CRD's public
code, for batches of 64 to 256: the loss is a mean over batch^2 products of unit rows, so it shrinks as batches grow.

Source: Tung & Mori, "Similarity-Preserving Knowledge Distillation", ICCV 2019 (arXiv 1907.09682).

Points of deviation from the original implementation: there the map of the last block is compared; set `student_layer`
and `teacher_layer` of the term for that.
"""

from vskd.losses.cross_entropy import CrossEntropySettings
from vskd.losses.presets.preset import Preset
from vskd.losses.similarity_preserving import SimilarityPreservingSettings

SP = Preset(
    (CrossEntropySettings(), SimilarityPreservingSettings(weight=3000.0)),
    "cross entropy and similarity-preserving distillation (Tung & Mori)",
)
