"""The data sets that vskd knows. To add one: its file, its protocols, one line here."""

from collections.abc import Mapping

from vskd.datasets.entry import DatasetEntry
from vskd.datasets.images import auc, driver_inattention, image_folder, state_farm
from vskd.datasets.sensors import berkeley_mhad, mmact, sensor_folder, utd_mhad
from vskd.datasets.synthetic import dataset as synthetic
from vskd.datasets.video import hmdb51, ucf11, ucf50, ucf101, video_folder
from vskd.errors import DataError, lookup

DATASETS: Mapping[str, DatasetEntry] = {
    entry.name: entry
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
        ucf11.ENTRY,
        ucf50.ENTRY,
        ucf101.ENTRY,
        hmdb51.ENTRY,
        video_folder.ENTRY,
    )
}
"""By name."""


def get_dataset(name: str) -> DatasetEntry:
    """The data set called `name`.

    Raises:
        DataError: there is none; the nearest name is given.
    """
    return lookup(DATASETS, name, "data set", DataError)
