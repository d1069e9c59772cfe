"""What must hold before a model is shipped; each check refuses with one clear error."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from vskd.bundle.contract import Accuracy, Contract, ParityNumbers, Provenance
from vskd.bundle.encoding import Sample
from vskd.errors import BundleError
from vskd.export.convert.structure import float_operators
from vskd.export.scoring import LabelledWindow

FloatArray = npt.NDArray[np.float32]
# The converted float model differs from torch by rounding alone, about 1e-6 of the largest logit; 1e-2 is a defect.
MAX_CONVERSION_ERROR = 0.01


def check_recordings(
    calibration: Sequence[tuple[str, Sample]],
    validation: Sequence[LabelledWindow],
    contract: Contract,
    validation_split: str,
) -> None:
    """Calibration and validation must be there, be disjoint, and hold windows of the contract's shape.

    Raises:
        BundleError: names the recording.
    """
    if not calibration or not validation:
        raise BundleError(
            "Export needs calibration and validation recordings, and one of them is empty", "Check the split"
        )
    shared = sorted({recording for recording, _ in calibration} & {w.id for w in validation})
    if shared and validation_split == "validation":
        raise BundleError(
            f"{len(shared)} recordings are in calibration and validation both, e.g. {shared[0]}",
            "Calibrate on training recordings only",
        )
    for recording, window in (*calibration, *((w.id, w.window) for w in validation)):
        if window.shape != contract.sample_shape:
            raise BundleError(
                f"Recording {recording}: window shape {window.shape} is not the contract's {contract.sample_shape}",
                "Use the windows that the network was trained on",
            )


def check_labels(provenance: Provenance, logits: FloatArray) -> None:
    """As many labels as logits, (n, classes).

    Raises:
        BundleError: gives both numbers.
    """
    if len(provenance.labels) != logits.shape[1]:
        raise BundleError(
            f"The network has {logits.shape[1]} outputs, and there are {len(provenance.labels)} class labels",
            "Export with the data set that the network was trained on",
        )


def check_conversion(parity: ParityNumbers, expected: FloatArray) -> None:
    """The float LiteRT model must compute what the network computes, whose logits are `expected`.

    Raises:
        BundleError: gives the difference.
    """
    allowed = MAX_CONVERSION_ERROR * max(1.0, float(np.abs(expected).max()))
    if parity.max_abs_error > allowed:
        raise BundleError(
            f"The float LiteRT model differs from the network by {parity.max_abs_error:.3g} (at most {allowed:.3g})",
            "Check that the contract's encoding is the network's own; otherwise report this as a defect of vskd",
        )


def check_integer_only(content: bytes) -> None:
    """Only the two ends of the model may be float, where the caller asked for that.

    Raises:
        BundleError: names the operators.
    """
    left = sorted(set(float_operators(content)) - {"QUANTIZE", "DEQUANTIZE"})
    if left:
        raise BundleError(
            f"The model would not be int8 throughout: {', '.join(left)} still compute in float",
            "Export with the encoding outside the model",
        )


def check_budget(accuracy: Accuracy) -> None:
    """int8 may lose as much of the trained network's accuracy as the budget, and no more.

    Raises:
        BundleError: gives loss and budget.
    """
    drop = accuracy.float32 - accuracy.int8
    if drop > accuracy.max_drop + 1e-9:
        raise BundleError(
            f"int8 loses {100 * drop:.2f} points of accuracy on {accuracy.recordings} {accuracy.split} recordings "
            f"({100 * accuracy.float32:.2f} % to {100 * accuracy.int8:.2f} %), and the budget is "
            f"{100 * accuracy.max_drop:.2f}; nothing was written",
            "Calibrate on more recordings, keep the encoding outside the model, lower export.prune_stem, or raise "
            "export.max_accuracy_drop",
        )
