"""DASK: Distance and Angle-wised Semantic Knowledge, the distiller of VSKD.

L = L_CE + 0.01 * L_KD + L_MSE + L_RKD-D + L_RKD-A, with T = 4, the loss's own default.

Source: Ni, Sarbajna, Liu, Ngu & Yan, "Cross-modal Knowledge Distillation for Vision-to-Sensor Action Recognition",
ICASSP 2022 (arXiv 2112.01849).

Points of deviation from the original implementation: the published script has three of the terms commented out and adds
attention transfer on the embeddings; here all five terms of the paper are present. Where the embeddings differ in
width, a trained linear layer maps the student's to the teacher's for the embedding MSE; both RKD terms need no equal
widths and always compare the embeddings themselves.
"""

from vskd.losses.cross_entropy import CrossEntropySettings
from vskd.losses.embedding_mse import EmbeddingMSESettings
from vskd.losses.kd import KDSettings
from vskd.losses.presets.preset import Preset
from vskd.losses.rkd_angle import RKDAngleSettings
from vskd.losses.rkd_distance import RKDDistanceSettings

DASK = Preset(
    (
        CrossEntropySettings(),
        KDSettings(weight=0.01),
        EmbeddingMSESettings(),
        RKDDistanceSettings(),
        RKDAngleSettings(),
    ),
    "cross entropy, soft targets, embedding MSE, RKD-D and RKD-A (VSKD)",
)
