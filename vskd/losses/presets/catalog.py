"""Which presets exist. To add one: a file beside this one with its `Preset`, one line here and one mirrored test."""

from collections.abc import Mapping

from vskd.losses.presets.crd import CRD
from vskd.losses.presets.dangerous_driving import DANGEROUS_DRIVING
from vskd.losses.presets.dask import DASK
from vskd.losses.presets.kd import KD
from vskd.losses.presets.krca import ABLATIONS, KRCA
from vskd.losses.presets.none import NONE
from vskd.losses.presets.preset import Preset
from vskd.losses.presets.simkd import SIMKD
from vskd.losses.presets.sp import SP

PRESETS: Mapping[str, Preset] = {
    "none": NONE,
    "kd": KD,
    "dask": DASK,
    "crd": CRD,
    "sp": SP,
    "simkd": SIMKD,
    "dangerous-driving": DANGEROUS_DRIVING,
    "krca": KRCA,
    **ABLATIONS,
}
