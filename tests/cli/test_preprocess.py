"""`vskd preprocess`: from a small synthetic world to stores and pictures, and the ways it can go wrong."""

import json
import re
import shutil
import weakref
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import h5py
import numpy as np
import pytest
from PIL import Image
from scipy.io import loadmat

from tests.datasets.video.clips import write_clip
from tests.preprocessing.video.clips import only_sound
from vskd.cli import preprocess
from vskd.datasets import catalog
from vskd.datasets.recording import Index, Problem, Recording, Stream
from vskd.datasets.sensors.source import window_source
from vskd.preprocessing.image import picture_files
from vskd.preprocessing.sensor.reading import Reading
from vskd.preprocessing.sensor.resampling import resampled
from vskd.preprocessing.stores import clip_arrays, clip_store, frame_store, gaf_store, window_store
from vskd.preprocessing.stores.clip_arrays import LabelledClip
from vskd.preprocessing.stores.frame_store import FrameSource, FrameStore
from vskd.preprocessing.stores.gaf_store import GafStore
from vskd.preprocessing.stores.store import StoreFailure, StoreReport
from vskd.preprocessing.stores.window_store import WindowStore
from vskd.preprocessing.sync.cut import Cut
from vskd.preprocessing.video.chosen import ClipCut
from vskd.preprocessing.video.frames import read_frames
from vskd.preprocessing.video.sampling import clip_indices


def test_windows_whole(vskd, synthetic_root: Path, tmp_path: Path) -> None:
    out = tmp_path / "windows.h5"
    words = ["preprocess", "windows", "synthetic", "--data", synthetic_root, "--length", 32, "--out", out]
    answer = vskd(*words, "--json")
    assert answer.code == 0, answer.err
    assert json.loads(answer.out) == {"path": str(out), "stored": 24, "failures": [], "reused": False}
    store = WindowStore(out)
    assert store.windows("a1_s1_t1").shape == (1, 3, 32)
    assert vskd(*words).out == f"{out}: 24 recordings, was there already\n"
    store.close()
    with h5py.File(out, "r+", locking=False) as file:
        file["recordings/a1_s1_t1"][0, 0, 0] = 7.0
    answer = vskd(*words)
    assert (answer.code, answer.out) == (1, "")
    assert f"{out}" in answer.err and "damaged" in answer.err


def test_windows_sliding(vskd, synthetic_root: Path, tmp_path: Path) -> None:
    words = ["--mode", "sliding", "--rate", 25, "--stride", 8, "--length", 16, "--out", tmp_path / "w.h5"]
    answer = vskd("preprocess", "windows", "synthetic", "--data", synthetic_root, "--stream", "gyroscope", *words)
    assert answer.code == 0, answer.err
    windows = WindowStore(tmp_path / "w.h5").windows("a1_s1_t1")
    assert windows.shape[1:] == (3, 16)
    np.testing.assert_array_equal(windows[0][:, 8:], windows[1][:, :8])


@pytest.mark.parametrize(("words", "rate", "stride"), [(["--rate", 25, "--stride", 5], 25, 5), ([], 50, 8)])
def test_sliding_windows_are_those_of_the_signal(
    vskd, synthetic_root: Path, tmp_path: Path, words: list[object], rate: float, stride: int
) -> None:
    """A stride that is no fraction of the window; by default half a window, at the stream's own rate."""
    sliding = ["--mode", "sliding", "--length", 16, *words, "--out", tmp_path / "w.h5"]
    answer = vskd("preprocess", "windows", "synthetic", "--data", synthetic_root, *sliding)
    assert answer.code == 0, answer.err
    samples = loadmat(synthetic_root / "Inertial" / "a1_s1_t1_inertial.mat")["d_iner"][:, :3].T.astype(np.float32)
    signal = resampled(samples, 50, rate)
    starts = range(0, signal.shape[1] - 15, stride)
    expected = np.stack([signal[:, start : start + 16] for start in starts])
    np.testing.assert_allclose(WindowStore(tmp_path / "w.h5").windows("a1_s1_t1"), expected, rtol=1e-6, atol=1e-6)


