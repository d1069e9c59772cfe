"""Uncertainty of metrics and paired tests. All seeded; every bootstrap is a matrix product over all samples at once.

Percentile bootstrap (Efron & Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13). Over recordings it
answers "other trials of the same people"; over subjects (a cluster bootstrap: whole subjects are drawn with
replacement) it answers "other people", which is what a cross-subject protocol is about; it is usually the wider one.

Where a bootstrap fails, it is not shown. Of an accuracy on few recordings, or with few that are right or wrong,
Wilson's interval stands in its place (Brown, Cai & DasGupta, "Interval Estimation for a Binomial Proportion",
Statistical Science 2001), and over subjects who are all equally often right, Wilson's for as many trials as there are
subjects, which is what they are worth at least. Every other interval without width is None, and so is one over subjects
where there is one, or where it is not known who they are.
"""

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.stats import binomtest

from vskd.datasets.splits.split import UNKNOWN
from vskd.errors import DataError, ProtocolError, natural_order
from vskd.evaluation.metrics import METRICS, Floats
from vskd.evaluation.predictions import Predictions

Unit = Literal["recordings", "subjects"]
Interval = tuple[float, float]
LEVEL = 0.95
RESAMPLES = 2000
FEW_SUBJECTS = 5
FEW_RECORDINGS = 40
FEW_OF_A_KIND = 5
NO_WIDTH = (
    "Where a dash stands for another interval, the figure is the same in every draw: that does not say how sure it is."
)
WIDTHLESS = 1e-12
"""What rounding leaves of an interval whose ends are equal."""
_CHUNK = 4_000_000  # numbers held at once while resampling: memory does not grow with the data set


def bootstrap_interval(
    predictions: Predictions,
    metric: str,
    unit: Unit,
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
    level: float = LEVEL,
) -> Interval | None:
    """Interval of one metric: percentile bootstrap, or what stands in its place; see the module's text.

    Args:
        predictions: the recordings to resample.
        metric: a name in `vskd.evaluation.metrics.METRICS`.
        unit: what is drawn with replacement.
        resamples: number of bootstrap samples.
        seed: of the random generator; same seed, same interval.
        level: coverage aimed at.

    Raises:
        DataError: unknown metric.
    """
    return seeds_interval([predictions], metric, unit, resamples=resamples, seed=seed, level=level)


def seeds_interval(
    runs: Sequence[Predictions],
    metric: str,
    unit: Unit,
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
    level: float = LEVEL,
) -> Interval | None:
    """Interval of a metric's mean over training seeds, by a two-level (crossed) bootstrap.

    Each sample draws the seeds with replacement AND the recordings or subjects with replacement, and takes the mean
    over the drawn seeds of the metric on the drawn units. All seeds are tested on the same recordings, so within a
    sample they share the drawn units: drawing them again for each seed would average the spread between people away and
    report an interval that is too narrow. (Owen, "The pigeonhole bootstrap", Annals of Applied Statistics 2007.)

    Args:
        runs: predictions of the same recordings by differently seeded runs.
        metric: a name in `METRICS`.
        unit: what is drawn with replacement besides the seeds.
        resamples: number of bootstrap samples.
        seed: of the random generator.
        level: coverage aimed at.

    Returns:
        None where there is no honest one, see the module's text. Wilson's interval is widened to the bootstrap's where
        seeds differ more than recordings.

    Raises:
        DataError: unknown metric or no runs.
        ProtocolError: the runs are not of the same recordings.
    """
    aligned = _aligned(runs)
    samples = _seed_samples(aligned, metric, unit, resamples, seed)
    units = _units(aligned[0], unit)
    interval = _percentiles(samples, level)
    if units == 0 or (unit == "subjects" and units == 1):
        return None
    if metric == "accuracy":
        share = math.fsum(METRICS[metric](run) for run in aligned) / len(aligned)
        few = unit == "recordings" and (units <= FEW_RECORDINGS or min(share, 1 - share) * units < FEW_OF_A_KIND)
        if few or not _has_width(interval):
            low, high = wilson_interval(share * units, units, level)
            return (low, high) if len(aligned) == 1 else (min(low, interval[0]), max(high, interval[1]))
    return interval if _has_width(interval) else None


