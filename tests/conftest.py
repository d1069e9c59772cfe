"""Fixtures that the whole suite shares: real recordings where they are on disk, and a tiny synthetic world."""

import gc
import importlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

if TYPE_CHECKING:
    import numpy.typing as npt

    from vskd.recipe import Recipe

# Threads make these tiny tensors slower, not faster; where other work has the cores they wait for each other: one test
# took 130 s with two threads and 1 s with one.
os.environ.setdefault("OMP_NUM_THREADS", "1")

REPOSITORY = Path(__file__).resolve().parents[1]


Fsync = Callable[[int], None]


@pytest.fixture(scope="session", autouse=True)
def real_fsync() -> Iterator[Fsync]:
    """What forces a file onto the disk; in tests that do not call it nothing does.

    No power fails between two tests, and a training waits 30 times for the disk. That files are forced, which and when,
    is held by `tests/test_files.py`.
    """
    real = os.fsync
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda handle: None)
        yield real


def pytest_collection(session: pytest.Session) -> None:
    """Of two workers the second imports the tests from the end: each file is compiled, with its assertions, by one."""
    every = session.config.args_source is pytest.Config.ArgsSource.TESTPATHS
    if every and os.environ.get("PYTEST_XDIST_WORKER") == "gw1":
        for path in sorted((REPOSITORY / "tests").rglob("test_*.py"), reverse=True):
            with suppress(Exception, pytest.skip.Exception):  # told when it is collected
                importlib.import_module(".".join(path.relative_to(REPOSITORY).with_suffix("").parts))


def pytest_collection_finish() -> None:
    """What was imported and collected stays to the end: no search for garbage looks through it again.

    What is young is searched as usual; all that has grown old since, as often as it would be with the rest in it.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*gc.get_threshold()[:2], 50)


def pytest_make_parametrize_id(val: object) -> str | None:
    """Contents of files do not name a test: some hold the time at which they were made, and two workers must agree."""
    return f"{len(val)} bytes" if isinstance(val, bytes) else None


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real recordings (environment variable VSKD_DATA, else `shared/data` beside the repository)."""
    root = Path(os.environ.get("VSKD_DATA") or REPOSITORY.parent / "shared" / "data")
    if not root.is_dir():
        pytest.skip(f"needs real recordings: {root} is no folder; set VSKD_DATA to the folder that holds them")
    return root.resolve()


@pytest.fixture(scope="session")
def utd_mhad_root(shared_data: Path) -> Path:
    """The UTD-MHAD recordings (Inertial, Skeleton, DepthVideo, a few of Depth)."""
    root = shared_data / "utd-mhad"
    if not (root / "Inertial").is_dir():
        pytest.skip(f"needs UTD-MHAD: {root / 'Inertial'} is no folder; see `vskd datasets info utd-mhad`")
    return root


@pytest.fixture(scope="session")
def pose_model() -> Path:
    """The wheel of MediaPipe 0.10.21, or a folder with its models of poses (environment variable VSKD_POSE_MODEL)."""
    model = Path(os.environ.get("VSKD_POSE_MODEL", ""))
    if model == Path():
        pytest.skip("needs the networks of poses: set VSKD_POSE_MODEL to the wheel of mediapipe 0.10.21")
    return model


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """A folder that all workers share; the first that asks makes it, another one that asks meanwhile waits."""
    from vskd.locks import only_writer

    own = factory.getbasetemp()
    root = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    folder, made = root / name, root / f"{name}.made"
    with only_writer(root / f"{name}.lock", folder, wait=True):
        if not made.exists():
            make(folder)
            made.touch()
    return folder


@pytest.fixture(scope="session")
def synthetic_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A synthetic world of 3 actions x 4 subjects x 2 trials, written once per session. Read it, never change it."""
    from vskd.datasets.synthetic.write import write_world

    return made_once(tmp_path_factory, "world", lambda root: write_world(root, subjects=4, actions=3, trials=2, seed=0))


@pytest.fixture(scope="session")
def long_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four long recordings that show several classes and a null class; see `tests.long_recordings`. Never change it."""
    from tests.long_recordings import write_long

    return made_once(tmp_path_factory, "long", write_long)


