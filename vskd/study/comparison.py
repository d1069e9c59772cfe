"""Compare runs of one protocol: means over seeds, intervals, and paired tests against the run without distillation."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from vskd.errors import DataError, ProtocolError, first_few, natural_order
from vskd.evaluation import statistics
from vskd.evaluation.metrics import METRICS
from vskd.evaluation.predictions import Predictions, pool
from vskd.evaluation.results import Bootstrap, Intervals, Kind, Results
from vskd.study.comparison_schema import Comparison, PairedTest, Row, Summary, Versus, read_comparison
from vskd.study.controls import CONTROLS, is_control

__all__ = ["Comparison", "EvaluatedRun", "compare", "read_comparison"]

NAMED = 5
KIND_ORDER: tuple[Kind, ...] = ("teacher", "student", "bundle")
MCNEMAR_NOTE = (
    "McNemar's test is exact, two-sided, one per seed, and takes recordings as independent; recordings of one subject "
    "are not quite. The difference's interval over subjects does not assume it."
)


class EvaluatedRun(NamedTuple):
    """One run to compare; a plain tuple in this order does as well."""

    recipe: str
    seed: int
    results: Results
    predictions: Predictions


def compare(
    runs: Iterable[tuple[str, int, Results, Predictions]],
    *,
    baseline: str | None = None,
    bootstrap: Bootstrap | None = None,
) -> Comparison:
    """Put evaluated runs into one table.

    Runs of one recipe, kind and seed that differ in the fold are pooled (their test sets are disjoint). Rows keep the
    order in which recipes are given: teacher, student, bundle.

    Args:
        runs: (recipe name, seed, results, predictions), any number.
        baseline: recipe that others are tested against; by default a recipe's own twin without a teacher, else the one
            whose student was trained without distillation on the same labels, if there is exactly one.
        bootstrap: resamples, seed and level of the intervals.

    Raises:
        ProtocolError: runs of different data sets, protocols, splits or folds, of different data, or of different
            labels under one title.
        DataError: no runs, a run given twice, results that are not of their predictions, or an unknown baseline.
    """
    items = [EvaluatedRun(*run) for run in runs]
    _check(items)
    setting = bootstrap or Bootstrap()
    groups: dict[tuple[str, Kind], dict[int, list[EvaluatedRun]]] = defaultdict(lambda: defaultdict(list))
    for run in items:
        groups[run.recipe, run.results.kind][run.seed].append(run)
    recipes = list(dict.fromkeys(run.recipe for run in items))
    keys = sorted(groups, key=lambda key: (recipes.index(key[0]), KIND_ORDER.index(key[1])))
    chosen = _choose_baselines(items, baseline)
    pooled = {
        key: {seed: pool(r.predictions for r in groups[key][seed]) for seed in sorted(groups[key])} for key in keys
    }
    counted = {(r.recipe, r.results.kind): r.results.parameters for r in items if r.results.parameters}
    rows = tuple(
        _row(key, groups[key], pooled, chosen, setting, counted.get((key[0], _network(key[1])))) for key in keys
    )
    first = items[0].results
    main_key = next((key for key in keys if key[1] != "teacher"), keys[0])
    tested = next(iter(pooled[main_key].values()))
    return Comparison(
        dataset=first.dataset,
        protocol=first.protocol.name,
        protocol_hash=first.protocol.hash,
        split=first.split,
        folds={run.results.protocol.fold or "": run.results.protocol.split_hash for run in items},
        n=len(tested),
        baseline=_only(chosen.values()),
        bootstrap=setting.model_copy(update={"note": statistics.subjects_note(tested)}),
        rows=rows,
        notes=(*_data_notes(items), *_notes(rows, tested), *_machine_notes(items)),
    )


def _network(kind: Kind) -> Kind:
    """Whose network a model is: a bundle is the student's, in other numbers."""
    return "teacher" if kind == "teacher" else "student"


