"""comparison.json: read as it was written, and refused with the place of every misfit."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vskd.errors import DataError
from vskd.evaluation.results import Bootstrap
from vskd.study.comparison import compare
from vskd.study.comparison_schema import Comparison, Foretold, read_comparison


@pytest.fixture
def comparison(make_predictions, make_results) -> Comparison:
    """Two recipes with two seeds each; one of them is the baseline."""
    runs = []
    for recipe, distiller, skill in (("plain", "none", 1.0), ("dask", "dask", 2.0)):
        for seed in (0, 1):
            predictions = make_predictions(seed=seed, skill=skill)
            results = make_results(predictions, recipe=recipe, distiller=distiller, seed=seed)
            runs.append((recipe, seed, results, predictions))
    return compare(runs, bootstrap=Bootstrap(resamples=50))


@pytest.fixture
def stored(comparison: Comparison, tmp_path: Path) -> Path:
    path = tmp_path / "comparison.json"
    path.write_text(json.dumps(comparison.model_dump(mode="json", by_alias=True)), encoding="utf-8")
    return path


def change(path: Path, edit: Callable[[dict[str, Any]], object]) -> None:
    content = json.loads(path.read_text(encoding="utf-8"))
    edit(content)
    path.write_text(json.dumps(content), encoding="utf-8")


def test_what_was_written_is_read(comparison: Comparison, stored: Path) -> None:
    assert read_comparison(stored) == comparison
    content = json.loads(stored.read_text(encoding="utf-8"))
    assert content["schema"] == 1 and "schema_version" not in content


def test_rows_without_optional_parts_are_read(stored: Path) -> None:
    """One seed has no deviation; a teacher has no distiller; a baseline is compared with nothing."""
    for part in ("distiller", "teacher_accuracy", "model_bytes", "versus_baseline"):
        change(stored, lambda c, part=part: c["rows"][0].update({part: None}))
    change(stored, lambda c: c["rows"][0]["accuracy"].update(std=None))
    change(stored, lambda c: c.update(baseline=None, notes=[]))
    row = read_comparison(stored).rows[0]
    assert (row.distiller, row.versus_baseline, row.accuracy.std) == (None, None, None)


@pytest.mark.parametrize(
    ("edit", "place"),
    [
        (lambda c: c.update(schema=2), "schema"),
        (lambda c: c.update(surprise=1), "surprise"),
        (lambda c: c.pop("protocol_hash"), "protocol_hash"),
        (lambda c: c.update(n=0), "n:"),
        (lambda c: c.update(n="60"), "n:"),
        (lambda c: c["rows"][1]["accuracy"].update(mean=1.01), r"rows\.1\.accuracy\.mean"),
        (lambda c: c["rows"][1]["accuracy"].update(std=-0.1), r"rows\.1\.accuracy\.std"),
        (lambda c: c["rows"][0].update(seeds=[-1]), r"rows\.0\.seeds\.0"),
        (lambda c: c["rows"][0].update(kind="pupil"), r"rows\.0\.kind"),
        (lambda c: c["rows"][1]["versus_baseline"].update(difference=None), r"rows\.1\.versus_baseline\.difference"),
        (lambda c: c["rows"][1]["versus_baseline"]["tests"][0].update(p_value=2), r"tests\.0\.p_value"),
        (lambda c: c["rows"][1]["versus_baseline"].update(subjects=[0.0]), r"versus_baseline\.subjects"),
    ],
)
def test_a_misfit_is_named_with_its_place(stored: Path, edit: Callable[[dict[str, Any]], object], place: str) -> None:
    change(stored, edit)
    with pytest.raises(DataError, match=place) as caught:
        read_comparison(stored)
    assert str(stored) in str(caught.value) and "Run `vskd compare` again" in str(caught.value)


def test_every_misfit_is_named_at_once(stored: Path) -> None:
    change(stored, lambda c: (c.update(n=0), c.pop("dataset"), c["rows"][0].update(kind="pupil")))
    with pytest.raises(DataError) as caught:
        read_comparison(stored)
    assert all(place in str(caught.value) for place in ("n:", "dataset:", "rows.0.kind:"))


def test_values_that_json_does_not_know_are_refused(stored: Path) -> None:
    text = stored.read_text(encoding="utf-8")
    stored.write_text(text.replace('"difference": ', '"difference": NaN, "was": ', 1), encoding="utf-8")
    with pytest.raises(DataError, match=r"comparison\.json"):
        read_comparison(stored)


@pytest.mark.parametrize("content", [None, b"", b"{", b"[]", b"\xff\xfe"])
def test_what_is_no_comparison_at_all(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "comparison.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match=r"comparison\.json.*Run `vskd compare` again"):
        read_comparison(path)


def test_a_comparison_cannot_be_changed(comparison: Comparison) -> None:
    with pytest.raises(ValueError, match="frozen"):
        comparison.n = 1  # type: ignore[misc]


@pytest.mark.parametrize(
    ("labels", "said"), [(("all", "all"), False), (("all", "10 %"), True), (("10 %", "10 %"), True)]
)
def test_a_column_of_labels_is_there_where_one_row_had_not_all(
    comparison: Comparison, labels: tuple[str, str], said: bool
) -> None:
    rows = [row.model_copy(update={"labels": one}) for row, one in zip(comparison.rows, labels, strict=True)]
    assert comparison.model_copy(update={"rows": tuple(rows)}).says_labels is said


@pytest.mark.parametrize(("fold", "where"), [("2", "fold 2, seed 4"), (None, "seed 4")])
@pytest.mark.parametrize(
    ("right", "came"), [(True, "it came true"), (False, "it did not come true"), (None, "what came")]
)
def test_a_forecast_in_words(fold: str | None, where: str, right: bool | None, came: str) -> None:
    said = Foretold(
        fold=fold, seed=4, verdict="will help", reason="so", gain=-0.125, p_value=0.5, outcome="hurt", right=right
    )
    assert str(said) == f"{where}: will help; {came} (hurt, -12.5 points)"


def test_what_older_files_lack_is_empty(stored: Path) -> None:
    names = ("subjects", "labels_hash", "controls", "forecasts")
    for name in names:
        change(stored, lambda c, name=name: c["rows"][0].pop(name, None))
    row = read_comparison(stored).rows[0]
    assert [getattr(row, name) for name in names] == [{}, {}, {}, ()]
