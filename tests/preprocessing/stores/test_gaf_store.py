"""The GAF store: its values against trigonometry, its identity, its errors."""

import math
import sys
import types
from pathlib import Path

import h5py
import numpy as np
import pytest

from vskd.errors import CacheError, DataError, MissingExtraError, SettingError
from vskd.preprocessing.stores import gaf_store
from vskd.preprocessing.stores.gaf_store import GafStore, build_gaf_store, encode_pyts
from vskd.preprocessing.stores.store_file import read_manifest
from vskd.preprocessing.stores.window_store import WindowSource, WindowStore, build_window_store


@pytest.fixture
def windows(tmp_path: Path) -> Path:
    """Three recordings of 3 axes, one window of 16 samples each."""
    rng = np.random.default_rng(0)
    sources = []
    for name in ("r1", "r2", "r3"):
        file = tmp_path / f"{name}.npy"
        np.save(file, rng.normal(size=(40, 3)).astype(np.float32))
        sources.append(WindowSource(name, file, "", (), ("x", "y", "z"), 50.0))
    build_window_store(sources, tmp_path / "windows.h5", mode="whole", length=16)
    return tmp_path / "windows.h5"


def naive_fields(series: np.ndarray, scaling: str, limit: float) -> tuple[np.ndarray, np.ndarray]:
    """The definition, with arccos, one pixel at a time."""
    low, high = series.min(), series.max()
    scaled = 2 * (series - low) / (high - low) - 1 if scaling == "minmax" else np.clip(series / limit, -1, 1)
    angles = [math.acos(min(1.0, max(-1.0, v))) for v in scaled]
    gasf = [[math.cos(a + b) for b in angles] for a in angles]
    gadf = [[math.sin(a - b) for b in angles] for a in angles]
    return np.array(gasf), np.array(gadf)


@pytest.mark.parametrize("scaling", ["minmax", "fixed"])
def test_values_are_those_of_the_definition(windows: Path, tmp_path: Path, scaling: str) -> None:
    out = tmp_path / "gaf.h5"
    report = build_gaf_store(windows, out, method="gasf+gadf", scaling=scaling, limit=2.0, image_size=16)
    assert (report.stored, report.failures, report.reused) == (3, (), False)
    store, raw = GafStore(out), WindowStore(windows)
    assert store.ids == raw.ids
    assert store.channel_names == ("gasf x", "gasf y", "gasf z", "gadf x", "gadf y", "gadf z")
    for recording in store.ids:
        images = store.images(recording)
        assert images.shape == (1, 6, 16, 16)
        assert images.dtype == np.float32
        for axis, series in enumerate(raw.windows(recording)[0].astype(np.float64)):
            gasf, gadf = naive_fields(series, scaling, 2.0)
            np.testing.assert_allclose(images[0, axis], gasf, atol=1e-6)
            np.testing.assert_allclose(images[0, 3 + axis], gadf, atol=1e-6)


def test_the_same_call_reuses_and_other_settings_are_refused(windows: Path, tmp_path: Path) -> None:
    out = tmp_path / "gaf.h5"
    build_gaf_store(windows, out, image_size=8)
    before = out.read_bytes()
    assert build_gaf_store(windows, out, image_size=8).reused
    with pytest.raises(CacheError, match=r"gaf\.h5"):
        build_gaf_store(windows, out, image_size=16)
    assert out.read_bytes() == before


def test_other_windows_of_the_same_size_are_another_store(windows: Path, tmp_path: Path) -> None:
    """The identity follows the windows' own identity, not the length of their file."""
    out = tmp_path / "gaf.h5"
    build_gaf_store(windows, out, image_size=8)
    other = tmp_path / "other.h5"
    sources = [WindowSource(i, tmp_path / f"{i}.npy", "", (), ("x", "y", "z"), 50.0) for i in ("r1", "r2", "r3")]
    build_window_store(sources, other, mode="sliding", length=16, stride=40)
    with pytest.raises(CacheError):
        build_gaf_store(other, out, image_size=8)