def _check(items: Sequence[EvaluatedRun]) -> None:
    if not items:
        raise DataError("There are no runs to compare", "Name at least one recipe that has been run")
    first = items[0].results
    folds: dict[str | None, str] = {}
    labels: dict[tuple[str, str | None], str] = {}
    data: dict[tuple[str, str | None], tuple[str, str]] = {}
    seen: dict[tuple[str, Kind, int], set[str | None]] = defaultdict(set)
    for recipe, seed, results, predictions in items:
        _check_same_protocol(items[0].recipe, first, recipe, results)
        name = f"{recipe} ({results.kind}, seed {seed})"
        protocol = results.protocol
        _check_labels(name, results, labels)
        _check_data(name, results, data)
        if folds.setdefault(protocol.fold, protocol.split_hash) != protocol.split_hash:
            raise ProtocolError(
                f"{name} was tested on other recordings: split hash {protocol.split_hash[:12]} instead of "
                f"{folds[protocol.fold][:12]}",
                "Evaluate it again on the same data",
            )
        _check_belongs(name, seed, results, predictions)
        if protocol.fold in seen[recipe, results.kind, seed]:
            raise DataError(f"{name} is given twice", "Give each run once, or give the recipes different names")
        seen[recipe, results.kind, seed].add(protocol.fold)
    for (recipe, kind, seed), own in seen.items():
        if own != set(folds):
            missing = ", ".join(sorted(str(fold) for fold in set(folds) - own))
            raise ProtocolError(f"{recipe} ({kind}, seed {seed}) lacks the folds {missing}", "Run the missing folds")


def _check_belongs(name: str, seed: int, results: Results, predictions: Predictions) -> None:
    said = results.seed, results.n, results.accuracy
    if said != (seed, len(predictions), METRICS["accuracy"](predictions)):
        raise DataError(
            f"{name}: results.json and predictions.csv do not belong together (seed, n or accuracy differ)",
            "Run `vskd evaluate` on that run again",
        )


def _check_same_protocol(first_name: str, first: Results, name: str, results: Results) -> None:
    def stamp(r: Results) -> tuple[str, str, str, str]:
        return r.dataset, r.protocol.name, r.protocol.hash, r.split

    if stamp(first) != stamp(results):
        described = (
            f"{n}: {r.dataset}, protocol {r.protocol.name} (hash {r.protocol.hash[:12]}), {r.split} split"
            for n, r in ((first_name, first), (name, results))
        )
        raise ProtocolError(
            f"Results of different protocols never share a table: {'; '.join(described)}",
            "Compare them separately, or run them again on one protocol",
        )


def _check_labels(name: str, results: Results, known: dict[tuple[str, str | None], str]) -> None:
    """Rows are told apart by the title of their label setting; behind one title are the same recordings."""
    if results.labels is None:
        return
    key = (results.labels.title, results.protocol.fold)
    if known.setdefault(key, results.labels.hash) != results.labels.hash:
        raise ProtocolError(
            f"{name} was trained on the labels of other recordings than another run that says the same (labels: "
            f"{results.labels.title}): hash {results.labels.hash[:12]} instead of {known[key][:12]}",
            "Train it again, or give lists of labels names of their own",
        )


def _check_data(name: str, results: Results, known: dict[tuple[str, str | None], tuple[str, str]]) -> None:
    """Runs that see a stream of a fold see the same content of it.

    Args:
        name: of the run.
        results: its own.
        known: (stream or `labels`, fold) -> (hash, run that it was first seen of); completed here.
    """
    for part, content in (results.data.parts if results.data else {}).items():
        first, whose = known.setdefault((part, results.protocol.fold), (content, name))
        if first != content:
            raise ProtocolError(
                f"{name} and {whose} are of different data: the {part} of their recordings differ (hash {content[:12]} "
                f"instead of {first[:12]})",
                "Train and evaluate one of them again, on the data of the other",
            )


