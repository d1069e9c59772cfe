"""A dozen folders of the kinds that people have: everything is right, or refused with the flag that says it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.datasets.importing.folders import FOLDERS, LABELS, each, signal
from tests.preprocessing.video.test_start import write_video
from vskd.datasets.importing import importer
from vskd.datasets.importing.importer import import_folder
from vskd.datasets.importing.stated import Stated
from vskd.datasets.importing.videos import Paired
from vskd.datasets.recording import Index, Recording, Stream
from vskd.datasets.sensors.folder_description import read_description
from vskd.datasets.sensors.read import read_stream
from vskd.datasets.sensors.sensor_folder import index
from vskd.datasets.splits.audit import audit_split
from vskd.datasets.splits.protocol import load_protocol
from vskd.errors import DataError
from vskd.files import WriteError
from vskd.preprocessing.sensor.joined import joined

BY_COLUMN = Stated(label_column="activity", subject_column="user")
RIGHT: dict[str, tuple[Stated, float, str, str]] = {
    "berkeley": (Stated(), 31.0, "g", "s"),
    "phone": (Stated(), 104.0, "m/s^2", "ms"),
    "milli": (Stated(), 50.0, "mg", ""),
    "counts": (Stated(rate_hz=50.0), 50.0, "1/4096 g", "samples"),
    "codes": (Stated(rate_hz=32.0, unit="1/21 g", offset=31.5), 32.0, "1/21 g", ""),
    "iso": (Stated(), 25.0, "g", "text"),
    "intervals": (Stated(), 50.0, "g", "ms"),
    "label_column": (BY_COLUMN, 50.0, "m/s^2", "ns"),
    "two_devices": (Stated(rate_hz=25.0, pattern="s1_{label}_t{trial}.csv"), 25.0, "g", "s"),
    "bare_numbers": (Stated(rate_hz=50.0, pattern="{label}/{trial}.csv"), 50.0, "g", ""),
}


@pytest.fixture(autouse=True)
def no_preview(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Plots take half a second each: one test draws one."""
    if "preview" not in request.node.name:
        monkeypatch.setattr(importer, "draw_preview", lambda *_: None)


def made(name: str, tmp_path: Path) -> Path:
    root = tmp_path / "files"
    root.mkdir()
    FOLDERS[name](root)
    return root


@pytest.mark.parametrize("name", RIGHT)
def test_rate_unit_columns_and_labels_are_right(name: str, tmp_path: Path) -> None:
    stated, rate, unit, time_unit = RIGHT[name]
    done = import_folder(made(name, tmp_path), tmp_path / "set", stated)
    stream = read_description(tmp_path / "set").streams["accelerometer"]
    assert (stream.rate_hz, stream.unit, stream.time.unit if stream.time else "") == (rate, unit, time_unit)
    found = index(tmp_path / "set")
    assert {p.kind for p in found.problems} <= ({"unknown"} if name == "two_devices" else set())
    assert found == done.index
    labels = ("01", "02") if name == "berkeley" else LABELS
    assert found.labels == labels
    here = [one for one in each() if name != "two_devices" or one[0] == 1]
    assert len(found) == len(here)
    if name not in ("two_devices", "bare_numbers"):
        assert found.subjects == ("1", "2")
    for recording in found if name not in ("bare_numbers",) else ():
        subject = 1 if name == "two_devices" else int(recording.subject)
        wanted = [signal(subject, LABELS[recording.label], t, rate).T for t in (1, 2)]
        read = read_stream(recording.stream("accelerometer"))
        assert read.rate_hz == pytest.approx(rate, rel=0.02) and recording.stream("accelerometer").unit == "g"
        length = read.signal.shape[1]
        atol = 0.5 / 21 + 1e-3 if name == "codes" else 2e-3
        assert any(np.allclose(read.signal, one[:, :length], atol=atol) for one in wanted), recording.id


