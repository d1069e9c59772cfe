import io
import os
import struct
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat, whosmat

from tests.datasets.video.clips import write_clip
from vskd.datasets.sensors.headers import check_mat_array, check_video, look_at_video, peek_mat
from vskd.datasets.synthetic.settings import FRAME_RATE_HZ
from vskd.errors import DataError


@pytest.mark.parametrize("compressed", [False, True])
def test_peek_mat_agrees_with_scipy(tmp_path: Path, compressed: bool) -> None:
    path = tmp_path / "many.mat"
    content = {
        "d_iner": np.ones((31, 6)),
        "d": np.zeros((2, 3, 4), dtype=np.uint16),
        "a_name_of_more_than_eight_letters": np.float32([[1, 2]]),
        "words": "text",
        "none": np.zeros((0, 6)),
    }
    savemat(path, content, do_compression=compressed)
    listed = {n: shape for n, shape, _ in whosmat(path)}
    listed["words"] = (1, 4)  # scipy counts strings, the file counts letters
    assert {n: a.shape for n, a in peek_mat(path).items()} == listed
    assert [n for n, a in peek_mat(path).items() if not a.numeric] == ["words"]


def test_peek_mat_reads_big_endian_headers(tmp_path: Path) -> None:
    name = struct.pack(">II8s", 1, 6, b"d_iner")
    array = struct.pack(">IIII", 6, 8, 6, 0) + struct.pack(">IIii", 5, 8, 7, 6) + name + struct.pack(">II", 9, 0)
    header = b"MATLAB 5.0".ljust(124) + struct.pack(">H", 0x0100) + b"MI"
    path = tmp_path / "big.mat"
    path.write_bytes(header + struct.pack(">II", 14, len(array)) + array)
    assert peek_mat(path)["d_iner"].shape == (7, 6)


def test_peek_mat_agrees_with_scipy_on_real_files(utd_mhad_root: Path) -> None:
    for folder in ("Inertial", "Skeleton", "Depth"):
        path = sorted((utd_mhad_root / folder).glob("*.mat"))[0]
        assert {n: a.shape for n, a in peek_mat(path).items()} == {n: shape for n, shape, _ in whosmat(path)}


def _mat() -> bytes:
    buffer = io.BytesIO()
    savemat(buffer, {"d_iner": np.random.default_rng(0).normal(size=(50, 6))}, do_compression=True)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", r"empty \(0 bytes\)"),
        (b"hello", "no MATLAB 5 file"),
        (_mat()[:100], "no MATLAB 5 file"),
        (_mat()[:131], "damaged"),
        (_mat()[:-1], "truncated"),
        (_mat()[:400], "truncated"),
        (_mat()[:136] + b"\xff" * len(_mat()[136:]), "damaged"),
        (b"MATLAB 7.3 MAT-file".ljust(512) + b"\x89HDF", "MATLAB 7.3"),
        (_mat()[:128], "no array 'd_iner'"),
    ],
)
def test_spoiled_mat_files_are_named(tmp_path: Path, content: bytes, problem: str) -> None:
    path = tmp_path / "spoiled.mat"
    path.write_bytes(content)
    with pytest.raises(DataError, match=rf"spoiled\.mat.*{problem}"):
        check_mat_array(path, "d_iner", (None, 6))


@pytest.mark.parametrize(
    ("array", "problem"),
    [
        (np.ones((20, 4)), "is 20 x 4 and should be T x 6"),
        (np.ones((0, 6)), "no samples"),
        (np.ones((20, 6, 2)), "is 20 x 6 x 2"),
        ("text", "not numeric"),
    ],
)
def test_wrong_arrays_are_refused(tmp_path: Path, array: object, problem: str) -> None:
    path = tmp_path / "wrong.mat"
    savemat(path, {"d_iner": array})
    with pytest.raises(DataError, match=problem):
        check_mat_array(path, "d_iner", (None, 6))


def test_check_mat_array_accepts_what_is_asked(tmp_path: Path) -> None:
    path = tmp_path / "right.mat"
    savemat(path, {"d_skel": np.ones((20, 3, 5))})
    check_mat_array(path, "d_skel", (20, 3, None))


