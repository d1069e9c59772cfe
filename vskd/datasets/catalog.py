"""The data sets that vskd knows. To add one: its file, its protocols, one line here.

Poses that were made of a data set's videos are found whichever it is.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial, update_wrapper
from pathlib import Path

from vskd.datasets.entry import DatasetEntry
from vskd.datasets.images import auc, driver_inattention, image_folder, state_farm
from vskd.datasets.poses import with_poses
from vskd.datasets.recording import Index
from vskd.datasets.sensors import berkeley_mhad, mmact, mmact_untrimmed, sensor_folder, utd_mhad
from vskd.datasets.synthetic import dataset as synthetic
from vskd.errors import DataError, lookup


def _index_with_poses(index: Callable[[Path], Index], root: Path) -> Index:
    return with_poses(index(root))


DATASETS: Mapping[str, DatasetEntry] = {
    entry.name: replace(entry, index=update_wrapper(partial(_index_with_poses, entry.index), entry.index))
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
    )
}
"""By name."""


def get_dataset(name: str) -> DatasetEntry:
    """The data set called `name`.

    Raises:
        DataError: there is none; the nearest name is given.
    """
    return lookup(DATASETS, name, "data set", DataError)
