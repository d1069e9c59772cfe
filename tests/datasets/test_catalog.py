import pytest

from vskd.datasets.catalog import DATASETS, get_dataset
from vskd.errors import DataError


@pytest.mark.parametrize(("name", "nearest"), [("utd_mhad", "utd-mhad"), ("UTD-MHAD", None), ("synthetc", "synthetic")])
def test_unknown_names_give_the_nearest(name: str, nearest: str | None) -> None:
    with pytest.raises(DataError, match=r"Choose one of: .*synthetic, utd-mhad") as caught:
        get_dataset(name)
    assert nearest is None or f"did you mean '{nearest}'" in str(caught.value)


def test_names_are_those_of_the_entries() -> None:
    assert all(get_dataset(name).name == name for name in DATASETS)
