"""Building and reading stores: kill-safe, resumable, reused, refused; nothing half-written under any failure."""

import contextlib
import errno
import os
import pickle
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import h5py
import numpy as np
import pytest

from vskd.errors import CacheError, DataError
from vskd.files import WriteError
from vskd.preprocessing.stores import store as store_module
from vskd.preprocessing.stores import store_file
from vskd.preprocessing.stores.store import Plan, StoreReport, build_store
from vskd.preprocessing.stores.store_file import Entry, Store, member_name


@dataclass(frozen=True)
class TextSource:
    """A file with one number in it."""

    id: str
    path: Path
    factor: int = 1


class NumberStore(Store):
    kind = "numbers"


def write_number(source: TextSource, file: h5py.File) -> None:
    try:
        number = int(source.path.read_text())
    except (OSError, ValueError) as error:
        raise DataError(f"{source.path}: no number in it", "Write one") from error
    file.create_dataset("data", data=np.full((3, 2), number * source.factor))


class Counted:
    """`write_number`, remembering which recordings it was asked for, and failing where it is told to."""

    def __init__(self, fail_at: str = "", error: BaseException | None = None) -> None:
        self.seen: list[str] = []
        self.fail_at, self.error = fail_at, error

    def __call__(self, source: TextSource, file: h5py.File) -> None:
        self.seen.append(source.id)
        if source.id == self.fail_at and self.error is not None:
            raise self.error
        write_number(source, file)


@pytest.fixture
def sources(tmp_path: Path) -> list[TextSource]:
    folder = tmp_path / "data"
    folder.mkdir()
    result = []
    for number in range(5):
        (folder / f"{number}.txt").write_text(str(number))
        result.append(TextSource(f"r{number}", folder / f"{number}.txt"))
    return result


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out" / "store.h5"


def build(
    sources: list[TextSource],
    out: Path,
    write: Callable[[TextSource, h5py.File], None] = write_number,
    *,
    settings: dict[str, object] | None = None,
    bad: float = 0.0,
    overwrite: bool = False,
    workers: int = 1,
    around: Callable[[TextSource], contextlib.AbstractContextManager[None]] = lambda _: contextlib.nullcontext(),
) -> StoreReport:
    plan = Plan(out, "numbers", settings or {"a": 1}, bad)
    return build_store(plan, sources, write, description="test", overwrite=overwrite, workers=workers, around=around)


def left(out: Path) -> list[str]:
    """Everything in the output folder, hidden files too."""
    return sorted(p.name for p in out.parent.iterdir()) if out.parent.exists() else []


def test_what_is_written_is_read(sources: list[TextSource], out: Path) -> None:
    report = build(sources, out)
    assert report == StoreReport(out, 5, (), reused=False)
    assert left(out) == ["store.h5"]
    with NumberStore(out) as store:
        assert store.ids == {"r0", "r1", "r2", "r3", "r4"}
        assert store.settings == {"a": 1}
        for number in range(5):
            np.testing.assert_array_equal(store.dataset(f"r{number}")[()], np.full((3, 2), number))
    with pytest.raises(CacheError, match="r9"):
        store.dataset("r9")


