"""`vskd predict`: options reach the bundle that has a use for them, and are refused elsewhere."""

from pathlib import Path

import pytest

from vskd.bundle.file_reading import FileReading


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("--stream", "--rate", "50"), "--rate does not fit --stream"),
        (("--stream-settings", "s.yaml"), "--stream-settings does nothing without --stream"),
    ],
)
def test_options_that_do_not_fit_a_stream(vskd, bundle: Path, words: tuple[str, ...], problem: str):
    answer = vskd("predict", bundle, "r.csv", *words)
    assert answer.code == 2 and problem in answer.err


SENSOR = {"--rate": 50, "--unit": "g", "--columns": "1", "--time": 0, "--variable": "x"}


IMAGES = {"--box": "whole", "--every": 2, "--piece": 1}


TIME = {"--out": "o", "--plot": "p", "--smoothing": "none", "--votes": 2, "--mean-seconds": 2, "--min-seconds": 0,
        "--unknown-below": 0}  # fmt: skip


@pytest.mark.parametrize(("flag", "value"), {**SENSOR, **IMAGES, **TIME}.items())
def test_each_option_is_refused_where_it_does_nothing(vskd, bundle: Path, tmp_path: Path, flag: str, value) -> None:
    (tmp_path / "i.png").touch()
    answer = vskd("predict", bundle, "r.csv", "--stream", flag, value)
    assert answer.code == 2 and f"{flag} does not fit --stream; see --stream-settings" in answer.err
    file, what = ("r.csv", "a") if flag in IMAGES else (tmp_path / "i.png", "no")
    answer = vskd("predict", bundle, file, flag, value)
    assert answer.code == 2 and f"{flag} does not fit {file}, which is {what} recording of a sensor." in answer.err


def test_options_that_do_nothing_are_named_together(vskd, bundle: Path) -> None:
    answer = vskd("predict", bundle, "clip.mp4", "--out", "t.csv", "--plot", "t.png")
    assert answer.code == 2
    assert "--out, --plot do not fit clip.mp4, which is no recording of a sensor." in answer.err


@pytest.mark.parametrize("flag", ["--out", "--plot"])
def test_pieces_of_a_video_are_no_timeline_and_the_error_says_where_they_stand(vskd, bundle: Path, flag: str) -> None:
    answer = vskd("predict", bundle, "clip.mp4", "--piece", 2, flag, "t")
    assert answer.code == 2 and f"{flag} does not fit --piece: pieces of a video" in answer.err
    assert "--json has the start and label of each" in answer.err


@pytest.mark.parametrize("words", [("r.csv", "--out", "t.csv"), ("r.csv", "--stream"), ("i.png", "--box", "whole")])
def test_a_bundle_that_is_not_there_is_said_first(vskd, tmp_path: Path, words: tuple[str, ...]) -> None:
    answer = vskd("predict", tmp_path / "none", *words)
    assert answer.code == 1
    assert answer.err == f"error: There is no folder {tmp_path / 'none'}. Give the folder that `vskd export` wrote.\n"


@pytest.mark.parametrize(("text", "box"), [("1,2,3.5,4", (1.0, 2.0, 3.5, 4.0)), ("whole", "whole")])
def test_a_box_is_four_numbers_or_a_word(vskd, bundle: Path, tmp_path: Path, monkeypatch, text: str, box) -> None:
    seen: list[tuple[object, ...]] = []
    monkeypatch.setattr("vskd.cli.predict._predict_pictures", lambda *given: seen.append(given))
    (tmp_path / "i.png").touch()
    words = ("predict", bundle, tmp_path / "i.png")
    assert vskd(*words, "--box", text, "--every", 3, "--piece", 0.5, "--json").code == 0
    assert seen == [(bundle, tmp_path / "i.png", FileReading(box=box, every=3), 0.5, True)]
    for wrong in ("1,2,3", "1,2,3,4,5", "a,b,c,d", ""):
        answer = vskd(*words, f"--box={wrong}")
        assert answer.code == 2 and f"'{wrong}' is no box; write X1,Y1,X2,Y2 in pixels, or whole" in answer.err


@pytest.mark.parametrize(("flag", "value"), {**TIME, "--smoothing": "hmm"}.items())
def test_a_model_of_whole_recordings_has_no_timeline(vskd, record, bundle: Path, flag: str, value: object) -> None:
    import vskd.bundle.predict as library

    seen = record(library, "predict_file", None)
    answer = vskd("predict", bundle, "r.csv", flag, value)
    assert answer.code == 2 and f"{flag} does nothing: {bundle} answers once for a whole recording" in answer.err
    assert seen == []


@pytest.fixture
def pictures(record, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """A bundle of the kind that a test says, and what the library is asked for."""
    from types import SimpleNamespace

    from vskd.bundle import bundle as opening
    from vskd.bundle import predict_clips, predict_images
    from vskd.cli import predict_clips as of_clips
    from vskd.cli import predict_images as of_images

    (tmp_path / "v.mp4").touch()
    monkeypatch.setattr(of_clips, "print_clip", lambda answer, as_json: print(answer, as_json))
    monkeypatch.setattr(of_images, "print_images", lambda answer, as_json: print(answer, as_json))

    clips, images = record(predict_clips, "predict_clip", "clip"), record(predict_images, "predict_images", "images")

    def of(kind: str):
        contract = SimpleNamespace(manifest=SimpleNamespace(contract=SimpleNamespace(kind=kind)))
        monkeypatch.setattr(opening, "load_bundle", lambda path: contract)
        clips.clear()
        images.clear()
        return clips, images

    return of


def test_settings_of_pictures_reach_the_bundle_that_has_them(vskd, pictures, bundle: Path, tmp_path: Path) -> None:
    words, file = ("predict", bundle, tmp_path / "v.mp4"), tmp_path / "v.mp4"
    clips, images = pictures("clip")
    assert vskd(*words, "--piece", 2.5, "--json").out == "clip True\n" and vskd(*words).out == "clip False\n"
    assert clips == [{"bundle": bundle, "path": file, "piece_s": piece} for piece in (2.5, None)] and images == []
    for flag, value in (("--box", "1,2,3,4"), ("--box", "whole"), ("--every", 1)):
        answer = vskd(*words, flag, value)
        assert answer.code == 2 and f"{flag} does not fit {bundle}, which takes video clips." in answer.err
    clips, images = pictures("image")
    assert vskd(*words, "--box", "1,2,3,4", "--every", 3, "--json").out == "images True\n"
    assert vskd(*words).out == "images False\n"
    readings = [FileReading(box=(1.0, 2.0, 3.0, 4.0), every=3), FileReading()]
    assert images == [{"bundle": bundle, "path": file, "reading": reading} for reading in readings]
    answer = vskd(*words, "--piece", 2)
    assert answer.code == 2 and f"--piece does not fit {bundle}, which takes images." in answer.err and clips == []
    clips, images = pictures("sensor")
    answer = vskd(*words, "--piece", 2)
    assert answer.code == 2 and f"--piece does not fit {bundle}, which takes recordings of a sensor." in answer.err
