"""`vskd datasets import`: what it prints, and that its flags reach the import."""

import json
from pathlib import Path

from tests.datasets.importing.folders import milli, phone


def test_it_prints_what_it_understood_and_the_flag_that_changes_it(vskd, tmp_path: Path) -> None:
    milli(tmp_path / "files")
    answer = vskd("datasets", "import", tmp_path / "files", "--out", tmp_path / "set", "--json")
    content = json.loads(answer.out)
    said = {guess["what"]: (guess["value"], guess["flag"]) for guess in content["guesses"]}
    assert said["unit"] == ("mg", "--unit") and said["rate"] == ("50 Hz", "--rate")
    assert said["files"][0].startswith("{label}/user{subject}_rep{trial}.tsv: 8")
    assert content["index"]["recordings"] == 8 and Path(content["preview"]).is_file()
    text = vskd("datasets", "index", "sensor-folder", "--data", tmp_path / "set").out
    assert "no problems found" in text


def test_flags_are_heard_and_a_contradiction_is_one_line(vskd, tmp_path: Path) -> None:
    phone(tmp_path / "files")
    flags = ("--columns", "acc_y,acc_x,acc_z", "--signs", "1,-1,1", "--position", "left ankle", "--range", "156.9")
    answer = vskd("datasets", "import", tmp_path / "files", "--out", tmp_path / "set", *flags)
    assert answer.code == 0 and "acc_y, acc_x, acc_z, sign +1, sign -1, sign +1" in answer.out
    assert "position: left ankle" in (tmp_path / "set" / "dataset.yaml").read_text()
    answer = vskd("datasets", "import", tmp_path / "files", "--out", tmp_path / "other", "--unit", "g")
    assert (answer.code, answer.out) == (1, "") and answer.err.count("\n") == 1
    assert "contradicted by gravity" in answer.err and "--unit" in answer.err
