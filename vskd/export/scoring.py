"""How well a deployed model does on labelled windows or images, beside the torch network it was made from."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field

import numpy as np
import numpy.typing as npt
import torch

from vskd.bundle.contract import ParityNumbers
from vskd.bundle.encoding import Sample
from vskd.bundle.probabilities import softmax
from vskd.bundle.runtime import LiteRTModel
from vskd.distillation.model import Model
from vskd.export.parity import compare_logits
from vskd.progress import track

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True)
class LabelledWindow:
    """A window of a recording, or an image (see `Sample`); `label` is the class number."""

    id: str
    window: Sample
    label: int


@dataclass(frozen=True)
class Measurement:
    """A model's figures on the checking windows.

    Attributes:
        accuracy: per recording.
        parity: with the torch network, per window.
        sure: of each right answer about a window, the probability of its class.
    """

    accuracy: float
    parity: ParityNumbers
    sure: tuple[float, ...] = field(default=(), repr=False)


Prepare = Callable[[Sample], FloatArray]
"""Window or image -> what a network or model takes, without a batch dimension."""


def as_it_is(sample: Sample) -> FloatArray:
    """The sample itself, as float32."""
    return sample.astype(np.float32)


def recording_accuracy(windows: Sequence[LabelledWindow], logits: FloatArray) -> float:
    """Fraction of recordings labelled correctly; the probabilities of a recording's windows are averaged.

    Args:
        windows: n windows; those of one recording share id and label.
        logits: float32 (n, classes), in the same order.
    """
    probabilities: dict[str, npt.NDArray[np.float64]] = defaultdict(lambda: np.zeros(logits.shape[1]))
    for window, row in zip(windows, softmax(logits), strict=True):
        probabilities[window.id] += row
    labels = {window.id: window.label for window in windows}
    return float(np.mean([probabilities[i].argmax() == label for i, label in labels.items()]))


def torch_logits(network: Model, windows: Sequence[LabelledWindow], prepare: Prepare = as_it_is) -> FloatArray:
    """Logits (n, classes) of a network in evaluation mode, one window at a time as a deployed model sees them."""
    with torch.no_grad():
        rows = [network(torch.from_numpy(prepare(w.window)[np.newaxis])).logits.numpy() for w in windows]
    return np.concatenate(rows)


class Checker:
    """Measures deployed models against one network on the same windows.

    Args:
        network: the trained student, in evaluation mode.
        windows: labelled windows or images that served neither training nor calibration.
        encode: window -> input of the deployed models.
        prepare: window -> input of the network.
    """

    def __init__(
        self,
        network: Model,
        windows: Sequence[LabelledWindow],
        encode: Prepare,
        prepare: Prepare = as_it_is,
    ) -> None:
        self._windows, self._encode = windows, encode
        self.expected = torch_logits(network, windows, prepare)

    @property
    def accuracy(self) -> float:
        """Of the network itself."""
        return recording_accuracy(self._windows, self.expected)

    def measure(self, content: bytes, description: str) -> Measurement:
        """Run a LiteRT model on all windows, with the kernels that a phone or computer uses."""
        model = LiteRTModel(content)
        rows = [model.predict(self._encode(w.window)[np.newaxis]) for w in track(self._windows, description)]
        logits = np.concatenate(rows)
        parity = ParityNumbers(**asdict(compare_logits(self.expected, logits)))
        return Measurement(recording_accuracy(self._windows, logits), parity, self._sure(logits))

    def _sure(self, logits: FloatArray) -> tuple[float, ...]:
        """How sure the right answers are."""
        probabilities = softmax(logits)
        right = probabilities.argmax(axis=1) == [window.label for window in self._windows]
        return tuple(probabilities[right].max(axis=1).tolist())
