import pickle

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
