"""SHA256SUMS: the hashes of a folder's finished files, beside them, in the format that `sha256sum -c` reads."""

import contextlib
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path

from vskd.errors import VskdError
from vskd.files import atomic_path, sha256_file

SUMS = "SHA256SUMS"
_LINE = re.compile(r"([0-9a-f]{64})  (.+)")

Hashes = dict[str, frozenset[str]]
"""Name -> the hashes that its content may have: one, or two while it is being replaced."""


class SumsError(VskdError):
    """A SHA256SUMS is damaged, so that nothing can be said of the files beside it."""


class Sums:
    """The record of a folder: a file is finished when it is on record and its content has the hash given there.

    Args:
        folder: whose files are named relative to it, with `/`.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.file = folder, folder / SUMS

    def recorded(self) -> Hashes:
        """What is on record; nothing where there is no such file.

        Raises:
            SumsError: it is damaged.
        """
        try:
            text = self.file.read_bytes().decode("utf-8")
        except (FileNotFoundError, NotADirectoryError):
            return {}
        except (OSError, UnicodeDecodeError) as error:
            raise self._damaged() from error
        lines = [_LINE.fullmatch(line) for line in text.removesuffix("\n").split("\n")]
        if not text.endswith("\n") or not all(lines):
            raise self._damaged()
        found: Hashes = {}
        for match in filter(None, lines):
            found[match[2]] = found.get(match[2], frozenset()) | {match[1]}
        return found

    def _damaged(self) -> SumsError:
        return SumsError(
            f"{self.file} is damaged, so that it cannot be told which files beside it are whole",
            f"Restore it from a copy, or delete {self.folder} and run the command again",
        )

    def intact(self, names: Collection[str]) -> bool:
        """Whether all of some files are on record and have the content that was recorded."""
        known = self.recorded()
        return all(self._fits(name, known.get(name, frozenset())) for name in names)

    def damaged(self, names: Iterable[str]) -> list[str]:
        """Those of some files that are missing, not on record, or of another content."""
        known = self.recorded()
        return [name for name in names if not self._fits(name, known.get(name, frozenset()))]

    def _fits(self, name: str, hashes: frozenset[str]) -> bool:
        if not hashes:
            return False
        try:
            return sha256_file(self.folder / name) in hashes
        except OSError:
            return False

    def record(self, names: Iterable[str], *, durable: bool = True) -> None:
        """Put files on record as they are now."""
        self._write({**self.recorded(), **{n: frozenset({sha256_file(self.folder / n)}) for n in names}}, durable)

    def put(self, hashes: Mapping[str, str], *, only: bool = False, durable: bool = True) -> None:
        """Put files on record whose hashes are known; with `only`, all others are taken off it."""
        found = {name: frozenset({digest}) for name, digest in hashes.items()}
        self._write(found if only else {**self.recorded(), **found}, durable)

    def clear(self) -> None:
        """Take everything off the record, which may be damaged."""
        self._write({})

    def forget(self, names: Collection[str]) -> None:
        """Take files off the record, before they are written anew."""
        known = self.recorded()
        if not known.keys().isdisjoint(names):
            self._write({name: hashes for name, hashes in known.items() if name not in names})

    @contextlib.contextmanager
    def replacing(self, name: str) -> Iterator[Path]:
        """Like `atomic_path`, for a file on record: at every moment its content fits the record."""
        before = self.recorded()
        with atomic_path(self.folder / name) as temporary:
            yield temporary
            digest = sha256_file(temporary)
            self._write({**before, name: before.get(name, frozenset()) | {digest}})
        self._write({**before, name: frozenset({digest})})

    def replace_text(self, name: str, content: str) -> None:
        """Write UTF-8 text to a file on record, unless that is its content already."""
        wanted = content.encode("utf-8")
        with contextlib.suppress(OSError):
            if (self.folder / name).read_bytes() == wanted and self.intact([name]):
                return
        with self.replacing(name) as temporary:
            temporary.write_bytes(wanted)

    def _write(self, hashes: Hashes, durable: bool = True) -> None:
        if not hashes:
            self.file.unlink(missing_ok=True)
            return
        lines = [f"{digest}  {name}\n" for name in sorted(hashes) for digest in sorted(hashes[name])]
        with atomic_path(self.file, durable=durable) as temporary:
            temporary.write_text("".join(lines), encoding="utf-8")
