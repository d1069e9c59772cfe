"""Comparison: rows over seeds, paired tests, and refusals to mix protocols."""

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest

from vskd.errors import DataError, ProtocolError
from vskd.evaluation import statistics
from vskd.evaluation.metrics import METRICS
from vskd.evaluation.results import Bootstrap, DataStamp, LabelsStamp, LatencyRow, TeacherFigures
from vskd.study import comparison as module
from vskd.study.comparison import Comparison, compare, read_comparison
from vskd.study.comparison_tables import to_csv, to_html, write_comparison

SETTING = Bootstrap(resamples=100)


@pytest.fixture
def runs(make_predictions, make_results):
    """Recipe `plain` (no distillation) and `dask`, two seeds, float and int8, and a shared teacher."""
    items = []
    for recipe, distiller, skill in (("plain", "none", 1.0), ("dask", "dask", 2.0)):
        for seed in (0, 1):
            for kind in ("bundle", "student"):
                predictions = make_predictions(seed=seed + 10 * int(skill) + 100 * (kind == "bundle"), skill=skill)
                teacher = {} if distiller != "none" else {"teacher": None}
                results = make_results(predictions, recipe=recipe, distiller=distiller, kind=kind, seed=seed, **teacher)
                items.append((recipe, seed, results, predictions))
    predictions = make_predictions(seed=99)
    results = make_results(predictions, recipe="dask", distiller=None, kind="teacher", teacher=None)
    return [*items, ("dask", 0, results, predictions)]


def row_of(comparison: Comparison, recipe: str, kind: str):
    return next(row for row in comparison.rows if (row.recipe, row.kind) == (recipe, kind))


def test_rows(runs) -> None:
    comparison = compare(runs, bootstrap=SETTING)
    assert [(row.recipe, row.kind) for row in comparison.rows] == [
        ("plain", "student"),
        ("plain", "bundle"),
        ("dask", "teacher"),
        ("dask", "student"),
        ("dask", "bundle"),
    ]
    own = [p for recipe, _, r, p in runs if recipe == "dask" and r.kind == "student"]
    accuracies = [METRICS["accuracy"](p) for p in own]
    row = row_of(comparison, "dask", "student")
    assert row.accuracy.mean == pytest.approx(np.mean(accuracies))
    assert row.accuracy.std == pytest.approx(np.std(accuracies, ddof=1))
    assert row.accuracy.per_seed == tuple(accuracies)
    assert row.accuracy.intervals.subjects == statistics.seeds_interval(own, "accuracy", "subjects", resamples=100)
    assert row.macro_f1.mean == pytest.approx(np.mean([METRICS["macro_f1"](p) for p in own]))
    assert (row.seeds, row.n, row.teacher_accuracy) == ((0, 1), 60, 0.75)
    assert row_of(comparison, "plain", "student").teacher_accuracy is None
    assert (comparison.dataset, comparison.protocol, comparison.protocol_hash) == (
        "synthetic",
        "cross-subject",
        "ab" * 32,
    )


def test_versus_baseline_is_paired_per_seed_and_kind(runs) -> None:
    comparison = compare(runs, bootstrap=SETTING)
    assert comparison.baseline == "plain"
    by_key = {(recipe, r.kind, seed): p for recipe, seed, r, p in runs}
    for kind in ("student", "bundle"):
        versus = row_of(comparison, "dask", kind).versus_baseline
        for test in versus.tests:
            expected = statistics.mcnemar(by_key["dask", kind, test.seed], by_key["plain", kind, test.seed])
            assert (test.only_candidate, test.only_baseline, test.p_value, test.n) == (
                expected.only_candidate,
                expected.only_baseline,
                expected.p_value,
                60,
            )
        discordant = sum(test.only_candidate - test.only_baseline for test in versus.tests)
        assert versus.difference == pytest.approx(discordant / 60 / 2)
        assert versus.subjects[0] <= versus.difference <= versus.subjects[1]
    assert row_of(comparison, "plain", "student").versus_baseline is None
    assert row_of(comparison, "plain", "student").is_baseline
    assert row_of(comparison, "dask", "teacher").versus_baseline is None


