"""UTD-MHAD: 27 actions by 8 subjects, 4 trials each, with a wrist or thigh sensor, a Kinect and its skeleton.

Source: Chen, Jafari, Kehtarnavaz, "UTD-MHAD: a multimodal dataset for human action recognition utilizing a depth
camera and a wearable inertial sensor", ICIP 2015.

Data requirements: a folder with any of
  `Inertial`    `a1_s1_t1_inertial.mat`, `d_iner`, T x 6: acceleration in g (the sensor measures ±8 g),
                then angular rate in deg/s (±1000 deg/s), 50 Hz
  `Skeleton`    `a1_s1_t1_skeleton.mat`, `d_skel`, 20 joints x 3 x T, metres, 30 Hz
  `Depth`       `a1_s1_t1_depth.mat`, `d_depth`, 240 x 320 x T, millimetres, 30 frames/s
  `DepthVideo`  `a1_s1_t1_depth.mp4`, the same as video
  `RGB`         `a1_s1_t1_color.avi` (or `.mp4`)
The sensor sits on the right wrist in actions 1-21 and on the right thigh in actions 22-27. Where `DepthVideo` covers as
many recordings as `Depth`, the stream `depth` is the video for every recording; else it is the .mat file for every one.
"""

from pathlib import Path

from vskd.datasets.entry import DatasetEntry
from vskd.datasets.recording import Index
from vskd.datasets.sensors.layout import FileSpec, Layout, StreamSpec, index_layout

LABELS = (
    "swipe left",
    "swipe right",
    "wave",
    "clap",
    "throw",
    "arm cross",
    "basketball shoot",
    "draw x",
    "draw circle clockwise",
    "draw circle counter-clockwise",
    "draw triangle",
    "bowling",
    "boxing",
    "baseball swing",
    "tennis swing",
    "arm curl",
    "tennis serve",
    "push",
    "knock",
    "catch",
    "pick up and throw",
    "jog",
    "walk",
    "sit to stand",
    "stand to sit",
    "lunge",
    "squat",
)

PROTOCOLS = ("cross-subject", "cross-subject-val", "subject-specific", "leave-one-subject-out")
_AXES = ("x", "y", "z")
INERTIAL = FileSpec(
    folder="Inertial",
    endings=("_inertial.mat",),
    streams=(
        StreamSpec("accelerometer", "sensor", 50.0, "g", _AXES, (0, 1, 2), range_limit=8.0),
        StreamSpec("gyroscope", "sensor", 50.0, "deg/s", _AXES, (3, 4, 5), range_limit=1000.0),
    ),
    variable="d_iner",
    shape=(None, 6),
)
SKELETON = FileSpec(
    folder="Skeleton",
    endings=("_skeleton.mat",),
    streams=(StreamSpec("skeleton", "skeleton", 30.0, "m", _AXES),),
    variable="d_skel",
    shape=(20, 3, None),
)
# The video comes first: where both kinds cover the same recordings, it is smaller and far faster to read.
DEPTH_VIDEO = FileSpec("DepthVideo", ("_depth.mp4",), (StreamSpec("depth", "video", 30.0, "uint8"),))
DEPTH = FileSpec(
    folder="Depth",
    endings=("_depth.mat",),
    streams=(StreamSpec("depth", "video", 30.0, "mm"),),
    variable="d_depth",
    shape=(None, None, None),
)
RGB = FileSpec("RGB", ("_color.avi", "_color.mp4"), (StreamSpec("rgb", "video", 30.0, "uint8"),))

LAYOUT = Layout(
    dataset="utd-mhad",
    labels=LABELS,
    subjects=tuple(range(1, 9)),
    trials=tuple(range(1, 5)),
    files=(INERTIAL, SKELETON, DEPTH_VIDEO, DEPTH, RGB),
    absent=frozenset({"a8_s1_t4", "a23_s6_t4", "a27_s8_t4"}),
)


def index(root: Path) -> Index:
    """List the UTD-MHAD recordings under `root` and name what is missing, corrupt, duplicate, unpaired or unknown.

    Raises:
        DataError: `root` is missing, or holds no UTD-MHAD file.
    """
    return index_layout(root, LAYOUT)


ENTRY = DatasetEntry(
    name="utd-mhad",
    title="UTD Multimodal Human Action Dataset",
    description="27 actions, 8 subjects, 861 recordings: wrist or thigh sensor, skeleton, depth and RGB video.",
    index=index,
    labels=LABELS,
    streams=("accelerometer", "gyroscope", "skeleton", "depth", "rgb"),
    protocols=(*PROTOCOLS, "enrolment", "enrolment-each"),
    url="https://personal.utdallas.edu/~kehtar/UTD-MHAD.html",
    licence="research use; ask its authors for any other",
    citation=(
        "C. Chen, R. Jafari, N. Kehtarnavaz: UTD-MHAD: a multimodal dataset for human action recognition utilizing a "
        "depth camera and a wearable inertial sensor. ICIP 2015"
    ),
    obtain="Download Inertial.zip, Skeleton.zip, Depth.zip and the RGB parts from its page; unpack them in one folder.",
    placement="right wrist (actions 1 to 21) or right thigh (22 to 27)",
    system="wrist",
    defaults={
        "window": {"streams": ["accelerometer"]},
        # Depth tells the body from the room, so that frames can be cut to the body.
        "frames": {"streams": ["depth"], "fit": "foreground"},
        "clip": {"streams": ["depth"], "fit": "foreground"},
        "skeleton": {"streams": ["skeleton"]},
    },
    # Mirrored, a right arm becomes a left arm, which is in no class: no swap of labels makes that clip a true one.
    label_swap=None,
)
