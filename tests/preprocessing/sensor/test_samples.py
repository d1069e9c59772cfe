from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from scipy.io import savemat

from vskd.errors import DataError
from vskd.preprocessing.sensor.open_samples import open_samples
from vskd.preprocessing.sensor.samples import ArraySamples, ColumnSamples, TextSamples, counts_on

COUNT = 20.0 * np.arange(60)
BUMPY = COUNT + 10 * (np.arange(60) % 4 == 1)
"""Uneven steps along a straight line from 0 to 1180, at most a percent off."""
NOISE = np.random.default_rng(0).normal(size=60)


def one_column(values: npt.ArrayLike) -> ArraySamples:
    return ArraySamples(np.asarray(values, dtype=np.float64)[:, None], "array")


def test_text_and_arrays_of_one_content_are_one(tmp_path: Path) -> None:
    array = np.stack([COUNT, np.round(NOISE, 3)], axis=1)
    np.save(tmp_path / "a.npy", array)
    savemat(tmp_path / "a.mat", {"other": array[:, :1], "mine": array})
    rows = "\n".join(f"{a};{b}" for a, b in array.tolist())
    (tmp_path / "a.csv").write_text(f"# rate_hz: 50\nt [ms];ax [g]\n{rows}\n", encoding="utf-8")
    text, npy, mat = (
        open_samples(tmp_path / name, variable) for name, variable in (("a.csv", ""), ("a.npy", ""), ("a.mat", "mine"))
    )
    assert isinstance(text, TextSamples)
    assert (text.names, text.units, dict(text.declared)) == (("t", "ax"), ("ms", "g"), {"rate_hz": "50"})
    assert text.kind.startswith("text separated by semicolon, ")
    assert (npy.kind, mat.kind, npy.names, dict(npy.declared)) == ("array", "array 'mine'", (), {})
    for samples in (text, npy, mat):
        assert samples.width == 2
        assert np.array_equal(samples.numbers(1), array[:, 1])
        stamps = samples.stamps(0, 1e-3)
        assert stamps is not None
        assert stamps[1] == "in ms"
        assert np.allclose(stamps[0], COUNT / 1000)


def test_an_array_without_rows_has_no_stamps() -> None:
    assert ArraySamples(np.zeros((0, 2)), "array").stamps(0) is None


@pytest.mark.parametrize(
    ("values", "counts"),
    [
        (COUNT, True),
        (-COUNT, True),
        (np.repeat(COUNT, 3), True),
        (COUNT + 2 * NOISE, True),
        (COUNT.cumsum() / 20, False),
        (1.6e9 + NOISE.cumsum() ** 2, True),
        (NOISE, False),
        (NOISE.cumsum(), False),
        (np.ones(60), False),
        (COUNT[:3], False),
        (np.where(COUNT == 40, np.nan, COUNT), False),
    ],
    ids=["up", "down", "bursts", "jitter", "bent", "since 1970", "noise", "walk", "constant", "short", "gap"],
)
def test_what_goes_evenly_one_way_counts_on(values: npt.NDArray[np.float64], counts: bool) -> None:
    assert counts_on(one_column(values), 0) == counts


@pytest.mark.parametrize("sign", [1, -1])
def test_an_uneven_clock_counts_on_where_it_keeps_to_a_straight_line(sign: int) -> None:
    """Up or down: steps of 1, 5 and 9 in turn, a thousand of each."""
    straight = sign * np.cumsum(np.tile([1.0, 5.0, 9.0], 1000))
    assert counts_on(one_column(straight), 0)
    assert not counts_on(one_column(sign * np.cumsum(np.repeat([1.0, 5.0, 9.0], 1000))), 0)


def test_dates_count_on_and_words_do_not(tmp_path: Path) -> None:
    rows = "\n".join(f"2021-03-04 10:00:{k:02d},{k % 3}.5,walk" for k in range(30))
    (tmp_path / "a.csv").write_text(f"when,ax,what\n{rows}\n", encoding="utf-8")
    samples = open_samples(tmp_path / "a.csv")
    assert [counts_on(samples, column) for column in range(3)] == [True, False, False]