def test_baseline_can_be_named_and_is_optional(runs) -> None:
    assert row_of(compare(runs, baseline="dask", bootstrap=SETTING), "plain", "student").versus_baseline.difference < 0
    with pytest.raises(DataError, match="'nobody' is not among"):
        compare(runs, baseline="nobody", bootstrap=SETTING)
    only_dask = compare([run for run in runs if run[0] == "dask"], bootstrap=SETTING)
    assert only_dask.baseline is None
    assert all(row.versus_baseline is None for row in only_dask.rows)


def test_of_several_recipes_without_distillation_none_is_the_baseline(runs, make_predictions, make_results) -> None:
    """Which one the others are tested against would be chance; it can be named."""
    predictions = make_predictions(seed=8)
    second = ("bare", 0, make_results(predictions, recipe="bare", distiller="none", teacher=None), predictions)
    comparison = compare([*runs, second], bootstrap=SETTING)
    assert comparison.baseline is None
    assert not any(row.is_baseline or row.versus_baseline for row in comparison.rows)
    named = compare([*runs, second], baseline="bare", bootstrap=SETTING)
    assert [row.recipe for row in named.rows if row.is_baseline] == ["bare"]
    assert row_of(named, "dask", "student").versus_baseline is not None


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"hash": "ee" * 32}, "eeeeeeeeeeee"),
        ({"name": "subject-specific"}, "subject-specific"),
        ({"dataset": "utd-mhad"}, "utd-mhad"),
        ({"split": "validation"}, "validation split"),
    ],
)
def test_other_protocols_never_share_a_table(runs, make_predictions, make_results, change, named: str) -> None:
    predictions = make_predictions(seed=7)
    foreign = ("other", 0, make_results(predictions, recipe="other", **change), predictions)
    with pytest.raises(ProtocolError) as caught:
        compare([*runs, foreign], bootstrap=SETTING)
    message = str(caught.value)
    assert "never share a table" in message
    assert named in message
    assert "plain: synthetic, protocol cross-subject (hash abababababab), test split" in message
    assert "other:" in message


def test_same_protocol_on_other_data_is_refused(runs, make_predictions, make_results) -> None:
    predictions = make_predictions(seed=7)
    other = make_results(predictions, recipe="other", split_hash="ff" * 32)
    with pytest.raises(ProtocolError, match=r"other \(student, seed 0\) was tested on other recordings"):
        compare([*runs, ("other", 0, other, predictions)], bootstrap=SETTING)


def test_missing_recordings_are_refused_when_paired(runs, make_predictions, make_results) -> None:
    predictions = make_predictions(seed=7, n=55)
    short = ("short", 0, make_results(predictions, recipe="short"), predictions)
    with pytest.raises(ProtocolError, match="different recordings"):
        compare([*runs, short], bootstrap=SETTING)


def test_results_must_belong_to_predictions(runs, make_predictions) -> None:
    recipe, seed, results, _ = runs[0]
    with pytest.raises(DataError, match="do not belong together"):
        compare([(recipe, seed, results, make_predictions(seed=55, n=40))], bootstrap=SETTING)
    with pytest.raises(DataError, match="do not belong together"):
        compare([(recipe, 9, results, runs[0][3])], bootstrap=SETTING)


def test_twice_and_nothing(runs) -> None:
    with pytest.raises(DataError, match="given twice"):
        compare([*runs, runs[0]], bootstrap=SETTING)
    with pytest.raises(DataError, match="no runs"):
        compare([])


def test_different_seeds_are_flagged_and_tested_where_both_have_them(runs) -> None:
    fewer = [run for run in runs if not (run[0] == "plain" and run[1] == 1)]
    comparison = compare(fewer, bootstrap=SETTING)
    flag = next(note for note in comparison.notes if note.startswith("Seeds differ"))
    assert "plain (student): 0;" in flag
    assert "dask (student): 0, 1" in flag
    assert [test.seed for test in row_of(comparison, "dask", "student").versus_baseline.tests] == [0]
    assert row_of(comparison, "plain", "student").accuracy.std is None
    assert not any(note.startswith("Seeds differ") for note in compare(runs, bootstrap=SETTING).notes)


