"""The campaign of random streams: what it counts, where it goes on, and one short run of it."""

import json
from collections import Counter
from pathlib import Path

import pytest

from tests.firmware_bridge.bundles import HOST
from tests.reliability import stream_campaign
from tests.reliability.stream_campaign import BATCH, Batch, campaign, compare, main
from vskd.bundle.stream.conditions import Condition
from vskd.bundle.stream.stream import Decision


def stub(seed: int, number: int, streams: int) -> Batch:
    """Each batch gives other numbers; the second one differs in two streams."""
    different = [1, streams - 1] if number == 1 else []
    return Batch(streams, 10 * streams + seed, Counter(OK=number + 1, GAP=number), different)


def test_the_figures_are_sums_and_name_what_differs(tmp_path: Path) -> None:
    found = campaign(tmp_path / "a.json", streams=2 * BATCH + 5, seconds=60, seed=7, run=stub)
    assert found == json.loads((tmp_path / "a.json").read_text()) | {"seconds": found["seconds"]}
    assert (found["batches"], found["streams"], found["samples"]) == (3, 2 * BATCH + 5, 10 * (2 * BATCH + 5) + 3 * 7)
    assert (found["decisions"], found["outcomes"]) == (9, {"GAP": 3, "OK": 6})
    assert (found["differences"], found["wrong"]) == (
        2,
        [{"batch": 1, "stream": 1}, {"batch": 1, "stream": BATCH - 1}],
    )


def test_it_goes_on_where_it_ended_and_else_begins_anew(tmp_path: Path) -> None:
    whole = campaign(tmp_path / "a.json", streams=3 * BATCH, seconds=60, run=stub)
    part = campaign(tmp_path / "b.json", streams=BATCH, seconds=60, run=stub)
    assert (part["batches"], part["differences"]) == (1, 0)
    went_on = campaign(tmp_path / "b.json", streams=3 * BATCH, seconds=60, resume=True, run=stub)
    assert went_on | {"seconds": 0} == whole | {"seconds": 0}
    assert campaign(tmp_path / "b.json", streams=BATCH, seconds=60, run=stub)["batches"] == 1
    with pytest.raises(SystemExit, match="is of seed 0: give --seed 0"):
        campaign(tmp_path / "b.json", streams=BATCH, seconds=60, seed=1, resume=True, run=stub)


def test_without_time_nothing_is_run(tmp_path: Path) -> None:
    assert campaign(tmp_path / "a.json", streams=BATCH, seconds=0, run=stub)["streams"] == 0


def test_a_stream_that_differs_is_found() -> None:
    one, two = Decision(Condition.OK, 1, 1, 3, 16, 0), Decision(Condition.GAP, -1, -1, 0, 17, 0)
    expected = [[one], [], [two, one], [two]]
    assert stream_campaign._different(expected, [one, two, one, two]) == []
    assert stream_campaign._different(expected, [one, two, two, two]) == [2]
    assert stream_campaign._different(expected, [one, two, one]) == [3]
    assert stream_campaign._different(expected, [one, two, one, two, two]) == [3]


@pytest.mark.parametrize(("differences", "code"), [(0, 0), (2, 1)])
def test_differences_are_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, differences: int, code: int
) -> None:
    monkeypatch.setattr(stream_campaign, "HOST", type("Host", (), {"missing": ""}))
    monkeypatch.setattr(
        stream_campaign, "campaign", lambda *_, **__: {"streams": 1, "decisions": 1, "differences": differences}
    )
    assert main(["--out", str(tmp_path / "a.json")]) == code


def test_without_a_compiler_it_says_so(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(stream_campaign, "HOST", type("Host", (), {"missing": "gcc is not installed"}))
    assert main([]) == 1
    assert capsys.readouterr().err == "no streams were run: gcc is not installed\n"


def test_random_contracts_agree() -> None:
    if HOST.missing:
        pytest.skip(HOST.missing)
    batch = compare(0, 1, 20)  # of a random form: two of three are
    assert (batch.streams, batch.different) == (20, [])
    assert batch.statuses["OK"] and batch.statuses["GAP"] and batch.samples > 500
