"""Files of one's own: every way to describe them gives the samples that a naive reader gives."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from tests.datasets.entries import assert_entry
from tests.datasets.video.clips import write_clip
from vskd.datasets.recording import UNLABELLED, Recording
from vskd.datasets.sensors.read import read_stream
from vskd.datasets.sensors.sensor_folder import index
from vskd.datasets.splits.audit import find_leaks
from vskd.datasets.splits.contents import of_files
from vskd.datasets.splits.protocol import Protocol
from vskd.errors import DataError

Floats = npt.NDArray[np.float64]
RATE = 50.0


def swing(subject: int, pace: float, trial: int = 1, samples: int = 100) -> Floats:
    """An arm that swings about gravity: (samples, 3) in g."""
    random = np.random.default_rng([subject, trial, int(10 * pace)])
    time = np.arange(samples)[:, None] / RATE
    moved = (0.1 * subject, 0, 1) + np.sin(2 * np.pi * pace * time + trial) * (0.4, 0.2, 0.1)
    return np.asarray(moved + random.normal(0, 0.02, moved.shape))


def describe(root: Path, text: str) -> None:
    (root / "dataset.yaml").write_text("format: sensor-folder 1\n" + text, encoding="utf-8")


PLAIN = """
streams:
  accelerometer: {files: "s{subject}/{label}_{trial}.csv", columns: [x, y, z], rate_hz: 50, unit: g}
"""


def write_sample(root: Path) -> None:
    """Four people who walk and run twice, a file each."""
    for subject in range(1, 5):
        (root / f"s{subject:02d}").mkdir()
        for trial in (1, 2):
            for label, pace in (("walk", 1.0), ("run", 2.5)):
                np.savetxt(
                    root / f"s{subject:02d}" / f"{label}_{trial}.csv",
                    swing(subject, pace, trial),
                    delimiter=",",
                    header="x,y,z",
                    comments="",
                )
    describe(root, PLAIN)


def only(root: Path) -> list[Recording]:
    found = index(root)
    assert found.problems == ()
    return list(found)


def test_patterns_name_subjects_labels_trials_and_factors(tmp_path: Path) -> None:
    for place in ("hall", "lab"):
        (tmp_path / place).mkdir()
        for label in ("walk", "run"):
            np.savetxt(tmp_path / place / f"{label}-007-left_x.txt", swing(7, 2.0))
    describe(
        tmp_path,
        """
streams:
  accelerometer: {files: "{scene}/{label}-{subject}-*.txt", columns: [0, 1, 2], rate_hz: 50, unit: g, position: ankle}
""",
    )
    recordings = only(tmp_path)
    assert [r.id for r in recordings] == [f"s7_{label}_scene-{p}" for label in ("run", "walk") for p in ("hall", "lab")]
    assert recordings[0].factors == {"scene": "hall"} and recordings[0].subject == "7"
    assert recordings[0].stream("accelerometer").placement == "ankle"


def test_counts_signs_offset_order_and_decimal_commas(tmp_path: Path) -> None:
    signal = swing(1, 2.0)
    for label in ("walk", "run"):
        rows = [
            f"{n};{32 - 64 * y:.4f};{32 + 64 * x:.4f};{32 + 64 * z:.4f}".replace(".", ",")
            for n, (x, y, z) in enumerate(signal)
        ]
        (tmp_path / f"{label}.csv").write_text("n;b;a;c\n" + "\n".join(rows))
    describe(
        tmp_path,
        """
streams:
  accelerometer:
    files: "{label}.csv"
    separator: semicolon
    header: true
    columns: [a, b, c]
    signs: [1, -1, 1]
    offset: 32
    unit: 1/64 g
    range: 128
    rate_hz: 50
""",
    )
    stream = only(tmp_path)[0].stream("accelerometer")
    assert (stream.unit, stream.range_limit) == ("g", 2.0)
    np.testing.assert_allclose(read_stream(stream).signal, signal.T, atol=1e-5)


def test_two_streams_of_one_file_are_in_g_and_degrees(tmp_path: Path) -> None:
    signal = swing(1, 2.0)
    for label in ("walk", "run"):
        np.savetxt(
            tmp_path / f"{label}.csv", np.hstack([9.80665 * signal, np.pi * signal]), delimiter=",", comments="",
            header="ax,ay,az,gx,gy,gz",
        )  # fmt: skip
    describe(
        tmp_path,
        """
