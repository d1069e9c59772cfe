"""Findings are ordered by what they touch and how bad that is."""

import dataclasses
from pathlib import Path

import pytest

from tests.datasets.doctor.gathered import indexed, surveyed
from tests.datasets.doctor.ward import ward
from vskd.datasets.doctor.checks.dead import Dead
from vskd.datasets.doctor.checks.gravity import Gravity
from vskd.datasets.doctor.checks.leaks import Leaks
from vskd.datasets.doctor.checks.stamps import Stamps
from vskd.datasets.doctor.survey import survey_of
from vskd.datasets.recording import Problem


def test_weight_is_share_times_severity(tmp_path: Path) -> None:
    survey = survey_of(ward(tmp_path))
    ids = [r.id for r in survey.index.recordings[:9]]
    found = Gravity().finding(survey, "what", [*ids, *ids], "action")
    assert found.recordings == tuple(ids) and found.share == 9 / 36
    assert found.weight == pytest.approx(Gravity.severity / 4)
    assert found.untrustworthy and not Stamps().finding(survey, "what", ids, "action").untrustworthy
    assert not Gravity().finding(survey, "what", ids[:1], "action").untrustworthy  # 1 of 36 is below a twentieth
    assert Leaks().finding(survey, "what", ids[:1], "action").untrustworthy  # one leak is enough


def test_a_figure_is_spoilt_from_a_twentieth_of_the_recordings_on() -> None:
    survey = surveyed(indexed({"1": [0] * 40}))
    spoilt = [Gravity().finding(survey, "", [f"s1-{n}" for n in range(count)], "").untrustworthy for count in (1, 2, 3)]
    assert spoilt == [False, True, True]


def test_a_share_is_of_all_recordings_with_those_too_damaged_to_be_listed() -> None:
    damaged = (
        Problem("corrupt", "s9-0", "", ""), Problem("corrupt", "", "z", ""), Problem("corrupt", "s1-0", "", ""),
        Problem("missing", "s9-1", "", ""),
    )  # fmt: skip
    survey = surveyed(dataclasses.replace(indexed({"1": [0, 0]}), problems=damaged))
    assert Dead().finding(survey, "", ["s1-0"], "").share == 1 / 3
    assert Dead().finding(survey, "", list("abcdef"), "").share == 1
    assert Dead().finding(surveyed(indexed({})), "", [], "").share == 0
