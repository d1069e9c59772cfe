"""The synthetic world as a data set: the UTD-MHAD layout with other labels."""

import dataclasses
from pathlib import Path

from vskd.datasets.recording import Index
from vskd.datasets.sensors.layout import FileSpec, Layout, StreamSpec, index_layout
from vskd.datasets.sensors.utd_mhad import INERTIAL, RGB
from vskd.datasets.synthetic.settings import FRAME_RATE_HZ, SENSOR_RATE_HZ, load_settings

_INERTIAL = dataclasses.replace(
    INERTIAL, streams=tuple(dataclasses.replace(s, rate_hz=float(SENSOR_RATE_HZ)) for s in INERTIAL.streams)
)
_RGB = FileSpec("RGB", RGB.endings, (StreamSpec("rgb", "video", float(FRAME_RATE_HZ), "uint8"),))


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
        files=(_INERTIAL, _RGB),
    )
    return index_layout(root, layout)
