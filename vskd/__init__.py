"""Honest cross-modal knowledge distillation for wearable activity recognition.

What stands here is for library users; it is loaded when it is asked for, so that `import vskd` costs nothing:

    vskd.load_bundle("BUNDLE").predict(samples, rate_hz=50)
    vskd.open_dataset("utd-mhad", "UTD-MHAD").windows("accelerometer")
    vskd.distill_modules(student, teacher, loader, "dask")

Losses are in `vskd.losses`; every error that is the user's to solve is a `vskd.VskdError`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vskd.bundle.opened import load_bundle
    from vskd.datasets.opened import open_dataset
    from vskd.distillation.modules import distill_modules
    from vskd.distillation.objective import DistillationObjective
    from vskd.errors import VskdError

__version__ = "0.1.0"
__all__ = ["DistillationObjective", "VskdError", "__version__", "distill_modules", "load_bundle", "open_dataset"]

_WHERE = {
    "DistillationObjective": "vskd.distillation.objective",
    "VskdError": "vskd.errors",
    "distill_modules": "vskd.distillation.modules",
    "load_bundle": "vskd.bundle.opened",
    "open_dataset": "vskd.datasets.opened",
}


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return getattr(import_module(_WHERE[name]), name)
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        from vskd.errors import MissingExtraError

        raise MissingExtraError("torch", "train") from error


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
