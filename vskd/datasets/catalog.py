"""The data sets that vskd knows. To add one: its file, its protocols, one line here."""

import dataclasses
import functools
from collections.abc import Callable, Mapping
from pathlib import Path

from vskd.datasets.entry import DatasetEntry
from vskd.datasets.images import auc, driver_inattention, image_folder, state_farm
from vskd.datasets.poses import posed
from vskd.datasets.recording import Index
from vskd.datasets.sensors import berkeley_mhad, mmact, mmact_untrimmed, sensor_folder, utd_mhad
from vskd.datasets.sensors.folder_found import FILE
from vskd.datasets.sync.apply import synced
from vskd.datasets.synthetic import dataset as synthetic
from vskd.datasets.video import hmdb51, ucf11, ucf50, ucf101, video_folder
from vskd.errors import DataError, lookup


def is_imported(folder: Path) -> bool:
    """Whether `vskd datasets import` wrote a folder."""
    return (folder / FILE).is_file()


def _told(index: Callable[[Path], Index]) -> Callable[[Path], Index]:
    """An index that says so where it is given a folder that `vskd datasets import` wrote, and finds nothing in it."""

    @functools.wraps(index)
    def told(root: Path) -> Index:
        try:
            return index(root)
        except DataError as error:
            if not is_imported(root):
                raise
            action = f"{root} was written by `vskd datasets import`: name the data set {sensor_folder.NAME}"
            raise DataError(
                error.problem, f"{action} (--dataset {sensor_folder.NAME} where a recipe chooses it)"
            ) from error

    return told


DATASETS: Mapping[str, DatasetEntry] = {
    entry.name: dataclasses.replace(
        entry, index=synced(posed(entry.index if entry is sensor_folder.ENTRY else _told(entry.index)))
    )
    for entry in (
        utd_mhad.ENTRY,
        berkeley_mhad.ENTRY,
        mmact.ENTRY,
        mmact.ENTRY_35,
        mmact_untrimmed.ENTRY,
        synthetic.ENTRY,
        driver_inattention.ENTRY,
        state_farm.ENTRY,
        auc.ENTRY,
        image_folder.ENTRY,
        sensor_folder.ENTRY,
        ucf11.ENTRY,
        ucf50.ENTRY,
        ucf101.ENTRY,
        hmdb51.ENTRY,
        video_folder.ENTRY,
    )
}
"""By name. Their indexes have poses as streams, and where there is `sync.csv`, streams cut as it says."""


def get_dataset(name: str) -> DatasetEntry:
    """The data set called `name`.

    Raises:
        DataError: there is none; the nearest name is given, or what to say where `name` is a folder.
    """
    if name not in DATASETS and Path(name).is_dir():
        ours = f"{sensor_folder.NAME} with --data {name}" if is_imported(Path(name)) else f"its name with --data {name}"
        raise DataError(
            f"There is no data set '{name}'; it is a folder", f"Name the data set that it holds: {ours} ({_names()})"
        )
    return lookup(DATASETS, name, "data set", DataError)


def _names() -> str:
    return ", ".join(sorted(DATASETS))


def entry_and_root(name: str, data: Path | None) -> tuple[DatasetEntry, Path]:
    """The data set that is meant: by its name and folder, or by the folder that `vskd datasets import` wrote.

    Raises:
        DataError: there is none, or its folder is not said.
    """
    if data is not None:
        return get_dataset(name), data
    if name in DATASETS:
        raise DataError(f"The folder of {name} is not said", "Give it with --data FOLDER")
    if is_imported(Path(name)):
        return get_dataset(sensor_folder.NAME), Path(name)
    if Path(name).is_dir():
        return get_dataset(name), Path(name)  # which says what is missing
    also = "give a folder that `vskd datasets import` wrote"
    return lookup(DATASETS, name, "data set", DataError, also=also), Path(name)