def _choose_baselines(items: Sequence[EvaluatedRun], wanted: str | None) -> dict[str, str | None]:
    """Recipe -> the recipe that it is tested against."""
    recipes = tuple(dict.fromkeys(run.recipe for run in items))
    if wanted is not None:
        if wanted not in recipes:
            raise DataError(
                f"The baseline '{wanted}' is not among the compared recipes", f"Choose one of: {', '.join(recipes)}"
            )
        return dict.fromkeys(recipes, wanted)
    students = {run.recipe: run.results for run in items if run.results.kind == "student"}
    plain: dict[str, list[str]] = defaultdict(list)  # label setting -> recipes without a teacher
    for recipe, results in students.items():
        if results.distiller == "none" and not is_control(recipe, recipes, ("label-smoothing",)):
            plain[results.labels_title].append(recipe)
    guided = {results.labels_title for results in students.values() if results.distiller != "none"}
    of = {title: _only(found) for title, found in plain.items() if title in guided or len(plain) == 1}
    chosen = {r: of.get(students[r].labels_title if r in students else "") or _only(of.values()) for r in recipes}
    without = {name for found in plain.values() for name in found}
    for recipe in recipes:
        if (twin := f"{recipe}-{CONTROLS['none'][1]}") in without:
            family = {recipe, *(f"{recipe}-{suffix}" for _, suffix in CONTROLS.values())}
            chosen |= dict.fromkeys(family & chosen.keys(), twin)
    return chosen


def _only(values: Iterable[str | None]) -> str | None:
    """The one value that there is, or None."""
    found = {value for value in values if value is not None}
    return found.pop() if len(found) == 1 else None


def _row(
    key: tuple[str, Kind],
    runs: Mapping[int, Sequence[EvaluatedRun]],
    pooled: Mapping[tuple[str, Kind], Mapping[int, Predictions]],
    baselines: Mapping[str, str | None],
    setting: Bootstrap,
    parameters: int | None,
) -> Row:
    recipe, kind = key
    baseline = baselines[recipe]
    own, sample = pooled[key], next(iter(runs.values()))[0].results
    everything = [run.results for group in runs.values() for run in group]
    teachers = [results.teacher for results in everything if results.teacher]
    total = sum(teacher.n for teacher in teachers)
    latencies = [row.p50_ms for results in everything for row in results.latency if row.model == "int8"]
    is_baseline = recipe == baseline and kind != "teacher"
    controls = [f"{recipe}-{suffix}" for _, suffix in CONTROLS.values()]
    tested = [] if kind == "teacher" else [name for name in dict.fromkeys((baseline, *controls)) if name != recipe]
    versus = {name: _versus(own, pooled[name, kind], setting) for name in tested if name and (name, kind) in pooled}
    return Row(
        recipe=recipe,
        kind=kind,
        network=sample.network,
        distiller=sample.distiller,
        is_baseline=is_baseline,
        seeds=tuple(own),
        n=len(next(iter(own.values()))),
        accuracy=_summary(own, "accuracy", setting),
        macro_f1=_summary(own, "macro_f1", setting),
        teacher_accuracy=sum(t.accuracy * t.n for t in teachers) / total if total else None,
        model_bytes=sample.model_bytes,
        versus_baseline=versus.get(baseline or ""),
        subjects=_by_subject(list(own.values())),
        labels=sample.labels_title,
        labels_hash={r.protocol.fold or "": r.labels.hash for r in everything if r.labels},
        baseline=baseline if baseline in versus else None,
        labelled=sample.labels.labelled if sample.labels else None,
        parameters=parameters,
        latency_ms=statistics.mean_and_std(latencies)[0] if latencies else None,
        controls={name: against for name in controls if (against := versus.get(name))},
    )


def _by_subject(seeds: Sequence[Predictions]) -> dict[str, float]:
    """Accuracy on each subject, mean over seeds, in natural order."""
    found: dict[str, list[float]] = defaultdict(list)
    for predictions in seeds:
        subjects = np.array(predictions.subjects)
        for subject in natural_order(predictions.subjects):
            found[subject].append(float(predictions.correct[subjects == subject].mean()))
    return {subject: statistics.mean_and_std(values)[0] for subject, values in found.items()}


def _summary(own: Mapping[int, Predictions], metric: str, setting: Bootstrap) -> Summary:
    values = tuple(METRICS[metric](predictions) for predictions in own.values())
    mean, std = statistics.mean_and_std(values)

    def interval(unit: statistics.Unit) -> statistics.Interval | None:
        return statistics.seeds_interval(
            list(own.values()), metric, unit, resamples=setting.resamples, seed=setting.seed, level=setting.level
        )

    intervals = Intervals(recordings=interval("recordings"), subjects=interval("subjects"))
    return Summary(mean=mean, std=std, per_seed=values, intervals=intervals)