@pytest.mark.parametrize(
    ("name", "stated", "why", "flag"),
    [
        ("milli", Stated(rate_hz=100.0), "says 100 Hz, the remark in the file 50 Hz", "--rate"),
        ("counts", Stated(), "does not say its rate", "--rate"),
        ("codes", Stated(), "does not say its rate", "--rate"),
        ("codes", Stated(rate_hz=32.0), "whole numbers that are never negative|1 g in no unit", "--unit"),
        ("codes", Stated(rate_hz=32.0, unit="1/21 g"), "contradicted by gravity", "--offset"),
        ("no_gravity", Stated(), "gravity removed, and nobody says its unit", "--stream linear-acceleration"),
        ("no_gravity", Stated(unit="m/s^2"), "gravity removed, in m/s.2", "--uncalibrated"),
        ("bare_numbers", Stated(rate_hz=50.0), "may be a subject or a trial", "--pattern"),
        ("lying_header", Stated(), "contradicted by gravity", "--unit"),
        ("lying_header", Stated(unit="g"), "--unit says g, the files say m/s2", "--unit"),
        ("two_devices", Stated(), "several rates", "--rate"),
        ("phone", Stated(unit="g"), "contradicted by gravity", "--unit"),
        ("phone", Stated(time_unit="s"), "no rate of movement", "--time-unit"),
        ("phone", Stated(rate_hz=50.0), "--rate says 50 Hz, the clock 104 Hz", "--rate"),
        ("phone", Stated(columns=("ax", "ay", "az")), "has no column 'ax'", "--columns"),
        ("phone", Stated(stream="gyroscope"), "no columns of the gyroscope", "--columns"),
        ("phone", Stated(pattern="{label}.csv"), "No file fits", "--pattern"),
        ("iso", Stated(unit="deg/s"), "--unit says deg/s, the files say g", "--unit"),
        ("label_column", Stated(), "no word in them differs", "--label-column"),
        ("intervals", Stated(table="none.csv"), "no such file", "path"),
    ],
)
def test_what_cannot_be_told_or_is_contradicted_is_refused(
    name: str, stated: Stated, why: str, flag: str, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=why) as caught:
        import_folder(made(name, tmp_path), tmp_path / "set", stated)
    assert flag in str(caught.value)
    assert not (tmp_path / "set" / "dataset.yaml").exists()


def test_a_gyroscope_beside_is_taken_where_its_unit_is_said(tmp_path: Path) -> None:
    root = made("iso", tmp_path)
    found = import_folder(root, tmp_path / "set", Stated()).index
    gyroscope = read_stream(found.recordings[0].stream("gyroscope"))
    np.testing.assert_allclose(
        gyroscope.signal, 100 * read_stream(found.recordings[0].stream("accelerometer")).signal, rtol=1e-3, atol=1e-2
    )
    for path in root.rglob("*.csv"):
        path.write_text(path.read_text().replace("deg/s", "unit"))
    done = import_folder(root, tmp_path / "other", Stated())
    assert list(done.index.recordings[0].streams) == ["accelerometer"]
    assert any("gyroscope" in note and "left out" in note for note in done.notes)


def test_the_protocols_that_are_written_split_without_leaks(tmp_path: Path) -> None:
    done = import_folder(made("berkeley", tmp_path), tmp_path / "set", Stated(position="right wrist"))
    (path,) = done.protocols
    split = load_protocol("sensor-folder", str(path)).split(done.index)
    audit_split(split, done.index)
    assert {done.index.by_id()[i].subject for i in split.test} == {"2"}
    assert done.index.recordings[0].stream("accelerometer").placement == "right wrist"


def test_a_preview_is_drawn_and_the_files_are_left_alone(tmp_path: Path) -> None:
    root = made("phone", tmp_path)
    before = sorted((path.name, path.stat().st_mtime_ns) for path in root.rglob("*"))
    done = import_folder(root, tmp_path / "set", Stated())
    assert done.preview.read_bytes().startswith(b"\x89PNG")
    assert sorted((path.name, path.stat().st_mtime_ns) for path in root.rglob("*")) == before


