"""The catalog of encodings: how a window becomes a network's input."""

from collections.abc import Callable

from vskd.errors import RecipeError
from vskd.preprocessing.sensor.gaf import GramianAngularField
from vskd.preprocessing.sensor.raw import RawWindow

Encoding = GramianAngularField | RawWindow
"""Beside nn.Module's own, every encoding module offers `kind` (`image` or `series`) and `out_channels(in_channels)`."""

EncodingFactory = Callable[[str, float, int], Encoding]
"""(scaling, limit, image_size) -> module."""

ENCODINGS: dict[str, EncodingFactory] = {
    "raw": lambda scaling, limit, image_size: RawWindow(scaling, limit),
    "gasf": lambda scaling, limit, image_size: GramianAngularField("gasf", scaling, limit, image_size),
    "gadf": lambda scaling, limit, image_size: GramianAngularField("gadf", scaling, limit, image_size),
    "gasf+gadf": lambda scaling, limit, image_size: GramianAngularField("gasf+gadf", scaling, limit, image_size),
}


def build_encoding(method: str, scaling: str, limit: float, image_size: int) -> Encoding:
    """The encoding called `method`; see its class for the arguments.

    Raises:
        RecipeError: unknown method or scaling.
    """
    if method not in ENCODINGS:
        raise RecipeError(f"encoding.method is '{method}'", f"Choose one of: {', '.join(ENCODINGS)}")
    return ENCODINGS[method](scaling, limit, image_size)
