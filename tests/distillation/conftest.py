"""A recipe small enough to be trained in a second, and one teacher that all tests of this folder share."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from vskd.recipe import Recipe, load_recipe

if TYPE_CHECKING:
    from vskd.distillation.run import RunFolder

TINY = (
    *("teachers.0.sees.size=32", "teachers.0.sees.segments=3", "teachers.0.network.feature_size=16"),
    *("teachers.0.training.epochs=2", "teachers.0.training.validation=carve", "teachers.0.training.select=best"),
    *("student.sees.encoding=raw", "student.sees.length=32", "student.network=cnn1d"),
    *("student.network.embedding_size=12", "student.training.epochs=2", "student.training.batch_size=4"),
)
Interrupt = Callable[[int], None]


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


@pytest.fixture
def interrupt_after() -> Iterator[Interrupt]:
    """Make the next training stop with Ctrl-C right after the state of an epoch (from 0) was saved."""
    from vskd.distillation import callbacks

    usual = callbacks.ResumePoint
    with pytest.MonkeyPatch.context() as patch:

        def interrupt(epoch: int) -> None:
            class Interrupting(usual):
                def __init__(self, run: "RunFolder") -> None:
                    super().__init__(run, interval_s=0.0)

                def on_train_epoch_end(self, trainer, pl_module) -> None:
                    super().on_train_epoch_end(trainer, pl_module)
                    if trainer.current_epoch == epoch:
                        patch.setattr(callbacks, "ResumePoint", usual)
                        raise KeyboardInterrupt

            patch.setattr(callbacks, "ResumePoint", Interrupting)

        yield interrupt
