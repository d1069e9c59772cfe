"""SHA256SUMS: what is on record is what is there."""

import hashlib
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from vskd import sums as module
from vskd.sums import SUMS, Sums, SumsError


@pytest.fixture
def sums(tmp_path: Path) -> Sums:
    (tmp_path / "deep").mkdir()
    (tmp_path / "a").write_text("one")
    (tmp_path / "deep" / "b c").write_text("two")
    found = Sums(tmp_path)
    found.record(["a", "deep/b c"])
    return found


def test_the_format_is_that_of_the_tool(sums: Sums) -> None:
    one = hashlib.sha256(b"one").hexdigest()
    assert sums.file.read_text().splitlines()[0] == f"{one}  a"
    assert sums.recorded()["a"] == {one}
    if shutil.which("sha256sum"):
        subprocess.run(["sha256sum", "--check", "--strict", "--quiet", SUMS], cwd=sums.folder, check=True)


@pytest.mark.parametrize("change", [lambda p: p.write_text("One"), lambda p: p.unlink(), lambda p: p.write_text("")])
def test_a_changed_file_is_named(sums: Sums, change: Callable[[Path], object]) -> None:
    assert sums.damaged(["a", "deep/b c", "unknown"]) == ["unknown"]
    assert sums.intact(["a", "deep/b c"])
    change(sums.folder / "a")
    assert sums.damaged(["a", "deep/b c"]) == ["a"]
    assert not sums.intact(["a"])


def test_no_record_is_an_empty_one(tmp_path: Path) -> None:
    assert Sums(tmp_path).recorded() == {}
    assert Sums(tmp_path).damaged(["a"]) == ["a"]


