"""Fixtures that the whole suite shares: real recordings where they are on disk, and a tiny synthetic world."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from vskd.recipe import Recipe

# The suite shares its cores with other work; more threads make these tiny tensors slower, not faster.
os.environ.setdefault("OMP_NUM_THREADS", "2")

REPOSITORY = Path(__file__).resolve().parents[1]


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
def synthetic_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A synthetic world of 3 actions x 4 subjects x 2 trials, written once per session. Read it, never change it."""
    from vskd.datasets.synthetic.write import write_world

    root = tmp_path_factory.mktemp("synthetic") / "world"
    write_world(root, subjects=4, actions=3, trials=2, seed=0)
    return root


TINY = (
    "frames.size=32",
    "teacher.segments=3",
    "teacher.training.epochs=1",
    "training.epochs=2",
    "encoding.image_size=16",
    "student.network=resnet18-small-stem",
    "export.max_accuracy_drop=1.0",
)
"""What shrinks a shipped recipe to seconds; the models learn nothing, every file is the real thing."""


@dataclass(frozen=True)
class FinishedComparison:
    """A comparison of `demo` and `demo-no-kd` in tiny, seed 0, each student exported. Read it, never change it."""

    out: Path
    recipes: tuple["Recipe", ...]

    @property
    def teacher(self) -> Path:
        """Run folder of the one teacher."""
        (folder,) = (self.out / "teachers").iterdir()
        return folder

    @property
    def student(self) -> Path:
        """Run folder of the student that was distilled by DASK."""
        return self.out / "runs" / "demo" / "seed0"

    @property
    def no_kd(self) -> Path:
        """Run folder of the student without a teacher."""
        return self.out / "runs" / "demo-no-kd" / "seed0"

    @property
    def bundle(self) -> Path:
        """The distilled student's int8 bundle."""
        return self.student / "bundle"


@pytest.fixture(scope="session")
def finished_comparison(synthetic_root: Path, tmp_path_factory: pytest.TempPathFactory) -> FinishedComparison:
    """Teacher, two students, two bundles and their comparison, made once per session (needs the extra `export`)."""
    pytest.importorskip("litert_torch", reason="needs the extra 'export'")
    from vskd.evaluation.compare import compare
    from vskd.export.evaluate import export_and_evaluate
    from vskd.recipe import load_recipe

    out = tmp_path_factory.mktemp("comparison")
    recipes = tuple(load_recipe(n, (*TINY, f"dataset.path={synthetic_root}")) for n in ("demo", "demo-no-kd"))
    compare(recipes, [0], out, after_run=export_and_evaluate)
    return FinishedComparison(out, recipes)
