"""The only import of torchvision, which cannot be imported as it is beside a CPU build of torch."""

import functools
import importlib
import importlib.util
import logging
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

from vskd.errors import VskdError

_log = logging.getLogger(__name__)

# The schemas that `import torchvision` registers fake kernels for; without its compiled library nobody defines them.
_SCHEMAS = {
    "nms": "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms": "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
}


def _compiled_library_loads(package: Path) -> bool:
    libraries = [*package.glob("_C*.so"), *package.glob("_C*.pyd")]
    for library in libraries:
        try:
            torch.ops.load_library(str(library))  # type: ignore[no-untyped-call]
        except OSError as error:
            _log.debug("torchvision's compiled library does not load: %s", error)
        else:
            return True
    return False


@functools.cache
def _define_missing_operators() -> Any:
    """Declare the operators without kernels. Cached, because the declaration lives as long as the returned object."""
    library: Any = torch.library.Library  # its constructor and methods carry no types
    fragment = library("torchvision", "FRAGMENT")
    for name, schema in _SCHEMAS.items():
        if not hasattr(torch.ops.torchvision, name):
            fragment.define(schema)
    return fragment


@functools.cache
def load_torchvision() -> ModuleType:
    """Import torchvision so that it works with a CPU build of torch as well as with a CUDA build.

    The published torchvision wheel holds a compiled library that wants CUDA. On a CPU build of torch that library does
    not load, and `import torchvision` then fails with "operator torchvision::nms does not exist". Here the two
    operators are declared first, without kernels, so that `torchvision.models` and `torchvision.transforms.v2` work.
    Calling `torchvision.ops.nms`, or torchvision's own JPEG and video readers, still fails on such a build.

    Returns:
        The torchvision package, which imports `torchvision.models`.

    Raises:
        VskdError: torchvision is not installed.
    """
    found = importlib.util.find_spec("torchvision")
    if found is None or found.origin is None:
        raise VskdError(
            "torchvision is not installed", "Run: pip install vskd (it asks for the torchvision of your torch)"
        )
    if not _compiled_library_loads(Path(found.origin).parent):
        _define_missing_operators()
    return importlib.import_module("torchvision")
