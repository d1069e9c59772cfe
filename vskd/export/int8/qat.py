"""Quantization-aware training: a short fine-tuning in which the network computes as int8 will.

Where `quantize_int8` alone loses accuracy, the weights can learn to live with it. The result is a float module with
trained weights, which is converted and quantized like any other; so one path makes every int8 model.

Points of deviation: torchao's own way (prepare_qat_pt2e) is not taken, because the converter's quantizer for it does
not work with the pinned torch: annotating a convolution with BatchNorm fails.
"""

import copy
import logging
import math
from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn
from torch.nn import functional

from vskd.bundle.contract import RangeEstimator
from vskd.errors import DataError
from vskd.export.int8.int8_simulation import SimulatedInt8
from vskd.losses.cross_entropy import CrossEntropy
from vskd.models.weights.state import refuse_not_finite

logger = logging.getLogger(__name__)

Loss = Callable[[Tensor, Tensor, Tensor], Tensor]


def stay_close(logits: Tensor, float_logits: Tensor, labels: Tensor) -> Tensor:
    """Mean of cross-entropy with the labels, where there are any, and of the divergence from the float network's
    answers."""
    target = functional.log_softmax(float_logits, dim=1)
    divergence = functional.kl_div(
        functional.log_softmax(logits, dim=1), target, reduction="batchmean", log_target=True
    )
    from_labels: Tensor = CrossEntropy()(logits, labels)
    return 0.5 * from_labels + 0.5 * divergence


def train_for_int8(
    module: nn.Module,
    batches: Iterable[tuple[Tensor, Tensor]],
    *,
    steps: int,
    learning_rate: float = 1e-4,
    range_estimator: RangeEstimator = "moving-average",
    loss: Loss = stay_close,
) -> nn.Module:
    """Fine-tune a trained network under simulated int8 (Adam, one step for each batch).

    The learning rate falls linearly to zero: a network whose training ended at a small rate loses at a constant one.
    Activation ranges stay as they are in the second half.

    Args:
        module: gives logits, e.g. `deploy_form(network)`; it is not changed, and answers as the float network.
        batches: (inputs, int64 labels) of TRAINING recordings, read once; a few epochs of them.
        steps: how many batches there are; of more, the later ones change nothing.
        learning_rate: of Adam, at the start.
        range_estimator: of the activations; true extremes (`minmax`) remember those of earlier weights.
        loss: (logits, float logits, labels) -> scalar.

    Returns:
        A float module for `convert_float` and `quantize_int8`, in evaluation mode.

    Raises:
        DataError: there is no batch, or the loss became not finite.
        CheckpointError: the weights did.
        BundleError: the module cannot be traced.
    """
    reference = copy.deepcopy(module).eval()
    simulated: SimulatedInt8 | None = None
    optimizer: torch.optim.Optimizer | None = None
    for step, (inputs, labels) in enumerate(batches):
        if simulated is None or optimizer is None:
            simulated = SimulatedInt8(module, inputs[:1], range_estimator).train()
            optimizer = torch.optim.Adam(simulated.parameters())
        if step == max(1, steps // 2):
            simulated.freeze_ranges()
        (group,) = optimizer.param_groups
        group["lr"] = learning_rate * max(0.0, 1 - step / steps)
        with torch.no_grad():
            float_logits = reference(inputs)
        value = loss(simulated(inputs), float_logits, labels)
        if not math.isfinite(value.item()):
            raise DataError(f"The loss of batch {step} is not finite", "Lower export.fine_tuning_rate")
        optimizer.zero_grad()
        value.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        logger.debug("int8 training, batch %d: loss %.4f", step, value.item())
    if simulated is None:
        raise DataError("There is no batch to train on", "Give at least one batch of training recordings")
    plain = simulated.plain()
    refuse_not_finite(plain.state_dict(), "The network that was fine-tuned under simulated int8")  # by its last step
    return plain
