"""What the wearer's own recordings give: whose they are, whom they test, and the table that is made of the answers."""

import csv
import dataclasses
from pathlib import Path
from types import SimpleNamespace

import pytest

from vskd.bundle.bundle import Bundle, load_bundle
from vskd.bundle.predict import Predictor
from vskd.bundle.sensor_file import read_recording
from vskd.datasets.opened import open_dataset
from vskd.errors import ProtocolError
from vskd.study import personalised as module
from vskd.study.personalised import ANOTHER, NONE, Answer, answers_of, main, people_of, table_of


def of_protocol(bundle: Bundle, name: str, digest: str) -> Bundle:
    """The same bundle, made by another protocol."""
    origin = bundle.manifest.provenance
    protocol = origin.protocol.model_copy(update={"name": name, "hash": digest, "fold": None})
    provenance = origin.model_copy(update={"protocol": protocol})
    return dataclasses.replace(bundle, manifest=bundle.manifest.model_copy(update={"provenance": provenance}))


@pytest.fixture
def known_people(finished_comparison, synthetic_root: Path) -> Bundle:
    """A bundle as if made by the protocol in which everybody's even trials are tested and the odd ones are not."""
    split = open_dataset("synthetic", synthetic_root).split("subject-specific")
    return of_protocol(load_bundle(finished_comparison.bundle), "subject-specific", split.protocol_hash)


def test_everybody_labels_what_is_not_tested_in_order(known_people: Bundle, synthetic_root: Path):
    data = open_dataset("synthetic", synthetic_root)
    people, split = people_of(known_people, data), data.split("subject-specific")
    assert sorted(i for ids in people.tested.values() for i in ids) == sorted(split.test)
    for who, classes in people.offered.items():
        assert {data.recording(i).subject for ids in classes.values() for i in ids} == {who}
        for name, ids in classes.items():
            assert {data.class_names[data.recording(i).label] for i in ids} == {name}
            assert list(ids) == sorted(ids)
    offered = [i for classes in people.offered.values() for ids in classes.values() for i in ids]
    assert sorted(offered) == sorted(split.train)


def test_every_test_recording_is_asked_about_with_every_number_of_labels(known_people: Bundle, synthetic_root: Path):
    data = open_dataset("synthetic", synthetic_root)
    answers = list(answers_of(known_people, data))
    most = max(len(ids) for classes in people_of(known_people, data).offered.values() for ids in classes.values())
    kinds = (NONE, *(str(n) for n in range(1, most + 1)), ANOTHER)
    tested = sorted(data.split("subject-specific").test)
    for kind in kinds:
        assert sorted(one.id for one in answers if one.labels == kind) == tested
    assert {one.labels for one in answers} == set(kinds)
    assert all(data.class_names[data.recording(one.id).label] == one.label for one in answers)
    predictor = Predictor(known_people)
    for one in answers:
        if one.labels == NONE:
            file = data.recording(one.id).stream("accelerometer").path
            assert one.predicted == predictor.predict(read_recording(file, predictor.contract)).label


def test_another_person_s_recordings_are_not_the_own(
    known_people: Bundle, synthetic_root: Path, monkeypatch: pytest.MonkeyPatch
):
    data, labelled = open_dataset("synthetic", synthetic_root), []

    def personalise(bundle: Path, table: Path, out: Path) -> object:
        files = [row["file"] for row in csv.DictReader(table.read_text().splitlines())]
        labelled.append({r.subject for r in data.index if str(r.stream("accelerometer").path.resolve()) in files})
        return SimpleNamespace(bundle=known_people)

    monkeypatch.setattr(module, "personalise", personalise)
    asked = [one.subject for one in answers_of(known_people, data) if one.labels == ANOTHER]
    people = list(dict.fromkeys(asked))
    each = len(labelled) // len(people)
    for place, who in enumerate(people):
        *own, others = labelled[place * each : (place + 1) * each]
        assert own == [{who}] * (each - 1) and others == {people[(place + 1) % len(people)]}


@pytest.mark.parametrize(
    ("name", "digest", "told"),
    [
        ("cross-subject", "", "sets no recordings of its test people aside: 2, 4"),
        ("subject-specific", "0" * 64, "is not"),
    ],
)
def test_other_protocols_are_refused(finished_comparison, synthetic_root: Path, name: str, digest: str, told: str):
    data = open_dataset("synthetic", synthetic_root)
    bundle = load_bundle(finished_comparison.bundle)
    with pytest.raises(ProtocolError, match=told):
        people_of(of_protocol(bundle, name, digest or data.split(name).protocol_hash), data)


def answers(labels: str, bundle: str, right: str) -> list[Answer]:
    """`+` for every recording that is right; two people."""
    return [
        Answer(labels, bundle, f"r{n}", "ab"[n * 2 // len(right)], "wave", "wave" if sign == "+" else "clap")
        for n, sign in enumerate(right)
    ]


def test_the_table_is_counted_by_hand():
    told = [
        *answers(NONE, "0", "++--++--"),
        *answers(NONE, "1", "+---++--"),
        *answers("1", "0", "+++-++++"),
        *answers("1", "1", "++++++++"),
    ]
    none, one = table_of(told)
    assert none == (NONE, "43.8", "8.8", "0.0", "", "")
    assert one[:4] == ("1", "93.8", "8.8", "50.0")
    (alone,) = table_of(answers(NONE, "0", "++--"))
    assert alone == (NONE, "50.0", "", "0.0", "", "")


def test_the_command_writes_answers_and_table(
    known_people: Bundle, synthetic_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
):
    monkeypatch.setattr(module, "load_bundle", lambda _: known_people)
    monkeypatch.setattr(module, "answers_of", lambda *_: iter([*answers(NONE, str(known_people.path), "+-+-")]))
    words = [str(known_people.path), "--data", str(synthetic_root), "--out", str(tmp_path)]
    assert main(words) == 0
    assert "none | 50.0" in capsys.readouterr().out
    with (tmp_path / "personalised-predictions.csv").open() as lines:
        assert [row["bundle"] for row in csv.DictReader(lines)] == ["0"] * 4
    assert (tmp_path / "personalised.csv").read_text().splitlines()[1].startswith("none,50.0")


def test_an_error_is_one_sentence(tmp_path: Path, capsys):
    assert main([str(tmp_path / "gone"), "--data", str(tmp_path), "--out", str(tmp_path)]) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ") and error.count("\n") == 1
