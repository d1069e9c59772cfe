"""Parts of files as they are stated, against slices of the table."""

from pathlib import Path

import numpy as np
import pytest

from vskd.errors import DataError
from vskd.preprocessing.sensor.reading import Reading
from vskd.preprocessing.sensor.stated import Part, read_part

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
