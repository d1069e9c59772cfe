"""The store of clips: the frames that were asked for, exactly those of the whole clip; and every kind of bad clip."""

import contextlib
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import h5py
import numpy as np
import pytest
from scipy.io import savemat

from tests.preprocessing.stores.test_frame_store import pictures, write_video
from tests.preprocessing.video.clips import marked, only_sound
from vskd.errors import CacheError, DataError
from vskd.preprocessing.stores import clip_store
from vskd.preprocessing.stores.clip_store import build_clip_store, write_clip_frames
from vskd.preprocessing.stores.frame_store import FrameSource, FrameStore
from vskd.preprocessing.sync.cut import Cut
from vskd.preprocessing.video import selected
from vskd.preprocessing.video.chosen import ClipCut
from vskd.preprocessing.video.foreground import crop_to_foreground
from vskd.preprocessing.video.frames import Span, read_frames
from vskd.preprocessing.video.sampling import clip_indices
from vskd.preprocessing.video.selected import read_chosen_frames

CUT = ClipCut(4, 24, 32)


def source(path: Path, variable: str = "") -> FrameSource:
    return FrameSource(path.stem, path, variable, 30.0)


@pytest.fixture
def red(tmp_path: Path) -> FrameSource:
    return source(write_video(tmp_path / "red.mp4", pictures(31)))


def stored(source: FrameSource, cut: ClipCut, out: Path) -> np.ndarray:
    build_clip_store([source], out, cut)
    store = FrameStore(out)
    return store.frames(source.id, np.arange(store.num_frames(source.id)))


@pytest.mark.parametrize("sampling", ["spread", "reference"])
@pytest.mark.parametrize("fit", ["centre-crop", "squash"])
def test_frames_are_those_of_the_whole_clip(red: FrameSource, tmp_path: Path, sampling: str, fit: str) -> None:
    cut = ClipCut(4, 24, 40, fit, sampling, 2 if sampling == "spread" else 1)  # type: ignore[arg-type]
    whole = np.stack(list(read_frames(red.path, size=(24, 40), fit=fit)))  # type: ignore[arg-type]
    indices = clip_indices(31, 4, cut.sampling, cut.choices)
    np.testing.assert_array_equal(stored(red, cut, tmp_path / "c.h5"), whole[indices])
    assert FrameStore(tmp_path / "c.h5").fact("red", "frame_count") == 31


