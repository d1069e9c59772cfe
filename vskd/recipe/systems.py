"""Which shipped recipe is meant where only a network, a distiller or a data set is named."""

from collections.abc import Iterable, Mapping

from vskd.datasets.catalog import DATASETS

DEFAULT = "wrist"
"""Its student is the best small one that a teacher was measured with."""
SYSTEM_OF: Mapping[str, str] = {
    "squeezenet": "krca",
    "convnext": "krca",
    "krca": "krca",
    "mobilenet": "dangerous-driving",
    "efficientnet": "dangerous-driving",
    "dangerous-driving": "dangerous-driving",
    "trn": "vskd",
    "resnet18": "vskd",
    "separable-resnet2d": "vskd",
    "dask": "vskd",
    "motion-maps": "depth-wrist",
    "separable-resnet1d": "wrist",
    "rocket1d-050": "wrist-tiny",
    "rocket1d-fixed": "berkeley-best",
    "rocket1d": "wrist-best",
    "simkd": "wrist",
    "c3d-lean": "kd3d-small",
    "c3d": "kd3d",
    "r2plus1d": "kd3d",
    "mc3": "kd3d",
}
"""How names of networks and distillers begin -> the system that they belong to; the first that fits counts."""


def fitting_recipe(named: Iterable[str | None], dataset: str | None = None) -> str:
    """The recipe of the first of `named` that belongs to a system; else that of the data set; else the default.

    Args:
        named: networks and distillers, the most telling first.
        dataset: name of a data set; one that does not exist is refused later.
    """
    for name in named:
        for start, system in SYSTEM_OF.items():
            if name is not None and name.startswith(start):
                return system
    entry = DATASETS.get(dataset or "")
    return entry.system if entry is not None else DEFAULT
