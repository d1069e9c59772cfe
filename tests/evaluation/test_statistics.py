"""Intervals against naive loops that resample rows one by one, tests against closed forms."""

import dataclasses
import itertools
import math

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn import metrics as sk

from vskd.errors import DataError, ProtocolError, natural_order
from vskd.evaluation import statistics
from vskd.evaluation.metrics import METRICS
from vskd.evaluation.predictions import Predictions


def binary(correct: list[bool], subjects: list[str] | None = None) -> Predictions:
    """Predictions of class 0 of 2, right where `correct` says so."""
    n = len(correct)
    probabilities = np.array([[0.9, 0.1] if right else [0.1, 0.9] for right in correct])
    ids = tuple(f"r{i:04d}" for i in range(n))
    return Predictions(ids, tuple(subjects or ["s"] * n), np.zeros(n, np.int64), probabilities, ("x", "y"))


def naive_metric(name: str, p: Predictions, rows: list[int]) -> float:
    truth, answer = p.labels[rows], p.predicted[rows]
    if name == "accuracy":
        return float(sk.accuracy_score(truth, answer))
    if name == "macro_f1":
        return float(sk.f1_score(truth, answer, average="macro", zero_division=0))
    return float(-np.mean(np.log(p.probabilities[rows, truth])))


def naive_samples(runs: list[Predictions], metric: str, unit: str, resamples: int, seed: int) -> list[float]:
    """The same draws as the program's, but every sample is built row by row and scored by scikit-learn."""
    generator = np.random.default_rng(seed)
    seeds = generator.multinomial(len(runs), [1 / len(runs)] * len(runs), size=resamples)
    people = natural_order(runs[0].subjects)
    members = [[i for i, s in enumerate(runs[0].subjects) if s == person] for person in people]
    groups = members if unit == "subjects" else [[i] for i in range(len(runs[0]))]
    draws = generator.multinomial(len(groups), [1 / len(groups)] * len(groups), size=resamples)
    samples = []
    for seed_counts, counts in zip(seeds, draws, strict=True):
        rows = [row for group, count in zip(groups, counts, strict=True) for _ in range(count) for row in group]
        values = [naive_metric(metric, run, rows) for run, count in zip(runs, seed_counts, strict=True) if count]
        repeats = [count for count in seed_counts if count]
        samples.append(float(np.average(values, weights=repeats)))
    return samples


@pytest.mark.parametrize("unit", ["recordings", "subjects"])
@pytest.mark.parametrize("metric", ["accuracy", "macro_f1", "nll"])
def test_bootstrap_equals_a_naive_loop(make_predictions, metric: str, unit: str) -> None:
    runs = [make_predictions(seed=s, n=41) for s in range(3)]
    expected = np.percentile(naive_samples(runs, metric, unit, 120, 5), [2.5, 97.5])
    interval = statistics.seeds_interval(runs, metric, unit, resamples=120, seed=5)
    np.testing.assert_allclose(interval, expected, atol=1e-12)
    single = np.percentile(naive_samples(runs[:1], metric, unit, 120, 5), [2.5, 97.5])
    one = statistics.bootstrap_interval(runs[0], metric, unit, resamples=120, seed=5)
    np.testing.assert_allclose(one, single, atol=1e-12)


def test_difference_equals_a_naive_loop_and_zero_for_equal_runs(make_predictions) -> None:
    strong = [make_predictions(seed=s, skill=3.0) for s in range(2)]
    weak = [make_predictions(seed=s + 10, skill=0.5) for s in range(2)]
    mine, theirs = (np.array(naive_samples(r, "accuracy", "subjects", 100, 1)) for r in (strong, weak))
    expected = np.percentile(mine - theirs, [2.5, 97.5])
    interval = statistics.difference_interval(strong, weak, "accuracy", "subjects", resamples=100, seed=1)
    np.testing.assert_allclose(interval, expected, atol=1e-12)
    assert interval[0] > 0
    assert statistics.difference_interval(weak, weak, "accuracy", "recordings", resamples=50) is None


def test_chunks_do_not_change_the_interval(make_predictions, monkeypatch: pytest.MonkeyPatch) -> None:
    predictions = make_predictions()
    whole = statistics.bootstrap_interval(predictions, "macro_f1", "recordings", resamples=101)
    monkeypatch.setattr(statistics, "_CHUNK", 400)  # a few samples at a time
    assert statistics.bootstrap_interval(predictions, "macro_f1", "recordings", resamples=101) == whole


