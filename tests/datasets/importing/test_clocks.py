import dataclasses
from pathlib import Path

import numpy as np
import pytest

from vskd.datasets.importing.clocks import Timing, find_timing
from vskd.datasets.importing.columns import ChosenColumns
from vskd.datasets.importing.stated import Stated
from vskd.errors import DataError
from vskd.preprocessing.sensor.open_samples import open_samples
from vskd.preprocessing.sensor.samples import ArraySamples, Samples, TextSamples


def columns(clock: int | None, seconds: float | None = None) -> ChosenColumns:
    return ChosenColumns((1, 2, 3), (1, 2, 3), "--columns", clock, clock, "--time", seconds, "")


def counted(*steps: float, samples: int = 50) -> dict[Path, Samples]:
    """A file for each step between samples, whose column 0 is the clock."""
    files = {}
    for number, step in enumerate(steps):
        array = np.zeros((samples, 4))
        array[:, 0] = step * np.arange(samples)
        files[Path(f"{number}.npy")] = ArraySamples(array, "array")
    return files


def test_the_median_rate_of_the_clocks_is_taken() -> None:
    timing = find_timing(counted(19.9, 20.0, 20.4), columns(0), Stated())
    assert timing == Timing(50.0, "clock of 3 files", "ms", "steps between samples, or count since 1970")


def test_the_unit_of_the_header_counts() -> None:
    timing = find_timing(counted(0.02), columns(0, 1.0), Stated())
    assert (timing.rate_hz, timing.unit, timing.unit_source) == (50.0, "s", "header")


def test_a_stated_rate_comes_before_the_clocks_which_must_agree() -> None:
    timing = find_timing(counted(20.0), columns(0), Stated(rate_hz=52.0))
    assert (timing.rate_hz, timing.rate_source, timing.unit) == (52.0, "--rate", "ms")
    with pytest.raises(DataError, match=r"--rate says 60 Hz, the clock 50 Hz"):
        find_timing(counted(20.0), columns(0), Stated(rate_hz=60.0))


def test_without_a_clock_the_rate_must_be_said() -> None:
    assert find_timing(counted(20.0), columns(None), Stated(rate_hz=31.0)) == Timing(31.0, "--rate", "", "")
    with pytest.raises(DataError, match=r"0\.npy: does not say its rate, and has no clock"):
        find_timing(counted(20.0), columns(None), Stated())


def declaring(folder: Path, *rates: str) -> dict[Path, Samples]:
    files: dict[Path, Samples] = {}
    for number, rate in enumerate(rates):
        path = folder / f"{number}.csv"
        path.write_text(f"# rate_hz: {rate}\n" + "".join(f"{20 * k},0,0,1\n" for k in range(50)), encoding="utf-8")
        files[path] = open_samples(path)
        assert isinstance(files[path], TextSamples)
    return files


def test_a_remark_says_the_rate_and_must_agree_with_the_clock(tmp_path: Path) -> None:
    assert find_timing(declaring(tmp_path, "32"), columns(None), Stated()).rate_source == "remark in the file"
    with pytest.raises(DataError, match=r"The clock says 50 Hz, the remark in the file 32 Hz"):
        find_timing(declaring(tmp_path, "32"), columns(0), Stated())
    with pytest.raises(DataError, match=r"several rates: 32, 50"):
        find_timing(declaring(tmp_path, "32", "50"), columns(0), Stated())


def test_several_rates_or_a_unit_that_does_not_fit_are_refused() -> None:
    with pytest.raises(DataError, match=r"half of the files lie between 50 and 100 Hz"):
        find_timing(counted(10.0, 10.0, 20.0, 20.0), columns(0), Stated())
    with pytest.raises(DataError, match=r"The clocks make 50000 Hz, which is no rate of movement"):
        find_timing(counted(20.0), columns(0), Stated(time_unit="us"))


def test_broken_clocks_are_counted_and_refused_where_they_are_most() -> None:
    files = counted(20.0, 20.0, 20.0)
    still = np.zeros((50, 4))
    files[Path("still.npy")] = ArraySamples(still, "array")
    timing = find_timing(files, columns(0, 1e-3), Stated())
    assert timing.rate_hz == 50.0
    assert timing.broken == ("still.npy: all time stamps are the same",)
    with pytest.raises(DataError, match=r"1 of 1 clocks are broken: still\.npy"):
        find_timing({Path("still.npy"): ArraySamples(still, "array")}, columns(0, 1e-3), Stated())


def dated(folder: Path, *repeated: int) -> dict[Path, Samples]:
    """A file of times of day, 50 a second, for each number of stamps that are there twice."""
    files: dict[Path, Samples] = {}
    for number, twice in enumerate(repeated):
        path = folder / f"dated{number}.csv"
        counts = [max(0, k - 1) if k <= twice else k for k in range(60)]
        rows = [f"10:00:{count // 50:02d}.{20 * (count % 50):03d},0,0,1" for count in counts]
        path.write_text("\n".join(rows) + "\n", encoding="utf-8")
        files[path] = open_samples(path)
    return files


