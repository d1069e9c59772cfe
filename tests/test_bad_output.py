"""Output that cannot be written, through the program's own door: one clear line, earlier results as they were.

The failures are real where the system can make them: `full` forbids the process to let any file grow beyond a few bytes
from the moment on that the named file is begun, which also meets what HDF5 and torch write by themselves. `read-only`
refuses the temporary file, as a read-only file system does.
"""

import errno
import hashlib
import json
import os
import resource
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import pytest
from scipy.io import loadmat, savemat

from tests.conftest import TINY, TINY_STUDENT, FinishedComparison
from vskd.cli.main import run
from vskd.models.weights.state import read_tensors

BIG = (".safetensors", ".tflite", ".h5")
Fault = Callable[[str], None]
Refused = Callable[..., str]


def snapshot(folder: Path) -> dict[str, object]:
    """Every file in a folder, hidden ones too, as it is now; logs may grow."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != "run.log"]
    return {str(path.relative_to(folder)): state(path) for path in files}


def state(path: Path) -> object:
    """Hash of the content; of large files their place on the disk and times, which any writing would change."""
    if path.name.endswith(BIG):
        found = path.stat()
        return found.st_ino, found.st_size, found.st_mtime_ns
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def fault(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fault]:
    """`fault(name)`: from the moment on that a file or folder called `name...` is begun, nothing can be written.

    Parametrized by how: "read-only" or "full".
    """
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    def arrange(name: str) -> None:
        for function in ("mkstemp", "mkdtemp"):
            monkeypatch.setattr(tempfile, function, failing(getattr(tempfile, function), name))

    def failing(make: Callable[..., Any], name: str) -> Callable[..., Any]:
        def begin(*positional: Any, **named: Any) -> Any:
            if not str(named.get("prefix")).startswith(f".{name}"):
                return make(*positional, **named)
            if request.param == "read-only":
                raise OSError(errno.EROFS, os.strerror(errno.EROFS))
            made = make(*positional, **named)
            resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
            return made

        return begin

    yield arrange
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, ignored)


@pytest.fixture
def refused(comparison_copy: FinishedComparison, capsys: pytest.CaptureFixture[str]) -> Refused:
    """Run a command that must fail: all that was in the results is as it was, and nothing new is half-written."""

    def call(*words: object, names: object) -> str:
        before = snapshot(comparison_copy.out)
        capsys.readouterr()
        code = run([str(word) for word in words])
        out, err = capsys.readouterr()
        hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        assert code == 1, err
        assert out == ""
        assert err.splitlines()[-1].startswith("error: ") and err.count("error: ") == 1, err
        assert "Traceback" not in err and "--debug" not in err, err
        assert str(names) in err.splitlines()[-1]
        after = snapshot(comparison_copy.out)
        assert {name: after.get(name) for name in before} == before
        for name in after.keys() - before.keys():
            assert_whole(comparison_copy.out / name)
        return err.splitlines()[-1]

    return call


def assert_whole(file: Path) -> None:
    """A new file is under its final name and can be read to its end."""
    assert ".tmp" not in file.name and ".old" not in str(file)
    readers: dict[str, Callable[[Path], object]] = {
        ".json": lambda p: json.loads(p.read_text(encoding="utf-8")),
        ".jsonl": lambda p: [json.loads(line) for line in p.read_text(encoding="utf-8").splitlines()],
        ".safetensors": read_tensors,
        ".h5": lambda p: h5py.File(p).close(),
    }
    readers.get(file.suffix, Path.read_bytes)(file)


def training_words(command: str, comparison_copy: FinishedComparison, world: Path, *overrides: str) -> list[object]:
    """`vskd teach` or `distill` of something new, in the finished comparison's own folder and cache."""
    settings = [word for setting in (*TINY, *overrides) for word in ("--set", setting)]
    folders = ["--out", comparison_copy.out / "new", "--cache", comparison_copy.out / "cache"]
    return [command, "--recipe", "demo", "--data", world, *settings, *folders]


@pytest.mark.parametrize(
    ("fault", "stage", "names"),
    [
        ("read-only", "environment", "new/environment.json"),
        ("read-only", "frames-rgb", "cache/frames-rgb"),
        ("full", "frames-rgb", "cache/frames-rgb"),
        ("read-only", "metrics", "new/metrics.jsonl"),
        ("full", "metrics", "new/metrics.jsonl"),
        ("full", "model", "new/checkpoints/model.safetensors"),
        ("read-only", "trainer", "new/checkpoints/trainer.ckpt"),
        ("full", "training", "new/training.json"),
    ],
    indirect=["fault"],
)
def test_teach(
    refused: Refused,
    fault: Fault,
    comparison_copy: FinishedComparison,
    synthetic_root: Path,
    stage: str,
    names: str,
) -> None:
    fault(stage)
    other_frames = ("teachers.0.sees.size=24",) if stage == "frames-rgb" else ()
    refused(
        *training_words("teach", comparison_copy, synthetic_root, "seed=1", *other_frames),
        names=comparison_copy.out / names,
    )