@pytest.fixture(scope="session")
def long_run(long_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A student of sliding windows that was trained on the long recordings, not evaluated. Copy it to change it."""
    from tests.long_recordings import long_recipe
    from vskd.distillation.train import distill

    def make(folder: Path) -> None:
        distill(long_recipe(long_root), folder / "run", cache=folder / "cache")

    return made_once(tmp_path_factory, "long-run", make) / "run"


def mend_in_place(path: Path, at: int = -1) -> None:
    """Change one byte of a file as an editor might that hides it: size and times stay."""
    before, content = path.stat(), bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)


SHAPES = ("circle", "cross", "square")


def write_shapes(root: Path, *, drivers: int = 5, each: int = 5, side: int = 48) -> None:
    """A data set in the layout of `image-folder`: bright shapes before the shade that is each driver's own.

    The last driver is the part test, the others are the part train. A driver and class make a clip of `each` frames.
    """
    generator, rows = np.random.default_rng(0), ["path,driver,clip,frame"]
    for driver in range(1, drivers + 1):
        part = "test" if driver == drivers else "train"
        for name in SHAPES:
            folder = root / part / name
            folder.mkdir(parents=True, exist_ok=True)
            for frame in range(each):
                path = folder / f"{driver}-{frame}.png"
                Image.fromarray(draw_shape(name, 15 * driver, side, generator)).save(path)
                rows.append(f"{path.relative_to(root).as_posix()},{driver},{driver}-{name},{frame}")
    (root / "labels.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")


def draw_shape(name: str, shade: int, side: int, generator: np.random.Generator) -> "npt.NDArray[np.uint8]":
    """One picture, uint8 (side, side, 3): the shape is at a random place, of a random size and colour."""
    picture = generator.integers(shade, shade + 40, (side, side, 3))
    radius = generator.uniform(0.2, 0.3) * side
    centre = generator.uniform(radius, side - radius, 2)
    down, across = np.abs(np.arange(side)[:, None] - centre[0]), np.abs(np.arange(side)[None, :] - centre[1])
    inside = {
        "circle": np.hypot(down, across) < radius,
        "cross": (np.minimum(down, across) < radius / 4) & (np.maximum(down, across) < radius),
        "square": np.maximum(down, across) < radius,
    }[name]
    picture[inside] = generator.integers(170, 255, 3)
    return picture.astype(np.uint8)


@pytest.fixture(scope="session")
def shapes_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Images of shapes in three classes, of five drivers, written once per session. Read it, never change it."""
    return made_once(tmp_path_factory, "shapes", write_shapes)


TINY_BUDGET = (
    *("student.sees.size=32", "teachers.0.sees.size=32", "teachers.0.network=mobilenet-v3-small-075"),
    *("teachers.0.training.epochs=2", "teachers.0.training.batch_size=16", "teachers.0.training.precision=float32"),
    *("student.training.epochs=2", "student.training.batch_size=16", "student.training.precision=float32"),
    *("student.training.validation=carve", "student.training.select=best"),
    *("teachers.0.training.validation=carve", "teachers.0.training.select=best"),
    *("export.max_accuracy_drop=1.0", "export.calibration_recordings=20"),
)
"""What shrinks a shipped recipe of images to seconds, on data of its own kind."""

TINY_IMAGES = (
    *("dataset.name=image-folder", "dataset.protocol=official"),
    *("student.sees.augmentation.flip=0", "teachers.0.sees.augmentation.flip=0"),
    *TINY_BUDGET,
)
"""What shrinks a shipped recipe of faces to seconds, on the shapes."""


TINY = (
    "teachers.0.sees.size=32",
    "teachers.0.sees.segments=3",
    "teachers.0.training.epochs=1",
    "student.training.epochs=2",
    "student.sees.encoding.image_size=16",
    "student.network=resnet18-small-stem",
    "export.max_accuracy_drop=1.0",
)
"""What shrinks a shipped recipe to seconds; the models learn nothing, every file is the real thing."""


@dataclass(frozen=True)
class FinishedComparison:
    """A comparison in tiny of a recipe and its twin without a teacher, seed 0. Read it, never change it."""

    out: Path
    recipes: tuple["Recipe", ...]

    @property
    def teacher(self) -> Path:
        """Run folder of the one teacher."""
        (folder,) = (self.out / "teachers").iterdir()
        return folder

    @property
    def student(self) -> Path:
        """Run folder of the student that was distilled; exported to its folder `bundle`."""
        return self.out / "runs" / self.recipes[0].name / "seed0"

    @property
    def no_kd(self) -> Path:
        """Run folder of the student without a teacher."""
        return self.out / "runs" / self.recipes[1].name / "seed0"

    @property
    def bundle(self) -> Path:
        """The distilled student's int8 bundle."""
        return self.student / "bundle"


def write_moves(root: Path, *, groups: int = 6, frames: int = 12) -> None:
    """A data set in the layout of `video-folder`: a bright square moves down, right or not at all.

    Each of the groups, `a`, `b` ..., has a clip of every class and a shade of its own; the last one is the part test.
    """
    import av

    generator, rows = np.random.default_rng(0), ["path,group"]
    for number in range(groups):
        group = "abcdefghij"[number]
        for name, (down, across) in {"down": (2, 0), "right": (0, 2), "still": (0, 0)}.items():
            path = root / ("test" if number == groups - 1 else "train") / name / f"{group}.mp4"
            path.parent.mkdir(parents=True, exist_ok=True)
            top, left = generator.integers(0, 8, 2)
            with av.open(str(path), "w") as container:
                stream = container.add_stream("libx264", rate=25)
                stream.width, stream.height, stream.pix_fmt = 40, 40, "yuv420p"
                for step in range(frames):
                    picture = np.full((40, 40, 3), 10 + 15 * number, np.uint8)
                    y, x = int(top) + down * step // 2 * 2, int(left) + across * step // 2 * 2
                    picture[y : y + 10, x : x + 10] = 230
                    container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
                container.mux(stream.encode())
            rows.append(f"{path.relative_to(root).as_posix()},{group}")
    (root / "labels.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")


@pytest.fixture(scope="session")
def moves_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Clips of moving squares in three classes, of six groups, written once per session. Read it, never change it."""
    return made_once(tmp_path_factory, "moves", write_moves)


TINY_CLIPS = (
    *("dataset.name=video-folder", "dataset.protocol=official"),
    *(f"{role}.sees.{word}" for role in ("student", "teachers.0") for word in ("length=4", "height=16", "width=16")),
    *("student.network.width=0.0625", "teachers.0.network.width=0.0625"),
    *("teachers.0.training.epochs=2", "student.training.epochs=2"),
)
"""What shrinks a shipped recipe of clips to seconds, on the moving squares."""


@pytest.fixture(scope="session")
def finished_comparison(synthetic_root: Path, tmp_path_factory: pytest.TempPathFactory) -> FinishedComparison:
    """Teacher, two students, two bundles and their comparison, made once per session (needs the extra `export`)."""
    pytest.importorskip("litert_torch", reason="needs the extra 'export'")
    from vskd.export.evaluate import export_and_evaluate
    from vskd.recipe import load_recipe
    from vskd.study.compare import compare
    from vskd.study.controls import with_controls

    recipe = load_recipe("demo", (*TINY, f"dataset.path={synthetic_root}"))
    recipes = tuple(with_controls([recipe], ["none"]))

    def make(out: Path) -> None:
        compare(recipes, [0], out, after_run=export_and_evaluate)

    return FinishedComparison(made_once(tmp_path_factory, "comparison", make), recipes)


def _copy_or_link(source: str, target: str) -> str:
    """Models and stores are replaced, never changed in place, so that a link serves as a copy."""
    copy = os.link if source.endswith((".safetensors", ".tflite", ".h5")) else shutil.copy2
    copy(source, target)
    return target


@pytest.fixture
def comparison_copy(finished_comparison: FinishedComparison, tmp_path: Path) -> FinishedComparison:
    """The finished comparison in a folder of this test's own. Replace its files, never change models in place."""
    tree = tmp_path / "results"
    shutil.copytree(finished_comparison.out, tree, copy_function=_copy_or_link)
    return FinishedComparison(tree, finished_comparison.recipes)


@pytest.fixture
def converted(comparison_copy: FinishedComparison, monkeypatch: pytest.MonkeyPatch) -> None:
    """Conversion and quantization give the finished bundle's models at once; all else of an export is real."""
    from vskd.export import ship

    float_model, model = (
        (comparison_copy.bundle / name).read_bytes() for name in ("model_float.tflite", "model.tflite")
    )
    monkeypatch.setattr(ship, "convert_part", lambda *_: float_model)
    monkeypatch.setattr(ship, "RANGE_ESTIMATORS", ("minmax",))
    monkeypatch.setattr(ship, "quantize_int8", lambda *_, **__: model)


TINY_STUDENT = (
    *("student.sees.encoding=raw", "student.network=cnn1d", "student.network.embedding_size=12"),
    *("student.training.epochs=1", "student.training.batch_size=4"),
)
"""On top of TINY: a student that is trained in a second."""


@pytest.fixture(scope="session")
def finished_images(shapes_root: Path, tmp_path_factory: pytest.TempPathFactory) -> FinishedComparison:
    """Teacher, two students of grey images, one bundle and their comparison, made once (needs the extra `export`)."""
    pytest.importorskip("litert_torch", reason="needs the extra 'export'")
    from vskd.export.evaluate import export_and_evaluate
    from vskd.recipe import load_recipe
    from vskd.study.compare import compare
    from vskd.study.controls import with_controls

    grey = ("student.sees.grey=true", "teachers.0.sees.grey=true")
    recipe = load_recipe("krca", (*TINY_IMAGES, *grey, f"dataset.path={shapes_root}"))
    recipes = tuple(with_controls([recipe], ["none"]))

    def make(out: Path) -> None:
        compare(recipes, [0], out, after_run=lambda run: export_and_evaluate(run) if run.parent.name == "krca" else run)

    return FinishedComparison(made_once(tmp_path_factory, "images", make), recipes)
