"""What `vskd doctor` says of a whole data set, and in which order."""

import json
from pathlib import Path

import pytest

from tests.datasets.doctor.ward import ward
from vskd.datasets.catalog import get_dataset
from vskd.datasets.doctor.diagnose import diagnose, entry_and_root, with_protocol
from vskd.datasets.doctor.survey import survey_of
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
    (tmp_path / "cross-subject.yaml").write_text(rule + "disjoint: subject\nvalidation_unit: subject\n")
    entry = get_dataset("sensor-folder")
    (split,) = with_protocol(survey_of(index), entry, None, None).splits
    assert (split.protocol, len(split.train), len(split.test)) == ("own", 12, 6)


def test_the_data_set_is_named_or_a_folder_that_import_wrote(tmp_path: Path) -> None:
    (tmp_path / "dataset.yaml").write_text("")
    assert entry_and_root(str(tmp_path), None) == (get_dataset("sensor-folder"), tmp_path)
    assert entry_and_root("utd-mhad", tmp_path)[1] == tmp_path
    with pytest.raises(DataError, match=r"The folder of utd-mhad is not said\. Give it: vskd doctor utd-mhad --data"):
        entry_and_root("utd-mhad", None)
    with pytest.raises(DataError, match="no data set 'utd'"):
        entry_and_root("utd", None)
