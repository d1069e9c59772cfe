"""Fixtures that the whole suite shares: real recordings where they are on disk, and a tiny synthetic world."""

import os
from pathlib import Path

import pytest

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
