"""Recordings of each kind, without any recipe: the synthetic world, skeletons, and shapes with a box around each."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.io import savemat

from vskd.datasets.catalog import get_dataset
from vskd.modalities.base import Inputs, Source
from vskd.modalities.catalog import AnySees, inputs_of
from vskd.schema import parse

MakeInputs = Callable[..., Any]
BOX = (4.0, 6.0, 40.0, 42.0)


def source_of(dataset: str, root: Path, cache: Path, **changes: Any) -> Source:
    """All recordings of a folder."""
    entry = get_dataset(dataset)
    index = entry.index(root)
    facts: dict[str, Any] = {
        "dataset": entry.name,
        "recordings": index.by_id(),
        "class_names": index.labels,
        "label_swap": entry.label_swap,
        "placement": entry.placement,
        "cache": cache,
    }
    return Source(**{**facts, **changes})


def boxed(source: Source) -> Source:
    """The same images, each with a box."""
    recordings = {
        i: replace(r, streams={name: replace(s, box=BOX) for name, s in r.streams.items()})
        for i, r in source.recordings.items()
    }
    return replace(source, recordings=recordings)


def inputs(source: Source, modality: str, stream: str, **settings: Any) -> Inputs:
    """Inputs from what a recipe says under `sees`."""
    return inputs_of(source, parse(AnySees, {"modality": modality, "streams": [stream], **settings}))


@pytest.fixture(scope="session")
def world(synthetic_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Source:
    """The synthetic world; its stores are shared by the tests of this folder."""
    return source_of("synthetic", synthetic_root, tmp_path_factory.mktemp("modalities"))


def write_bodies(root: Path, *, actions: int = 3, subjects: int = 4, trials: int = 2) -> None:
    """Skeleton files as UTD-MHAD has them, 20 joints x 3 x frames in metres: each action lifts other joints."""
    (root / "Skeleton").mkdir(parents=True)
    generator = np.random.default_rng(0)
    standing = generator.normal(0, 0.4, (20, 3, 1))
    for action, subject, trial in np.ndindex(actions, subjects, trials):
        frames = int(generator.integers(40, 60))
        joints = standing * (1 + 0.1 * subject) + generator.normal(0, 0.01, (20, 3, frames))
        joints[5 * action : 5 * action + 5, 1] += np.sin(np.linspace(0, np.pi, frames))
        joints[:, 2] += 2.5 + 0.2 * trial  # metres from the camera
        name = f"a{action + 1}_s{subject + 1}_t{trial + 1}_skeleton.mat"
        savemat(root / "Skeleton" / name, {"d_skel": joints}, do_compression=True)


@pytest.fixture(scope="session")
def bodies(tmp_path_factory: pytest.TempPathFactory) -> Source:
    """Skeletons of three actions by four people."""
    root = tmp_path_factory.mktemp("bodies")
    write_bodies(root / "data")
    return source_of("utd-mhad", root / "data", root / "cache")


@pytest.fixture(scope="session")
def shapes(shapes_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Source:
    """Images of shapes, each with a box."""
    return boxed(source_of("image-folder", shapes_root, tmp_path_factory.mktemp("shapes")))
