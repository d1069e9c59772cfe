"""The most likely course of labels over time: a hidden Markov model whose states are the classes."""

import numpy as np
import numpy.typing as npt

from vskd.bundle.decision import NO_LABEL
from vskd.errors import MissingExtraError, SettingError

SHORTEST_STEPS = 2.0


def likely_labels(
    probabilities: npt.NDArray[np.float32], *, step_s: float, mean_seconds: float
) -> npt.NDArray[np.int64]:
    """The labels that a hidden Markov model finds most likely together, by Viterbi's algorithm (librosa's).

    A label goes on to the next window with the probability 1 - step_s / mean_seconds, so that it lasts `mean_seconds`
    in the mean, and is followed by each other one alike. What the network says of a window counts as it is, without
    priors of the classes; the null class is a class as others.

    Source: Rabiner, "A Tutorial on Hidden Markov Models", Proc. IEEE 1989; probabilities in place of likelihoods:
    Bourlard & Morgan, "Connectionist Speech Recognition", 1994.

    Args:
        probabilities: (windows, classes) of a piece without gaps, in order, at least one window.
        step_s: seconds from one window to the next.
        mean_seconds: how long a label lasts in the mean.

    Returns:
        (windows,) class numbers. Memory: 40 bytes for each window and class, about.

    Raises:
        SettingError: `mean_seconds` is shorter than two steps.
        MissingExtraError: librosa is not installed.
    """
    check_course(step_s, mean_seconds)
    from librosa.sequence import transition_loop, viterbi_discriminative

    states = probabilities.astype(np.float64)
    states /= states.sum(axis=1, keepdims=True)
    transitions = transition_loop(states.shape[1], 1 - step_s / mean_seconds)
    return np.asarray(viterbi_discriminative(np.ascontiguousarray(states.T), transitions), dtype=np.int64)


def sure_labels(
    labels: npt.NDArray[np.int64], probabilities: npt.NDArray[np.float32], unknown_below: float
) -> npt.NDArray[np.int64]:
    """Labels without the runs of which the network is not sure: -1 where the label's mean probability is too low.

    A single window that is not sure says nothing against its run: that is what the model is for.

    Args:
        labels: (windows,) of a piece.
        probabilities: (windows, classes).
        unknown_below: mean probability of a run's label below which it is unknown.
    """
    own = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    starts = np.flatnonzero(np.diff(labels, prepend=-1))
    lengths = np.diff(starts, append=len(labels))
    means = np.add.reduceat(own, starts) / lengths
    return np.where(np.repeat(means, lengths) >= unknown_below, labels, NO_LABEL)


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
