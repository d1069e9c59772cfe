"""The folder in which a data set is looked for."""

from pathlib import Path

from vskd.errors import DataError
from vskd.preprocessing.folders import is_text, shown


def require_folder(root: Path, dataset: str) -> None:
    """Refuse a data folder that is not there.

    Raises:
        DataError: `root` does not exist or is no folder.
    """
    if not root.is_dir():
        what = "is not a folder" if root.exists() else "does not exist"
        raise DataError(f"The data folder {shown(root)} {what}", f"Give the folder that holds {dataset} with --data")
    if not is_text(root):
        raise DataError(f"The name of the data folder {shown(root)} is no UTF-8", "Rename it: results would name it")