def test_bad_settings_and_bad_input_write_nothing(windows: Path, tmp_path: Path) -> None:
    out = tmp_path / "gaf.h5"
    with pytest.raises(SettingError, match=r"encoding\.method"):
        build_gaf_store(windows, out, method="gosf")
    with pytest.raises(CacheError, match=r"nowhere\.h5"):
        build_gaf_store(tmp_path / "nowhere.h5", out)
    assert not out.exists()


def test_pyts_absent_is_told_with_the_extra(windows: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyts", None)
    monkeypatch.setitem(sys.modules, "pyts.image", None)
    with pytest.raises(MissingExtraError, match=r"vskd\[pyts\]"):
        encode_pyts(np.zeros((1, 3, 16), np.float32), method="gasf", scaling="minmax", limit=4.0, image_size=16)


@pytest.mark.parametrize("scaling", ["minmax", "fixed"])
def test_the_pyts_engine_gives_the_same_images(
    windows: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scaling: str
) -> None:
    """With a stand-in that has the interface of pyts 0.14 and computes by trigonometry; pyts compiles for long."""

    class Reference:
        def __init__(self, image_size: int, sample_range: tuple[int, int] | None, method: str) -> None:
            self.size, self.range, self.method = image_size, sample_range, method

        def fit_transform(self, series: np.ndarray) -> np.ndarray:
            assert series.shape[1] == self.size
            if self.range is None:
                assert np.abs(series).max() <= 1  # as pyts asks
            fields = [naive_fields(s, "minmax" if self.range else "fixed", 1.0) for s in series]
            return np.array([f[0 if self.method == "summation" else 1] for f in fields])

    image = types.ModuleType("pyts.image")
    image.GramianAngularField = Reference  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pyts", types.ModuleType("pyts"))
    monkeypatch.setitem(sys.modules, "pyts.image", image)
    settings = {"method": "gasf+gadf", "scaling": scaling, "limit": 0.5, "image_size": 8}
    build_gaf_store(windows, tmp_path / "a.h5", **settings)
    build_gaf_store(windows, tmp_path / "b.h5", engine="pyts", **settings)
    ours, theirs = GafStore(tmp_path / "a.h5"), GafStore(tmp_path / "b.h5")
    for recording in ours.ids:
        np.testing.assert_allclose(ours.images(recording), theirs.images(recording), atol=1e-6)


def test_what_is_made_where_nothing_is_said(windows: Path, tmp_path: Path) -> None:
    build_gaf_store(windows, tmp_path / "gaf.h5", image_size=8)
    settings = GafStore(tmp_path / "gaf.h5").settings
    assert {name: settings[name] for name in ("method", "scaling", "limit", "engine", "axes")} == {
        "method": "gasf", "scaling": "minmax", "limit": 4.0, "engine": "torch", "axes": ["x", "y", "z"],
    }  # fmt: skip
    with pytest.raises(DataError, match=r"^A window of 16 samples cannot become an image of size 64"):
        build_gaf_store(windows, tmp_path / "large.h5")


def test_images_that_are_not_finite_are_no_images(
    windows: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gaf_store, "_encoder", lambda *_: lambda w: np.full((len(w), 3, 8, 8), np.nan, np.float32))
    with pytest.raises(DataError, match=r"3 of 3 .*recording r1 has images that are not finite"):
        build_gaf_store(windows, tmp_path / "gaf.h5", image_size=8)


def test_recordings_are_stored_in_their_order(tmp_path: Path) -> None:
    names = [f"r{n}" for n in (7, 3, 1, 5, 2, 6, 4)]
    np.save(tmp_path / "a.npy", np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32))
    sources = [WindowSource(name, tmp_path / "a.npy", "", (), ("x", "y", "z"), 50.0) for name in names]
    build_window_store(sources, tmp_path / "w.h5", mode="sliding", length=16, stride=8)
    build_gaf_store(tmp_path / "w.h5", tmp_path / "gaf.h5", image_size=8)
    with h5py.File(tmp_path / "gaf.h5") as file:
        assert list(read_manifest(file)) == sorted(names)
        assert file["recordings"]["r1"].chunks == (1, 3, 8, 8) and file["recordings"]["r1"].shape[0] == 4
