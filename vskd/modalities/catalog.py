"""Which modalities there are. To add one: write its file beside this one, add one line and a mirrored test."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vskd.bundle.contract import Contract
from vskd.errors import SettingError, lookup
from vskd.modalities.base import Inputs, Sees, Source
from vskd.modalities.clip import ClipInputs, ClipSees
from vskd.modalities.frames import FramesInputs, FramesSees
from vskd.modalities.image import ImageInputs, ImageSees
from vskd.modalities.skeleton import SkeletonInputs, SkeletonSees
from vskd.modalities.window import WindowInputs, WindowSees
from vskd.schema import choice


@dataclass(frozen=True)
class ModalityEntry:
    """One modality.

    Attributes:
        settings: what a recipe says of it.
        inputs: what the engine trains with.
        description: one line, for people.
    """

    settings: type[Sees]
    inputs: type[Inputs]
    description: str

    def asks(self, contract: Contract) -> dict[str, Any] | None:
        """See `Inputs.asks`."""
        return self.inputs.asks(contract)


MODALITIES: Mapping[str, ModalityEntry] = {
    "window": ModalityEntry(WindowSees, WindowInputs, "windows of a sensor stream, as they are or encoded as images"),
    "frames": ModalityEntry(FramesSees, FramesInputs, "a few frames of a video stream, one of each segment"),
    "clip": ModalityEntry(ClipSees, ClipInputs, "clips of a video stream, a block of frames for 3-D convolutions"),
    "skeleton": ModalityEntry(SkeletonSees, SkeletonInputs, "trajectories of the joints of a skeleton stream"),
    "image": ModalityEntry(ImageSees, ImageInputs, "images of a camera, whole or cut out around a box"),
}

if TYPE_CHECKING:
    AnySees = Sees
else:
    AnySees = choice("modality", [entry.settings for entry in MODALITIES.values()])


def inputs_of(source: Source, sees: Sees) -> Inputs:
    """What a network that `sees` this is trained with.

    Raises:
        SettingError: there is no such modality.
    """
    return lookup(MODALITIES, sees.modality, "modality").inputs(source, sees)


def asked_by(contract: Contract) -> dict[str, Any]:
    """The content of `sees` that feeds a bundle from a data set.

    Raises:
        SettingError: no modality reads what the contract asks for.
    """
    for entry in MODALITIES.values():
        content = entry.asks(contract)
        if content is not None:
            return content
    raise SettingError(f"No modality feeds a bundle of {contract.kind}", "Evaluate it with the vskd that made it")
