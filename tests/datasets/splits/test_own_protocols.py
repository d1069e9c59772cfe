from pathlib import Path

import pytest

from vskd.datasets.catalog import get_dataset
from vskd.datasets.splits.own_protocols import own_protocols, usual_protocol
from vskd.errors import ProtocolError

ENTRY = get_dataset("sensor-folder")
RULE = "name: mine\ndataset: sensor-folder\nsplit_by: subject\n"


def imported(root: Path, *protocols: str) -> Path:
    (root / "dataset.yaml").write_text("format: sensor-folder 1\n")
    (root / "recipe.yaml").write_text("extends: wrist\n")
    for name in protocols:
        (root / name).write_text(RULE)
    return root


def test_a_folder_without_protocols_has_the_usual_one(tmp_path: Path) -> None:
    assert usual_protocol(ENTRY, imported(tmp_path)) == usual_protocol(ENTRY, None) == "cross-subject"


@pytest.mark.parametrize("name", ["cross-subject.yaml", "last-trials.yaml", "of-mine.yml"])
def test_the_one_that_a_folder_has_is_taken(tmp_path: Path, name: str) -> None:
    assert usual_protocol(ENTRY, imported(tmp_path, name)) == str(tmp_path / name)


def test_of_several_one_must_be_named(tmp_path: Path) -> None:
    imported(tmp_path, "subject-folds.yaml", "cross-subject.yaml")
    with pytest.raises(ProtocolError, match=r"cross-subject\.yaml, .*subject-folds\.yaml\. Name one with --protocol"):
        usual_protocol(ENTRY, tmp_path)


def test_a_published_data_set_keeps_its_published_protocol(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(RULE)
    assert own_protocols(tmp_path) == () and usual_protocol(get_dataset("utd-mhad"), tmp_path) == "cross-subject"
