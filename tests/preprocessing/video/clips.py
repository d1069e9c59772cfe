"""Small clips of every container, and what cameras, cutting and damage do to them."""

import struct
from collections.abc import Callable, Mapping
from pathlib import Path

import av
import numpy as np

HEIGHT, WIDTH = 48, 64
CODECS = {".mp4": "libx264", ".mov": "libx264", ".avi": "mjpeg", ".mkv": "libx264", ".webm": "libvpx-vp9"} | {
    ".mpg": "mpeg1video",
    ".ts": "libx264",
    ".flv": "flv",
    ".wmv": "wmv2",
}


def picture(number: int) -> np.ndarray:
    """Grey that says its number, with a white upper left corner."""
    grey = np.full((HEIGHT, WIDTH, 3), 10 + 6 * number % 200, np.uint8)
    grey[:12, :16] = 255
    return grey


def gradient(number: int, height: int = 48, width: int = 64) -> np.ndarray:
    """A grey picture that says its number by its brightness, with a ramp along the width."""
    ramp = np.linspace(0, 60, width) + 10 * number
    return np.broadcast_to(ramp.astype(np.uint8)[None, :, None], (height, width, 3)).copy()


def write_video(path: Path, pictures: list[np.ndarray], codec: str = "libx264", rate: int = 30) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate)
        stream.height, stream.width = pictures[0].shape[:2] if pictures else (48, 64)
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        for picture in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return path


def write_clip(
    path: Path,
    frames: int = 30,
    *,
    codec: str = "",
    options: Mapping[str, str] | None = None,
    keep: Callable[[int], bool] = lambda number: True,
    sound_seconds: int = 0,
    title: str = "",
) -> Path:
    """Write a clip of 30 frames a second; frames that are not kept are left out as if a camera had dropped them."""
    with av.open(str(path), "w", options=dict(options or {})) as container:
        container.metadata["title"] = title
        codec = codec or CODECS[path.suffix]
        stream = container.add_stream(codec, rate=30)
        stream.height, stream.width = HEIGHT, WIDTH
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        sound = container.add_stream("aac", rate=16000) if sound_seconds else None
        for number in range(frames):
            for packet in stream.encode(av.VideoFrame.from_ndarray(picture(number), format="rgb24")):
                if keep(number):
                    container.mux(packet)
        container.mux(stream.encode())
        for second in range(sound_seconds) if sound else ():
            chunk = av.AudioFrame.from_ndarray(np.zeros((1, 16000), np.float32), format="fltp", layout="mono")
            chunk.sample_rate, chunk.pts = 16000, 16000 * second
            container.mux(sound.encode(chunk))
        if sound:
            container.mux(sound.encode())
    return path


def only_sound(path: Path) -> Path:
    """An .mp4 without a video."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=16000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 16000), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 16000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def marked(path: Path, out: Path, matrix: tuple[float, float, float, float]) -> Path:
    """The .mp4 `path` with a rotation mark: the a, b, c and d of its display matrix."""
    content = bytearray(path.read_bytes())
    place = content.index(b"tkhd") + 4 + 24 + 16  # version and times; layer, group, volume
    a, b, c, d = (round(65536 * value) for value in matrix)
    content[place : place + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    out.write_bytes(content)
    return out


def remuxed(path: Path, out: Path) -> Path:
    """The same packets in another container."""
    with av.open(str(path)) as source, av.open(str(out), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    return out


def edited(path: Path, out: Path, first: float, seconds: float) -> Path:
    """The .mp4 `path` with an edit list that shows `seconds` from `first` on."""
    content = bytearray(path.read_bytes())
    with av.open(str(path)) as container:
        per_second = int(1 / container.streams.video[0].time_base)
    place = content.index(b"elst") + 8
    entries, _, start, rate = struct.unpack_from(">IIiI", content, place)
    assert entries == 1
    struct.pack_into(">IIiI", content, place, 1, round(1000 * seconds), start + round(per_second * first), rate)
    out.write_bytes(content)
    return out


def with_cover_first(path: Path, out: Path) -> Path:
    """The .mp4 `path` with a cover picture, which comes before the track of the video."""
    content = path.read_bytes()
    place = content.index(b"moov") - 4
    (length,) = struct.unpack_from(">I", content, place)
    assert place + length == len(content), "the index must stand last, so that no frame moves"
    data = box(b"data", struct.pack(">II", 14, 0) + _png())
    meta = box(b"meta", bytes(4) + _handler() + box(b"ilst", box(b"covr", data)))
    inside = content[place + 8 :]
    (head,) = struct.unpack_from(">I", inside, 0)  # mvhd stays first
    out.write_bytes(content[:place] + box(b"moov", inside[:head] + box(b"udta", meta) + inside[head:]))
    return out


def box(name: bytes, content: bytes) -> bytes:
    """A box of ISO/IEC 14496-12."""
    return struct.pack(">I4s", 8 + len(content), name) + content


def _handler() -> bytes:
    return box(b"hdlr", bytes(8) + b"mdirappl" + bytes(9))


def _png() -> bytes:
    import io

    from PIL import Image

    file = io.BytesIO()
    Image.new("RGB", (20, 20), "red").save(file, "PNG")
    return file.getvalue()