def test_gaf_with_pictures(vskd, synthetic_root: Path, tmp_path: Path) -> None:
    vskd("preprocess", "windows", "synthetic", "--data", synthetic_root, "--length", 32, "--out", tmp_path / "w.h5")
    answer = vskd(
        *["preprocess", "gaf", tmp_path / "w.h5", "--method", "gasf+gadf", "--scaling", "fixed", "--size", 32],
        *["--out", tmp_path / "gaf.h5", "--png", tmp_path / "png", "--contact-sheet", tmp_path / "sheet.png"],
    )
    assert answer.code == 0, answer.err
    assert GafStore(tmp_path / "gaf.h5").images("a1_s1_t1").shape == (1, 6, 32, 32)
    assert len(list((tmp_path / "png").glob("*/*.png"))) == 48
    width, height = Image.open(tmp_path / "sheet.png").size
    assert width > 300 and height > 300


def test_frames_with_pictures(vskd, synthetic_root: Path, tmp_path: Path) -> None:
    words = ["--stream", "rgb", "--size", 32, "--out", tmp_path / "f.h5", "--jpeg", tmp_path / "jpeg"]
    answer = vskd("preprocess", "frames", "synthetic", "--data", synthetic_root, *words)
    assert answer.code == 0, answer.err
    store = FrameStore(tmp_path / "f.h5")
    assert len(store.ids) == 24
    assert len(list((tmp_path / "jpeg" / "a1_s1_t1").iterdir())) == store.num_frames("a1_s1_t1")


def write_wide_clip(path: Path) -> None:
    """Three frames of 96 x 48 pixels: black, with a white left quarter that a square from the middle has not."""
    picture = np.zeros((48, 96, 3), np.uint8)
    picture[:, :24] = 255
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=30)
        stream.width, stream.height, stream.pix_fmt = 96, 48, "yuv420p"
        for _ in range(3):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())


@pytest.mark.parametrize(("words", "white"), [(["--fit", "squash"], 1 / 4), (["--fit", "centre-crop"], 0), ([], 0)])
def test_frames_are_fitted_as_asked(vskd, synthetic_root: Path, tmp_path: Path, words: list[str], white: float) -> None:
    world = Path(shutil.copytree(synthetic_root, tmp_path / "world"))
    write_wide_clip(world / "RGB" / "a1_s1_t1_color.mp4")
    words = ["--stream", "rgb", "--size", "32", *words, "--out", str(tmp_path / "f.h5")]
    answer = vskd("preprocess", "frames", "synthetic", "--data", world, *words)
    assert answer.code == 0, answer.err
    frame = FrameStore(tmp_path / "f.h5").frames("a1_s1_t1", [0])[0]
    assert (frame > 128).mean() == pytest.approx(white, abs=1 / 32)


def broken_world(synthetic_root: Path, tmp_path: Path) -> tuple[Path, Path]:
    """A copy of the world whose sensor file a1_s1_t1 is intact as a header and holds NaN."""
    from scipy.io import loadmat, savemat

    world = tmp_path / "world"
    shutil.copytree(synthetic_root, world)
    file = world / "Inertial" / "a1_s1_t1_inertial.mat"
    samples = loadmat(file)["d_iner"].copy()
    samples[5, 0] = np.nan
    savemat(file, {"d_iner": samples})
    return world, file


def test_a_recording_with_nan_is_left_out_and_named(vskd, synthetic_root: Path, tmp_path: Path) -> None:
    world, file = broken_world(synthetic_root, tmp_path)
    out = tmp_path / "w.h5"
    answer = vskd(
        "preprocess", "windows", "synthetic", "--data", world, "--max-bad-fraction", 0.1, "--length", 32, "--out", out
    )
    assert answer.code == 0, answer.err
    assert "23 recordings, written" in answer.out
    assert "a1_s1_t1" in answer.out and str(file) in answer.out
    assert "a1_s1_t1" not in WindowStore(out).ids


def test_too_many_of_them_stop_it_and_leave_nothing(vskd, synthetic_root: Path, tmp_path: Path) -> None:
    world, file = broken_world(synthetic_root, tmp_path)
    out = tmp_path / "out" / "w.h5"
    answer = vskd("preprocess", "windows", "synthetic", "--data", world, "--max-bad-fraction", 0, "--out", out)
    assert (answer.code, answer.out) == (1, "")
    assert answer.err.startswith("error: ") and answer.err.count("\n") == 1
    assert str(file) in answer.err
    assert not out.exists()


