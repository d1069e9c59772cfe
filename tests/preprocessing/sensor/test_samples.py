from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from scipy.io import savemat

from vskd.errors import DataError
from vskd.preprocessing.sensor.samples import ArraySamples, TextSamples, counts_on, open_samples

COUNT = 20.0 * np.arange(60)
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


@pytest.mark.parametrize(
    ("array", "message"), [(np.zeros(5), r"got shape \(5,\)"), (np.zeros((5, 3), dtype=complex), "not real numbers")]
)
def test_what_is_no_table_of_numbers_is_refused(tmp_path: Path, array: npt.NDArray[np.float64], message: str) -> None:
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(DataError, match=rf"a\.npy: .*{message}"):
        open_samples(tmp_path / "a.npy")


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


def test_dates_count_on_and_words_do_not(tmp_path: Path) -> None:
    rows = "\n".join(f"2021-03-04 10:00:{k:02d},{k % 3}.5,walk" for k in range(30))
    (tmp_path / "a.csv").write_text(f"when,ax,what\n{rows}\n", encoding="utf-8")
    samples = open_samples(tmp_path / "a.csv")
    assert [counts_on(samples, column) for column in range(3)] == [True, False, False]
