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
