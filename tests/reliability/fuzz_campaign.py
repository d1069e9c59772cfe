"""Damaged files of every kind, read by the product's own doors: none may be used without a word where it was sealed,
end in an error that nobody foresaw, crash the process, or hang.

    python -m tests.reliability.fuzz_campaign --files 20000 --seconds 3000 --out soak/fuzz.json

Every case is a function of its number and the seed. It is read in a process of its own kind that a watchman ends when
it takes too long, so that crashes and endless loops are counted, not suffered.
"""

import argparse
import hashlib
import logging
import multiprocessing
import resource
import sys
import tempfile
import threading
import time
import warnings
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import psutil

OUTCOMES = ("refused", "harmless", "other content", "silent", "internal error", "crash", "hang")
"""`harmless`: the same was understood as of the good file. `other content`: a well-formed file of something else, as a
user may give. `silent`: the same of a file whose content the product has on record. The last four are defects, but
`other content`."""
DEFECTS = ("silent", "internal error", "crash", "hang")
LIMIT_S = 10.0
"""A file that takes more seconds of a processor hangs."""
PATIENCE = 12
"""So many times as long may it take by the clock, on a machine that has other work."""
FAST = 4
"""How much more often than others is a file damaged whose reading takes no process and no training."""
MEMORY = 12 << 30
"""Address space of a reading process, in bytes."""


@dataclass(frozen=True)
class Outcome:
    """What became of one damaged file."""

    case: int
    subject: str
    damage: str
    outcome: str
    detail: str = ""
    named: bool = True
    seconds: float = 0.0


def fingerprint(value: object) -> str:
    """The same for the same content, whatever it is made of."""
    digest = hashlib.sha256()
    _feed(digest, value)
    return digest.hexdigest()


def _feed(digest: Any, value: Any) -> None:
    """Every number, text and array in `value`, in order."""
    if hasattr(value, "detach"):
        value = value.detach().cpu().numpy()
    if isinstance(value, np.ndarray):
        digest.update(f"{value.dtype}{value.shape}".encode() + np.ascontiguousarray(value).tobytes())
    elif isinstance(value, Mapping):
        for key in sorted(value, key=str):
            digest.update(f"{key}:".encode())
            _feed(digest, value[key])
    elif isinstance(value, set | frozenset):
        _feed(digest, sorted(map(str, value)))
    elif isinstance(value, list | tuple):
        digest.update(f"[{len(value)}]".encode())
        for part in value:
            _feed(digest, part)
    elif hasattr(value, "model_dump"):
        digest.update(repr(value.model_dump()).encode())
    else:
        digest.update(repr(value).encode())


class Reader:
    """Reads damaged files in a copy of the material of its own."""

    def __init__(self, material: Path, copy: Path, seed: int) -> None:
        from tests.reliability.material import copy_material
        from tests.reliability.subjects import ALL

        self._material, self._root, self._seed = material, copy, seed
        self._subjects, self._good = {s.name: s for s in ALL}, {}
        self._copy = copy_material
        copy_material(material, copy)

    def good(self, name: str) -> str:
        """What the good file gives."""
        subject = self._subjects[name]
        if name not in self._good:
            self._good[name] = fingerprint(subject.read(self._root))
            self._restore(subject.writes)
        return str(self._good[name])

    def _restore(self, everything: bool) -> None:
        if everything:
            self._copy(self._material, self._root)

    def read(self, name: str, case: int) -> Outcome:
        """Damage the file of a subject, read it, and put the good one back."""
        from tests.reliability.damage import damaged
        from tests.reliability.subjects import replace
        from vskd.errors import VskdError

        subject, good = self._subjects[name], self.good(name)
        path = subject.path(self._root)
        content = path.read_bytes()
        damage, bad = damaged(path, content, np.random.default_rng([self._seed, case]))
        started = time.perf_counter()
        outcome, detail, named = "harmless", "", True
        replace(path, bad)
        try:
            if subject.seal is not None:
                subject.seal(self._root)
            if bad != content and fingerprint(subject.read(self._root)) != good:
                outcome = "silent" if subject.sealed else "other content"
        except VskdError as error:
            outcome, detail = "refused", str(error)
            named = path.name in detail
        except Exception as error:  # noqa: BLE001 - what nobody foresaw is what this looks for
            outcome, detail = "internal error", f"{type(error).__name__}: {error} ({_where(error)})"
        seconds = time.perf_counter() - started
        replace(path, content)
        self._restore(subject.writes or subject.seal is not None)
        return Outcome(case, name, damage, outcome, detail[:400], named, round(seconds, 3))


def _where(error: BaseException) -> str:
    """The last line of the product's own code that the error went through."""
    trace, where = error.__traceback__, ""
    while trace is not None:
        file = Path(trace.tb_frame.f_code.co_filename)
        if "vskd" in file.parts and "tests" not in file.parts:
            where = f"{file.parent.name}/{file.name}:{trace.tb_lineno}"
        trace = trace.tb_next
    return where


