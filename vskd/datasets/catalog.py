"""The data sets that vskd knows. To add one: its file, its protocols, one line here."""

import dataclasses
from collections.abc import Mapping

from vskd.datasets.entry import DatasetEntry
from vskd.datasets.images import auc, driver_inattention, image_folder, state_farm
from vskd.datasets.poses import posed
from vskd.datasets.sensors import berkeley_mhad, mmact, mmact_untrimmed, sensor_folder, utd_mhad
from vskd.datasets.sync.apply import synced
from vskd.datasets.synthetic import dataset as synthetic
from vskd.datasets.video import hmdb51, ucf11, ucf50, ucf101, video_folder
from vskd.errors import DataError, lookup

DATASETS: Mapping[str, DatasetEntry] = {
    entry.name: dataclasses.replace(entry, index=synced(posed(entry.index)))
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
        DataError: there is none; the nearest name is given.
    """
    return lookup(DATASETS, name, "data set", DataError)
