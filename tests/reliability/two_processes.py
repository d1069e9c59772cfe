"""Two processes in one folder: the second is refused and told why, or waits; the first is not disturbed."""

import os
import signal
import time
from functools import partial
from pathlib import Path

import pytest

from tests.reliability.chain import LOADED_TO_TRAIN, QUICK, RECIPE, Stage, begin, left_behind, load, run
from tests.reliability.children import said
from tests.reliability.kill_campaign import watch

TRAIN = Stage("train", f"distill --recipe {RECIPE} --distiller none --out student")
EVALUATE = Stage("evaluate", "evaluate student")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A world, and one epoch of training to be done on it."""
    load(LOADED_TO_TRAIN)
    root = tmp_path_factory.mktemp("two") / "folder"
    begin(root)
    assert run(QUICK[0], root).answer[0] == 0
    return root


class Stopped:
    """A command in a child that stopped before its n-th change of a file, and goes on when told."""

    def __init__(self, stage: Stage, folder: Path, at: int) -> None:
        self.folder = folder
        self.child = os.fork()
        if not self.child:
            stop = partial(os.kill, os.getpid(), signal.SIGSTOP)
            watch(folder, 0, lambda number: stop() if number == at else None)
            os._exit(said(stage.line.split(), folder)[0])
        _, status = os.waitpid(self.child, os.WUNTRACED)
        assert os.WIFSTOPPED(status), os.waitstatus_to_exitcode(status)

    def finish(self) -> int:
        """Let it go on to its end; its exit code."""
        os.kill(self.child, signal.SIGCONT)
        return os.waitstatus_to_exitcode(os.waitpid(self.child, 0)[1])


@pytest.mark.parametrize("stage", [TRAIN, EVALUATE], ids=lambda stage: stage.name)
def test_the_second_is_refused_and_the_first_ends_as_if_alone(folder: Path, stage: Stage) -> None:
    first = Stopped(stage, folder, at=12)
    try:
        code, text = run(stage, folder).answer
    finally:
        assert first.finish() == 0
    assert code == 1
    assert f"student is being written by process {first.child} on " in text
    assert left_behind(folder) == []
    assert run(stage, folder).answer[0] == 0


def test_the_second_builder_of_a_store_waits_and_finds_it_complete(folder: Path) -> None:
    (stage,) = QUICK[1:]
    first = Stopped(stage, folder, at=20)
    second = os.fork()
    if not second:
        code, text = said(stage.line.split(), folder)
        waited = f"waiting for process {first.child} on " in text and "was there already" in text
        os._exit(0 if code == 0 and waited else 9)
    time.sleep(0.5)  # it has begun, and waits
    assert os.waitpid(second, os.WNOHANG) == (0, 0)
    assert first.finish() == 0
    assert os.waitstatus_to_exitcode(os.waitpid(second, 0)[1]) == 0
    assert left_behind(folder) == []
