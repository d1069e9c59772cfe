"""The recipe section `labels`: one rule, names as text, titles, and lists of ids."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from tests.datasets.splits.test_labels import people
from vskd.errors import RecipeError
from vskd.recipe import load_recipe
from vskd.recipe.labels import Labels
from vskd.schema import explain, parse

NAMES = ("wave", "jog", "squat", "sit", "lunge")


def labels(**content: Any) -> Labels:
    made: Labels = parse(Labels, content)
    return made


def chosen(tested: Collection[str] = (), **content: Any) -> frozenset[str]:
    return labels(**content).labelled(people(), NAMES, tested)


def test_everybody_carries_a_label_where_nothing_is_said() -> None:
    assert load_recipe("demo").labels == Labels()
    assert chosen() == {r.id for r in people()}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"subjects": ["1"]}, lambda r: r.subject == "1"),
        ({"subjects": [1, 3]}, lambda r: r.subject in ("1", "3")),
        ({"trials": [0]}, lambda r: r.trial == "0"),
        ({"classes": ["jog", "sit"]}, lambda r: r.label in (1, 3)),
    ],
)
def test_named_subjects_trials_and_classes(content: dict[str, Any], expected: Any) -> None:
    assert chosen(**content) == {r.id for r in people() if expected(r)}


def test_people_whom_the_protocol_tests_carry_none() -> None:
    assert chosen(tested=("1", "3", "not there"), untested_subjects=True) == {
        r.id for r in people() if r.subject not in ("1", "3")
    }
    assert chosen(tested=("1",)) == {r.id for r in people()}


@pytest.mark.parametrize(
    ("tested", "told"),
    [
        ((), r"^labels\.untested_subjects does nothing here: no training recording is of a subject"),
        (("not there",), r"does nothing here"),
        ({r.subject for r in people()}, r"^labels\.untested_subjects leaves no label"),
    ],
)
def test_untested_subjects_are_some_but_not_all(tested: Collection[str], told: str) -> None:
    with pytest.raises(RecipeError, match=told):
        chosen(tested=tested, untested_subjects=True)


def test_a_fraction_is_drawn_by_its_own_seed() -> None:
    assert len(chosen(fraction=0.25)) == 30
    assert chosen(fraction=0.25) == chosen(fraction=0.25, seed=0) != chosen(fraction=0.25, seed=1)
    assert load_recipe("demo", ["seed=5", "labels.fraction=0.5"]).labels == labels(fraction=0.5)


@pytest.mark.parametrize(
    ("content", "title"),
    [
        ({}, "all"),
        ({"subjects": [1]}, "subject 1"),
        ({"subjects": [1, 3]}, "subjects 1, 3"),
        ({"trials": [2]}, "trial 2"),
        ({"classes": ["jog"]}, "class jog"),
        ({"untested_subjects": True}, "untested subjects"),
        ({"fraction": 0.1}, "10 %"),
        ({"fraction": 0.125, "seed": 2}, "12.5 % (draw 2)"),
        ({"ids": "some/list.csv"}, "ids of list.csv"),
    ],
)
def test_titles(content: dict[str, Any], title: str) -> None:
    assert labels(**content).title == title


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ({"subjects": [1], "trials": [1]}, "give one of subjects, trials alone"),
        ({"fraction": 0.1, "ids": "a.csv"}, "give one of fraction, ids alone"),
        ({"subjects": [1], "untested_subjects": True}, "give one of subjects, untested_subjects alone"),
        ({"untested_subjects": False}, "untested_subjects"),
        ({"seed": 1}, "seed does nothing here: it counts only with fraction"),
        ({"fraction": 0.0}, "fraction"),
        ({"fraction": 1.5}, "fraction"),
        ({"subjects": []}, "subjects"),
        ({"subject": [1]}, "subject: unknown key, did you mean 'subjects'?"),
    ],
)
def test_wrong_content_is_explained(content: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError) as caught:
        labels(**content)
    assert told in "; ".join(explain(caught.value, Labels))


def test_a_list_of_ids(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("\ufeffwho,id\nann,a0_s0_t0\nbob,a4_s3_t5\n", encoding="utf-8")
    assert chosen(ids=str(path)) == {"a0_s0_t0", "a4_s3_t5"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (None, r"labels\.ids: .*list\.csv cannot be read"),
        (b"\xff\xfe\x00", r"labels\.ids: .*list\.csv cannot be read"),
        (b"", r"list\.csv has no column 'id'"),
        (b"name\na0_s0_t0\n", r"list\.csv has no column 'id'"),
        (b"id\n", r"list\.csv has no column 'id', or no line below it"),
        (b"id,who\na0_s0_t0,ann\n,bob\na4_s3_t5,\n,ann\n", r"list\.csv, line 3, 5: no id"),
        (b"id\na0_s0_t0\n\na4_s3_t5\n", r"list\.csv, line 3: blank"),
        (b"id\na0_s0_t0\na0_s0_t0\n", r"list\.csv, line 2, 3: the same row more than once"),
        (b"id,who\na0_s0_t0,ann\na4_s3_t5,bob\na0_s0_t0,\n", r"names more than once: a0_s0_t0 \(2 times\)"),
        (b"id\nnobody\n", r"labels\.ids: .*list\.csv: no training recording has the id nobody"),
    ],
)
def test_a_list_that_cannot_be_used_is_named(tmp_path: Path, text: bytes | None, told: str) -> None:
    path = tmp_path / "list.csv"
    if text is not None:
        path.write_bytes(text)
    with pytest.raises(RecipeError, match=told):
        chosen(ids=str(path))


@pytest.mark.parametrize(
    ("content", "told"),
    [({"subjects": ["9"]}, "the subject 9"), ({"trials": [9]}, "the trial 9"), ({"classes": ["fly"]}, "the class fly")],
)
def test_nobody_of_that_name(content: dict[str, Any], told: str) -> None:
    with pytest.raises(RecipeError, match=f"^labels: no training recording has {told}"):
        chosen(**content)


def test_a_teacher_follows_the_recipe_or_has_labels_of_its_own() -> None:
    recipe = load_recipe("demo", ["labels.subjects=[1]"])
    assert recipe.of_teacher().labels == recipe.labels
    own = recipe.updated("teachers.0.labels.trials=[1]")
    assert own.of_teacher().labels == labels(trials=[1])
    assert own.labels == recipe.labels
    assert recipe.hash_of("labels") != load_recipe("demo").hash_of("labels")


def test_every_row_of_a_list_counts_and_a_draw_of_zero_is_not_told() -> None:
    assert labels(fraction=0.5, seed=0).title == "50 %"
    assert labels(fraction=1.0).title == "100 %" and chosen(fraction=1.0) == {r.id for r in people()}
    assert labels(trials=[1, 2]).title == "trials 1, 2" and labels(classes=["a", "b"]).title == "classes a, b"


@pytest.mark.parametrize(
    "pair", [("subjects", "classes"), ("trials", "classes"), ("classes", "ids"), ("trials", "ids")]
)
def test_two_rules_are_refused_by_name(pair: tuple[str, str]) -> None:
    content = {key: {"ids": "a.csv", "fraction": 0.5}.get(key, ["1"]) for key in pair}
    with pytest.raises(ValidationError, match=f"give one of {pair[0]}, {pair[1]} alone"):
        labels(**content)


@pytest.mark.parametrize("key", ["subjects", "trials", "classes"])
def test_numbers_are_names(key: str) -> None:
    assert getattr(labels(**{key: [1, 2]}), key) == ("1", "2")
    with pytest.raises(ValidationError):
        labels(**{key: 1})
    with pytest.raises(ValidationError):
        parse(Labels, 3)


def test_the_column_of_ids_is_one_of_the_header(tmp_path: Path) -> None:
    """A row with more cells than the header has is no column of its own."""
    path = tmp_path / "list.csv"
    path.write_text("who,id\nann,a0_s0_t0,id\nbob,a4_s3_t5\n", encoding="utf-8")
    with pytest.raises(RecipeError, match="line 2: more or fewer cells"):
        chosen(ids=str(path))
    path.write_text("who,ids\nid,id\n", encoding="utf-8")
    with pytest.raises(RecipeError, match="has no column 'id'"):
        chosen(ids=str(path))


@pytest.mark.parametrize("key", ["subjects", "trials", "classes"])
def test_who_is_listed_twice_is_refused(key: str) -> None:
    with pytest.raises(ValidationError, match=r"names more than once: 1 \(3 times\)"):
        labels(**{key: [1, 2, "1", 1]})
