"""`vskd predict` with a bundle of images: what is printed, and what is refused."""

import json
from pathlib import Path

import pytest


def test_an_image_gets_label_and_probabilities(vskd, finished_images, shapes_root: Path) -> None:
    answer = vskd("predict", finished_images.bundle, shapes_root / "test" / "cross" / "5-0.png")
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.startswith("label ") and "probabilities" in answer.out and " ms an image" in answer.out


def test_a_folder_gets_a_table_and_bad_images_are_named_beside_it(vskd, finished_images, shapes_root, tmp_path) -> None:
    import shutil

    folder = Path(shutil.copytree(shapes_root / "test", tmp_path / "test"))
    (folder / "broken.png").write_bytes(b"")
    answer = vskd("predict", finished_images.bundle, folder)
    assert answer.code == 0
    assert answer.out.splitlines()[0].split() == ["image", "label", "probability"]
    assert len(answer.out.splitlines()) == 16
    assert answer.err.startswith("left out: ") and "broken.png" in answer.err
    content = json.loads(vskd("predict", finished_images.bundle, folder, "--json").out)
    assert (content["kind"], content["label"], len(content["answers"])) == ("folder", None, 15)
    assert [Path(entry["source"]).name for entry in content["left_out"]] == ["broken.png"]


def test_a_video_gets_the_mean_and_frames_per_label(vskd, finished_images, tmp_path: Path) -> None:
    import av
    import numpy as np

    path = tmp_path / "drive.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for _ in range(6):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 90, np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    answer = vskd("predict", finished_images.bundle, path, "--every", 2)
    assert answer.code == 0, answer.err
    assert "3 of 3" in answer.out
    content = json.loads(vskd("predict", finished_images.bundle, path, "--json").out)
    assert [one["source"] for one in content["answers"]] == [f"frame {k}" for k in range(6)]


@pytest.mark.parametrize(
    ("words", "code", "needle"),
    [
        (["--rate", "50"], 2, "--rate does not fit"),
        (["--box", "1,2,3"], 2, "is no box; write X1,Y1,X2,Y2"),
        (["--every", "0"], 2, "--every"),
        (["--box", "1,1,30,30"], 1, "takes whole images"),
    ],
)
def test_what_does_not_fit_an_image_is_refused(vskd, finished_images, shapes_root, words, code: int, needle) -> None:
    answer = vskd("predict", finished_images.bundle, shapes_root / "test" / "cross" / "5-0.png", *words)
    assert (answer.code, answer.out) == (code, "")
    assert needle in answer.err and answer.err.count("\n") == 1


def test_a_box_does_not_fit_a_recording(vskd, finished_images, tmp_path: Path) -> None:
    answer = vskd("predict", finished_images.bundle, tmp_path / "r.csv", "--box", "1,2,30,40")
    assert answer.code == 2 and "a recording of a sensor" in answer.err
    answer = vskd("predict", finished_images.bundle, tmp_path / "r.csv")
    assert answer.code == 1 and "takes images" in answer.err


def test_an_image_that_is_not_there_is_named(vskd, finished_images, tmp_path: Path) -> None:
    for name in ("nowhere.png", "nofolder"):
        answer = vskd("predict", finished_images.bundle, tmp_path / name)
        assert (answer.code, answer.out) == (1, "")
        assert str(tmp_path / name) in answer.err and answer.err.count("\n") == 1
