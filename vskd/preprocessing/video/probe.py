"""What the header of a video says."""

from dataclasses import dataclass
from pathlib import Path

from vskd.preprocessing.matfile import mat_shape
from vskd.preprocessing.video.depth import check_depth_shape
from vskd.preprocessing.video.video_file import import_av, open_video, video_stream


@dataclass(frozen=True)
class VideoInfo:
    """What the header of a video states.

    Attributes:
        num_frames: number of frames as stated or, where the container does not say, duration times rate; 0 if unknown.
        rate_hz: frames per second; 0.0 if unknown (.mat files have no rate).
        height: pixels. width: pixels. Both as the picture is stored, before the camera's mark of rotation is applied.
    """

    path: Path
    num_frames: int
    rate_hz: float
    height: int
    width: int


def probe_video(path: Path, variable: str = "") -> VideoInfo:
    """Read the header of a video or depth .mat file; no frame is decoded.

    Raises:
        DataError: missing or unreadable file, or no video stream in it.
    """
    if path.suffix.lower() == ".mat":
        shape = mat_shape(path, variable)
        check_depth_shape(path, shape)
        return VideoInfo(path, shape[2], 0.0, shape[0], shape[1])
    av = import_av()
    with open_video(path) as container:
        stream = video_stream(container, path)
        rate = float(stream.average_rate or 0.0)
        count = int(stream.frames)
        if not count and container.duration:
            count = round(container.duration / av.time_base * rate)
        return VideoInfo(path, count, rate, int(stream.height), int(stream.width))
