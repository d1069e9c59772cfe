"""`vskd predict` with a bundle of images: what is printed, and what is refused."""

import json
from pathlib import Path

import pytest

from vskd.cli.predict_images import print_images


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


def images_answer(kind: str, labels: str):
    from vskd.bundle.predict_images import ImageAnswer, ImagesPrediction

    shares = dict(zip("abcdefg", (0.5, 0.2, 0.1, 0.08, 0.06, 0.04, 0.02), strict=True))
    answers = tuple(ImageAnswer(f"{n}.png", label, shares) for n, label in enumerate(labels))
    return ImagesPrediction(kind, answers, (("x.txt", "is no image"),), {} if kind == "folder" else shares, 3.256)


@pytest.mark.parametrize(
    ("kind", "lines"),
    [
        ("folder", [["image", "label", "probability"], ["0.png", "a", "0.500"], ["1.png", "b", "0.200"],
                    ["2.png", "a", "0.500"]]),
        ("image", [["label", "a"], ["latency", "3.26", "ms", "an", "image"], ["probabilities"], ["a", "0.500"],
                   ["b", "0.200"], ["c", "0.100"], ["d", "0.080"], ["e", "0.060"]]),
        ("video", [["label", "a"], ["latency", "3.26", "ms", "an", "image"],
                   ["mean", "probabilities,", "and", "frames", "of", "each", "label"],
                   ["a", "0.500", "2", "of", "3"], ["b", "0.200", "1", "of", "3"], ["c", "0.100", "0", "of", "3"],
                   ["d", "0.080", "0", "of", "3"], ["e", "0.060", "0", "of", "3"]]),
    ],
)  # fmt: skip
def test_answers_about_pictures_are_printed_by_their_kind(capsys, kind: str, lines: list[list[str]]) -> None:
    answer = images_answer(kind, "aba")
    print_images(answer, as_json=False)
    said = capsys.readouterr()
    assert [line.split() for line in said.out.splitlines()] == lines
    assert said.err == "left out: x.txt: is no image\n"
    print_images(answer, as_json=True)
    content = json.loads(capsys.readouterr().out)
    shares = answer.answers[0].probabilities
    assert content == {
        **{"kind": kind, "label": None if kind == "folder" else "a", "latency_ms": 3.256},
        "probabilities": {} if kind == "folder" else shares,
        "answers": [{"source": f"{n}.png", "label": label, "probabilities": shares} for n, label in enumerate("aba")],
        "left_out": [{"source": "x.txt", "problem": "is no image"}],
    }