def difference_interval(
    runs: Sequence[Predictions],
    baselines: Sequence[Predictions],
    metric: str,
    unit: Unit,
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
    level: float = LEVEL,
) -> Interval | None:
    """Interval of mean(metric of `runs`) - mean(metric of `baselines`), paired.

    `runs[i]` and `baselines[i]` come from the same training seed; both are drawn together, as are the recordings.

    Returns:
        None where there is no honest one: without width, or over subjects where they are unknown or one.

    Raises:
        DataError: unknown metric, no runs, or unequal numbers of runs.
        ProtocolError: not all predictions are of the same recordings.
    """
    if len(runs) != len(baselines):
        raise DataError(
            f"{len(runs)} runs and {len(baselines)} baselines cannot be paired", "Give one baseline per run"
        )
    aligned = _aligned([*runs, *baselines])
    half = len(runs)
    mine = _seed_samples(aligned[:half], metric, unit, resamples, seed)
    theirs = _seed_samples(aligned[half:], metric, unit, resamples, seed)  # same seed: the same draws
    interval, units = _percentiles(mine - theirs, level), _units(aligned[0], unit)
    known = units > (1 if unit == "subjects" else 0)
    return interval if known and _has_width(interval) else None


def subjects_note(predictions: Predictions) -> str:
    """Why an interval over subjects is missing, or rests on fewer than five of them; else an empty string."""
    count = _units(predictions, "subjects")
    if count >= FEW_SUBJECTS:
        return ""
    if count == 0:
        return (
            "Who is in the recordings is not known, so there is no interval over subjects; that over recordings takes "
            "them as independent, and is too narrow where several are of one person."
        )
    if count == 1:
        return "All recordings are of one subject, so there is no interval over subjects."
    return (
        f"The interval over subjects rests on {count} subjects: it is coarse and tends to be too narrow. Read the "
        "per-subject figures beside it."
    )


def width_note(
    recordings: Iterable[Interval | None], subjects: Iterable[Interval | None], people: Collection[str]
) -> str:
    """Why intervals are missing that could be: they have no width; an empty string where none is missing.

    Args:
        recordings, subjects: the intervals over them.
        people: who was tested; where fewer than two are known, `subjects_note` says why there is none over subjects.
    """
    known = len(set(people)) > 1 and UNKNOWN not in people
    return NO_WIDTH if None in (*recordings, *(subjects if known else ())) else ""


def permutation_note(predictions: Predictions) -> str:
    """Of how few subjects there is no permutation test, or it tells nothing from chance; else an empty string."""
    count = _units(predictions, "subjects")
    if count < 2:
        return "The permutation test exchanges people; without two of them that are known there is none."
    if smallest_p(count) <= 1 - LEVEL:
        return ""
    return (
        f"Of {count} subjects the permutation test has no smaller p-value than {smallest_p(count):.3g}, however large "
        "a difference: it tells nothing from chance here. Test more people, e.g. each left out in turn."
    )


def wilson_interval(successes: float, n: int, level: float = LEVEL) -> Interval:
    """Wilson score interval of a proportion (Wilson, JASA 1927); sound near 0 and 1, where a bootstrap has no width.

    Args:
        successes: of `n`; need not be whole, e.g. of a mean over seeds.
        n: trials.
        level: coverage aimed at.

    Raises:
        DataError: `n` is 0 or `successes` is not within 0..n.
    """
    if not 0 <= successes <= n or n == 0:
        raise DataError(f"{successes} of {n} is not a proportion", "Count the recordings again")
    share, z = successes / n, NormalDist().inv_cdf((1 + level) / 2)
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    # exactly 0 and 1 at the ends, where the difference leaves rounding
    return (0.0 if successes == 0 else max(0.0, centre - half)), (1.0 if successes == n else min(1.0, centre + half))