@pytest.mark.parametrize(
    ("words", "code", "needles"),
    [
        (["windows", "synthetic", "--stream", "magnetometer"], 1, ["'magnetometer'", "accelerometer"]),
        (["windows", "synthetik"], 1, ["'synthetik'", "synthetic"]),
        (["windows", "synthetic", "--stride", "3"], 2, ["--mode sliding", "vskd preprocess windows --help"]),
        (["windows", "synthetic", "--rate", "25"], 2, ["--mode sliding", "vskd preprocess windows --help"]),
        (["frames", "synthetic", "--stream", "depth"], 1, ["'depth'", "rgb"]),
        (["frames", "synthetic", "--size", "3"], 2, ["--size", "vskd preprocess frames --help"]),
    ],
)
def test_mistakes(vskd, synthetic_root: Path, tmp_path: Path, words: list[str], code: int, needles: list[str]) -> None:
    answer = vskd("preprocess", *words, "--data", synthetic_root, "--out", tmp_path / "x.h5")
    assert (answer.code, answer.out) == (code, "")
    assert all(needle in answer.err for needle in needles), answer.err
    assert list(tmp_path.iterdir()) == []


def test_gaf_of_something_else_is_refused(vskd, tmp_path: Path) -> None:
    (tmp_path / "w.h5").write_bytes(b"not HDF5")
    answer = vskd("preprocess", "gaf", tmp_path / "w.h5", "--out", tmp_path / "gaf.h5")
    assert (answer.code, answer.out) == (1, "")
    assert str(tmp_path / "w.h5") in answer.err
    assert not (tmp_path / "gaf.h5").exists()


def test_a_few_frames_of_each_clip_with_arrays_and_a_table(vskd, moves_root: Path, tmp_path: Path) -> None:
    """The published names and types, blue first; the table's last line is the sum of the others."""
    words = ["--stream", "rgb", "--sequence-length", "4", "--height", "24", "--width", "32", "--workers", "2"]
    beside = ["--npy", tmp_path / "arrays", "--table", tmp_path / "times", "--out", tmp_path / "c.h5"]
    answer = vskd("preprocess", "frames", "video-folder", "--data", moves_root, *words, *beside)
    assert answer.code == 0 and "18 recordings, written" in answer.out
    features, labels, paths = (
        np.load(tmp_path / "arrays" / name) for name in ("features.npy", "labels.npy", "video_file_paths.npy")
    )
    assert (features.shape, features.dtype, labels.dtype) == ((18, 4, 24, 32, 3), np.uint8, np.int64)
    store = FrameStore(tmp_path / "c.h5")
    for number, recording in enumerate(sorted(store.ids)):
        assert str(paths[number]).endswith(recording)
        assert labels[number] == ("down", "right", "still").index(recording.split("/")[1])
        frames = np.broadcast_to(store.frames(recording, np.arange(4)), features[number].shape)
        np.testing.assert_array_equal(features[number], frames[..., ::-1])
    header, *rows, total = [line.split(",") for line in (tmp_path / "times" / "times.csv").read_text().splitlines()]
    assert header == ["step", "clips", "seconds", "peak_rss_bytes"]
    assert [(row[0], row[1]) for row in rows] == [("down", "6"), ("right", "6"), ("still", "6"), ("arrays", "0")]
    assert total[:2] == ["total", "18"]
    assert float(total[2]) == pytest.approx(sum(float(row[2]) for row in rows), abs=0.01)
    assert "total: 18 clips" in (tmp_path / "times" / "times.txt").read_text()


def published_arrays(root: Path, length: int, height: int, width: int) -> tuple[np.ndarray, list[int], list[str]]:
    """As the published loop takes them, with all frames decoded in place of seeking to each."""
    features, labels, paths = [], [], []
    for label, folder in enumerate(sorted(path for path in root.iterdir() if path.is_dir())):
        for path in sorted(folder.iterdir()):
            with av.open(str(path)) as container:
                size = {"width": width, "height": height, "interpolation": "AREA"}
                video = [frame.to_ndarray(format="rgb24", **size)[..., ::-1] for frame in container.decode(video=0)]
            skip, frames = max(int(len(video) / length), 1), []
            for number in range(length):
                if number * skip >= len(video):
                    break
                frames.append(video[number * skip])
            if len(frames) == length:
                features.append(frames)
                labels.append(label)
                paths.append(str(path))
    return np.asarray(features), labels, paths


