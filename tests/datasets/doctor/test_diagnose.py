"""What `vskd doctor` says of a whole data set, and in which order."""

import dataclasses
import json
import shutil
from pathlib import Path

import pytest

from tests.datasets.doctor.ward import changed, ward
from vskd.datasets.catalog import get_dataset
from vskd.datasets.doctor.diagnose import diagnose, with_protocol
from vskd.datasets.doctor.survey import survey_of
from vskd.datasets.entry import DatasetEntry
from vskd.datasets.recording import Index
from vskd.errors import DataError


def test_the_synthetic_world(synthetic_root: Path) -> None:
    found = diagnose(get_dataset("synthetic"), synthetic_root)
    assert found.trustworthy and "few-people" in {one.check for one in found.findings}
    assert [one.weight for one in found.findings] == sorted((one.weight for one in found.findings), reverse=True)
    assert found.survey.splits[0].protocol == "cross-subject"
    assert json.loads(json.dumps(found.summary()))["trustworthy"]


def test_images_too(shapes_root: Path) -> None:
    found = diagnose(get_dataset("image-folder"), shapes_root)
    assert found.trustworthy and not {"leaks", "unreadable", "two-labels"} & {one.check for one in found.findings}
    assert len(found.survey.sketches) == len(found.survey.index)


def test_a_protocol_that_does_not_fit_is_a_finding(synthetic_root: Path) -> None:
    found = diagnose(get_dataset("synthetic"), synthetic_root, protocol="leave-one-subject-out", fold="9")
    assert found.findings[0].check == "protocol" and not found.trustworthy
    assert "has no fold '9'" in found.findings[0].what


def test_every_fold_is_looked_at(synthetic_root: Path) -> None:
    found = diagnose(get_dataset("synthetic"), synthetic_root, protocol="leave-one-subject-out")
    assert [split.fold for split in found.survey.splits] == ["1", "2", "3", "4"]


def test_the_protocol_that_import_wrote_is_the_usual_one(tmp_path: Path) -> None:
    index = ward(tmp_path)
    rule = "name: own\nversion: 1\ndataset: sensor-folder\nsplit_by: subject\nparts: {train: [1, 2], test: [3]}\n"
    (tmp_path / "dataset.yaml").touch()
    (tmp_path / "cross-subject.yaml").write_text(rule + "disjoint: subject\nvalidation_unit: subject\n")
    entry = get_dataset("sensor-folder")
    (split,) = with_protocol(survey_of(index), entry, None, None).splits
    assert (split.protocol, len(split.train), len(split.test)) == ("own", 12, 6)


def entry_of(index: Index, **fields: object) -> DatasetEntry:
    return dataclasses.replace(get_dataset("sensor-folder"), index=lambda _: index, **fields)  # type: ignore[arg-type]


def ill(root: Path) -> Index:
    """Nobody's sensor shows 1 g, and one recording of a subject that trains is one of a subject that tests."""
    index = ward(root, lambda _, values: values * 0.5, calibrated=False)
    shutil.copyfile(root / "s1_walk_t1.npy", root / "s2_walk_t2.npy")
    rule = (
        "name: own\nversion: 1\ndataset: sensor-folder\nsplit_by: subject\nparts: {train: [1, 3, 5], test: [2, 4, 6]}\n"
    )
    (root / "cross-subject.yaml").write_text(rule + "disjoint: subject\nvalidation_unit: subject\n")
    return index


def test_what_spoils_figures_comes_first_then_what_weighs_most(tmp_path: Path) -> None:
    index = ill(tmp_path)
    found = diagnose(entry_of(index), tmp_path)
    assert [(one.check, one.untrustworthy) for one in found.findings] == [
        ("leaks", True), ("uncalibrated", False), ("duplicates", False),
    ]  # fmt: skip
    assert [one.weight for one in found.findings] == pytest.approx([2 / 36, 0.2, 0.5 * 2 / 36])
    assert not found.trustworthy
    told = found.summary()
    assert {k: told[k] for k in ("dataset", "root", "recordings", "trustworthy", "checks")} == {
        "dataset": "sensor-folder", "root": str(tmp_path), "recordings": 36, "trustworthy": False, "checks": 33,
    }  # fmt: skip
    first = told["findings"][0]
    assert set(first["recordings"]) == {"s1_walk_t1", "s2_walk_t2"} and first["weight"] == pytest.approx(2 / 36)
    assert first["reason"] == "The test part holds what training has seen: the figure measures memory."


def test_a_named_protocol_is_taken_before_the_one_that_import_wrote(tmp_path: Path) -> None:
    entry = entry_of(ill(tmp_path))
    folds = diagnose(entry, tmp_path, protocol="leave-one-subject-out").survey.splits
    assert [split.fold for split in folds] == ["1", "2", "3", "4", "5", "6"]
    (one,) = diagnose(entry, tmp_path, protocol="leave-one-subject-out", fold="2").survey.splits
    assert one.fold == "2" and {i[:2] for i in one.test} == {"s2"}


def test_the_usual_sensor_and_the_window_are_handed_on(tmp_path: Path) -> None:
    index = ward(tmp_path)
    both = tuple(
        dataclasses.replace(
            r,
            streams={"a": dataclasses.replace(r.streams["accelerometer"], name="a", path=tmp_path / "s1_rest_t1.npy")}
            | dict(r.streams),
        )
        for r in index
    )
    index = changed(index, recordings=both)
    entry = entry_of(index, defaults={"window": {"streams": ["accelerometer", "a"]}})
    survey = diagnose(entry, tmp_path, window_s=9.0).survey
    assert survey.window_s == 9 and len(set(survey.contents.values())) == 36
    assert len(set(diagnose(entry_of(index, defaults={}), tmp_path).survey.contents.values())) == 1


def test_a_folder_without_recordings_is_refused(tmp_path: Path) -> None:
    empty = entry_of(Index("sensor-folder", tmp_path, ("rest",), ()))
    with pytest.raises(DataError, match="has no usable recordings"):
        diagnose(empty, tmp_path)
