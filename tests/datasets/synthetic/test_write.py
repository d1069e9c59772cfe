import errno
import hashlib
import inspect
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy.io import loadmat

from vskd.datasets.synthetic import write
from vskd.datasets.synthetic.write import encode_mat, write_world
from vskd.errors import DataError
from vskd.files import WriteError
from vskd.sums import SUMS, Sums

TINY = {"subjects": 2, "actions": 2, "trials": 1}


def contents(root: Path) -> dict[str, str]:
    """Hash of every file by its path, hidden ones too; but for the list of just these hashes."""
    files = sorted(p for p in root.rglob("*") if p.is_file() and p.name != SUMS)
    return {str(p.relative_to(root)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("tiny") / "world"
    assert write_world(root, **TINY, seed=7) == 4
    return root


def test_same_seed_same_bytes(tiny: Path, tmp_path: Path) -> None:
    write_world(tmp_path / "again", **TINY, seed=7)
    assert contents(tmp_path / "again") == contents(tiny)
    assert len(contents(tiny)) == 2 * 4 + 1


def test_another_seed_gives_other_recordings(tiny: Path, tmp_path: Path) -> None:
    write_world(tmp_path / "other", **TINY, seed=8)
    shared = set(contents(tmp_path / "other").values()) & set(contents(tiny).values())
    assert not shared


def test_smaller_world_is_part_of_a_larger_one(tiny: Path, tmp_path: Path) -> None:
    write_world(tmp_path / "larger", subjects=3, actions=2, trials=2, seed=7)
    larger, smaller = contents(tmp_path / "larger"), contents(tiny)
    del smaller["world.json"]
    assert smaller.items() <= larger.items()


def test_interrupted_world_is_completed_to_the_same_bytes(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "world"
    encode, calls = write.encode_video, []

    def interrupt(*arguments):  # type: ignore[no-untyped-def]
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return encode(*arguments)

    monkeypatch.setattr(write, "encode_video", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_world(root, **TINY, seed=7)
    assert contents(root).items() < contents(tiny).items(), "what is there is complete, nothing else is"
    monkeypatch.undo()
    assert write_world(root, **TINY, seed=7) == 2
    assert contents(root) == contents(tiny)
    assert write_world(root, **TINY, seed=7) == 0


def test_full_disk_leaves_no_half_written_file(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root, real, calls = tmp_path / "world", Path.write_bytes, []

    def fill(self: Path, content: bytes) -> int:
        calls.append(1)
        if len(calls) == 4:
            real(self, content[:100])
            raise OSError(errno.ENOSPC, "No space left on device", str(self))
        return real(self, content)

    monkeypatch.setattr(Path, "write_bytes", fill)
    with pytest.raises(WriteError, match=r"No space left on device.*Free some disk space"):
        write_world(root, **TINY, seed=7)
    monkeypatch.undo()
    assert contents(root).items() < contents(tiny).items()


def test_folder_of_other_settings_or_other_content_is_refused(tiny: Path, tmp_path: Path) -> None:
    before = contents(tiny)
    with pytest.raises(DataError, match="synthetic world of other settings"):
        write_world(tiny, **TINY, seed=9)
    with pytest.raises(DataError, match="synthetic world of other settings"):
        write_world(tiny, subjects=3, actions=2, trials=1, seed=7)
    assert contents(tiny) == before
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(DataError, match="not empty and holds no synthetic world"):
        write_world(tmp_path, **TINY)
    (tmp_path / "file").write_text("x")
    with pytest.raises(WriteError):
        write_world(tmp_path / "file", **TINY)


@pytest.mark.parametrize(
    "wrong",
    [{"actions": 0}, {"actions": 11}, {"subjects": 0}, {"trials": 0}, {"seed": -1}],
    ids=lambda w: next(iter(w)),
)
def test_numbers_out_of_range_are_refused(tmp_path: Path, wrong: dict[str, int]) -> None:
    (name,) = wrong
    with pytest.raises(DataError, match=f"{name} = {wrong[name]}.*Choose {name} between"):
        write_world(tmp_path / "world", **{**TINY, **wrong})
    assert not (tmp_path / "world").exists()


def test_mat_files_hold_the_samples_and_no_date() -> None:
    samples = np.random.default_rng(0).normal(size=(30, 6))
    content = encode_mat(samples)
    assert content[:116] == b"MATLAB 5.0 MAT-file, written by vskd".ljust(116)
    import io

    np.testing.assert_array_equal(loadmat(io.BytesIO(content))["d_iner"], samples)


def test_files_may_be_copied_elsewhere(tiny: Path, tmp_path: Path) -> None:
    shutil.copytree(tiny, tmp_path / "copy")
    assert write_world(tmp_path / "copy", **TINY, seed=7) == 0


@pytest.mark.parametrize("damage", [lambda c: b"", lambda c: c[: len(c) // 2], lambda c: bytes(len(c))])
@pytest.mark.parametrize("name", ["Inertial/a1_s1_t1_inertial.mat", "RGB/a2_s1_t1_color.mp4", SUMS])
def test_what_a_power_loss_damaged_is_named_and_written_again(
    tiny: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str, damage: Callable[[bytes], bytes]
) -> None:
    root = tmp_path / "world"
    shutil.copytree(tiny, root)
    (root / name).write_bytes(damage((root / name).read_bytes()))
    with caplog.at_level("WARNING", logger="vskd"):
        assert write_world(root, **TINY, seed=7) == (4 if name == SUMS else 1)
    assert str(root / name) in caplog.text
    assert contents(root) == contents(tiny)
    assert Sums(root).recorded() == Sums(tiny).recorded()


def test_a_world_of_before_hashes_were_recorded_is_kept(tiny: Path, tmp_path: Path) -> None:
    root = tmp_path / "world"
    shutil.copytree(tiny, root)
    (root / SUMS).unlink()
    assert write_world(root, **TINY, seed=7) == 0
    assert Sums(root).recorded() == Sums(tiny).recorded()


def test_what_a_killed_process_left_is_swept(tiny: Path, tmp_path: Path) -> None:
    root = tmp_path / "world"
    shutil.copytree(tiny, root)
    left = root / "RGB" / ".a1_s1_t1_color.abcd1234.tmp.mp4"
    left.write_bytes(b"half")
    write_world(root, **TINY, seed=7)
    assert not left.exists()


def test_skeletons_are_of_the_same_recordings_and_change_no_other_file(tiny: Path, tmp_path: Path) -> None:
    root = tmp_path / "world"
    assert write_world(root, **TINY, seed=7, skeletons=True) == 4
    added = {name: content for name, content in contents(root).items() if name.split("/")[0] == "Skeleton"}
    apart = {"world.json", SUMS}
    plain = {name: content for name, content in contents(tiny).items() if name not in apart}
    assert {n: c for n, c in contents(root).items() if n not in apart and n not in added} == plain
    assert sorted(added) == sorted(n.replace("Inertial", "Skeleton").replace("inertial", "skeleton")
                                   for n in plain if n.startswith("Inertial"))  # fmt: skip
    assert write_world(root, **TINY, seed=7, skeletons=True) == 0
    assert loadmat(root / "Skeleton" / "a1_s1_t1_skeleton.mat")["d_skel"].shape[:2] == (15, 3)
    with pytest.raises(DataError, match="synthetic world of other settings"):
        write_world(root, **TINY, seed=7)


def test_the_world_that_is_written_where_nothing_is_said() -> None:
    """As `vskd datasets make-synthetic` documents it: 8 subjects, 8 actions, 4 trials."""
    said = {name: p.default for name, p in inspect.signature(write_world).parameters.items() if name != "root"}
    assert said == {"subjects": 8, "actions": 8, "trials": 4, "seed": 0, "skeletons": False}


@pytest.mark.parametrize(("at_once", "sizes"), [(2, [1, 4, 4]), (3, [1, 6, 2]), (9, [1, 8])])
def test_hashes_are_written_every_so_many_recordings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int, sizes: list[int]
) -> None:
    """Of four recordings of two files each; the first are the settings."""
    assert write.RECORDED_AT_ONCE == 16
    monkeypatch.setattr(write, "RECORDED_AT_ONCE", at_once)
    monkeypatch.setattr(write, "encode_video", lambda *_: b"film")
    recorded, real = [], Sums.record
    monkeypatch.setattr(Sums, "record", lambda self, names: recorded.append(len(list(names))) or real(self, names))
    assert write_world(tmp_path / "world", **TINY) == 4
    assert recorded == sizes and len(Sums(tmp_path / "world").recorded()) == 9


def test_mat_files_are_compressed() -> None:
    assert len(encode_mat(np.zeros((1000, 6)))) < 1000


def test_damaged_files_are_named_in_order(tiny: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    root = tmp_path / "world"
    shutil.copytree(tiny, root)
    names = sorted(str(path) for folder in ("Inertial", "RGB") for path in (root / folder).iterdir())
    for name in names:
        Path(name).unlink()
    with caplog.at_level("WARNING", logger="vskd"):
        assert write_world(root, **TINY, seed=7) == 4
    assert [message.split(" is missing")[0] for message in caplog.messages if "is missing" in message] == names
