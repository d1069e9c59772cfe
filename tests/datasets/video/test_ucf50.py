from pathlib import Path

from tests.datasets.entries import assert_entry
from tests.datasets.video.clips import copy_clips
from vskd.datasets.video.ucf50 import LABELS, index


def write_sample(root: Path) -> None:
    """Two of the classes, six groups of two clips, in the published layout."""
    copy_clips(
        root,
        [
            f"{label}/v_{label}_g{group:02d}_c{clip:02d}.avi"
            for label in ("BaseballPitch", "YoYo")
            for group in range(1, 7)
            for clip in (1, 2)
        ],
    )


def test_the_folder_is_the_class_whatever_the_name_says(tmp_path: Path) -> None:
    """As `SalsaSpin/v_SalsaSpins_g01_c01.avi` and `Fencing/v_fencing_g01_c01.avi`."""
    copy_clips(tmp_path, ["SalsaSpin/v_SalsaSpins_g25_c03.avi", "Fencing/v_fencing_g01_c01.avi"])
    found = index(tmp_path)
    assert [(r.id, found.labels[r.label], r.subject, r.trial) for r in found] == [
        ("v_SalsaSpins_g25_c03", "SalsaSpin", "25", "3"),
        ("v_fencing_g01_c01", "Fencing", "1", "1"),
    ]
    assert len(LABELS) == len(set(LABELS)) == 50


def test_what_the_catalog_says_and_folders_that_are_none(tmp_path: Path) -> None:
    assert_entry("ucf50", tmp_path)
