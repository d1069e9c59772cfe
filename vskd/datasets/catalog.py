"""The data sets that vskd knows, by name. To add one: its module, its protocols, one entry here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from vskd.datasets.images import auc, driver_inattention, image_folder, state_farm
from vskd.datasets.recording import Index
from vskd.datasets.sensors import utd_mhad
from vskd.datasets.synthetic import dataset as synthetic
from vskd.datasets.synthetic.settings import ACTIONS
from vskd.errors import DataError, lookup


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
    label_swap: Mapping[str, str] | None = None


_PROTOCOLS = ("cross-subject", "cross-subject-val", "subject-specific", "leave-one-subject-out")

UTD_MHAD = DatasetEntry(
    name="utd-mhad",
    title="UTD Multimodal Human Action Dataset",
    description="27 actions, 8 subjects, 861 recordings: wrist or thigh sensor, skeleton, depth and RGB video.",
    index=utd_mhad.index,
    labels=utd_mhad.LABELS,
    streams=("accelerometer", "gyroscope", "skeleton", "depth", "rgb"),
    protocols=_PROTOCOLS,
    url="https://personal.utdallas.edu/~kehtar/UTD-MHAD.html",
    licence="research use; ask its authors for any other",
    citation=(
        "C. Chen, R. Jafari, N. Kehtarnavaz: UTD-MHAD: a multimodal dataset for human action recognition utilizing a "
        "depth camera and a wearable inertial sensor. ICIP 2015"
    ),
    obtain="Download Inertial.zip, Skeleton.zip, Depth.zip and the RGB parts from its page; unpack them in one folder.",
    placement="right wrist (actions 1 to 21) or right thigh (22 to 27)",
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
    # No class knows left from right: a mirrored driver does the same.
    label_swap=MappingProxyType({}),
)

_LEFT_RIGHT = MappingProxyType(state_farm.LABEL_SWAP)

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
    # Nobody but its owner knows what a mirrored image of a class shows.
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
