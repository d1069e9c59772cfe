"""`vskd datasets import`: what it prints, and that its flags reach the import."""

import json
import re
from pathlib import Path

import pytest

from tests.datasets.importing.folders import milli, phone
from vskd.cli.datasets_import import import_command
from vskd.datasets.importing.importer import Imported
from vskd.datasets.importing.stated import Guess, Stated
from vskd.datasets.recording import Index, Recording
from vskd.errors import DataError


def test_it_prints_what_it_understood_and_the_flag_that_changes_it(vskd, tmp_path: Path) -> None:
    milli(tmp_path / "files")
    answer = vskd("datasets", "import", tmp_path / "files", "--out", tmp_path / "set", "--json")
    content = json.loads(answer.out)
    said = {guess["what"]: (guess["value"], guess["flag"]) for guess in content["guesses"]}
    assert said["unit"] == ("mg", "--unit") and said["rate"] == ("50 Hz", "--rate")
    assert said["files"][0].startswith("{label}/user{subject}_rep{trial}.tsv: 8")
    assert content["index"]["recordings"] == 8 and Path(content["preview"]).is_file()
    assert answer.err == ""
    text = vskd("datasets", "index", "sensor-folder", "--data", tmp_path / "set").out
    assert "no problems found" in text
    again = vskd("datasets", "import", tmp_path / "files", "--out", tmp_path / "again")
    assert again.err == f"next: vskd doctor {tmp_path / 'again'}\n"


def test_flags_are_heard_and_a_contradiction_is_one_line(vskd, tmp_path: Path) -> None:
    phone(tmp_path / "files")
    flags = ("--columns", "acc_y,acc_x,acc_z", "--signs", "1,-1,1", "--position", "left ankle", "--range", "156.9")
    answer = vskd("datasets", "import", tmp_path / "files", "--out", tmp_path / "set", *flags)
    assert answer.code == 0 and "acc_y, acc_x, acc_z, sign +1, sign -1, sign +1" in answer.out
    assert "position: left ankle" in (tmp_path / "set" / "dataset.yaml").read_text()
    answer = vskd("datasets", "import", tmp_path / "files", "--out", tmp_path / "other", "--unit", "g")
    assert (answer.code, answer.out) == (1, "") and answer.err.count("\n") == 1
    assert "contradicted by gravity" in answer.err and "--unit" in answer.err


FLAGS = {
    ("--pattern", "{label}.csv"): {"pattern": "{label}.csv"},
    ("--table", "list.csv"): {"table": "list.csv"},
    ("--table-columns", "file=name, label=what"): {"table_columns": (("file", "name"), ("label", "what"))},
    ("--stream", "gyroscope"): {"stream": "gyroscope"},
    ("--columns", "ax, ay,2"): {"columns": ("ax", "ay", "2")},
    ("--signs", "1, -1,+1"): {"signs": (1, -1, 1)},
    ("--time", "none"): {"time": "none"},
    ("--time-unit", "us"): {"time_unit": "us"},
    ("--rate", "31.5"): {"rate_hz": 31.5},
    ("--unit", "1/64 g"): {"unit": "1/64 g"},
    ("--offset", "-31.5"): {"offset": -31.5},
    ("--range", "8"): {"range_limit": 8.0},
    ("--position", "left ankle"): {"position": "left ankle"},
    ("--uncalibrated",): {"uncalibrated": True},
    ("--separator", "bar"): {"separator": "bar"},
    ("--label-column", "activity"): {"label_column": "activity"},
    ("--subject-column", "4"): {"subject_column": "4"},
    ("--null-class", "rest"): {"null_class": "rest"},
    ("--whole-files",): {"whole_files": True},
    ("--variable", "d_iner"): {"variable": "d_iner"},
    ("--axes", "-y, x,z"): {"axes": ("-y", "x", "z")},
    ("--time-zone", "Europe/Berlin"): {"time_zone": "Europe/Berlin"},
    ("--codes", "0..63 = -1.5..1.5"): {"codes": "0..63 = -1.5..1.5"},
    ("--clip",): {"clip": True},
    ("--factor-columns", "session, device"): {"factor_columns": ("session", "device")},
    ("--pair-videos", "time"): {"pair_videos": "time"},
    ("--video-pattern", "v/s{subject}_{label}.mp4"): {"video_pattern": "v/s{subject}_{label}.mp4"},
    ("--video-table", "videos.csv"): {"video_table": "videos.csv"},
    ("--video-zone", "UTC"): {"video_zone": "UTC"},
    ("--unlabelled", "unknown"): {"unlabelled": "unknown"},
    (): {},
}


def test_no_flag_is_forgotten_in_the_table() -> None:
    flags = {option.opts[0] for option in import_command.params if option.param_type_name == "option"}
    assert flags - {words[0] for words in FLAGS if words} == {"--out", "--json", "--debug", "-v"}


def test_flags_add_up(vskd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Stated] = []

    def record(folder: Path, out: Path, said: Stated) -> None:
        asked.append(said)
        raise DataError("reached", "Go on")

    monkeypatch.setattr("vskd.datasets.importing.importer.import_folder", record)
    words = [word for flags in FLAGS for word in flags]
    vskd("datasets", "import", tmp_path / "files", "--out", tmp_path / "set", *words)
    assert asked == [Stated(**{name: value for stated in FLAGS.values() for name, value in stated.items()})]