streams:
  accelerometer: {files: "{label}.csv", columns: [ax, ay, az], rate_hz: 50, unit: m/s^2}
  gyroscope: {files: "{label}.csv", columns: [gx, gy, gz], rate_hz: 50, unit: rad/s}
""",
    )
    run = only(tmp_path)[0]
    np.testing.assert_allclose(read_stream(run.stream("accelerometer")).signal, signal.T, atol=1e-5)
    np.testing.assert_allclose(read_stream(run.stream("gyroscope")).signal, 180 * signal.T, rtol=1e-5, atol=1e-4)


def test_a_table_names_parts_of_files_in_seconds_or_rows(tmp_path: Path) -> None:
    signal = swing(1, 2.0, samples=500)
    stamps = 1.5e12 + 20.0 * np.arange(500)
    stamps[200] += 45  # one late stamp moves no border
    np.savetxt(tmp_path / "day.csv", np.column_stack([stamps, signal]), delimiter=",", fmt="%.6f")
    (tmp_path / "list.csv").write_text(
        "file,subject,label,start,end,first_row,last_row,session\n"
        "day.csv,anna,walk,1.0,4.0,,,2\nday.csv,anna,run,4.0,6.0,,,2\nday.csv,ben,run,,,301,500,3\n"
    )
    describe(
        tmp_path,
        """
table: list.csv
streams:
  accelerometer: {columns: [1, 2, 3], time: {column: 0, unit: ms}, rate_hz: 50, unit: g}
""",
    )
    found = {r.id: r for r in only(tmp_path)}
    assert list(found) == [
        "sanna_run_session-2_day-0002", "sanna_walk_session-2_day-0001", "sben_run_session-3_day-0003",
    ]  # fmt: skip
    for name, rows in (("anna_walk_session-2_day-0001", (50, 200)), ("ben_run_session-3_day-0003", (300, 500))):
        read = read_stream(found[f"s{name}"].stream("accelerometer"))
        np.testing.assert_allclose(read.signal, signal[slice(*rows)].T, atol=1e-5)
        assert read.rate_hz == pytest.approx(50, rel=1e-6) and read.absolute
        assert read.times[0] == pytest.approx(1.5e9 + rows[0] / 50, abs=1e-3)
    streams = {i: r.stream("accelerometer") for i, r in found.items()}
    assert len(set(of_files(streams).values())) == 3  # parts of one file are not the same content


def test_overlapping_parts_of_one_file_are_a_leak_and_others_are_not(tmp_path: Path) -> None:
    np.savetxt(tmp_path / "day.csv", swing(1, 2.0, samples=400), delimiter=",")
    describe(
        tmp_path, "table: list.csv\nstreams:\n  accelerometer: {columns: [0, 1, 2], rate_hz: 50, unit: g}\n"
    )  # fmt: skip
    rule = Protocol.model_validate(
        {"name": "two", "version": 1, "dataset": "sensor-folder", "split_by": "subject", "disjoint": "subject",
         "parts": {"train": ("anna",), "test": ("ben",)}, "validation_unit": "subject"}
    )  # fmt: skip
    leaks = []
    for last in (200, 201):
        (tmp_path / "list.csv").write_text(
            "file,subject,label,first_row,last_row\n"
            f"day.csv,anna,walk,1,100\nday.csv,anna,run,101,{last}\n"
            "day.csv,ben,walk,201,300\nday.csv,ben,run,301,400\n"
        )
        found = index(tmp_path)
        leaks.append([leak.detail for leak in find_leaks(rule.split(found), found)])
    assert leaks[0] == []
    assert leaks[1] == [
        "train and test hold overlapping accelerometer samples: sanna_run_day-0002 and sben_walk_day-0003"
    ]


def test_runs_of_a_label_column_are_recordings(tmp_path: Path) -> None:
    signal = swing(1, 2.0, samples=60)
    labels = ["walk"] * 20 + [""] * 10 + ["run"] * 15 + ["walk"] * 15
    people = ["3"] * 35 + ["4"] * 25
    rows = [f"{p},{label},{x},{y},{z}" for p, label, (x, y, z) in zip(people, labels, signal, strict=True)]
    (tmp_path / "all.csv").write_text("who,what,x,y,z\n" + "\n".join(rows))
    text = """
label_column: what
subject_column: who
streams:
  accelerometer: {files: "*.csv", columns: [x, y, z], rate_hz: 50, unit: g}
