"""The synthetic world as a data set: the UTD-MHAD layout with other labels."""

import dataclasses
from pathlib import Path
from types import MappingProxyType

from vskd.datasets.entry import DatasetEntry
from vskd.datasets.recording import Index
from vskd.datasets.sensors.layout import FileSpec, Layout, StreamSpec, index_layout
from vskd.datasets.sensors.utd_mhad import INERTIAL, PROTOCOLS, RGB, SKELETON
from vskd.datasets.synthetic.settings import ACTIONS, FRAME_RATE_HZ, SENSOR_RATE_HZ, load_settings

_INERTIAL = dataclasses.replace(
    INERTIAL, streams=tuple(dataclasses.replace(s, rate_hz=float(SENSOR_RATE_HZ)) for s in INERTIAL.streams)
)
_RGB = FileSpec("RGB", RGB.endings, (StreamSpec("rgb", "video", float(FRAME_RATE_HZ), "uint8"),))

_SKELETON = dataclasses.replace(
    SKELETON,
    streams=tuple(dataclasses.replace(s, rate_hz=float(FRAME_RATE_HZ)) for s in SKELETON.streams),
    shape=(None, 3, None),
)


def index(root: Path) -> Index:
    """List the recordings of the synthetic world in `root`, as `vskd.datasets.sensors.utd_mhad.index` does.

    Raises:
        DataError: `root` is missing, is no synthetic world, or holds no recording.
    """
    settings = load_settings(root)
    layout = Layout(
        dataset="synthetic",
        labels=settings.actions,
        subjects=tuple(range(1, settings.subjects + 1)),
        trials=tuple(range(1, settings.trials + 1)),
        files=(_INERTIAL, _RGB, *([_SKELETON] if settings.skeletons else [])),
    )
    return index_layout(root, layout)


ENTRY = DatasetEntry(
    name="synthetic",
    title="Synthetic kinematic world",
    description="Up to 10 actions of a simulated body: wrist accelerometer and gyroscope, rendered RGB video; joints.",
    index=index,
    labels=ACTIONS,
    streams=("accelerometer", "gyroscope", "rgb", "skeleton"),
    protocols=PROTOCOLS,
    url="",
    licence="Apache-2.0, as vskd itself",
    citation="vskd, vskd/datasets/synthetic",
    obtain="Run: vskd datasets make-synthetic --out FOLDER",
    placement="wrist of the acting hand",
    system="vskd",
    defaults={
        "window": {"streams": ["accelerometer"]},
        "frames": {"streams": ["rgb"], "fit": "centre-crop"},
        "clip": {"streams": ["rgb"]},
        "skeleton": {"streams": ["skeleton"]},
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
