"""Independent pieces of work, one after the other or several at a time in processes of their own.

A process does one piece after the other, since its start, which imports torch, costs as much as a short training. It
may be killed at any time: a training resumes from its last checkpoint, so the piece is begun again, by another process.
When the caller's process ends, however it ends, its workers end too.
"""

import contextlib
import io
import logging
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any

from vskd.errors import RunError, VskdError
from vskd.library_logs import SAID_ONCE, quiet_libraries
from vskd.progress import track

logger = logging.getLogger(__name__)

ATTEMPTS = 3
"""How often a piece of work is begun whose process is killed."""


@dataclass(frozen=True)
class Job:
    """A piece of work.

    Attributes:
        folder: what it makes; names it among the others.
        title: for people.
        work: does it; can be pickled, as can what it returns. Done already, it only reads what is there.
        after: folders of the jobs that must be finished before; they come earlier in the list.
    """

    folder: Path
    title: str
    work: Callable[[], Any]
    after: tuple[Path, ...] = ()


def run_jobs(jobs: Sequence[Job], workers: int, log: Path) -> dict[Path, Any]:
    """Do all jobs.

    Args:
        jobs: in an order in which they can be done one after the other.
        workers: how many are done at a time. One works in this process.
        log: of several workers: what all of them have to say.

    Returns:
        Folder -> what its work returned.

    Raises:
        VskdError: a job failed; those that were being done then are finished, no other is begun.
        RunError: a worker was killed again and again, or ended by an error of its own.
    """
    if workers == 1:
        return {job.folder: _in_this_process(job) for job in jobs}
    crew = _Crew(jobs, workers, log)
    try:
        for _ in track(crew.finished(), "Runs", total=len(jobs)):
            pass
    finally:
        crew.dismiss()
    return crew.results


def _in_this_process(job: Job) -> Any:
    logger.info("%s", job.title)
    return job.work()


@dataclass(frozen=True)
class _Said:
    """A warning of a worker for the caller, who knows whether another one gave it before."""

    text: str


@dataclass(eq=False)
class _Worker:
    """A process that does one job after the other.

    Attributes:
        pipe: by which it gets its jobs, and says what came of each; closed, there are no more.
        job: at which it is, or was last; begun for the `attempt`-th time.
    """

    process: SpawnProcess
    pipe: Connection
    job: Job = field(init=False)
    attempt: int = field(init=False)

    def begin(self, job: Job, attempt: int) -> None:
        """Hand it a job."""
        logger.info("%s", job.title)
        self.job, self.attempt = job, attempt
        with contextlib.suppress(OSError):  # killed while it had none: its end says so, as if it had been at work
            self.pipe.send(job)


class _Crew:
    """At most `size` workers; one is hired when a job can be begun and all others are at work."""

    def __init__(self, jobs: Sequence[Job], size: int, log: Path) -> None:
        self._waiting = [(job, 1) for job in jobs]
        self._size, self._log = size, log
        self._working: list[_Worker] = []
        self._idle: list[_Worker] = []
        self._failed: VskdError | None = None
        self._said: set[_Said] = set()
        self.results: dict[Path, Any] = {}

    def finished(self) -> Iterator[Job]:
        """Do the jobs, and yield each as it is finished.

        Raises:
            VskdError: see `run_jobs`.
        """
        while self._working or self._waiting:
            self._hand_out()
            said = wait([worker.pipe for worker in self._working])
            for worker in [w for w in self._working if w.pipe in said]:
                if self._take(worker):
                    yield worker.job
        if self._failed is not None:
            raise self._failed

    def dismiss(self) -> None:
        """End all; what those at work had done so far is kept by their folders."""
        for worker in self._working:
            worker.process.kill()
        self._idle += self._working
        self._working.clear()
        self._let_go()

    def _hand_out(self) -> None:
        """Begin what can be begun; let those go for whom nothing will be left."""
        ready = [entry for entry in self._waiting if all(folder in self.results for folder in entry[0].after)]
        for job, attempt in ready[: self._size - len(self._working)]:
            self._waiting.remove((job, attempt))
            worker = self._idle.pop() if self._idle else _hired(self._log)
            self._working.append(worker)
            worker.begin(job, attempt)
        if not self._waiting:
            self._let_go()

    def _let_go(self) -> None:
        for worker in self._idle:
            worker.pipe.close()
            worker.process.join()
        self._idle.clear()

    def _take(self, worker: _Worker) -> bool:
        """What a worker says, or that it has ended; whether its job is finished."""
        try:
            answer = worker.pipe.recv()
        except (EOFError, OSError):  # killed while it spoke, or before it had taken the job
            self._lose(worker)
            return False
        if isinstance(answer, _Said):
            if answer not in self._said:
                logger.warning("%s", answer.text)
            self._said.add(answer)
            return False
        self._idle.append(worker)  # before the next line: Ctrl-C between them must not leave one that nobody dismisses
        self._working.remove(worker)
        if isinstance(answer, VskdError):
            self._fail(answer)
            return False
        self.results[worker.job.folder] = answer
        return True

    def _lose(self, worker: _Worker) -> None:
        """Begin the job of a worker again that was killed; one that ended by itself would end again."""
        self._working.remove(worker)
        worker.pipe.close()
        worker.process.join()
        code = worker.process.exitcode or 0
        if code < 0 and worker.attempt < ATTEMPTS and self._failed is None:
            logger.warning("%s: its process was ended by %s; it is begun again", worker.job.title, _signal(-code))
            self._waiting.insert(0, (worker.job, worker.attempt + 1))
        else:
            self._fail(self._broken(worker, code))

    def _fail(self, error: VskdError) -> None:
        """Begin no other job; of several errors the first is told."""
        self._failed = self._failed or error
        self._waiting.clear()

    def _broken(self, worker: _Worker, code: int) -> RunError:
        """The error of a job whose process said nothing."""
        how = f"was ended {worker.attempt} times, by {_signal(-code)}" if code < 0 else f"ended with exit code {code}"
        return RunError(
            f"{worker.job.title}: its process {how}; see {self._log}",
            "Run the same command again to go on, with fewer workers where memory is short",
        )


