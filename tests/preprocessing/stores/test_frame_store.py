"""The store of frames: the pixels that were decoded, one channel where the clip is grey, any frames in any order."""

import hashlib
import weakref
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import av
import h5py
import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from tests.preprocessing.video.clips import remuxed
from vskd.errors import CacheError, DataError
from vskd.preprocessing.stores import frame_store
from vskd.preprocessing.stores.frame_store import FrameSource, FrameStore, build_frame_store
from vskd.preprocessing.sync.cut import Cut
from vskd.preprocessing.video.figure import figure_frames
from vskd.preprocessing.video.foreground import crop_to_foreground
from vskd.preprocessing.video.frames import Span, read_frames
from vskd.preprocessing.video.picture import Fit


def write_video(path: Path, pictures: list[np.ndarray]) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30)
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for picture in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return path


def pictures(count: int, colour: bool = True) -> list[np.ndarray]:
    """A square that moves over black, red or grey."""
    result = np.zeros((count, 48, 64, 3), np.uint8)
    for number in range(count):
        left = number % 40
        result[number, 12:36, left : left + 20] = (220, 40, 40) if colour else 200
    return list(result)


@pytest.fixture
def red(tmp_path: Path) -> FrameSource:
    return FrameSource("red", write_video(tmp_path / "red.mp4", pictures(12)), "", 30.0)


@pytest.fixture
def grey(tmp_path: Path) -> FrameSource:
    depth = np.random.default_rng(0).integers(1900, 3300, size=(48, 64, 9)).astype(np.uint16)
    depth[:, :20] = 0
    savemat(tmp_path / "grey.mat", {"d_depth": depth})
    return FrameSource("grey", tmp_path / "grey.mat", "d_depth", 30.0)


def whole(store: FrameStore, recording: str) -> np.ndarray:
    return store.frames(recording, np.arange(store.num_frames(recording)))


@pytest.mark.parametrize("fit", ["centre-crop", "squash"])
def test_pixels_are_the_decoded_ones(red: FrameSource, grey: FrameSource, tmp_path: Path, fit: str) -> None:
    out = tmp_path / "f.h5"
    assert build_frame_store([red, grey], out, size=32, fit=fit).stored == 2  # type: ignore[arg-type]
    store = FrameStore(out)
    for source, channels in ((red, 3), (grey, 1)):
        decoded = np.stack(list(read_frames(source.path, size=32, variable=source.variable, fit=fit)))  # type: ignore[arg-type]
        stored = whole(store, source.id)
        assert stored.shape == (len(decoded), 32, 32, channels)
        assert stored.dtype == np.uint8
        np.testing.assert_array_equal(np.broadcast_to(stored, decoded.shape), decoded)


def test_facts_beside_the_frames(red: FrameSource, grey: FrameSource, tmp_path: Path) -> None:
    build_frame_store([red, grey], tmp_path / "f.h5", size=16)
    store = FrameStore(tmp_path / "f.h5")
    for source, count in ((red, 12), (grey, 9)):
        assert (store.num_frames(source.id), store.rate_hz(source.id)) == (count, 30.0)
        assert store.fact(source.id, "frame_count") == count
        assert store.fact(source.id, "source_sha256") == hashlib.sha256(source.path.read_bytes()).hexdigest()


@pytest.mark.parametrize("kind", ["red", "grey"])
def test_foreground_crops_before_it_resizes(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    source: FrameSource = request.getfixturevalue(kind)
    build_frame_store([source], tmp_path / "f.h5", size=20, fit="foreground")
    native = np.stack(list(read_frames(source.path, size=None, variable=source.variable)))
    stored = whole(FrameStore(tmp_path / "f.h5"), source.id)
    wanted = crop_to_foreground(native, 20)
    assert stored.shape[1:3] == (20, 20)
    np.testing.assert_array_equal(np.broadcast_to(stored, wanted.shape), wanted)


def test_any_frames_in_any_order(red: FrameSource, tmp_path: Path) -> None:
    build_frame_store([red], tmp_path / "f.h5", size=16)
    store = FrameStore(tmp_path / "f.h5")
    everything = whole(store, "red")
    for indices in ([0], [11, 0, 5], [3, 3, 3], [], [2, 1, 2, 1]):
        chosen = np.array(indices, dtype=np.int64)
        np.testing.assert_array_equal(store.frames("red", chosen), everything[chosen])
    for beyond in ([12], [-1], [0, 400]):
        with pytest.raises(CacheError, match="has 12"):
            store.frames("red", np.array(beyond, dtype=np.int64))


@pytest.mark.parametrize("dark", [3, 8, 20])
def test_colour_that_comes_late_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dark: int) -> None:
    """A clip that begins with black frames is no grey clip, wherever the first colour falls in the blocks."""
    monkeypatch.setattr(frame_store, "BLOCK", 8)
    clip = [np.zeros((48, 64, 3), np.uint8)] * dark + pictures(4)
    source = FrameSource("late", write_video(tmp_path / "late.mp4", clip), "", 30.0)
    build_frame_store([source], tmp_path / "f.h5", size=24)
    decoded = np.stack(list(read_frames(source.path, size=24)))
    np.testing.assert_array_equal(whole(FrameStore(tmp_path / "f.h5"), "late"), decoded)


