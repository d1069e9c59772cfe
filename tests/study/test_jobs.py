"""Jobs: done in order or several at a time, each as if its process had done nothing before; a killed process loses
nothing, and an error is told once.
"""

import logging
import os
import re
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from vskd.errors import DataError, RunError
from vskd.library_logs import SAID_ONCE
from vskd.study.jobs import ATTEMPTS, Job, run_jobs

REPOSITORY = Path(__file__).parents[2]


def note(file: Path, text: str, needs: tuple[Path, ...] = ()) -> str:
    """Leave a line, after what must be there is there."""
    assert all(needed.exists() for needed in needs)
    with file.open("a") as out:
        out.write(f"{text} {os.getpid()}\n")
    return text.upper()


def die(file: Path, times: int) -> str:
    """Be killed so many times."""
    note(file, "begun")
    if len(file.read_text().splitlines()) <= times:
        os.kill(os.getpid(), signal.SIGKILL)
    return "alive"


def fail(error: Exception) -> None:
    logging.getLogger("vskd.test").warning("about to fail")
    raise error


def chatter() -> None:
    """As converters do: the first call gives the root logger a handler, where it has none."""
    library = logging.getLogger("some_converter")
    library.setLevel(logging.INFO)
    logging.info("converting")
    library.info("step 1")
    warnings.warn("the library is deprecated", DeprecationWarning, stacklevel=1)
    logging.getLogger("vskd.test").warning("ours")
    logging.getLogger("vskd.test").info("news of ours")


def warn_once() -> None:
    logging.getLogger("vskd.test").warning("of the %s", "data", extra={SAID_ONCE: True})


def sleep(file: Path) -> None:
    file.write_text(str(os.getpid()))
    time.sleep(120)


def chain(folder: Path) -> list[Job]:
    """Two teachers, and a student of each."""
    made = []
    for name in ("one", "two"):
        teacher, student = folder / f"teacher-{name}", folder / name
        made.append(Job(teacher, f"teacher {name}", partial(note, teacher, name)))
        made.append(Job(student, f"student {name}", partial(note, student, name * 2, (teacher,)), (teacher,)))
    return made


@pytest.mark.parametrize("workers", [1, 2])
def test_every_job_is_done_once_after_those_that_it_needs(tmp_path: Path, workers: int) -> None:
    found = run_jobs(chain(tmp_path), workers, tmp_path / "log")
    assert {path.name: answer for path, answer in found.items()} == {
        "teacher-one": "ONE",
        "one": "ONEONE",
        "teacher-two": "TWO",
        "two": "TWOTWO",
    }
    lines = [(tmp_path / path.name).read_text().splitlines() for path in found]
    assert [len(line) for line in lines] == [1] * 4
    pids = {int(line[0].split()[1]) for line in lines}
    assert pids == {os.getpid()} if workers == 1 else len(pids) == 2 and os.getpid() not in pids


def pid_in(file: Path) -> int:
    """Of the process that last left a line."""
    return int(file.read_text().split()[-1])


