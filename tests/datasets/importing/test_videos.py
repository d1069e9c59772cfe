"""Videos beside sensor files: each recording gets its own, or none, whatever they are paired by."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from tests.datasets.importing.folders import each, signal, write
from tests.datasets.video.clips import write_clip
from tests.preprocessing.video.test_start import write_video
from vskd.datasets.importing import importer, videos
from vskd.datasets.importing.importer import import_folder
from vskd.datasets.importing.stated import Stated
from vskd.datasets.recording import Index, Recording, Stream
from vskd.datasets.sensors.sensor_folder import index
from vskd.errors import DataError
from vskd.preprocessing.video.frames import read_frames

START = datetime(2024, 7, 1, 10, tzinfo=UTC)
Name = Callable[[int, int, str, int], str]


@pytest.fixture(autouse=True)
def no_preview(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plots take half a second each."""
    monkeypatch.setattr(importer, "draw_preview", lambda *_: None)


def folder(root: Path, name: Name, *, skip: int = 0, created: bool = False) -> Path:
    """Recordings of 2.6 s, a minute apart, each with a video of 26 and more frames, by which it is known again."""
    for n, (s, label, t) in enumerate(each()):
        values, start = signal(s, label, t), START + timedelta(minutes=n)
        stamps = 1000 * start.timestamp() + 20.0 * np.arange(len(values))
        write(root / f"s{s}_{label}_t{t}.csv", np.column_stack([stamps, values]), head="time,x,y,z", digits=3)
        if n >= skip:
            write_video(root / name(n, s, label, t), frames=26 + n, created=start if created else None)
    return root


def frames_of(done: importer.Imported) -> dict[str, int]:
    """Recording -> frames of its video."""
    return {
        r.id: len(list(read_frames(r.streams["video"].path, size=None))) for r in done.index if "video" in r.streams
    }


RIGHT = {f"s{s}_{label}_t{t}": 26 + n for n, (s, label, t) in enumerate(each())}


@pytest.mark.parametrize(
    ("name", "stated", "created"),
    [
        (lambda n, s, label, t: f"video/s{s}_{label}_t{t}.mp4", Stated(), False),
        (lambda n, s, label, t: f"video/{label}/subject{s:02d}-rep{t}.avi", Stated(), False),
        (
            lambda n, s, label, t: f"v/{label}-{s}-{t}-front.mp4",
            Stated(video_pattern="v/{label}-{subject}-{trial}-*.mp4"),
            False,
        ),
        (
            lambda n, s, label, t: f"v/VID_{START + timedelta(hours=2, minutes=n):%Y%m%d_%H%M%S}.mp4",
            Stated(pair_videos="time", video_zone="Europe/Berlin"),
            False,
        ),
        (lambda n, s, label, t: f"v/clip{n}.mp4", Stated(pair_videos="time"), True),
    ],
    ids=["stems", "words", "pattern", "times in names", "times in headers"],
)
def test_each_recording_has_its_own_video(name: Name, stated: Stated, created: bool, tmp_path: Path) -> None:
    done = import_folder(folder(tmp_path / "files", name, created=created), tmp_path / "set", stated)
    assert frames_of(done) == RIGHT
    stream = done.index.recordings[0].stream("video")
    assert (stream.kind, stream.rate_hz, stream.unit) == ("video", 10.0, "uint8")
    assert {p.kind for p in done.index.problems} == set() and index(tmp_path / "set") == done.index
    assert any(g.what == "videos" and g.value.startswith("8 paired") for g in done.guesses)


def test_each_video_has_the_frame_rate_that_its_file_states(tmp_path: Path) -> None:
    root = folder(tmp_path / "files", lambda n, s, label, t: f"v/s{s}_{label}_t{t}.mp4")
    write_clip(root / "v" / "s1_walk_t1.mp4", rate=12)
    done = import_folder(root, tmp_path / "set", Stated())
    assert {r.id: round(r.stream("video").rate_hz, 2) for r in done.index} == dict.fromkeys(RIGHT, 10.0) | {
        "s1_walk_t1": 12
    }