def test_missing_file_is_a_data_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="Cannot read"):
        peek_mat(tmp_path / "no.mat")
    with pytest.raises(DataError, match="Cannot read"):
        check_video(tmp_path / "no.mp4")


def test_good_mp4_passes(video: Path) -> None:
    assert check_video(video) == pytest.approx(FRAME_RATE_HZ)


@pytest.mark.parametrize(
    ("cut", "problem"), [(0, r"0 bytes"), (4, "never finished"), (200, "truncated"), (-1, "truncated|never finished")]
)
def test_truncated_mp4_is_refused(tmp_path: Path, video: Path, cut: int, problem: str) -> None:
    path = tmp_path / "cut.mp4"
    path.write_bytes(video.read_bytes()[:cut])
    with pytest.raises(DataError, match=rf"cut\.mp4.*({problem})"):
        check_video(path)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"not a video at all", "no MP4"),
        (struct.pack(">I4s", 4, b"ftyp") + bytes(8), "damaged"),
        (struct.pack(">I4s", 1, b"mdat") + bytes(2), "truncated"),
        (struct.pack(">I4sQ", 1, b"mdat", 10**9), "truncated"),
        (struct.pack(">I4s", 0, b"mdat") + bytes(20), "never finished"),
    ],
)
def test_nonsense_mp4_is_refused(tmp_path: Path, content: bytes, problem: str) -> None:
    path = tmp_path / "odd.mp4"
    path.write_bytes(content)
    with pytest.raises(DataError, match=problem):
        check_video(path)


def _avi(period_us: int, missing: int = 0) -> bytes:
    body = b"AVI LIST" + struct.pack("<I", 200) + b"hdrlavih" + struct.pack("<II", 56, period_us) + bytes(180)
    return b"RIFF" + struct.pack("<I", len(body) + missing) + body


def test_avi_header_gives_the_frame_rate(tmp_path: Path) -> None:
    path = tmp_path / "clip.avi"
    path.write_bytes(_avi(66_667))
    assert check_video(path) == pytest.approx(15.0, abs=1e-3)
    path.write_bytes(_avi(0))
    assert check_video(path) is None


@pytest.mark.parametrize(
    ("content", "problem"), [(_avi(66_667, missing=9), "truncated"), (b"RIFF", "no AVI"), (b"RIFF1234WAVE", "no AVI")]
)
def test_spoiled_avi_is_refused(tmp_path: Path, content: bytes, problem: str) -> None:
    path = tmp_path / "clip.avi"
    path.write_bytes(content)
    with pytest.raises(DataError, match=problem):
        check_video(path)


def test_real_avi_passes(shared_data: Path) -> None:
    import av

    path = shared_data / "video-fixtures" / "test.avi"
    with av.open(path) as container:
        expected = float(container.streams.video[0].average_rate)
    assert check_video(path) == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("name", ["a.mp4", "a.avi", "a.mat"])
def test_pipes_are_refused_and_not_waited_for(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / name)
    with pytest.raises(DataError, match="is no regular file"):
        peek_mat(tmp_path / name) if name == "a.mat" else check_video(tmp_path / name)


def test_peek_mat_knows_arrays_of_many_dimensions(tmp_path: Path) -> None:
    """Seven take 28 bytes, which are filled up to 32."""
    content = {"seven": np.zeros((1, 2, 1, 1, 1, 1, 3)), "five": np.zeros((1, 2, 1, 1, 3))}
    savemat(tmp_path / "a.mat", content)
    assert {n: a.shape for n, a in peek_mat(tmp_path / "a.mat").items()} == {n: a.shape for n, a in content.items()}


@pytest.mark.parametrize(("period_us", "rate"), [(1_000, 1000.0), (999, None), (1_000_000, 1.0), (1_000_001, None)])
def test_frame_periods_that_no_camera_has_are_none(tmp_path: Path, period_us: int, rate: float | None) -> None:
    (tmp_path / "clip.avi").write_bytes(_avi(period_us))
    assert check_video(tmp_path / "clip.avi") == rate


