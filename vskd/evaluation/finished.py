"""When an evaluation is finished: its files are all there, with the hashes that were recorded at the end."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vskd.sums import Sums, SumsError

logger = logging.getLogger(__name__)

PREDICTIONS, RESULTS, REPORT = FILES = ("predictions.csv", "results.json", "report.html")


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
