"""What is a video, and what is none."""

import os
import socket
import sys
from pathlib import Path

import av
import numpy as np
import pytest

from tests.preprocessing.video.clips import only_sound, with_cover_first, write_clip
from vskd.errors import DataError, MissingExtraError
from vskd.preprocessing.video.frames import read_frames
from vskd.preprocessing.video.probe import probe_video
from vskd.preprocessing.video.start import start_in_header
from vskd.preprocessing.video.video_file import open_video


@pytest.mark.parametrize("name", ["clip.mp4", "clip.avi"])
@pytest.mark.parametrize("content", [b"", b"no video at all", bytes(5000)])
def test_unreadable(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    for read in (probe_video, lambda path: list(read_frames(path, size=8))):
        with pytest.raises(DataError, match=name.replace(".", r"\.")):
            read(tmp_path / name)


def test_missing(tmp_path: Path) -> None:
    for name in ("clip.mp4", "clip.mat"):
        with pytest.raises(DataError, match=r"clip\.\w+: no such file"):
            list(read_frames(tmp_path / name, size=8))


def test_attached_pictures_are_no_video(tmp_path: Path) -> None:
    plain = write_clip(tmp_path / "plain.mp4", 12)
    path = with_cover_first(plain, tmp_path / "cover.mp4")
    with av.open(str(path)) as container:
        assert [stream.codec_context.name for stream in container.streams.video] == ["png", "h264"]
    info = probe_video(path)
    assert (info.num_frames, info.height, info.width) == (12, 48, 64)
    for one, other in zip(read_frames(path, size=None), read_frames(plain, size=None), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_cover_alone_is_no_video(tmp_path: Path) -> None:
    path = with_cover_first(only_sound(tmp_path / "sound.mp4"), tmp_path / "song.mp4")
    for read in (probe_video, lambda path: list(read_frames(path, size=8))):
        with pytest.raises(DataError, match=r"song\.mp4: has only an attached picture"):
            read(path)


def test_a_play_list_does_not_reach_for_the_network(tmp_path: Path) -> None:
    path = tmp_path / "clip.avi"
    path.write_text("#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nhttp://192.0.2.1/clip.ts\n#EXT-X-ENDLIST\n")
    with pytest.raises(DataError, match=r"clip\.avi"):
        list(read_frames(path, size=8))


def test_names_and_titles_that_are_no_utf8_do_no_harm(tmp_path: Path) -> None:
    write_clip(tmp_path / "title.mkv", 5, title="Latin-ONE")
    content = (tmp_path / "title.mkv").read_bytes()
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.mkv"))
    path.write_bytes(content.replace(b"Latin-ONE", b"Latin-\xd6\xd1\xc9"))
    assert len(list(read_frames(path, size=8))) == 5


def test_sound_without_pictures(tmp_path: Path) -> None:
    sound = only_sound(tmp_path / "sound.mp4")
    with pytest.raises(DataError, match="no video stream"):
        list(read_frames(sound, size=8))


def test_pyav_absent_is_told_with_the_extra(video: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(MissingExtraError, match="'av'"):
        list(read_frames(video, size=8))


def test_nothing_in_a_file_makes_a_connection(tmp_path: Path) -> None:
    path = tmp_path / "clip.avi"
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        url = f"http://127.0.0.1:{server.getsockname()[1]}/clip.ts"
        path.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n{url}\n#EXT-X-ENDLIST\n")
        for read in (open_video, start_in_header):
            with pytest.raises(DataError, match=r"clip\.avi"):
                read(path)
        with pytest.raises(BlockingIOError):
            server.accept()


def test_a_file_that_is_refused_is_closed(tmp_path: Path) -> None:
    def next_free() -> int:
        descriptor = os.dup(0)
        os.close(descriptor)
        return descriptor

    sound = only_sound(tmp_path / "sound.mp4")
    before = next_free()
    with pytest.raises(DataError, match="no video stream") as caught:
        open_video(sound)
    assert next_free() == before and caught.value.__traceback__ is not None


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv"])
def test_of_several_videos_the_first_is_taken(tmp_path: Path, name: str) -> None:
    with av.open(str(tmp_path / name), "w") as container:
        streams = []
        for side in (32, 64):
            stream = container.add_stream("libx264", rate=10)
            stream.height = stream.width = side
            stream.pix_fmt = "yuv420p"
            streams.append(stream)
        for stream in streams:
            picture = np.zeros((stream.height, stream.width, 3), np.uint8)
            for _ in range(3):
                container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            container.mux(stream.encode())
    assert {frame.shape for frame in read_frames(tmp_path / name, size=None)} == {(32, 32, 3)}
    assert probe_video(tmp_path / name).width == 32