def test_recordings_interval_of_accuracy_meets_the_normal_approximation() -> None:
    n, p = 900, 0.8
    low, high = statistics.bootstrap_interval(binary([i < p * n for i in range(n)]), "accuracy", "recordings")
    half = 1.96 * math.sqrt(p * (1 - p) / n)
    assert (low, high) == pytest.approx((p - half, p + half), abs=0.004)


def test_subjects_interval_meets_the_cluster_formula_and_is_wider() -> None:
    # 30 people with 20 recordings each, all right or all wrong: only the number of people counts, n = 30.
    right = [person < 21 for person in range(30) for _ in range(20)]
    predictions = binary(right, [f"s{person}" for person in range(30) for _ in range(20)])
    low, high = statistics.bootstrap_interval(predictions, "accuracy", "subjects")
    half = 1.96 * math.sqrt(0.7 * 0.3 / 30)
    assert (low, high) == pytest.approx((0.7 - half, 0.7 + half), abs=0.02)
    narrow = statistics.bootstrap_interval(predictions, "accuracy", "recordings")
    assert high - low > 3 * (narrow[1] - narrow[0])


def test_seeds_share_the_drawn_people() -> None:
    # Three equal runs hold no more information about people than one does: the interval must not shrink by sqrt(3).
    right = [person < 21 for person in range(30) for _ in range(5)]
    run = binary(right, [f"s{person}" for person in range(30) for _ in range(5)])
    one = statistics.bootstrap_interval(run, "accuracy", "subjects")
    three = statistics.seeds_interval([run, run, run], "accuracy", "subjects")
    assert three[1] - three[0] == pytest.approx(one[1] - one[0], rel=0.1)


def test_same_seed_same_interval_other_seed_another(make_predictions) -> None:
    p = make_predictions()
    first = statistics.bootstrap_interval(p, "nll", "recordings", seed=1)
    assert statistics.bootstrap_interval(p, "nll", "recordings", seed=1) == first
    assert statistics.bootstrap_interval(p, "nll", "recordings", seed=2) != first


def test_every_metric_has_an_interval_around_its_value(make_predictions) -> None:
    p = make_predictions(n=200)
    for name, metric in METRICS.items():
        low, high = statistics.bootstrap_interval(p, name, "recordings", resamples=300)
        assert low < high
        if name != "ece":  # the plug-in calibration error is biased upwards in resamples
            assert low < metric(p) < high, name


def test_coarse_intervals_are_noted(make_predictions) -> None:
    assert "4 subjects" in statistics.subjects_note(make_predictions(subjects=4))
    assert "of one subject" in statistics.subjects_note(make_predictions(subjects=1))
    assert "not known" in statistics.subjects_note(of_people(make_predictions(), ["s1", "unknown"]))
    assert statistics.subjects_note(make_predictions(subjects=5)) == ""


@pytest.mark.parametrize(
    ("recordings", "subjects", "people", "noted"),
    [
        ([(0.1, 0.2)], [(0.1, 0.2)], ["a", "b"], False),
        ([None], [(0.1, 0.2)], ["a", "b"], True),
        ([(0.1, 0.2)], [None], ["a", "b"], True),
        ([(0.1, 0.2)], [None], ["a", "a"], False),
        ([(0.1, 0.2)], [None], ["a", "b", "unknown"], False),
        ([None], [None], ["a"], True),
    ],
)
def test_a_missing_interval_has_its_reason(
    recordings: list[statistics.Interval | None],
    subjects: list[statistics.Interval | None],
    people: list[str],
    noted: bool,
) -> None:
    """Over one subject, or unknown ones, the note on subjects is the reason."""
    assert statistics.width_note(recordings, subjects, people) == (statistics.NO_WIDTH if noted else "")


def of_people(predictions: Predictions, people: list[str]) -> Predictions:
    subjects = tuple(people[i % len(people)] for i in range(len(predictions)))
    return Predictions(
        predictions.ids, subjects, predictions.labels, predictions.probabilities, predictions.class_names
    )


@pytest.mark.parametrize("people", [["s1"], ["unknown"], ["s1", "s2", "unknown"]])
@pytest.mark.parametrize("metric", ["accuracy", "macro_f1", "nll"])
def test_there_is_no_interval_over_one_subject_or_unknown_ones(make_predictions, people, metric: str) -> None:
    runs = [of_people(make_predictions(seed=s), people) for s in range(2)]
    assert statistics.seeds_interval(runs, metric, "subjects", resamples=50) is None
    assert statistics.difference_interval(runs[:1], runs[1:], metric, "subjects", resamples=50) is None
    assert statistics.seeds_interval(runs, metric, "recordings", resamples=50) is not None


