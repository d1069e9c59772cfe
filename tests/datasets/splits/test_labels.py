"""Who carries labels: draws within classes and subjects, and named subjects, trials, classes, ids."""

from collections import Counter

import pytest

from vskd.datasets.recording import Recording
from vskd.datasets.splits.labels import labelled_fraction, labelled_where
from vskd.errors import SettingError


def people(subjects: int = 4, classes: int = 5, trials: int = 6) -> list[Recording]:
    """Every subject does every class `trials` times."""
    return [
        Recording(id=f"a{c}_s{s}_t{t}", subject=str(s), trial=str(t), label=c, group=str(s), streams={})
        for c in range(classes)
        for s in range(subjects)
        for t in range(trials)
    ]


@pytest.mark.parametrize(("fraction", "of_each_class"), [(0.01, 1), (0.1, 2), (0.25, 6), (0.5, 12), (1.0, 24)])
def test_a_fraction_is_of_every_class_and_of_every_subject_alike(fraction: float, of_each_class: int) -> None:
    by_id = {r.id: r for r in people()}
    chosen = labelled_fraction(list(by_id.values()), fraction, seed=0)
    assert Counter(by_id[i].label for i in chosen) == dict.fromkeys(range(5), of_each_class)
    for label in range(5):
        shares = Counter(by_id[i].subject for i in chosen if by_id[i].label == label)
        counts = [shares[str(s)] for s in range(4)]
        assert max(counts) - min(counts) <= 1


def test_the_draw_is_a_function_of_its_seed_and_not_of_the_order() -> None:
    recordings = people()
    first = labelled_fraction(recordings, 0.25, seed=3)
    assert labelled_fraction(recordings[::-1], 0.25, seed=3) == first
    others = {labelled_fraction(recordings, 0.25, seed=s) for s in range(10)}
    assert len(others) == 10


def test_a_larger_fraction_of_the_same_seed_holds_the_smaller_one() -> None:
    """A learning curve adds labels; it does not draw others."""
    small, large = (labelled_fraction(people(), fraction, seed=1) for fraction in (0.1, 0.5))
    assert small < large


def test_rare_classes_have_a_label_each() -> None:
    rare = [*people(classes=2), Recording("rare", "0", "0", 7, "0", {})]
    assert "rare" in labelled_fraction(rare, 0.05, seed=0)


def test_the_values_that_are_named_carry_labels() -> None:
    recordings = people()
    chosen = labelled_where(recordings, "subject", ("1", "3"), lambda r: r.subject)
    assert chosen == {r.id for r in recordings if r.subject in ("1", "3")}
    assert labelled_where(recordings, "id", ("a0_s0_t0",), lambda r: r.id) == {"a0_s0_t0"}


def test_a_value_that_nobody_has_is_named_beside_those_that_there_are() -> None:
    told = r"no training recording has the subject 7, 12\. Name some of the training part: 0, 1, 2, 3\."
    with pytest.raises(SettingError, match=told):
        labelled_where(people(), "subject", ("12", "1", "7"), lambda r: r.subject)


@pytest.mark.parametrize(
    ("fraction", "shares"), [(0.3, (1, 1, 1)), (0.5, (1, 2, 2)), (0.7, (1, 2, 4)), (0.9, (1, 2, 6)), (1.0, (1, 2, 7))]
)
def test_subjects_that_have_few_recordings_give_all_of_them(fraction: float, shares: tuple[int, ...]) -> None:
    """Of ten recordings one person has one, one two, and one seven."""
    owners = "a" + "b" * 2 + "c" * 7
    recordings = [Recording(f"{who}{n}", who, "1", 0, who, {}) for n, who in enumerate(owners)]
    for seed in range(5):
        chosen = labelled_fraction(recordings, fraction, seed)
        counts = Counter(i[0] for i in chosen)
        assert tuple(counts[who] for who in "abc") == shares


def test_classes_are_drawn_in_the_order_of_their_numbers_not_of_their_ids() -> None:
    first = [Recording(f"z{n}", str(n % 5), "1", 0, "1", {}) for n in range(40)]
    second = [Recording(f"a{n}", str(n % 5), "1", 1, "1", {}) for n in range(40)]
    for seed in range(3):
        alone = labelled_fraction(first, 0.3, seed)
        assert {i for i in labelled_fraction([*second, *first], 0.3, seed) if i.startswith("z")} == alone
