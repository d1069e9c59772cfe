import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from tests.datasets.video.clips import write_clip
from vskd.datasets.recording import Index
from vskd.datasets.sensors.layout import FileSpec, Layout, StreamSpec, index_layout
from vskd.datasets.sensors.utd_mhad import index
from vskd.datasets.synthetic.settings import FRAME_RATE_HZ
from vskd.errors import DataError

Make = Callable[..., Path]
IDS = ("a1_s1_t1", "a2_s1_t1", "a10_s2_t3")


def problems(found: Index, kind: str, *, absent_recordings: bool = False) -> list[tuple[str, str]]:
    """(recording, file name) of one kind of problem; without the ids of the full data set that have no file at all."""
    wanted = [p for p in found.problems if p.kind == kind and (absent_recordings or Path(p.path) != found.root)]
    return [(p.recording, Path(p.path).name) for p in wanted]


def test_paired_recordings_have_their_streams(make_utd: Make) -> None:
    found = index(make_utd(*IDS))
    assert [r.id for r in found] == sorted(IDS)
    first = found.by_id()["a10_s2_t3"]
    assert (first.subject, first.trial, first.label, first.group) == ("2", "3", 9, "2")
    assert list(first.streams) == ["accelerometer", "depth", "gyroscope"]
    accelerometer = first.stream("accelerometer")
    assert (accelerometer.rate_hz, accelerometer.unit, accelerometer.columns) == (50.0, "g", (0, 1, 2))
    assert accelerometer.path == found.root / "Inertial" / "a10_s2_t3_inertial.mat"
    assert first.stream("gyroscope").columns == (3, 4, 5)
    assert {p.kind for p in found.problems} == {"missing"}


def test_every_expected_recording_that_is_absent_is_named(make_utd: Make) -> None:
    missing = problems(index(make_utd(*IDS)), "missing", absent_recordings=True)
    assert len(missing) == 27 * 8 * 4 - len(IDS)
    assert not {recording for recording, _ in missing} & set(IDS)


def test_missing_folder_empty_folder_and_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nowhere does not exist.*--data"):
        index(tmp_path / "nowhere")
    with pytest.raises(DataError, match=r"holds no utd-mhad recordings.*vskd datasets info utd-mhad"):
        index(tmp_path)
    (tmp_path / "file").write_text("x")
    with pytest.raises(DataError, match="is not a folder"):
        index(tmp_path / "file")
    (tmp_path / "Inertial").mkdir()
    with pytest.raises(DataError, match="holds no utd-mhad recordings"):
        index(tmp_path)


def test_the_folder_above_is_recognised(make_utd: Make) -> None:
    root = make_utd("a1_s1_t1")
    with pytest.raises(DataError, match=rf"Pass --data {root}"):
        index(root.parent)


def test_corrupt_files_give_no_stream_and_are_named(make_utd: Make, inertial_file: Callable[..., Path]) -> None:
    ids = [f"a{n}_s1_t1" for n in range(1, 7)]
    root = make_utd(*ids)
    paths = [root / "Inertial" / f"{i}_inertial.mat" for i in ids]
    paths[0].write_bytes(paths[0].read_bytes()[:200])
    inertial_file(paths[1], variable="samples")
    inertial_file(paths[2], columns=4)
    inertial_file(paths[3], samples=0)
    (root / "DepthVideo" / f"{ids[4]}_depth.mp4").write_bytes(b"")
    found = index(root)
    assert problems(found, "corrupt") == [(i, p.name) for i, p in zip(ids[:4], paths, strict=False)] + [
        (ids[4], f"{ids[4]}_depth.mp4")
    ]
    details = " | ".join(p.detail for p in found.problems if p.kind == "corrupt")
    for word in ("truncated", "no array 'd_iner'", "20 x 4 and should be T x 6", "no samples", "empty"):
        assert word in details
    by_id = found.by_id()
    assert all(list(by_id[i].streams) == ["depth"] for i in ids[:4])
    assert list(by_id[ids[4]].streams) == ["accelerometer", "gyroscope"]
    assert problems(found, "unpaired") == [], "a corrupt file is not also called absent"


def test_a_recording_without_any_sound_file_is_left_out_and_named(make_utd: Make) -> None:
    root = make_utd("a1_s1_t1", "a2_s1_t1")
    for path in (root / "Inertial" / "a1_s1_t1_inertial.mat", root / "DepthVideo" / "a1_s1_t1_depth.mp4"):
        path.write_bytes(b"")
    found = index(root)
    assert [r.id for r in found] == ["a2_s1_t1"]
    assert len(problems(found, "corrupt")) == 2
    assert "a1_s1_t1" not in [i for i, _ in problems(found, "missing", absent_recordings=True)]


