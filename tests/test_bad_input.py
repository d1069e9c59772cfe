"""Bad input, through the program's own door: one clear line naming the file, a non-zero exit, nothing harmed."""

import errno
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import av
import h5py
import numpy as np
import pytest
from PIL import Image
from scipy.io import loadmat, savemat

from tests.datasets.conftest import frame_name, write_image
from vskd.cli.main import run

SENSOR = "Inertial/a1_s1_t1_inertial.mat"
VIDEO = "RGB/a1_s1_t1_color.mp4"
Refused = Callable[..., str]


def snapshot(folder: Path) -> dict[str, str]:
    """Every file in a folder, hidden ones too, by the hash of its content; logs may grow."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != "run.log"]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture
def world(synthetic_root: Path, tmp_path: Path) -> Path:
    """A synthetic world that may be broken."""
    return Path(shutil.copytree(synthetic_root, tmp_path / "world"))


@pytest.fixture
def refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Refused:
    """Run a command that must fail; what was in `results` before must be there afterwards, and nothing else."""
    results = tmp_path / "results"

    def call(*words: object, names: object) -> str:
        before = snapshot(results)
        capsys.readouterr()
        code = run([str(word) for word in words])
        out, err = capsys.readouterr()
        last = err.splitlines()[-1]
        assert code == 1, err
        assert out == ""
        assert last.startswith("error: ") and err.count("error: ") == 1
        assert "Traceback" not in err and "--debug" not in err, "an error nobody foresaw"
        assert str(names) in last
        assert snapshot(results) == before
        assert not [path for path in results.rglob("*") if ".tmp" in path.name]
        return last

    return call


def stored(what: str, world: Path, tmp_path: Path) -> list[object]:
    """Store the good world, and return the words that did it, to be said again once the world is broken."""
    words: list[object] = ["preprocess", what, "synthetic", "--data", world, "--max-bad-fraction", 0]
    words += ["--stream", "rgb", "--size", 16] if what == "frames" else ["--length", 32]
    words += ["--out", tmp_path / "results" / f"{what}.h5"]
    assert run([str(word) for word in words]) == 0
    return words


def distill(world: Path, tmp_path: Path) -> list[object]:
    bad = "dataset.max_bad_fraction=0"
    return ["distill", "--recipe", "demo", "--data", world, "--set", bad, "--out", tmp_path / "results" / "run"]


def test_missing_folder(refused: Refused, tmp_path: Path) -> None:
    folder = tmp_path / "nowhere"
    refused(*distill(folder, tmp_path), names=folder)
    refused("datasets", "index", "utd-mhad", "--data", folder, names=folder)


@pytest.mark.parametrize("dataset", ["utd-mhad", "synthetic"])
def test_empty_folder(refused: Refused, tmp_path: Path, dataset: str) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    refused("datasets", "index", dataset, "--data", folder, names=folder)


def truncate(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def other_variable(file: Path) -> None:
    savemat(file, {"d_skel": loadmat(file)["d_iner"]})


def with_nan(file: Path) -> None:
    samples = loadmat(file)["d_iner"].copy()
    samples[5, 0] = np.nan
    savemat(file, {"d_iner": samples})


def four_columns(file: Path) -> None:
    savemat(file, {"d_iner": loadmat(file)["d_iner"][:, :4]})


def no_samples(file: Path) -> None:
    savemat(file, {"d_iner": np.zeros((0, 6))})


@pytest.mark.parametrize("spoil", [truncate, other_variable, with_nan, four_columns, no_samples])
def test_bad_sensor_file(refused: Refused, world: Path, tmp_path: Path, spoil: Callable[[Path], None]) -> None:
    words = stored("windows", world, tmp_path)
    spoil(world / SENSOR)
    refused(*words, names=world / SENSOR)


@pytest.mark.parametrize("spoil", [truncate, other_variable, four_columns, no_samples])
def test_bad_sensor_file_stops_a_training(
    refused: Refused, world: Path, tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    spoil(world / SENSOR)
    refused(*distill(world, tmp_path), names=world / SENSOR)


def unreadable(file: Path) -> None:
    file.write_bytes(bytes(range(256)) * 40)


def no_bytes(file: Path) -> None:
    file.write_bytes(b"")


def no_frames(file: Path) -> None:
    """A sound container whose video stream holds no frame."""
    with av.open(str(file), "w") as container:
        stream = container.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = 32, 32, "yuv420p"
        container.start_encoding()


def sound_alone(file: Path) -> None:
    with av.open(str(file), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
        sound.sample_rate = 8000
        container.mux([*stream.encode(sound), *stream.encode(None)])


@pytest.mark.parametrize("spoil", [unreadable, no_bytes, no_frames, sound_alone, truncate])
def test_bad_video(refused: Refused, world: Path, tmp_path: Path, spoil: Callable[[Path], None]) -> None:
    words = stored("frames", world, tmp_path)
    spoil(world / VIDEO)
    refused(*words, names=world / VIDEO)


def test_video_and_sensor_of_different_ids(refused: Refused, world: Path, tmp_path: Path) -> None:
    (world / SENSOR).unlink()
    (world / VIDEO.replace("t1", "t2")).unlink()
    assert "unpaired" in refused(*distill(world, tmp_path), names=world / VIDEO)


def test_unknown_class(refused: Refused, world: Path, tmp_path: Path) -> None:
    words = stored("windows", world, tmp_path)
    foreign = world / SENSOR.replace("a1", "a9")
    shutil.copyfile(world / SENSOR, foreign)
    assert "action 9 is no class" in refused(*distill(world, tmp_path), names=foreign)
    refused(*words, names=foreign)


def test_duplicate_ids(refused: Refused, world: Path, tmp_path: Path) -> None:
    words = stored("windows", world, tmp_path)
    second = world / "Inertial" / "copy" / Path(SENSOR).name
    second.parent.mkdir()
    shutil.copyfile(world / SENSOR, second)
    assert "already given by" in refused(*distill(world, tmp_path), names=second)
    refused(*words, names=second)


def test_read_only_output(refused: Refused, world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def read_only(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    words = stored("windows", world, tmp_path)
    with_more_to_do = [*words[:-1], tmp_path / "results" / "new.h5"]
    monkeypatch.setattr(tempfile, "mkstemp", read_only)
    assert "not read-only" in refused(*with_more_to_do, names=tmp_path / "results")


def test_disk_full(refused: Refused, world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def half(path: Path, content: bytes) -> int:
        with path.open("wb") as file:
            file.write(content[: len(content) // 2])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    words = stored("windows", world, tmp_path)
    with_more_to_do = [*words[:-1], tmp_path / "results" / "new.h5"]
    monkeypatch.setattr(Path, "write_bytes", half)
    assert "Free some disk space" in refused(*with_more_to_do, names=tmp_path / "results")


def test_unknown_recipe_key(refused: Refused, world: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "mine.yaml"
    recipe.write_text("extends: demo\nname: mine\nstudent: {training: {epoch: 3}}\n", encoding="utf-8")
    line = refused("distill", "--recipe", recipe, "--data", world, "--out", tmp_path / "results", names="mine.yaml")
    assert "student.training.epoch" in line and "'epochs'" in line


@pytest.fixture
def finished(finished_comparison, tmp_path: Path) -> Path:
    """A copy of the distilled student's run with all that it stands on, not yet evaluated."""
    tree = tmp_path / "results"
    shutil.copytree(finished_comparison.out, tree, ignore=shutil.ignore_patterns("demo-no-kd"))
    student = tree / "runs" / "demo" / "seed0"
    (student / "results.json").unlink()
    return student


