"""The catalog of encodings: how a window becomes a network's input, with the settings of each.

To add one: its module in a file beside this one, its settings (an `EncodingSettings`) and a line in `ENCODINGS` here.
"""

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from vskd.errors import lookup
from vskd.preprocessing.sensor.gaf import METHODS, GramianAngularField, Scaling
from vskd.preprocessing.sensor.mtf import MarkovTransitionField
from vskd.preprocessing.sensor.raw import RawWindow
from vskd.schema import OnlyWhere, Positive, Strict, choice, named, only_where

Encoding = GramianAngularField | MarkovTransitionField | RawWindow
"""Beside nn.Module's own, every encoding module offers `kind` (`image` or `series`) and `out_channels(in_channels)`."""

DEFAULT_LIMIT = 4.0
DEFAULT_IMAGE_SIZE = 64


class EncodingSettings(Strict):
    """Settings of an encoding.

    Attributes:
        method: which one.
        scaling: `fixed` by `limit`, or `minmax` of each axis of each window.
        limit: range of fixed scaling, in the stream's unit; None with `minmax`.
    """

    conditional: ClassVar[Mapping[str, OnlyWhere]] = {"limit": only_where("scaling", "fixed", default=DEFAULT_LIMIT)}
    method: str
    scaling: Scaling = "fixed"
    limit: Positive | None = None

    @abstractmethod
    def build(self) -> Encoding:
        """The module.

        Raises:
            SettingError: it refuses a setting; only where the settings were not validated.
        """

    def stated(self) -> dict[str, Any]:
        """Method, scaling, limit and image size as a bundle states them: those without an effect at their default."""
        return {"limit": DEFAULT_LIMIT, "image_size": DEFAULT_IMAGE_SIZE} | self.model_dump(exclude_none=True)


class RawSettings(EncodingSettings):
    """The window itself, scaled."""

    method: Literal["raw"] = "raw"

    def build(self) -> RawWindow:
        """See `RawWindow`."""
        return RawWindow(self.scaling, _or_default(self.limit))


ImageSize = Annotated[int, Field(ge=4, le=1024)]


class GafSettings(EncodingSettings):
    """Gramian angular fields; `image_size` is the edge of an image in pixels."""

    image_size: ImageSize = DEFAULT_IMAGE_SIZE

    def build(self) -> GramianAngularField:
        """See `GramianAngularField`."""
        return GramianAngularField(self.method, self.scaling, _or_default(self.limit), self.image_size)


class MtfSettings(EncodingSettings):
    """Markov transition fields; `image_size` is the edge of an image in pixels."""

    method: Literal["mtf"] = "mtf"
    image_size: ImageSize = DEFAULT_IMAGE_SIZE

    def build(self) -> MarkovTransitionField:
        """See `MarkovTransitionField`."""
        return MarkovTransitionField(self.scaling, _or_default(self.limit), self.image_size)


def _or_default(limit: float | None) -> float:
    """The modules want a number, even where they do not use it."""
    return DEFAULT_LIMIT if limit is None else limit


ENCODINGS: Mapping[str, type[EncodingSettings]] = {
    "raw": RawSettings,
    **{method: named(GafSettings, "method", method) for method in METHODS},
    "mtf": MtfSettings,
}

if TYPE_CHECKING:
    AnyEncoding = EncodingSettings
else:
    AnyEncoding = choice("method", ENCODINGS.values())


def effective(method: str, scaling: str, limit: float, image_size: int) -> dict[str, Any]:
    """The content of an encoding's settings, without what has no effect there; undoes `EncodingSettings.stated`.

    Raises:
        SettingError: there is no such method.
    """
    fields = lookup(ENCODINGS, method, "encoding").model_fields
    content: dict[str, Any] = {"method": method, "scaling": scaling}
    content |= {"limit": limit} if scaling == "fixed" else {}
    return content | ({"image_size": image_size} if "image_size" in fields else {})


def build_encoding(method: str, scaling: str, limit: float, image_size: int) -> Encoding:
    """The encoding called `method`; see its class for the arguments. What it does not use is left out.

    Raises:
        SettingError: unknown method or scaling, or a limit or size that is not positive.
    """
    content = effective(method, scaling, limit, image_size)
    return ENCODINGS[method].model_construct(**content).build()  # the module checks its own arguments