def test_folds_are_pooled(make_predictions, make_results) -> None:
    whole = make_predictions(seed=3)
    halves = [whole.take(range(0, 60, 2)), whole.take(range(1, 60, 2))]
    parts = [
        ("loso", 0, make_results(half, fold=name, split_hash=name * 32), half)
        for half, name in zip(halves, ("s1", "s2"), strict=True)
    ]
    comparison = compare(parts, bootstrap=SETTING)
    (row,) = comparison.rows
    assert row.n == comparison.n == 60
    assert row.accuracy.mean == METRICS["accuracy"](whole)
    assert set(comparison.folds) == {"s1", "s2"}
    second = (make_results(halves[0], fold="s1", split_hash="s1" * 32, seed=1), halves[0])
    with pytest.raises(ProtocolError, match=r"loso \(student, seed 1\) lacks the folds s2"):
        compare([*parts, ("loso", 1, *second)], bootstrap=SETTING)


def test_round_trip(runs, tmp_path: Path) -> None:
    comparison = compare(runs, bootstrap=SETTING)
    write_comparison(comparison, tmp_path)
    assert read_comparison(tmp_path / "comparison.json") == comparison
    (tmp_path / "comparison.json").write_text("{}")
    with pytest.raises(DataError, match=r"comparison\.json is damaged: dataset: missing"):
        read_comparison(tmp_path / "comparison.json")


def stamped(title: str, hash: str = "aa" * 32, counts: tuple[int, int] = (10, 30)) -> LabelsStamp:
    return LabelsStamp(title=title, hash=hash, labelled=counts[0], unlabelled=counts[1])


@pytest.fixture
def few(make_predictions, make_results):
    """(recipe, distiller, label setting or None) -> a run to compare."""

    def make(recipe: str, distiller: str, labels: LabelsStamp | None, seed: int = 0, kind: str = "student", **more):
        predictions = make_predictions(seed=sum(recipe.encode()) + seed, skill=1.5)
        results = make_results(
            predictions, recipe=recipe, distiller=distiller, labels=labels, seed=seed, kind=kind, **more
        )
        return recipe, seed, results, predictions

    return make


ONE, ALL = stamped("subject 1"), stamped("all", "bb" * 32, (40, 0))


def test_rows_say_who_carried_labels(few) -> None:
    comparison = compare([few("kd", "kd", ONE), few("alone", "none", ONE)], bootstrap=SETTING)
    assert comparison.says_labels
    for row in comparison.rows:
        assert (row.labels, row.labels_hash) == ("subject 1", {"": "aa" * 32})
    everybody = compare([few("kd", "kd", ALL), few("older", "none", None)], bootstrap=SETTING)
    assert [row.labels for row in everybody.rows] == ["all", "all"]
    assert not everybody.says_labels


def test_one_title_never_stands_for_two_settings(few) -> None:
    """Two lists of one name, or the data changed in between; a column could not tell them apart."""
    other = stamped("subject 1", "cc" * 32)
    told = r"more \(student, seed 0\) was trained on the labels of other recordings .*\(labels: subject 1\): hash cccc"
    with pytest.raises(ProtocolError, match=told):
        compare([few("kd", "kd", ONE), few("more", "kd", other)], bootstrap=SETTING)
    with pytest.raises(ProtocolError, match="labels of other recordings"):
        compare([few("kd", "kd", ONE), few("kd", "kd", other, seed=1)], bootstrap=SETTING)


def test_each_fold_has_its_own_labelled_recordings(few, make_predictions, make_results) -> None:
    runs = []
    for fold, hash in (("1", "aa" * 32), ("2", "bb" * 32)):
        for recipe, distiller in (("kd", "kd"), ("alone", "none")):
            predictions = make_predictions(seed=len(recipe), prefix=fold)
            labels = stamped("10 %", hash)
            stamp = {"fold": fold, "split_hash": fold * 64}
            results = make_results(predictions, recipe=recipe, distiller=distiller, labels=labels, **stamp)
            runs.append((recipe, 0, results, predictions))
    row = row_of(compare(runs, bootstrap=SETTING), "kd", "student")
    assert row.labels_hash == {"1": "aa" * 32, "2": "bb" * 32}