def _work(connection: Connection, material: Path, copy: Path, seed: int) -> None:
    """A reading process: takes (subject, case), gives outcomes."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    sys.stderr = Path("/dev/null").open("w", encoding="utf-8")  # noqa: SIM115 - for as long as the process lives
    reader = Reader(material, copy, seed)
    while True:
        task = connection.recv()
        if task is None:
            return
        subject, case = task
        reader.good(subject)
        connection.send("ready")  # the clock of the damaged file starts here
        connection.send(reader.read(subject, case))


def _seconds(process: psutil.Process) -> float:
    """Seconds of a processor that a process and its ended children took; 0 where it has ended."""
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system + times.children_user + times.children_system)


class Watchman:
    """A reading process that is ended and begun again when it crashes or hangs."""

    def __init__(self, material: Path, seed: int) -> None:
        self._material, self._seed = material, seed
        self._folder = tempfile.TemporaryDirectory(prefix="vskd-fuzz-", dir=material.parent)
        self._begin()

    def _begin(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._ours, theirs = context.Pipe()
        arguments = (theirs, self._material, Path(self._folder.name) / "copy", self._seed)
        self._process = context.Process(target=_work, args=arguments, daemon=False)
        self._process.start()
        theirs.close()

    def read(self, subject: str, case: int) -> Outcome:
        """One damaged file."""
        self._ours.send((subject, case))
        try:
            self._ours.recv()
            if self._answers():
                result: Outcome = self._ours.recv()
                return result
            outcome = "hang"
        except EOFError:
            outcome = "crash"
        self._end()
        detail = f"exit code {self._process.exitcode}" if outcome == "crash" else f"more than {LIMIT_S:g} s"
        self._begin()
        return Outcome(case, subject, _damage_of(subject, case, self._material, self._seed), outcome, detail)

    def _answers(self) -> bool:
        """Whether there is an answer in time."""
        process = psutil.Process(self._process.pid)
        start, spent = time.monotonic(), _seconds(process)
        while time.monotonic() - start < PATIENCE * LIMIT_S:
            if self._ours.poll(1.0):
                return True
            if _seconds(process) - spent > LIMIT_S:
                return False
        return False

    def _end(self) -> None:
        self._process.kill()
        self._process.join()
        self._ours.close()

    def close(self) -> None:
        """End the process and remove its files."""
        self._end()
        self._folder.cleanup()


def _damage_of(subject: str, case: int, material: Path, seed: int) -> str:
    from tests.reliability.damage import damaged
    from tests.reliability.subjects import ALL

    path = next(s for s in ALL if s.name == subject).path(material)
    return damaged(path, path.read_bytes(), np.random.default_rng([seed, case]))[0]


def schedule(names: Sequence[str], files: int) -> list[tuple[str, int]]:
    """(subject, case) of a campaign: every subject as often as its share says, evenly mixed."""
    from tests.reliability.subjects import ALL

    chosen = [s for s in ALL if not names or s.name in names]
    shares = {s.name: s.share if s.slow else FAST * s.share for s in chosen}
    places = [((k + 0.5) / share, name) for name, share in shares.items() for k in range(share)]
    cycle = [name for _, name in sorted(places)]
    return [(cycle[case % len(cycle)], case) for case in range(files)]


def campaign(
    material: Path, *, files: int, seconds: float, seed: int = 0, workers: int = 1, names: Sequence[str] = ()
) -> list[Outcome]:
    """Damage and read `files` files, or as many as there is time for."""
    tasks, lock, results = iter(schedule(names, files)), threading.Lock(), list[Outcome]()
    end = time.monotonic() + seconds

    def work() -> None:
        """One watchman takes cases until there are none, or no time."""
        watchman = Watchman(material, seed)
        try:
            while time.monotonic() < end:
                with lock:
                    task = next(tasks, None)
                if task is None:
                    return
                results.append(watchman.read(*task))
        finally:
            watchman.close()

    threads = [threading.Thread(target=work) for _ in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(results, key=lambda r: r.case)


def summary(results: Sequence[Outcome]) -> dict[str, Any]:
    """Counts, in all and for each subject, and every defect."""
    by_subject: dict[str, Counter[str]] = defaultdict(Counter)
    for r in results:
        by_subject[r.subject][r.outcome] += 1
    total = Counter(r.outcome for r in results)
    return {
        "files": len(results),
        "outcomes": {name: total[name] for name in OUTCOMES},
        "refused_without_the_name_of_the_file": sum(not r.named for r in results),
        "slowest_s": max((r.seconds for r in results), default=0.0),
        "subjects": {name: dict(counts) for name, counts in sorted(by_subject.items())},
        "defects": [vars(r) for r in results if r.outcome in DEFECTS],
        "unnamed": [vars(r) for r in results if not r.named][:200],
    }


def table(found: Mapping[str, Any]) -> str:
    """The counts as text."""
    lines = [f"{'':44}" + "".join(f"{name:>15}" for name in OUTCOMES)]
    for name, counts in (*found["subjects"].items(), ("all", found["outcomes"])):
        lines.append(f"{name:44}" + "".join(f"{counts.get(outcome, 0):>15}" for outcome in OUTCOMES))
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a campaign; 1 where a defect was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--seconds", type=float, default=3000.0, help="stop then, whatever is left")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--subject", action="append", default=[], help="only this one; may be repeated")
    parser.add_argument("--material", type=Path, help="a folder of good files, made if it is not there")
    parser.add_argument("--out", type=Path, default=Path("soak/fuzz.json"))
    options = parser.parse_args(arguments)
    from tests.reliability.material import make_material
    from vskd.files import write_json

    started = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch:
        material = (options.material or Path(scratch) / "material").resolve()
        if not material.is_dir():
            make_material(material)
        results = campaign(
            material,
            files=options.files,
            seconds=options.seconds,
            seed=options.seed,
            workers=options.workers,
            names=options.subject,
        )
    found = {**summary(results), "seconds": round(time.monotonic() - started), "seed": options.seed}
    write_json(options.out, found)
    print(table(found))
    print(f"{found['files']} files in {found['seconds']} s; {len(found['defects'])} defects: {options.out}")
    return 1 if found["defects"] else 0


if __name__ == "__main__":
    sys.exit(main())
