"""One writer at a time, said clearly; a dead one never blocks."""

import datetime
import json
import logging
import os
import signal
import socket
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.reliability.children import in_child
from vskd.files import WriteError
from vskd.locks import LOCK, LockedError, lock_of, only_writer


def holding(lock: Path, what: Path) -> int:
    """A child that holds a lock until it is killed; its number."""
    read, write = os.pipe()
    child = os.fork()
    if not child:
        with only_writer(lock, what):
            os.write(write, b".")
            time.sleep(60)
        os._exit(0)
    os.read(read, 1)
    os.close(read)
    os.close(write)
    return child


def killed(child: int) -> None:
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def test_the_second_is_refused_and_told_by_whom_where_and_since_when(tmp_path: Path) -> None:
    child = holding(tmp_path / "run" / LOCK, tmp_path / "run")
    try:
        with pytest.raises(LockedError) as caught, only_writer(tmp_path / "run" / LOCK, tmp_path / "run"):
            pytest.fail("must not get here")
    finally:
        killed(child)
    text = str(caught.value)
    assert f"{tmp_path / 'run'} is being written by process {child} on {socket.gethostname()}, since 20" in text
    assert "Wait until that has ended" in text


def test_the_lock_of_a_killed_process_does_not_block(tmp_path: Path) -> None:
    killed(holding(tmp_path / "run" / LOCK, tmp_path / "run"))
    assert (tmp_path / "run" / LOCK).is_file()
    with only_writer(tmp_path / "run" / LOCK, tmp_path / "run"):
        pass
    assert not (tmp_path / "run" / LOCK).exists()


def test_nothing_is_left_not_even_the_folder(tmp_path: Path) -> None:
    with only_writer(tmp_path / "new" / LOCK, tmp_path / "new"):
        assert (tmp_path / "new" / LOCK).is_file()
    assert list(tmp_path.iterdir()) == []
    with only_writer(tmp_path / "new" / LOCK, tmp_path / "new"):
        (tmp_path / "new" / "results").touch()
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["results"]


def test_who_waits_goes_on_when_the_other_has_ended(tmp_path: Path) -> None:
    """Never two at a time: each appends its beginning and its end."""
    log = tmp_path / "log"

    def work() -> None:
        with only_writer(lock_of(tmp_path / "store.h5"), tmp_path / "store.h5", wait=True):
            for word in ("begin", "end"):
                with log.open("a") as handle:
                    handle.write(f"{word}\n")
                time.sleep(0.02)

    children = []
    for _ in range(4):
        child = os.fork()
        if not child:
            work()
            os._exit(0)
        children.append(child)
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * 4
    assert log.read_text().split() == ["begin", "end"] * 4
    assert [p.name for p in tmp_path.iterdir()] == ["log"]


def test_the_same_process_does_not_enter_twice(tmp_path: Path) -> None:
    with (
        only_writer(tmp_path / LOCK, tmp_path),
        pytest.raises(LockedError),
        only_writer(tmp_path / LOCK, tmp_path),
    ):
        pytest.fail("must not get here")


def test_a_signature_that_cannot_be_read_is_another_process(tmp_path: Path) -> None:
    with only_writer(tmp_path / LOCK, tmp_path):
        (tmp_path / LOCK).write_text("half a li")
        with pytest.raises(LockedError, match="by another process"), only_writer(tmp_path / LOCK, tmp_path):
            pytest.fail("must not get here")


def test_a_place_that_cannot_be_written_is_a_write_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(WriteError, match="file"), only_writer(tmp_path / "file" / LOCK, tmp_path / "file"):
        pytest.fail("must not get here")


def test_a_disk_without_locks_is_said_and_worked_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr("vskd.locks.fcntl.flock", refuse)
    with caplog.at_level("WARNING", logger="vskd"), only_writer(tmp_path / LOCK, tmp_path):
        pass
    assert "cannot be locked (No locks available): let no second process write there" in caplog.text


def test_a_child_of_these_tests_reports_and_dies(tmp_path: Path) -> None:
    assert in_child(lambda: 5)[:2] == (5, 0)
    assert in_child(lambda: os.kill(os.getpid(), signal.SIGKILL))[:2] == (None, -signal.SIGKILL)
    assert in_child(lambda: time.sleep(5), timeout_s=0.05).code == -signal.SIGALRM


