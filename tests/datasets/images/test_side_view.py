"""What recipes take over for drivers seen from the side, as they are after the overlay."""

from typing import Any

import pytest

from vskd.datasets.catalog import get_dataset
from vskd.datasets.images.side_view import SIDE_VIEW_RECIPES, WHOLE_FRAMES
from vskd.recipe import load_recipe


def budget(recipe: Any) -> tuple[int, int]:
    return recipe.teachers[0].training.epochs, recipe.student.training.epochs


@pytest.mark.parametrize("dataset", ["auc", "state-farm"])
def test_half_the_epochs_and_a_temperature_that_rises_twice_as_fast(dataset: str) -> None:
    assert get_dataset(dataset).recipes == SIDE_VIEW_RECIPES and get_dataset(dataset).defaults["image"] == WHOLE_FRAMES
    faces, drivers = (load_recipe("krca", [f"dataset.name={name}"]) for name in ("driver-inattention", dataset))
    assert budget(drivers) == tuple(epochs // 2 for epochs in budget(faces)) == (10, 20)
    assert SIDE_VIEW_RECIPES["dangerous-driving"] == {"distiller": {"terms": {"kd": {"temperature_slope": 1.0}}}}
    sees = drivers.student.sees
    assert (sees.streams, sees.size, sees.crop, sees.grey) == (("image",), 128, "full", False)
