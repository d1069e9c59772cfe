"""The store of Gramian angular field images: recording id -> float32 (windows, channels, size, size).

Training encodes on the fly and needs no such store; it is for looking at the images and for using them elsewhere.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import h5py
import numpy as np
import numpy.typing as npt
import torch

from vskd.errors import DataError, MissingExtraError
from vskd.preprocessing.sensor.gaf import GramianAngularField, segment_bounds, segment_members
from vskd.preprocessing.stores.store import Plan, StoreReport, build_store
from vskd.preprocessing.stores.store_file import Store, settings_hash
from vskd.preprocessing.stores.window_store import WindowStore

Engine = Literal["torch", "pyts"]
FloatArray = npt.NDArray[np.float32]
Encode = Callable[[FloatArray], FloatArray]
"""float32 (windows, axes, samples) -> float32 (windows, channels, size, size)."""


@dataclass(frozen=True)
class GafSource:
    """One recording of a window store."""

    id: str
    path: Path


def build_gaf_store(
    windows: Path,
    out: Path,
    *,
    method: str = "gasf",
    scaling: str = "minmax",
    limit: float = 4.0,
    image_size: int = 64,
    engine: Engine = "torch",
) -> StoreReport:
    """Encode every window of a window store.

    Args:
        windows: the window store.
        out: the store to write; an interrupted one is completed.
        method, scaling, limit, image_size: see `GramianAngularField`.
        engine: `pyts` computes with the reference library (an optional extra, slow to import).

    Raises:
        CacheError: `windows` is no window store, or `out` holds something else.
        MissingExtraError: pyts is asked for and not installed.
        DataError: the windows are shorter than the image; WriteError: `out` cannot be written.
    """
    encode = _encoder(engine, method, scaling, limit, image_size)
    store = WindowStore(windows)
    segment_bounds(int(store.settings["length"]), image_size)  # one message, rather than one for each recording
    settings = {
        "method": method,
        "scaling": scaling,
        "limit": limit,
        "image_size": image_size,
        "engine": engine,
        "axes": list(store.axes),
        "windows": settings_hash(WindowStore.kind, store.settings),
    }
    sources = [GafSource(i, windows) for i in sorted(store.ids)]
    plan = Plan(out, GafStore.kind, settings, max_bad_fraction=0.0)
    return build_store(plan, sources, partial(_write, store=store, encode=encode), description="GAF images")


def _write(source: GafSource, file: h5py.File, *, store: WindowStore, encode: Encode) -> None:
    images = encode(store.windows(source.id))
    if not np.isfinite(images).all():
        raise DataError(f"{source.path}: recording {source.id} has images that are not finite", "Remove the recording")
    file.create_dataset("data", data=images, chunks=(1, *images.shape[1:]))


def _encoder(engine: Engine, method: str, scaling: str, limit: float, image_size: int) -> Encode:
    module = GramianAngularField(method, scaling, limit, image_size)  # checks the settings for both engines
    if engine == "pyts":
        return partial(encode_pyts, method=method, scaling=scaling, limit=limit, image_size=image_size)

    def encode(windows: FloatArray) -> FloatArray:
        with torch.inference_mode():
            images: FloatArray = module(torch.from_numpy(windows)).numpy()
            return images

    return encode


def encode_pyts(windows: FloatArray, *, method: str, scaling: str, limit: float, image_size: int) -> FloatArray:
    """The same encoding by the reference library, `pyts.image.GramianAngularField`.

    Args:
        windows: float32 (windows, axes, samples).
        method, scaling, limit, image_size: see `GramianAngularField`.

    Returns:
        float32 (windows, channels, image_size, image_size).

    Raises:
        MissingExtraError: pyts is not installed.
    """
    try:
        from pyts.image import GramianAngularField as Reference  # half a minute: numba compiles while it is imported
    except ImportError as error:
        raise MissingExtraError("pyts", "pyts") from error
    count, axes, samples = windows.shape
    members, counts = segment_members(samples, image_size)
    series: Any = windows.reshape(count * axes, samples).astype(np.float64) @ members / counts
    fixed = scaling == "fixed"
    if fixed:
        series = np.clip(series / limit, -1, 1)
    fields = []
    for part in method.split("+"):
        name = {"gasf": "summation", "gadf": "difference"}[part]
        reference = Reference(image_size=image_size, sample_range=None if fixed else (-1, 1), method=name)
        fields.append(reference.fit_transform(series).reshape(count, axes, image_size, image_size))
    return np.concatenate(fields, axis=1).astype(np.float32)


class GafStore(Store):
    """Reads images by recording id."""

    kind = "gaf"

    @property
    def channel_names(self) -> tuple[str, ...]:
        """E.g. `gasf x`, in the order of the channels."""
        parts = str(self.settings["method"]).split("+")
        return tuple(f"{part} {axis}" for part in parts for axis in self.settings["axes"])

    def images(self, recording: str) -> FloatArray:
        """float32 (windows, channels, size, size), in [-1, 1]."""
        return self.read(recording)