def _units(predictions: Predictions, unit: Unit) -> int:
    """How many recordings, or people, there are; 0 people where somebody is not known."""
    if unit == "recordings":
        return len(predictions)
    people = set(predictions.subjects)
    return 0 if UNKNOWN in people else len(people)


def _has_width(interval: Interval) -> bool:
    return interval[1] - interval[0] > WIDTHLESS


@dataclass(frozen=True)
class McNemar:
    """Exact McNemar test of two classifiers on the same recordings.

    Attributes:
        n: recordings compared.
        only_candidate: recordings that only the candidate gets right.
        only_baseline: recordings that only the baseline gets right.
        p_value: two-sided; 1 if they never disagree about being right.
    """

    n: int
    only_candidate: int
    only_baseline: int
    p_value: float


def mcnemar(candidate: Predictions, baseline: Predictions) -> McNemar:
    """Exact (binomial) two-sided McNemar test, recordings joined by id.

    Source: McNemar, Psychometrika 1947; Dietterich, Neural Computation 1998.

    Raises:
        ProtocolError: the two do not hold the same recordings with the same labels.
    """
    mine, theirs = _aligned([candidate, baseline])
    b = int(np.count_nonzero(mine.correct & ~theirs.correct))
    c = int(np.count_nonzero(~mine.correct & theirs.correct))
    p_value = float(binomtest(b, b + c, 0.5).pvalue) if b + c else 1.0
    return McNemar(len(mine), b, c, p_value)


EXACT_PEOPLE = 16
"""Of up to so many subjects every exchange is counted; of more, `EXCHANGES` are drawn."""
EXCHANGES = 10_000


def permutation_test(runs: Sequence[Predictions], baselines: Sequence[Predictions], *, seed: int = 0) -> float | None:
    """Paired permutation test over subjects of the mean accuracy over seeds, two-sided.

    Were neither better, the two could be exchanged on any subject: for each one the sign of the difference, summed over
    all seeds, is turned over or not. All ways are counted for up to `EXACT_PEOPLE` of them, else `EXCHANGES` are drawn
    (then the p-value counts the observed one, too). All that is known of a subject stays together: recordings of one
    person are not independent, nor are seeds, which are tested on the same recordings. It says what holds for other
    people of these trained runs; what other seeds would do is in `difference_interval`. Source: Fisher's randomization
    test of paired samples (Edgington & Onghena, "Randomization Tests", 2007).

    Args:
        runs: of one training seed each; `baselines[i]` is of the same seed as `runs[i]`.
        seed: of the draw.

    Returns:
        The p-value, at least `smallest_p(subjects)`. None where there is one subject, or it is not known who they are.

    Raises:
        DataError: no runs, or unequal numbers of runs.
        ProtocolError: not all predictions are of the same recordings.
    """
    if len(runs) != len(baselines):
        raise DataError(
            f"{len(runs)} runs and {len(baselines)} baselines cannot be paired", "Give one baseline per run"
        )
    aligned = _aligned([*runs, *baselines])
    people = _units(aligned[0], "subjects")
    if people < 2:
        return None
    mine, theirs = aligned[: len(runs)], aligned[len(runs) :]
    right = sum(run.correct.astype(np.float64) - other.correct for run, other in zip(mine, theirs, strict=True))
    gains = _unit_sums(mine[0], np.reshape(right, (-1, 1)), "subjects")[:, 0]
    if people <= EXACT_PEOPLE:
        signs = 1.0 - 2.0 * ((np.arange(2**people)[:, None] >> np.arange(people)) & 1)
    else:
        drawn = np.random.default_rng(seed).choice([-1.0, 1.0], size=(EXCHANGES, people))
        signs = np.concatenate([np.ones((1, people)), drawn])
    return float(np.mean(np.abs(signs @ gains) >= abs(gains.sum()) - WIDTHLESS))


