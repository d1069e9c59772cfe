"""`vskd doctor`: the table, the page, and the exit code."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from tests.cli.conftest import Answer
from tests.datasets.doctor.ward import ward
from vskd.datasets.doctor.catalog import CHECKS
from vskd.datasets.doctor.finding import Finding

Vskd = Callable[..., Answer]

DESCRIPTION = """format: sensor-folder 1
labels: [rest, walk, wave]
streams:
  accelerometer:
    files: "s{subject}_{label}_t{trial}.npy"
    columns: [0, 1, 2]
    rate_hz: 50
    unit: g
"""


def test_a_healthy_folder_of_ones_own(vskd: Vskd, tmp_path: Path) -> None:
    ward(tmp_path)
    (tmp_path / "dataset.yaml").write_text(DESCRIPTION)
    answer = vskd("doctor", tmp_path, "--protocol", "leave-one-subject-out")
    assert answer.code == 0, answer.err
    assert "nothing is wrong that vskd looks for" in answer.out and "36 of 6 subjects in 3 classes" in answer.out
    train = f"next: vskd distill --dataset sensor-folder --data {tmp_path} --protocol"
    assert answer.err == f"{train} leave-one-subject-out --fold 1 --out RUN\n"
    assert vskd("doctor", tmp_path, "--protocol", "leave-one-subject-out", "--json").err == ""
    assert vskd("doctor", tmp_path).err == f"{train} cross-subject --out RUN\n"


def test_an_ill_one_ends_with_exit_code_1_and_a_page(vskd: Vskd, tmp_path: Path) -> None:
    ward(tmp_path, lambda r, values: values * (9.80665 if r.subject in "12" else 1.0))
    np.save(tmp_path / "s3_wave_t1.npy", np.load(tmp_path / "s4_wave_t1.npy"))
    (tmp_path / "dataset.yaml").write_text(DESCRIPTION)
    words = ("doctor", tmp_path, "--protocol", "leave-one-subject-out")
    answer = vskd(*words)
    assert answer.code == 1 and answer.err == ""
    table = answer.out[answer.out.rindex("recordings  weight") :].splitlines()[1:]
    assert [line.split()[:2] for line in table][:2] == [["!", "mixed-units"], ["!", "gravity"]]
    assert sum("leaks" in line for line in table) == 2 and "duplicates" in table[-1]  # in the folds that test 3 and 4
    found = json.loads(vskd(*words, "--json", "--html", tmp_path / "page.html").out)
    page = (tmp_path / "page.html").read_text()
    assert "rest at about 9.7" in page and page.count("data:image/png") >= 5
    assert not found["trustworthy"] and found["findings"][0]["check"] == "mixed-units"
    assert found["findings"][0]["reason"].startswith("The same movement has two sizes")


ENTRY = SimpleNamespace(protocols=("usual",))


class Found:
    """A diagnosis of seven recordings."""

    def __init__(self, *findings: Finding) -> None:
        self.findings = findings
        index = SimpleNamespace(dataset="set", root="ROOT", subjects=("1", "2"), labels=("a", "b", "c"))
        self.survey = SimpleNamespace(index=index, total=7, splits=(SimpleNamespace(fold=None),))
        self.trustworthy = not any(finding.untrustworthy for finding in findings)

    def summary(self) -> dict[str, int]:
        return {"findings": len(self.findings)}


def test_every_option_reaches_the_checks(vskd: Vskd, record, tmp_path: Path) -> None:
    from vskd.datasets import catalog
    from vskd.datasets.doctor import diagnose
    from vskd.evaluation.report import doctor_page

    found = Found()
    record(catalog, "entry_and_root", (ENTRY, Path("root")))
    asked = record(diagnose, "diagnose", found)
    drawn = record(doctor_page, "write_doctor_page", None)
    words = ("--protocol", "p", "--fold", "3", "--window", 2.5)
    assert vskd("doctor", "x", *words, "--html", tmp_path / "d.html").code == 0
    assert asked == [{"entry": ENTRY, "root": Path("root"), "protocol": "p", "fold": "3", "window_s": 2.5}]
    assert drawn == [{"path": tmp_path / "d.html", "found": found}]
    assert json.loads(vskd("doctor", "x", "--json").out) == {"findings": 0} and len(drawn) == 1
    assert asked[1] == {"entry": ENTRY, "root": Path("root"), "protocol": None, "fold": None, "window_s": 0.0}


def test_findings_are_printed_in_full_and_as_a_table(vskd: Vskd, record) -> None:
    from vskd.datasets import catalog
    from vskd.datasets.doctor import diagnose

    many = tuple(f"r{n}" for n in range(7))
    findings = (
        Finding("leaks", "twins", many, "do this", 0.5, True, 1.0),
        Finding("glitches", "spikes", ("r1",), "do that", 0.25, False, 0.5),
        Finding("glitches", "more", ("r2",), "do that", 0.25, False, 0.5),
    )
    record(catalog, "entry_and_root", (ENTRY, Path("root")))
    record(diagnose, "diagnose", Found(*findings))
    answer = vskd("doctor", "x")
    assert answer.code == 1  # something makes figures untrustworthy
    lines = [re.split(r"  +", line.strip()) for line in answer.out.splitlines()]
    assert lines[:9] == [
        ["data set", "set"],
        ["folder", "ROOT"],
        ["recordings", "7 of 2 subjects in 3 classes"],
        ["checks", f"{len(CHECKS)}, 2 of them found something"],
        [""],
        ["! finding", "leaks"],
        ["what", "twins"],
        ["recordings", "7: r0, r1, r2, r3, r4 and 2 more"],
        ["next", "do this"],
    ]
    assert ["finding", "glitches"] in lines
    assert lines[-4:] == [
        ["finding", "recordings", "weight"],
        ["!", "leaks", "7", "0.500"],
        ["glitches", "1", "0.125"],
        ["glitches", "1", "0.125"],
    ]
    record(diagnose, "diagnose", Found(findings[1]))
    assert vskd("doctor", "x").code == 0
    record(diagnose, "diagnose", Found())
    assert vskd("doctor", "x").out.endswith("nothing is wrong that vskd looks for\n")


@pytest.mark.parametrize("words", [("--window", "-1"), ("--window", "x")])
def test_a_window_is_no_negative_time(vskd: Vskd, words: tuple[str, ...]) -> None:
    assert vskd("doctor", "x", *words).code == 2