def written(tmp_path: Path, *starts: str) -> dict[Path, Samples]:
    """Files of 2 s at 50 Hz whose stamps begin as these, `{}` for the seconds."""
    files: dict[Path, Samples] = {}
    for number, start in enumerate(starts):
        path = tmp_path / f"{number}.csv"
        rows = "\n".join(f"{start.format(f'{n / 50:06.3f}')},0,0,1" for n in range(100))
        path.write_text(f"t,x,y,z\n{rows}\n")
        files[path] = open_samples(path)
    return files


def test_times_of_day_are_text_and_uneven_clocks_are_named(tmp_path: Path) -> None:
    files = dated(tmp_path, 0, 1, 1)
    timing = find_timing(files, columns(0), Stated())
    assert (timing.rate_hz, timing.unit, timing.uneven, timing.broken) == (50.0, "text", tuple(files)[1:], ())
    said = find_timing(dated(tmp_path, 0), columns(0), Stated(time_unit="text"))
    assert (said.unit, said.unit_source, said.uneven) == ("text", "--time-unit", ())
    with pytest.raises(DataError, match=r"dated0\.csv: the times are text, --time-unit says ms"):
        find_timing(dated(tmp_path, 0), columns(0), Stated(time_unit="ms"))


def test_a_stated_unit_of_time_comes_before_the_header() -> None:
    timing = find_timing(counted(20.0), columns(0, 1.0), Stated(time_unit="ms"))
    assert (timing.rate_hz, timing.unit, timing.unit_source) == (50.0, "ms", "--time-unit")


def test_several_units_of_time_are_refused() -> None:
    with pytest.raises(DataError, match=r"in several units: ms in 0\.npy, s in 1\.npy\..*--pattern or --table"):
        find_timing(counted(20.0, 0.02), columns(0), Stated())


def test_a_column_that_is_no_clock_is_named() -> None:
    with pytest.raises(DataError, match=r"0\.npy: column 0 cannot be read as times"):
        find_timing(counted(1e-11), columns(0), Stated())


@pytest.mark.parametrize("said", ["50", "50 Hz", "50HZ", "50,0 hz"])
def test_a_remark_is_read_with_its_unit(tmp_path: Path, said: str) -> None:
    assert find_timing(declaring(tmp_path, said), columns(None), Stated()).rate_hz == 50.0


@pytest.mark.parametrize("said", ["fast", "0", "-50", "nan", "inf"])
def test_a_remark_that_is_no_rate_is_refused(tmp_path: Path, said: str) -> None:
    with pytest.raises(DataError, match=rf"0\.csv: declares the rate '{said}'"):
        find_timing(declaring(tmp_path, said), columns(None), Stated())


def test_a_stated_rate_and_a_remark_must_agree_without_a_clock_too(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="--rate says 50 Hz, the remark in the file 32 Hz"):
        find_timing(declaring(tmp_path, "32"), columns(None), Stated(rate_hz=50.0))
    timing = find_timing(declaring(tmp_path, "50"), columns(None), Stated(rate_hz=51.0))
    assert (timing.rate_hz, timing.rate_source) == (51.0, "--rate")


@pytest.mark.parametrize(("stated", "agrees"), [(55.0, True), (45.0, True), (55.1, False), (44.9, False)])
def test_a_tenth_of_the_clocks_rate_is_agreement(stated: float, agrees: bool) -> None:
    if agrees:
        assert find_timing(counted(20.0), columns(0), Stated(rate_hz=stated)).rate_hz == stated
    else:
        with pytest.raises(DataError, match=f"--rate says {stated:g} Hz, the clock 50 Hz"):
            find_timing(counted(20.0), columns(0), Stated(rate_hz=stated))


@pytest.mark.parametrize(("other", "alike"), [(21.9, True), (22.5, False)])
def test_the_middle_half_of_the_files_lies_within_a_tenth(other: float, alike: bool) -> None:
    files = counted(20.0, 20.0, other, other)
    if alike:
        assert find_timing(files, columns(0), Stated()).rate_hz == pytest.approx((50 + 1000 / other) / 2, rel=0.005)
    else:
        with pytest.raises(DataError, match="The clocks say several rates"):
            find_timing(files, columns(0), Stated())
        assert find_timing(files, columns(0), Stated(rate_hz=48.0)).rate_hz == 48.0


@pytest.mark.parametrize(("rate", "found"), [(49.9, 50.0), (49.8, 49.8), (31.25, 31.2), (104.2, 104.0), (12.5, 12.5)])
def test_a_rate_is_whole_where_clocks_cannot_tell_it_from_that(rate: float, found: float) -> None:
    assert find_timing(counted(1 / rate), columns(0, 1.0), Stated()).rate_hz == found


@pytest.mark.parametrize(("rate", "known"), [(5.0, True), (2000.0, True), (4.9, False), (2040.0, False)])
def test_rates_of_movement(rate: float, known: bool) -> None:
    if known:
        assert find_timing(counted(1 / rate), columns(0, 1.0), Stated()).rate_hz == rate
    else:
        with pytest.raises(DataError, match=f"The clocks make {rate:g} Hz, which is no rate of movement"):
            find_timing(counted(1 / rate), columns(0, 1.0), Stated())