@pytest.mark.parametrize(("right", "n"), [(0, 1), (1, 1), (7, 7), (0, 12), (25, 40), (99, 100), (4, 500), (500, 500)])
def test_few_recordings_or_few_of_a_kind_have_wilsons_interval(right: int, n: int) -> None:
    interval = statistics.bootstrap_interval(binary([i < right for i in range(n)]), "accuracy", "recordings")
    assert interval == statistics.wilson_interval(right, n)
    assert interval[0] < interval[1]


@pytest.mark.parametrize(("right", "n"), [(20, 41), (5, 500), (495, 500)])
def test_others_have_the_bootstrap(right: int, n: int) -> None:
    interval = statistics.bootstrap_interval(binary([i < right for i in range(n)]), "accuracy", "recordings")
    assert interval != pytest.approx(statistics.wilson_interval(right, n), abs=1e-9)
    assert all(share * n == pytest.approx(round(share * n)) for share in interval)


def test_seeds_that_differ_widen_wilsons_interval() -> None:
    one, other = binary([True] * 10), binary([False] * 10)
    assert statistics.seeds_interval([one, other], "accuracy", "recordings") == (0.0, 1.0)
    assert statistics.seeds_interval([one, one], "accuracy", "recordings") == statistics.wilson_interval(10, 10)


@pytest.mark.parametrize("right", [0, 3, 6])
def test_subjects_who_are_equally_often_right_are_one_trial_each(right: int) -> None:
    people = [f"s{person}" for person in range(8) for _ in range(6)]
    p = binary([i % 6 < right for i in range(48)], people)
    interval = statistics.bootstrap_interval(p, "accuracy", "subjects")
    assert interval == pytest.approx(statistics.wilson_interval(8 * right / 6, 8))


def test_what_has_no_width_and_is_no_share_has_no_interval() -> None:
    p = binary([True] * 50, [f"s{i % 5}" for i in range(50)])
    for unit in ("recordings", "subjects"):
        assert statistics.bootstrap_interval(p, "macro_f1", unit) is None


@pytest.mark.parametrize(("b", "c"), [(0, 0), (1, 0), (9, 1), (5, 5), (2, 1), (121, 59), (0, 20)])
def test_mcnemar_closed_form(b: int, c: int) -> None:
    both, neither = 7, 4
    mine = binary([True] * b + [False] * c + [True] * both + [False] * neither)
    theirs = binary([False] * b + [True] * c + [True] * both + [False] * neither)
    result = statistics.mcnemar(mine, theirs)
    assert (result.only_candidate, result.only_baseline, result.n) == (b, c, b + c + both + neither)
    tail = sum(math.comb(b + c, k) for k in range(min(b, c) + 1)) / 2 ** (b + c)
    assert result.p_value == pytest.approx(min(1.0, 2 * tail))


def test_mcnemar_textbook_values() -> None:
    # 121 against 59 discordant pairs: exact two-sided p = 4.43e-06, as statsmodels' documentation of the test gives it.
    assert statistics.mcnemar(
        binary([True] * 121 + [False] * 59), binary([False] * 121 + [True] * 59)
    ).p_value == pytest.approx(4.434e-06, rel=1e-3)
    # 9 against 1: 2 * (1 + 10) / 2**10.
    assert statistics.mcnemar(binary([True] * 9 + [False]), binary([False] * 9 + [True])).p_value == pytest.approx(
        0.021484375
    )


def test_pairing_is_by_id_not_by_position(make_predictions) -> None:
    a, b = make_predictions(seed=0), make_predictions(seed=1)
    shuffled = b.take(np.random.default_rng(0).permutation(len(b)))
    assert statistics.mcnemar(a, shuffled) == statistics.mcnemar(a, b)


def test_other_recordings_or_labels_are_refused(make_predictions) -> None:
    a = make_predictions(n=60)
    with pytest.raises(ProtocolError, match=r"different recordings.*r058, r059"):
        statistics.mcnemar(a, make_predictions(n=58))
    with pytest.raises(ProtocolError, match="different recordings"):
        statistics.seeds_interval([a, make_predictions(prefix="q")], "accuracy", "subjects")
    relabelled = Predictions(a.ids, a.subjects, (a.labels + 1) % 4, a.probabilities, a.class_names)
    with pytest.raises(ProtocolError, match="different labels"):
        statistics.mcnemar(a, relabelled)


