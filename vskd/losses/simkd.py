"""SimKD: the student takes over the teacher's classifier, and learns the teacher's embedding that it needs for that."""

from typing import ClassVar, Literal

from torch import Tensor, nn
from torch.nn import functional as F

from vskd.errors import SettingError
from vskd.losses.shapes import require_same_batch, require_same_shape
from vskd.losses.term import Layers, Term, TermContext, TermSettings, layer_shape, pairwise
from vskd.network import whole


class SimKD(nn.Module):
    """L = mean over batch and width of (P(e_student) - e_teacher)^2, the only term: there is nothing on the labels.

    The projector P and the teacher's classifier are part of the student, see `vskd.models.head`: its logits are what
    the teacher's classifier says of P(e_student), in training and once shipped. The classifier is copied from the
    finished teacher and stays as it is. No label is needed, so that pairs without one count as all others.

    Source: Chen, Mei, Zhang, Wang, Feng & Chen, "Knowledge Distillation with the Reused Teacher Classifier", CVPR 2022
    (arXiv 2203.14001), equation 3.

    Points of deviation from the original: there the feature maps before the last pooling are compared, by a projector
    of three convolutions with batch normalisation. A skeleton's or video's map has no place in common with one of a
    wrist's window, so that here the vectors after the pooling are compared, the input of the teacher's classifier,
    by a projector of two fully connected layers (of a vector, a 3x3 convolution between them would see no neighbours).

    Shape:
        student_embedding, teacher_embedding: (batch, width), the student's behind its projector; output: scalar.

    Raises:
        ValueError: not two such embeddings, or of different shapes.

    Examples:
        >>> import torch
        >>> SimKD()(torch.tensor([[1.0, 2.0]]), torch.tensor([[1.0, 4.0]])).item()
        2.0
    """

    def forward(self, student_embedding: Tensor, teacher_embedding: Tensor) -> Tensor:
        """Loss of a batch."""
        require_same_batch("SimKD", student_embedding, teacher_embedding)
        require_same_shape("SimKD", student_embedding, teacher_embedding)
        return F.mse_loss(whole(student_embedding), whole(teacher_embedding))


class SimKDSettings(TermSettings):
    """`simkd` as a term; see `SimKD`. It asks for a student with a `head`."""

    description: ClassVar[str] = "SimKD: the teacher's embedding, for its own classifier in the student (Chen et al.)"
    needs_teacher: ClassVar[bool] = True
    reuses_classifier: ClassVar[bool] = True
    loss: Literal["simkd"] = "simkd"

    @property
    def layers(self) -> Layers:
        """The inputs of the two classifiers, which are one."""
        return Layers(("embedding",), ("embedding",))

    def build(self, context: TermContext) -> Term:
        """See `TermSettings`."""
        student = layer_shape(self.title, "student", "embedding", context)
        teacher = layer_shape(self.title, "teacher", "embedding", context)
        if student != teacher:
            raise SettingError(
                f"Loss term '{self.title}': the student's embedding has {student[0]} values and the teacher's "
                f"{teacher[0]}, which its classifier takes",
                f"Set student.head.width to {teacher[0]}",
            )
        return Term(SimKD(), pairwise)