def test_clocks_of_whole_seconds_are_too_coarse() -> None:
    array = np.zeros((170, 4))
    array[:, 0] = np.floor(np.arange(170) / 50)
    files: dict[Path, Samples] = {Path("a.npy"): ArraySamples(array, "array")}
    with pytest.raises(DataError, match="The clocks are too coarse for a rate"):
        find_timing(files, columns(0, 1.0), Stated())
    timing = find_timing(files, columns(0, 1.0), Stated(rate_hz=50.0))
    assert (timing.rate_hz, timing.rate_source) == (50.0, "--rate")


def test_half_of_the_clocks_may_be_broken() -> None:
    still: Samples = ArraySamples(np.zeros((50, 4)), "array")
    assert len(find_timing({**counted(20.0), Path("a"): still}, columns(0, 1e-3), Stated()).broken) == 1
    with pytest.raises(DataError, match="2 of 3 clocks are broken"):
        find_timing({**counted(20.0), Path("a"): still, Path("b"): still}, columns(0, 1e-3), Stated())


LOCAL, ZONED = "2024-03-01 10:00:{}", "2024-03-01T10:00:{}+01:00"


def test_local_times_have_a_zone_or_none_and_no_mixture(tmp_path: Path) -> None:
    local = written(tmp_path, LOCAL, LOCAL)
    for zone in (None, "Europe/Berlin"):
        found = find_timing(local, columns(0, None), Stated(time_zone=zone))
        assert (found.rate_hz, found.unit) == (50.0, "text")
    with pytest.raises(DataError, match=r"are local times, and others say when they were.*--time-zone"):
        find_timing(written(tmp_path, LOCAL, ZONED), columns(0, None), Stated())
    with pytest.raises(DataError, match="--time-zone is given, and the time stamps are no local times"):
        find_timing(written(tmp_path, ZONED), columns(0, None), Stated(time_zone="Europe/Berlin"))


def test_over_the_night_the_clock_is_put_back_a_zone_is_needed(tmp_path: Path) -> None:
    path = tmp_path / "night.csv"
    hours = [("02:59", n) for n in range(600)] + [("02:00", n) for n in range(600)]
    path.write_text("t,x,y,z\n" + "\n".join(f"2024-10-27 {h}:{n / 10:06.3f},0,0,1" for h, n in hours) + "\n")
    files = {path: open_samples(path)}
    with pytest.raises(DataError, match=r"set back by 3600 s.*--time-zone if clocks were put back that night"):
        find_timing(files, columns(0, None), Stated())
    assert find_timing(files, columns(0, None), Stated(time_zone="Europe/Berlin")).rate_hz == 10.0


def test_the_clock_may_stand_in_any_column() -> None:
    array = np.zeros((50, 4))
    array[:, 3] = 20.0 * np.arange(50)
    array[:, 0] = 10.0 * np.arange(50)
    files: dict[Path, Samples] = {Path("a.npy"): ArraySamples(array, "array")}
    assert find_timing(files, columns(3), Stated()).rate_hz == 50.0


def numbered(folder: Path, *, lost: int = 0, remark: str = "") -> dict[Path, Samples]:
    """A file whose first column counts its samples, of which some in the middle were lost."""
    counts = [n if n < 30 else n + lost for n in range(60)]
    path = folder / f"{lost}.csv"
    path.write_text((f"# rate_hz: {remark}\n" if remark else "") + "".join(f"{n},0,0,1\n" for n in counts))
    return {path: open_samples(path)}


COUNTED = ChosenColumns((1, 2, 3), (1, 2, 3), "--columns", 0, 0, "--time", None, "", counts_samples=True)


@pytest.mark.parametrize(
    ("remark", "stated", "rate", "source", "said"),
    [
        ("", Stated(rate_hz=25.0), 25.0, "--rate", "each is one more than the one before"),
        ("", Stated(rate_hz=25.0, time_unit="samples"), 25.0, "--rate", "--time-unit"),
        ("20", Stated(), 20.0, "remark in the file", "each is one more than the one before"),
        ("20", Stated(rate_hz=21.0), 21.0, "--rate", "each is one more than the one before"),
    ],
)
def test_a_number_of_each_sample_is_no_rate(
    tmp_path: Path, remark: str, stated: Stated, rate: float, source: str, said: str
) -> None:
    for lost in (0, 9):
        files = numbered(tmp_path, lost=lost, remark=remark)
        assert find_timing(files, COUNTED, stated) == Timing(
            rate, source, "samples", said, (), tuple(files) if lost else ()
        )


def test_a_number_of_each_sample_needs_a_rate_that_agrees(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"does not say its rate; the column 0 counts samples.*--time-unit"):
        find_timing(numbered(tmp_path), COUNTED, Stated())
    with pytest.raises(DataError, match="--rate says 30 Hz, the remark in the file 20 Hz"):
        find_timing(numbered(tmp_path, remark="20"), COUNTED, Stated(rate_hz=30.0))
    clock = dataclasses.replace(COUNTED, time_seconds=0.02)  # its unit is said: it is a clock
    assert find_timing(numbered(tmp_path), clock, Stated()).rate_hz == 50.0