def test_bad_requests(make_predictions) -> None:
    p = make_predictions()
    with pytest.raises(DataError, match="Unknown metric 'f2'"):
        statistics.bootstrap_interval(p, "f2", "recordings")
    with pytest.raises(DataError, match="too few"):
        statistics.bootstrap_interval(p, "accuracy", "recordings", resamples=0)
    with pytest.raises(DataError, match="no predictions"):
        statistics.seeds_interval([], "accuracy", "recordings")
    with pytest.raises(DataError, match="cannot be paired"):
        statistics.difference_interval([p, p], [p], "accuracy", "recordings")
    with pytest.raises(DataError, match="no value"):
        statistics.mean_and_std([])


def test_mean_and_std() -> None:
    assert statistics.mean_and_std([0.5]) == (0.5, None)
    mean, std = statistics.mean_and_std([0.8, 0.9, 1.0])
    assert mean == pytest.approx(0.9)
    assert std == pytest.approx(0.1)  # ddof=1; with ddof=0 it would be 0.0816


@pytest.mark.parametrize("level", [0.8, 0.95])
@pytest.mark.parametrize(("k", "n"), [(0, 1), (0, 10), (10, 10), (81, 108), (1, 2)])
def test_wilson_is_scipys(k: int, n: int, level: float) -> None:
    expected = binomtest(k, n).proportion_ci(level, method="wilson")
    assert statistics.wilson_interval(k, n, level) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_wilson_of_a_mean_lies_between_its_neighbours() -> None:
    low, high = statistics.wilson_interval(3.5, 10)
    assert statistics.wilson_interval(3, 10)[0] < low < statistics.wilson_interval(4, 10)[0]
    assert statistics.wilson_interval(3, 10)[1] < high < statistics.wilson_interval(4, 10)[1]


@pytest.mark.parametrize(("k", "n"), [(0, 0), (5, 4), (-1, 4)])
def test_wilson_refuses(k: int, n: int) -> None:
    with pytest.raises(DataError, match="not a proportion"):
        statistics.wilson_interval(k, n)


def exchanged(differences: list[float]) -> float:
    """The exact p-value by a naive loop over all signs."""
    sums = [
        abs(sum(s * d for s, d in zip(signs, differences, strict=True)))
        for signs in itertools.product((1, -1), repeat=len(differences))
    ]
    return sum(value >= abs(sum(differences)) - 1e-9 for value in sums) / len(sums)


def test_the_permutation_test_equals_a_naive_loop(make_predictions) -> None:
    """Over people, each with all recordings of all seeds."""
    for subjects in (2, 4, 7):
        runs = [make_predictions(seed=s, skill=2.0, subjects=subjects) for s in (0, 1)]
        others = [make_predictions(seed=s + 9, skill=1.2, subjects=subjects) for s in (0, 1)]
        right = sum(a.correct.astype(int) - b.correct.astype(int) for a, b in zip(runs, others, strict=True))
        people = np.array(runs[0].subjects)
        gains = [float(right[people == subject].sum()) for subject in sorted(set(people))]
        assert statistics.permutation_test(runs, others) == pytest.approx(exchanged(gains))
        assert statistics.permutation_test(others, runs) == pytest.approx(exchanged(gains))


@pytest.mark.parametrize("subjects", [2, 3, 5])
@pytest.mark.parametrize("seeds", [1, 2, 7])
def test_the_smallest_p_value_is_that_of_the_number_of_people_whatever_the_seeds(
    make_predictions, subjects: int, seeds: int
) -> None:
    right, wrong = (make_predictions(skill=skill, subjects=subjects) for skill in (50.0, -50.0))
    assert statistics.permutation_test([right] * seeds, [wrong] * seeds) == statistics.smallest_p(subjects)
    assert statistics.smallest_p(subjects) == 2 / 2**subjects
    assert statistics.permutation_test([right] * seeds, [right] * seeds) == 1.0


def test_seeds_that_say_the_same_again_are_no_further_evidence(make_predictions) -> None:
    run, other = make_predictions(seed=1, skill=1.6, subjects=6), make_predictions(seed=2, skill=1.2, subjects=6)
    once = statistics.permutation_test([run], [other])
    assert once == statistics.permutation_test([run] * 5, [other] * 5)