def smallest_p(subjects: int) -> float:
    """Below which `permutation_test` cannot fall: all differences point one way."""
    return 0.5 ** (subjects - 1)


def mean_and_std(values: Sequence[float]) -> tuple[float, float | None]:
    """Mean and sample standard deviation (ddof=1); the latter is None for a single value.

    Raises:
        DataError: no values.
    """
    if not values:
        raise DataError("There is no value to average", "Run at least one seed")
    mean = math.fsum(values) / len(values)
    return mean, float(np.std(values, ddof=1)) if len(values) > 1 else None


def _aligned(runs: Sequence[Predictions]) -> list[Predictions]:
    """Runs in the order of ids, refused unless all hold the same recordings."""
    if not runs:
        raise DataError("There are no predictions to compare", "Run at least one seed")
    aligned = [run.sorted_by_id() for run in runs]
    first = aligned[0]
    for other in aligned[1:]:
        odd = sorted(set(first.ids) ^ set(other.ids))
        if odd:
            examples = ", ".join(odd[:3])
            raise ProtocolError(
                f"Predictions are of different recordings: {len(odd)} are in only one of them, e.g. {examples}",
                "Compare results of the same split of the same protocol only",
            )
        same = (other.class_names, other.subjects) == (first.class_names, first.subjects)
        if not same or not np.array_equal(other.labels, first.labels):
            raise ProtocolError(
                "Predictions of the same recordings state different labels, subjects or class names",
                "Evaluate both runs again with the same version of the data set",
            )
    return aligned


def _seed_samples(runs: Sequence[Predictions], metric: str, unit: Unit, resamples: int, seed: int) -> Floats:
    """Bootstrap samples (resamples,) of the mean over drawn seeds of the metric on drawn units. `runs` are aligned."""
    if metric not in METRICS:
        raise DataError(f"Unknown metric '{metric}'", f"Choose one of: {', '.join(METRICS)}")
    if resamples < 1:
        raise DataError(f"{resamples} bootstrap samples are too few", "Ask for at least 1, better 1000 or more")
    generator = np.random.default_rng(seed)
    definition = METRICS[metric]
    sums = [_unit_sums(run, definition.contributions(run), unit) for run in runs]  # each (units, k)
    units, width = sums[0].shape
    repeats = _draw(generator, len(runs), resamples)  # (resamples, seeds)
    chunk = max(1, _CHUNK // max(units, width))
    parts = []
    for start in range(0, resamples, chunk):
        drawn = _draw(generator, units, min(chunk, resamples - start))  # (chunk, units)
        values = np.stack([definition.finish(drawn @ own) for own in sums], axis=1)  # (chunk, seeds)
        parts.append((values * repeats[start : start + chunk]).sum(axis=1) / len(runs))
    return np.concatenate(parts)


def _draw(generator: np.random.Generator, units: int, samples: int) -> Floats:
    """How often each of `units` is drawn when `units` are drawn with replacement: (samples, units)."""
    return generator.multinomial(units, np.full(units, 1 / units), size=samples).astype(np.float64)


def _unit_sums(predictions: Predictions, contributions: Floats, unit: Unit) -> Floats:
    """Sum contributions (n, k) within each unit of resampling: (units, k)."""
    if unit == "recordings":
        return contributions
    names = natural_order(predictions.subjects)
    owner: npt.NDArray[np.int64] = np.array([names.index(subject) for subject in predictions.subjects])
    sums = np.zeros((len(names), contributions.shape[1]))
    np.add.at(sums, owner, contributions)
    return sums


def _percentiles(samples: Floats, level: float) -> Interval:
    tail = 100 * (1 - level) / 2
    low, high = np.percentile(samples, [tail, 100 - tail])
    return float(low), float(high)