def test_no_process_is_begun_for_nothing(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    run_jobs(
        [Job(one, "", partial(note, one, "x")), Job(two, "", partial(note, two, "x"), (one,))], 3, tmp_path / "log"
    )
    assert pid_in(one) == pid_in(two)


def test_a_process_stays_while_jobs_wait_for_another(tmp_path: Path) -> None:
    first, last = ([tmp_path / name for name in names] for names in ("ab", "cd"))
    jobs = [Job(file, "first", partial(note, file, "x")) for file in first]
    jobs += [Job(file, "last", partial(note, file, "x", tuple(first)), tuple(first)) for file in last]
    run_jobs(jobs, 2, tmp_path / "log")
    assert len(set(map(pid_in, first))) == 2 and set(map(pid_in, first)) == set(map(pid_in, last))


def test_of_libraries_workers_show_no_more_than_one_process_does(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run_jobs([Job(tmp_path / "x", "the job", chatter)], 2, tmp_path / "log")
    assert capfd.readouterr().err.splitlines() == ["WARNING: the job: ours"]
    said = (tmp_path / "log").read_text()
    assert "news of ours" in said and "ours" in said


def test_a_killed_process_is_begun_again_and_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    job = Job(tmp_path / "x", "the job", partial(die, tmp_path / "x", ATTEMPTS - 1))
    assert run_jobs([job], 2, tmp_path / "log") == {job.folder: "alive"}
    said = [r.message for r in caplog.records if r.levelno == logging.WARNING]
    assert said == ["the job: its process was ended by SIGKILL; it is begun again"] * (ATTEMPTS - 1)


def kill(victim: Path) -> None:
    """Kill the process that has done another job; it may be about to say so."""
    os.kill(wait_for_pid(victim), signal.SIGKILL)


def test_a_process_that_is_killed_while_it_waits_loses_nothing(tmp_path: Path) -> None:
    done, last = tmp_path / "done", [tmp_path / "c", tmp_path / "d"]
    jobs = [Job(done, "a", partial(note, done, "x")), Job(tmp_path / "kill", "b", partial(kill, done))]
    jobs += [Job(file, file.name, partial(note, file, "y"), (done, tmp_path / "kill")) for file in last]
    assert set(run_jobs(jobs, 2, tmp_path / "log").values()) == {"X", None, "Y"}
    assert all(file.read_text().count("y") == 1 and pid_in(file) != pid_in(done) for file in last)


def test_a_process_that_is_always_killed(tmp_path: Path) -> None:
    job = Job(tmp_path / "x", "the job", partial(die, tmp_path / "x", 99))
    with pytest.raises(RunError, match=rf"the job: its process was ended {ATTEMPTS} times, by SIGKILL"):
        run_jobs([job], 2, tmp_path / "log")


@pytest.mark.parametrize(
    ("error", "raised", "told"),
    [
        (DataError("No data in F", "Name another"), DataError, r"No data in F\. Name another\."),
        (ZeroDivisionError("x"), RunError, r"first: its process ended with exit code 1; see .*log"),
    ],
)
def test_an_error_ends_it_and_no_other_job_is_begun(tmp_path: Path, error, raised, told: str) -> None:
    jobs = [
        Job(tmp_path / "first", "first", partial(fail, error)),
        Job(tmp_path / "after", "after", partial(note, tmp_path / "after", "x"), (tmp_path / "first",)),
    ]
    with pytest.raises(raised, match=told):
        run_jobs(jobs, 2, tmp_path / "log")
    assert not (tmp_path / "after").exists()
    log = (tmp_path / "log").read_text(encoding="utf-8")
    assert re.search(r"WARNING first: about to fail", log)
    assert ("ZeroDivisionError" in log) == (raised is RunError)


def await_failure(begun: Path) -> None:
    """Be at work while another job fails."""
    begun.touch()
    time.sleep(1)
    begun.write_text("done")


def fail_beside(begun: Path) -> None:
    wait_until(begun.exists, f"{begun} never came")
    fail(DataError("No data in F", "Name another"))


def test_what_is_at_work_when_a_job_fails_is_finished(tmp_path: Path) -> None:
    other, third = tmp_path / "other", tmp_path / "third"
    jobs = [
        Job(other, "other", partial(await_failure, other)),
        Job(tmp_path / "fails", "fails", partial(fail_beside, other)),
        Job(third, "third", partial(note, third, "x")),
    ]
    with pytest.raises(DataError, match="No data in F"):
        run_jobs(jobs, 2, tmp_path / "log")
    assert other.read_text() == "done" and not third.exists()


def test_of_several_workers_one_warns_of_what_is_said_once(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """The caller does; the log has it of each."""
    run_jobs([Job(tmp_path / name, name, warn_once) for name in ("one", "other")], 2, tmp_path / "log")
    assert [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING] == ["of the data"]
    assert capfd.readouterr().err == ""
    logged = (tmp_path / "log").read_text().splitlines()
    assert sorted(line.split(" ", 2)[2] for line in logged) == [
        *("WARNING one: of the data", "WARNING other: of the data")
    ]


def test_each_line_has_the_title_of_its_job_and_is_said_once(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    titles = ["job 1", "50 % of %(job)s {2}", "job 3"]
    files = [tmp_path / str(number) for number in range(3)]
    run_jobs(
        [
            Job(file, title, chatter, tuple(files[:n]))
            for n, (file, title) in enumerate(zip(files, titles, strict=True))
        ],
        2,
        tmp_path / "log",
    )
    assert capfd.readouterr().err.splitlines() == [f"WARNING: {title}: ours" for title in titles]
    said = [line.split(" ", 3)[3] for line in (tmp_path / "log").read_text().splitlines()]
    assert said == [f"{title}: {text}" for title in titles for text in ("ours", "news of ours")]


@pytest.mark.parametrize("ended_by", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_workers_end_when_their_caller_does(tmp_path: Path, ended_by: signal.Signals) -> None:
    """One is at work, the other waits for that."""
    code = f"""
import signal
from functools import partial
from pathlib import Path
from tests.study.test_jobs import Job, note, run_jobs, sleep
if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)
    one, two, file, last = [Path({str(tmp_path)!r}) / name for name in ("one", "two", "pid", "last")]
    jobs = [Job(path, path.name, partial(note, path, "x")) for path in (one, two)]
    jobs.append(Job(file, "sleep", partial(sleep, file), (one, two)))
    jobs.append(Job(last, "last", partial(note, last, "x"), (file,)))
    run_jobs(jobs, 2, file.with_name("log"))
"""
    (tmp_path / "main.py").write_text(code)
    caller = subprocess.Popen(
        [sys.executable, tmp_path / "main.py"], env={**os.environ, "PYTHONPATH": str(REPOSITORY)}, cwd=REPOSITORY
    )
    pids = {wait_for_pid(tmp_path / name) for name in ("pid", "one", "two")}
    caller.send_signal(ended_by)
    caller.wait()
    try:
        wait_until(lambda: not any(map(alive, pids)), "a worker outlived its caller")
    finally:
        for pid in filter(alive, pids):
            os.kill(pid, signal.SIGKILL)
    assert len(pids) == 2 and not (tmp_path / "last").exists()


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_until(there: Callable[[], bool], what: str) -> None:
    for _ in range(1200):
        if there():
            return
        time.sleep(0.05)
    raise AssertionError(what)


def wait_for_pid(file: Path) -> int:
    wait_until(lambda: file.exists() and file.read_text() != "", f"{file} never came")
    return pid_in(file)


def killed_once(world: Path, folder: Path) -> Path:
    """A real training; the first process is killed right after the state of its first epoch was saved."""
    from tests.conftest import TINY, TINY_STUDENT
    from vskd.distillation import callbacks
    from vskd.distillation.train import distill
    from vskd.recipe import load_recipe

    marker = folder / "killed"
    if not marker.exists():

        class Killing(callbacks.ResumePoint):
            def on_train_epoch_end(self, trainer, pl_module) -> None:
                super().on_train_epoch_end(trainer, pl_module)
                marker.touch()
                os.kill(os.getpid(), signal.SIGKILL)

        callbacks.ResumePoint = Killing  # in a worker's process, which ends with it
    words = (*TINY, *TINY_STUDENT, "student.training.epochs=2", "distiller=none", f"dataset.path={world}", "threads=1")
    return distill(load_recipe("demo", words), folder / "run", cache=folder / "cache").run


def test_a_training_that_was_killed_ends_as_if_it_had_not_been(synthetic_root: Path, tmp_path: Path) -> None:
    import torch

    from vskd.distillation.run import RunFolder
    from vskd.models.weights.state import read_tensors

    places = [tmp_path / "killed", tmp_path / "whole"]
    for place in places:
        place.mkdir()
    (places[1] / "killed").touch()
    run_jobs([Job(places[0], "training", partial(killed_once, synthetic_root, places[0]))], 2, tmp_path / "log")
    assert (places[0] / "killed").exists()
    assert "resuming from" in (tmp_path / "log").read_text(encoding="utf-8")
    killed_once(synthetic_root, places[1])
    killed, whole = (read_tensors(RunFolder(place / "run").weights_file)[0] for place in places)
    assert all(torch.equal(killed[name], whole[name]) for name in whole)


def trained(world: Path, folder: Path, *words: str) -> int:
    """A real training; the process that did it."""
    from tests.conftest import TINY, TINY_STUDENT
    from vskd.distillation.train import distill
    from vskd.recipe import load_recipe

    recipe = load_recipe("demo", (*TINY, *TINY_STUDENT, "distiller=none", f"dataset.path={world}", *words))
    distill(recipe, folder / "run", cache=folder / "cache")
    return os.getpid()


def test_a_training_is_the_same_whatever_its_process_did_before(synthetic_root: Path, tmp_path: Path) -> None:
    import torch

    from vskd.distillation.run import RunFolder
    from vskd.models.weights.state import read_tensors

    before, after, alone = (tmp_path / name for name in ("before", "after", "alone"))
    other = partial(trained, synthetic_root, before, "threads=2", "seed=3", "student.training.precision=bfloat16")
    jobs = [Job(before, "before", other), Job(after, "after", partial(trained, synthetic_root, after), (before,))]
    assert len(set(run_jobs(jobs, 2, tmp_path / "log").values())) == 1
    run_jobs([Job(alone, "alone", partial(trained, synthetic_root, alone))], 2, tmp_path / "log")
    one, two = (RunFolder(folder / "run") for folder in (after, alone))
    weights, expected = (read_tensors(run.weights_file)[0] for run in (one, two))
    assert weights.keys() == expected.keys() and all(torch.equal(weights[name], expected[name]) for name in expected)
    assert one.facts() == two.facts()
    assert [{**row, "seconds": 0} for row in one.metrics()] == [{**row, "seconds": 0} for row in two.metrics()]


def stay(folder: Path, name: str) -> None:
    """Say how many are at work."""
    (folder / name).touch()
    time.sleep(0.3)
    (folder / f"{name}.seen").write_text(str(sum(not path.suffix for path in folder.glob("job*"))))
    time.sleep(0.1)
    (folder / name).unlink()


def test_no_more_are_at_work_than_asked_for(tmp_path: Path) -> None:
    names = [f"job{n}" for n in range(4)]
    run_jobs([Job(tmp_path / name, name, partial(stay, tmp_path, name)) for name in names], 2, tmp_path / "log")
    assert {int((tmp_path / f"{name}.seen").read_text()) for name in names} <= {1, 2}


def test_one_worker_says_what_it_does_here(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="vskd"):
        run_jobs(chain(tmp_path)[:2], 1, tmp_path / "log")
    assert [record.message for record in caplog.records] == ["teacher one", "student one"]
    assert not (tmp_path / "log").exists()