def test_bad_files_are_named_and_a_second_import_overwrites_nothing(tmp_path: Path) -> None:
    root = made("phone", tmp_path)
    (root / "subject_1" / "walk_t1.csv").write_text("")
    done = import_folder(root, tmp_path / "set", Stated())
    assert any("walk_t1.csv: is empty" in note for note in done.notes)
    assert [p.kind for p in done.index.problems] == ["corrupt"]
    with pytest.raises(WriteError, match="is there already"):
        import_folder(root, tmp_path / "set", replace(Stated(), unit="g"))


def test_signs_and_order_are_those_of_the_flags(tmp_path: Path) -> None:
    stated = Stated(columns=("acc_z", "acc_x", "acc_y"), signs=(1, -1, 1), range_limit=78.4532)
    done = import_folder(made("phone", tmp_path), tmp_path / "set", stated)
    recording = done.index.by_id()["s1_walk_t1"]
    stream = recording.stream("accelerometer")
    expected = signal(1, "walk", 1, 104.0).T[[2, 0, 1]] * np.array([[1], [-1], [1]])
    np.testing.assert_allclose(read_stream(stream).signal, expected, atol=2e-3)
    assert stream.range_limit == pytest.approx(8.0)


def test_long_files_may_be_recordings_with_a_null_class(tmp_path: Path) -> None:
    from tests.long_recordings import write_long

    write_long(tmp_path / "files", subjects=2)
    (tmp_path / "files" / "dataset.yaml").unlink()
    stated = Stated(label_column="activity", pattern="{subject}.csv", null_class="none", whole_files=True)
    done = import_folder(tmp_path / "files", tmp_path / "set", stated)
    description = read_description(tmp_path / "set")
    assert (description.whole_files, description.null_class) == (True, "none")
    assert done.index.labels == ("none", "run", "walk") and done.index.null_class == "none"
    assert [r.subject for r in done.index] == ["1", "2"] and all(r.timeline for r in done.index)


def test_places_that_were_worn_at_once_are_streams_each_with_its_own_unit_and_rate(tmp_path: Path) -> None:
    root = made("places", tmp_path)
    with pytest.raises(DataError, match=r"may both be the label.*\{stream\}.*\{position\}") as caught:
        import_folder(root, tmp_path / "no", Stated())
    assert "--pattern" in str(caught.value)
    done = import_folder(root, tmp_path / "set", Stated(pattern="s{subject}_{label}_t{trial}_{stream}.csv"))
    assert len(done.index) == len(each())
    wanted = {"accelerometer-hip": (25.0, "mg", "hip"), "accelerometer-right_wrist": (50.0, "g", "right wrist")}
    described = read_description(tmp_path / "set").streams
    assert {n: (s.rate_hz, s.unit, s.position) for n, s in described.items()} == wanted
    for recording in done.index:
        subject, label, trial = int(recording.subject), LABELS[recording.label], int(recording.trial)
        for name, (rate, _, place) in wanted.items():
            stream = recording.stream(name)
            assert (stream.unit, stream.placement) == ("g", place)
            np.testing.assert_allclose(read_stream(stream).signal, signal(subject, label, trial, rate).T, atol=1e-3)
    together = joined([read_stream(recording.stream(name)) for name in wanted], list(wanted), "r", 25.0)
    assert together.signal.shape[0] == 6 and together.absolute


def test_a_place_may_be_a_factor_by_which_protocols_split(tmp_path: Path) -> None:
    stated = Stated(pattern="s{subject}_{label}_t{trial}_{position}.csv", rate_hz=50.0, unit="g", uncalibrated=True)
    root = made("places", tmp_path)
    for path in root.glob("*hip.csv"):
        path.write_text(path.with_name(path.name.replace("hip", "right_wrist")).read_text().replace("1,", "2,"))
    done = import_folder(root, tmp_path / "set", stated)
    assert {r.factors["position"] for r in done.index} == {"hip", "right_wrist"}
    assert any(g.what == "factors" and "position hip, right_wrist" in g.value for g in done.guesses)
    split = load_protocol("sensor-folder", "leave-one-position-out").split(done.index, "hip")
    audit_split(split, done.index)
    assert {done.index.by_id()[i].factors["position"] for i in split.train} == {"right_wrist"}


