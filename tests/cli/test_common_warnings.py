"""What every file of a data set shares is said a few times and counted; nothing else is left out."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.preprocessing.video.clips import write_clip
from vskd.cli.common_warnings import SHOWN
from vskd.cli.options import configure_logging, say_left_out
from vskd.progress import COMMON

LOG = logging.getLogger("vskd.somewhere")


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    before, level = logging.getLogger().handlers[:], logging.getLogger("vskd").level
    yield
    logging.captureWarnings(False)
    logging.getLogger().handlers[:] = before
    logging.getLogger("vskd").setLevel(level)


def said(capsys: pytest.CaptureFixture[str], count: int, verbosity: int = 0, **extra: str) -> list[str]:
    configure_logging(verbosity)
    for number in range(count):
        LOG.warning("file %d", number, extra=extra)
    say_left_out()
    return capsys.readouterr().err.splitlines()


@pytest.mark.parametrize("count", [0, 1, SHOWN])
def test_a_few_are_shown_as_they_are(capsys: pytest.CaptureFixture[str], count: int) -> None:
    assert said(capsys, count, **{COMMON: "all"}) == [f"WARNING: file {number}" for number in range(count)]


@pytest.mark.parametrize(("count", "more"), [(SHOWN + 1, "1"), (SHOWN + 1234, "1,234")])
def test_more_are_counted(capsys: pytest.CaptureFixture[str], count: int, more: str) -> None:
    shown = [f"WARNING: file {number}" for number in range(SHOWN)]
    last = f"WARNING: {more} more like this: all are blue (-v names them)"
    assert said(capsys, count, **{COMMON: "all are blue"}) == [*shown, last]


@pytest.mark.parametrize(("verbosity", "times"), [(0, 1), (1, 3)])
def test_a_warning_in_the_same_words_stands_there_once(
    capsys: pytest.CaptureFixture[str], verbosity: int, times: int
) -> None:
    """As each run of a comparison gives it; the next command begins anew, and errors are never left out."""
    for _ in range(2):
        configure_logging(verbosity)
        for _ in range(3):
            LOG.warning("1 class(es) tested and never trained: %s", "b")
            LOG.error("an error")
        LOG.warning("1 class(es) tested and never trained: %s", "c")
        say_left_out()
        found = capsys.readouterr().err
        assert [found.count(text) for text in ("trained: b", "trained: c", "an error")] == [times, 1, 3]


@pytest.mark.parametrize("verbosity", [1, 2])
def test_who_asks_for_more_gets_every_one(capsys: pytest.CaptureFixture[str], verbosity: int) -> None:
    assert len(said(capsys, SHOWN + 7, verbosity, **{COMMON: "all"})) == SHOWN + 7


def test_others_are_never_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    assert len(said(capsys, SHOWN + 7)) == SHOWN + 7


def test_kinds_are_counted_apart_and_begin_anew(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(0)
    for kind, count in (("b", SHOWN + 2), ("a", SHOWN), ("c", SHOWN + 1)):
        for _ in range(count):
            LOG.warning("%s", kind, extra={COMMON: kind})
    say_left_out()
    lines = capsys.readouterr().err.splitlines()
    assert [lines.count(f"WARNING: {kind}") for kind in "abc"] == [SHOWN] * 3
    assert [line[9:25] for line in lines[-2:]] == ["2 more like this", "1 more like this"]
    say_left_out()
    assert capsys.readouterr().err == ""


def test_a_folder_of_clips_that_state_no_length_is_one_line_more(vskd, tmp_path: Path) -> None:
    """As all of UCF11: MPEG streams end anywhere."""
    for number in range(SHOWN + 2):
        folder = tmp_path / "data" / ("walk", "sit")[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        write_clip(folder / f"{number}.mpg", 20 + number)
    words = ["preprocess", "frames", "video-folder", "--data", tmp_path / "data", "--stream", "rgb", "--size", 16]
    done = vskd(*words, "--sequence-length", 4, "--out", tmp_path / "out.h5")
    assert done.code == 0, done.err
    lines = [line for line in done.err.splitlines() if "how long" in line]
    assert len(lines) == SHOWN + 1
    assert lines[-1] == "WARNING: 2 more like this: nothing in these files says how long they should be (-v names them)"