def _versus(own: Mapping[int, Predictions], other: Mapping[int, Predictions], setting: Bootstrap) -> Versus | None:
    seeds = [seed for seed in own if seed in other]
    if not seeds:
        return None
    mine, theirs = [own[seed] for seed in seeds], [other[seed] for seed in seeds]
    accuracy = METRICS["accuracy"]

    def interval(unit: statistics.Unit) -> statistics.Interval | None:
        return statistics.difference_interval(
            mine, theirs, "accuracy", unit, resamples=setting.resamples, seed=setting.seed, level=setting.level
        )

    def test(seed: int) -> PairedTest:
        result = statistics.mcnemar(own[seed], other[seed])
        return PairedTest(
            seed=seed,
            n=result.n,
            only_candidate=result.only_candidate,
            only_baseline=result.only_baseline,
            p_value=result.p_value,
        )

    return Versus(
        difference=statistics.mean_and_std([accuracy(a) - accuracy(b) for a, b in zip(mine, theirs, strict=True)])[0],
        recordings=interval("recordings"),
        subjects=interval("subjects"),
        tests=tuple(test(seed) for seed in seeds),
        permutation=statistics.permutation_test(mine, theirs, seed=setting.seed),
    )


def _data_notes(items: Sequence[EvaluatedRun]) -> tuple[str, ...]:
    silent = [f"{run.recipe} ({run.results.kind}, seed {run.seed})" for run in items if run.results.data is None]
    if len(silent) in (0, len(items)):  # tables of before data were stamped stay as they were
        return ()
    return (f"Not known to be of the same data as the other runs: {first_few(silent, NAMED, ', ')}.",)


def _machine_notes(items: Sequence[EvaluatedRun]) -> tuple[str, ...]:
    """A note where runs were not computed alike; files of before do not say with how many threads they were."""
    told = defaultdict(list)
    for run in items:
        if "threads" in run.results.environment:
            told[run.results.environment["threads"]].append(f"{run.recipe} ({run.results.kind}, seed {run.seed})")
    if len(told) < 2:
        return ()
    listed = "; ".join(f"{count}: {first_few(runs, NAMED, ', ')}" for count, runs in sorted(told.items()))
    return (f"Runs were trained with different numbers of threads, which round differently. {listed}.",)


def _notes(rows: Sequence[Row], predictions: Predictions) -> tuple[str, ...]:
    notes = []
    own = [row for row in rows if row.kind != "teacher"] or list(rows)  # teachers may be shared by all seeds
    if len({row.seeds for row in own}) > 1:
        listed = "; ".join(f"{row.recipe} ({row.kind}): {', '.join(map(str, row.seeds))}" for row in own)
        notes.append(f"Seeds differ between rows, so their means are not over the same runs. {listed}.")
    if len({row.n for row in rows}) > 1:
        listed = "; ".join(f"{row.recipe} ({row.kind}): {row.n}" for row in rows)
        notes.append(f"Rows are not over the same number of recordings; some lack a stream. {listed}.")
    if any(len(row.seeds) == 1 for row in rows):
        notes.append(
            "Rows of a single seed have no standard deviation, and their interval leaves out the seed's share."
        )
    if any(row.versus_baseline for row in rows):
        notes += [MCNEMAR_NOTE, statistics.permutation_note(predictions)]
    return tuple(
        note for note in (*notes, statistics.subjects_note(predictions), _width_note(rows, predictions)) if note
    )


def _width_note(rows: Sequence[Row], predictions: Predictions) -> str:
    both = [spread.intervals for row in rows for spread in (row.accuracy, row.macro_f1)]
    over_people = [*(i.subjects for i in both), *(row.versus_baseline.subjects for row in rows if row.versus_baseline)]
    return statistics.width_note((i.recordings for i in both), over_people, predictions.subjects)
