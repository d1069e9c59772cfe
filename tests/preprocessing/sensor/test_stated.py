"""Parts of files as they are stated, against slices of the table."""

from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from vskd.errors import DataError
from vskd.preprocessing.sensor import stated
from vskd.preprocessing.sensor.reading import Reading
from vskd.preprocessing.sensor.stated import Part, open_stated, read_part

TABLE = np.column_stack([1000 + 20.0 * np.arange(300), np.random.default_rng(0).normal(size=(300, 3))])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "a.csv"
    np.savetxt(path, TABLE, delimiter=",", fmt="%.6f")
    return path


@pytest.mark.parametrize("kind", ["csv", "npy"])
@pytest.mark.parametrize(
    ("reading", "rows"),
    [
        (Reading(), slice(0, 300)),
        (Reading(rows=(10, 60)), slice(10, 60)),
        (Reading(seconds=(1.0, 2.0)), slice(50, 100)),
        (Reading(factors=(2.0, -1.0, 0.5), offset=0.25, rows=(0, 9)), slice(0, 9)),
    ],
)
def test_rows_seconds_factors_and_offset(tmp_path: Path, file: Path, kind: str, reading: Reading, rows: slice) -> None:
    path = file if kind == "csv" else tmp_path / "a.npy"
    if kind == "npy":
        np.save(path, TABLE)
    part = read_part(path, axes="xyz", rate_hz=50.0, columns=(1, 2, 3), reading=reading, time_column=0)
    wanted = (TABLE[rows, 1:] - reading.offset) * (reading.factors or (1.0, 1.0, 1.0))
    np.testing.assert_allclose(part.signal, wanted.T, atol=1e-5)
    assert part.stamps is not None
    np.testing.assert_allclose(part.stamps, TABLE[rows, 0] / 1000 - 1.0, atol=1e-9)


def test_without_a_clock_the_rate_counts(file: Path) -> None:
    part = read_part(file, axes="xyz", rate_hz=100.0, columns=(1, 2, 3), reading=Reading(seconds=(1.0, 2.0)))
    assert part.stamps is None
    np.testing.assert_allclose(part.signal, TABLE[100:200, 1:].T, atol=1e-5)


@pytest.mark.parametrize("reading", [Reading(rows=(250, 301)), Reading(seconds=(5.0, 9.0)), Reading(seconds=(8, 9))])
def test_a_part_that_is_not_there_is_refused(file: Path, reading: Reading) -> None:
    with pytest.raises(DataError, match="asked for"):
        read_part(file, axes="xyz", rate_hz=50.0, columns=(1, 2, 3), reading=reading, time_column=0)


def test_a_file_that_changed_is_read_again(file: Path) -> None:
    first = read_part(file, axes="xyz", rate_hz=50.0, columns=(1, 2, 3), reading=Reading())
    np.savetxt(file, 2 * TABLE, delimiter=",", fmt="%.6f")
    second = read_part(file, axes="xyz", rate_hz=50.0, columns=(1, 2, 3), reading=Reading())
    np.testing.assert_allclose(second.signal, 2 * first.signal, atol=1e-5)


XYZ = {"axes": "xyz", "rate_hz": 50.0, "columns": (1, 2, 3)}


def test_the_day_of_the_first_stamp_is_kept(tmp_path: Path) -> None:
    table = TABLE.copy()
    table[:, 0] = 1.6e9 + np.arange(300) / 50
    for name in ("a.csv", "a.npy"):
        if name == "a.csv":
            np.savetxt(tmp_path / name, table, delimiter=",", fmt="%.4f")
        else:
            np.save(tmp_path / name, table)
        part = read_part(tmp_path / name, **XYZ, reading=Reading(rows=(10, 20)), time_column=0)
        assert part.start == pytest.approx(1.6e9)
        assert read_part(tmp_path / name, **XYZ, reading=Reading()).start is None