def test_teacher_cache_of_another_teacher(refused: Refused, finished: Path) -> None:
    (cache,) = (finished / "../../../cache").resolve().glob("teacher-*.h5")
    with h5py.File(cache, "r+") as file:
        file.attrs["teacher_hash"] = "0" * 64
    assert "another teacher" in refused("evaluate", finished, names=cache)


def test_corrupt_weights(refused: Refused, finished: Path) -> None:
    weights = finished / "checkpoints" / "model.safetensors"
    truncate(weights)
    refused("evaluate", finished, names=weights)


def test_corrupt_state_to_resume_from(refused: Refused, finished: Path) -> None:
    state = finished / "checkpoints" / "trainer.ckpt"
    state.write_bytes(b"PK\x03\x04 half a checkpoint")
    for name in ("training.json", "SHA256SUMS"):  # as of a run that was interrupted
        (finished / name).unlink()
    (teacher,) = (finished / "../../../teachers").resolve().iterdir()
    words = ["distill", "--recipe", finished / "recipe.yaml", "--teacher-run", teacher, "--out", finished]
    refused(*words, "--cache", finished.parents[2] / "cache", names=state)


@pytest.mark.parametrize("name", ["model.tflite", "manifest.json"])
def test_tampered_bundle(refused: Refused, finished: Path, synthetic_root: Path, name: str) -> None:
    bundle = finished / "bundle"
    content = bytearray((bundle / name).read_bytes())
    content[len(content) // 2] ^= 1
    (bundle / name).write_bytes(bytes(content))
    refused("predict", bundle, synthetic_root / SENSOR, names=bundle / name)
    refused("evaluate", bundle, "--data", synthetic_root, "--out", finished / "new", names=bundle / name)
    refused("bundle", "verify", bundle, names=bundle / name)


@pytest.fixture
def faces(tmp_path: Path) -> Path:
    """Twelve annotated pictures of six drivers, half of them the part valid."""
    root = tmp_path / "faces"
    for part, session in (("train", 1), ("valid", 2)):
        names = [frame_name(driver, session, 10 * driver) for driver in range(1, 7)]
        for number, name in enumerate(names):
            write_image(root / part / name, size=(64, 36), seed=10 * session + number)
        lines = [f"{name} 4,2,40,30,{number}\n" for number, name in enumerate(names)]
        (root / part / "_annotations.txt").write_text("".join(lines))
    return root


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """Cats and dogs in two parts, named by labels.csv."""
    root, rows = tmp_path / "own", ["path,label"]
    for number in range(12):
        name, part = ("cat", "dog")[number % 2], ("train", "test")[number // 6]
        path = write_image(root / part / name / f"{number}.png", size=(64, 36), seed=number)
        rows.append(f"{path.relative_to(root)},{name}")
    (root / "labels.csv").write_text("\n".join(rows) + "\n")
    return root


def first(root: Path) -> Path:
    """The first picture of the part `train`."""
    return min(path for path in (root / "train").rglob("*") if path.suffix in (".jpg", ".png"))


def torn(root: Path) -> Path:
    """A JPEG that ends within its header."""
    first(root).write_bytes(first(root).read_bytes()[:40])
    return first(root)


def of_no_bytes(root: Path) -> Path:
    first(root).write_bytes(b"")
    return first(root)


def of_one_pixel(root: Path) -> Path:
    Image.new("L", (1, 1)).save(first(root))
    return first(root)


def annotated(line: str) -> Callable[[Path], Path]:
    """Replace what the annotation file says of the first picture."""

    def spoil(root: Path) -> Path:
        table = root / "train" / "_annotations.txt"
        said = next(text for text in table.read_text().splitlines() if text.startswith(first(root).name))
        table.write_text(table.read_text().replace(said, f"{first(root).name} {line}"))
        return first(root)

    return spoil


def of_two_folders(root: Path) -> Path:
    """The table says cat of a picture in the folder of dogs."""
    table = root / "labels.csv"
    path = root / "train" / "dog" / "1.png"
    table.write_text(table.read_text().replace("dog/1.png,dog", "dog/1.png,cat"))
    return path


def indexed(name: str, root: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """What `vskd datasets index` says; a bad image never stops it."""
    capsys.readouterr()
    assert run(["datasets", "index", name, "--data", str(root), "--json"]) == 0
    return cast("dict[str, Any]", json.loads(capsys.readouterr().out))


BAD_IMAGES = {
    "corrupt JPEG": ("faces", torn, "corrupt", "ends within its header"),
    "zero-byte file": ("faces", of_no_bytes, "corrupt", "is empty (0 bytes)"),
    "1x1 image": ("faces", of_one_pixel, "corrupt", "is 1 x 1 pixels"),
    "annotation without box": ("faces", annotated(""), "unpaired", "line 1: an image without box and class"),
    "broken box": ("faces", annotated("4,2,40,0"), "corrupt", "line 1: '4,2,40,0' is not x1,y1,x2,y2,class"),
    "box outside the image": ("faces", annotated("70,2,90,30,0"), "corrupt", "lies outside the image of 64 x 36"),
    "class id out of range": ("faces", annotated("4,2,40,30,6"), "unknown", "line 1: class 6 is no class"),
    "two classes in one line": ("faces", annotated("4,2,40,30,0 4,2,40,30,1"), "duplicate", "two classes for one"),
    "two classes for one image": ("own", of_two_folders, "duplicate", "its folder says dog"),
}
DATA_SET = {"faces": "driver-inattention", "own": "image-folder"}


@pytest.mark.parametrize(("data", "spoil", "kind", "what"), BAD_IMAGES.values(), ids=BAD_IMAGES)
def test_a_bad_image_is_named_and_stops_a_training_before_it_begins(
    refused: Refused, tmp_path: Path, request, capsys, data: str, spoil: Callable[[Path], Path], kind: str, what: str
) -> None:
    name, root = DATA_SET[data], request.getfixturevalue(data)
    assert indexed(name, root, capsys)["recordings"] == 12
    path = spoil(root)
    found = indexed(name, root, capsys)
    (problem,) = [p for p in found["problems"] if p["path"] == str(path)]
    assert found["recordings"] == 11
    assert problem["kind"] == kind and what in problem["detail"]
    line = refused("distill", "--dataset", name, "--data", root, "--out", tmp_path / "results" / "run", names=path)
    assert what in line
    assert ("max_bad_fraction" if kind in ("corrupt", "unpaired") else "Remove or rename these files") in line


def test_a_jpeg_that_is_cut_off_after_its_header(refused: Refused, faces: Path, tmp_path: Path, capsys) -> None:
    """Only decoding finds it: the audit names it, and training stops before it begins."""
    path = first(faces)
    truncate(path)
    assert run(["datasets", "audit", "driver-inattention", "--data", str(faces), "--protocol", "official"]) == 0
    assert f"{path} is no readable JPEG or PNG image" in capsys.readouterr().out
    words = ["distill", "--dataset", "driver-inattention", "--data", faces, "--out", tmp_path / "run"]
    assert "no readable JPEG or PNG image" in refused(*words, names=path)


def test_a_table_that_names_a_missing_image(own: Path, capsys) -> None:
    first(own).unlink()
    found = indexed("image-folder", own, capsys)
    (problem,) = found["problems"]
    assert (found["recordings"], problem["kind"], problem["recording"]) == (11, "missing", "train/cat/0")
    assert "labels.csv, line 2: there is no image train/cat/0.png" in problem["detail"]
    assert run(["datasets", "audit", "image-folder", "--data", str(own), "--protocol", "official"]) == 0
    assert "train 5, test 6" in capsys.readouterr().out


def test_an_empty_class_folder(own: Path, capsys) -> None:
    (own / "train" / "horse").mkdir()
    found = indexed("image-folder", own, capsys)
    assert found["recordings_per_class"] == {"cat": 6, "dog": 6, "horse": 0}
    empty = {p["path"]: p["detail"] for p in found["problems"] if p["kind"] == "missing"}
    assert empty[str(own / "train" / "horse")] == "a class folder without images"
    words = ["distill", "--dataset", "image-folder", "--data", str(own), "--protocol", "official-val"]
    assert run([*words, "--out", str(own / "run")]) == 1
    assert "no usable recording of 1 class(es): horse" in capsys.readouterr().err


def test_images_of_other_kinds_are_read(own: Path, capsys) -> None:
    """CMYK, 16 bits, alpha: no problem for the index, and decoded by the audit."""
    paths = sorted((own / "train").rglob("*.png"))
    with Image.open(paths[0]) as image:
        grey = image.convert("L")
    grey.convert("CMYK").save(paths[0], format="JPEG")
    Image.fromarray(np.asarray(grey).astype(np.uint16) * 256).save(paths[1])
    grey.convert("RGBA").save(paths[2])
    grey.convert("LA").save(paths[3])
    found = indexed("image-folder", own, capsys)
    assert (found["recordings"], found["problems"]) == (12, [])
    assert run(["datasets", "audit", "image-folder", "--data", str(own), "--protocol", "official", "--json"]) == 0
    (fold,) = json.loads(capsys.readouterr().out)["folds"]
    assert fold["unreadable"] == {} and fold["sizes"]["train"] == 6