@pytest.mark.parametrize("key", ["recording", "file"])
def test_a_table_pairs_them(key: str, tmp_path: Path) -> None:
    root = folder(tmp_path / "files", lambda n, s, label, t: f"v/clip{n}.mp4")
    rows = [f"{name}{'.csv' if key == 'file' else ''};v/clip{n}.mp4" for n, name in enumerate(RIGHT)]
    (root / "pairs.csv").write_text("\n".join([f"{key};video", *rows]))
    done = import_folder(root, tmp_path / "set", Stated(video_table="pairs.csv"))
    assert frames_of(done) == RIGHT
    (root / "pairs.csv").write_text("\n".join([f"{key};video", rows[0], rows[1].replace("clip1", "clap1")]))
    with pytest.raises(DataError, match=r"pairs\.csv, line 3: there is no video 'v/clap1\.mp4'"):
        import_folder(root, tmp_path / "other", Stated(video_table="pairs.csv"))
    assert not (tmp_path / "other" / "dataset.yaml").exists()


def test_what_is_left_over_is_said(tmp_path: Path) -> None:
    root = folder(tmp_path / "files", lambda n, s, label, t: f"v/s{s}_{label}_t{t}.mp4", skip=2)
    write_video(root / "v" / "party.mp4")
    done = import_folder(root, tmp_path / "set", Stated())
    assert len(frames_of(done)) == 6
    assert any("2 of 8 recordings have no video" in note for note in done.notes)
    assert any("1 videos show no recording alone: v/party.mp4" in note for note in done.notes)


def test_equal_names_in_folders_of_equal_names(tmp_path: Path) -> None:
    root = folder(tmp_path / "flat", lambda n, s, label, t: f"video/s{s}/{label}_t{t}.mp4")
    for path in sorted(root.glob("*.csv")):
        subject, rest = path.name.split("_", 1)
        (root / "data" / subject).mkdir(parents=True, exist_ok=True)
        path.rename(root / "data" / subject / rest)
    done = import_folder(root, tmp_path / "set", Stated(pattern="data/s{subject}/{label}_t{trial}.csv"))
    assert frames_of(done) == RIGHT


def test_two_videos_of_one_recording_are_no_pair(tmp_path: Path) -> None:
    root = folder(tmp_path / "files", lambda n, s, label, t: f"v/s{s}_{label}_t{t}.mp4")
    write_video(root / "w" / "s1_walk_t1.mp4")
    done = import_folder(root, tmp_path / "set", Stated())
    assert frames_of(done) == {name: n for name, n in RIGHT.items() if name != "s1_walk_t1"}


def test_names_that_say_nothing_pair_nothing_and_say_so(tmp_path: Path) -> None:
    root = folder(tmp_path / "files", lambda n, s, label, t: f"v/clip{n}.mp4")
    done = import_folder(root, tmp_path / "set", Stated())
    assert frames_of(done) == {} and any("--video-table" in note for note in done.notes)
    assert import_folder(root, tmp_path / "none", Stated(pair_videos="none")).notes == ()


def test_a_local_time_in_a_name_needs_its_zone(tmp_path: Path) -> None:
    root = folder(tmp_path / "files", lambda n, s, label, t: f"v/{START + timedelta(minutes=n):%Y%m%d_%H%M%S}.mp4")
    with pytest.raises(DataError, match=r"local time of a zone that nobody states.*--video-zone"):
        import_folder(root, tmp_path / "set", Stated(pair_videos="time"))
    done = import_folder(root, tmp_path / "wrong", Stated(pair_videos="time", video_zone="Asia/Tokyo"))
    assert frames_of(done) == {}, "nine hours off"


def test_pairs_of_what_is_not_there_are_problems(tmp_path: Path) -> None:
    root = folder(tmp_path / "files", lambda n, s, label, t: f"v/s{s}_{label}_t{t}.mp4")
    import_folder(root, tmp_path / "set", Stated())
    table = tmp_path / "set" / "videos.csv"
    table.write_text(
        table.read_text() + "nobody,v/s1_walk_t1.mp4\ns1_walk_t1,v/none.mp4\ns1_walk_t2,v/s1_walk_t1.mp4\n"
    )
    assert {(p.kind, p.recording) for p in index(tmp_path / "set").problems} == {
        ("unpaired", "nobody"),
        ("missing", "s1_walk_t1"),
        ("duplicate", "s1_walk_t2"),
    }
    table.write_text("recording,clip\na,b\n")
    with pytest.raises(DataError, match="has no column 'video'"):
        index(tmp_path / "set")


