"""What the catalog says of each data set, by name; the test of each data set looks at its own line."""

from pathlib import Path

import pytest

from vskd.datasets.catalog import get_dataset
from vskd.errors import DataError

SIDES = {f"{what} - left": f"{what} - right" for what in ("talking on the phone", "texting")}
BOTH_SIDES = SIDES | {right: left for left, right in SIDES.items()}
SPLIT = ("cross-subject", "cross-subject-val", "subject-specific", "leave-one-subject-out")
ENTRIES = {
    "utd-mhad": ("wrist", None, 27, (*SPLIT, "enrolment", "enrolment-each"), None),
    "berkeley-mhad": ("berkeley", None, 11, ("cross-subject", "cross-subject-val", "leave-one-subject-out"), None),
    "mmact": ("vskd", None, 37, ("cross-subject", "cross-session", "cross-scene"), None),
    "mmact-35": ("vskd", None, 35, ("cross-subject", "cross-session", "cross-scene", "challenge-cross-scene"), None),
    "mmact-untrimmed": ("vskd", None, 37, ("cross-session", "cross-subject"), None),
    "synthetic": (
        "vskd",
        None,
        10,
        SPLIT,
        {
            "swipe left": "swipe right",
            "swipe right": "swipe left",
            "draw circle clockwise": "draw circle counter-clockwise",
            "draw circle counter-clockwise": "draw circle clockwise",
        },
    ),
    "driver-inattention": (
        "krca",
        None,
        6,
        ("official", "subject-folds", "leave-one-subject-out", "official-test"),
        {},
    ),
    "state-farm": ("krca", "1", 10, ("driver-folds", "leave-2-drivers-out", "official"), BOTH_SIDES),
    "auc": ("krca", None, 10, ("official",), BOTH_SIDES),
    "image-folder": ("krca", None, 0, ("official", "official-val", "leave-one-driver-out"), None),
    "sensor-folder": ("berkeley", None, 0, ("cross-subject", "leave-one-subject-out"), None),
    "ucf11": ("kd3d", "1-2-3-4-5", 11, ("leave-5-groups-out", "leave-one-group-out"), None),
    "ucf50": ("kd3d", "1-2-3-4-5", 50, ("leave-5-groups-out", "leave-one-group-out"), None),
    "ucf101": ("kd3d", None, 101, ("official-1", "official-2", "official-3"), None),
    "hmdb51": ("kd3d", None, 51, ("official-1", "official-2", "official-3"), None),
    "video-folder": (
        "kd3d",
        None,
        0,
        ("official", "official-val", "leave-one-group-out", "leave-5-groups-out"),
        None,
    ),
}
"""System, usual fold, classes, protocols with the usual one first, and what a mirror image becomes."""

RGB: tuple[str, ...] = ("rgb",)
CLIPS = {"clip": {"streams": ["rgb"]}, "frames": {"streams": ["rgb"]}}
WHOLE = {"image": {"streams": ["image"], "size": 128, "crop": "full", "grey": False}}
SHORTER = {"teachers": {0: {"training": {"epochs": 10}}}, "student": {"training": {"epochs": 20}}}
SLOPE = {"distiller": {"terms": {"kd": {"temperature_slope": 1.0}}}}
UNMIRRORED = {"sees": {"augmentation": {"flip": 0.0}}}
WORN = ("accelerometer-watch", "accelerometer-phone", "gyroscope", "orientation")
FILMED = tuple(f"rgb-cam{n}" for n in range(1, 5))
OF_MMACT = {
    "window": {"streams": ["accelerometer-watch"]},
    "frames": {"streams": ["rgb-cam1"], "fit": "centre-crop"},
    "clip": {"streams": ["rgb-cam1"]},
}
POSED = {"skeleton": {"streams": ["pose-cam1"]}}
TOLD: dict[str, tuple[tuple[str, ...], dict[str, object], dict[str, object], set[str]]] = {
    "utd-mhad": (
        ("accelerometer", "gyroscope", "skeleton", "depth", "rgb"),
        {
            "window": {"streams": ["accelerometer"]},
            "frames": {"streams": ["depth"], "fit": "foreground"},
            "clip": {"streams": ["depth"], "fit": "foreground"},
            "skeleton": {"streams": ["skeleton"]},
        },
        {},
        set(),
    ),
    "berkeley-mhad": (
        tuple(f"accelerometer-{side}-{place}" for place in ("wrist", "hip", "ankle") for side in ("left", "right")),
        {"window": {"streams": ["accelerometer-right-wrist"]}},
        {},
        set(),
    ),
    "mmact": ((*WORN, *FILMED, *(f"pose-cam{n}" for n in range(1, 5))), OF_MMACT | POSED, {}, {"cross-view"}),
    "mmact-35": (
        (*WORN, *FILMED, *(f"pose-cam{n}" for n in range(1, 5))),
        OF_MMACT | POSED,
        {},
        {"cross-view", "challenge-cross-view"},
    ),
    "mmact-untrimmed": ((*WORN, *FILMED), OF_MMACT, {}, {"cross-view"}),
    "synthetic": (
        ("accelerometer", "gyroscope", "rgb", "skeleton"),
        {
            "window": {"streams": ["accelerometer"]},
            "frames": {"streams": ["rgb"], "fit": "centre-crop"},
            "clip": {"streams": ["rgb"]},
            "skeleton": {"streams": ["skeleton"]},
        },
        {},
        set(),
    ),
    "driver-inattention": (
        ("image",),
        {"image": {"streams": ["image"], "size": 64, "crop": "box", "margin": 0.1, "grey": True}},
        {},
        set(),
    ),
    "state-farm": (("image",), WHOLE, {"krca": SHORTER, "dangerous-driving": SLOPE}, set()),
    "auc": (("image",), WHOLE, {"krca": SHORTER, "dangerous-driving": SLOPE}, set()),
    "image-folder": (("image",), WHOLE, {"krca": {"student": UNMIRRORED, "teachers": {0: UNMIRRORED}}}, set()),
    "sensor-folder": (
        ("accelerometer", "gyroscope", "video"),
        {"window": {"streams": ["accelerometer"]}, "frames": {"streams": ["video"]}},
        {"berkeley": {"student": {"sees": {"encoding": {"limit": 4.0}}}}},
        set(),
    ),
    **{name: (RGB, CLIPS, {}, set()) for name in ("ucf11", "ucf50", "ucf101", "hmdb51", "video-folder")},
}
"""Streams, what each modality sees by default, what a recipe changes for it, and the protocols that are refused."""


def assert_entry(name: str, scratch: Path) -> None:
    """The entry says what it said when figures under results/ were made, and a folder that is none is named."""
    entry = get_dataset(name)
    swap = None if entry.label_swap is None else dict(entry.label_swap)
    assert (entry.system, entry.fold, len(entry.labels), entry.protocols, swap) == ENTRIES[name]
    assert (entry.streams, entry.defaults, entry.recipes, set(entry.refused)) == TOLD[name]
    (scratch / "a-file").write_text("x")
    for root, what in ((scratch / "nowhere", "does not exist"), (scratch / "a-file", "is not a folder")):
        with pytest.raises(DataError, match=what) as caught:
            entry.index(root)
        assert str(root) in str(caught.value)
        assert ("make-synthetic" if name == "synthetic" else "--data") in str(caught.value)
