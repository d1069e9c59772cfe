"""Draw a moving capsule figure and encode it as H.264 video, the same bytes each time."""

import colorsys
import io
from collections.abc import Iterator

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from vskd.datasets.synthetic.actions import Array
from vskd.datasets.synthetic.world import FINE_RATE_HZ, Motion

# (hue, saturation, value), each 0..1
_SKIN, _WALL, _FLOOR = (0.07, 0.45, 0.95), (0.6, 0.1, 0.3), (0.1, 0.25, 0.15)

_OVERSAMPLING = 2  # drawn larger and averaged down: soft edges
_CAMERA_DISTANCE_M, _CAMERA_HEIGHT_M, _VIEW_M = 3.4, 1.05, 2.5  # _VIEW_M: height of the picture at the subject
# (joints of a capsule's ends, thickness in m, index of its colour); far parts first
_LIMBS = (
    ("{} hip", "{} knee", 0.15, 1),
    ("{} knee", "{} ankle", 0.11, 1),
    ("{} shoulder", "{} elbow", 0.10, 0),
    ("{} elbow", "{} wrist", 0.08, 2),
)

# x264's vectorised code reads uninitialised memory on small pictures with B-frames: its bytes differ from run to run.
# Without B-frames and with its processor-independent code they do not.
_ENCODER = {"preset": "veryfast", "crf": "20", "threads": "1", "bf": "0", "x264-params": "cpu-independent=1"}

Colour = tuple[int, int, int]


def frames(motion: Motion, hues: Array, rate_hz: int, size: int) -> Iterator[NDArray[np.uint8]]:
    """The trial as seen from the front: uint8 (size, size, 3) RGB pictures at `rate_hz`.

    `hues` (2,), 0..1, of shirt and trousers: drawn again for every trial, so that clothes tell a network neither the
    subject nor the action. The room is the same for all, as in a laboratory.
    """
    palette = _palette(hues)
    step = FINE_RATE_HZ // rate_hz
    scale = size * _OVERSAMPLING
    seen = {name: _project(position[::step], scale) for name, position in motion.joints.items()}
    for number in range(len(motion.orientation[::step])):
        picture = _draw({name: points[number] for name, points in seen.items()}, palette, scale)
        yield np.asarray(picture.reduce(_OVERSAMPLING))


def _palette(hues: Array) -> tuple[Colour, ...]:
    """Shirt, trousers, skin, wall and floor."""
    tones = ((hues[0], 0.7, 0.75), (hues[1], 0.55, 0.4), _SKIN, _WALL, _FLOOR)
    red, green, blue = zip(*(colorsys.hsv_to_rgb(float(h), s, v) for h, s, v in tones), strict=True)
    return tuple((round(255 * r), round(255 * g), round(255 * b)) for r, g, b in zip(red, green, blue, strict=True))


def _project(position: Array, size: int) -> Array:
    """Perspective view from the front, (n, 3) metres -> (n, 3): column, row and pixels per metre."""
    depth = _CAMERA_DISTANCE_M - position[:, 1]
    pixels = size / _VIEW_M * _CAMERA_DISTANCE_M / depth
    column = size / 2 - position[:, 0] * pixels  # the subject's right is on the left of the picture
    row = size / 2 - (position[:, 2] - _CAMERA_HEIGHT_M) * pixels
    return np.stack([column, row, pixels], axis=-1)


def _draw(joints: dict[str, Array], palette: tuple[Colour, ...], size: int) -> Image.Image:
    picture = Image.new("RGB", (size, size), palette[3])
    draw = ImageDraw.Draw(picture)
    floor = round(size * (0.5 + (_CAMERA_HEIGHT_M + 0.1) / _VIEW_M * 0.8))
    draw.rectangle((0, floor, size, size), fill=palette[4])
    _capsule(draw, joints["neck"], joints["pelvis"], 0.3, palette[0])
    _capsule(draw, joints["right shoulder"], joints["left shoulder"], 0.12, palette[0])
    _capsule(draw, joints["head"], joints["head"], 0.21, palette[2])
    for start, end, thickness, colour in _LIMBS:
        for name in ("right", "left"):
            _capsule(draw, joints[start.format(name)], joints[end.format(name)], thickness, palette[colour])
    return picture


def _capsule(draw: ImageDraw.ImageDraw, start: Array, end: Array, thickness_m: float, colour: Colour) -> None:
    """A line with round ends; `start` and `end` are (column, row, pixels per metre)."""
    radius = thickness_m * float(start[2] + end[2]) / 4
    draw.line((*map(float, start[:2]), *map(float, end[:2])), fill=colour, width=max(1, round(2 * radius)))
    for column, row, _ in (start, end):
        draw.ellipse((column - radius, row - radius, column + radius, row + radius), fill=colour)


def encode_video(pictures: Iterator[NDArray[np.uint8]], rate_hz: int, size: int) -> bytes:
    """Encode uint8 (size, size, 3) pictures as an MP4 file of H.264; equal pictures give equal bytes."""
    buffer = io.BytesIO()
    with av.open(buffer, mode="w", format="mp4", options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream("libx264", rate=rate_hz, options=dict(_ENCODER))
        stream.width, stream.height, stream.pix_fmt = size, size, "yuv420p"
        stream.codec_context.thread_count = 1
        stream.codec_context.flags |= av.codec.context.Flags.bitexact
        for picture in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    return buffer.getvalue()
