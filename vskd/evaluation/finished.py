"""When an evaluation is finished: its files are all there, with the hashes that were recorded at the end."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vskd.bundle.bundle import MANIFEST
from vskd.distillation.run import RunFolder
from vskd.files import WriteError
from vskd.sums import Sums, SumsError

logger = logging.getLogger(__name__)

PREDICTIONS, RESULTS, REPORT = FILES = ("predictions.csv", "results.json", "report.html")


def refuse_run_or_bundle(out: Path) -> None:
    """Refuse a folder for results that is a run or a bundle: they would replace the run's, or be no part of the bundle.

    Raises:
        WriteError: it is one.
    """
    for kind, mark in (("run", RunFolder(out).recipe_file), ("bundle", out / MANIFEST)):
        if mark.is_file():
            raise WriteError(
                f"{out} is the folder of a {kind}, which holds no other results", "Choose another folder with --out"
            )


def evaluated(out: Path, *, recorded: bool) -> bool:
    """Whether an evaluation was finished in a folder, and nothing of it was damaged since.

    Args:
        out: the folder of the results.
        recorded: whether hashes must be on record; runs of before that have none.
    """
    sums = Sums(out)
    try:
        known = sums.recorded()
        if not (recorded or known.keys() & set(FILES)):
            return all((out / name).is_file() for name in FILES)
        damaged = sums.damaged(FILES)
    except SumsError as error:
        logger.warning("%s; the evaluation is done again", error.problem)
        return False
    changed = [name for name in damaged if name in known]
    if changed:
        logger.warning("%s: %s is missing, changed or damaged; the evaluation is done again", out, ", ".join(changed))
    return not damaged


@contextmanager
def evaluating(out: Path) -> Iterator[None]:
    """While the three files are written: they go on record together, at the end.

    Args:
        out: the folder of the results; it may be that of a run, whose own files stay on record.
    """
    sums = Sums(out)
    try:
        sums.forget(FILES)
    except SumsError:  # of results alone: the record of a run was read before
        sums.clear()
    yield
    sums.record(FILES)