@pytest.mark.parametrize(("subjects", "told"), [(2, "0.5"), (4, "0.125"), (5, "0.0625"), (6, "")])
def test_too_few_people_for_the_permutation_test_are_named(make_predictions, subjects: int, told: str) -> None:
    alone = statistics.permutation_note(make_predictions(subjects=1))
    assert alone == statistics.permutation_note(of_people(make_predictions(), ["s1", "unknown"]))
    assert "there is none" in alone
    note = statistics.permutation_note(make_predictions(subjects=subjects))
    assert (
        note.startswith(f"Of {subjects} subjects the permutation test has no smaller p-value than {told},")
        if told
        else not note
    )


def test_of_many_people_exchanges_are_drawn_and_agree(make_predictions, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = [make_predictions(seed=s, skill=1.5, subjects=8) for s in (0, 1)]
    others = [make_predictions(seed=s + 9, skill=1.2, subjects=8) for s in (0, 1)]
    exact = statistics.permutation_test(runs, others)
    monkeypatch.setattr(statistics, "EXACT_PEOPLE", 3)
    drawn = statistics.permutation_test(runs, others)
    assert exact is not None and drawn == pytest.approx(exact, abs=0.02)
    assert drawn == statistics.permutation_test(runs, others) != statistics.permutation_test(runs, others, seed=1)


def test_up_to_the_limit_of_people_the_test_is_exact(make_predictions, monkeypatch: pytest.MonkeyPatch) -> None:
    right, wrong = make_predictions(skill=50.0, subjects=6), make_predictions(skill=-50.0, subjects=6)
    monkeypatch.setattr(statistics, "EXACT_PEOPLE", 6)
    assert statistics.permutation_test([right], [wrong]) == 2 / 2**6
    monkeypatch.setattr(statistics, "EXACT_PEOPLE", 5)
    monkeypatch.setattr(statistics, "EXCHANGES", 7)
    drawn = statistics.permutation_test([right], [wrong])
    assert drawn is not None and (drawn * 8) % 1 == 0 and drawn >= 1 / 8, "the observed one counts, too"


def test_figures_that_every_published_interval_rests_on() -> None:
    assert (statistics.LEVEL, statistics.RESAMPLES, statistics.FEW_SUBJECTS) == (0.95, 2000, 5)
    assert (statistics.EXACT_PEOPLE, statistics.EXCHANGES) == (16, 10_000)


def test_unknown_people_and_one_alone_cannot_be_exchanged(make_predictions) -> None:
    one = make_predictions()
    unknown = Predictions(one.ids, ["unknown"] * len(one), one.labels, one.probabilities, one.class_names)
    alone = make_predictions(subjects=1)
    assert statistics.permutation_test([unknown], [unknown]) is statistics.permutation_test([alone], [alone]) is None
    with pytest.raises(DataError, match="cannot be paired"):
        statistics.permutation_test([one, one], [one])


def test_recordings_of_one_side_are_counted_and_three_named(make_predictions) -> None:
    with pytest.raises(ProtocolError, match=r": 5 are in only one of them, e\.g\. r055, r056, r057\. Compare"):
        statistics.mcnemar(make_predictions(n=60), make_predictions(n=55))


def test_what_recordings_say_of_themselves_must_agree(make_predictions) -> None:
    a = make_predictions()
    for change in (
        {"class_names": tuple(reversed(a.class_names))},
        {"subjects": ("s1",) * len(a)},
        {"labels": (a.labels + 1) % 4},
    ):
        with pytest.raises(ProtocolError, match="state different labels, subjects or class names"):
            statistics.mcnemar(a, dataclasses.replace(a, **change))
    with pytest.raises(ProtocolError, match="state different"):
        statistics.seeds_interval([a, a, dataclasses.replace(a, subjects=("s1",) * len(a))], "accuracy", "recordings")


@pytest.mark.parametrize(("unit", "level"), [("recordings", 0.5), ("subjects", 0.8)])
def test_of_one_run_level_seed_and_number_are_those_asked_for(make_predictions, unit: str, level: float) -> None:
    p = make_predictions()
    asked = {"resamples": 60, "seed": 3, "level": level}
    found = statistics.bootstrap_interval(p, "macro_f1", unit, **asked)
    assert found == statistics.seeds_interval([p], "macro_f1", unit, **asked)
    for other in ({"level": 0.95}, {"seed": 4}, {"resamples": 61}):
        assert statistics.bootstrap_interval(p, "macro_f1", unit, **(asked | other)) != found
