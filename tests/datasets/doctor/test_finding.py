"""Findings are ordered by what they touch and how bad that is."""

from pathlib import Path

import pytest

from tests.datasets.doctor.ward import ward
from vskd.datasets.doctor.checks.gravity import Gravity
from vskd.datasets.doctor.checks.stamps import Stamps
from vskd.datasets.doctor.survey import survey_of


def test_weight_is_share_times_severity(tmp_path: Path) -> None:
    survey = survey_of(ward(tmp_path))
    ids = [r.id for r in survey.index.recordings[:9]]
    found = Gravity().finding(survey, "what", [*ids, *ids], "action")
    assert found.recordings == tuple(ids) and found.share == 9 / 36
    assert found.weight == pytest.approx(Gravity.severity / 4)
    assert found.untrustworthy and not Stamps().finding(survey, "what", ids, "action").untrustworthy
    assert not Gravity().finding(survey, "what", ids[:1], "action").untrustworthy  # 1 of 36 is below a twentieth