@pytest.mark.parametrize("flag", ["--time-zone", "--video-zone", "--codes"])
def test_what_cannot_be_understood_is_a_wrong_flag(vskd, tmp_path: Path, flag: str) -> None:
    answer = vskd("datasets", "import", tmp_path, "--out", tmp_path / "set", flag, "Mars/Olympus")
    assert (answer.code, answer.out) == (2, "") and "Mars/Olympus" in answer.err
    assert not (tmp_path / "set").exists()


@pytest.mark.parametrize("flag", ["--rate", "--range"])
@pytest.mark.parametrize("value", ["0", "-8"])
def test_rates_and_ranges_are_above_zero(vskd, tmp_path: Path, flag: str, value: str) -> None:
    answer = vskd("datasets", "import", tmp_path, "--out", tmp_path / "set", f"{flag}={value}")
    assert answer.code == 2 and flag in answer.err


def done(tmp_path: Path, **factors: tuple[str, ...]) -> Imported:
    """An import of recordings whose factors are given, each as one value per recording."""
    count = max(map(len, factors.values()), default=1)
    recordings = tuple(
        Recording(f"r{n}", "1", "1", 0, "1", {}, factors={name: values[n] for name, values in factors.items()})
        for n in range(count)
    )
    index = Index("sensor-folder", tmp_path, ("walk",), recordings)
    guesses = (Guess("unit", "mg", "gravity", "--unit"), Guess("rate", "50 Hz", "the stamps", "--rate"))
    protocols = (tmp_path / "a.yaml", tmp_path / "b.yaml")
    return Imported(index, guesses, ("mind the gap",), protocols, tmp_path / "p.png")


def test_protocols_of_factors_that_differ_are_named(vskd, record, tmp_path: Path) -> None:
    """One that is the same everywhere leaves nothing to train on."""
    from vskd.datasets.importing import importer

    seen = record(importer, "import_folder", done(tmp_path, site=("a", "b"), device=("x", "x"), car=("1", "2")))
    answer = vskd("datasets", "import", tmp_path, "--out", tmp_path / "set", "--unit", "mg")
    written = f"{tmp_path / 'a.yaml'}, {tmp_path / 'b.yaml'}"
    assert list(seen[0].values())[:3] == [tmp_path, tmp_path / "set", Stated(unit="mg")]
    assert [re.split(r"  +", line) for line in answer.out.splitlines()] == [
        ["what", "understood as", "by", "change with"],
        ["unit", "mg", "gravity", "--unit"],
        ["rate", "50 Hz", "the stamps", "--rate"],
        [""],
        ["data set", str(tmp_path / "set")],
        ["recordings", "2"],
        ["preview", str(tmp_path / "p.png")],
        ["protocols", f"{written}, leave-one-subject-out, leave-one-car-out, leave-one-site-out"],
        ["note: mind the gap"],
    ]
    content = json.loads(vskd("datasets", "import", tmp_path, "--out", tmp_path / "set", "--json").out)
    assert (content["preview"], content["notes"]) == (str(tmp_path / "p.png"), ["mind the gap"])
    assert content["protocols"] == [str(tmp_path / "a.yaml"), str(tmp_path / "b.yaml")]
    assert [guess["value"] for guess in content["guesses"]] == ["mg", "50 Hz"] and content["index"]["recordings"] == 2


@pytest.mark.parametrize(("words", "stated"), FLAGS.items(), ids=lambda value: str(value)[:30])
def test_each_flag_states_one_thing(
    vskd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], stated: dict[str, object]
) -> None:
    asked: list[object] = []

    def record(folder: Path, out: Path, said: Stated) -> None:
        asked.extend((folder, out, said))
        raise DataError("reached", "Go on")

    monkeypatch.setattr("vskd.datasets.importing.importer.import_folder", record)
    answer = vskd("datasets", "import", tmp_path / "files", "--out", tmp_path / "set", *words)
    assert "reached" in answer.err
    assert asked == [tmp_path / "files", tmp_path / "set", Stated(**stated)]


@pytest.mark.parametrize("signs", ["2,1,1", "x", "1;-1", ""])
def test_signs_are_one_or_minus_one(vskd, tmp_path: Path, signs: str) -> None:
    answer = vskd("datasets", "import", tmp_path, "--out", tmp_path / "set", f"--signs={signs}")
    assert answer.code in (1, 2) and not (tmp_path / "set").exists()
    if signs:
        assert "give 1 or -1 for each axis" in answer.err


def test_what_it_prints_for_people(vskd, tmp_path: Path) -> None:
    milli(tmp_path / "files")
    answer = vskd("datasets", "import", tmp_path / "files", "--out", tmp_path / "set")
    head, *rows = answer.out.splitlines()
    assert head.split("  ")[0] == "what" and "change with" in head
    assert any(row.startswith("unit") and row.endswith("--unit") for row in rows)
    fields = dict(row.split(None, 1) for row in rows if row.startswith(("recordings ", "preview ", "protocols ")))
    assert fields["recordings"].strip() == "8"
    assert fields["preview"].strip() == str(tmp_path / "set" / "preview.png")
    assert fields["protocols"].strip().endswith("cross-subject.yaml, leave-one-subject-out")
