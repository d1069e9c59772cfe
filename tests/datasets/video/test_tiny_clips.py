"""Tiny clips against all frames of the clip, scaled one by one; and that they are decoded once."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from tests.datasets.video.clips import write_clip
from vskd.datasets.recording import Recording, Stream
from vskd.datasets.video.tiny_clips import CUT, FRAMES, tiny_clip, tiny_clips
from vskd.preprocessing.stores import clip_store
from vskd.preprocessing.stores.frame_store import FrameSource
from vskd.preprocessing.sync.cut import Cut
from vskd.preprocessing.video.frames import Span, read_frames
from vskd.preprocessing.video.sampling import clip_indices


def video(path: Path) -> Recording:
    stream = Stream("rgb", "video", path, 25.0, "uint8")
    return Recording(path.stem, "1", "1", 0, "1", {"rgb": stream})


def test_they_are_the_middle_frames_of_equal_parts_standardised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recordings = [video(write_clip(tmp_path / f"{n}.mp4", n)) for n in range(2)]
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no video")
    recordings.append(video(broken))
    streams = {r.id: r.stream("rgb") for r in recordings}
    found = tiny_clips(streams, tmp_path / "tiny.h5")
    assert list(found.unreadable) == ["broken"] and "broken.mp4" in found.unreadable["broken"]
    rows = found.of(recordings[:2])
    assert len(rows) == 2 and rows[1:2].shape == (1, FRAMES, 18, 32) and rows[:9].dtype == np.float32
    whole = np.stack(list(read_frames(tmp_path / "1.mp4", size=(18, 32), fit="squash")))
    red, green, blue = np.moveaxis(whole[clip_indices(20, FRAMES, "spread", 1)].astype(float), 3, 0)
    grey = 0.299 * red + 0.587 * green + 0.114 * blue
    np.testing.assert_allclose(rows[1:][0], (grey - grey.mean()) / grey.std(), atol=1e-4)
    monkeypatch.setattr(clip_store, "chosen_frames", None)
    again = tiny_clips(streams, tmp_path / "tiny.h5")
    np.testing.assert_array_equal(again.of(recordings[:2])[:], rows[:])


def test_one_channel_is_grey_already_and_one_colour_is_nothing() -> None:
    frames = np.random.default_rng(0).integers(0, 255, (8, 18, 32, 1), dtype=np.uint8)
    np.testing.assert_allclose(tiny_clip(frames), tiny_clip(np.repeat(frames, 3, axis=3)), atol=1e-4)
    assert (tiny_clip(np.full((8, 18, 32, 1), 7, np.uint8)) == 0).all()


def test_a_store_of_other_frames_is_made_anew(tmp_path: Path) -> None:
    recording = video(write_clip(tmp_path / "a.mp4"))
    source = FrameSource("a", recording.stream("rgb").path, "", 25.0)
    clip_store.build_clip_store([source], tmp_path / "tiny.h5", dataclasses.replace(CUT, height=9))
    found = tiny_clips({"a": recording.stream("rgb")}, tmp_path / "tiny.h5")
    assert found.of([recording])[:].shape == (1, FRAMES, 18, 32)


def test_a_part_of_a_video_is_that_part(tmp_path: Path) -> None:
    whole = Stream("rgb", "video", write_clip(tmp_path / "a.mp4"), 25.0, "uint8")
    streams = {"whole": whole, "part": dataclasses.replace(whole, cut=Cut(0.2, 0.6))}
    found = tiny_clips(streams, tmp_path / "tiny.h5")
    recordings = [Recording(i, "1", "1", 0, "1", {"rgb": s}) for i, s in streams.items()]
    first, second = found.of(recordings)[:]
    frames = np.stack(list(read_frames(whole.path, size=(18, 32), fit="squash", span=Span(0.2, 0.6, 25.0))))
    assert len(frames) == 10 and set(found.ids) == {"whole", "part"}
    np.testing.assert_allclose(second, tiny_clip(frames[clip_indices(10, FRAMES, "spread", 1)]), atol=1e-5)
    assert np.abs(first - second).max() > 0.1


def test_a_store_of_other_clips_is_written_anew(tmp_path: Path) -> None:
    first, second = (video(write_clip(tmp_path / f"{n}.mp4", n)) for n in range(2))
    for one, other in ((first, second), (second, first)):
        found = tiny_clips({one.id: one.stream("rgb")}, tmp_path / "tiny.h5")
        assert one.id in found.ids and other.id not in found.ids
