"""`make soak` runs what it says, and fails when a campaign does."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import REPOSITORY
from tests.reliability import soak


@pytest.mark.parametrize("code", [0, 1])
def test_the_summary_holds_every_campaign(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], code: int
) -> None:
    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        found = {"module": command[2], "kills": 200, "outcomes": {"equal": 3}}
        if "--out" in command:
            Path(command[-1]).write_text(json.dumps(found), encoding="utf-8")
        return subprocess.CompletedProcess(command, code, f"progress\n{json.dumps(found)}\n")

    monkeypatch.setattr(soak.subprocess, "run", run)
    assert soak.main(["--out", str(tmp_path)]) == code
    summary = json.loads((tmp_path / "summary.json").read_text(encoding="utf-8"))
    assert set(summary) == {path.stem for path in tmp_path.glob("*.json")} - {"summary"} == set(soak.CAMPAIGNS)
    assert summary["kills"]["figures"]["module"] == "tests.reliability.kill_campaign"
    assert ("all passed" in capsys.readouterr().out) == (code == 0)


@pytest.mark.parametrize("found", [{"wrong": {"teach": "lost"}}, {"defects": ["a"]}, {"wrong": {}, "defects": []}])
def test_what_a_campaign_found_fails_it_whatever_its_exit_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, found: dict[str, Any]
) -> None:
    done = subprocess.CompletedProcess([], 0, json.dumps(found))
    monkeypatch.setattr(soak.subprocess, "run", lambda *_, **__: done)
    assert soak.main(["--out", str(tmp_path), "--only", "kills"]) == int(any(found.values()))


def test_it_is_as_long_as_it_must_be() -> None:
    assert soak.CAMPAIGNS["kills"].words[:2] == ("--kills", "200")
    assert soak.CAMPAIGNS["fuzz"].words[:2] == ("--files", "20000")
    assert soak.CAMPAIGNS["streams"].words[:2] == ("--streams", "100000")
    assert all("--seconds" in campaign.words for campaign in soak.CAMPAIGNS.values())


def test_git_ignores_its_figures_and_make_knows_it() -> None:
    assert "/soak/" in (REPOSITORY / ".gitignore").read_text(encoding="utf-8").splitlines()
    plan = subprocess.run(["make", "-n", "soak"], cwd=REPOSITORY, capture_output=True, encoding="utf-8", check=True)
    assert "tests.reliability.soak" in plan.stdout