def test_what_was_found_out_is_told_in_one_order(tmp_path: Path) -> None:
    done = import_folder(made("iso", tmp_path), tmp_path / "set", Stated())
    told = [guess.what for guess in done.guesses]
    assert told[0] == "files" and told[-2:] == ["subjects", "labels"] and len(done.guesses) == len(set(done.guesses))
    subjects, labels = done.guesses[-2:]
    assert (subjects.value, subjects.source) == ("2: 1, 2", "names or table")
    assert (labels.value, labels.source) == ("2: sit_down, walk", "names or table")


def test_columns_that_are_stated_are_the_source(tmp_path: Path) -> None:
    done = import_folder(made("label_column", tmp_path), tmp_path / "set", BY_COLUMN)
    told = {guess.what: guess.source for guess in done.guesses}
    assert (told["subjects"], told["labels"]) == ("subject column", "label column")
    description = read_description(tmp_path / "set")
    assert (description.label_column, description.subject_column) == ("activity", "user")


def test_columns_without_names_are_stated_by_number(tmp_path: Path) -> None:
    root = made("label_column", tmp_path)
    path = root / "raw.csv"
    path.write_text(path.read_text().split("\n", 1)[1])
    stated = Stated(
        label_column="1", subject_column="0", columns=("3", "4", "5"), time="2", time_unit="ns", unit="m/s^2"
    )
    done = import_folder(root, tmp_path / "set", stated)
    assert len(done.index) > 0 and done.index.subjects == ("1", "2") and done.index.labels == LABELS
    description = read_description(tmp_path / "set")
    assert (description.label_column, description.subject_column) == (1, 0)


def test_what_all_recordings_show_is_noted(tmp_path: Path) -> None:
    """One recording has a hole of two seconds, one reaches the range, one does not show 1 g."""
    root = made("iso", tmp_path)
    hole, railed, wrong = (root / "s1" / f"{name}.csv" for name in ("walk-trial1", "walk-trial2", "sit_down-trial1"))
    lines = hole.read_text(encoding="utf-8-sig").split("\n")
    (root / "s1" / "walk-trial1.csv").write_text("\n".join(lines[:20] + lines[45:]))
    for path, at, factor in ((railed, slice(5, 20), 0.0), (wrong, slice(1, None), 3.0)):
        head, *rows = path.read_text(encoding="utf-8-sig").split("\n")
        cells = [row.split(",") for row in rows]
        for row in cells[at]:
            row[1:4] = [str(float(v) * factor + (2.0 if factor == 0 else 0)) for v in row[1:4]]
        path.write_text("\n".join([head, *(",".join(row) for row in cells)]))
    done = import_folder(root, tmp_path / "set", Stated(range_limit=2.0))
    notes = "; ".join(done.notes)
    assert "1 of 8 recordings (s1/walk-trial1.csv) have gaps in time, the longest 1 s" in notes
    assert "1 of 8 recordings (s1/walk-trial2.csv) reach the range of the device" in notes
    assert "(s1/sit_down-trial1.csv, s1/walk-trial2.csv) do not show 1 g at rest and are refused by training" in notes
    calm = import_folder(root, tmp_path / "calm", Stated(range_limit=2.0, uncalibrated=True))
    (told,) = [note for note in calm.notes if "1 g at rest" in note]
    assert told.endswith("do not show 1 g at rest")


def test_what_the_index_finds_wrong_is_counted_by_kind(tmp_path: Path) -> None:
    root = made("phone", tmp_path)
    for name in ("walk_t1", "walk_t2"):
        (root / "subject_1" / f"{name}.csv").write_text("")
    done = import_folder(root, tmp_path / "set", Stated())
    assert f"2 corrupt: `vskd datasets index {tmp_path / 'set'}` names them" in done.notes
    assert len(done.notes) == len(set(done.notes))
    nobody = import_folder(root, tmp_path / "nobody", Stated(pattern="subject_2/{label}_t{trial}.csv"))
    (told,) = [note for note in nobody.notes if "nobody knows" in note]
    assert told.startswith("nobody knows the subject of 4 recordings (sunknown_sit_down_t1, sunknown_sit_down_t2, ")
    assert not any("nobody knows" in note for note in done.notes)