@pytest.mark.parametrize(
    ("fault", "stage", "names"),
    [
        ("full", "environment", "new/environment.json"),
        ("read-only", "window-", "cache/window-"),
        ("full", "window-", "cache/window-"),
        ("read-only", "teacher-", "cache/teacher-"),
        ("full", "teacher-", "cache/teacher-"),
        ("read-only", "model", "new/checkpoints/model.safetensors"),
        ("full", "model", "new/checkpoints/model.safetensors"),
        ("full", "trainer", "new/checkpoints/trainer.ckpt"),
        ("read-only", "training", "new/training.json"),
    ],
    indirect=["fault"],
)
def test_distill(
    refused: Refused,
    fault: Fault,
    comparison_copy: FinishedComparison,
    synthetic_root: Path,
    stage: str,
    names: str,
) -> None:
    if stage == "teacher-":
        (cache,) = (comparison_copy.out / "cache").glob("teacher-*.h5")
        cache.unlink()
    fault(stage)
    other_windows = ("student.sees.length=64",) if stage == "window-" else ()
    words = training_words("distill", comparison_copy, synthetic_root, *TINY_STUDENT, *other_windows)
    refused(*words, "--teacher-run", comparison_copy.teacher, names=comparison_copy.out / names)


@pytest.mark.parametrize(
    ("fault", "stage"), [("full", "predictions"), ("read-only", "results"), ("full", "report")], indirect=["fault"]
)
def test_evaluate(refused: Refused, fault: Fault, comparison_copy: FinishedComparison, stage: str) -> None:
    """Of a run that was evaluated on test before: those results stay."""
    fault(stage)
    suffix = {"predictions": "csv", "results": "json", "report": "html"}[stage]
    validation = comparison_copy.student / "validation"
    refused("evaluate", comparison_copy.student, "--split", "validation", names=validation / f"{stage}.{suffix}")


@pytest.mark.parametrize("fault", ["read-only", "full"], indirect=True)
def test_evaluate_a_bundle(
    refused: Refused, fault: Fault, comparison_copy: FinishedComparison, synthetic_root: Path
) -> None:
    fault("results")
    out = comparison_copy.out / "int8"
    words = ["--data", synthetic_root, "--out", out]
    refused("evaluate", comparison_copy.bundle, *words, names=out / "results.json")


@pytest.mark.usefixtures("converted")
@pytest.mark.parametrize("place", ["bundle", "new"])
@pytest.mark.parametrize("fault", ["read-only", "full"], indirect=True)
def test_export(refused: Refused, fault: Fault, comparison_copy: FinishedComparison, place: str) -> None:
    """Over an earlier bundle, and where there was none."""
    out = comparison_copy.student / place
    fault(place)
    refused("export", comparison_copy.student, "--out", out, names=out)
    assert comparison_copy.bundle.is_dir() and not (comparison_copy.student / "new").exists()


def truncate(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def with_nan(file: Path) -> None:
    samples = loadmat(file)["d_iner"].copy()
    samples[5, 0] = float("nan")
    savemat(file, {"d_iner": samples})


@pytest.mark.parametrize("spoil", [truncate, with_nan])
def test_a_distillation_that_fails_beside_another_run_leaves_it(
    refused: Refused,
    comparison_copy: FinishedComparison,
    synthetic_root: Path,
    tmp_path: Path,
    spoil: Callable[[Path], None],
) -> None:
    """Corrupt data, found before or after the run folder is begun; finished work is in the same place and cache."""
    world = Path(shutil.copytree(synthetic_root, tmp_path / "world"))
    file = world / "Inertial" / "a1_s1_t1_inertial.mat"
    spoil(file)
    words = training_words("distill", comparison_copy, world, "dataset.max_bad_fraction=0", "distiller=none")
    refused(*words, names=file)


def test_a_distillation_of_another_recipe_leaves_the_run(
    refused: Refused, comparison_copy: FinishedComparison, synthetic_root: Path
) -> None:
    words = training_words("distill", comparison_copy, synthetic_root, *TINY_STUDENT)
    words[words.index("--out") + 1] = comparison_copy.student
    line = refused(*words, "--teacher-run", comparison_copy.teacher, names=comparison_copy.student)
    assert "another recipe" in line and "student" in line
