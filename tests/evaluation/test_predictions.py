"""The predictions file: exact, strict, and written whole or not at all."""

import csv
import errno
from pathlib import Path

import numpy as np
import pytest
from scipy.special import softmax

from vskd.errors import DataError
from vskd.evaluation.metrics import METRICS
from vskd.evaluation.predictions import Predictions, Stamp, pool, read_csv, write_csv
from vskd.files import WriteError

HEADER = "id,subject,label,label_name,predicted,predicted_name,p_walk,p_run"
GOOD = "a,s1,0,walk,0,walk,0.75,0.25"
STAMPED = "id,subject,label,label_name,predicted,predicted_name,window,start_s,end_s,fold,seed,p_walk,p_run"
OTHER = "b,s1,1,run,1,run,0.25,0.75"


def test_round_trip_is_exact(make_predictions, tmp_path: Path) -> None:
    predictions = make_predictions()
    write_csv(predictions, tmp_path / "predictions.csv")
    again = read_csv(tmp_path / "predictions.csv")
    assert (again.ids, again.subjects, again.class_names) == (
        predictions.ids,
        predictions.subjects,
        predictions.class_names,
    )
    np.testing.assert_array_equal(again.labels, predictions.labels)
    np.testing.assert_array_equal(again.probabilities, predictions.probabilities)
    assert {name: metric(again) for name, metric in METRICS.items()} == {
        name: metric(predictions) for name, metric in METRICS.items()
    }


def test_float32_probabilities_survive(tmp_path: Path) -> None:
    probabilities = softmax(np.random.default_rng(0).normal(size=(20, 2)), axis=1).astype(np.float32)
    predictions = Predictions(
        tuple(map(str, range(20))), ("s",) * 20, np.zeros(20, np.int32), probabilities, ("walk", "run")
    )
    write_csv(predictions, tmp_path / "p.csv")
    np.testing.assert_array_equal(read_csv(tmp_path / "p.csv").probabilities.astype(np.float32), probabilities)