def mat_of_class(number: int) -> bytes:
    """A big-endian file of one array of a MATLAB class, (7, 6)."""
    name = struct.pack(">II8s", 1, 6, b"d_iner")
    array = struct.pack(">IIII", 6, 8, number, 0) + struct.pack(">IIii", 5, 8, 7, 6) + name + struct.pack(">II", 9, 0)
    header = b"MATLAB 5.0".ljust(124) + struct.pack(">H", 0x0100) + b"MI"
    return header + struct.pack(">II", 14, len(array)) + array


@pytest.mark.parametrize("number", range(1, 18))
def test_arrays_of_numbers_are_those_of_classes_six_to_fifteen(tmp_path: Path, number: int) -> None:
    (tmp_path / "a.mat").write_bytes(mat_of_class(number))
    assert peek_mat(tmp_path / "a.mat")["d_iner"].numeric == (6 <= number <= 15)


@pytest.mark.parametrize("kind", [b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"ftyq"])
def test_boxes_with_which_a_video_begins(tmp_path: Path, kind: bytes) -> None:
    (tmp_path / "a.mp4").write_bytes(struct.pack(">I4s", 8, kind) + struct.pack(">I4s", 8, b"moov"))
    if kind == b"ftyq":
        with pytest.raises(DataError, match="is no MP4 video"):
            check_video(tmp_path / "a.mp4")
    else:
        assert check_video(tmp_path / "a.mp4") is None


def test_an_avi_in_capitals_or_without_a_main_header(tmp_path: Path) -> None:
    (tmp_path / "A.AVI").write_bytes(_avi(40_000))
    assert check_video(tmp_path / "A.AVI") == 25.0
    (tmp_path / "a.avi").write_bytes(_avi(40_000).replace(b"avih", b"strh"))
    assert check_video(tmp_path / "a.avi") is None


def test_the_action_names_the_array_that_is_wanted(tmp_path: Path) -> None:
    savemat(tmp_path / "a.mat", {"other": np.ones((2, 2)), "d": "text"})
    with pytest.raises(DataError, match=r"no array 'd_iner' \(it has: d, other\)\. Put the samples into 'd_iner'"):
        check_mat_array(tmp_path / "a.mat", "d_iner", (None, 6))
    with pytest.raises(DataError, match=r"'d' is not numeric\. Store it as a T x 6 array of numbers"):
        check_mat_array(tmp_path / "a.mat", "d", (None, 6))


@pytest.mark.parametrize("ending", [".avi", ".mp4", ".mpg", ".mkv"])
def test_a_video_of_any_format_has_the_rate_of_its_header(tmp_path: Path, ending: str) -> None:
    assert look_at_video(write_clip(tmp_path / f"clip{ending}", rate=24)) == pytest.approx(24, rel=1e-4)


def test_without_pyav_the_rate_of_other_formats_is_not_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = [write_clip(tmp_path / f"clip{ending}", rate=24) for ending in (".avi", ".mp4", ".mkv")]
    monkeypatch.setitem(sys.modules, "av", None)
    assert [round(look_at_video(path), 2) for path in paths] == [24, 24, 0]


def test_what_is_no_video_inside_is_left_to_the_decoder(tmp_path: Path) -> None:
    (tmp_path / "clip.mkv").write_text("not a video")
    assert look_at_video(tmp_path / "clip.mkv") == 0


@pytest.mark.parametrize("ending", [".avi", ".mp4", ".mkv"])
def test_a_truncated_file_is_found_by_its_header(tmp_path: Path, ending: str) -> None:
    path = write_clip(tmp_path / f"clip{ending}")
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(DataError, match=r"clip.*truncated"):
        look_at_video(path)


@pytest.mark.parametrize("name", ["clip.mpg", "clip.mp4", "none.mpg", "none.avi"])
def test_an_empty_file_and_none_are_refused(tmp_path: Path, name: str) -> None:
    if name.startswith("clip"):
        (tmp_path / name).touch()
    with pytest.raises(DataError, match=r"empty \(0 bytes\)|No such file"):
        look_at_video(tmp_path / name)
