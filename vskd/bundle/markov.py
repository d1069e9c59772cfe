"""The most likely course of labels over time: a hidden Markov model whose states are the classes and `unknown`."""

import numpy as np
import numpy.typing as npt

from vskd.bundle.decision import NO_LABEL
from vskd.errors import MissingExtraError, SettingError

SHORTEST_STEPS = 2.0


def likely_labels(
    probabilities: npt.NDArray[np.float32], *, step_s: float, mean_seconds: float, unknown_below: float
) -> npt.NDArray[np.int64]:
    """The labels that a hidden Markov model finds most likely together, by Viterbi's algorithm (librosa's).

    A label goes on to the next window with the probability 1 - step_s / mean_seconds, so that it lasts `mean_seconds`
    in the mean, and is followed by each other one alike. What the network says of a window counts as it is, without
    priors of the classes; the null class is a class as others. Where windows may be unknown, that is one more state,
    as probable in each window as the threshold: without memory a window would be unknown where its best class is below
    it, as without smoothing.

    Source: Rabiner, "A Tutorial on Hidden Markov Models", Proc. IEEE 1989; probabilities in place of likelihoods:
    Bourlard & Morgan, "Connectionist Speech Recognition", 1994.

    Args:
        probabilities: (windows, classes) of a piece without gaps, in order, at least one window.
        step_s: seconds from one window to the next.
        mean_seconds: how long a label lasts in the mean.
        unknown_below: probability of the best class below which a window is unknown; 0: none is.

    Returns:
        (windows,) class numbers, -1 where unknown. Memory: 40 bytes for each window and class, about.

    Raises:
        SettingError: `mean_seconds` is shorter than two steps.
        MissingExtraError: librosa is not installed.
    """
    check_course(step_s, mean_seconds)
    from librosa.sequence import transition_loop, viterbi_discriminative

    states = probabilities.astype(np.float64)
    if unknown_below:
        states = np.pad(states, ((0, 0), (0, 1)), constant_values=unknown_below)
    states /= states.sum(axis=1, keepdims=True)
    transitions = transition_loop(states.shape[1], 1 - step_s / mean_seconds)
    path = viterbi_discriminative(np.ascontiguousarray(states.T), transitions).astype(np.int64)
    return np.where(path < probabilities.shape[1], path, NO_LABEL)


def check_course(step_s: float, mean_seconds: float) -> None:
    """Check what `likely_labels` needs, before hours of signal are read for it.

    Raises:
        SettingError, MissingExtraError: see there.
    """
    if mean_seconds < SHORTEST_STEPS * step_s:
        raise SettingError(
            f"A mean duration of {mean_seconds:g} s is too short: windows come every {step_s:g} s",
            f"Give {SHORTEST_STEPS * step_s:g} s or more, or take another smoothing",
        )
    try:
        import librosa.sequence  # noqa: F401 - whether it is there
    except ImportError as error:
        raise MissingExtraError("librosa", "hmm") from error
