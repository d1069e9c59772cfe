from pathlib import Path

import pytest

from vskd.datasets.catalog import DATASETS, get_dataset
from vskd.errors import DataError


@pytest.mark.parametrize(("name", "nearest"), [("utd_mhad", "utd-mhad"), ("UTD-MHAD", None), ("synthetc", "synthetic")])
def test_unknown_names_give_the_nearest(name: str, nearest: str | None) -> None:
    with pytest.raises(
        DataError, match=r"Choose one of: .*synthetic, ucf101, ucf11, ucf50, utd-mhad, video-folder"
    ) as caught:
        get_dataset(name)
    assert nearest is None or f"did you mean '{nearest}'" in str(caught.value)


def test_images_that_are_not_of_faces_are_seen_whole_and_by_fewer_epochs() -> None:
    """Figures under results/ were made with these."""
    whole = {"streams": ["image"], "size": 128, "crop": "full", "grey": False}
    state_farm, auc, own = (get_dataset(name) for name in ("state-farm", "auc", "image-folder"))
    assert state_farm.defaults["image"] == auc.defaults["image"] == whole
    assert own.defaults["image"] == whole
    for entry in (state_farm, auc):  # dangerous-driving extends krca, and so has its epochs too
        assert entry.recipes["krca"] == {
            "teachers": {0: {"training": {"epochs": 10}}},
            "student": {"training": {"epochs": 20}},
        }
        assert entry.recipes["dangerous-driving"] == {"distiller": {"terms": {"kd": {"temperature_slope": 1.0}}}}
    unmirrored = {"sees": {"augmentation": {"flip": 0.0}}}
    assert own.recipes == {"krca": {"student": unmirrored, "teachers": {0: unmirrored}}}


def test_faces_are_cut_out_in_grey_and_depth_to_the_body() -> None:
    assert get_dataset("driver-inattention").defaults["image"] == {
        "streams": ["image"],
        "size": 64,
        "crop": "box",
        "margin": 0.1,
        "grey": True,
    }
    assert get_dataset("utd-mhad").defaults["frames"] == {"streams": ["depth"], "fit": "foreground"}
    assert get_dataset("synthetic").defaults["frames"] == {"streams": ["rgb"], "fit": "centre-crop"}


def test_names_are_those_of_the_entries() -> None:
    assert all(get_dataset(name).name == name for name in DATASETS)


STREAMS_OF_MMACT = (
    *("accelerometer-watch", "accelerometer-phone", "gyroscope", "orientation"),
    *(f"rgb-cam{n}" for n in range(1, 5)),
)
POSES_OF_MMACT = tuple(f"pose-cam{n}" for n in range(1, 5))
SIDES = {f"{what} - left": f"{what} - right" for what in ("talking on the phone", "texting")}
BOTH_SIDES = SIDES | {right: left for left, right in SIDES.items()}
SPLIT = ("cross-subject", "cross-subject-val", "subject-specific", "leave-one-subject-out")
ENTRIES = {
    "utd-mhad": ("wrist", None, 27, (*SPLIT, "enrolment"), None),
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


def test_every_entry_is_here() -> None:
    assert set(ENTRIES) == set(DATASETS)


@pytest.mark.parametrize("name", ENTRIES)
def test_what_recipes_take_of_an_entry(name: str) -> None:
    entry = get_dataset(name)
    swap = None if entry.label_swap is None else dict(entry.label_swap)
    assert (entry.system, entry.fold, len(entry.labels), entry.protocols, swap) == ENTRIES[name]
    assert all(stream in entry.streams for said in entry.defaults.values() for stream in said["streams"])
    if name.startswith("mmact"):
        assert entry.streams == STREAMS_OF_MMACT + (() if name == "mmact-untrimmed" else POSES_OF_MMACT)


@pytest.mark.parametrize("name", DATASETS)
def test_a_folder_that_is_not_there_or_is_none_is_named(name: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for root, what in ((tmp_path / "nowhere", "does not exist"), (tmp_path / "file", "is not a folder")):
        with pytest.raises(DataError, match=what) as caught:
            get_dataset(name).index(root)
        assert str(root) in str(caught.value)
        assert ("make-synthetic" if name == "synthetic" else "--data") in str(caught.value)