def _hired(log: Path) -> _Worker:
    """A worker that has no job yet."""
    context = multiprocessing.get_context("spawn")  # a fork would share the threads' locks, and open HDF5 files
    ours, theirs = context.Pipe()
    process = context.Process(target=_work, args=(log, theirs), daemon=False)
    process.start()
    theirs.close()
    return _Worker(process, ours)


def _signal(number: int) -> str:
    return signal.Signals(number).name if number in set(signal.Signals) else f"signal {number}"


def _work(log: Path, pipe: Connection) -> None:
    """What a worker's process does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is meant for the caller, who dismisses the crew
    threading.Thread(target=_end_with_the_caller, daemon=True).start()
    handlers = _say_into(log, pipe)
    for job in _handed(pipe):
        for handler, form in handlers.items():
            handler.setFormatter(logging.Formatter(form, defaults={"title": job.title}))
        try:
            pipe.send(job.work())
        except VskdError as error:
            pipe.send(error)
        except Exception:
            logger.exception("%s: an error that nobody foresaw", job.title)
            sys.exit(1)


def _handed(pipe: Connection) -> Iterator[Job]:
    """The jobs, until the caller has no more."""
    with contextlib.suppress(EOFError):
        while True:
            yield pipe.recv()


def _end_with_the_caller() -> None:
    caller = multiprocessing.parent_process()
    if caller is not None:
        caller.join()
        os._exit(1)  # as good as a kill, which every folder survives


class _NoTerminal(io.TextIOWrapper):
    """Standard error of a worker: several progress bars on one terminal would overwrite each other."""

    def isatty(self) -> bool:
        """No bars."""
        return False


def _for_the_terminal(pipe: Connection, record: logging.LogRecord) -> bool:
    """Whether a worker says a warning itself; what is to be said once goes to the caller."""
    once = getattr(record, SAID_ONCE, False)
    if once:
        pipe.send(_Said(record.getMessage()))
    return not once


def _say_into(log: Path, pipe: Connection) -> dict[logging.Handler, str]:
    """Everything goes into the log that all workers share; warnings to the terminal, too, or to the caller.

    Returns:
        Handler -> what each of its lines is made of, the title of the job in hand among it.
    """
    sys.stderr = _NoTerminal(io.FileIO(os.dup(2), "w"), encoding="utf-8", write_through=True)
    shared = logging.FileHandler(log, encoding="utf-8")  # appended to line by line: lines of several are not mixed
    terminal = logging.StreamHandler(sys.stderr)
    terminal.setLevel(logging.WARNING)
    terminal.addFilter(partial(_for_the_terminal, pipe))
    package = logging.getLogger("vskd")
    package.setLevel(logging.INFO)
    package.addHandler(shared)
    logging.getLogger().addHandler(terminal)  # as in the caller's process: a library that finds none there adds its own
    quiet_libraries()
    return {
        shared: "%(asctime)s %(levelname)s %(title)s: %(message)s",
        terminal: "%(levelname)s: %(title)s: %(message)s",
    }