"""
    describe(tmp_path, text)
    recordings = only(tmp_path)
    assert [r.id for r in recordings] == [
        "s3_run_all-0003", "s3_walk_all-0001", "s4_run_all-0004", "s4_walk_all-0005",
    ]  # fmt: skip
    read = read_stream(recordings[2].stream("accelerometer"))
    np.testing.assert_allclose(read.signal, signal[35:45].T, atol=1e-6)
    describe(tmp_path, text + "null_class: nothing\n")
    assert index(tmp_path).labels == ("nothing", "run", "walk") and len(index(tmp_path)) == 5


def test_an_empty_cell_is_a_gap_where_there_is_a_clock(tmp_path: Path) -> None:
    signal = swing(1, 2.0)
    lost = slice(40, 60)
    rows = [f"{n / RATE:.2f},{x},{'' if lost.start <= n < lost.stop else y},{z}" for n, (x, y, z) in enumerate(signal)]
    for label in ("walk", "run"):
        (tmp_path / f"{label}.csv").write_text("t,x,y,z\n" + "\n".join(rows))
    stated = '\nstreams:\n  accelerometer: {files: "{label}.csv", columns: [x, y, z], rate_hz: 50, unit: g%s}\n'
    describe(tmp_path, stated % ", time: {column: t, unit: s}")
    read = read_stream(only(tmp_path)[0].stream("accelerometer"))
    assert read.clock.breaks == (40,) and read.clock.gaps == pytest.approx((21 / RATE,))
    np.testing.assert_allclose(read.signal, np.delete(signal, lost, axis=0).T, atol=1e-6)
    describe(tmp_path, stated % "")
    with pytest.raises(DataError, match="not finite"):
        read_stream(only(tmp_path)[0].stream("accelerometer"))


def test_nothing_is_left_out_in_silence(tmp_path: Path) -> None:
    write_sample(tmp_path)
    (tmp_path / "s01" / "notes.csv").write_text("x\n")
    (tmp_path / "s01" / "run_1.csv").write_text("")
    (tmp_path / "s02" / "run_1.csv").write_text("a,b,c\n1,2,3\n")
    (tmp_path / "s2").mkdir()
    (tmp_path / "s2" / "walk_1.csv").write_text("x,y,z\n1,2,3\n")
    found = [(p.kind, p.recording, Path(p.path).name) for p in index(tmp_path).problems]
    assert found == [
        ("corrupt", "s1_run_t1", "run_1.csv"),
        ("corrupt", "s2_run_t1", "run_1.csv"),
        ("duplicate", "s2_walk_t1", "walk_1.csv"),
        ("unknown", "", "notes.csv"),
    ]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("streams: {a: {files: '{label}', columns: [x], rate_hz: 50, unit: g}}", "columns has 1 entries for 3 axes"),
        ("streams: {a: {columns: [0, 1, 2], rate_hz: 50, unit: g}}", "give a pattern, or a table"),
        ("streams: {a: {files: 'x.csv', columns: [0, 1, 2], rate_hz: 50, unit: g}}", r"has no \{label\}"),
        ("streams: {a: {files: '{label}', columns: [0, 0, 1], rate_hz: 50, unit: g}}", "a column is named twice"),
        ("streams: {a: {files: '{label}', columns: [0, 1, 2], unit: g}}", "rate_hz: missing"),
        ("streams: {a: {files: '{label}', columns: [0, 1, 2], rate: 50, unit: g}}", "did you mean 'rate_hz'"),
        ("null_class: rest\n" + PLAIN, "null_class does nothing here"),
    ],
)
def test_what_is_wrong_with_a_description_is_said(tmp_path: Path, wrong: str, message: str) -> None:
    describe(tmp_path, wrong)
    with pytest.raises(DataError, match=message):
        index(tmp_path)


def test_videos_of_a_table_are_streams(tmp_path: Path) -> None:
    write_sample(tmp_path)
    write_clip(tmp_path / "a.mp4")
    (tmp_path / "videos.csv").write_text("recording,video\ns2_walk_t1,a.mp4\ns9_walk_t1,a.mp4\n")
    describe(tmp_path, PLAIN + "videos:\n  front: {table: videos.csv, rate_hz: 25}\n")
    found = index(tmp_path)
    filmed = {r.id: r.stream("front").path.name for r in found if "front" in r.streams}
    assert filmed == {"s2_walk_t1": "a.mp4"}
    assert [(p.kind, p.recording) for p in found.problems] == [("unpaired", "s9_walk_t1")]


def test_classes_that_are_numbers_stand_by_size_before_names(tmp_path: Path) -> None:
    for label in ("10", "2", "run", "Walk"):
        np.savetxt(tmp_path / f"s1_{label}.csv", swing(1, 1.0))
    pattern = "  accelerometer: {files: 's{subject}_{label}.csv', columns: [0, 1, 2], rate_hz: 50, unit: g}\n"
    describe(tmp_path, "streams:\n" + pattern)
    found = index(tmp_path)
    assert found.labels == ("2", "10", "Walk", "run") and found.root == tmp_path
    assert [r.id for r in found] == sorted(r.id for r in found)
    describe(tmp_path, "labels: [run, '2', '10']\nstreams:\n" + pattern)
    found = index(tmp_path)
    assert found.labels == ("run", "2", "10") and len(found) == 3
    assert [p.detail for p in found.problems] == ["'Walk' is none of the classes run, 2, 10"]


def test_one_class_is_no_data_set(tmp_path: Path) -> None:
    np.savetxt(tmp_path / "s1_walk.csv", swing(1, 1.0))
    (tmp_path / "notes.csv").write_text("x\n")
    pattern = "  accelerometer: {files: 's{subject}_{label}.csv', columns: [0, 1, 2], rate_hz: 50, unit: g}\n"
    describe(tmp_path, "streams:\n" + pattern)
    with pytest.raises(DataError, match=r"1 recording\(s\) of 1 class\(es\) \(walk\) are .*notes\.csv: "):
        index(tmp_path)
    (tmp_path / "s1_walk.csv").unlink()
    with pytest.raises(DataError, match=r"0 recording\(s\) of 0 class\(es\) \(none\)"):
        index(tmp_path)


def test_everything_that_is_stated_of_a_stream_reaches_it(tmp_path: Path) -> None:
    for label in ("walk", "run"):
        np.savetxt(tmp_path / f"{label}.csv", np.column_stack([np.arange(100) * 20, swing(1, 1.0)]), delimiter=";")
    text = """