def test_who_waits_says_for_whom(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    child = os.fork()
    if not child:
        with only_writer(tmp_path / LOCK, tmp_path):
            (tmp_path / "held").touch()
            time.sleep(0.3)
        os._exit(0)
    while not (tmp_path / "held").exists():
        time.sleep(0.01)
    with caplog.at_level("WARNING", logger="vskd"), only_writer(tmp_path / LOCK, tmp_path, wait=True):
        pass
    os.waitpid(child, 0)
    assert f"waiting for process {child} on {socket.gethostname()}, since 20" in caplog.text
    assert f"which is writing {tmp_path}" in caplog.text


@pytest.mark.parametrize(
    ("caller", "level"), [(os.getppid(), "INFO"), (os.getpid(), "WARNING"), (None, "WARNING")],
    ids=["another worker of one command", "a worker of another command", "another command"],
)  # fmt: skip
def test_workers_of_one_command_wait_for_each_other_without_a_warning(
    caller: int | None, level: str, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    held, waits = threading.Event(), threading.Event()

    def hold() -> None:
        with only_writer(tmp_path / LOCK, tmp_path):
            held.set()
            waits.wait(60)

    def told(record: logging.LogRecord) -> bool:
        waits.set()
        return True

    parent = None if caller is None else SimpleNamespace(pid=caller)
    monkeypatch.setattr("vskd.locks.multiprocessing.parent_process", lambda: parent)
    logger, thread = logging.getLogger("vskd.locks"), threading.Thread(target=hold)
    logger.addFilter(told)
    thread.start()
    try:
        held.wait(60)
        with caplog.at_level("INFO", logger="vskd"), only_writer(tmp_path / LOCK, tmp_path, wait=True):
            pass
    finally:
        logger.removeFilter(told)
        waits.set()
        thread.join()
    assert [(r.levelname, r.getMessage().split(",")[0]) for r in caplog.records] == [
        (level, f"waiting for process {os.getpid()} on {socket.gethostname()}")
    ]


def test_the_lock_of_a_file_lies_hidden_beside_it() -> None:
    assert lock_of(Path("a/store.h5")) == Path("a/.store.h5.lock")


def test_a_full_disk_leaves_a_lock_without_a_signature(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("vskd.locks.os.pwrite", full)
    with only_writer(tmp_path / LOCK, tmp_path):
        assert (tmp_path / LOCK).read_bytes() == b""
        with pytest.raises(LockedError, match="by another process"), only_writer(tmp_path / LOCK, tmp_path):
            pytest.fail("must not get here")


def test_a_folder_that_was_there_stays_and_a_deep_one_is_made(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    with only_writer(tmp_path / "run" / LOCK, tmp_path / "run"):
        pass
    assert [p.name for p in tmp_path.iterdir()] == ["run"]
    with only_writer(tmp_path / "a" / "b" / LOCK, tmp_path / "a"):
        assert (tmp_path / "a" / "b" / LOCK).stat().st_mode & 0o777 == 0o644
    assert list((tmp_path / "a").iterdir()) == []


def test_a_lock_is_freed_by_an_error_too_and_signed_anew(tmp_path: Path) -> None:
    (tmp_path / LOCK).write_text("x" * 500)  # of somebody with a longer name
    with pytest.raises(RuntimeError), only_writer(tmp_path / LOCK, tmp_path):
        signed = json.loads((tmp_path / LOCK).read_text())
        assert (signed["pid"], signed["host"]) == (os.getpid(), socket.gethostname())
        assert datetime.datetime.fromisoformat(signed["since"]).utcoffset() == datetime.timedelta(0)
        raise RuntimeError
    with only_writer(tmp_path / LOCK, tmp_path):
        pass


def test_the_time_of_a_lock_is_in_whole_seconds_and_no_descriptor_stays_open(tmp_path: Path) -> None:
    def next_free() -> int:
        descriptor = os.dup(0)
        os.close(descriptor)
        return descriptor

    before = next_free()
    with only_writer(tmp_path / LOCK, tmp_path):
        assert len(json.loads((tmp_path / LOCK).read_text())["since"]) == len("2026-01-01T00:00:00+00:00")
        held = next_free()
        with pytest.raises(LockedError) as caught, only_writer(tmp_path / LOCK, tmp_path):
            pytest.fail("must not get here")
        assert next_free() == held and caught.value.__traceback__ is not None
    assert next_free() == before
