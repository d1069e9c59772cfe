"""The data sets that vskd knows, by name. To add one: its module, its protocols, one entry here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from vskd.datasets.images import auc, driver_inattention, image_folder, state_farm
from vskd.datasets.recording import Index
from vskd.datasets.sensors import utd_mhad
from vskd.datasets.synthetic import dataset as synthetic
from vskd.datasets.synthetic.settings import ACTIONS
from vskd.errors import DataError, lookup

Settings = Mapping[str, Any]


@dataclass(frozen=True)
class DatasetEntry:
    """What a newcomer has to know of a data set.

    Attributes:
        name: as on the command line; title, description: for people.
        index: lists the recordings of a folder; decodes nothing.
        labels: class names in order of class number; empty where a folder's own names are the classes.
        streams: names of the streams that its recordings may have.
        protocols: names of its protocols, the usual one first.
        url, licence, citation, obtain: where it is, on which terms, whose it is, how to get it.
        placement: where the sensor is worn, or the camera is mounted.
        system: the shipped recipe for it, where only the data set is named.
        defaults: modality -> what `sees` of a recipe should say here, unless it says otherwise.
        recipes: shipped recipe -> what it should say here beside that, in a recipe's shape; also for
            the recipes that extend it. Elements of lists go by number or name.
        fold: the usual fold of the usual protocol; None where that has no folds.
        label_swap: the class that a mirrored clip or image belongs to, where it changes; None where it must not be
            mirrored.
    """

    name: str
    title: str
    description: str
    index: Callable[[Path], Index]
    labels: tuple[str, ...]
    streams: tuple[str, ...]
    protocols: tuple[str, ...]
    url: str
    licence: str
    citation: str
    obtain: str
    placement: str
    system: str
    defaults: Mapping[str, Settings]
    recipes: Mapping[str, Settings] = field(default_factory=dict)
    fold: str | None = None
    label_swap: Mapping[str, str] | None = None


_PROTOCOLS = ("cross-subject", "cross-subject-val", "subject-specific", "leave-one-subject-out")

UTD_MHAD = DatasetEntry(
    name="utd-mhad",
    title="UTD Multimodal Human Action Dataset",
    description="27 actions, 8 subjects, 861 recordings: wrist or thigh sensor, skeleton, depth and RGB video.",
    index=utd_mhad.index,
    labels=utd_mhad.LABELS,
    streams=("accelerometer", "gyroscope", "skeleton", "depth", "rgb"),
    protocols=(*_PROTOCOLS, "enrolment"),
    url="https://personal.utdallas.edu/~kehtar/UTD-MHAD.html",
    licence="research use; ask its authors for any other",
    citation=(
        "C. Chen, R. Jafari, N. Kehtarnavaz: UTD-MHAD: a multimodal dataset for human action recognition utilizing a "
        "depth camera and a wearable inertial sensor. ICIP 2015"
    ),
    obtain="Download Inertial.zip, Skeleton.zip, Depth.zip and the RGB parts from its page; unpack them in one folder.",
    placement="right wrist (actions 1 to 21) or right thigh (22 to 27)",
    system="vskd",
    defaults={
        "window": {"streams": ["accelerometer"]},
        # Depth tells the body from the room, so that frames can be cut to the body.
        "frames": {"streams": ["depth"], "fit": "foreground"},
        "skeleton": {"streams": ["skeleton"]},
    },
    # Mirrored, a right arm becomes a left arm, which is in no class: no swap of labels makes that clip a true one.
    label_swap=None,
)

SYNTHETIC = DatasetEntry(
    name="synthetic",
    title="Synthetic kinematic world",
    description="Up to 10 actions of a simulated body: wrist accelerometer and gyroscope, and rendered RGB video.",
    index=synthetic.index,
    labels=ACTIONS,
    streams=("accelerometer", "gyroscope", "rgb"),
    protocols=_PROTOCOLS,
    url="",
    licence="Apache-2.0, as vskd itself",
    citation="vskd, vskd/datasets/synthetic",
    obtain="Run: vskd datasets make-synthetic --out FOLDER",
    placement="wrist of the acting hand",
    system="vskd",
    defaults={
        "window": {"streams": ["accelerometer"]},
        "frames": {"streams": ["rgb"], "fit": "centre-crop"},
    },
    # Subjects are left- or right-handed, so a mirrored clip is a clip of the other hand with the direction swapped.
    label_swap=MappingProxyType(
        {
            "swipe left": "swipe right",
            "swipe right": "swipe left",
            "draw circle clockwise": "draw circle counter-clockwise",
            "draw circle counter-clockwise": "draw circle clockwise",
        }
    ),
)

DRIVER_INATTENTION = DatasetEntry(
    name=driver_inattention.NAME,
    title="Driver inattention (DMD v6 on Roboflow)",
    description="Infrared pictures of 10 drivers, 6 classes from safe to sleepy, one face box each.",
    index=driver_inattention.index,
    labels=driver_inattention.LABELS,
    streams=("image",),
    protocols=("official", "subject-folds", "leave-one-subject-out", "official-test"),
    url="https://universe.roboflow.com/driver-monitoring/dmd-tfiw0",
    licence="CC BY 4.0 as published on Roboflow; the Driver Monitoring Dataset it is drawn from has its own terms",
    citation=(
        "J. D. Ortega et al.: DMD: a large-scale multi-modal driver monitoring dataset for attention and alertness "
        "analysis. ECCV Workshops 2020"
    ),
    obtain="Export version 6 from its page in the format 'YOLO v3 Keras'; unpack train, valid and test in one folder.",
    placement="infrared camera in front of the driver",
    system="krca",
    # The face fills a small part of the picture, and infrared has no colours.
    defaults={"image": {"streams": ["image"], "size": 64, "crop": "box", "margin": 0.1, "grey": True}},
    # No class knows left from right: a mirrored driver does the same.
    label_swap=MappingProxyType({}),
)

_LEFT_RIGHT = MappingProxyType(state_farm.LABEL_SWAP)

# What hands and head do decides the class, so nothing is cut out. Hands and phone are small in a whole frame; 128 is
# four times the work of the 64 pixels of a face. Skin against the car's interior is told by its colour, and the camera
# is not infrared.
_WHOLE_FRAMES: Settings = {"streams": ["image"], "size": 128, "crop": "full", "grey": False}

# 2.6 times the training images of driver-inattention, hence half the epochs. Mirror images stay: the classes that name
# a hand change with them.
_HALF_THE_EPOCHS: Settings = {
    "teachers": {0: {"training": {"epochs": 10}}},
    "student": {"training": {"epochs": 20}},
}
_NO_MIRROR: Settings = {
    "student": {"sees": {"augmentation": {"flip": 0.0}}},
    "teachers": {0: {"sees": {"augmentation": {"flip": 0.0}}}},
}
_SIDE_VIEW_RECIPES: Mapping[str, Settings] = {
    "krca": _HALF_THE_EPOCHS,
    # The temperature rises twice as fast, to be where it was after half the epochs.
    "dangerous-driving": {"distiller": {"terms": {"kd": {"temperature_slope": 1.0}}}},
}

STATE_FARM = DatasetEntry(
    name=state_farm.NAME,
    title="State Farm Distracted Driver Detection",
    description="22,424 images of 26 drivers from the side, 10 classes of distraction.",
    index=state_farm.index,
    labels=state_farm.LABELS,
    streams=("image",),
    protocols=("driver-folds", "leave-2-drivers-out", "official"),
    url="https://www.kaggle.com/c/state-farm-distracted-driver-detection",
    licence="rules of the Kaggle competition",
    citation="State Farm: Distracted Driver Detection. Kaggle 2016",
    obtain="Download imgs.zip and driver_imgs_list.csv from its page; unpack them in one folder.",
    placement="camera on the dashboard, on the passenger's side",
    system="krca",
    defaults={"image": _WHOLE_FRAMES},
    recipes=_SIDE_VIEW_RECIPES,
    fold="1",  # the first of five; `vskd compare ... --fold all` pools them
    label_swap=_LEFT_RIGHT,
)

AUC = DatasetEntry(
    name=auc.NAME,
    title="AUC Distracted Driver",
    description="Images of drivers from the side, 10 classes of distraction, in folders train and test.",
    index=auc.index,
    labels=auc.LABELS,
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
    defaults={"image": _WHOLE_FRAMES},
    recipes=_SIDE_VIEW_RECIPES,
    label_swap=_LEFT_RIGHT,
)

IMAGE_FOLDER = DatasetEntry(
    name=image_folder.NAME,
    title="Images of one's own",
    description="One folder per class, in parts or not; labels.csv may name drivers and source videos.",
    index=image_folder.index,
    labels=(),
    streams=("image",),
    protocols=("official", "official-val", "leave-one-driver-out"),
    url="",
    licence="whatever you agreed on with the people in it",
    citation="your own",
    obtain="Sort JPEG or PNG files into train/CLASS and test/CLASS, or into CLASS with drivers named in labels.csv.",
    placement="camera",
    system="krca",
    # As for State Farm: there are no boxes to cut out, and posture wants more pixels than a face.
    defaults={"image": _WHOLE_FRAMES},
    # Nobody but the folder's owner knows what a mirrored image of a class shows.
    recipes={"krca": _NO_MIRROR},
    label_swap=None,
)

_ALL = (UTD_MHAD, SYNTHETIC, DRIVER_INATTENTION, STATE_FARM, AUC, IMAGE_FOLDER)

DATASETS: dict[str, DatasetEntry] = {entry.name: entry for entry in _ALL}


def get_dataset(name: str) -> DatasetEntry:
    """The data set called `name`.

    Raises:
        DataError: there is none; the nearest name is given.
    """
    return lookup(DATASETS, name, "data set", DataError)