@pytest.mark.parametrize(
    ("values", "counts"),
    [
        (np.where(np.arange(60) % 20 == 19, COUNT - 30, COUNT), False),  # three of 59 steps go back
        (np.where(np.arange(60) % 29 == 28, COUNT - 30, COUNT), True),
        (np.where(np.arange(60) % 10 == 9, COUNT - 30, COUNT), False),
        (COUNT + 1.9 * (np.arange(60) % 2), True),
        ([0.0, 1, 2, 3], True),
        ([0.0, 1, 2], False),
        (BUMPY, True),
        (BUMPY + np.where(np.arange(60) == 29, 3.0, 0), False),
        (np.where(np.arange(60) == 59, np.inf, COUNT), False),
    ],
)
def test_limits_of_counting_on(values: npt.ArrayLike, counts: bool) -> None:
    """19 of 20 steps go one way; the median step is off by a tenth at most, or all lies on a line to a percent."""
    assert counts_on(one_column(values), 0) == counts


def table(*columns: npt.NDArray[np.generic]) -> ColumnSamples:
    return ColumnSamples(columns, "table", tuple("abcdef"[: len(columns)]))


def test_columns_have_a_type_each() -> None:
    when = np.array(["2024-03-01T10:00:00", "2024-03-01T10:00:00.5", "2024-03-01T10:00:02"], dtype="datetime64[ns]")
    words = np.array(["walk ", None, "run"], dtype=object)
    mixed = table(np.array([1, 2, 3]), np.array([0.5, np.nan, 2.0]), when, words, np.array([True, False, True]))
    assert mixed.width == 5 and dict(mixed.declared) == {} and mixed.units == ()
    assert [mixed.numbers(k).dtype.kind for k in (0, 1, 4)] == ["i", "f", "b"]
    for column, what in ((2, "'c' holds moments"), (3, "'d' holds text")):
        with pytest.raises(DataError, match=f"The column {what}, not numbers"):
            mixed.numbers(column)
    assert mixed.cells(0) == ["1", "2", "3"] and mixed.cells(1) == ["0.5", "", "2"]
    assert mixed.cells(3) == ["walk", "", "run"] and mixed.first(3) == "walk " and mixed.first(0) == "1"
    stamps = mixed.stamps(2)
    assert stamps is not None and stamps[1] == "dates and times" and stamps[0].tolist() == [0.0, 0.5, 2.0]
    assert table(np.append(when, np.datetime64("NaT"))).stamps(0) is None
    assert table(np.array([], dtype=np.float64)).stamps(0) is None
    assert counts_on(mixed, 2) and not counts_on(mixed, 3)


def test_stamps_of_columns_are_text_or_counts() -> None:
    nanoseconds = 1_700_000_000_000_000_001 + 20_000_000 * np.arange(5)
    counts = table(nanoseconds).stamps(0, 1e-9)
    assert counts is not None and counts[0].tolist() == pytest.approx((0.02 * np.arange(5)).tolist(), abs=1e-12)
    texts = table(np.array([f"10:00:0{k}" for k in range(5)])).stamps(0)
    assert texts is not None and texts[0].tolist() == [0, 1, 2, 3, 4]


def test_an_array_s_cells_and_first_stamp() -> None:
    array = ArraySamples(np.array([[1709285400.5, 7.0], [1709285401.5, np.nan]]), "array")
    assert array.first(0) == "1709285400.5" and array.cells(1) == ["7", ""] and array.width == 2
    stamps = array.stamps(0, 1.0)
    assert stamps is not None and stamps[0].tolist() == [0.0, 1.0]


def test_a_table_s_first_cell_is_stripped(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("when,ax\n 5 ,1\n6,2\n", encoding="utf-8")
    samples = open_samples(tmp_path / "a.csv")
    assert samples.first(0) == "5" and samples.cells(1) == ["1", "2"]


@pytest.mark.parametrize(("start", "known"), [(4e9 - 30, True), (4e9 + 30, False), (1e8, True), (1e8 - 30, False)])
def test_the_first_stamp_says_whether_they_count_since_1970(tmp_path: Path, start: float, known: bool) -> None:
    """One a second: from anywhere else they may be numbers of rows."""
    values = start + np.arange(60.0)
    path = tmp_path / "a.csv"
    path.write_text("t,x\n" + "".join(f"{value:.0f},0.5\n" for value in values), encoding="utf-8")
    for samples in (one_column(values), table(values), open_samples(path)):
        stamps = samples.stamps(0)
        assert (stamps is not None) == known
        if stamps is not None:
            assert stamps[1] == "in s" and stamps[0].tolist() == list(range(60))


@pytest.mark.parametrize(("steps", "counts"), [((18.1, 20, 21.9), True), ((17.0, 20, 23.0), False)])
def test_the_median_step_is_off_by_a_tenth_at_most(steps: tuple[float, ...], counts: bool) -> None:
    """In three parts, which are no straight line."""
    values = np.concatenate([[0.0], np.cumsum(np.repeat(steps, 20))])
    assert counts_on(one_column(values), 0) is counts
