"""UCF11 (UCF YouTube Action): about 1,600 clips of 11 actions in 25 groups.

Source: Liu, Luo & Shah, "Recognizing Realistic Actions from Videos in the Wild", CVPR 2009.

Data requirements: the folder `UCF11_updated_mpg` as it is published, `biking/v_biking_01/v_biking_01_01.mpg`: the first
number is the group, the second one the clip. Annotations (.xgtf) are not read. The .mpg files do not say how long they
should be, which is said of each once, when it is decoded.
"""

import re
from pathlib import Path

from vskd.datasets.entry import DatasetEntry
from vskd.datasets.images.class_folders import classes_of
from vskd.datasets.recording import Index
from vskd.datasets.video.ucf import index_groups

NAME = "ucf11"
LABELS = (
    *("basketball", "biking", "diving", "golf_swing", "horse_riding", "soccer_juggling", "swing", "tennis_swing"),
    *("trampoline_jumping", "volleyball_spiking", "walking"),
)
_FILE = re.compile(r"v_.+_(?P<group>\d+)_(?P<clip>\d+)")
_OBTAIN = "Unpack UCF11_updated_mpg.rar of its page, and give that folder with --data."


def index(root: Path) -> Index:
    """List the clips under `root`; see `index_groups`."""
    return index_groups(root, classes_of(NAME, LABELS, unique_names=True), _FILE, _OBTAIN)


ENTRY = DatasetEntry(
    name=NAME,
    title="UCF11 (UCF YouTube Action)",
    description="About 1,600 clips of 11 actions from YouTube, in 25 groups.",
    index=index,
    labels=LABELS,
    streams=("rgb",),
    protocols=("leave-5-groups-out", "leave-one-group-out"),
    url="https://www.crcv.ucf.edu/data/UCF_YouTube_Action.php",
    licence="research use; the clips are their makers'",
    citation="Liu, Luo, Shah: Recognizing Realistic Actions from Videos in the Wild. CVPR 2009",
    obtain=_OBTAIN,
    placement="camera",
    system="kd3d",
    defaults={"clip": {"streams": ["rgb"]}, "frames": {"streams": ["rgb"]}},
    fold="1-2-3-4-5",
)