def test_the_student_of_all_labels_is_no_second_baseline(few) -> None:
    """It is tested against the student without a teacher, as the others are."""
    runs = [few("kd", "kd", ONE), few("kd-no-kd", "none", ONE), few("kd-all-labels", "none", ALL)]
    comparison = compare(runs, bootstrap=SETTING)
    assert comparison.baseline == "kd-no-kd"
    assert [row.is_baseline for row in comparison.rows] == [False, True, False]
    assert all(row_of(comparison, name, "student").versus_baseline for name in ("kd", "kd-all-labels"))


def test_every_label_setting_has_its_own_baseline(few) -> None:
    """A learning curve in one table."""
    ten, half = stamped("10 %"), stamped("50 %", "cc" * 32)
    runs = [few(f"{name}-{share}", d, s) for share, s in ((10, ten), (50, half)) for name, d in SIDES]
    comparison = compare(runs, bootstrap=SETTING)
    by_key = {recipe: predictions for recipe, _, _, predictions in runs}
    assert comparison.baseline is None
    assert [row.recipe for row in comparison.rows if row.is_baseline] == ["alone-10", "alone-50"]
    for share in (10, 50):
        row = row_of(comparison, f"kd-{share}", "student")
        assert row.baseline == f"alone-{share}"
        expected = statistics.mcnemar(by_key[f"kd-{share}"], by_key[f"alone-{share}"])
        assert row.versus_baseline is not None
        assert row.versus_baseline.tests[0].p_value == expected.p_value


SIDES = (("kd", "kd"), ("alone", "none"))


HERE, MENDED = "a" * 64, "b" * 64


def of_data(run, **parts: str | None):
    """The run with results that are stamped with these data; None takes the stamp away."""
    recipe, seed, results, predictions = run
    stamp = DataStamp(hash="c" * 64, parts=parts) if all(parts.values()) else None
    return recipe, seed, results.model_copy(update={"data": stamp}), predictions


def test_runs_of_different_data_never_share_a_table(runs) -> None:
    """Those that see other streams may; of a stream that two see, the content must be the same."""
    teacher = of_data(runs[-1], labels=HERE, depth=HERE)
    students = [of_data(run, labels=HERE, accelerometer=HERE, depth=HERE) for run in runs[:-1]]
    lean = [of_data(run, labels=HERE, accelerometer=HERE) for run in runs[:4]]
    assert compare([*students, teacher], bootstrap=SETTING).rows
    assert compare([*lean, *students[4:], teacher], bootstrap=SETTING).rows
    for part in ("labels", "depth", "accelerometer"):
        mended = of_data(runs[-2], **{"labels": HERE, "accelerometer": HERE, "depth": HERE, part: MENDED})
        told = (
            rf"dask \(student, seed 1\) and .* \((teacher|bundle|student), seed 0\) are of different data: the {part} "
            r"of their recordings differ \(hash bbbbbbbbbbbb instead of aaaaaaaaaaaa\)\. Train and evaluate one of them"
        )
        with pytest.raises(ProtocolError, match=told):
            compare([teacher, *students[:-1], mended], bootstrap=SETTING)


def test_folds_may_be_of_data_of_their_own(make_predictions, make_results) -> None:
    items = []
    for fold, content in (("1", HERE), ("2", MENDED)):
        predictions = make_predictions(prefix=fold)
        stamp = {"fold": fold, "split_hash": fold * 32}
        results = make_results(predictions, data=DataStamp(hash=content, parts={"labels": content}), **stamp)
        items.append(("dask", 0, results, predictions))
    assert compare(items, bootstrap=SETTING).n == 120


def test_runs_of_before_data_were_stamped_are_named_where_others_say_theirs(runs) -> None:
    stamped = [of_data(run, labels=HERE) for run in runs]
    assert not any("same data" in note for note in compare(runs, bootstrap=SETTING).notes)
    assert not any("same data" in note for note in compare(stamped, bootstrap=SETTING).notes)
    notes = compare([*stamped[:-1], runs[-1]], bootstrap=SETTING).notes
    assert notes[0] == "Not known to be of the same data as the other runs: dask (teacher, seed 0)."


