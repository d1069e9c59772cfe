"""The data sets that vskd knows. To add one: its file, its protocols, one line here."""

import dataclasses
from collections.abc import Mapping

from vskd.datasets.entry import DatasetEntry
from vskd.datasets.images import auc, driver_inattention, image_folder, state_farm
from vskd.datasets.sensors import berkeley_mhad, mmact, sensor_folder, utd_mhad
from vskd.datasets.sync.apply import synced
from vskd.datasets.synthetic import dataset as synthetic
from vskd.errors import DataError, lookup

DATASETS: Mapping[str, DatasetEntry] = {
    entry.name: dataclasses.replace(entry, index=synced(entry.index))
    for entry in (
        utd_mhad.ENTRY,
        berkeley_mhad.ENTRY,
        mmact.ENTRY,
        mmact.ENTRY_35,
        synthetic.ENTRY,
        driver_inattention.ENTRY,
        state_farm.ENTRY,
        auc.ENTRY,
        image_folder.ENTRY,
        sensor_folder.ENTRY,
    )
}
"""By name. Where a folder holds `sync.csv`, their indexes have the streams cut as it says."""


def get_dataset(name: str) -> DatasetEntry:
    """The data set called `name`.

    Raises:
        DataError: there is none; the nearest name is given.
    """
    return lookup(DATASETS, name, "data set", DataError)