def test_columns(make_predictions, tmp_path: Path) -> None:
    predictions = make_predictions(n=3)
    write_csv(predictions, tmp_path / "p.csv")
    with (tmp_path / "p.csv").open(newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert len(rows) == 3
    assert rows[1]["id"] == "r001"
    assert rows[1]["label_name"] == predictions.class_names[int(rows[1]["label"])]
    assert int(rows[1]["predicted"]) == predictions.probabilities[1].argmax()
    assert float(rows[1]["p_squat, deep"]) == predictions.probabilities[1, 2]


def test_from_logits_is_softmax_and_survives_large_values() -> None:
    logits = np.array([[1000.0, 999.0, -1000.0], [0.5, 0.25, -3.0]])
    predictions = Predictions.from_logits(["a", "b"], ["s", "s"], [0, 1], logits, ["x", "y", "z"])
    np.testing.assert_allclose(predictions.probabilities, softmax(logits, axis=1), rtol=1e-12)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_logits_that_are_not_finite_are_refused(value: float) -> None:
    """A softmax would hide an infinite one among the probabilities, or name the wrong one."""
    with pytest.raises(DataError, match=r"Logits of shape \(1, 2\)"):
        Predictions.from_logits(["a"], ["s"], [0], [[value, 0.0]], ["x", "y"])


@pytest.mark.parametrize("logits", [[0.5, 0.25], [[[0.5, 0.25]]], 1.0])
def test_logits_are_a_table(logits: object) -> None:
    with pytest.raises(DataError, match="Logits of shape"):
        Predictions.from_logits(["a"], ["s"], [0], logits, ["x", "y"])


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([], "row 1: the columns must be"),
        ([HEADER], "0 rows"),
        ([HEADER.replace("subject", "person"), GOOD], "row 1: the columns must be"),
        ([HEADER.replace("p_run", "run"), GOOD], "row 1: unknown column 'run'"),
        ([HEADER.replace("p_run", "p_walk"), GOOD], "row 1: two columns"),
        ([HEADER.split(",p_")[0], "a,s1,0,walk,0,walk"], "row 1: the columns must be"),
        ([HEADER, GOOD.replace("0,walk,0", "0000000,walk,0")], "row 2: label '0000000' is not a class number"),
        ([HEADER, GOOD.replace("0,walk,0", "²,walk,0")], "row 2: label '²' is not a class number"),
        ([HEADER, GOOD, "b,s1,1,run,2,run,0.25,0.75"], "row 3: predicted '2' is not a class number below 2"),
        ([HEADER, GOOD.replace("0.75,0.25", "0.75,0.2511")], "row 2: the probabilities sum to 1.0011"),
        ([HEADER, GOOD.replace("0.75,0.25", "0.75,0.2489")], "row 2: the probabilities sum to 0.9989"),
        ([STAMPED, "a,s1,0,walk,0,walk,,,,2,0.75,0.25"], "row 2: 7 fields, expected 8"),
        ([STAMPED, "a,s1,0,walk,0,walk,,,,2,7"], "row 2: 6 fields, expected 8"),
        ([STAMPED, "a,s1,0,walk,0,walk,0,0.0"], "row 2: 6 fields, expected 8"),
        ([STAMPED, "a,s1,,,0,walk,0,0.0,1.0,2,7,0.75,0.25"], "0 rows"),
        ([HEADER, GOOD, GOOD], "row 3: recording id 'a' is there twice"),
        ([HEADER, GOOD.replace("a,s1", ",s1")], "row 2: recording id '' is empty"),
        ([HEADER, GOOD, "b,s1,2,jump,1,run,0.25,0.75"], "row 3: label '2' is not a class number"),
        ([HEADER, GOOD, "b,s1,-1,run,1,run,0.25,0.75"], "row 3: label '-1' is not a class number"),
        ([HEADER, GOOD, f"b,s1,{'9' * 5000},run,1,run,0.25,0.75"], "row 3: label"),
        ([HEADER, GOOD, OTHER.replace("1,run,1", "1,jump,1")], "row 3: unknown class: label_name 'jump'"),
        ([HEADER, GOOD, OTHER.replace("1,run,0.25", "1,jump,0.25")], "row 3: unknown class: predicted_name 'jump'"),
        ([HEADER, GOOD.replace("0.75", "nan")], "row 2: a probability is NaN or infinite"),
        ([HEADER, GOOD.replace("0.75", "inf")], "row 2: a probability is NaN or infinite"),
        ([HEADER, GOOD.replace("0.75", "much")], "row 2: a probability is not a number"),
        ([HEADER, GOOD.replace("0.75,0.25", "1.25,-0.25")], "row 2: a probability is negative"),
        ([HEADER, GOOD.replace("0.75", "0.70")], "row 2: the probabilities sum to 0.95"),
        ([HEADER, GOOD.replace("0,walk,0.75", "1,run,0.75")], "row 2: predicted is 1, but class 0"),
        ([HEADER, GOOD + ",0.1"], "row 2: 9 fields, expected 8"),
        ([HEADER, GOOD[:10]], "row 2: 4 fields, expected 8"),
        ([HEADER, '"' + GOOD], "cannot be read as CSV"),
    ],
)
def test_bad_file_names_file_and_row(tmp_path: Path, lines: list[str], message: str) -> None:
    path = tmp_path / "predictions.csv"
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(DataError) as caught:
        read_csv(path)
    assert str(path) in str(caught.value)
    assert message in str(caught.value)


