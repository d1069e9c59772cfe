"""Independent pieces of work, one after the other or several at a time in processes of their own.

A process may be killed at any time: a training resumes from its last checkpoint, so the piece is begun again, by
another process. When the caller's process ends, however it ends, its workers end too.
"""

import io
import logging
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any

from vskd.errors import RunError, VskdError
from vskd.library_logs import quiet_libraries
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


@dataclass
class _Worker:
    """A process at work, and where it says what came of it."""

    job: Job
    process: SpawnProcess
    answers: Connection
    attempt: int


class _Crew:
    """At most `size` workers at a time."""

    def __init__(self, jobs: Sequence[Job], size: int, log: Path) -> None:
        self._waiting = [(job, 1) for job in jobs]
        self._size, self._log = size, log
        self._working: list[_Worker] = []
        self._failed: VskdError | None = None
        self.results: dict[Path, Any] = {}

    def finished(self) -> Iterator[Job]:
        """Do the jobs, and yield each as it is finished.

        Raises:
            VskdError: see `run_jobs`.
        """
        while self._working or (self._waiting and self._failed is None):
            self._hire()
            ended = wait([worker.process.sentinel for worker in self._working])
            for worker in [w for w in self._working if w.process.sentinel in ended]:
                self._working.remove(worker)
                if self._take(worker):
                    yield worker.job
        if self._failed is not None:
            raise self._failed

    def dismiss(self) -> None:
        """End all that are at work; what they had done so far is kept by their folders."""
        for worker in self._working:
            worker.process.kill()
            worker.process.join()
        self._working.clear()

    def _hire(self) -> None:
        for entry in list(self._waiting):
            job, attempt = entry
            if self._failed is not None or len(self._working) >= self._size:
                return
            if all(folder in self.results for folder in job.after):
                self._waiting.remove(entry)
                self._working.append(_begun(job, attempt, self._log))

    def _take(self, worker: _Worker) -> bool:
        """What came of a worker that has ended; whether its job is finished."""
        answer = _answer(worker)
        worker.process.join()  # its sentinel speaks a moment before its exit code is known
        job, code = worker.job, worker.process.exitcode or 0
        if answer is not None and not isinstance(answer[0], VskdError):
            self.results[job.folder] = answer[0]
            return True
        if answer is None and code < 0 and worker.attempt < ATTEMPTS:
            logger.warning("%s: its process was ended by %s; it is begun again", job.title, _signal(-code))
            self._waiting.insert(0, (job, worker.attempt + 1))
            return False
        self._failed = self._failed or (answer[0] if answer is not None else self._broken(worker, code))
        return False

    def _broken(self, worker: _Worker, code: int) -> RunError:
        """The error of a job whose process said nothing."""
        how = f"was ended {worker.attempt} times, by {_signal(-code)}" if code < 0 else f"ended with exit code {code}"
        return RunError(
            f"{worker.job.title}: its process {how}; see {self._log}",
            "Run the same command again to go on, with fewer workers where memory is short",
        )


def _begun(job: Job, attempt: int, log: Path) -> _Worker:
    logger.info("%s", job.title)
    context = multiprocessing.get_context("spawn")  # a fork would share the threads' locks, and open HDF5 files
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(job, log, theirs), daemon=False)
    process.start()
    theirs.close()
    return _Worker(job, process, ours, attempt)


def _answer(worker: _Worker) -> tuple[Any] | None:
    """What a worker that has ended had to say; None where it was ended before it could."""
    try:
        return (worker.answers.recv(),) if worker.answers.poll() else None
    except EOFError:
        return None
    finally:
        worker.answers.close()


def _signal(number: int) -> str:
    return signal.Signals(number).name if number in set(signal.Signals) else f"signal {number}"


def _work(job: Job, log: Path, answers: Connection) -> None:
    """What a worker's process does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is meant for the caller, who dismisses the crew
    threading.Thread(target=_end_with_the_caller, daemon=True).start()
    _say_into(log, job.title)
    try:
        answers.send(job.work())
    except VskdError as error:
        answers.send(error)
    except Exception:
        logger.exception("%s: an error that nobody foresaw", job.title)
        sys.exit(1)


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


def _say_into(log: Path, title: str) -> None:
    """Everything goes into the log that all workers share; warnings to the terminal, too, with the job's title."""
    sys.stderr = _NoTerminal(io.FileIO(os.dup(2), "w"), encoding="utf-8", write_through=True)
    shared = logging.FileHandler(log, encoding="utf-8")  # appended to line by line: lines of several are not mixed
    shared.setFormatter(logging.Formatter(f"%(asctime)s %(levelname)s {title}: %(message)s"))
    terminal = logging.StreamHandler(sys.stderr)
    terminal.setFormatter(logging.Formatter(f"%(levelname)s: {title}: %(message)s"))
    terminal.setLevel(logging.WARNING)
    package = logging.getLogger("vskd")
    package.setLevel(logging.INFO)
    package.addHandler(shared)
    logging.getLogger().addHandler(terminal)  # as in the caller's process: a library that finds none there adds its own
    quiet_libraries()