streams:
  accelerometer:
    files: "{label}.csv"
    columns: [1, 2, 3]
    time: {column: 0, unit: ms}
    rate_hz: 50
    unit: mg
    range: 4000
    clip: true
    calibrated: false
    position: hip
    separator: semicolon
    signs: [1, -1, 1]
"""
    describe(tmp_path, text)
    stream = index(tmp_path).recordings[0].stream("accelerometer")
    assert (stream.range_limit, stream.time_column, stream.columns) == (4.0, 0, (1, 2, 3))
    assert (stream.calibrated, stream.placement, stream.rate_hz, stream.unit) == (False, "hip", 50.0, "g")
    reading = stream.reading
    assert reading is not None and reading.factors == pytest.approx((1e-3, -1e-3, 1e-3))
    assert (reading.separator, reading.time_zone, reading.limit) == ("semicolon", "", 4.0)
    assert reading.time_unit_s == pytest.approx(1e-3)
    describe(tmp_path, text.replace("    clip: true\n", "").replace("unit: ms", "unit: text, zone: Europe/Berlin"))
    reading = index(tmp_path).recordings[0].stream("accelerometer").reading
    assert reading is not None and (reading.limit, reading.time_zone) == (0.0, "Europe/Berlin")


def test_what_the_catalog_says_and_folders_that_are_none(tmp_path: Path) -> None:
    assert_entry("sensor-folder", tmp_path)


def test_streams_are_in_order_and_the_clock_may_stand_before_the_axes(tmp_path: Path) -> None:
    rows = "\n".join(f"{20 * n},0,0,1" for n in range(60))
    for label in ("run", "walk"):
        (tmp_path / f"{label}.csv").write_text(f"t,x,y,z\n{rows}\n")
    stream = "{files: '{label}.csv', columns: [x, y, z], time: {column: t, unit: ms}, rate_hz: 50, unit: g}"
    streams = "".join(f"  {name}: {stream}\n" for name in ("d", "c", "b", "a"))
    describe(tmp_path, f"streams:\n{streams}")
    for recording in index(tmp_path):
        assert list(recording.streams) == ["a", "b", "c", "d"]
        one = recording.stream("a")
        assert (one.columns, one.time_column) == ((1, 2, 3), 0)
    describe(tmp_path, f"streams:\n  a: {stream.replace('time: {column: t, unit: ms}, ', '')}\n")
    assert [(r.stream("a").columns, r.stream("a").time_column) for r in index(tmp_path)] == [((1, 2, 3), None)] * 2


def test_of_several_labels_that_are_no_classes_the_first_by_letter_is_told(tmp_path: Path) -> None:
    rows = "\n".join(f"0,0,1,{label}" for label in ("run", "e", "d", "c", "b", "a", "walk") for _ in range(50))
    (tmp_path / "1.csv").write_text(f"x,y,z,what\n{rows}\n")
    (tmp_path / "2.csv").write_text("x,y,z,what\n" + "0,0,1,run\n" * 50 + "0,0,1,walk\n" * 50)
    stream = "{files: '{subject}.csv', columns: [x, y, z], rate_hz: 50, unit: g}"
    describe(tmp_path, f"labels: [run, walk]\nlabel_column: what\nwhole_files: true\nstreams:\n  a: {stream}\n")
    found = index(tmp_path)
    assert [r.subject for r in found] == ["2"]
    assert [p.detail for p in found.problems] == ["'a' is none of the classes run, walk"]


def test_a_word_stands_for_a_label_that_nobody_knows_in_names_tables_and_columns(tmp_path: Path) -> None:
    for name in ("names", "table", "column"):
        (tmp_path / name).mkdir()
    signal = swing(1, 2.0, samples=60)
    for label in ("walk", "run", "open"):
        np.savetxt(tmp_path / "names" / f"s1_{label}.csv", signal)
        np.savetxt(tmp_path / "table" / f"{label}.csv", signal)
    stream = "columns: [0, 1, 2], rate_hz: 50, unit: g"
    describe(
        tmp_path / "names", f"unlabelled: open\nstreams: {{a: {{files: 's{{subject}}_{{label}}.csv', {stream}}}}}\n"
    )
    (tmp_path / "table" / "list.csv").write_text(
        "file,subject,label\nwalk.csv,1,walk\nrun.csv,1,run\nopen.csv,1,open\n"
    )
    describe(tmp_path / "table", f"unlabelled: open\ntable: list.csv\nstreams: {{a: {{{stream}}}}}\n")
    rows = zip(signal, ["walk"] * 20 + ["nan"] * 20 + ["run"] * 20, strict=True)
    lines = [f"{x:.4f},{y:.4f},{z:.4f},{label}\n" for (x, y, z), label in rows]
    (tmp_path / "column" / "s1.csv").write_text("".join(lines))
    by_column = f"label_column: 3\nstreams: {{a: {{files: 's{{subject}}.csv', {stream}}}}}\n"
    describe(tmp_path / "column", f"unlabelled: nan\n{by_column}")
    for name in ("names", "table", "column"):
        found = index(tmp_path / name)
        assert found.labels == ("run", "walk") and len(found) == 2 and found.problems == ()
        (bare,) = found.unlabelled
        assert bare.label == UNLABELLED and bare.subject == "1" and "a" in bare.streams
        assert [r.id for r in found.everything] == sorted([*(r.id for r in found), bare.id])
    describe(tmp_path / "column", by_column)
    assert index(tmp_path / "column").unlabelled == ()


def test_a_table_without_a_label_says_what_to_write(tmp_path: Path) -> None:
    np.savetxt(tmp_path / "a.csv", swing(1, 2.0))
    (tmp_path / "list.csv").write_text("file,subject,label\na.csv,1,walk\na.csv,1,\n")
    describe(tmp_path, "table: list.csv\nstreams: {a: {columns: [0, 1, 2], rate_hz: 50, unit: g}}\n")
    with pytest.raises(DataError, match="line 3: no label") as caught:
        index(tmp_path)
    assert "--unlabelled" in caught.value.action


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ("unlabelled: walk\nlabels: [walk, run]\n", "'walk' is the name of a class"),
        ("unlabelled: rest\nnull_class: rest\nlabel_column: 3\n", "'rest' is the name of a class"),
        ("unlabelled: rest\nwhole_files: true\nlabel_column: 3\n", "does nothing beside whole_files"),
    ],
)
def test_what_nobody_knows_is_no_class(tmp_path: Path, said: str, message: str) -> None:
    describe(tmp_path, said + PLAIN)
    with pytest.raises(DataError, match=message):
        index(tmp_path)