def test_missing_and_binary_files(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nothing\.csv"):
        read_csv(tmp_path / "nothing.csv")
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00id")
    with pytest.raises(DataError, match=r"binary\.csv"):
        read_csv(tmp_path / "binary.csv")


def test_disk_full_leaves_the_earlier_file(make_predictions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "predictions.csv"
    write_csv(make_predictions(seed=1), path)
    before = path.read_bytes()

    class FullDisk:
        def __init__(self, *_: object, **__: object) -> None:
            self.rows = 0

        def writerow(self, _: object) -> None:
            self.rows += 1
            if self.rows > 5:
                raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("vskd.evaluation.predictions.csv.writer", FullDisk)
    with pytest.raises(WriteError, match="disk space"):
        write_csv(make_predictions(seed=2), path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["predictions.csv"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ids": ("a", "a")}, "recording id 'a' more than once"),
        ({"class_names": ("x", "x")}, "class name 'x' more than once"),
        ({"labels": np.array([0, 2])}, "recording b: label 2 is outside 0..1"),
        ({"labels": np.array([0, -1])}, "recording b: label -1 is outside 0..1"),
        ({"labels": np.array([0.0, 1.0])}, "whole class numbers"),
        ({"labels": np.array([False, True])}, "whole class numbers, found bool"),
        ({"labels": np.array([0])}, "labels (1,)"),
        ({"labels": np.array([[0], [1]])}, "labels (2, 1)"),
        ({"labels": []}, "labels (0,)"),
        ({"ids": ("a", "b", "c")}, "3 ids, 2 subjects"),
        ({"class_names": ("x", "y", "z")}, "3 class names"),
        ({"subjects": ("s", "s", "s")}, "3 subjects"),
        ({"probabilities": np.array([[0.6, 0.4], [-0.1, 1.1]])}, "recording b: a probability is negative (-0.1)"),
        ({"probabilities": np.array([[0.6, 0.4], [0.4985, 0.5]])}, "recording b: the probabilities sum to 0.9985"),
        ({"subjects": ("s",)}, "do not fit together"),
        ({"probabilities": np.array([[0.5, 0.5]])}, "do not fit together"),
        ({"probabilities": np.array([[0.5, 0.5], [np.nan, 1.0]])}, "recording b: a probability is NaN"),
        ({"probabilities": np.array([[2.0, 3.0], [0.5, 0.5]])}, "recording a: the probabilities sum to 5"),
    ],
)
def test_constructor_refuses(change: dict[str, object], message: str) -> None:
    good = {
        "ids": ("a", "b"),
        "subjects": ("s", "s"),
        "labels": np.array([0, 1]),
        "probabilities": np.array([[0.6, 0.4], [0.3, 0.7]]),
        "class_names": ("x", "y"),
    }
    with pytest.raises(DataError) as caught:
        Predictions(**(good | change))
    assert message in str(caught.value)


def test_no_predictions_are_refused() -> None:
    with pytest.raises(DataError, match="0 recordings"):
        Predictions((), (), np.zeros(0, np.int64), np.zeros((0, 2)), ("x", "y"))


def test_arrays_cannot_be_changed_and_are_copies() -> None:
    labels, probabilities = np.array([0]), np.array([[1.0, 0.0]])
    predictions = Predictions(("a",), ("s",), labels, probabilities, ("x", "y"))
    with pytest.raises(ValueError, match="read-only"):
        predictions.labels[0] = 1
    labels[0], probabilities[0] = 1, (0.0, 1.0)
    assert predictions.labels[0] == 0
    assert predictions.predicted[0] == 0


def test_ties_go_to_the_first_class() -> None:
    predictions = Predictions(("a",), ("s",), np.array([1]), np.array([[0.5, 0.5]]), ("x", "y"))
    assert predictions.predicted[0] == 0
    assert not predictions.correct[0]


def test_pool_and_sort(make_predictions) -> None:
    whole = make_predictions(n=10)
    parts = [whole.take([7, 3, 9, 1, 5]), whole.take([0, 2, 4, 6, 8])]
    again = pool(parts).sorted_by_id()
    assert again.ids == whole.ids
    np.testing.assert_array_equal(again.probabilities, whole.probabilities)
    np.testing.assert_array_equal(again.labels, whole.labels)
    with pytest.raises(DataError, match="more than once"):
        pool([whole, parts[0]])
    with pytest.raises(DataError, match="no predictions to pool"):
        pool([])


def test_lists_become_tuples_and_nothing_can_be_changed() -> None:
    found = Predictions(["a", "b"], ["s", "t"], [1, 0], [[0.25, 0.75], [1.0, 0.0]], ["x", "y"])  # type: ignore[arg-type]
    assert (found.ids, found.subjects, found.class_names) == (("a", "b"), ("s", "t"), ("x", "y"))
    assert (found.labels.dtype, found.probabilities.dtype, len(found)) == (np.int64, np.float64, 2)
    assert (found.confidence.tolist(), found.correct.tolist()) == ([0.75, 1.0], [True, True])
    with pytest.raises(ValueError, match="read-only"):
        found.probabilities[0] = 0.5


@pytest.mark.parametrize("last", [0.2491, 0.2509])
def test_sums_that_are_off_by_rounding_are_accepted(last: float) -> None:
    assert len(Predictions(("a",), ("s",), np.array([0]), np.array([[0.75, last]]), ("x", "y"))) == 1


def test_class_numbers_of_six_digits_are_read(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text(f"{HEADER}\n{GOOD.replace('0,walk,0', '000000,walk,0')}\n")
    assert read_csv(tmp_path / "p.csv").labels.tolist() == [0]


def test_rows_are_taken_and_pooled_whole() -> None:
    """Each with its subject, class and probabilities; a class name that begins as its column does stays whole."""
    whole = Predictions(
        ("c", "a", "b"), ("s3", "s1", "s2"), np.array([2, 0, 1]), np.eye(3)[[1, 0, 2]], ("p_x", "p_", "y")
    )
    ordered = whole.sorted_by_id()
    assert (ordered.ids, ordered.subjects, ordered.labels.tolist()) == (("a", "b", "c"), ("s1", "s2", "s3"), [0, 1, 2])
    assert (ordered.predicted.tolist(), ordered.class_names) == ([0, 2, 1], ("p_x", "p_", "y"))
    pooled = pool([ordered.take([2]), ordered.take([0, 1])])
    assert (pooled.ids, pooled.subjects, pooled.labels.tolist()) == (("c", "a", "b"), ("s3", "s1", "s2"), [2, 0, 1])
    np.testing.assert_array_equal(pooled.probabilities, whole.probabilities)
    other = Predictions(("d",), ("s4",), np.array([0]), np.eye(3)[[0]], ("p_x", "y", "p_"))
    with pytest.raises(DataError, match="different class lists"):
        pool([whole, other])


@pytest.mark.parametrize(("fold", "shown"), [("s1", "s1"), (None, "")])
def test_stamps_stand_beside_every_row(tmp_path: Path, fold: str | None, shown: str) -> None:
    """Times of stretches, rows of windows behind them; of whole recordings these cells are empty."""
    found = Predictions(("a", "b"), ("s", "t"), np.array([1, 0]), np.array([[0.25, 0.75], [0.4, 0.6]]), ("walk", "run"))
    window = (["a", "s", "", "", 0, "walk", 3, 0.5, 1.5], [0.75, 0.25])
    head = ["a,s,1,run,1,run", "b,t,0,walk,1,run"]
    stamp = Stamp(fold, 7, [(0.0, 2.0), (2.5, 4.0)], [window])
    write_csv(found, tmp_path / "p.csv", stamp)
    assert (tmp_path / "p.csv").read_text().splitlines() == [
        *(STAMPED, f"{head[0]},,0.0,2.0,{shown},7,0.25,0.75", f"{head[1]},,2.5,4.0,{shown},7,0.4,0.6"),
        f"a,s,,,0,walk,3,0.5,1.5,{shown},7,0.75,0.25",
    ]
    again = read_csv(tmp_path / "p.csv")
    assert (again.ids, again.subjects, again.labels.tolist()) == (("a", "b"), ("s", "t"), [1, 0])
    np.testing.assert_array_equal(again.probabilities, found.probabilities)
    write_csv(found, tmp_path / "p.csv", Stamp(fold, 7))
    assert (tmp_path / "p.csv").read_text().splitlines()[1:] == [
        f"{head[0]},,,,{shown},7,0.25,0.75",
        f"{head[1]},,,,{shown},7,0.4,0.6",
    ]
    write_csv(found, tmp_path / "p.csv")
    assert (tmp_path / "p.csv").read_text().splitlines() == [HEADER, f"{head[0]},0.25,0.75", f"{head[1]},0.4,0.6"]


def test_predictions_are_told_apart_as_objects(make_predictions) -> None:
    """They hold arrays, which are neither equal nor hashed as a whole."""
    one, other = make_predictions(), make_predictions()
    assert one != other and len({one, other}) == 2