def test_an_empty_cell_is_left_out_where_a_clock_shows_the_gap_and_refused_without(tmp_path: Path) -> None:
    rows = [",".join(f"{v:.6f}" for v in row) for row in TABLE]
    cells = rows[7].split(",")
    rows[7] = ",".join([*cells[:2], "", cells[3]])
    (tmp_path / "a.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    part = read_part(tmp_path / "a.csv", **XYZ, reading=Reading(), time_column=0)
    kept = np.delete(np.arange(300), 7)
    np.testing.assert_allclose(part.signal, TABLE[kept, 1:].T, atol=1e-5)
    np.testing.assert_allclose(part.stamps, TABLE[kept, 0] / 1000 - 1.0, atol=1e-9)
    with pytest.raises(DataError):
        read_part(tmp_path / "a.csv", **XYZ, reading=Reading())


def test_the_last_four_files_are_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    opened = stated.open_stated
    monkeypatch.setattr(stated, "open_stated", lambda path, *words: read.append(path.stem) or opened(path, *words))
    for name in "abcdabcdea":
        path = tmp_path / f"{name}.npy"
        if not path.exists():
            np.save(path, TABLE)
        read_part(path, axes="xyz", rate_hz=50.0, columns=(1, 2, 3), reading=Reading())
    assert "".join(read) == "abcdea"


@pytest.mark.parametrize(("seconds", "rows"), [((1.0001, 1.9999), (50, 100)), ((0.98, 1.98), (49, 99))])
def test_the_rounding_of_times_moves_no_border(file: Path, seconds: tuple[float, float], rows: tuple[int, int]) -> None:
    part = read_part(file, **XYZ, reading=Reading(seconds=seconds), time_column=0)
    np.testing.assert_allclose(part.signal, TABLE[slice(*rows), 1:].T, atol=1e-5)


def test_a_late_stamp_moves_no_border(tmp_path: Path) -> None:
    table = TABLE.copy()
    table[98:100, 0] += 60.0
    np.savetxt(tmp_path / "a.csv", table, delimiter=",", fmt="%.6f")
    part = read_part(tmp_path / "a.csv", **XYZ, reading=Reading(seconds=(1.0, 2.0)), time_column=0)
    np.testing.assert_allclose(part.signal, TABLE[50:100, 1:].T, atol=1e-5)


def test_an_end_may_lie_a_second_behind_the_last_sample(file: Path) -> None:
    """The last sample is at 5.98 s."""
    part = read_part(file, **XYZ, reading=Reading(seconds=(5.0, 6.97)), time_column=0)
    assert part.signal.shape == (3, 50)
    with pytest.raises(DataError, match=r"lasts 5\.980 s, and 5 to 6\.99 s are asked for"):
        read_part(file, **XYZ, reading=Reading(seconds=(5.0, 6.99)), time_column=0)
    with pytest.raises(DataError, match="asked for"):
        read_part(file, **XYZ, reading=Reading(seconds=(1.0, 1.02)), time_column=0)  # one sample
    assert read_part(file, **XYZ, reading=Reading(seconds=(1.0, 1.04)), time_column=0).signal.shape == (3, 2)
    assert read_part(file, **XYZ, reading=Reading(rows=(250, 300)), time_column=0).signal.shape == (3, 50)


def test_a_clock_that_is_none_is_named(file: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has 4 columns and no column 4 of times"):
        read_part(file, **XYZ, reading=Reading(), time_column=4)
    (tmp_path / "words.csv").write_text("a,1,2,3\n" * 9, encoding="utf-8")
    with pytest.raises(DataError, match=r"words\.csv: column 0 cannot be read as times"):
        read_part(tmp_path / "words.csv", **XYZ, reading=Reading(), time_column=0)
    with pytest.raises(DataError, match=r"away\.csv: no such file"):
        read_part(tmp_path / "away.csv", **XYZ, reading=Reading())


def test_the_stated_unit_of_time_and_separator_count(tmp_path: Path) -> None:
    table = TABLE.copy()
    table[:, 0] = 20.0 * np.arange(300)
    (tmp_path / "a.csv").write_text("\n".join(";".join(f"{v:.4f}" for v in row) for row in table) + "\n")
    reading = Reading(time_unit_s=2e-3, separator="semicolon")
    part = read_part(tmp_path / "a.csv", **XYZ, reading=reading, time_column=0)
    assert part.stamps is not None and part.stamps[1] == pytest.approx(0.04)
    with pytest.raises(DataError):
        read_part(tmp_path / "a.csv", **XYZ, reading=Reading(separator="tab"), time_column=0)


def test_a_variable_of_a_mat_file(tmp_path: Path) -> None:
    savemat(tmp_path / "a.mat", {"other": TABLE[:, ::-1], "mine": TABLE})
    part = read_part(tmp_path / "a.mat", **XYZ, reading=Reading(), variable="mine")
    np.testing.assert_allclose(part.signal, TABLE[:, 1:].T, atol=1e-5)
    assert open_stated(tmp_path / "a.mat", variable="mine").kind == "array 'mine'"


def test_glitches_are_clipped_where_that_is_asked_for(file: Path) -> None:
    plain, clipped = (
        read_part(file, reading=Reading(limit=limit), axes="xyz", rate_hz=50.0, columns=(1, 2, 3)).signal
        for limit in (0.0, 0.5)
    )
    np.testing.assert_array_equal(clipped, np.clip(plain, -0.5, 0.5))
    assert np.abs(plain).max() > 0.5


def test_numbers_of_samples_are_a_clock_and_missing_ones_a_gap(tmp_path: Path) -> None:
    rows = np.delete(np.column_stack([np.arange(100), np.ones((100, 3))]), slice(40, 60), axis=0)
    np.save(tmp_path / "n.npy", rows)
    reading = Reading(time_unit_s=1 / 50.0)
    part = read_part(tmp_path / "n.npy", axes="xyz", rate_hz=50.0, columns=(1, 2, 3), reading=reading, time_column=0)
    assert part.stamps is not None
    np.testing.assert_allclose(part.stamps, rows[:, 0] / 50)


def test_a_zone_makes_moments_of_local_times(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"

    def read(zone: str) -> Part:
        reading = Reading(time_zone=zone)
        return read_part(path, axes="xyz", rate_hz=1.0, columns=(1, 2, 3), reading=reading, time_column=0)

    path.write_text("\n".join(f"2024-06-01T10:00:{n:02d},{n},0,1" for n in range(30)))
    local, zoned = read(""), read("America/New_York")
    assert local.local and not zoned.local
    assert zoned.start is not None and local.start is not None and zoned.start - local.start == 4 * 3600
    path.write_text("\n".join(f"2024-06-01T10:00:{n:02d}Z,{n},0,1" for n in range(30)))
    with pytest.raises(DataError, match="are no local times of America/New_York"):
        read("America/New_York")


def test_the_clock_of_a_long_file_is_fitted_once_for_all_its_parts(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once for each of them would be quadratic: long files have many parts."""
    fitted: list[int] = []
    fit = stated.fit_clock
    monkeypatch.setattr(stated, "fit_clock", lambda *given: fitted.append(1) or fit(*given))
    for start in range(5):
        reading = Reading(seconds=(float(start), start + 1.0))
        read_part(file, axes="xyz", rate_hz=50.0, columns=(1, 2, 3), reading=reading, time_column=0)
    assert len(fitted) == 1


@pytest.mark.parametrize(("seconds", "rows"), [((1.0001, 1.9999), (50, 100)), ((1.0003, 1.9997), (51, 100))])
def test_a_hundredth_of_a_sample_s_time_is_rounding(
    file: Path, seconds: tuple[float, float], rows: tuple[int, int]
) -> None:
    part = read_part(file, **XYZ, reading=Reading(seconds=seconds))
    np.testing.assert_allclose(part.signal, TABLE[slice(*rows), 1:].T, atol=1e-5)


def test_the_first_row_has_a_time_though_its_cells_are_empty(tmp_path: Path) -> None:
    rows = [",".join(f"{v:.6f}" for v in row) for row in TABLE]
    rows[7] = rows[7].split(",")[0] + ",,,"
    (tmp_path / "a.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    part = read_part(tmp_path / "a.csv", **XYZ, reading=Reading(rows=(7, 60)), time_column=0)
    assert part.first == pytest.approx(0.14) and part.stamps is not None and part.stamps[0] == pytest.approx(0.16)
    assert not part.local and part.start is None
    bare = read_part(tmp_path / "a.csv", **XYZ, reading=Reading(rows=(8, 60)))
    assert (bare.first, bare.stamps, bare.start, bare.local) == (0.0, None, None, False)


def test_an_hour_that_is_skipped_is_no_gap(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(
        "\n".join(
            f"2024-03-31T0{1 if n < 9 else 3}:{'59' if n < 9 else '00'}:{51 + n if n < 9 else n - 9:02d},{n},0,1"
            for n in range(30)
        )
    )
    part = read_part(
        path, axes="xyz", rate_hz=1.0, columns=(1, 2, 3), reading=Reading(time_zone="Europe/Berlin"), time_column=0
    )
    assert part.stamps is not None and part.stamps.tolist() == list(range(30))
    assert part.start == 1711846791.0  # 2024-03-31 00:59:51 UTC
    times = np.column_stack([20.0 * np.arange(30), np.ones((30, 3))])
    np.savetxt(path, times, delimiter=",", fmt="%.3f")
    with pytest.raises(DataError, match="no local times of Europe/Berlin: they say no day"):
        read_part(path, **XYZ, reading=Reading(time_zone="Europe/Berlin"), time_column=0)


def test_capitals_at_the_end_of_a_name_and_separators_that_are_told(tmp_path: Path) -> None:
    path = tmp_path / "a.CSV"
    path.write_text("1,5;2,5\n3,5;4,5\n", encoding="utf-8")
    assert open_stated(path).width == 2 and open_stated(path, "comma").width == 3


def test_parts_begin_at_plain_numbers(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("\n".join(f"2024-06-01T10:00:{n:02d},{n},0,1" for n in range(30)))
    part = read_part(
        path, axes="xyz", rate_hz=1.0, columns=(1, 2, 3), reading=Reading(time_zone="Asia/Tokyo"), time_column=0
    )
    assert type(part.start) is float and type(part.first) is float


def test_start_and_rate_in_the_first_rows_are_a_clock(tmp_path: Path) -> None:
    path = tmp_path / "ACC.csv"
    rows = "".join(f"{n},{-n},64\n" for n in range(100))
    path.write_text("1583020800.0,1583020800.0,1583020800.0\n32.0,32.0,32.0\n" + rows, encoding="utf-8")
    part = read_part(path, axes="xyz", rate_hz=32.0, columns=(0, 1, 2), reading=Reading(seconds=(1.0, 2.0)))
    assert part.signal[0].tolist() == list(range(32, 64)) and part.start == 1583020800.0
    np.testing.assert_allclose(part.stamps, np.arange(32, 64) / 32)
