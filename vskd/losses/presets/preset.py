"""What a preset is."""

from dataclasses import dataclass

from vskd.losses.term import TermSettings, Weighting


@dataclass(frozen=True)
class Preset:
    """A published system's distiller, as data.

    Attributes:
        terms: with their published weights, in the order in which they are built and summed.
        description: one line, for lists.
        weighting: whether the terms have learned weights too.
    """

    terms: tuple[TermSettings, ...]
    description: str
    weighting: Weighting = "fixed"
