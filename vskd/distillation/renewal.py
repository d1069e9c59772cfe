"""Stores and teacher caches that turn out damaged while they are used are made again, and the work goes on."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from vskd.errors import DamagedCacheError

logger = logging.getLogger(__name__)

T = TypeVar("T")


def renewing(work: Callable[[], T]) -> T:
    """Do some work; delete a damaged file of the cache that it meets, and do the work once more, which makes it anew.

    Args:
        work: whose stores and teacher caches are all its own; may be done again: a training resumes.

    Raises:
        DamagedCacheError: a file is damaged again after it was made anew: the disk or the memory is broken.
    """
    renewed: set[Path] = set()
    while True:
        try:
            return work()
        except DamagedCacheError as error:
            if error.path in renewed:
                raise
            renewed.add(error.path)
            logger.warning("%s; it is made again", error.problem)
            error.path.unlink(missing_ok=True)