def test_the_published_sampling_is_that_of_the_published_loop(vskd, tmp_path: Path) -> None:
    """Clips below, at and above the length of a sample; of 15 frames the first 8 are seen, of 17 every other one."""
    for number, frames in enumerate((7, 8, 15, 16, 17, 20)):
        folder = tmp_path / "data" / ("run", "jump")[number % 2]
        write_clip(folder / f"{frames}.mp4", 3 + number, frames)
    words = ["preprocess", "frames", "video-folder", "--data", tmp_path / "data", "--stream", "rgb"]
    words += ["--sequence-length", "8", "--height", "24", "--width", "40", "--fit", "squash", "--sampling", "reference"]
    words += ["--npy", tmp_path / "a", "--table", tmp_path / "t", "--out", tmp_path / "c.h5"]
    answer = vskd(*words, "--max-bad-fraction", "0.2")
    assert answer.code == 0, answer.err
    assert "7 frames are fewer than the 8 of a sample, which the published code leaves out" in answer.out
    features, labels, paths = published_arrays(tmp_path / "data", 8, 24, 40)
    np.testing.assert_array_equal(np.load(tmp_path / "a" / "features.npy"), features)
    assert np.load(tmp_path / "a" / "labels.npy").tolist() == labels == [0, 0, 0, 1, 1]
    assert np.load(tmp_path / "a" / "video_file_paths.npy").tolist() == paths
    rows = [line.split(",")[:2] for line in (tmp_path / "t" / "times.csv").read_text().splitlines()[1:]]
    assert rows == [["jump", "3"], ["run", "2"], ["arrays", "0"], ["total", "5"]], "the one left out is not counted"


def test_bad_clips_are_named_and_counted_up_to_a_share(vskd, tmp_path: Path) -> None:
    """One name in two classes, names that are not ASCII; a file that is no video, and one that is sound only."""
    data = tmp_path / "data"
    names = [f"{label}/{name}.avi" for label in ("laufen", "Sprünge") for name in ("eins", "zwölf", "跳", "b")]
    for seed, name in enumerate(names):
        write_clip(data / name, seed)
    (data / "laufen/b.avi").unlink()
    (data / "laufen/b.mkv").write_bytes(b"no video" * 50)
    only_sound(data / "Sprünge/b.mp4")
    (data / "Sprünge/b.avi").unlink()
    words = ["preprocess", "frames", "video-folder", "--data", data, "--stream", "rgb", "--sequence-length", "4"]
    words += ["--size", "16", "--npy", tmp_path / "arrays", "--out", tmp_path / "c.h5", "--max-bad-fraction"]
    answer = vskd(*words, "0.2")
    assert answer.code == 1 and "2 of 8 recordings are corrupt, more than the allowed 20%" in answer.err
    assert str(data / "laufen/b.mkv") in answer.err and not (tmp_path / "c.h5").exists()
    answer = vskd(*words, "0.25")
    assert answer.code == 0, answer.err
    assert "6 recordings, written" in answer.out and "2 left out:" in answer.out
    rows = [line.split("  ")[0] for line in answer.out.splitlines() if str(data) in line and "b." in line]
    assert rows == ["Sprünge/b.mp4", "laufen/b.mkv"]
    assert np.load(tmp_path / "arrays" / "labels.npy").tolist() == [0, 0, 0, 1, 1, 1]
    paths = [Path(str(path)).relative_to(data).as_posix() for path in np.load(tmp_path / "arrays/video_file_paths.npy")]
    assert sorted(paths) == sorted(name for name in names if "/b." not in name)
    features = np.load(tmp_path / "arrays" / "features.npy")
    for path, clip in zip(paths, features, strict=True):
        whole = np.stack(list(read_frames(data / path, size=16)))
        np.testing.assert_array_equal(clip[..., ::-1], whole[clip_indices(20, 4, "spread", 1)])