def test_height_and_width_are_not_exchanged(tmp_path: Path) -> None:
    """A picture whose left half is white stays so, in a wide frame and in a high one."""
    half = np.zeros((48, 64, 3), np.uint8)
    half[:, :32] = 255
    path = write_video(tmp_path / "half.mp4", [half] * 4)
    for height, width in ((16, 40), (40, 16)):
        (frame, *_) = stored(source(path), ClipCut(2, height, width, "squash"), tmp_path / f"{height}.h5")
        assert frame.shape[:2] == (height, width)
        assert frame[:, : width // 2 - 2].min() > 200 and frame[:, width // 2 + 2 :].max() < 50


def test_depth_files_and_grey_clips_have_one_channel(tmp_path: Path) -> None:
    depth = np.random.default_rng(0).integers(1900, 3300, size=(48, 64, 9)).astype(np.uint16)
    savemat(tmp_path / "grey.mat", {"d_depth": depth})
    one = stored(source(tmp_path / "grey.mat", "d_depth"), CUT, tmp_path / "c.h5")
    whole = np.stack(list(read_frames(tmp_path / "grey.mat", size=(24, 32), variable="d_depth")))
    np.testing.assert_array_equal(one[..., 0], whole[clip_indices(9, 4, "spread", 1)][..., 0])
    assert one.shape == (4, 24, 32, 1)


def test_the_figure_is_cut_out_of_the_whole_clip(tmp_path: Path) -> None:
    path = write_video(tmp_path / "grey.mp4", pictures(12, colour=False))
    whole = crop_to_foreground(np.stack(list(read_frames(path, size=None))), 32)
    got = stored(source(path), ClipCut(3, 32, 32, "foreground"), tmp_path / "c.h5")
    np.testing.assert_array_equal(got, whole[clip_indices(12, 3, "spread", 1)][..., :1])


def test_a_clip_whose_packets_are_miscounted_is_read_again(red: FrameSource, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = np.stack(list(read_frames(red.path, size=24)))
    for wrong in (0, 20, 40):
        monkeypatch.setattr(selected, "_stated", lambda _, wrong=wrong: wrong)
        got, count = read_chosen_frames(red.path, lambda n: clip_indices(n, 4, "spread", 1), size=24)
        assert count == 31
        np.testing.assert_array_equal(got, whole[clip_indices(31, 4, "spread", 1)])


def test_the_camera_mark_is_applied(tmp_path: Path) -> None:
    path = marked(write_video(tmp_path / "up.mp4", pictures(6)), tmp_path / "turned.mp4", (0, 1, -1, 0))
    whole = np.stack(list(read_frames(path, size=(40, 24), fit="squash")))
    got = stored(source(path), ClipCut(3, 40, 24, "squash"), tmp_path / "c.h5")
    np.testing.assert_array_equal(got, whole[clip_indices(6, 3, "spread", 1)])
    upright = np.stack(list(read_frames(tmp_path / "up.mp4", size=(24, 40), fit="squash")))
    turns = [np.abs(np.rot90(upright[0], k).astype(int) - whole[0]).mean() for k in (1, 3)]
    assert min(turns) < 12 < max(turns), "it is that picture, turned by a quarter"


def test_frames_of_varying_duration_are_taken_by_their_number(tmp_path: Path) -> None:
    path = tmp_path / "vfr.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number, picture in enumerate(pictures(12)):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts = number**2
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    got = stored(source(path), ClipCut(12, 24, 32), tmp_path / "c.h5")
    np.testing.assert_array_equal(got, np.stack(list(read_frames(path, size=(24, 32)))))
    assert len(np.unique(got.reshape(12, -1), axis=0)) == 12


def without_frames(path: Path) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        container.start_encoding()
    return path


def empty(path: Path) -> Path:
    path.touch()
    return path


def no_video(path: Path) -> Path:
    path.write_bytes(b"no video at all" * 50)
    return path


def cut_off(path: Path) -> Path:
    content = write_video(path, pictures(31)).read_bytes()
    path.write_bytes(content[: len(content) // 2])
    return path


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (without_frames, "has no frames|no video stream|no frame index"),
        (only_sound, "no video stream"),
        (cut_off, "truncated|not a readable video"),
        (empty, "not a readable video"),
        (no_video, "not a readable video"),
    ],
)
def test_one_bad_clip_among_many_is_named_and_counted(
    red: FrameSource, tmp_path: Path, make: Callable[[Path], Path], told: str
) -> None:
    sources = []
    for number in range(9):
        path = tmp_path / f"good{number}.mp4"
        shutil.copyfile(red.path, path)
        sources.append(source(path))
    bad = source(make(tmp_path / "bad.mp4"))
    with pytest.raises(DataError, match=r"1 of 10 recordings are corrupt, more than the allowed 5%: .*bad.mp4"):
        build_clip_store([*sources, bad], tmp_path / "c.h5", CUT, max_bad_fraction=0.05)
    report = build_clip_store([*sources, bad], tmp_path / "c.h5", CUT, max_bad_fraction=0.1)
    assert report.stored == 9
    (failure,) = report.failures
    assert failure.id == "bad" and "bad.mp4" in failure.problem
    assert re.search(told, failure.problem)


def test_short_clips_repeat_frames_and_the_published_sampling_names_them(red: FrameSource, tmp_path: Path) -> None:
    short = source(write_video(tmp_path / "short.mp4", pictures(3)))
    assert len(stored(short, ClipCut(8, 24, 32), tmp_path / "a.h5")) == 8
    report = build_clip_store(
        [red, short], tmp_path / "b.h5", ClipCut(8, 24, 32, sampling="reference"), max_bad_fraction=0.5
    )
    assert [f.id for f in report.failures] == ["short"] and "3 frames are fewer than the 8" in report.failures[
        0
    ].problem


def test_an_interrupted_build_goes_on_where_it_stopped(
    red: FrameSource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    second = source(Path(shutil.copyfile(red.path, tmp_path / "second.mp4")))
    seen: list[str] = []

    def stops(one: FrameSource, file: h5py.File, **how: Any) -> None:
        if one.id == "second" and not seen.count("second"):
            seen.append(one.id)
            raise KeyboardInterrupt
        seen.append(one.id)
        write_clip_frames(one, file, **how)

    monkeypatch.setattr(clip_store, "write_clip_frames", stops)
    with pytest.raises(KeyboardInterrupt):
        build_clip_store([red, second], tmp_path / "c.h5", CUT)
    assert not (tmp_path / "c.h5").exists()
    assert build_clip_store([red, second], tmp_path / "c.h5", CUT).stored == 2
    assert seen == ["red", "second", "second"]


def test_workers_change_nothing_but_the_time(red: FrameSource, tmp_path: Path) -> None:
    sources = [source(write_video(tmp_path / f"{n}.mp4", pictures(9 + n))) for n in range(5)] + [red]
    stores = []
    for workers in (1, 3):
        build_clip_store(sources, tmp_path / f"{workers}.h5", CUT, workers=workers)
        stores.append(FrameStore(tmp_path / f"{workers}.h5"))
    for one in sources:
        np.testing.assert_array_equal(*(store.frames(one.id, np.arange(4)) for store in stores))


def test_the_real_clips(shared_data: Path, tmp_path: Path) -> None:
    """UCF11's own .mpg, and the fixtures."""
    real = shared_data / "ucf11-sample/UCF11_updated_mpg/biking/v_biking_01/v_biking_01_01.mpg"
    sources = [source(path) for path in (real, *sorted((shared_data / "video-fixtures").glob("*.*")))]
    report = build_clip_store(sources, tmp_path / "c.h5", ClipCut(16, 112, 112))
    assert report.stored == 3 and not report.failures
    store = FrameStore(tmp_path / "c.h5")
    for one in sources:
        clip = store.frames(one.id, np.arange(16))
        assert clip.shape == (16, 112, 112, 3) and clip.std() > 10
        assert store.fact(one.id, "frame_count") > 16


def test_one_clip_is_decoded_by_many_threads_and_several_by_one_each(
    red: FrameSource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    real = clip_store.chosen_frames

    def chosen(path: Path, cut: ClipCut, variable: str, span: object, *how: Any) -> tuple[np.ndarray, int]:
        asked.append((span, how[0]))
        return real(path, cut, variable, None, *how)

    monkeypatch.setattr(clip_store, "chosen_frames", chosen)
    part = replace(red, id="part", cut=Cut(0.2, 0.7))
    times = []

    @contextlib.contextmanager
    def around(one: FrameSource) -> Iterator[None]:
        yield
        times.append(one.id)

    build_clip_store([red, part], tmp_path / "a.h5", CUT, around=around)
    build_clip_store([red], tmp_path / "b.h5", CUT, workers=2)
    assert asked == [(None, 0), (Span(0.2, 0.7, 30.0), 0), (None, 1)] and times == ["red", "part"]
    assert FrameStore(tmp_path / "a.h5").fact("red", "rate_hz") == 30.0


def test_by_default_no_clip_may_be_bad_and_nothing_is_replaced(red: FrameSource, tmp_path: Path) -> None:
    build_clip_store([red], tmp_path / "c.h5", CUT)
    with pytest.raises(CacheError, match="made with other settings"):
        build_clip_store([red], tmp_path / "c.h5", ClipCut(3, 24, 32))
    with pytest.raises(DataError, match="1 of 2 recordings are corrupt, more than the allowed 0%"):
        build_clip_store([red, source(tmp_path / "absent.mp4")], tmp_path / "d.h5", CUT)


def written(frames: np.ndarray, file: h5py.File, monkeypatch: pytest.MonkeyPatch, cut: ClipCut = CUT) -> np.ndarray:
    """What is stored of a clip of 9 frames of which these are chosen."""
    monkeypatch.setattr(clip_store, "chosen_frames", lambda *_: (frames, 9))
    return write_clip_frames(source(Path("a.mp4")), file, cut=cut, threads=1, check="used")


def test_a_clip_of_two_equal_channels_has_three(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only where all of them are equal one is enough."""
    colours = np.random.default_rng(0).integers(0, 255, (2, 4, 4, 3)).astype(np.uint8)
    for equal, channels in (((0, 0, 2), 3), ((0, 1, 0), 3), ((0, 0, 0), 1)):
        with h5py.File(tmp_path / "c.h5", "w") as file:
            written(colours[..., list(equal)], file, monkeypatch)
            assert file["data"].shape[-1] == channels and file["data"].attrs["frame_count"] == 9


def test_a_store_that_was_checked_in_full_is_another_and_one_can_be_replaced(red: FrameSource, tmp_path: Path) -> None:
    out = tmp_path / "c.h5"
    build_clip_store([red], out, CUT)
    assert build_clip_store([red], out, CUT, check="used").reused
    assert "check" not in FrameStore(out).settings
    frames = FrameStore(out).frames("red", np.arange(4))
    with pytest.raises(CacheError, match="made with other settings"):
        build_clip_store([red], out, CUT, check="full")
    assert not build_clip_store([red], out, CUT, check="full", overwrite=True).reused
    assert FrameStore(out).settings["check"] == "full"
    np.testing.assert_array_equal(FrameStore(out).frames("red", np.arange(4)), frames)


def test_what_is_checked_reaches_the_reader(red: FrameSource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    real = clip_store.chosen_frames

    def chosen(*words: Any) -> tuple[np.ndarray, int]:
        asked.append(words[5])
        return real(*words)

    monkeypatch.setattr(clip_store, "chosen_frames", chosen)
    build_clip_store([red], tmp_path / "a.h5", CUT)
    build_clip_store([red], tmp_path / "b.h5", CUT, check="full")
    assert asked == ["used", "full"]


def test_frames_are_chunks_and_those_that_gain_are_compressed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    colours = np.random.default_rng(0).integers(0, 255, (2, 4, 5, 3)).astype(np.uint8)
    grey, views = np.repeat(colours[..., :1], 3, axis=3), ClipCut(2, 16, 16, "projections")
    for frames, cut, compression in ((colours, CUT, None), (grey, CUT, "lzf"), (colours, views, "lzf")):
        with h5py.File(tmp_path / "c.h5", "w") as file:
            stored = written(frames, file, monkeypatch, cut)
            assert file["data"].chunks == (1, 4, 5, stored.shape[-1]) and file["data"].compression == compression
            assert file["data"].attrs["rate_hz"] == 30.0
            np.testing.assert_array_equal(file["data"][()], stored)
