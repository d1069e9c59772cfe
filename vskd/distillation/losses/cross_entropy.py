"""Cross entropy on the labels."""

from torch import Tensor, nn
from torch.nn import functional as F


class CrossEntropy(nn.Module):
    """L = -sum_c q_c log softmax(z)_c, batch mean, with q = (1 - s) * onehot(label) + s / classes.

    Args:
        label_smoothing: s, 0 <= s < 1 (Szegedy et al., CVPR 2016); 0 is plain cross entropy.

    Shape:
        logits: (batch, classes); labels: (batch,) int64; output: scalar.

    Raises:
        ValueError: label_smoothing out of range.
    """

    def __init__(self, label_smoothing: float = 0.0) -> None:
        super().__init__()
        if not 0 <= label_smoothing < 1:
            raise ValueError(f"label_smoothing must be at least 0 and below 1, not {label_smoothing}")
        self.label_smoothing = label_smoothing

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Loss of a batch."""
        return F.cross_entropy(logits, labels, label_smoothing=self.label_smoothing)
