"""Every published table follows from the predictions beside it: recomputed here in the plainest way there is."""

import csv
import json
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from scipy.stats import binomtest

from tests.conftest import REPOSITORY

TABLES = sorted((REPOSITORY / "results").glob("*/*/comparison.json"))
FLIPPED = 10
"""Of up to so many subjects all signs are flipped here; of more, the table's permutations are drawn."""
Ints = npt.NDArray[np.int64]


class Published:
    """A table and its predictions.

    Attributes:
        rows: of the table, of what was tested: students and bundles.
        subjects: (n,) of each recording.
        labels: (n,) its class.
    """

    def __init__(self, table: Path) -> None:
        self._table = json.loads(table.read_text(encoding="utf-8"))
        self.rows = [row for row in self._table["rows"] if row["kind"] in ("student", "bundle")]
        with (table.parent / "predictions.csv").open(encoding="utf-8", newline="") as file:
            header, *lines = csv.reader(file)
        columns = dict(zip(header, zip(*lines, strict=True), strict=True))
        self.subjects = np.array(columns["subject"])
        self.labels = np.array(columns["label"], dtype=np.int64)
        self._columns = columns

    def predicted(self, recipe: str, kind: str, seed: int) -> Ints:
        """(n,) classes."""
        name = f"{recipe}-seed{seed}" + ("-int8" if kind == "bundle" else "")
        return np.array(self._columns[name], dtype=np.int64)

    def right(self, row: dict[str, Any]) -> npt.NDArray[np.bool_]:
        """(seeds, n), of a row's seeds."""
        return np.stack([self.predicted(row["recipe"], row["kind"], seed) == self.labels for seed in row["seeds"]])

    def baseline(self, row: dict[str, Any]) -> dict[str, Any]:
        """The row that another is compared with."""
        name = row.get("baseline") or self._table["baseline"]
        return next(r for r in self.rows if (r["recipe"], r["kind"]) == (name, row["kind"]))


@pytest.fixture(scope="module", params=TABLES, ids=lambda path: f"{path.parent.parent.name}/{path.parent.name}")
def published(request: pytest.FixtureRequest) -> Published:
    return Published(request.param)


def macro_f1(labels: Ints, predicted: Ints) -> float:
    scores = []
    for label in sorted(set(labels)):
        hits = int(((labels == label) & (predicted == label)).sum())
        scores.append(2 * hits / int((labels == label).sum() + (predicted == label).sum()))
    return float(np.mean(scores))


def test_means_and_spreads(published: Published) -> None:
    assert published.rows
    for row in published.rows:
        right = published.right(row).mean(axis=1)
        scores = [macro_f1(published.labels, published.predicted(row["recipe"], row["kind"], s)) for s in row["seeds"]]
        assert row["n"] == len(published.labels)
        for found, told in ((right, row["accuracy"]), (np.array(scores), row["macro_f1"])):
            assert told["mean"] == pytest.approx(found.mean(), abs=1e-9)
            if len(found) > 1:
                assert told["std"] == pytest.approx(found.std(ddof=1), abs=1e-9)


def test_differences_and_their_tests(published: Published) -> None:
    for row in published.rows:
        versus = row["versus_baseline"]
        if versus is None:
            continue
        own, other = published.right(row), published.right(published.baseline(row))
        assert versus["difference"] == pytest.approx(own.mean() - other.mean(), abs=1e-9)
        for test, a, b in zip(versus["tests"], own, other, strict=True):
            only, base = int((a & ~b).sum()), int((b & ~a).sum())
            assert (test["only_candidate"], test["only_baseline"], test["n"]) == (only, base, len(a))
            p = binomtest(only, only + base).pvalue if only + base else 1.0
            assert test["p_value"] == pytest.approx(p, rel=1e-9)
        people = sorted(set(published.subjects))
        if len(people) <= FLIPPED and "permutation" in versus:  # the oldest tables have none
            won = (own.astype(int) - other).sum(axis=0)
            sums = np.array([won[published.subjects == person].sum() for person in people])
            flipped = np.abs(np.array(list(product((1, -1), repeat=len(people)))) @ sums)
            assert versus["permutation"] == pytest.approx((flipped >= abs(sums.sum())).mean(), abs=1e-9)
