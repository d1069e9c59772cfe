"""`vskd doctor`: the table, the page, and the exit code."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from tests.cli.conftest import Answer
from tests.datasets.doctor.ward import ward

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
