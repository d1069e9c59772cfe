"""The data sets that vskd knows, by name. To add one: its module, its protocols, one entry here."""

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from vskd.datasets import utd_mhad
from vskd.datasets.recording import Index
from vskd.datasets.synthetic import dataset as synthetic
from vskd.datasets.synthetic.settings import ACTIONS
from vskd.errors import DataError


@dataclass(frozen=True)
class DatasetEntry:
    """What a newcomer has to know of a data set.

    Attributes:
        name: as on the command line; title, description: for people.
        index: lists the recordings of a folder; decodes nothing.
        labels: class names in order of class number.
        streams: names of the streams that its recordings may have.
        protocols: names of its protocols, the usual one first.
        url, licence, citation, obtain: where it is, on which terms, whose it is, how to get it.
        label_swap: the class that a mirrored clip belongs to, where it changes; None where clips must not be mirrored.
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

DATASETS: dict[str, DatasetEntry] = {entry.name: entry for entry in (UTD_MHAD, SYNTHETIC)}


def get_dataset(name: str) -> DatasetEntry:
    """The data set called `name`.

    Raises:
        DataError: there is none; the nearest name is given.
    """
    if name not in DATASETS:
        close = difflib.get_close_matches(name, DATASETS, n=1, cutoff=0.4)
        hint = f"; did you mean '{close[0]}'?" if close else ""
        raise DataError(f"There is no data set '{name}'{hint}", f"Choose one of: {', '.join(sorted(DATASETS))}")
    return DATASETS[name]