def test_duplicates_in_nested_and_differently_cased_names(make_utd: Make) -> None:
    root = make_utd("a1_s1_t1", "a2_s1_t1")
    inertial = root / "Inertial"
    (inertial / "copy").mkdir()
    shutil.copyfile(inertial / "a1_s1_t1_inertial.mat", inertial / "copy" / "a1_s1_t1_inertial.mat")
    shutil.copyfile(inertial / "a2_s1_t1_inertial.mat", inertial / "A2_S1_T1_Inertial.MAT")
    shutil.copyfile(inertial / "a2_s1_t1_inertial.mat", inertial / "a02_s1_t1_inertial.mat")
    found = index(root)
    assert [r.id for r in found] == ["a1_s1_t1", "a2_s1_t1"]
    assert [i for i, _ in problems(found, "duplicate")] == ["a1_s1_t1", "a2_s1_t1", "a2_s1_t1"]
    assert found.recordings[0].stream("accelerometer").path == inertial / "a1_s1_t1_inertial.mat"


def test_unknown_class_subject_trial_and_name(make_utd: Make, inertial_file: Callable[..., Path]) -> None:
    root = make_utd("a1_s1_t1")
    for name in ("a28_s1_t1", "a0_s1_t1", "a1_s9_t1", "a1_s1_t5"):
        inertial_file(root / "Inertial" / f"{name}_inertial.mat")
    (root / "Inertial" / "notes.txt").write_text("x")
    (root / "Inertial" / ".a1_s1_t1.tmp").write_text("x")
    (root / "Inertial" / "Thumbs.db").write_text("x")
    found = index(root)
    assert [r.id for r in found] == ["a1_s1_t1"]
    assert sorted(problems(found, "unknown")) == sorted(
        [("", "notes.txt")]
        + [(name, f"{name}_inertial.mat") for name in ("a28_s1_t1", "a0_s1_t1", "a1_s9_t1", "a1_s1_t5")]
    )
    assert "action 28 is no class of utd-mhad, which has 1..27" in {p.detail for p in found.problems}


def test_sensor_and_video_of_different_ids_are_unpaired(make_utd: Make) -> None:
    make_utd("a1_s1_t1", videos=False)
    make_utd("a2_s1_t1", sensors=False)
    found = index(make_utd("a3_s1_t1"))
    unpaired = {p.recording: p.detail for p in found.problems if p.kind == "unpaired"}
    assert unpaired == {
        "a1_s1_t1": "has sensors but no video of the same recording",
        "a2_s1_t1": "has video but no sensors of the same recording",
    }
    assert [r.id for r in found.with_streams(("accelerometer", "depth"))] == ["a3_s1_t1"]
    assert [r.id for r in found] == ["a1_s1_t1", "a2_s1_t1", "a3_s1_t1"]


def test_sensors_alone_are_no_problem(make_utd: Make) -> None:
    assert problems(index(make_utd(*IDS, videos=False)), "unpaired") == []


def test_one_stream_missing_is_named_with_the_file_to_expect(make_utd: Make) -> None:
    root = make_utd("a1_s1_t1", "a2_s1_t1")
    (root / "Skeleton").mkdir()
    savemat(root / "Skeleton" / "a1_s1_t1_skeleton.mat", {"d_skel": np.ones((20, 3, 4))})
    assert problems(index(root), "missing") == [("a2_s1_t1", "a2_s1_t1_skeleton.mat")]


def _depth(root: Path, *ids: str) -> None:
    (root / "Depth").mkdir(exist_ok=True)
    for recording in ids:
        savemat(root / "Depth" / f"{recording}_depth.mat", {"d_depth": np.ones((4, 5, 3), np.uint16)})


def test_depth_comes_from_one_kind_of_file_for_all_recordings(make_utd: Make) -> None:
    root = make_utd("a1_s1_t1", "a2_s1_t1")
    _depth(root, "a1_s1_t1")
    assert {r.stream("depth").path.suffix for r in index(root)} == {".mp4"}
    _depth(root, "a2_s1_t1")
    assert {r.stream("depth").path.suffix for r in index(root)} == {".mp4"}, "the video is preferred at a tie"
    _depth(root, "a3_s1_t1")
    found = index(root)
    assert {r.stream("depth").path.suffix for r in found} == {".mat"}
    assert {(r.stream("depth").variable, r.stream("depth").unit) for r in found} == {("d_depth", "mm")}


@pytest.mark.parametrize(
    ("folder", "suffix", "rate"),
    [("RGB", ".mp4", FRAME_RATE_HZ), ("RGB-part1", ".mp4", FRAME_RATE_HZ), ("rgb", ".avi", 30.0)],
    ids=["RGB", "part", "no rate in the file"],
)
def test_rgb_in_the_folders_people_have(make_utd: Make, video: Path, folder: str, suffix: str, rate: float) -> None:
    root = make_utd("a1_s1_t1")
    (root / folder).mkdir()
    content = b"RIFF" + (28).to_bytes(4, "little") + b"AVI " + bytes(24) if suffix == ".avi" else video.read_bytes()
    (root / folder / f"a1_s1_t1_color{suffix}").write_bytes(content)
    stream = index(root).recordings[0].stream("rgb")
    assert (stream.path.suffix, stream.kind, stream.rate_hz) == (suffix, "video", rate)