def test_what_only_fits_a_few_frames_is_refused_without_them(vskd, moves_root: Path, tmp_path: Path) -> None:
    words = ["frames", "video-folder", "--data", moves_root, "--stream", "rgb", "--out", tmp_path / "f.h5"]
    answer = vskd("preprocess", *words, "--height", "32", "--npy", tmp_path / "a")
    assert answer.code == 2 and "--height, --npy only fit --sequence-length" in answer.err
    answer = vskd("preprocess", *words, "--sequence-length", "4", "--fit", "foreground", "--height", "32")
    assert answer.code == 2 and "foreground makes squares" in answer.err


def test_settings_of_fields_are_handed_on(vskd, record, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As are the fields' pictures: the recordings on a sheet are spread over the store, and shown by their first."""
    from vskd.modalities import tiles

    class Store:
        ids, channel_names = tuple(f"r{n:02}" for n in reversed(range(24))), ("x",)

        def __init__(self, path: Path) -> None:
            assert path == tmp_path / "gaf.h5"

        def images(self, recording: str) -> list[str]:
            return [f"first of {recording}", "second"]

    shown = []
    seen = record(gaf_store, "build_gaf_store", StoreReport(tmp_path / "gaf.h5", 24, (), False))
    monkeypatch.setattr(gaf_store, "GafStore", Store)
    monkeypatch.setattr(tiles, "gaf_tiles", lambda images, names: shown.append((images, names)) or b"picture")
    words = ["--scaling", "fixed", "--limit", 2.5, "--engine", "pyts", "--contact-sheet", tmp_path / "sheet.png"]
    answer = vskd("preprocess", "gaf", tmp_path / "w.h5", *words, "--out", tmp_path / "gaf.h5")
    assert (answer.code, answer.out) == (0, f"{tmp_path / 'gaf.h5'}: 24 recordings, written\n")
    assert list(seen[0].values()) == [tmp_path / "w.h5", tmp_path / "gaf.h5", "gasf", "fixed", 2.5, 64, "pyts"]
    assert shown == [({f"r{n:02}": f"first of r{n:02}" for n in range(0, 24, 3)}, ("x",))]
    assert (tmp_path / "sheet.png").read_bytes() == b"picture"
    Store.ids = Store.ids[-5:]
    vskd("preprocess", "gaf", tmp_path / "w.h5", *words, "--out", tmp_path / "gaf.h5")
    assert list(shown[1][0]) == [f"r{n:02}" for n in range(5)]


def test_settings_of_windows_and_frames_are_handed_on(vskd, record, synthetic_root: Path, tmp_path: Path) -> None:
    report = StoreReport(tmp_path / "x.h5", 24, (), False)
    given = ["synthetic", "--data", synthetic_root, "--max-bad-fraction", 0.3, "--out", tmp_path / "x.h5"]
    windows = record(window_store, "build_window_store", report)
    sliding = ["--mode", "sliding", "--length", 16, "--rate", 25, "--stride", 5]
    assert vskd("preprocess", "windows", *given, *sliding, "--json").code == 0
    first = windows[0].pop("sources")[0]
    assert (first.id, first.rate_hz, first.path.name) == ("a1_s1_t1", 50, "a1_s1_t1_inertial.mat")
    expected = {"mode": "sliding", "length": 16, "rate_hz": 25, "stride": 5, "max_bad_fraction": 0.3}
    assert windows[0] == {"out": tmp_path / "x.h5", "overwrite": False, "keep": None, **expected}
    frames = record(frame_store, "build_frame_store", report)
    assert vskd("preprocess", "frames", *given, "--stream", "rgb", "--size", 32, "--fit", "squash").code == 0
    first = frames[0].pop("sources")[0]
    assert (first.id, first.path.name) == ("a1_s1_t1", "a1_s1_t1_color.mp4")
    expected = {"size": 32, "fit": "squash", "max_bad_fraction": 0.3}
    assert frames[0] == {"out": tmp_path / "x.h5", "overwrite": False, **expected}


def test_a_recording_without_the_other_stream_is_good_enough(vskd, synthetic_root: Path, tmp_path: Path) -> None:
    """Its own stream, corrupt, is what counts."""
    world = Path(shutil.copytree(synthetic_root, tmp_path / "world"))
    (world / "RGB" / "a1_s1_t1_color.mp4").unlink()
    (world / "RGB" / "a1_s1_t2_color.mp4").write_bytes(b"")
    words = ["--data", world, "--max-bad-fraction", 0, "--length", 16, "--out"]
    answer = vskd("preprocess", "windows", "synthetic", *words, tmp_path / "w.h5")
    assert (answer.code, answer.out) == (0, f"{tmp_path / 'w.h5'}: 24 recordings, written\n")
    (world / "Inertial" / "a1_s1_t1_inertial.mat").write_bytes(b"")
    answer = vskd("preprocess", "windows", "synthetic", *words, tmp_path / "v.h5")
    assert answer.code == 1 and "a1_s1_t1_inertial.mat" in answer.err
    assert not (tmp_path / "v.h5").exists()


@pytest.fixture
def given_index(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Index:
    """Three recordings of a data set that nobody wrote; every field of a stream differs from its default."""
    cut, reading = Cut(0.5, 2.5, 0.1, 1.01), Reading(seconds=(1.0, 3.0))

    def streams(name: str) -> dict[str, Stream]:
        return {
            "watch": Stream(
                "watch", "sensor", tmp_path / f"{name}.mat", 31.25, "mg", ("x", "y"), "d", (1, 2), None, 9.5, 3, False,
                reading=reading, cut=cut,
            ),
            "depth": Stream("depth", "video", tmp_path / f"{name}.mp4", 15.0, "uint8", variable="d", cut=cut),
            "rgb": Stream("rgb", "video", tmp_path / f"{name}.avi", 12.5, "uint8", reading=reading),
        }  # fmt: skip

    recordings = tuple(
        Recording(name, "1", "1", label, "1", streams(name)) for name, label in (("a", 1), ("b", 0), ("c", 1))
    )
    index = Index("given", tmp_path, ("sit", "walk"), recordings)
    monkeypatch.setattr(catalog, "get_dataset", lambda name: SimpleNamespace(index=lambda data: index))
    return index


GIVEN = ("given", "--data", "DATA", "--out", "x.h5")


def test_all_that_is_known_of_a_stream_reaches_the_stores(vskd, record, given_index: Index) -> None:
    report = StoreReport(Path("x.h5"), 3, (), False)
    windows = record(window_store, "build_window_store", report)
    assert vskd("preprocess", "windows", *GIVEN, "--stream", "watch").code == 0
    assert windows[0]["sources"] == [window_source(r.id, r.stream("watch")) for r in given_index]
    assert {**windows[0], "sources": None} == {
        **{"sources": None, "out": Path("x.h5"), "mode": "whole", "length": 128, "rate_hz": None, "stride": None},
        **{"max_bad_fraction": 0.02, "overwrite": False, "keep": None},
    }
    frames = record(frame_store, "build_frame_store", report)
    assert vskd("preprocess", "frames", *GIVEN).code == 0
    sources = [FrameSource(r.id, r.stream("depth").path, "d", 15.0, Cut(0.5, 2.5, 0.1, 1.01)) for r in given_index]
    assert frames == [
        {
            **{"sources": sources, "out": Path("x.h5"), "size": 224, "fit": "centre-crop"},
            **{"max_bad_fraction": 0.02, "overwrite": False},
        }
    ]
    clips = record(clip_store, "build_clip_store", report)
    assert vskd("preprocess", "frames", *GIVEN, "--sequence-length", 4).code == 0
    assert clips[0]["sources"] == sources


def test_clips_are_decoded_without_their_index_in_memory(
    vskd, given_index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes twice the memory of what decoding needs of it."""
    alive, real, held = list[Index | None](), preprocess.streams_in, []

    def watched(index: Index, *words: Any) -> dict[str, Stream]:
        held.append(weakref.ref(index))
        return real(index, *words)

    def decoded(*_: Any, **__: Any) -> StoreReport:
        alive.append(held[0]())
        return StoreReport(Path("x.h5"), 3, (), False)

    copies = SimpleNamespace(index=lambda data: replace(given_index))
    monkeypatch.setattr(catalog, "get_dataset", lambda name: copies)
    monkeypatch.setattr(preprocess, "streams_in", watched)
    monkeypatch.setattr(clip_store, "build_clip_store", decoded)
    assert vskd("preprocess", "frames", *GIVEN, "--sequence-length", 4).code == 0
    assert alive == [None]


NOTHING_SAID = {"max_bad_fraction": 0.02, "workers": 1, "check": "used"}


@pytest.mark.parametrize(
    ("words", "cut", "more"),
    [
        ([], ClipCut(4, 224, 224), {}),
        (["--size", 32], ClipCut(4, 32, 32), {}),
        (["--size", 32, "--height", 48], ClipCut(4, 48, 32), {}),
        (["--size", 32, "--width", 48], ClipCut(4, 32, 48), {}),
        (["--height", 16, "--width", 48, "--fit", "squash"], ClipCut(4, 16, 48, "squash"), {}),
        (["--fit", "foreground", "--height", 48, "--width", 48], ClipCut(4, 48, 48, "foreground"), {}),
        (["--fit", "projections"], ClipCut(4, 224, 224, "projections"), {}),
        (["--sampling", "reference"], ClipCut(4, 224, 224, "centre-crop", "reference"), {}),
        (["--sampling", "spread"], ClipCut(4, 224, 224), {}),
        (["--workers", 3], ClipCut(4, 224, 224), {"workers": 3}),
        (["--check", "full"], ClipCut(4, 224, 224), {"check": "full"}),
        (["--max-bad-fraction", 0.25], ClipCut(4, 224, 224), {"max_bad_fraction": 0.25}),
    ],
)
@pytest.mark.usefixtures("given_index")
def test_settings_of_clips_are_handed_on(
    vskd, record, words: list[object], cut: ClipCut, more: dict[str, object]
) -> None:
    seen = record(clip_store, "build_clip_store", StoreReport(Path("x.h5"), 3, (), False))
    answer = vskd("preprocess", "frames", *GIVEN, "--sequence-length", 4, *words)
    assert (answer.code, answer.out) == (0, "x.h5: 3 recordings, written\n"), answer.err
    assert (seen[0]["cut"], seen[0]["out"], seen[0]["overwrite"]) == (cut, Path("x.h5"), False)
    assert {name: seen[0][name] for name in NOTHING_SAID} == NOTHING_SAID | more


@pytest.mark.parametrize("fit", ["foreground", "projections"])
@pytest.mark.usefixtures("given_index")
def test_squares_have_equal_sides(vskd, record, fit: str) -> None:
    seen = record(clip_store, "build_clip_store", StoreReport(Path("x.h5"), 3, (), False))
    answer = vskd("preprocess", "frames", *GIVEN, "--sequence-length", 4, "--fit", fit, "--width", 32)
    assert answer.code == 2 and f"--fit {fit} makes squares" in answer.err and seen == []


@pytest.mark.parametrize(
    "words",
    [
        *(("--height", 32), ("--width", 32), ("--sampling", "spread"), ("--workers", 1), ("--check", "used")),
        *(("--npy", "a"), ("--table", "t")),
    ],
    ids=lambda words: words[0],
)
@pytest.mark.usefixtures("given_index")
def test_each_option_of_clips_alone_is_refused_without_them(vskd, record, words: tuple[object, ...]) -> None:
    seen = record(frame_store, "build_frame_store", StoreReport(Path("x.h5"), 3, (), False))
    answer = vskd("preprocess", "frames", *GIVEN, *words)
    assert answer.code == 2 and f"{words[0]} only fit --sequence-length" in answer.err and seen == []


def test_what_is_beside_the_clips_is_made_of_their_labels(
    vskd, monkeypatch: pytest.MonkeyPatch, given_index: Index, tmp_path: Path
) -> None:
    """Each clip is measured by the name of its class while it is read; pictures are written where they are wanted."""

    def build(sources: list[FrameSource], out: Path, cut: ClipCut, **more: Any) -> StoreReport:
        for source in sources[:2]:
            with more["around"](source):
                pass
        return StoreReport(out, 2, (StoreFailure("c", "c.mp4", "it is cut off"),), False)

    written: list[tuple[object, ...]] = []
    monkeypatch.setattr(clip_store, "build_clip_store", build)
    monkeypatch.setattr(frame_store, "FrameStore", lambda path: f"store {path}")
    monkeypatch.setattr(clip_arrays, "write_clip_arrays", lambda *words: written.append(words))
    monkeypatch.setattr(picture_files, "write_jpegs", lambda *words: written.append(words))
    words = ["--sequence-length", 4, "--npy", "NPY", "--table", tmp_path / "t", "--jpeg", "JPEG"]
    answer = vskd("preprocess", "frames", *GIVEN, *words)
    assert [re.split(r"  +", line) for line in answer.out.splitlines()] == [
        ["x.h5: 2 recordings, written"],
        ["1 left out:"],
        ["recording", "problem", "file"],
        ["c", "it is cut off", "c.mp4"],
    ]
    rows = [LabelledClip(r.id, r.label, str(r.stream("depth").path)) for r in given_index]
    assert written == [("store x.h5", rows, Path("NPY")), ("store x.h5", Path("JPEG"))]
    lines = [line.split(",")[:2] for line in (tmp_path / "t" / "times.csv").read_text().splitlines()]
    assert lines == [["step", "clips"], ["walk", "1"], ["sit", "1"], ["arrays", "0"], ["total", "2"]]
    written.clear()
    for words in ([], ["--sequence-length", 4]):
        monkeypatch.setattr(frame_store, "build_frame_store", lambda *_, **__: StoreReport(Path("x.h5"), 3, (), False))
        assert vskd("preprocess", "frames", *GIVEN, *words).code == 0
    assert written == [], "nothing that nobody asked for"


def test_fields_alone_are_written_where_nothing_else_is_wanted(
    vskd, record, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    seen = record(gaf_store, "build_gaf_store", StoreReport(tmp_path / "gaf.h5", 3, (), False))
    pictures = record(picture_files, "write_pngs", None)
    monkeypatch.setattr(gaf_store, "GafStore", lambda path: f"store {path}")
    words = ("preprocess", "gaf", tmp_path / "w.h5", "--out", tmp_path / "gaf.h5")
    assert vskd(*words).code == 0 and pictures == [] and list(tmp_path.iterdir()) == []
    assert list(seen[0].values()) == [tmp_path / "w.h5", tmp_path / "gaf.h5", "gasf", "minmax", 4.0, 64, "torch"]
    assert vskd(*words, "--method", "gadf", "--size", 16, "--png", "PNG").code == 0
    assert list(seen[1].values())[2:] == ["gadf", "minmax", 4.0, 16, "torch"]
    assert list(pictures[0].values())[:2] == [f"store {tmp_path / 'gaf.h5'}", Path("PNG")]


@pytest.mark.parametrize(("kind", "code"), [("missing", 0), ("unpaired", 0), ("corrupt", 1), ("duplicate", 1)])
def test_problems_of_others_stop_nothing_but_what_is_doubtful_does(
    vskd, record, monkeypatch: pytest.MonkeyPatch, given_index: Index, kind: Any, code: int
) -> None:
    """`z` is no recording of the index; corrupt ones among the streams that are there do not count."""
    problems = (
        Problem("corrupt", "a", "a.mat", "another stream of it"),
        *(Problem(kind, name, f"{name}.mat", "so it is") for name in "zy"),
    )
    index = replace(given_index, problems=problems)
    monkeypatch.setattr(catalog, "get_dataset", lambda name: SimpleNamespace(index=lambda data: index))
    seen = record(frame_store, "build_frame_store", StoreReport(Path("x.h5"), 3, (), False))
    answer = vskd("preprocess", "frames", *GIVEN, "--max-bad-fraction", 0.5)
    assert (answer.code, len(seen)) == (code, 1 - code), answer.err
    assert "a.mat" not in answer.err


def test_an_empty_data_set_has_no_streams(vskd, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    index = Index("given", tmp_path, ("sit",), ())
    monkeypatch.setattr(catalog, "get_dataset", lambda name: SimpleNamespace(index=lambda data: index))
    answer = vskd("preprocess", "windows", *GIVEN)
    assert answer.code == 1 and "Choose one of: none" in answer.err


@pytest.mark.usefixtures("given_index")
def test_streams_to_choose_from_are_named_once_in_order(vskd) -> None:
    answer = vskd("preprocess", "windows", *GIVEN, "--stream", "lidar")
    assert answer.code == 1 and answer.err.endswith("Choose one of: depth, rgb, watch.\n")