@pytest.mark.parametrize(
    ("one", "other", "share"),
    [
        ((0, 10), (0, 10), 1.0),
        ((0, 10), (5, 15), 0.5),
        ((0, 10), (2, 8), 0.6),  # of the longer
        ((2, 8), (0, 10), 0.6),
        ((0, 10), (12, 20), -0.2),
        ((5, 5), (5, 5), 0.0),
    ],
)
def test_what_two_have_in_common_is_a_share_of_the_longer(
    one: tuple[float, float], other: tuple[float, float], share: float
) -> None:
    assert videos._overlap(one, other) == pytest.approx(share)
    assert videos.LEAST_OVERLAP == 0.5


def test_a_pair_is_one_of_which_neither_side_has_another() -> None:
    candidates = [("a", "1"), ("b", "2"), ("b", "3"), ("c", "4"), ("d", "4"), ("e", "5")]
    assert videos._one_to_one(candidates) == {"a": "1", "e": "5"}


@pytest.mark.parametrize(
    ("said", "fits"),
    [
        ({"subject": "1", "label": "walk"}, True),
        ({"subject": "1", "label": "walk", "camera": "left"}, True),  # only a video has one
        ({"subject": "1", "label": "walk", "trial": "2"}, False),
        ({"subject": "1", "label": "wave"}, False),
        ({"subject": "1"}, False),
        ({"label": "walk"}, False),
    ],
)
def test_a_video_fits_where_all_that_its_name_says_is_so(said: dict[str, str], fits: bool) -> None:
    assert videos._fits(said, {"subject": "1", "label": "walk", "trial": "1", "hand": "left"}) == fits


def test_names_of_folders_count_from_the_file_on_and_not_their_case() -> None:
    file = Path("data/S1/left/walk.csv")
    for other, count in (("v/s1/Left/walk.mp4", 2), ("left/walk.mp4", 1), ("s1/right/walk.mp4", 0), ("walk.mp4", 0)):
        assert videos._common_end(file, Path(other)) == count


def listed(root: Path, *names: str) -> Index:
    """Recordings of one file each, of one subject and label."""
    recordings = []
    for n, name in enumerate(names):
        write(root / name, signal(1, "walk"), head="x,y,z")
        stream = Stream("accelerometer", "sensor", root / name, 50.0, "g", ("x", "y", "z"))
        recordings.append(Recording(Path(name).stem, "1", str(n), 0, "1", {"accelerometer": stream}))
    return Index("sensor-folder", root, ("walk",), tuple(recordings))


@pytest.mark.parametrize("table", ["recording,clip\na,a.mp4\n", "name,video\na,a.mp4\n", "recording,video\n"])
def test_a_table_without_its_columns_is_refused(table: str, tmp_path: Path) -> None:
    found = listed(tmp_path, "a.csv")
    write_video(tmp_path / "a.mp4", frames=3)
    (tmp_path / "pairs.csv").write_text(table)
    with pytest.raises(DataError, match=r"pairs\.csv: has no columns 'video', and 'recording' or 'file'"):
        videos.pair_videos(found, tmp_path, tmp_path, Stated(video_table="pairs.csv"))


def test_lines_of_a_table_that_name_nothing_are_counted_from_the_head(tmp_path: Path) -> None:
    found = listed(tmp_path, "d/a.csv", "d/b.csv")
    write_video(tmp_path / "v" / "a.MP4", frames=3)
    (tmp_path / "pairs.csv").write_text("file,video\nd\\a.csv,v\\a.MP4\n")
    stated = Stated(video_table="pairs.csv")
    paired = videos.pair_videos(found, tmp_path, tmp_path, stated)
    assert paired is not None and paired.pairs == {"a": "v/a.MP4"} and paired.source == "table pairs.csv"
    assert paired.notes == ("1 of 2 recordings have no video: b",)
    (tmp_path / "pairs.csv").write_text("file,video\nd/a.csv,v/a.MP4\nd/c.csv,v/a.MP4\n")
    with pytest.raises(DataError, match=r"line 3: there is no file 'd/c\.csv'"):
        videos.pair_videos(found, tmp_path, tmp_path, stated)