def test_index_does_not_depend_on_the_order_of_the_file_system(make_utd: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    root = make_utd(*IDS)
    original = root / "Inertial" / "a1_s1_t1_inertial.mat"
    for folder in ("y", "z"):
        (root / "Inertial" / folder).mkdir()
        shutil.copyfile(original, root / "Inertial" / folder / original.name)
    original.unlink()
    expected = index(root)
    assert expected.by_id()["a1_s1_t1"].stream("accelerometer").path.parent.name == "y"
    scandir = os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: sorted(scandir(path), key=lambda entry: entry.name, reverse=True))
    assert index(root) == expected


def test_what_a_file_server_left_is_no_file_of_the_data_set(make_utd: Make) -> None:
    root = make_utd("a1_s1_t1")
    original = root / "Inertial" / "a1_s1_t1_inertial.mat"
    for folder in ("@eaDir", "__MACOSX", ".thumbnails"):
        (root / "Inertial" / folder).mkdir()
        shutil.copyfile(original, root / "Inertial" / folder / original.name)
    shutil.copyfile(original, root / "Inertial" / "._a1_s1_t1_inertial.mat")
    assert {p.kind for p in index(root).problems} == {"missing"}


def test_linked_folders_are_followed_and_circles_are_not(make_utd: Make) -> None:
    root = make_utd("a1_s1_t1")
    (root / "Inertial").rename(root.parent / "elsewhere")
    (root / "Inertial").symlink_to(root.parent / "elsewhere")
    (root.parent / "elsewhere" / "again").symlink_to(root)
    found = index(root)
    assert list(found.recordings[0].streams) == ["accelerometer", "depth", "gyroscope"]
    assert {p.kind for p in found.problems} == {"missing"}, "nothing is seen twice"


def test_a_name_that_is_no_utf8_is_named(make_utd: Make) -> None:
    root = make_utd("a1_s1_t1")
    (root / "Inertial" / os.fsdecode(b"caf\xe9.mat")).write_bytes(b"x")
    assert problems(index(root), "unknown") == [("", r"caf\xe9.mat")]


def test_unreadable_folder_is_an_error_not_an_empty_one(make_utd: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    root = make_utd("a1_s1_t1")
    scandir = os.scandir

    def refuse(path):  # type: ignore[no-untyped-def]
        if str(path).endswith("Inertial"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(DataError, match=r"Cannot list .*Inertial: Permission denied"):
        index(root)


def test_the_header_s_frame_rate_counts_before_the_published_one(make_utd: Make) -> None:
    root = make_utd("a1_s1_t1")
    write_clip(root / "RGB" / "a1_s1_t1_color.avi")
    stream = index(root).recordings[0].stream("rgb")
    assert stream.rate_hz == pytest.approx(25.0) and stream.unit == "uint8"


def test_of_copies_that_are_damaged_the_one_that_would_be_kept_is_named(make_utd: Make) -> None:
    root = make_utd("a1_s1_t1", "a2_s1_t1")
    original = root / "Inertial" / "a1_s1_t1_inertial.mat"
    (root / "Inertial" / "deep").mkdir()
    shutil.copyfile(original, root / "Inertial" / "deep" / original.name)
    original.write_bytes(b"")
    found = index(root)
    assert [p.path for p in found.problems if p.kind == "corrupt"] == [str(original)]
    assert [p.path for p in found.problems if p.kind == "duplicate"] == [str(original.parent / "deep" / original.name)]


def test_files_that_give_the_same_first_stream_are_kinds_of_one(tmp_path: Path) -> None:
    """Whatever else they give; one kind is taken for all recordings."""
    x, y = (StreamSpec(name, "sensor", 50.0, "g", ("a",), (0,)) for name in "xy")
    kinds = FileSpec("One", ("_one.mat",), (x, y), "d", (None, 1)), FileSpec("Two", ("_two.mat",), (x,), "d", (None, 1))
    for folder, ids in (("One", "1"), ("Two", "12")):
        (tmp_path / folder).mkdir()
        for n in ids:
            savemat(tmp_path / folder / f"a1_s1_t{n}_{folder.lower()}.mat", {"d": np.ones((5, 1))})
    found = index_layout(tmp_path, Layout("mine", ("k", "l"), (1,), (1, 2), kinds))
    assert [(r.id, sorted(r.streams)) for r in found] == [("a1_s1_t1", ["x"]), ("a1_s1_t2", ["x"])]
    (tmp_path / "Two" / "a1_s1_t2_two.mat").unlink()
    (only,) = index_layout(tmp_path, Layout("mine", ("k", "l"), (1,), (1, 2), kinds))
    assert sorted(only.streams) == ["x", "y"]
