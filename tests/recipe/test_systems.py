"""Which shipped recipe is meant where only parts of it are named."""

import pytest

from vskd.datasets.catalog import DATASETS
from vskd.losses.presets.catalog import PRESETS
from vskd.models.catalog import NETWORKS
from vskd.recipe import list_recipes
from vskd.recipe.systems import DEFAULT, SYSTEM_OF, fitting_recipe


@pytest.mark.parametrize(
    ("named", "dataset", "system"),
    [
        ((), None, "wrist"),
        ((None, None), "utd-mhad", "wrist"),
        ((), "mmact", "vskd"),
        (("trn",), "utd-mhad", "vskd"),
        (("motion-maps",), "utd-mhad", "depth-wrist"),
        ((None, "resnet18-small-stem"), None, "vskd"),
        ((None, None, "dask"), None, "vskd"),
        ((), "state-farm", "krca"),
        (("resnet18", "dask"), None, "vskd"),
        (("squeezenet-lw",), None, "krca"),
        (("krca-hl-sl",), None, "krca"),
        (("efficientnet-v2-s",), "driver-inattention", "dangerous-driving"),
        ((None, "mobilenet-v3-small-075"), None, "dangerous-driving"),
        ((None, "separable-resnet1d-050"), None, "wrist"),
        ((None, "rocket1d"), None, "wrist-best"),
        ((None, "rocket1d-050"), None, "wrist-tiny"),
        ((None, "rocket1d-fixed"), None, "berkeley-best"),
        ((None, "separable-resnet2d"), None, "vskd"),
        (("dangerous-driving", "squeezenet-lw"), None, "dangerous-driving"),
        (("kd",), "nowhere", "wrist"),
        ((), "ucf101", "kd3d"),
        (("kd", "c3d-student"), None, "kd3d"),
        (("c3d-lean",), "ucf11", "kd3d-small"),
        (("convnext-tiny", "mobilenet-v3-small-075"), None, "krca"),
        (("simkd", "resnet18"), "mmact", "wrist"),
        (("r2plus1d-34",), None, "kd3d"),
        (("mc3-18",), "mmact", "kd3d"),
        (("dask", "c3d"), None, "vskd"),
    ],
)
def test_the_first_name_that_tells_decides_then_the_data_set(
    named: tuple[str | None, ...], dataset: str | None, system: str
) -> None:
    assert fitting_recipe(named, dataset) == system


def test_every_system_is_a_shipped_recipe_and_every_beginning_is_one_of_a_name() -> None:
    shipped = {name for name, *_ in list_recipes()}
    assert {DEFAULT, *SYSTEM_OF.values(), *(entry.system for entry in DATASETS.values())} <= shipped
    names = (*NETWORKS, *PRESETS)
    assert [start for start in SYSTEM_OF if not any(name.startswith(start) for name in names)] == []


@pytest.mark.parametrize(("start", "system"), list(SYSTEM_OF.items()))
def test_the_longest_beginning_of_a_name_is_tried_first(start: str, system: str) -> None:
    """No beginning hides another one that says more."""
    assert fitting_recipe([None, start, "trn"]) == system
    assert fitting_recipe([f"{start}-anything"], "state-farm") == system
    assert fitting_recipe([f"my-{start}"]) == DEFAULT
    assert all(not later.startswith(start) for later in list(SYSTEM_OF)[list(SYSTEM_OF).index(start) + 1 :])
