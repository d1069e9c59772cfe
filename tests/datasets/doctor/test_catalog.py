"""The catalog of checks: a healthy data set passes all of them, and each says what it rests on."""

from pathlib import Path

import pytest

from tests.datasets.doctor.gathered import found, indexed, surveyed
from tests.datasets.doctor.ward import findings, odd_and_even, ward
from vskd.datasets.doctor.catalog import CHECKS
from vskd.datasets.doctor.finding import Check


@pytest.mark.parametrize("clocked", [False, True])
def test_a_healthy_data_set_has_no_finding(tmp_path: Path, clocked: bool) -> None:
    index = ward(tmp_path, clock=(lambda _, stamps: stamps) if clocked else None)
    assert findings(index, splits=(odd_and_even(index),)) == []


@pytest.mark.parametrize("name", CHECKS)
def test_every_check_says_how_bad_it_is_and_why_and_has_a_test(name: str) -> None:
    check = CHECKS[name]
    assert isinstance(check, Check) and check.name == name
    assert 0 < check.severity <= 1 and check.reason.endswith(".")
    module = type(check).__module__.rpartition(".")[2]
    assert (Path(__file__).parent / "checks" / f"test_{module}.py").is_file()
    assert module == name.replace("-", "_")


BAD = {  # severity -> checks
    1.0: {"two-labels", "leaks", "one-person"},
    0.9: {"protocol", "one-person-class", "unreadable", "dead", "mixed-units"},
    0.8: {"same-people", "unknown-people", "gravity"},
    0.7: {"wrong-rate", "axes"},
    0.6: {"names", "few-recordings"},
    0.5: {"duplicates", "suspicious-labels", "still", "short"},
    0.4: {"unpaired", "few-people-class", "few-people", "video-offset"},
    0.3: {"video-rate", "dominant-person", "imbalance", "mixed-ranges", "saturation", "gaps"},
    0.2: {"uncalibrated", "glitches"},
    0.1: {"drift"},
    0.03: {"stamps"},
}
SPOIL = {
    *("two-labels", "leaks", "same-people", "protocol", "one-person", "one-person-class", "unknown-people"),
    *("mixed-units", "gravity", "wrong-rate"),
}
"""Checks whose finding makes figures untrustworthy."""


def test_how_bad_each_illness_is() -> None:
    assert {name: check.severity for name, check in CHECKS.items()} == {n: s for s, names in BAD.items() for n in names}
    assert {name for name, check in CHECKS.items() if check.untrustworthy} == SPOIL
    assert {n: c.least_share for n, c in CHECKS.items() if c.least_share} == {"gravity": 0.05, "wrong-rate": 0.05}


def test_an_empty_set_is_of_nobody() -> None:
    empty = surveyed(indexed({}))
    assert [one for name in CHECKS for one in found(name, empty) if name != "few-recordings"] == []
