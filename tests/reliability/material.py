"""One good file of every kind that the product reads, in one folder: what the fuzz campaign damages copies of."""

import shutil
from pathlib import Path

import h5py
import numpy as np
import torch
from PIL import Image
from scipy.io import savemat

from tests.conftest import TINY, TINY_STUDENT, write_shapes
from tests.preprocessing.video.clips import write_clip
from vskd.datasets.synthetic.write import write_world
from vskd.distillation.run import TRAINER
from vskd.export.evaluate import export_and_evaluate
from vskd.files import write_json, write_text
from vskd.models.catalog import NETWORKS, build_network
from vskd.preprocessing.stores.image_store import ImageSource, build_image_store
from vskd.recipe import load_recipe
from vskd.study.compare import compare
from vskd.study.controls import with_controls

RUN, TWIN = Path("comparison/runs/demo/seed0"), Path("comparison/runs/demo-no-kd/seed0")
BUNDLE = RUN / "bundle"
BEGUN = Path("begun")
"""A run that was interrupted."""
PROTOCOL = """\
name: mine
version: 1
dataset: synthetic
description: One person is tested.
split_by: subject
parts: {train: [1, 2, 3], test: [4]}
disjoint: subject
validation_unit: subject
"""


def make_material(root: Path) -> None:
    """Write everything below `root`; takes about half a minute, most of it two tiny trainings and an export."""
    make_files(root)
    recipe = load_recipe("demo", (*TINY, *TINY_STUDENT, f"dataset.path={(root / 'world').resolve()}"))
    compare(with_controls([recipe], ["none"]), [0], root / "comparison", after_run=_exported)
    add_to_comparison(root)


def _exported(run: Path) -> Path:
    """The bundle of the student that was distilled; the run itself of its twin."""
    return export_and_evaluate(run) if run.parent.name == "demo" else run


def add_to_comparison(root: Path) -> None:
    """What belongs beside the comparison in `root`."""
    majority = {"accuracy": 0.5, "macro_f1": 0.25}
    audit = {"dataset": "synthetic", "folds": [{"protocol": "cross-subject"}], "pooled": {"majority": majority}}
    write_json(root / "comparison/audit.json", audit)
    shutil.copyfile(root / RUN / "recipe.yaml", root / "mine.yaml")
    (cache,) = (root / "comparison/cache").glob("teacher-*.h5")
    with h5py.File(cache) as file:
        key = {name: file.attrs[name] for name in ("teacher_hash", "inputs_hash")}
    write_json(root / "teacher_key.json", {k: v.decode() if isinstance(v, bytes) else v for k, v in key.items()})


def make_files(root: Path) -> None:
    """What needs no training."""
    root.mkdir(parents=True, exist_ok=True)
    generator = np.random.default_rng(0)
    write_world(root / "world", subjects=4, actions=3, trials=2, seed=0)
    samples = generator.normal([0.0, 0.0, 1.0], 0.1, (100, 3))
    np.save(root / "sensor.npy", samples)
    savemat(root / "packed.mat", {"d_iner": samples}, do_compression=True)
    savemat(root / "depth.mat", {"d_depth": generator.integers(800, 3000, (24, 32, 5)).astype(np.uint16)})
    savemat(root / "joints.mat", {"d_skel": generator.normal(size=(20, 3, 12))})
    rows = [f"{k / 50:.2f},{x:.4f},{y:.4f},{z:.4f}" for k, (x, y, z) in enumerate(samples)]
    write_text(root / "sensor.csv", "\n".join(["x,y,z", *(row.partition(",")[2] for row in rows)]) + "\n")
    write_text(root / "recording.csv", "\n".join(["time (s),x (g),y (g),z (g)", *rows]) + "\n")
    picture = Image.fromarray(generator.integers(0, 255, (40, 50, 3)).astype(np.uint8))
    picture.save(root / "picture.png")
    picture.save(root / "picture.jpg", exif=_turned())
    for ending in (".mp4", ".avi", ".mkv", ".webm"):
        write_clip(root / f"clip{ending}", 8)
    write_shapes(root / "shapes", drivers=2, each=1)
    sources = [ImageSource(p.stem + p.parent.name, p, None) for p in sorted((root / "shapes").rglob("*.png"))]
    build_image_store(sources, root / "images.h5", size=16, margin=0.0, crop="full", grey=True)
    write_text(root / "protocol.yaml", PROTOCOL)
    write_text(root / "extends.yaml", "extends: demo\nname: mine\nstudent: {training: {epochs: 3}}\n")
    write_text(root / "stream.yaml", "device: {unit_factor: 2.0}\ndecision: {smoothing: majority, votes: 3}\n")
    write_text(root / "ids.csv", "id\na1_s1_t1\na2_s2_t2\n")
    write_json(root / "headline.json", ["comparison"])
    network = build_network(NETWORKS["cnn1d"].settings(), shape=(3, 32), classes=3)
    torch.save({"state_dict": network.state_dict()}, root / "public.pth")
    state = root / BEGUN / TRAINER
    state.parent.mkdir(parents=True)
    torch.save({"epoch": 1, "loops": {}, "state_dict": network.state_dict()}, state)


def _turned() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return exif.tobytes()


def copy_material(root: Path, to: Path) -> None:
    """A copy that may be broken. Files are linked: replace them, never change them in place."""
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(root, to, copy_function=lambda source, target: Path(target).hardlink_to(source))
