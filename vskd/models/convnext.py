"""ConvNeXt-Tiny, the teacher of KRCA (27,827,818 parameters at 10 classes), and smaller ones.

Source: Liu et al., "A ConvNet for the 2020s", CVPR 2022 (arXiv 2201.03545), in torchvision's implementation. Public
weights: torchvision convnext_tiny IMAGENET1K_V1 (library BSD-3-Clause, the weights' licence is not stated), or the
authors' files (repository facebookresearch/ConvNeXt, MIT), whose names are mapped at import. Atto is the smallest size
of Woo et al., "ConvNeXt V2", CVPR 2023 (arXiv 2301.00808), here with the blocks of the first publication.
"""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from vskd.models.photo import PhotoNetwork, first_convolution
from vskd.models.torchvision_shim import load_torchvision
from vskd.network import Outputs

Four = tuple[int, int, int, int]


@dataclass(frozen=True)
class ConvNeXtSize:
    """Channels and blocks of the four stages."""

    widths: Four
    depths: Four


TINY = ConvNeXtSize((96, 192, 384, 768), (3, 3, 9, 3))
ATTO = ConvNeXtSize((40, 80, 160, 320), (2, 2, 6, 2))


class ConvNeXt(PhotoNetwork):
    """See `PhotoNetwork`; parameter names are torchvision's.

    The embedding is the pooled and layer-normalised map "deep": its values grow without bound before the norm.

    Args:
        in_channels: 3 (RGB) or 1 (grey).
        classes: number of classes.
        dropout: before the last layer; none in the publication.
        drop_path: largest probability of skipping a block in training; none in KRCA.
        size: of the stages.

    Shape:
        at 224 x 224, Tiny: "shallow" (batch, 96, 56, 56), "deep" (batch, 768, 7, 7), embedding (batch, 768).
    """

    head: ClassVar[str] = "classifier.2"
    stem: ClassVar[str] = "features.0.0"

    def __init__(
        self,
        in_channels: int,
        classes: int,
        dropout: float = 0.0,
        drop_path: float = 0.0,
        size: ConvNeXtSize = TINY,
    ) -> None:
        models = load_torchvision().models.convnext
        following = (*size.widths[1:], None)  # the channels that the layer between two stages leads to
        stages = [models.CNBlockConfig(*stage) for stage in zip(size.widths, following, size.depths, strict=True)]
        reference = models.ConvNeXt(stages, stochastic_depth_prob=drop_path, num_classes=classes)
        reference.features[0][0] = first_convolution(in_channels, reference.features[0][0])
        super().__init__(in_channels, reference.features, reference.classifier, size.widths[-1])
        self.dropout = nn.Dropout(dropout)

    def classify(self, deep: Tensor, features: dict[str, Tensor]) -> Outputs:
        """The map "deep", pooled and normalised = embedding, through the last layer."""
        norm, flatten, linear = self.classifier
        embedding = flatten(norm(deep.mean(dim=(2, 3), keepdim=True)))  # (batch, width, h, w) -> (batch, width)
        return Outputs(linear(self.dropout(embedding)), embedding, features)