def test_small_recordings_are_read_once_as_long_as_there_is_room(
    sources: list[TextSource], out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(sources, out)
    monkeypatch.setattr(store_file, "KEPT_BYTES", 100)  # room for two arrays of 48 bytes
    with NumberStore(out) as store:
        for number in (3, 1, 4, 3, 1, 4):
            np.testing.assert_array_equal(store.kept(f"r{number}"), np.full((3, 2), number))
        assert [store.kept(i) is store.kept(i) for i in ("r3", "r1", "r4")] == [True, True, False]
        assert [store.length(i) for i in ("r3", "r4")] == [3, 3]
        with pytest.raises(CacheError, match="r9"):
            store.kept("r9")


def test_the_hash_of_each_source_is_kept(sources: list[TextSource], out: Path) -> None:
    build(sources, out)
    with NumberStore(out) as store:  # sha256 of the text "3"
        known = "4e07408562bedb8b60ce05c1decfe3ad16b72230967de01f640b7e4729b49fce"
        assert store.fact("r3", "source_sha256") == known


@pytest.mark.parametrize("name", ["subject 1/class/img.jpg", ".", "..", "100%", "a%2Fb", "größe", "a.b"])
def test_any_id_is_a_valid_name(sources: list[TextSource], out: Path, name: str) -> None:
    build([TextSource(name, sources[3].path), *sources], out)
    with NumberStore(out) as store:
        assert name in store.ids
        assert store.dataset(name)[0, 0] == 3


def test_different_ids_have_different_names() -> None:
    ids = ["a/b", "a%2Fb", "a.b", "a%2Eb", "a b", "a_b"]
    assert len({member_name(i) for i in ids}) == len(ids)


def test_a_complete_store_is_left_alone(sources: list[TextSource], out: Path) -> None:
    build(sources, out)
    before, again = out.stat(), Counted()
    assert build(sources, out, again).reused
    assert again.seen == []
    assert out.stat().st_mtime_ns == before.st_mtime_ns
    assert build(sources[:2], out, again) == StoreReport(out, 2, (), reused=True)


def test_a_copied_data_set_is_recognised_by_content(sources: list[TextSource], out: Path) -> None:
    build(sources, out)
    for source in sources:
        os.utime(source.path, (1, 1))
    again = Counted()
    assert build(sources, out, again).reused
    assert again.seen == []


def test_only_changed_and_new_sources_are_read_again(sources: list[TextSource], out: Path) -> None:
    build(sources[:4], out)
    sources[1].path.write_text("7")
    again = Counted()
    assert build(sources, out, again) == StoreReport(out, 5, (), reused=False)
    assert again.seen == ["r1", "r4"]
    with NumberStore(out) as store:
        assert [int(store.dataset(s.id)[0, 0]) for s in sources] == [0, 7, 2, 3, 4]


def edit_unseen(path: Path, content: str) -> None:
    """Another content of the same size, under the times of before."""
    before = path.stat()
    assert len(content) == before.st_size
    path.write_text(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_an_edit_that_keeps_size_and_time_is_read_again(sources: list[TextSource], out: Path) -> None:
    build(sources, out)
    edit_unseen(sources[1].path, "7")
    again = Counted()
    assert not build(sources, out, again).reused
    assert again.seen == ["r1"]
    assert NumberStore(out).dataset("r1")[0, 0] == 7


def test_a_finished_part_is_of_the_source_as_it_was(sources: list[TextSource], out: Path) -> None:
    """An interrupted build goes on with what did not change, whatever size and time say."""
    with pytest.raises(KeyboardInterrupt):
        build(sources, out, Counted("r3", KeyboardInterrupt()))
    edit_unseen(sources[0].path, "8")
    again = Counted()
    build(sources, out, again)
    assert again.seen == ["r0", "r3", "r4"]
    assert NumberStore(out).dataset("r0")[0, 0] == 8


def test_what_was_decoded_is_known_by_content(sources: list[TextSource], out: Path) -> None:
    """Other bytes that say the same, and other numbers."""
    sources[1].path.write_text(" 3 \n")
    build(sources, out)
    with NumberStore(out) as store:
        contents = store.contents
        assert contents["r1"] == contents["r3"] == store.fact("r3", "content_sha256")
        assert len(set(contents.values())) == 4


def test_a_source_read_in_another_way_is_read_again(sources: list[TextSource], out: Path) -> None:
    build(sources, out)
    again = Counted()
    build([*sources[:4], TextSource("r4", sources[4].path, factor=10)], out, again)
    assert again.seen == ["r4"]
    with NumberStore(out) as store:
        assert store.dataset("r4")[0, 0] == 40


def test_other_settings_are_refused_unless_told(sources: list[TextSource], out: Path) -> None:
    build(sources, out)
    before = out.read_bytes()
    with pytest.raises(CacheError, match=r"store\.h5 was made with other settings"):
        build(sources, out, settings={"a": 2})
    assert out.read_bytes() == before
    assert left(out) == ["store.h5"]
    assert not build(sources, out, settings={"a": 2}, overwrite=True).reused
    with NumberStore(out) as store:
        assert store.settings == {"a": 2}


@pytest.mark.parametrize("content", [b"", b"not HDF5 at all", None])
def test_a_damaged_store_is_refused_unless_told(sources: list[TextSource], out: Path, content: bytes | None) -> None:
    build(sources, out)
    out.write_bytes(out.read_bytes()[: out.stat().st_size // 2] if content is None else content)
    with pytest.raises(CacheError, match=r"store\.h5"):
        build(sources, out)
    with pytest.raises(CacheError, match=r"store\.h5"):
        NumberStore(out)
    assert not build(sources, out, overwrite=True).reused
    assert len(NumberStore(out).ids) == 5


def test_a_store_of_another_kind_is_refused(sources: list[TextSource], out: Path, tmp_path: Path) -> None:
    build(sources, out)

    class OtherStore(Store):
        kind = "others"

    with pytest.raises(CacheError, match="holds numbers"):
        OtherStore(out)
    with pytest.raises(CacheError, match="no such store"):
        OtherStore(tmp_path / "nothing.h5")


def test_corrupt_recordings_are_left_out_named_and_not_tried_again(sources: list[TextSource], out: Path) -> None:
    sources[2].path.write_text("not a number")
    report = build(sources, out, bad=0.2)
    assert (report.stored, [f.id for f in report.failures]) == (4, ["r2"])
    assert str(sources[2].path) in report.failures[0].problem
    again = Counted()
    repeated = build(sources, out, again, bad=0.2)
    assert (repeated.stored, repeated.failures, repeated.reused) == (4, report.failures, True)
    assert again.seen == []
    assert "r2" not in NumberStore(out).ids
    sources[2].path.write_text("2")
    assert build(sources, out, again, bad=0.2).failures == ()
    assert again.seen == ["r2"]


def test_what_was_said_of_a_missing_file_is_kept_until_it_is_there(sources: list[TextSource], out: Path) -> None:
    sources[2].path.unlink()
    report = build(sources, out, bad=0.2)
    assert [f.id for f in report.failures] == ["r2"]
    again = Counted()
    assert build(sources, out, again, bad=0.2) == replace(report, reused=True)
    assert again.seen == []
    sources[2].path.write_text("2")
    assert build(sources, out, again, bad=0.2).failures == ()
    assert again.seen == ["r2"]


def test_too_many_corrupt_recordings_stop_it_all_named(sources: list[TextSource], out: Path) -> None:
    sources[1].path.write_text("x")
    sources[3].path.unlink()
    with pytest.raises(DataError, match="2 of 5") as caught:
        build(sources, out, bad=0.3)
    assert all(str(sources[i].path) in str(caught.value) for i in (1, 3))
    assert not out.exists()
    again = Counted()
    build(sources, out, again, bad=0.4)
    assert again.seen == ["r1", "r3"], "what could be read was kept"


def test_a_store_of_nothing_but_corrupt_recordings_is_never_made(sources: list[TextSource], out: Path) -> None:
    for source in sources:
        source.path.write_text("x")
    with pytest.raises(DataError, match="5 of 5"):
        build(sources, out, bad=1.0)
    assert left(out) == []


def test_a_long_list_of_failures_is_cut(tmp_path: Path, out: Path) -> None:
    sources = [TextSource(f"r{n}", tmp_path / f"{n}.txt") for n in range(25)]
    with pytest.raises(DataError, match="and 15 more"):
        build(sources, out)


def test_no_sources_and_ids_twice_are_refused(sources: list[TextSource], out: Path) -> None:
    with pytest.raises(DataError, match="no recordings"):
        build([], out)
    with pytest.raises(DataError, match="r1"):
        build([*sources, sources[1]], out)
    assert left(out) == []


def test_an_interrupted_build_goes_on_where_it_stopped(sources: list[TextSource], out: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        build(sources, out, Counted("r3", KeyboardInterrupt()))
    assert not out.exists()
    again = Counted()
    build(sources, out, again)
    assert again.seen == ["r3", "r4"]
    assert left(out) == ["store.h5"]


def test_a_killed_build_goes_on_where_it_stopped(sources: list[TextSource], out: Path) -> None:
    """SIGKILL in the middle of a recording, with data already written."""
    script = textwrap.dedent(
        """
        import os, signal, sys
        import numpy as np
        from pathlib import Path
        from tests_store import TextSource, write_number
        from vskd.preprocessing.stores.store import Plan, build_store

        def write(source, file):
            write_number(source, file)
            file.flush()
            if source.id == "r3":
                os.kill(os.getpid(), signal.SIGKILL)

        folder = Path(sys.argv[1])
        sources = [TextSource(f"r{n}", folder / f"{n}.txt") for n in range(5)]
        build_store(Plan(Path(sys.argv[2]), "numbers", {"a": 1}, 0.0), sources, write, description="")
        """
    )
    loader = (
        "import importlib.util, sys; "
        f"spec = importlib.util.spec_from_file_location('tests_store', {__file__!r}); "
        "module = importlib.util.module_from_spec(spec); sys.modules['tests_store'] = module; "
        "spec.loader.exec_module(module)\n"
    )
    command = [sys.executable, "-c", loader + script, str(sources[0].path.parent), str(out)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[3])}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert not out.exists()
    again = Counted()
    build(sources, out, again)
    assert again.seen == ["r3", "r4"]
    assert left(out) == ["store.h5"]


def test_parts_of_a_build_that_was_killed_when_all_but_done_are_removed(sources: list[TextSource], out: Path) -> None:
    build(sources, out)
    (out.parent / ".store.h5.partial").mkdir()
    (out.parent / ".store.h5.partial" / "part.h5").touch()
    assert build(sources, out).reused
    assert left(out) == ["store.h5"]


def test_a_finished_part_that_was_damaged_is_made_again(sources: list[TextSource], out: Path) -> None:
    """Whatever place is hit: a whole part of zeros has the right Fletcher-32."""
    with pytest.raises(KeyboardInterrupt):
        build(sources, out, Counted("r3", KeyboardInterrupt()))
    part = sorted((out.parent / ".store.h5.partial").iterdir())[0]
    with h5py.File(part, "r+") as file:
        file["data"][...] = 0 if file["data"][0, 0] else 9
    again = Counted()
    build(sources, out, again)
    assert len(again.seen) == 3
    assert [int(NumberStore(out).dataset(s.id)[0, 0]) for s in sources] == [0, 1, 2, 3, 4]


def test_a_finished_part_that_a_power_cut_emptied_is_made_again(sources: list[TextSource], out: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        build(sources, out, Counted("r3", KeyboardInterrupt()))
    part = sorted((out.parent / ".store.h5.partial").iterdir())[0]
    part.write_bytes(b"")
    again = Counted()
    build(sources, out, again)
    assert len(again.seen) == 3
    assert len(NumberStore(out).ids) == 5


def full_disk() -> OSError:
    return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("earlier", [False, True])
@pytest.mark.parametrize("place", ["part", "header", "room"])
def test_a_full_disk_leaves_nothing_behind_and_earlier_results_alone(
    sources: list[TextSource], out: Path, monkeypatch: pytest.MonkeyPatch, place: str, earlier: bool
) -> None:
    before = None
    if earlier:
        build(sources[:2], out)
        before = out.read_bytes()

    def fail(*_: object) -> None:
        raise full_disk()

    if place == "part":
        writes = []

        def write_some(path: Path, content: bytes, *, durable: bool) -> None:
            writes.append(path)
            if len(writes) == 2:
                raise WriteError(f"Cannot write {path}: No space left on device", "Free some disk space")
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)

        monkeypatch.setattr("vskd.preprocessing.stores.store_parts.write_bytes", write_some)
    elif place == "header":
        monkeypatch.setattr(store_module, "write_header", fail)
    else:
        monkeypatch.setattr(os, "posix_fallocate", fail)
    with pytest.raises(WriteError, match="No space left on device"):
        build(sources, out)
    assert left(out) == (["store.h5"] if earlier else [])
    if before is not None:
        assert out.read_bytes() == before


def test_a_real_limit_on_the_size_of_files_is_a_clear_error(tmp_path: Path) -> None:
    """No simulation: the operating system refuses to write beyond 64 KiB; HDF5 itself would crash."""
    script = textwrap.dedent(
        """
        import resource, signal, sys
        import numpy as np
        from dataclasses import dataclass
        from pathlib import Path
        from vskd.files import WriteError
        from vskd.preprocessing.stores.store import Plan, build_store

        @dataclass(frozen=True)
        class Source:
            id: str
            path: Path

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))
        rows = int(sys.argv[2])
        write = lambda source, file: file.create_dataset("data", data=np.zeros((rows, 1024), np.uint8))
        sources = [Source(f"r{n}", Path(sys.executable)) for n in range(4)]
        try:
            build_store(Plan(Path(sys.argv[1]) / "s.h5", "numbers", {}, 0.0), sources, write, description="")
        except WriteError as error:
            sys.exit(f"clean: {error}")
        """
    )
    for rows in (20, 200):  # the assembled store is too large; already one part is
        done = subprocess.run(
            [sys.executable, "-c", script, str(tmp_path / "o"), str(rows)], capture_output=True, text=True, check=False
        )
        assert done.returncode == 1, done.stderr
        assert done.stderr.startswith("clean: Cannot write"), done.stderr
        assert list(tmp_path.rglob("*")) == []


def test_an_unwritable_place_is_told_before_any_work(sources: list[TextSource], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("I am no folder")
    work = Counted()
    with pytest.raises(WriteError, match=r"store\.h5"):
        build(sources, tmp_path / "file" / "store.h5", work)
    (tmp_path / "folder").mkdir()
    with pytest.raises(WriteError, match="is a folder"):
        build(sources, tmp_path / "folder", work)
    assert work.seen == []


def test_a_read_only_folder_is_told_before_any_work(
    sources: list[TextSource], out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Path, *_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(self))

    monkeypatch.setattr(Path, "mkdir", refuse)
    work = Counted()
    with pytest.raises(WriteError, match="Permission denied"):
        build(sources, out, work)
    assert work.seen == []


def test_a_reader_may_cross_into_other_processes(sources: list[TextSource], out: Path) -> None:
    build(sources, out)
    store = NumberStore(out)
    assert store.dataset("r2")[0, 0] == 2  # open in this process
    copy = pickle.loads(pickle.dumps(store))  # noqa: S301 - what a spawned worker does
    assert copy.dataset("r3")[0, 0] == 3
    read, write = os.pipe()
    child = os.fork()
    if not child:  # what a forked worker does: it must not use the parent's handle
        handle_is_own = store._file is None or store.dataset("r4").file.id != store._file
        os.write(write, bytes([int(store.dataset("r4")[0, 0]), int(store._process == os.getpid() and handle_is_own)]))
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(read, 2) == bytes([4, 1])
    assert store.dataset("r1")[0, 0] == 1


def test_a_second_builder_waits_and_finds_it_complete(sources: list[TextSource], out: Path) -> None:
    """Two processes start the same build at once: together they do the work once."""
    log = out.parent.parent / "log"
    log.mkdir()
    children = []
    for _ in range(2):
        child = os.fork()
        if not child:
            status = 1
            try:

                def note(source: TextSource, file: h5py.File) -> None:
                    (log / f"{os.getpid()}-{source.id}").touch()
                    write_number(source, file)

                build(sources, out, note)
                status = 0
            finally:
                os._exit(status)
        children.append(child)
    assert [os.waitpid(child, 0)[1] for child in children] == [0, 0]
    assert len(list(log.iterdir())) == 5
    assert left(out) == ["store.h5"]
    assert len(NumberStore(out).ids) == 5


def test_one_bad_recording_among_a_thousand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousandth may be bad: the run goes on, names it and counts it. Less than that stops it, by name."""
    kept: list[str] = []

    def write_part(part: Path, path: Path, sha256: str, write: Callable[[h5py.File], None]) -> str:
        if path.stem == "0500":
            raise DataError(f"{path} is broken", "")
        return "content"

    def assemble(plan: Plan, wanted: Mapping[str, Entry], old: Mapping[str, Entry]) -> None:
        kept.extend(i for i, entry in wanted.items() if not entry.problem)

    monkeypatch.setattr(store_module, "write_part", write_part)
    monkeypatch.setattr(store_module, "_assemble", assemble)
    sources = [TextSource(f"{n:04}", tmp_path / f"{n:04}.npy") for n in range(1000)]
    with pytest.raises(DataError, match=r"1 of 1000 recordings are corrupt, more than the allowed 0.09%: .*0500\.npy"):
        build(sources, tmp_path / "c.h5", bad=0.0009)
    assert not kept
    report = build(sources, tmp_path / "c.h5", bad=0.001)
    assert (report.stored, [f.id for f in report.failures], len(kept)) == (999, ["0500"], 999)
    assert report.failures[0].problem == f"{tmp_path / '0500.npy'} is broken"


def test_nothing_is_overwritten_where_nothing_is_said_of_it(sources: list[TextSource], out: Path) -> None:
    build(sources, out)
    with pytest.raises(CacheError, match="was made with other settings"):
        build_store(Plan(out, "numbers", {"a": 2}, 0.0), sources, write_number, description="test")


def test_ids_twice_are_named_in_their_order_and_ten_at_most(sources: list[TextSource], out: Path) -> None:
    many = [replace(sources[0], id=f"r{n:02}") for n in (*range(12, 0, -1), *range(12, 0, -1), 77)]
    named = ", ".join(f"r{n:02}" for n in range(1, 11))
    with pytest.raises(DataError, match=rf"recording ids must be unique, found {named}\. Remove"):
        build(many, out)
    with pytest.raises(DataError, match="found an empty one"):
        build([*sources, replace(sources[0], id="")], out)


def test_recordings_are_written_in_their_order_and_those_taken_over_too(sources: list[TextSource], out: Path) -> None:
    build(sources[::-1], out)
    with store_file.open_store(out, "numbers") as file:
        assert list(store_file.read_manifest(file)) == ["r4", "r3", "r2", "r1", "r0"]
    added = [*sources, replace(sources[3], id="r9", factor=2)]
    build(added, out)
    store = NumberStore(out)
    assert [int(store.dataset(one.id)[0, 0]) for one in added] == [0, 1, 2, 3, 4, 6]


def test_what_a_source_says_beside_its_path_decides(sources: list[TextSource], out: Path, tmp_path: Path) -> None:
    """The same content at another place is the same recording."""
    build(sources, out)
    moved = tmp_path / "moved.txt"
    moved.write_text("3")
    again = Counted()
    assert build([*sources[:3], replace(sources[3], path=moved)], out, again).reused and again.seen == []


def test_what_dead_processes_left_is_swept_though_nothing_is_written(sources: list[TextSource], out: Path) -> None:
    build(sources, out)
    (out.parent / ".store.12345678.tmp.h5").write_text("half")
    assert build(sources, out).reused
    assert left(out) == ["store.h5"]


@contextlib.contextmanager
def noting(names: list[str], source: TextSource) -> Iterator[None]:
    """Note a source that comes to a good end."""
    yield
    names.append(source.id)


def test_several_workers_make_the_same_store(sources: list[TextSource], tmp_path: Path) -> None:
    """Byte by byte, with a corrupt one among them, which is named in its turn and is not counted as done."""
    sources[1].path.write_text("none")
    files, ends = [], []
    for workers in (1, 3):
        names: list[str] = []
        report = build(sources, tmp_path / f"{workers}.h5", bad=0.3, workers=workers, around=partial(noting, names))
        assert [failure.id for failure in report.failures] == ["r1"]
        files.append((tmp_path / f"{workers}.h5").read_bytes())
        ends.append(names)
    assert files[0] == files[1] and ends == [["r0", "r2", "r3", "r4"]] * 2


def test_what_is_made_ahead_is_little(tmp_path: Path, out: Path) -> None:
    """What waits for its turn would fill the memory, and is lost when somebody stops the build."""
    sources = [TextSource(f"r{n}", tmp_path / f"{n}.txt") for n in range(12)]
    for number, one in enumerate(sources):
        one.path.write_text(str(number))
    write, begun = Counted(), list[int]()

    @contextlib.contextmanager
    def around(_: TextSource) -> Iterator[None]:
        begun.append(len(write.seen))
        yield

    build(sources, out, write, workers=2, around=around)
    assert len(begun) == 12 and max(seen - turn for turn, seen in enumerate(begun)) <= 3


def test_who_stops_waits_for_what_was_begun(
    sources: list[TextSource], out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A part that a thread finishes late does not stay behind when the disk is full, and is kept when all is well."""
    monkeypatch.setattr(store_module, "track", lambda parts, *_: (part for part in parts))  # as in a terminal

    late = []

    def write(source: TextSource, file: h5py.File, error: BaseException) -> None:
        if source.id == "r1":
            raise error
        write_number(source, file)
        if source.id == "r2":
            time.sleep(0.05)
            late.append("r2")

    with pytest.raises(WriteError):
        build(sources, out, partial(write, error=WriteError("full", "")), workers=2)
    assert late == ["r2"] and left(out) == []
    with pytest.raises(KeyboardInterrupt):
        build(sources, out, partial(write, error=KeyboardInterrupt()), workers=2)
    again, names = Counted(), list[str]()
    build(sources, out, again, around=partial(noting, names))
    assert "r0" not in again.seen and "r2" not in again.seen and "r1" in again.seen
    assert names == again.seen, "what was finished before is not timed again"
    assert left(out) == ["store.h5"]
