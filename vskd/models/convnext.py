"""ConvNeXt-Tiny, the teacher of KRCA (27,827,818 parameters at 10 classes).

Source: Liu et al., "A ConvNet for the 2020s", CVPR 2022 (arXiv 2201.03545), in torchvision's implementation. Public
weights: torchvision convnext_tiny IMAGENET1K_V1 (library BSD-3-Clause, the weights' licence is not stated), or the
authors' files (repository facebookresearch/ConvNeXt, MIT), whose names are mapped at import.
"""

from typing import ClassVar

from torch import Tensor, nn

from vskd.models.outputs import Outputs
from vskd.models.photo import PhotoNetwork, first_convolution
from vskd.models.torchvision_shim import load_torchvision

EMBEDDING_SIZE = 768


class ConvNeXtTiny(PhotoNetwork):
    """See `PhotoNetwork`; parameter names are torchvision's.

    The embedding is the pooled and layer-normalised map "deep": its values grow without bound before the norm.

    Args:
        in_channels: 3 (RGB) or 1 (grey).
        classes: number of classes.
        dropout: before the last layer; none in the publication.
        drop_path: largest probability of skipping a block in training; none in KRCA.

    Shape:
        at 224 x 224: "shallow" (batch, 96, 56, 56), "deep" (batch, 768, 7, 7), embedding (batch, 768).
    """

    head: ClassVar[str] = "classifier.2"
    stem: ClassVar[str] = "features.0.0"

    def __init__(self, in_channels: int, classes: int, dropout: float = 0.0, drop_path: float = 0.0) -> None:
        reference = load_torchvision().models.convnext_tiny(
            weights=None, num_classes=classes, stochastic_depth_prob=drop_path
        )
        reference.features[0][0] = first_convolution(in_channels, reference.features[0][0])
        super().__init__(in_channels, reference.features, reference.classifier, EMBEDDING_SIZE)
        self.dropout = nn.Dropout(dropout)

    def classify(self, deep: Tensor, features: dict[str, Tensor]) -> Outputs:
        """The map "deep", pooled and normalised = embedding, through the last layer."""
        norm, flatten, linear = self.classifier
        embedding = flatten(norm(deep.mean(dim=(2, 3), keepdim=True)))  # (batch, 768, h, w) -> (batch, 768)
        return Outputs(linear(self.dropout(embedding)), embedding, features)
