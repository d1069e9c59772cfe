"""What is no folder, or has a name that results could not hold, is refused before anything is looked for."""

import os
from pathlib import Path

import pytest

from vskd.datasets.data_folder import require_folder
from vskd.errors import DataError


def test_folders_that_cannot_be_listed(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(DataError, match="is not a folder"):
        require_folder(tmp_path / "file", "auc")
    with pytest.raises(DataError, match=r"does not exist.*holds auc with --data"):
        require_folder(tmp_path / "nowhere", "auc")
    unsayable = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9"))
    unsayable.mkdir()
    with pytest.raises(DataError, match=r"The name of the data folder .*/caf\\xe9 is no UTF-8"):
        require_folder(unsayable, "auc")


def test_a_folder_is_one(tmp_path: Path) -> None:
    require_folder(tmp_path, "auc")
