from pathlib import Path

import numpy as np

from tests.preprocessing.stores.test_frame_store import pictures, write_video
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