def test_older_tables_say_nothing_of_labels_and_are_read(runs, tmp_path: Path) -> None:
    write_comparison(compare(runs, bootstrap=SETTING), tmp_path)
    path = tmp_path / "comparison.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    for row in content["rows"]:
        for key in ("labels", "labels_hash", "baseline"):
            del row[key]
    path.write_text(json.dumps(content), encoding="utf-8")
    old = read_comparison(path)
    assert {row.labels for row in old.rows} == {"all"} and not old.says_labels


def test_other_numbers_of_threads_are_noted(make_predictions, make_results) -> None:
    def runs(*threads: dict[str, str]) -> list[tuple[object, ...]]:
        found = [make_predictions(seed=seed) for seed in range(len(threads))]
        settings = zip(found, threads, strict=True)
        return [("dask", n, make_results(p, seed=n, environment=e), p) for n, (p, e) in enumerate(settings)]

    notes = compare(runs({"threads": "1"}, {"threads": "2"}, {}), bootstrap=SETTING).notes
    (note,) = (note for note in notes if "different numbers of threads" in note)
    assert "1: dask (student, seed 0); 2: dask (student, seed 1)" in note
    for same in (({"threads": "1"}, {"threads": "1"}), ({"threads": "1"}, {}), ({}, {})):
        assert not any("threads" in note for note in compare(runs(*same), bootstrap=SETTING).notes)


def test_of_several_twins_each_is_the_baseline_of_its_own_family(make_predictions, make_results) -> None:
    names = {
        "x": "kd",
        "x-permuted": "kd",
        "x-no-kd": "none",
        "y": "dask",
        "y-no-kd": "none",
        "z": "kd",
        "bare": "none",
    }
    runs = []
    for number, (recipe, distiller) in enumerate(names.items()):
        predictions = make_predictions(seed=number, skill=2.0 - 0.2 * number)
        teacher = {} if recipe == "x" else {"teacher": None}
        runs.append((recipe, 0, make_results(predictions, distiller=distiller, **teacher), predictions))
        if recipe == "x":
            runs.append(
                (recipe, 0, make_results(predictions, kind="teacher", distiller=None, teacher=None), predictions)
            )
    comparison = compare(runs, bootstrap=SETTING)
    assert comparison.baseline is None
    said = {row.recipe: row.baseline for row in comparison.rows if row.versus_baseline}
    assert said == {"x": "x-no-kd", "x-permuted": "x-no-kd", "y": "y-no-kd"}, "nobody says whose twin `bare` is"
    assert [row.recipe for row in comparison.rows if row.is_baseline] == ["x-no-kd", "y-no-kd"]
    for name, other in said.items():
        alone = compare(runs, baseline=other, bootstrap=SETTING)
        assert row_of(comparison, name, "student").versus_baseline == row_of(alone, name, "student").versus_baseline


def test_a_recipe_is_tested_against_each_of_its_controls(make_predictions, make_results) -> None:
    runs = []
    for number, (recipe, distiller) in enumerate(
        [("x", "kd"), ("x-no-kd", "none"), ("x-label-smoothing", "none"), ("x-permuted", "kd"), ("y-permuted", "kd")]
    ):
        for seed in (0, 1):
            predictions = make_predictions(seed=10 * number + seed, skill=2.0 - 0.2 * number)
            runs.append((recipe, seed, make_results(predictions, distiller=distiller, seed=seed), predictions))
    comparison = compare(runs, bootstrap=SETTING)
    assert comparison.baseline == "x-no-kd"  # label smoothing is a control beside it
    row = row_of(comparison, "x", "student")
    assert list(row.controls) == ["x-no-kd", "x-permuted", "x-label-smoothing"]
    assert row.controls["x-no-kd"] == row.versus_baseline
    for name, versus in row.controls.items():
        assert row_of(compare(runs, baseline=name, bootstrap=SETTING), "x", "student").versus_baseline == versus
    mine, theirs = ([p for recipe, _, _, p in runs if recipe == name] for name in ("x", "x-permuted"))
    assert row.controls["x-permuted"].permutation == statistics.permutation_test(mine, theirs)
    assert all(not other.controls for other in comparison.rows if other.recipe != "x")


