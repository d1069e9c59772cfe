import sys
from collections.abc import Iterable

import pytest

from vskd.progress import track


def test_items_pass_unchanged_and_nothing_is_drawn_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(track(range(5), "Counting")) == [0, 1, 2, 3, 4]
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""


def test_a_bar_is_drawn_on_stderr_of_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert list(track(iter("abc"), "Reading letters", total=3)) == ["a", "b", "c"]
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Reading letters" in captured.err


@pytest.mark.parametrize(("items", "said", "total"), [([1, 2, 3], None, 3), ([1, 2, 3], 7, 7), (iter([1]), None, None)])
def test_the_bar_knows_how_much_there_is(
    items: Iterable[int], said: int | None, total: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []

    class Bar:
        def __init__(self, *, console: object, transient: bool) -> None:
            asked.append(transient)

        def __enter__(self) -> "Bar":
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def add_task(self, description: str, total: int | None = None) -> str:
            asked.append((description, total))
            return "task"

        def advance(self, task: str) -> None:
            asked.append(task)

    monkeypatch.setattr("rich.progress.Progress", Bar)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    count = len(list(track(items, "Reading", total=said)))
    assert asked == [True, ("Reading", total), *["task"] * count]
