"""What a user's mistake says, and the small pieces that messages and lists are made of."""

import pickle
from pathlib import Path

import pytest

from vskd import errors


def test_message_is_problem_then_action() -> None:
    error = errors.DataError("file x.mat: field d_iner is missing.", "Copy the file again.")
    assert str(error) == "file x.mat: field d_iner is missing. Copy the file again."


def test_missing_extra_names_package_and_extra() -> None:
    assert "pip install 'vskd[export]'" in str(errors.MissingExtraError("litert-torch", "export"))


@pytest.mark.parametrize(
    "error",
    [errors.DataError("a", "b"), errors.MissingExtraError("p", "e"), errors.CacheError("c", "d")],
    ids=lambda e: type(e).__name__,
)
def test_errors_cross_process_boundaries(error: errors.VskdError) -> None:
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    assert type(again) is type(error)
    assert str(again) == str(error)


@pytest.mark.parametrize(
    ("count", "separator", "text"),
    [
        (0, "; ", ""),
        (2, "; ", "n0; n1"),
        (4, "; ", "n0; n1; and 2 more"),
        (2, ", ", "n0, n1"),
        (4, ", ", "n0, n1 and 2 more"),
    ],
)
def test_a_long_list_is_cut_and_says_so(count: int, separator: str, text: str) -> None:
    assert errors.first_few([f"n{i}" for i in range(count)], 2, separator) == text


CATALOG = {"resnet18": 1, "cnn1d": 2}


def test_lookup_finds_or_names_the_nearest_and_all() -> None:
    assert errors.lookup(CATALOG, "cnn1d", "network") == 2
    with pytest.raises(errors.SettingError) as caught:
        errors.lookup(CATALOG, "resnet", "network")
    assert str(caught.value) == (
        "There is no network 'resnet'; did you mean 'resnet18'? Choose one of: cnn1d, resnet18."
    )
    with pytest.raises(errors.DataError, match=r"^There is no data set 'x'\. Choose one of: a; or give a path\.$"):
        errors.lookup({"a": None}, "x", "data set", errors.DataError, also="give a path")


def test_a_recipe_error_is_a_setting_error() -> None:
    assert issubclass(errors.RecipeError, errors.SettingError)


@pytest.mark.parametrize(
    ("names", "ordered"),
    [
        (["p002", "10", "9", "p002", "ab"], ("9", "10", "ab", "p002")),
        (iter(["b", "a"]), ("a", "b")),
        ([], ()),
    ],
)
def test_natural_order(names: list[str], ordered: tuple[str, ...]) -> None:
    assert errors.natural_order(names) == ordered


@pytest.mark.parametrize("cell", ["1", "-2.5", "1e-3", " 4 ", "nan", "-inf", "+.5"])
def test_numbers(cell: str) -> None:
    assert errors.is_number(cell)


@pytest.mark.parametrize("cell", ["", " ", "x", "1,5", "0x10", "1 2", "1g"])
def test_no_numbers(cell: str) -> None:
    assert not errors.is_number(cell)


def test_did_you_mean_stays_silent_where_nothing_is_near() -> None:
    assert errors.did_you_mean("gas", ["raw", "gasf"]) == "did you mean 'gasf'?"
    assert errors.did_you_mean("xyz", ["raw", "gasf"]) == ""
    assert errors.nearest("xyz", ["raw", "gasf"]) == "valid names: gasf, raw"


def test_a_refused_setting_is_said_to_be_of_the_recipe() -> None:
    told = r"^student: too big\. Choose less\.$"
    with pytest.raises(errors.RecipeError, match=told), errors.as_recipe_error("student"):
        raise errors.SettingError("too big", "Choose less")
    for other in (errors.RecipeError("a", "b"), errors.DataError("a", "b")):
        with pytest.raises(type(other)) as caught, errors.as_recipe_error("student"):
            raise other
        assert caught.value is other


def test_a_damaged_cache_keeps_its_path_across_processes() -> None:
    error = errors.DamagedCacheError(Path("s.h5"), "s.h5 is damaged.", "Delete it")
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    assert (type(again), again.path, str(again)) == (type(error), Path("s.h5"), "s.h5 is damaged. Delete it.")
    missing = pickle.loads(pickle.dumps(errors.MissingExtraError("litert", "export")))  # noqa: S301
    assert (missing.package, missing.extra) == ("litert", "export")


def test_a_question_needs_no_full_stop() -> None:
    assert str(errors.DataError("No x; did you mean 'y'?", "Choose.")) == "No x; did you mean 'y'? Choose."


@pytest.mark.parametrize(("name", "near"), [("ab", True), ("abxy", True), ("axyz", False), ("gasf", False)])
def test_half_of_the_letters_are_near_enough(name: str, near: bool) -> None:
    """2 * common / all letters, as difflib counts it: of `ab` and `ax` it is a half."""
    (valid,) = {"ab": ["ax"], "abxy": ["abcd"], "axyz": ["abcd"], "gasf": ["raw"]}[name]
    assert bool(errors.did_you_mean(name, iter([valid]))) is near
    assert errors.did_you_mean("cnn1", ["resnet1", "cnn1d", "cnn2d"]) == "did you mean 'cnn1d'?"


def test_each_error_is_one_of_a_users() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    assert len(kinds) > 12 and all(issubclass(kind, errors.VskdError) for kind in kinds)
    assert issubclass(errors.DamagedCacheError, errors.CacheError)
    error = errors.DataError("a . .", "b. ")
    assert (error.problem, error.action, str(error)) == ("a", "b", "a. b.")


@pytest.mark.parametrize(
    "names",
    [
        ["1", "2", "10", "11"],
        ["01", "1", "002", "2", "10"],
        ["anna", "bo", "Carla", "di"],
        ["S2", "S10", "S10b", "S11"],
        ["7", "anna", "p2", "p10"],
        ["s1-t2", "s1-t10", "s2-t1"],
        ["a", "a1", "a1b", "aa"],
    ],
)
def test_names_stand_as_people_sort_them(names: list[str]) -> None:
    assert errors.natural_order(reversed(names)) == errors.natural_order([*names, *names]) == tuple(names)


@pytest.mark.parametrize("digits", [2, 3, 4])
@pytest.mark.parametrize("value", [0.0, 1e-7, 0.0456, 9.96, 99.6, 120.0, 999.7, 3600.2, -28_800.4, 1.5e9])
def test_great_numbers_have_no_exponent(value: float, digits: int) -> None:
    text = errors.rounded(value, digits)
    assert "e+" not in text and float(text) == pytest.approx(value, rel=0.6 * 10 ** (1 - digits))
