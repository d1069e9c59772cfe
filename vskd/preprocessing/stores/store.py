"""Building a store of preprocessed recordings (layout: store_file.py).

Safe against being killed at any moment, and a second run continues where the first stopped: each finished recording is
a small HDF5 file of its own, renamed into the hidden folder `.<name>.partial` when complete; the store is assembled
from those under a temporary name and renamed at the end. The file that a killed process was writing is never reused,
because it may be damaged without showing it. The price is twice the disk space while assembling.
"""

import contextlib
import dataclasses
import logging
import shutil
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar

import h5py
import numpy.typing as npt

from vskd.errors import CacheError, DataError, first_few
from vskd.files import WriteError, atomic_path, sha256_json, sweep
from vskd.locks import lock_of, only_writer
from vskd.preprocessing.file_hashes import file_hashes
from vskd.preprocessing.stores.store_file import (
    Entry,
    limit_cache,
    member_name,
    open_store,
    read_manifest,
    settings_hash,
    text,
    write_header,
)
from vskd.preprocessing.stores.store_parts import content_of_part, write_part, writing_hdf5
from vskd.progress import track

logger = logging.getLogger(__name__)

NAMED_FAILURES = 10
"""How many corrupt recordings an error message names; the report lists all."""


class Source(Protocol):
    """One recording to preprocess: a frozen dataclass."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def id(self) -> str:
        """Recording id."""

    @property
    def path(self) -> Path:
        """Its file."""


SourceT = TypeVar("SourceT", bound=Source)
Write = Callable[[SourceT, h5py.File], npt.NDArray[Any] | None]
"""Preprocesses one source into the dataset `data` of an empty file, its facts as attributes; DataError = corrupt.

