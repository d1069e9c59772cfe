"""Opening video files.

The video of a file is its first video stream that is no attached picture (the cover of an album, a thumbnail).
"""

from pathlib import Path
from typing import Any

from vskd.errors import DataError, MissingExtraError

DAMAGED = "The file is truncated or damaged; copy it again from the original data set, or remove the recording"


def import_av() -> Any:
    """PyAV.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        import av
    except ImportError as error:
        raise MissingExtraError("av", "video") from error
    return av


def open_video(path: Path) -> Any:
    """Open a file that has a video; a context manager.

    Raises:
        DataError: missing or unreadable file, or no video stream in it.
    """
    av = import_av()
    if not path.is_file():
        raise DataError(f"{path}: no such file", "Check the data folder, or complete the download")
    try:
        # A title that is no UTF-8 does no harm; a play list must not reach for the network.
        container = av.open(str(path), metadata_errors="replace", options={"protocol_whitelist": "file"})
    except (av.FFmpegError, OSError, ValueError) as error:
        raise DataError(f"{path}: not a readable video ({error})", DAMAGED) from error
    try:
        video_stream(container, path)
    except DataError:
        container.close()
        raise
    return container


def video_stream(container: Any, path: Path) -> Any:
    """The video of a file, which may have pictures attached."""
    from av.stream import Disposition

    attached = Disposition.attached_pic | Disposition.timed_thumbnails
    streams = [stream for stream in container.streams.video if not stream.disposition & attached]
    if not streams:
        what = "only an attached picture" if container.streams.video else "no video stream"
        raise DataError(f"{path}: has {what}", "Check that this is the right kind of file")
    if streams[0].codec_context is None:
        raise DataError(f"{path}: its video is in a format that is not known here", "Convert it, e.g. to H.264")
    return streams[0]
