"""When a video began, as its name or its header says."""

import re
from datetime import UTC, datetime
from pathlib import Path

from vskd.errors import DataError, MissingExtraError

_IN_NAME = re.compile(r"(?<!\d)(20\d{6})[_\-T ]?(\d{6})(?!\d)")


def start_in_name(path: Path) -> float | None:
    """Seconds since 1970 of the local time in a name like `VID_20240301_093015.mp4`, taken for UTC; None without one.

    >>> start_in_name(Path("VID_20240301_093015.mp4")), start_in_name(Path("a1_s1_t1.mp4"))
    (1709285415.0, None)
    """
    match = _IN_NAME.search(path.stem)
    try:
        return (
            datetime.strptime("".join(match.groups()), "%Y%m%d%H%M%S").replace(tzinfo=UTC).timestamp()
            if match
            else None
        )
    except ValueError:
        return None


def start_in_header(path: Path) -> float | None:
    """Seconds since 1970 of the time of creation in a video's header, which is in UTC; None without one.

    Raises:
        DataError: the file cannot be opened.
        MissingExtraError: PyAV is not installed.
    """
    try:
        import av
    except ImportError as error:
        raise MissingExtraError("av", "video") from error

    try:
        with av.open(str(path), metadata_errors="replace", options={"protocol_whitelist": "file"}) as container:
            said = container.metadata.get("creation_time", "")
    except (av.error.FFmpegError, OSError) as error:
        raise DataError(f"{path}: not a readable video ({error})", "Copy it again, or remove it") from error
    try:
        time = datetime.fromisoformat(said)
    except ValueError:
        return None
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()
