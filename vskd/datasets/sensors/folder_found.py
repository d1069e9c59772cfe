"""A recording that a sensor folder's names, table or columns tell of, before it is looked at."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from vskd.datasets.splits.split import UNKNOWN
from vskd.preprocessing.folders import composed
from vskd.preprocessing.sensor.reading import Reading

FILE = "dataset.yaml"
"""Describes a sensor folder; see `vskd.datasets.sensors.folder_description`."""
OWN = ("subject", "label", "trial")


@dataclass(frozen=True)
class Found:
    """A recording that a pattern, a table or a label column names.

    Attributes:
        values: what is known of it: subject, label, trial and factors.
        files: by stream.
        reading: which part of the files it is.
        number: among the recordings of its file; empty of a whole file.
        spans: of a recording that shows several classes one after the other: start and end in seconds since its first
            sample, and the label; None of one that shows one class, which `values` name.
    """

    values: Mapping[str, str]
    files: Mapping[str, Path]
    reading: Reading = field(default_factory=Reading)
    number: str = ""
    spans: tuple[tuple[float, float, str], ...] | None = None

    @property
    def labels(self) -> frozenset[str]:
        """The labels that it shows, without the null class."""
        return frozenset(s[2] for s in self.spans) if self.spans is not None else frozenset({self.values["label"]})

    @property
    def id(self) -> str:
        """Its name."""
        trial = f"t{self.values['trial']}" if "trial" in self.values else ""
        factors = [f"{name}-{value}" for name, value in sorted(self.values.items()) if name not in OWN]
        parts = [f"s{self.values.get('subject', UNKNOWN)}", self.values.get("label", ""), trial, *factors, self.number]
        return "_".join(part.replace("/", "-").replace(" ", "-") for part in parts if part)


def plain_value(name: str, value: str) -> str:
    """A word of a file name or table: numbers of subjects, trials and factors lose leading zeros; labels stay."""
    value = composed(value.strip())
    return str(int(value)) if name != "label" and value.isdecimal() else value
