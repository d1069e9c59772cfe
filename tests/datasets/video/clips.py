"""Small videos in the containers of the data sets, encoded once for each container and seed."""

from functools import cache
from pathlib import Path

import av
import numpy as np

CODECS = {".avi": "mpeg4", ".mp4": "libx264", ".mpg": "mpeg1video", ".mkv": "libx264"}


def write_clip(path: Path, seed: int = 0, frames: int = 20, rate: int = 25) -> Path:
    """A square that moves over a shade; another seed moves and shades it otherwise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w", format="mpeg" if path.suffix == ".mpg" else None) as container:
        stream = container.add_stream(CODECS[path.suffix], rate=rate)
        stream.width, stream.height, stream.pix_fmt = 48, 32, "yuv420p"
        for picture in pictures(seed, frames):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return path


def pictures(seed: int, frames: int) -> "list[np.ndarray]":
    """uint8 (32, 48, 3) each."""
    result = np.full((frames, 32, 48, 3), 10 * (seed % 10), np.uint8)
    for number in range(frames):
        across, down = ((number * (1 + seed % 3)) % 36, seed % 20)
        result[number, down : down + 12, across : across + 12] = 255 - 20 * (seed % 7)
    return list(result)


@cache
def clip_bytes(ending: str, seed: int, folder: Path) -> bytes:
    """The content of such a file; `folder` is for scratch."""
    return write_clip(folder / f"scratch{ending}", seed).read_bytes()


def copy_clips(root: Path, names: list[str], seeds: int = 3) -> None:
    """Write clips of these paths; every name has content of its own where there are as many seeds."""
    scratch = root.parent / f"{root.name}-scratch"
    for number, name in enumerate(names):
        target = root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        content = clip_bytes(target.suffix, number % seeds, scratch)
        target.write_bytes(content)
