import time
from pathlib import Path

import pytest

from vskd.preprocessing.video import time_table as module
from vskd.preprocessing.video.time_table import Step, TimeTable, peak_rss, shown_bytes, shown_time


def test_time_of_one_name_adds_up_and_the_total_is_the_sum() -> None:
    """The published table repeated its last line as the total."""
    table = TimeTable()
    for name in ("a", "b", "a"):
        with table.measuring(name, clips=2):
            time.sleep(0.01)
    with pytest.raises(ValueError), table.measuring("broken", clips=1):
        raise ValueError
    assert list(table.steps) == ["a", "b", "broken"]
    assert [step.clips for step in table.steps.values()] == [4, 2, 0]
    assert table.steps["a"].seconds >= 0.02 > 0.01 <= table.steps["b"].seconds
    assert table.total.seconds == sum(step.seconds for step in table.steps.values())
    assert 0 < table.total.peak_bytes <= peak_rss()


def test_csv_and_summary() -> None:
    table = TimeTable()
    with table.measuring('walk, "fast"', clips=1):
        pass
    step = table.steps['walk, "fast"']
    step.seconds, step.peak_bytes = 61.5, 3 << 20
    assert (
        table.csv() == 'step,clips,seconds,peak_rss_bytes\n"walk, ""fast""",1,61.500,3145728\ntotal,1,61.500,3145728\n'
    )
    assert table.summary() == 'walk, "fast": 1 clips, 1:01.50, peak 3.0 MiB\ntotal: 1 clips, 1:01.50, peak 3.0 MiB\n'
    assert TimeTable().csv().splitlines()[-1] == "total,0,0.000,0"


def test_as_people_read_them() -> None:
    assert [shown_time(s) for s in (0, 59.994, 60, 3600)] == ["0.00 s", "59.99 s", "1:00.00", "1:00:00.00"]
    assert [shown_bytes(n) for n in (1023, 1024, 1 << 20, 5 << 40)] == ["1023 B", "1.0 KiB", "1.0 MiB", "5120.0 GiB"]


def test_a_step_s_peak_is_the_largest_and_the_total_s_that_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    table, peaks = TimeTable(), iter([300, 200, 100])
    monkeypatch.setattr(module, "peak_rss", lambda: next(peaks))
    for name in ("a", "a", "b"):
        with table.measuring(name):
            pass
    assert [step.peak_bytes for step in table.steps.values()] == [300, 100] and table.total.peak_bytes == 300
    assert table.total.name == "total" and TimeTable().total == Step("total")


def test_the_peak_is_that_of_the_kernel() -> None:
    status = Path("/proc/self/status")
    if not status.is_file():
        pytest.skip("no /proc on this system")
    (line,) = [line for line in status.read_text().splitlines() if line.startswith("VmHWM")]
    assert peak_rss() == pytest.approx(1024 * int(line.split()[1]), rel=0.05)


def test_both_files_are_written(tmp_path: Path) -> None:
    table = TimeTable({"a": Step("a", 1, 2.0, 3)})
    table.write(tmp_path)
    assert (tmp_path / "times.csv").read_text() == table.csv()
    assert (tmp_path / "times.txt").read_text() == table.summary()


def test_time_is_what_the_clock_says(monkeypatch: pytest.MonkeyPatch) -> None:
    table, clock = TimeTable(), iter([10.0, 12.5, 20.0, 21.0])
    monkeypatch.setattr(module.time, "perf_counter", lambda: next(clock))
    for _ in range(2):
        with table.measuring("a"):
            pass
    assert table.steps["a"].seconds == table.total.seconds == 3.5


def test_bytes_below_a_thousand_are_whole() -> None:
    assert [shown_bytes(n) for n in (1, 1023, 1536, 1024**2 - 1, 3 * 1024**2 // 2)] == [
        "1 B",
        "1023 B",
        "1.5 KiB",
        "1024.0 KiB",
        "1.5 MiB",
    ]
    assert [shown_time(s) for s in (59.99, 60.5, 3599.5, 3661.25)] == ["59.99 s", "1:00.50", "59:59.50", "1:01:01.25"]
