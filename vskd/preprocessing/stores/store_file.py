"""The layout of a store of preprocessed recordings, and reading it: one HDF5 file, one dataset per recording.

/recordings/<quoted id>   the array; attributes: source_sha256, content_sha256, crc32 (checksum.py), facts of its kind
/manifest                 JSON: per id what it was made from, and for a corrupt recording what was wrong; crc32
attributes of the file    schema, kind, settings (JSON), settings_hash

Texts have a fixed length: HDF5 keeps others in a heap without checksums. The rest of its tables has them.
"""

import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import astuple, dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

import h5py
import numpy as np
import numpy.typing as npt

from vskd.errors import CacheError, DamagedCacheError
from vskd.files import sha256_json
from vskd.preprocessing.stores.checksum import DAMAGE, NAME, by_rows, check, checked, seal

SCHEMA = 3
METADATA_BYTES = 1 << 18
CHECKSUMS = NAME.encode()
KEPT_BYTES = 1 << 26
"""Of recordings that a store keeps in memory."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What a recording was made from, and whether that worked.

    Attributes:
        details: hash of how it was read (variable, columns, rate), everything but the path.
        size: bytes of the source file, -1 if there is none.
        mtime_ns: time of its last change.
        sha256: of its content, empty if there is none.
        problem: why it could not be preprocessed; empty if it was.
        content: hash of what was decoded from it; empty if nothing was.
    """

    details: str
    size: int
    mtime_ns: int
    sha256: str
    problem: str = ""
    content: str = ""


def member_name(recording: str) -> str:
    """Name of a recording inside the file: ids may hold `/`, which HDF5 would read as a path."""
    return quote(recording, safe=" ").replace(".", "%2E")


def settings_hash(kind: str, settings: Mapping[str, Any]) -> str:
    """Identity of what decides a store's content, apart from the recordings themselves."""
    return sha256_json([SCHEMA, kind, dict(settings)])


_NAME_ANOTHER = "name another file"


def _how_to_renew(path: Path) -> str:
    return f"Delete {path} and run the command again; it is made anew"


@contextlib.contextmanager
def refusing_damage(path: Path) -> Iterator[None]:
    """Turn what h5py raises on the inside of a damaged file into one error.

    Raises:
        DamagedCacheError: something is missing, unreadable, or fails its checksum.
    """
    try:
        yield
    except DAMAGE as error:
        raise DamagedCacheError(path, f"{path} is damaged ({error})", _how_to_renew(path)) from error


def text(file: h5py.File, name: str) -> str:
    """A text attribute of a file."""
    value = file.attrs.get(name, "")
    return value.decode("utf-8") if isinstance(value, bytes) else str(value)


def open_store(path: Path, kind: str) -> h5py.File:
    """Open a store for reading.

    Raises:
        CacheError: missing, damaged, or of another kind or version.
    """
    if not path.is_file():
        raise CacheError(f"{path}: there is no such store", "Make it with `vskd preprocess`, or check the path")
    try:
        # A store never changes under its name, so readers need no lock (and could not take one on a read-only disk).
        file = h5py.File(path, "r", locking=False)
    except OSError as error:
        action = f"If it was a store, delete it and run the command again, which makes it anew; else {_NAME_ANOTHER}"
        raise DamagedCacheError(path, f"{path} is not a readable store: {error}", action) from error
    with refusing_damage(path):
        found, schema = text(file, "kind"), file.attrs.get("schema")
        fits = found == kind and schema == SCHEMA and "recordings" in file and "manifest" in file
    limit_cache(file)
    if not fits:
        file.close()
        raise CacheError(
            f"{path} holds {found or 'something else'} (version {schema}), not {kind} of version {SCHEMA}",
            _how_to_renew(path) if found == kind else f"It is another command's: {_NAME_ANOTHER}",
        )
    return file


def limit_cache(file: h5py.File) -> None:
    """Let HDF5 remember the places of few recordings.

    By default it keeps small pieces of memory for each recording read. They lie between the large ones of the batches,
    which the C library then cannot use again: memory grew with the number of recordings, a hundred times what was kept.
    """
    limits = file.id.get_mdc_config()
    limits.set_initial_size = True
    limits.initial_size = limits.min_size = limits.max_size = METADATA_BYTES
    file.id.set_mdc_config(limits)


def write_header(file: h5py.File, kind: str, settings: Mapping[str, Any], manifest: Mapping[str, Entry]) -> None:
    """Write everything but the recordings."""
    file.attrs["schema"] = SCHEMA
    file.attrs["kind"] = np.bytes_(kind)
    file.attrs["settings"] = np.bytes_(json.dumps(dict(settings), sort_keys=True))  # JSON is ASCII
    file.attrs["settings_hash"] = np.bytes_(settings_hash(kind, settings))
    content = np.frombuffer(_as_json(manifest), dtype=np.uint8)
    seal(file.create_dataset("manifest", data=content), content)


def _as_json(manifest: Mapping[str, Entry]) -> bytes:
    """As `json.dumps` of all rows, which takes three times the memory."""
    rows = (
        f"{', ' * (number > 0)}{json.dumps(recording)}: {json.dumps(astuple(entry))}".encode()
        for number, (recording, entry) in enumerate(manifest.items())
    )
    return b"".join(chain((b"{",), rows, (b"}",)))


def read_manifest(file: h5py.File) -> dict[str, Entry]:
    """What each recording of a store was made from, by id.

    Raises:
        CacheError: the file is damaged.
    """
    with refusing_damage(Path(file.filename)):
        rows = json.loads(str(checked(file["manifest"]).data, "utf-8"))
        return {recording: Entry(*row) for recording, row in rows.items()}


