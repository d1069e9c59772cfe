"""What every network returns."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from torch import Tensor


@dataclass(frozen=True)
class Outputs:
    """The answer of a network for one batch.

    Attributes:
        logits: (batch, classes), unnormalised.
        embedding: (batch, width), the semantic embedding that the distillers compare.
        features: layer name -> tensor with the batch first, for distillers that look inside.
    """

    logits: Tensor
    embedding: Tensor
    features: Mapping[str, Tensor] = field(default_factory=dict)