def test_where_no_video_is_or_none_is_wanted_nothing_is_paired(tmp_path: Path) -> None:
    found = listed(tmp_path, "a.csv")
    assert videos.pair_videos(found, tmp_path, tmp_path, Stated()) is None
    write_video(tmp_path / "a.mp4", frames=3)
    assert videos.pair_videos(found, tmp_path, tmp_path, Stated(pair_videos="none")) is None
    paired = videos.pair_videos(found, tmp_path, tmp_path, Stated())
    assert paired is not None and (paired.pairs, paired.notes, paired.source) == ({"a": "a.mp4"}, (), "names")


def test_nothing_paired_says_the_flags(tmp_path: Path) -> None:
    found = listed(tmp_path, "a.csv")
    for name in "zyxwv":
        write_video(tmp_path / f"{name}.mp4", frames=3)
    paired = videos.pair_videos(found, tmp_path, tmp_path, Stated())
    assert paired is not None and paired.pairs == {}
    assert paired.notes == (
        "1 of 1 recordings have no video: a",
        "5 videos show no recording alone: v.mp4, w.mp4, x.mp4, y.mp4 and 1 more",
        "say which is which with --video-pattern, --video-table or --pair-videos time",
    )


def test_stamps_without_a_day_or_zone_cannot_be_compared(tmp_path: Path) -> None:
    found = listed(tmp_path, "a.csv")
    write_video(tmp_path / "v.mp4", frames=3)
    with pytest.raises(DataError, match=r"its time stamps name no day.*Pair them by name"):
        videos.pair_videos(found, tmp_path, tmp_path, Stated(pair_videos="time"))


@pytest.mark.parametrize("ending", ["mp4", "avi", "mov", "mkv", "webm", "m4v", "mpg", "mpeg", "MP4", "txt"])
def test_every_usual_ending_is_that_of_a_video(tmp_path: Path, ending: str) -> None:
    """A video that shows no recording is said to be left over; of other files nothing is said."""
    found = listed(tmp_path, "a.csv")
    (tmp_path / f"other.{ending}").write_bytes(b"x")
    paired = videos.pair_videos(found, tmp_path, tmp_path, Stated())
    assert (paired is None) == (ending == "txt")
    assert paired is None or f"other.{ending}" in " ".join(paired.notes)


def half_known(root: Path, video: Callable[[int, str, int], str]) -> Path:
    """Recordings of which some are called `open`, each with a video whose frames are 26 and its number."""
    for n, (s, label, t) in enumerate(each()):
        word = "open" if (s, t) == (2, 2) else label
        write(root / f"s{s}_{word}_t{n}.csv", signal(s, label, t), head="# rate_hz: 50\nx,y,z")
        write_video(root / video(s, word, n), frames=26 + n)
    return root


@pytest.mark.parametrize(
    ("video", "pattern"),
    [
        (lambda s, word, n: f"video/s{s}_{word}_t{n}.mp4", None),
        (lambda s, word, n: f"v/{word}-{s}-{n}-front.mp4", "v/{label}-{subject}-{trial}-*.mp4"),
    ],
    ids=["stems", "pattern"],
)
def test_recordings_without_a_label_have_videos_too(
    video: Callable[[int, str, int], str], pattern: str | None, tmp_path: Path
) -> None:
    folder = half_known(tmp_path / "in", video)
    done = import_folder(folder, tmp_path / "set", Stated(unlabelled="open", video_pattern=pattern))
    assert [r.id for r in done.index.unlabelled] == ["s2_open_t5", "s2_open_t7"] and len(done.index) == 6
    for recording in done.index.everything:
        frames = len(list(read_frames(recording.stream("video").path, size=None)))
        assert frames == 26 + int(recording.trial)
    assert ("unlabelled", "2 recordings") in [(g.what, g.value) for g in done.guesses]
    assert not [note for note in done.notes if "label" in note]


def test_what_may_be_no_label_is_asked_about_and_what_has_no_video_is_named(tmp_path: Path) -> None:
    folder = half_known(tmp_path / "in", lambda s, word, n: f"s{s}_{word}_t{n}.mp4")
    for path in folder.glob("*open*.csv"):
        path.rename(path.with_name(path.name.replace("open", "unknown")))
    done = import_folder(folder, tmp_path / "class", Stated())
    assert any("say --unlabelled unknown" in note for note in done.notes) and not done.index.unlabelled
    done = import_folder(folder, tmp_path / "none", Stated(unlabelled="unknown"))
    assert any("2 recordings without a label have no video" in note for note in done.notes)
