"""A recipe small enough to be trained in a second, and one teacher that all tests of this folder share."""

from collections.abc import Callable
from pathlib import Path

import pytest

from vskd.recipe import Recipe, load_recipe

TINY = (
    *("frames.size=32", "teacher.segments=3", "teacher.feature_size=16", "teacher.training.epochs=2"),
    *("encoding.method=raw", "sensor.length=32", "student.network=cnn1d", "student.embedding_size=12"),
    *("training.epochs=2", "training.batch_size=4", "teacher.training.validation=carve"),
    "teacher.training.select=best",
)


@pytest.fixture(scope="session")
def tiny(synthetic_root: Path) -> Callable[..., Recipe]:
    """The demo recipe made tiny, with further overrides."""

    def make(*overrides: str, root: Path = synthetic_root) -> Recipe:
        return load_recipe("demo", (*TINY, f"dataset.path={root}", *overrides))

    return make


@pytest.fixture(scope="session")
def shared_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of stores that all runs of these tests share."""
    return tmp_path_factory.mktemp("distillation") / "cache"


@pytest.fixture(scope="session")
def teacher_run(tiny: Callable[..., Recipe], shared_cache: Path) -> Path:
    """A teacher of two epochs. Read it, never change it."""
    from vskd.distillation.train import teach

    return teach(tiny(), shared_cache.parent / "teacher", cache=shared_cache).run
