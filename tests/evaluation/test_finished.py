"""An evaluation is finished when all of its files are there, as they were recorded."""

from collections.abc import Callable
from pathlib import Path

import pytest

from vskd.evaluation.finished import FILES, evaluated, evaluating
from vskd.sums import SUMS, Sums


@pytest.fixture
def out(tmp_path: Path) -> Path:
    (tmp_path / "training.json").write_text("{}")
    Sums(tmp_path).record(["training.json"])
    with evaluating(tmp_path):
        write(tmp_path)
    return tmp_path


def write(out: Path) -> None:
    for name in FILES:
        (out / name).write_text(f"content of {name}")


def test_what_was_finished_is_not_done_again(out: Path) -> None:
    assert evaluated(out, recorded=True)
    assert Sums(out).recorded().keys() == {"training.json", *FILES}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", [lambda p: p.write_text(""), lambda p: p.write_bytes(b"\0" * 20), Path.unlink])
def test_a_damaged_file_is_named_and_the_evaluation_done_again(
    out: Path, caplog: pytest.LogCaptureFixture, name: str, damage: Callable[[Path], object]
) -> None:
    damage(out / name)
    with caplog.at_level("WARNING", logger="vskd"):
        assert not evaluated(out, recorded=True)
    assert f"{out}: {name} is missing, changed or damaged" in caplog.text


@pytest.mark.parametrize("written", range(len(FILES)))
def test_an_evaluation_that_was_killed_at_any_of_its_files_is_not_finished(out: Path, written: int) -> None:
    """Also where those of an earlier evaluation are still there."""
    with pytest.raises(KeyboardInterrupt), evaluating(out):
        for name in FILES[:written]:
            (out / name).write_text("new")
        raise KeyboardInterrupt
    assert not evaluated(out, recorded=True)
    assert Sums(out).intact(["training.json"])


def test_results_of_before_hashes_were_recorded(tmp_path: Path) -> None:
    write(tmp_path)
    assert evaluated(tmp_path, recorded=False)
    assert not evaluated(tmp_path, recorded=True)
    (tmp_path / FILES[-1]).unlink()
    assert not evaluated(tmp_path, recorded=False)


def test_a_damaged_record_of_results_alone_is_made_anew(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write(tmp_path)
    (tmp_path / SUMS).write_text("")
    with caplog.at_level("WARNING", logger="vskd"):
        assert not evaluated(tmp_path, recorded=True)
    assert f"{tmp_path / SUMS} is damaged" in caplog.text
    with evaluating(tmp_path):
        write(tmp_path)
    assert evaluated(tmp_path, recorded=True)


def test_results_beside_a_record_of_training_alone_are_those_of_before(tmp_path: Path) -> None:
    """The run was sealed, its evaluation was not."""
    (tmp_path / "training.json").write_text("{}")
    Sums(tmp_path).record(["training.json"])
    write(tmp_path)
    assert evaluated(tmp_path, recorded=False) and not evaluated(tmp_path, recorded=True)
    (tmp_path / FILES[0]).unlink()
    assert not evaluated(tmp_path, recorded=False)


@pytest.mark.parametrize("name", FILES)
def test_one_recorded_file_of_three_is_not_all(out: Path, name: str, caplog: pytest.LogCaptureFixture) -> None:
    """The others are there, but nobody knows whether as they were; only what was on record can have changed."""
    Sums(out).forget([other for other in FILES if other != name])
    with caplog.at_level("WARNING", logger="vskd"):
        assert not evaluated(out, recorded=True) and not evaluated(out, recorded=False)
    assert caplog.text == ""


def test_what_is_not_evaluated_yet_is_no_damage(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("WARNING", logger="vskd"):
        assert not evaluated(tmp_path, recorded=True) and not evaluated(tmp_path, recorded=False)
    assert caplog.text == ""
