"""What a data set says of itself, for people and for recipes; it stands at the end of each data set's file."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vskd.datasets.recording import Index

Settings = Mapping[str, Any]


@dataclass(frozen=True)
class DatasetEntry:
    """What a newcomer has to know of a data set.

    Attributes:
        name: as on the command line; title, description: for people.
        index: lists the recordings of a folder; decodes nothing.
        labels: class names in order of class number; empty where a folder's own names are the classes.
        streams: names of the streams that its recordings may have.
        protocols: names of its protocols, the usual one first.
        url, licence, citation, obtain: where it is published, on which terms, what to cite, how to get it.
        placement: where the sensor is worn, or the camera is mounted.
        system: the shipped recipe for it, where only the data set is named.
        defaults: modality -> what `sees` of a recipe should say here, unless it says otherwise.
        recipes: shipped recipe -> what it should say here beside that, in a recipe's shape; also for
            the recipes that extend it. Elements of lists go by number or name.
        fold: the usual fold of the usual protocol; None where that has no folds.
        refused: published protocols that cannot be offered -> why, in a sentence.
        label_swap: the class that a mirrored clip or image belongs to, where it changes; None where it must not be
            mirrored.
    """

    name: str
    title: str
    description: str
    index: Callable[[Path], Index]
    labels: tuple[str, ...]
    streams: tuple[str, ...]
    protocols: tuple[str, ...]
    url: str
    licence: str
    citation: str
    obtain: str
    placement: str
    system: str
    defaults: Mapping[str, Settings]
    recipes: Mapping[str, Settings] = field(default_factory=dict)
    fold: str | None = None
    label_swap: Mapping[str, str] | None = None
    refused: Mapping[str, str] = field(default_factory=dict)