def test_no_more_than_64_frames_are_held_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    alive = most = 0

    def gone() -> None:
        nonlocal alive
        alive -= 1

    def frames(*_: object, **__: object) -> Iterator[np.ndarray]:
        nonlocal alive, most
        for number in range(150):
            frame = np.full((4, 4, 3), number, np.uint8)
            weakref.finalize(frame, gone)
            alive += 1
            most = max(most, alive)
            yield frame
            del frame

    monkeypatch.setattr(frame_store, "clip_frames", frames)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        frame_store.write_clip(FrameSource("a", Path("a.mp4"), "", 30.0), file, size=4, fit="squash")
        assert file["data"][:, 0, 0, 0].tolist() == list(range(150)) and file["data"].attrs["frame_count"] == 150
    assert 64 <= most <= 2 * 64 and alive == 0, "the block that was written, and the next one"


@pytest.mark.parametrize("content", [b"", b"not a video", None], ids=["empty", "junk", "truncated"])
def test_broken_clips_are_named(red: FrameSource, grey: FrameSource, tmp_path: Path, content: bytes | None) -> None:
    data = red.path.read_bytes()
    red.path.write_bytes(data[: len(data) // 2] if content is None else content)
    with pytest.raises(DataError, match=r"red\.mp4"):
        build_frame_store([red, grey], tmp_path / "f.h5", size=16)
    assert not (tmp_path / "f.h5").exists()
    report = build_frame_store([red, grey], tmp_path / "f.h5", size=16, max_bad_fraction=0.5)
    assert [f.id for f in report.failures] == ["red"]
    assert FrameStore(tmp_path / "f.h5").ids == {"grey"}


@pytest.mark.parametrize("other", [{"size": 24}, {"size": 16, "fit": "squash"}])
def test_other_settings_are_refused(red: FrameSource, tmp_path: Path, other: dict[str, object]) -> None:
    build_frame_store([red], tmp_path / "f.h5", size=16)
    with pytest.raises(CacheError, match="other settings"):
        build_frame_store([red], tmp_path / "f.h5", **other)  # type: ignore[arg-type]


def test_real_depth_video_is_stored_with_one_channel(utd_mhad_root: Path, tmp_path: Path) -> None:
    path = utd_mhad_root / "DepthVideo" / "a1_s1_t1_depth.mp4"
    if not path.is_file():
        pytest.skip("needs DepthVideo")
    build_frame_store([FrameSource("a1_s1_t1", path, "", 30.0)], tmp_path / "f.h5", size=64, fit="foreground")
    stored = whole(FrameStore(tmp_path / "f.h5"), "a1_s1_t1")
    assert stored.shape[1:] == (64, 64, 1)
    # the figure fills the square: it is lit from top to bottom or from left to right
    lit = (stored[..., 0] > 16).mean(axis=0) > 0.5
    assert max(np.ptp(np.flatnonzero(lit.any(axis=1))), np.ptp(np.flatnonzero(lit.any(axis=0)))) > 48
    Image.fromarray(stored[0, ..., 0])  # a picture that Pillow takes


def test_a_clip_in_another_container_has_the_same_content(red: FrameSource, tmp_path: Path) -> None:
    other = FrameSource("other", write_video(tmp_path / "other.mp4", pictures(13)), "", 30.0)
    again = FrameSource("again", remuxed(red.path, tmp_path / "again.mkv"), "", 30.0)
    build_frame_store([red, other, again], tmp_path / "f.h5", size=32)
    contents = FrameStore(tmp_path / "f.h5").contents
    assert contents["red"] == contents["again"] != contents["other"]


@pytest.mark.parametrize("fit", ["centre-crop", "foreground", "projections"])
def test_the_part_of_a_clip_that_is_kept(grey: FrameSource, tmp_path: Path, fit: Fit) -> None:
    part = replace(grey, id="part", cut=Cut(0.1, 0.24))
    build_frame_store([grey, part], tmp_path / "f.h5", size=20, fit=fit)
    store = FrameStore(tmp_path / "f.h5")
    span = Span(0.1, 0.24, 30.0)
    if fit == "centre-crop":
        wanted = np.stack(list(read_frames(grey.path, size=20, variable=grey.variable, span=span)))
    else:
        wanted = figure_frames(grey.path, 20, fit, grey.variable, span)
    assert len(wanted) == 5 and store.num_frames("part") == 5 and store.num_frames("grey") == 9
    np.testing.assert_array_equal(np.broadcast_to(whole(store, "part"), wanted.shape), wanted)


def test_a_store_is_replaced_where_that_is_told(red: FrameSource, tmp_path: Path) -> None:
    build_frame_store([red], tmp_path / "f.h5", size=16)
    assert build_frame_store([red], tmp_path / "f.h5", size=16).reused
    assert not build_frame_store([red], tmp_path / "f.h5", size=24, overwrite=True).reused
    store = FrameStore(tmp_path / "f.h5")
    assert store.dataset("red").chunks == (1, 24, 24, 3) and type(store.rate_hz("red")) is float
    assert store.settings == {"size": 24, "fit": "centre-crop"}


def test_frames_are_compressed_whatever_their_colours(red: FrameSource, grey: FrameSource, tmp_path: Path) -> None:
    build_frame_store([red, grey], tmp_path / "f.h5", size=16)
    store = FrameStore(tmp_path / "f.h5")
    assert {store.dataset(name).compression for name in ("red", "grey")} == {"lzf"}
