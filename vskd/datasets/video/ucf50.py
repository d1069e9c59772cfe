"""UCF50: 6,618 clips of 50 actions in 25 groups.

Source: Reddy & Shah, "Recognizing 50 Human Action Categories of Web Videos", Machine Vision and Applications 2012.

Data requirements: the folder `UCF50` as it is published, `BaseballPitch/v_BaseballPitch_g01_c01.avi`. A few files spell
their class otherwise; the folder counts.
"""

import re
from pathlib import Path

from vskd.datasets.entry import DatasetEntry
from vskd.datasets.images.class_folders import classes_of
from vskd.datasets.recording import Index
from vskd.datasets.video.ucf import index_groups

NAME = "ucf50"
LABELS = (
    *("BaseballPitch", "Basketball", "BenchPress", "Biking", "Billiards", "BreastStroke", "CleanAndJerk", "Diving"),
    *("Drumming", "Fencing", "GolfSwing", "HighJump", "HorseRace", "HorseRiding", "HulaHoop", "JavelinThrow"),
    *("JugglingBalls", "JumpRope", "JumpingJack", "Kayaking", "Lunges", "MilitaryParade", "Mixing", "Nunchucks"),
    *("PizzaTossing", "PlayingGuitar", "PlayingPiano", "PlayingTabla", "PlayingViolin", "PoleVault", "PommelHorse"),
    *("PullUps", "Punch", "PushUps", "RockClimbingIndoor", "RopeClimbing", "Rowing", "SalsaSpin", "SkateBoarding"),
    *("Skiing", "Skijet", "SoccerJuggling", "Swing", "TaiChi", "TennisSwing", "ThrowDiscus", "TrampolineJumping"),
    *("VolleyballSpiking", "WalkingWithDog", "YoYo"),
)
FILE = re.compile(r"v_.+_g(?P<group>\d+)_c(?P<clip>\d+)")
_OBTAIN = "Unpack UCF50.rar of its page, and give that folder with --data."


def index(root: Path) -> Index:
    """List the clips under `root`; see `index_groups`."""
    return index_groups(root, classes_of(NAME, LABELS, unique_names=True), FILE, _OBTAIN)


ENTRY = DatasetEntry(
    name=NAME,
    title="UCF50",
    description="6,618 clips of 50 actions from YouTube, in 25 groups.",
    index=index,
    labels=LABELS,
    streams=("rgb",),
    protocols=("leave-5-groups-out", "leave-one-group-out"),
    url="https://www.crcv.ucf.edu/data/UCF50.php",
    licence="research use; the clips are their makers'",
    citation="Reddy, Shah: Recognizing 50 Human Action Categories of Web Videos. MVAP 2012",
    obtain=_OBTAIN,
    placement="camera",
    system="kd3d",
    defaults={"clip": {"streams": ["rgb"]}, "frames": {"streams": ["rgb"]}},
    fold="1-2-3-4-5",
)
