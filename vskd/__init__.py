"""Honest cross-modal knowledge distillation for wearable activity recognition.

What stands here is for library users; it is loaded when it is asked for, so that `import vskd` costs nothing:

    vskd.load_bundle("BUNDLE").predict(samples, rate_hz=50)
    vskd.open_dataset("utd-mhad", "UTD-MHAD").windows("accelerometer")

Losses are in `vskd.losses`; every error that is the user's to solve is a `vskd.VskdError`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vskd.bundle.opened import load_bundle
    from vskd.datasets.opened import open_dataset
    from vskd.errors import VskdError

__version__ = "0.1.0"
__all__ = ["VskdError", "__version__", "load_bundle", "open_dataset"]

_WHERE = {
    "VskdError": "vskd.errors",
    "load_bundle": "vskd.bundle.opened",
    "open_dataset": "vskd.datasets.opened",
}


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_WHERE[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