@pytest.mark.parametrize(
    "damage", [lambda c: b"", lambda c: c[:-1], lambda c: c[: len(c) // 2], lambda c: bytes(len(c)), lambda c: b"\xff"]
)
def test_a_damaged_record_is_refused(sums: Sums, damage: Callable[[bytes], bytes]) -> None:
    sums.file.write_bytes(damage(sums.file.read_bytes()))
    with pytest.raises(SumsError, match=rf"{SUMS} is damaged.*delete {sums.folder}"):
        sums.recorded()
    sums.clear()
    assert sums.recorded() == {}


def test_forgetting(sums: Sums) -> None:
    sums.forget(["a", "unknown"])
    assert list(sums.recorded()) == ["deep/b c"]
    sums.forget(["deep/b c"])
    assert not sums.file.exists()


def test_a_replaced_file_fits_the_record_at_every_moment(sums: Sums, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the moment of a kill: before the new file is in its place, and after."""
    moments: list[bool] = []
    replace = Path.replace

    def watch(self: Path, target: Path) -> Path:
        moments.append(sums.intact(["a"]))
        result = replace(self, target)
        moments.append(sums.intact(["a"]))
        return result

    monkeypatch.setattr(Path, "replace", watch)
    with sums.replacing("a") as temporary:
        temporary.write_text("three")
    assert moments == [True] * 6  # the record, the file, the record
    assert sums.recorded()["a"] == {hashlib.sha256(b"three").hexdigest()}


def test_text_that_is_there_already_is_not_written(sums: Sums) -> None:
    before = (sums.folder / "a").stat().st_mtime_ns
    sums.replace_text("a", "one")
    assert (sums.folder / "a").stat().st_mtime_ns == before
    sums.replace_text("a", "two")
    assert sums.intact(["a"])
    (sums.folder / "a").write_text("damaged")
    sums.replace_text("a", "two")
    assert (sums.folder / "a").read_text() == "two"


def test_known_hashes(sums: Sums) -> None:
    sums.put({"a": "0" * 64}, only=True)
    assert sums.recorded() == {"a": {"0" * 64}}
    assert sums.damaged(["a"]) == ["a"]


def test_known_hashes_are_added_to_those_on_record(sums: Sums) -> None:
    before = sums.recorded()
    sums.put({"new": "1" * 64})
    assert sums.recorded() == before | {"new": {"1" * 64}}
    (sums.folder / "a").write_text("two")
    sums.record(["a"])
    assert sums.recorded()["a"] == {hashlib.sha256(b"two").hexdigest()}
    assert list(sums.recorded()) == ["a", "deep/b c", "new"]


@pytest.mark.parametrize("durable", [True, False])
def test_what_is_checked_before_it_is_used_need_not_wait_for_the_disk(
    sums: Sums, monkeypatch: pytest.MonkeyPatch, durable: bool
) -> None:
    asked: list[bool] = []
    write = module.atomic_path
    monkeypatch.setattr(
        module, "atomic_path", lambda path, *, durable: asked.append(durable) or write(path, durable=False)
    )
    sums.record(["a"], durable=durable)
    sums.put({"a": "0" * 64}, durable=durable)
    sums.forget(["a"])
    assert asked == [durable, durable, True]


def test_forgetting_what_is_not_on_record_writes_nothing(sums: Sums) -> None:
    before = sums.file.stat().st_ino
    sums.forget(["unknown"])
    assert sums.file.stat().st_ino == before


def test_a_replacement_that_fails_changes_nothing(sums: Sums) -> None:
    before = sums.recorded()
    with pytest.raises(RuntimeError), sums.replacing("a") as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert sums.recorded() == before and sums.intact(["a"])


def test_of_two_hashes_on_record_either_fits(sums: Sums) -> None:
    one, other = (hashlib.sha256(text).hexdigest() for text in (b"one", b"other"))
    sums.file.write_text(f"{other}  a\n{one}  a\n{one}  b\n")
    assert sums.recorded() == {"a": {one, other}, "b": {one}}
    assert sums.intact(["a"]) and not sums.intact(["a", "b"]) and sums.intact([])
    (sums.folder / "b").write_text("one")
    assert sums.intact(["a", "b"])
    (sums.folder / "a").write_text("other")
    assert sums.damaged(["b", "a"]) == []
    (sums.folder / "a").write_text("third")
    assert sums.damaged(["b", "a", "b"]) == ["a"]
    sums.record([])
    assert sums.file.read_text() == "".join(f"{d}  {n}\n" for n, d in sorted([("a", one), ("a", other), ("b", one)]))


def test_a_record_that_cannot_be_read_is_damaged(tmp_path: Path) -> None:
    (tmp_path / SUMS).mkdir()
    with pytest.raises(SumsError, match="is damaged"):
        Sums(tmp_path).recorded()


@pytest.mark.parametrize("line", ["0" * 63 + "  a", "0" * 64 + " a", "A" * 64 + "  a", "0" * 64 + "  ", ""])
def test_one_line_of_another_form_spoils_the_record(sums: Sums, line: str) -> None:
    whole = sums.file.read_text()
    for text in (f"{line}\n{whole}", f"{whole}{line}\n"):
        sums.file.write_text(text)
        with pytest.raises(SumsError):
            sums.intact(["a"])


def test_a_file_that_was_not_on_record_is_written_onto_it(sums: Sums) -> None:
    before = sums.recorded()
    sums.replace_text("new", "ä")
    assert (sums.folder / "new").read_bytes() == b"\xc3\xa4"
    assert sums.recorded() == {**before, "new": {hashlib.sha256(b"\xc3\xa4").hexdigest()}}
    sums.forget(["new"])
    inode = (sums.folder / "new").stat().st_ino
    sums.replace_text("new", "ä")  # the content is there, and not on record
    assert sums.intact(["new"]) and (sums.folder / "new").stat().st_ino != inode


def test_lines_are_in_the_order_of_names_and_hashes(tmp_path: Path) -> None:
    sums, digests = Sums(tmp_path), [f"{n:x}" * 64 for n in (7, 3, 12, 1, 9, 5)]
    sums.file.write_text("".join(f"{digest}  {name}\n" for name in "dbac" for digest in digests))
    sums.record([])
    assert sums.file.read_text() == "".join(f"{digest}  {name}\n" for name in "abcd" for digest in sorted(digests))


def test_a_parent_that_is_a_file_is_no_damage(tmp_path: Path) -> None:
    """What writes there says so; nothing is to be deleted."""
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    assert Sums(tmp_path / "file" / "run").recorded() == {}
