"""Signals in a temporary file, so that many can be looked at again without decoding or holding them."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from vskd.preprocessing.sensor.signals import Signal


class _Place(NamedTuple):
    offset: int
    shape: tuple[int, ...]


class SignalsFile(Mapping[str, Signal]):
    """Signals by id, one behind the other in a file; each is read when it is taken.

    Args:
        path: file to write; it must not hold anything that is wanted.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._places: dict[str, _Place] = {}
        path.write_bytes(b"")

    def add(self, name: str, signal: Signal) -> None:
        """Append a signal, float32 (channels, samples)."""
        with self.path.open("ab") as file:
            self._places[name] = _Place(file.tell(), signal.shape)
            np.ascontiguousarray(signal, dtype=np.float32).tofile(file)

    def __getitem__(self, name: str) -> Signal:
        place = self._places[name]
        values = np.fromfile(self.path, np.float32, int(np.prod(place.shape)), offset=place.offset)
        return values.reshape(place.shape)

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)