def test_parameters_size_and_latency_of_a_bundle(make_predictions, make_results) -> None:
    runs = []
    for seed, milliseconds in ((0, 2.0), (1, 4.0)):
        predictions = make_predictions(seed=seed)
        runs.append(("x", seed, make_results(predictions, seed=seed, parameters=1000), predictions))
        latency = [
            LatencyRow(model=model, p50_ms=p50, p95_ms=9, min_ms=1, images_per_s=1, threads=1, warmup=1, runs=1)
            for model, p50 in (("int8", milliseconds), ("float", 50.0))
        ]
        made = make_results(predictions, kind="bundle", seed=seed, model_bytes=2500, latency=latency)
        runs.append(("x", seed, made, predictions))
    comparison = compare(runs, bootstrap=SETTING)
    bundle, student = row_of(comparison, "x", "bundle"), row_of(comparison, "x", "student")
    assert (bundle.parameters, bundle.model_bytes, bundle.latency_ms) == (1000, 2500, 3.0)
    assert (student.parameters, student.latency_ms) == (1000, None)
    page = to_html(comparison)
    assert "Size and speed" in page and "2.5 kB" in page and "3 ms" in page
    (record, *_) = csv.DictReader(io.StringIO(to_csv(comparison)))
    assert record["parameters"] == "1000" and "vs_permuted_difference" in record


def test_the_bootstrap_asked_for_is_that_of_every_interval(runs, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, list[dict[str, object]]] = {}
    for name in ("seeds_interval", "difference_interval", "permutation_test"):
        real, calls = getattr(statistics, name), seen.setdefault(name, [])
        monkeypatch.setattr(
            statistics, name, lambda *args, real=real, calls=calls, **said: calls.append(said) or real(*args, **said)
        )
    comparison = compare(runs, bootstrap=Bootstrap(resamples=7, seed=5, level=0.8))
    asked = {"resamples": 7, "seed": 5, "level": 0.8}
    assert len(seen["seeds_interval"]) == 4 * 5 and all(said == asked for said in seen["seeds_interval"])
    assert seen["difference_interval"] and all(said == asked for said in seen["difference_interval"])
    assert seen["permutation_test"] and all(said == {"seed": 5} for said in seen["permutation_test"])
    setting = comparison.bootstrap
    assert (setting.resamples, setting.seed, setting.level) == (7, 5, 0.8)


def test_accuracy_on_each_subject_is_the_mean_over_seeds(runs) -> None:
    comparison = compare(runs, bootstrap=SETTING)
    own = [p for recipe, _, r, p in runs if (recipe, r.kind) == ("dask", "student")]
    expected = {}
    for subject in ("s1", "s2", "s3", "s4", "s5", "s6"):
        rows = [p.correct[np.array(p.subjects) == subject].mean() for p in own]
        expected[subject] = pytest.approx(sum(rows) / 2)
    row = row_of(comparison, "dask", "student")
    assert row.subjects == expected and list(row.subjects) == list(expected)


def test_the_teachers_figure_counts_each_fold_by_its_recordings(make_predictions, make_results) -> None:
    items = []
    for fold, n, accuracy in (("1", 10, 1.0), ("2", 30, 0.5)):
        predictions = make_predictions(prefix=fold, n=n)
        teacher = TeacherFigures(accuracy=accuracy, macro_f1=0.5, n=n)
        results = make_results(predictions, fold=fold, split_hash=fold * 64, teacher=teacher)
        items.append(("dask", 0, results, predictions))
    (row,) = compare(items, bootstrap=SETTING).rows
    assert (row.teacher_accuracy, row.n) == (pytest.approx((10 * 1.0 + 30 * 0.5) / 40), 40)


def test_a_row_says_what_was_trained_on_which_labels(few) -> None:
    row = compare([few("kd", "kd", stamped("10 %", counts=(7, 33)), model_bytes=99)], bootstrap=SETTING).rows[0]
    assert (row.network, row.distiller, row.labelled, row.model_bytes) == ("resnet18", "kd", 7, 99)
    assert compare([few("kd", "kd", None)], bootstrap=SETTING).rows[0].labelled is None


