"""Near copies among the recordings of a store of windows, in a file beside it: they are looked for once.

Windows do not hold what `same_signals` compares: samples at the rate of the recording. So those that a store decodes
are kept while it is built, and let go when they were compared. What it had decoded before, without this, is read again.
"""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from vskd.datasets.sensors.same_signals import near_copies
from vskd.errors import CacheError, DamagedCacheError
from vskd.files import write_json
from vskd.locks import lock_of, only_writer
from vskd.preprocessing.sensor.signals import Signal
from vskd.preprocessing.stores.window_store import Keep, WindowStore
from vskd.schema import Strict, read_json

MOST_VALUES = 6_000_000
"""Samples times channels of a store beyond which no copies are looked for: at most a quarter of a minute (0.9 s of the
processor for 467 thousand were measured), and 24 MB of memory meanwhile: in a file, a full or missing folder for
temporary files would stop the training that only wanted a warning."""


@dataclass(frozen=True)
class FoundCopies:
    """What was found in a store.

    Attributes:
        pairs: ids of recordings that hold one movement, see `vskd.datasets.sensors.same_signals`.
        skipped: why they were not looked for; empty where they were.
    """

    pairs: tuple[tuple[str, str], ...] = ()
    skipped: str = ""


class _Content(Strict):
    pairs: tuple[tuple[str, str], ...]
    skipped: str


def copies_file(store: Path) -> Path:
    """The file of a store, beside it; its name changes with the data, as the store's does."""
    return store.with_suffix(".near-copies.json")


def read_copies(store: Path) -> FoundCopies:
    """What was found in a store.

    Raises:
        DamagedCacheError: the file is missing or damaged.
    """
    file = copies_file(store)
    action = f"Delete {file} and run the command again; it is made anew"
    try:
        content: _Content = read_json(file, _Content, CacheError, action)
    except CacheError as error:
        raise DamagedCacheError(file, error.problem, action) from error
    return FoundCopies(content.pairs, content.skipped)


@contextlib.contextmanager
def looking_for_copies(store: Path, read: Callable[[str], Signal]) -> Iterator[Keep]:
    """The context in which a store of windows is built: at its end the copies are looked for, where nobody did so yet.

    A second process that builds the same store waits.

    Args:
        store: the file.
        read: gives the samples of a recording of the store that was decoded before.

    Raises:
        DataError: see `read`.
        WriteError: the file cannot be written.
    """
    file = copies_file(store)
    with only_writer(lock_of(file), file, wait=True):
        if file.is_file():
            yield lambda recording, signal: None
            return
        signals: dict[str, Signal] = {}
        yield _keeping(signals)
        write_json(file, asdict(_found(store, signals, read)))


def _keeping(signals: dict[str, Signal]) -> Keep:
    """What keeps a signal, as long as there are not too many."""
    values = 0

    def keep(recording: str, signal: Signal) -> None:
        nonlocal values
        values += signal.size
        if values <= MOST_VALUES:
            signals[recording] = np.array(signal, dtype=np.float32)

    return keep


def _found(store: Path, signals: dict[str, Signal], read: Callable[[str], Signal]) -> FoundCopies:
    with WindowStore(store) as windows:
        values = sum(windows.num_samples(i) for i in windows.ids) * windows.channels
        if values > MOST_VALUES:
            return FoundCopies(skipped=f"{values:,} values are more than {MOST_VALUES:,}")
        for recording in sorted(windows.ids - set(signals)):
            signals[recording] = read(recording)
        # equal samples are no near copies: where they matter, they are refused
        pairs = ((a, b) for a, b in near_copies(signals) if windows.contents[a] != windows.contents[b])
        return FoundCopies(tuple(pairs))