May return what it stored, see `write_part`.
"""


@dataclass(frozen=True)
class StoreFailure:
    """A recording that could not be preprocessed, and why."""

    id: str
    path: str
    problem: str


@dataclass(frozen=True)
class StoreReport:
    """What a build did.

    Attributes:
        path: the store.
        stored: recordings in it.
        failures: corrupt recordings, left out.
        reused: the store was complete already, and was not touched.
    """

    path: Path
    stored: int
    failures: tuple[StoreFailure, ...]
    reused: bool


@dataclass(frozen=True)
class Plan:
    """What to build: see `build_store`."""

    out: Path
    kind: str
    settings: Mapping[str, Any]
    max_bad_fraction: float

    @property
    def partial(self) -> Path:
        """Folder of the finished recordings of an unfinished store."""
        return self.out.with_name(f".{self.out.name}.partial")

    def part(self, recording: str, entry: Entry) -> Path:
        """File of one finished recording; its name changes with anything that decides its content."""
        identity = [settings_hash(self.kind, self.settings), recording, entry.details, entry.sha256]
        return self.partial / f"{sha256_json(identity)[:32]}.h5"


def build_store(
    plan: Plan,
    sources: Sequence[SourceT],
    write: Write[SourceT],
    *,
    description: str,
    overwrite: bool = False,
    workers: int = 1,
    around: Callable[[SourceT], AbstractContextManager[None]] = lambda _: contextlib.nullcontext(),
) -> StoreReport:
    """Preprocess every source into a store, or reuse what is there.

    A complete store of the same settings and unchanged sources is left alone. Where only sources changed or came in
    addition, those are preprocessed and the others are taken over. Other settings are refused unless `overwrite`.

    Args:
        plan: where, what kind, which settings, and which fraction of corrupt recordings stops the build.
        sources: recordings.
        write: preprocesses one.
        description: for the progress bar.
        overwrite: replace a store that has other settings, or is damaged.
        workers: threads; with several, `write` is called by several at a time.
        around: the context in which a source is waited for, e.g. to take its time.

    Raises:
        CacheError: `plan.out` holds something else.
        DataError: no sources, ids twice, or too many corrupt recordings; nothing is left under the final name.
        WriteError: the folder cannot be written, or the disk is full; nothing of the build is left.
    """
    _check_ids(plan.out, sources)
    with _only_builder(plan):
        old = _existing(plan, overwrite)
        wanted = _wanted(sources, old)
        if old and all(old.get(i) == entry for i, entry in wanted.items()):
            shutil.rmtree(plan.partial, ignore_errors=True)  # of a build that was killed when it was all but done
            return _report(plan, sources, wanted, reused=True)
        try:
            unknown = [s for s in sources if old.get(s.id) != wanted[s.id] and not _was_finished(plan, s, wanted)]
            with contextlib.closing(_in_order(partial(_make, plan, wanted, write), unknown, workers)) as parts:
                for source, part in track(parts, description, len(unknown)):
                    wanted[source.id] = _completed(wanted[source.id], part, around(source))
            report = _report(plan, sources, wanted, reused=False)
            for failure in report.failures:
                logger.warning("left out %s: %s", failure.id, failure.problem)
            _assemble(plan, wanted, old)
        except WriteError:
            shutil.rmtree(plan.partial, ignore_errors=True)  # give a full disk its space back
            raise
        shutil.rmtree(plan.partial, ignore_errors=True)
        return report


def _check_ids(out: Path, sources: Sequence[Source]) -> None:
    if not sources:
        raise DataError(f"{out}: there are no recordings to store", "Check the data folder with `vskd datasets index`")
    counts = Counter(s.id for s in sources)
    twice = sorted(i for i, count in counts.items() if count > 1)
    if twice or "" in counts:
        named = ", ".join(twice[:NAMED_FAILURES]) or "an empty one"
        raise DataError(f"{out}: recording ids must be unique, found {named}", "Remove or rename the duplicates")


@contextlib.contextmanager
def _only_builder(plan: Plan) -> Iterator[None]:
    """Hold the place of the store; a second process that builds the same one waits, then finds it complete."""
    if plan.out.is_dir():
        raise WriteError(f"Cannot write {plan.out}: it is a folder", "Give the name of a file")
    with only_writer(lock_of(plan.out), plan.out, wait=True):
        sweep(plan.out.parent)
        yield


def _existing(plan: Plan, overwrite: bool) -> dict[str, Entry]:
    """Manifest of the store under the final name; empty if there is none, or it is to be replaced."""
    if not plan.out.exists():
        return {}
    try:
        with open_store(plan.out, plan.kind) as file:
            if text(file, "settings_hash") == settings_hash(plan.kind, plan.settings):
                return read_manifest(file)
            found = text(file, "settings")
    except CacheError as error:
        if overwrite:
            logger.warning("%s; it is made again", error.problem)
            return {}
        raise
    if overwrite:
        return {}
    raise CacheError(
        f"{plan.out} was made with other settings: {found}",
        "Choose another file name, or delete it to have it made anew",
    )


def _details(source: Any) -> dict[str, Any]:
    """The fields of a source, and of what is within it, but where their files lie.

    A `reading` or `cut` of None is left out: stores that were made before there were any are the same.
    """
    values = {f: getattr(source, f) for f in source.__dataclass_fields__ if f != "path"}
    said = {f: value for f, value in values.items() if f not in ("reading", "cut") or value is not None}
    return {f: [_plain(v) for v in value] if isinstance(value, tuple) else _plain(value) for f, value in said.items()}


def _plain(value: Any) -> Any:
    return _details(value) if dataclasses.is_dataclass(value) else value


def _entry(source: Source, old: Entry | None, sha256: str | None) -> Entry:
    """What `source` is now; equal to `old` where its content did not change (a copied data set has new times).

    Args:
        source: a recording.
        old: what it was.
        sha256: of its file, see `file_hashes`; None where there is none.
    """
    details = sha256_json(_details(source))
    if sha256 is None:
        now = Entry(details, -1, 0, "")
        return dataclasses.replace(now, problem=old.problem) if old is not None and old.size == -1 else now
    if old is not None and (old.details, old.sha256) == (details, sha256):
        return old
    stat = source.path.stat()
    return Entry(details, stat.st_size, stat.st_mtime_ns, sha256)


def _wanted(sources: Sequence[Source], old: Mapping[str, Entry]) -> dict[str, Entry]:
    """What each source is now."""
    hashes = file_hashes(s.path for s in sources if s.path.is_file())
    return {s.id: _entry(s, old.get(s.id), hashes.get(s.path)) for s in sources}


def _in_order(
    work: Callable[[SourceT], str], sources: Sequence[SourceT], workers: int
) -> Generator[tuple[SourceT, Callable[[], str]], None, None]:
    """Each source, and what gives the result of `work` on it, or raises as that does.

    With several workers, so many sources are worked on ahead. Whoever stops early closes the iterator, which waits for
    what was begun.
    """
    if workers == 1:
        yield from ((source, partial(work, source)) for source in sources)
        return
    waiting = deque[tuple[SourceT, Callable[[], str]]]()
    with ThreadPoolExecutor(workers) as pool:
        for source in sources:
            waiting.append((source, pool.submit(work, source).result))
            if len(waiting) > workers:
                yield waiting.popleft()
        while waiting:
            yield waiting.popleft()


def _was_finished(plan: Plan, source: Source, wanted: dict[str, Entry]) -> bool:
    """Whether an earlier build finished this source; completes its entry."""
    entry = wanted[source.id]
    content = content_of_part(plan.part(source.id, entry))
    if content:
        wanted[source.id] = dataclasses.replace(entry, content=content, problem="")
    return bool(content)


def _make(plan: Plan, wanted: Mapping[str, Entry], write: Write[SourceT], source: SourceT) -> str:
    """Preprocess a source; return the hash of what was decoded."""
    entry = wanted[source.id]
    return write_part(plan.part(source.id, entry), source.path, entry.sha256, partial(write, source))


def _completed(entry: Entry, part: Callable[[], str], around: AbstractContextManager[None]) -> Entry:
    """What a source is, and what became of it."""
    try:
        with around:
            return dataclasses.replace(entry, content=part(), problem="")
    except DataError as error:
        return dataclasses.replace(entry, content="", problem=error.problem)


def _report(plan: Plan, sources: Sequence[Source], done: Mapping[str, Entry], reused: bool) -> StoreReport:
    """Sum up; refuse too many corrupt recordings."""
    failures = tuple(StoreFailure(s.id, str(s.path), done[s.id].problem) for s in sources if done[s.id].problem)
    if len(failures) > plan.max_bad_fraction * len(sources) or len(failures) == len(sources):
        named = first_few([f.problem for f in failures], NAMED_FAILURES)
        raise DataError(
            f"{len(failures)} of {len(sources)} recordings are corrupt, more than the allowed "
            f"{100 * plan.max_bad_fraction:.3g}%: {named}",
            "Repair or remove them, or allow a larger max_bad_fraction; what could be read is kept for the next run",
        )
    return StoreReport(plan.out, len(sources) - len(failures), failures, reused)


def _assemble(plan: Plan, wanted: Mapping[str, Entry], old: Mapping[str, Entry]) -> None:
    """Copy all parts into the final file, without decompressing them, and let it appear under its name at once."""
    kept = [i for i, entry in wanted.items() if not entry.problem]
    taken_over = {i for i in kept if old.get(i) == wanted[i]}
    sizes = (plan.part(i, wanted[i]).stat().st_size for i in kept if i not in taken_over)
    size = sum(sizes) + (plan.out.stat().st_size if taken_over else 0)
    with contextlib.ExitStack() as stack:
        before = stack.enter_context(open_store(plan.out, plan.kind)) if taken_over else None
        temporary = stack.enter_context(atomic_path(plan.out))
        with writing_hdf5(temporary, size) as file:
            limit_cache(file)
            write_header(file, plan.kind, plan.settings, wanted)
            group = file.create_group("recordings")
            for recording in kept:
                name = member_name(recording)
                if before is not None and recording in taken_over:
                    before.copy(f"recordings/{name}", group, name=name)
                    continue
                with h5py.File(plan.part(recording, wanted[recording]), "r", locking=False) as part:
                    part.copy("data", group, name=name)