def test_what_makes_rows_less_comparable_is_noted(make_predictions, make_results, runs) -> None:
    def notes(*items) -> str:
        return "\n".join(compare(items, bootstrap=SETTING).notes)

    one, short = make_predictions(seed=1), make_predictions(seed=2, n=50)
    a, b = ("a", 0, make_results(one), one), ("b", 0, make_results(short), short)
    assert "not over the same number of recordings; some lack a stream. a (student): 60; b (student): 50." in notes(
        a, b
    )
    assert "Rows of a single seed have no standard deviation" in notes(a)
    assert "McNemar's test is exact" not in notes(a) and "same number" not in notes(a)
    everything = notes(*(run for run in runs if run[2].kind != "teacher"))
    assert "McNemar's test is exact" in everything and "single seed" not in everything
    people = make_predictions(subjects=4)
    few_people = ("a", 0, make_results(people), people)
    assert "rests on 4 subjects" in notes(few_people) and "rests on" not in notes(a)
    assert "rests on 4" in compare([few_people], bootstrap=SETTING).bootstrap.note


def test_five_runs_are_named_and_the_others_counted(runs) -> None:
    stamped_one = of_data(runs[0], labels=HERE)
    (note,) = (n for n in compare([stamped_one, *runs[1:]], bootstrap=SETTING).notes if "same data" in n)
    assert note.count("seed") == 5 and "3 more" in note


def test_seeds_of_teachers_are_not_compared(runs) -> None:
    """A teacher of one seed may serve the students of all."""
    assert not any(note.startswith("Seeds differ") for note in compare(runs, bootstrap=SETTING).notes)
    only_teachers = [runs[-1], ("other", 1, runs[-1][2].model_copy(update={"seed": 1}), runs[-1][3])]
    assert any(note.startswith("Seeds differ") for note in compare(only_teachers, bootstrap=SETTING).notes)


def test_the_number_of_recordings_is_that_of_the_first_model_that_is_no_teacher(make_predictions, make_results) -> None:
    whole, part = make_predictions(seed=1), make_predictions(seed=2, n=50)
    teacher = ("a", 0, make_results(whole, kind="teacher", distiller=None, teacher=None), whole)
    student = ("a", 0, make_results(part), part)
    assert compare([teacher, student], bootstrap=SETTING).n == 50
    assert compare([teacher], bootstrap=SETTING).n == 60


def test_the_first_run_is_named_beside_the_one_that_differs(make_predictions, make_results) -> None:
    """Whatever comes behind them."""
    made = make_predictions()
    runs = [(n, 0, make_results(made, recipe=n, name=p), made) for n, p in (("a", "x"), ("b", "y"), ("c", "x"))]
    with pytest.raises(ProtocolError, match=r"a: synthetic, protocol x .*; b: synthetic, protocol y "):
        compare(runs, bootstrap=SETTING)


def test_of_teachers_alone_the_first_says_how_many_recordings_there_are(make_predictions, make_results) -> None:
    whole, part = make_predictions(seed=1), make_predictions(seed=2, n=50)
    first, second = (
        (name, 0, make_results(made, kind="teacher", distiller=None, teacher=None), made)
        for name, made in (("a", whole), ("b", part))
    )
    assert compare([first, second], bootstrap=SETTING).n == 60
    assert compare([second, first], bootstrap=SETTING).n == 50


def test_the_first_fold_says_what_network_a_row_is_of(make_predictions, make_results) -> None:
    runs = []
    for fold, size, labels in (("1", 10, "few"), ("2", 20, "more")):
        made = make_predictions(prefix=fold)
        stamped = {"fold": fold, "split_hash": fold * 64, "model_bytes": size, "network": f"net-{labels}"}
        runs.append(("a", 0, make_results(made, **stamped), made))
    (row,) = compare(runs, bootstrap=SETTING).rows
    assert (row.network, row.model_bytes, row.n) == ("net-few", 10, 120)


def test_what_is_found_here_of_other_files_too() -> None:
    assert sorted(module.__all__) == ["Comparison", "EvaluatedRun", "compare", "read_comparison"]
