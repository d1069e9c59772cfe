"""AUC Distracted Driver, in the folder layout in which it is published for distillation studies: ten classes.

Source: Abouelnaga, Eraqi, Moustafa, "Real-time distracted driver posture classification", NeurIPS workshop 2018; Eraqi
et al., "Driver distraction identification with an ensemble of convolutional neural networks", J. Adv. Transp. 2019.

Data requirements: see `vskd.datasets.images.published_folders`. The trial of an image is its lighting folder, where
there is one (`train/drinking/night/1.jpg`). An image's id is its path without ending, because names may repeat between
classes.
"""

import shlex
from pathlib import Path
from types import MappingProxyType

from vskd.datasets.data_folder import require_folder
from vskd.datasets.entry import DatasetEntry
from vskd.datasets.images.class_folders import classes_of
from vskd.datasets.images.published_folders import LABEL_SWAP, LABELS, has_published_layout, index_published_folders
from vskd.datasets.images.side_view import SIDE_VIEW_RECIPES, WHOLE_FRAMES
from vskd.datasets.recording import Index
from vskd.errors import DataError
from vskd.preprocessing.folders import subfolders

__all__ = ["LABELS", "LABEL_SWAP", "index"]

NAME = "auc"
CLASSES = classes_of(NAME, LABELS, unique_names=False)


def index(root: Path) -> Index:
    """List the AUC images under `root` and name what is missing, corrupt, duplicate, unpaired or unknown.

    Raises:
        DataError: `root` is missing or has another layout, or a CSV file cannot be read.
    """
    require_folder(root, NAME)
    if has_published_layout(root):
        return index_published_folders(root, CLASSES)
    for child in subfolders(root):
        if has_published_layout(child):
            raise DataError(f"{root} holds no {NAME} images, but {child} may", f"Pass --data {shlex.quote(str(child))}")
    raise DataError(
        f"{root} holds no {NAME} images (folders like train/{LABELS[0]})",
        f"Give the folder that holds them with --data; `vskd datasets info {NAME}` tells how to get the data",
    )


ENTRY = DatasetEntry(
    name=NAME,
    title="AUC Distracted Driver",
    description="Images of drivers from the side, 10 classes of distraction, in folders train and test.",
    index=index,
    labels=LABELS,
    streams=("image",),
    protocols=("official",),
    url="https://abouelnaga.io/projects/auc-distracted-driver-dataset",
    licence="research use, by agreement with its authors",
    citation=(
        "Y. Abouelnaga, H. M. Eraqi, M. N. Moustafa: Real-time distracted driver posture classification. NeurIPS 2018 "
        "workshop"
    ),
    obtain="Ask its authors for it, by the form on its page; sort it into train/CLASS and test/CLASS.",
    placement="phone on the roof handle above the front passenger's seat",
    system="krca",
    defaults={"image": WHOLE_FRAMES},
    recipes=SIDE_VIEW_RECIPES,
    label_swap=MappingProxyType(LABEL_SWAP),
)
