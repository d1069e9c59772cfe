import dataclasses
import io
import os
import subprocess
import sys

import av
import numpy as np
import pytest

from vskd.datasets.synthetic.render import encode_video, frames
from vskd.datasets.synthetic.world import FINE_RATE_HZ, Motion, make_subject, perform

HUES = np.array([0.1, 0.6])


@pytest.fixture(scope="module")
def motion() -> Motion:
    return perform("raise arm", make_subject(0, 1), np.random.default_rng(0))


def test_pictures_show_a_moving_figure(motion: Motion) -> None:
    pictures = np.stack(list(frames(motion, HUES, 15, 96)))
    assert pictures.shape[1:] == (96, 96, 3) and pictures.dtype == np.uint8
    assert len(pictures) == (len(motion.orientation) - 1) // (FINE_RATE_HZ // 15) + 1
    moved = (np.ptp(pictures.astype(int), axis=0).max(axis=-1) > 40).mean()
    assert 0.005 < moved < 0.3, "an arm moves, the background does not"


def test_the_hand_is_drawn_where_it_is(motion: Motion) -> None:
    """The raised right hand of a subject who faces the camera is in the left half of the picture, near the top."""
    pictures = np.stack(list(frames(motion, HUES, 15, 96))).astype(int)
    top = int(np.argmax(motion.joints["right wrist"][::40, 2]))
    changed = np.abs(pictures[top] - pictures[0]).max(axis=-1) > 40
    rows, columns = np.nonzero(changed[:30])
    assert len(rows) > 5
    assert columns.mean() < 48


def test_mirrored_motion_gives_the_mirrored_picture(motion: Motion) -> None:
    other = {"right": "left", "left": "right"}
    mirrored = {}
    for name, position in motion.joints.items():
        side, _, rest = name.partition(" ")
        mirrored[f"{other[side]} {rest}" if side in other else name] = position * np.array([-1.0, 1.0, 1.0])
    one = np.stack(list(frames(motion, HUES, 15, 64))).astype(int)
    two = np.stack(list(frames(dataclasses.replace(motion, joints=mirrored), HUES, 15, 64))).astype(int)
    assert np.abs(one[:, :, ::-1] - two).mean() < 4, "but for the drawing order of the limbs and half a pixel"
    assert np.abs(one - two).mean() > np.abs(one[:, :, ::-1] - two).mean()


def test_hues_change_the_colours_and_nothing_else(motion: Motion) -> None:
    one, two = (np.stack(list(frames(motion, hues, 15, 64))).astype(int) for hues in (HUES, HUES + 0.3))
    assert np.abs(one[0] - two[0]).max() > 40
    still = (np.ptp(one, axis=0).max(axis=-1) < 8) & (np.ptp(two, axis=0).max(axis=-1) < 8)
    moving = (np.ptp(one, axis=0).max(axis=-1) > 40) & (np.ptp(two, axis=0).max(axis=-1) > 40)
    assert moving.any()
    assert still.mean() + moving.mean() > 0.95


def test_video_decodes_to_the_pictures(motion: Motion) -> None:
    pictures = list(frames(motion, HUES, 15, 96))
    with av.open(io.BytesIO(encode_video(iter(pictures), 15, 96))) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, float(stream.average_rate)) == ("h264", 15.0)
        decoded = [frame.to_ndarray(format="rgb24") for frame in container.decode(stream)]
    assert len(decoded) == len(pictures)
    error = np.abs(np.stack(decoded).astype(int) - np.stack(pictures).astype(int)).mean()
    assert error < 6.0


SCRIPT = """
import hashlib, numpy as np
from vskd.datasets.synthetic.render import encode_video, frames
from vskd.datasets.synthetic.world import make_subject, perform
for action, number, name in ((4, 5, "draw circle clockwise"), (10, 1, "squat"), (7, 5, "throw")):
    subject = make_subject(0, number)
    motion = perform(name, subject, np.random.default_rng([0, 2, action, number, 1]))
    pictures = frames(motion, np.full(2, number / 10), 15, 96)
    print(hashlib.sha256(encode_video(pictures, 15, 96)).hexdigest())
"""


def test_bytes_do_not_depend_on_what_was_in_memory() -> None:
    """x264's default settings fail this on these clips: it reads memory it never wrote. glibc fills memory as asked."""
    hashes = set()
    for pattern in ("0", "85", "170"):
        environment = {**os.environ, "MALLOC_PERTURB_": pattern}
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True, env=environment
        )
        hashes.add(done.stdout.strip())
    assert len(hashes) == 1 and len(hashes.pop().split()) == 3


QUARTERS = [[83.73, 80.38, 76.27], [83.67, 80.26, 75.76], [59.68, 62.34, 66.37], [61.12, 63.18, 66.63]]
"""Mean red, green and blue of the quarters of one picture: above left, above right, below left, below right."""


def test_a_published_seed_gives_the_same_pictures_in_later_versions(motion: Motion) -> None:
    pictures = list(frames(motion, HUES, 15, 96))
    picture = pictures[len(pictures) // 2].astype(float)
    quarters = [picture[a : a + 48, b : b + 48].mean(axis=(0, 1)) for a in (0, 48) for b in (0, 48)]
    assert len(pictures) == 43
    np.testing.assert_allclose(quarters, QUARTERS, atol=0.25)  # a level is what edges may differ by
    wall, floor, shirt, skin = (picture[place].tolist() for place in ((2, 2), (94, 2), (40, 48), (20, 48)))
    assert (wall, floor, shirt, skin) == ([69, 72, 76], [38, 34, 29], [191, 138, 57], [242, 179, 133])


def test_the_file_says_how_it_was_encoded_and_by_no_version_of_a_library(motion: Motion) -> None:
    content = encode_video(iter(list(frames(motion, HUES, 15, 96))[:3]), 15, 96)
    for setting in (b"bframes=0", b"crf=20.0", b"threads=1", b"me=hex subme=2"):
        assert setting in content, setting
    assert b"Lavf" not in content and b"Lavc" not in content
