import shutil
import weakref
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from tests.preprocessing.stores.test_frame_store import pictures, write_video
from vskd.preprocessing.stores import clip_arrays
from vskd.preprocessing.stores.clip_arrays import LabelledClip, write_clip_arrays
from vskd.preprocessing.stores.clip_store import build_clip_store
from vskd.preprocessing.stores.frame_store import FrameSource, FrameStore
from vskd.preprocessing.video.chosen import ClipCut


def test_colours_are_exchanged_grey_is_repeated_and_absent_clips_are_left_out(tmp_path: Path) -> None:
    sources = []
    for name, colour in (("red", True), ("grey", False)):
        sources.append(FrameSource(name, write_video(tmp_path / f"{name}.mp4", pictures(8, colour)), "", 30.0))
    build_clip_store(sources, tmp_path / "c.h5", ClipCut(3, 24, 32))
    rows = [LabelledClip("red", 4, "r.mp4"), LabelledClip("lost", 1, "l.mp4"), LabelledClip("grey", 2, "Spaß.mp4")]
    store = FrameStore(tmp_path / "c.h5")
    assert write_clip_arrays(store, rows, tmp_path / "out") == 2
    features = np.load(tmp_path / "out" / "features.npy", mmap_mode="r")
    assert np.load(tmp_path / "out" / "labels.npy").tolist() == [2, 4]
    assert np.load(tmp_path / "out" / "video_file_paths.npy").tolist() == ["Spaß.mp4", "r.mp4"]
    grey, red = features
    assert (grey == grey[..., :1]).all()
    np.testing.assert_array_equal(red[..., 2], store.frames("red", np.arange(3))[..., 0])
    assert red[..., 2].mean() > red[..., 0].mean(), "red is the last colour"


def test_few_clips_are_mapped_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clip_arrays, "_BLOCK", 2)
    video = write_video(tmp_path / "a.mp4", pictures(8))
    sources = [FrameSource(f"{n}", Path(shutil.copyfile(video, tmp_path / f"{n}.mp4")), "", 30.0) for n in range(5)]
    build_clip_store(sources, tmp_path / "c.h5", ClipCut(3, 24, 32))
    alive: list[weakref.ref[np.memmap]] = []
    opened = np.lib.format.open_memmap

    def counted(*words: object, **how: object) -> np.memmap:
        assert not any(one() is not None for one in alive), "the last one was closed"
        made = opened(*words, **how)  # type: ignore[arg-type]
        alive.append(weakref.ref(made))
        return made

    monkeypatch.setattr(np.lib.format, "open_memmap", counted)
    store = FrameStore(tmp_path / "c.h5")
    assert write_clip_arrays(store, [LabelledClip(s.id, 0, "") for s in sources], tmp_path / "out") == 5
    assert len(alive) == 4
    features = np.load(tmp_path / "out" / "features.npy")
    for number in range(5):
        np.testing.assert_array_equal(features[number, ..., ::-1], store.frames(str(number), np.arange(3)))


def test_every_choice_of_a_part_is_written(tmp_path: Path) -> None:
    source = FrameSource("a", write_video(tmp_path / "a.mp4", pictures(12)), "", 30.0)
    build_clip_store([source], tmp_path / "c.h5", ClipCut(3, 16, 24, choices=2))
    store = FrameStore(tmp_path / "c.h5")
    assert write_clip_arrays(store, [LabelledClip("a", 7, "a.mp4")], tmp_path / "out") == 1
    features = np.load(tmp_path / "out" / "features.npy")
    assert (features.shape, features.dtype) == ((1, 6, 16, 24, 3), np.uint8)
    np.testing.assert_array_equal(features[0, ..., ::-1], store.frames("a", np.arange(6)))
    labels = np.load(tmp_path / "out" / "labels.npy")
    assert (labels.tolist(), labels.dtype) == ([7], np.int64)


@pytest.mark.parametrize(("clips", "blocks"), [(16, 1), (17, 2), (33, 3)])
def test_sixteen_clips_are_mapped_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clips: int, blocks: int
) -> None:
    class Small:
        ids = frozenset(f"{number:02}" for number in range(clips))
        settings: ClassVar[dict[str, int]] = {"length": 1, "choices": 2, "height": 3, "width": 4}

        def read(self, clip: str) -> np.ndarray:
            return np.full((2, 3, 4, 3), int(clip), np.uint8)

    opened, modes = np.lib.format.open_memmap, []

    def told(path: Path, **how: object) -> np.memmap:
        modes.append(how.get("mode"))
        return opened(path, **how)  # type: ignore[arg-type]

    monkeypatch.setattr(np.lib.format, "open_memmap", told)
    write_clip_arrays(Small(), [LabelledClip(clip, 0, "") for clip in sorted(Small.ids)[::-1]], tmp_path / "out")  # type: ignore[arg-type]
    assert modes == ["w+", *[None] * blocks]
    assert np.load(tmp_path / "out" / "features.npy")[:, 1, 2, 3, 0].tolist() == list(range(clips))