@pytest.mark.parametrize(("text", "cell"), [("a,b", '"a,b"'), ("a;b", '"a;b"'), ("a b", "a b"), ('a"b,', '"a""b,"')])
def test_names_of_videos_with_separators_are_quoted(text: str, cell: str) -> None:
    assert importer._cell(text) == cell


@pytest.mark.parametrize(
    ("rates", "said"),
    [
        ([], "none paired"),
        ([29.97], "1 paired, 29.97 frames/s"),
        ([30.0, 12.5, 30.0], "3 paired, 12.5, 30 frames/s"),
        ([0.0], "1 paired, frame rate not said"),
    ],
)
def test_what_became_of_the_videos_is_told(tmp_path: Path, rates: list[float], said: str) -> None:
    streams = [{"video": Stream("video", "video", tmp_path, rate, "uint8")} for rate in rates]
    recordings = [Recording(str(n), "1", "1", 0, "1", seen) for n, seen in enumerate([{}, *streams])]
    found = Index("sensor-folder", tmp_path, ("walk", "run"), tuple(recordings))
    (guess,) = importer._video_guesses(Paired({str(n): "v" for n in range(len(rates))}, "names", ()), found)
    assert (guess.what, guess.value, guess.source) == ("videos", said, "names")
    assert importer._video_guesses(None, found) == ()


def test_videos_that_cannot_be_paired_leave_no_data_set(tmp_path: Path) -> None:
    root = made("phone", tmp_path)
    (root / "film.mp4").write_bytes(b"film")
    (root / "pairs.csv").write_text("recording;video\nnobody;film.mp4\n")
    with pytest.raises(DataError, match=r"pairs\.csv, line 2: there is no recording 'nobody'"):
        import_folder(root, tmp_path / "set", Stated(video_table="pairs.csv"))
    assert not (tmp_path / "set" / "dataset.yaml").exists()
    with pytest.raises(DataError, match="two classes are needed"):
        import_folder(root, tmp_path / "one", Stated(pattern="subject_{subject}/walk_{label}1.csv"))
    assert not (tmp_path / "one" / "dataset.yaml").exists()


def test_pairs_of_videos_are_written_in_the_order_of_the_recordings(tmp_path: Path) -> None:
    root = made("phone", tmp_path)
    names = [f"s{s}_{label}_t{t}" for s, label, t in each()]
    for name in names:
        write_video(root / f"{name}, front.mp4", frames=3)
    rows = [f'"{name}","{name}, front.mp4"' for name in reversed(names)]
    (root / "pairs.csv").write_text("\n".join(["recording,video", *rows]))
    import_folder(root, tmp_path / "set", Stated(video_table="pairs.csv"))
    assert (tmp_path / "set" / "videos.csv").read_text().splitlines() == ["recording,video", *sorted(rows_of(names))]


def rows_of(names: list[str]) -> list[str]:
    return [f'{name},"{name}, front.mp4"' for name in names]


def test_factors_are_told_by_name_and_the_first_sensor_is_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[str] = []
    monkeypatch.setattr(importer, "draw_preview", lambda _, stream, __: drawn.append(stream))
    root = made("places", tmp_path)
    import_folder(root, tmp_path / "set", Stated(pattern="s{subject}_{label}_t{trial}_{stream}.csv"))
    assert drawn == ["accelerometer-hip"]
    found = index(tmp_path / "set")
    factored = [replace(r, factors=dict.fromkeys(("f", "e", "d", "c", "b"), r.trial)) for r in found]
    (*_, told) = importer._found_guesses(replace(found, recordings=tuple(factored)), Stated())
    assert told.value == "; ".join(f"{name} 1, 2" for name in "bcdef")


