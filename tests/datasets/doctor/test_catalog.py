"""The catalog of checks: a healthy data set passes all of them, and each says what it rests on."""

from pathlib import Path

import pytest

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