def check_store(path: Path) -> None:
    """Read all of a store and compare it with its checksums. Training need not: it compares what it reads.

    Raises:
        DamagedCacheError: something differs.
    """
    with refusing_damage(path), h5py.File(path, "r", locking=False) as file:
        for recording, entry in read_manifest(file).items():
            if not entry.problem:
                checked(file["recordings"][member_name(recording)])


class Store:
    """Reads a store by recording id.

    Attributes:
        ids: recordings in it.
        problems: of those left out as corrupt, by id: what was wrong.
        contents: hash of what was decoded, by id of the recording: equal for the same samples in other files.
        settings: by which it was made.

    The file is opened on first use in each process: an instance may be pickled, or inherited by a data loader's worker.

    Raises:
        CacheError: missing, damaged, or of another kind or version.
    """

    kind = ""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: h5py.File | None = None
        self._process = -1
        self._kept: dict[str, npt.NDArray[Any]] = {}
        self._sums: dict[str, npt.NDArray[np.uint32]] = {}
        self._room = KEPT_BYTES
        with open_store(path, self.kind) as file, refusing_damage(path):
            manifest = read_manifest(file)
            self.ids = frozenset(i for i, entry in manifest.items() if not entry.problem)
            self.problems = {i: entry.problem for i, entry in manifest.items() if entry.problem}
            self.contents = {i: entry.content for i, entry in manifest.items() if not entry.problem}
            self.settings: dict[str, Any] = json.loads(text(file, "settings"))

    def dataset(self, recording: str) -> h5py.Dataset:
        """The HDF5 dataset of one recording; who reads it himself compares it with its checksums.

        Raises:
            CacheError: it is not in the store.
        """
        file = self._open(recording)
        with refusing_damage(self.path):
            return file["recordings"][member_name(recording)]

    def _open(self, recording: str) -> h5py.File:
        """The open file, which must hold `recording`."""
        if recording not in self.ids:
            raise CacheError(f"{self.path} has no recording {recording}", "Check the warnings of the run that made it")
        if self._file is None or self._process != os.getpid():
            self._file, self._process = open_store(self.path, self.kind), os.getpid()
        return self._file

    def read(self, recording: str) -> npt.NDArray[Any]:
        """The whole array of one recording.

        Raises:
            CacheError: it is not in the store, or the store is damaged (a chunk's checksum is wrong).
        """
        dataset = self.dataset(recording)
        with refusing_damage(self.path):
            return checked(dataset)

    def kept(self, recording: str) -> npt.NDArray[Any]:
        """As `read`, of recordings that are small and read in every epoch: once, as long as there is room in memory.

        Returns:
            The array, which is not to be changed.

        Raises:
            CacheError: see `read`.
        """
        if recording in self._kept:
            return self._kept[recording]
        array = self.read(recording)
        if array.nbytes <= self._room:
            self._room -= array.nbytes
            self._kept[recording] = array
        return array

    def row(self, recording: str, number: int) -> npt.NDArray[Any]:
        """One row of a recording's array, e.g. a window: of one too large to be kept, that row alone is read.

        Returns:
            The row, which is not to be changed.

        Raises:
            CacheError: see `read`.
        """
        if recording in self._kept:
            return np.asarray(self._kept[recording][number])
        dataset = self.dataset(recording)
        with refusing_damage(self.path):
            if dataset.nbytes <= self._room or not by_rows(dataset):
                return np.asarray(self.kept(recording)[number])
            if recording not in self._sums:
                self._sums[recording] = np.asarray(dataset.attrs[NAME], dtype=np.uint32)
            row = np.asarray(dataset[number])
            check(row[np.newaxis], self._sums[recording][number : number + 1], f"{recording}, row {number}")
            return row

    def length(self, recording: str) -> int:
        """Of the first axis of a recording's array.

        Raises:
            CacheError: the recording is not in the store.
        """
        return len(self._kept[recording]) if recording in self._kept else int(self.dataset(recording).shape[0])

    def read_into(self, recording: str, out: npt.NDArray[Any]) -> None:
        """Fill `out` with the whole array of one recording.

        By h5py's low-level interface, which takes a third of the time for arrays as small as an image
        (measured at 64 x 64 bytes: 0.11 ms instead of 0.32).

        Args:
            recording: its id.
            out: C-contiguous, of the recording's shape and type.

        Raises:
            CacheError: it is not in the store or has another shape, or the store is damaged.
        """
        file = self._open(recording)
        with refusing_damage(self.path):
            dataset = h5py.h5d.open(file.id, f"recordings/{member_name(recording)}".encode())
            if dataset.shape != out.shape:
                raise ValueError(f"{recording} is {dataset.shape}, not {out.shape}")
            if dataset.dtype != out.dtype:
                raise ValueError(f"{recording} is {dataset.dtype}, not {out.dtype}")
            dataset.read(h5py.h5s.ALL, h5py.h5s.ALL, out)
            sums = np.empty(1, dtype=np.uint32)
            h5py.h5a.open(dataset, CHECKSUMS).read(sums)
            check(out[np.newaxis], sums, recording)

    def fact(self, recording: str, name: str) -> Any:
        """A fact that is stored beside a recording.

        Raises:
            CacheError: the recording is not in the store, or the store is damaged.
        """
        dataset = self.dataset(recording)
        with refusing_damage(self.path):
            value = dataset.attrs[name]
            return value.decode() if isinstance(value, bytes) else value

    def close(self) -> None:
        """Close the file; it opens again on the next use."""
        if self._file is not None and self._process == os.getpid():
            self._file.close()
        self._file = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_file": None}