def test_long_lists_are_shortened() -> None:
    recordings = tuple(
        Recording(f"r{n:02}", f"{n:02}", "1", n, "1", {}, factors={"hand": f"h{n:02}"}) for n in range(20)
    )
    found = Index("sensor-folder", Path(), tuple(f"l{n:02}" for n in range(20)), recordings)
    told = {guess.what: guess.value for guess in importer._found_guesses(found, Stated())}
    assert told == {
        "subjects": "20: 00, 01, 02, 03, 04, 05 and 14 more",
        "labels": "20: l00, l01, l02, l03, l04, l05, l06, l07 and 12 more",
        "factors": "hand h00, h01, h02, h03 and 16 more",
    }


def test_a_table_of_other_names_is_read_as_one_of_these(tmp_path: Path) -> None:
    """What its columns stand for is said, written down, and can be corrected."""
    folder = made("intervals", tmp_path)
    table = folder / "recordings.csv"
    plain = import_folder(folder, tmp_path / "plain", Stated()).index
    table.write_text(table.read_text().replace("file;subject;label;start;end", "File name;who;Activity;begin;stop"))
    stated = Stated(table="recordings.csv", table_columns=(("subject", "who"),))
    done = import_folder(folder, tmp_path / "set", stated)
    said = next(guess for guess in done.guesses if guess.what == "recordings")
    assert "subject = who, file = file name, label = activity, start = begin, end = stop" in said.value
    assert "--table-columns" in said.flag
    one, other = ([(r.id, r.stream("accelerometer").reading) for r in found] for found in (done.index, plain))
    assert one == other
    table.write_text(table.read_text().replace("File name", "recording"))
    with pytest.raises(DataError, match=r"has the columns .recording., .who., .* none is known to name the file"):
        import_folder(folder, tmp_path / "third", stated)


def test_the_clocks_of_people_in_one_file_begin_when_they_like(tmp_path: Path) -> None:
    """WISDM's layout: one file without names, a `;` ends each line, and the clock of the next person starts anew."""
    lines = []
    for s, label, t in sorted(each(), key=lambda one: (one[0], one[2])):
        start = (49_000 + 1000 * t + 500 * LABELS.index(label)) * 10**9
        values = 9.81 * signal(s, label, t)
        lines += [
            f"{s},{label},{start + n * 20_000_000},{x:.3f},{y:.3f},{z:.3f};" for n, (x, y, z) in enumerate(values)
        ]
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "raw.txt").write_text("\n".join(lines))
    stated = Stated(label_column="1", subject_column="0")
    found = import_folder(tmp_path / "files", tmp_path / "set", stated).index
    assert len(found) == len(each()) and found.subjects == ("1", "2") and not found.problems
    for recording in found:
        read = read_stream(recording.stream("accelerometer"))
        assert read.rate_hz == pytest.approx(50) and read.signal.shape[1] == 130 and not read.clock.breaks
    whole = import_folder(tmp_path / "files", tmp_path / "whole", replace(stated, whole_files=True)).index
    assert [(r.subject, len(r.classes)) for r in whole] == [("1", 2), ("2", 2)] and not whole.problems
    alone = Stated(columns=("3", "4", "5"), time="2", pattern="{label}.txt")
    with pytest.raises(DataError, match="1 of 1 clocks are broken"):
        import_folder(tmp_path / "files", tmp_path / "other", alone)


def test_zero_among_labels_that_are_numbers_may_be_no_class(tmp_path: Path) -> None:
    lines = [
        f"{n * 0.02:.2f} {k % 3} {x:.4f} {y:.4f} {z:.4f}"
        for k, (s, label, t) in enumerate(each())
        for n, (x, y, z) in enumerate(signal(s, label, t), 130 * k)
    ]
    for name in ("subject1.dat", "subject2.dat"):
        (tmp_path / "files").mkdir(exist_ok=True)
        (tmp_path / "files" / name).write_text("\n".join(lines))
    stated = Stated(label_column="1", pattern="subject{subject}.dat")
    hint = "'0' is a class; if it means that nobody labelled these rows, say --null-class 0"
    assert hint in import_folder(tmp_path / "files", tmp_path / "set", stated).notes
    assert hint not in import_folder(tmp_path / "files", tmp_path / "null", replace(stated, null_class="0")).notes
