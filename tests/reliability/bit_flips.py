"""One flipped bit in a file that is loaded later: it is noticed, or changes nothing; never is it used in silence.

python -m tests.reliability.bit_flips --flips 300
"""

import argparse
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.io import savemat

from tests.conftest import write_shapes
from tests.reliability.children import in_child
from vskd.datasets.synthetic.dataset import index
from vskd.datasets.synthetic.write import write_world
from vskd.distillation.teacher.cache import TeacherCache, TeacherKey, write_teacher_cache
from vskd.errors import VskdError
from vskd.modalities.base import Batch
from vskd.network import Outputs
from vskd.preprocessing.stores.frame_store import FrameSource, FrameStore, build_frame_store
from vskd.preprocessing.stores.gaf_store import GafStore, build_gaf_store
from vskd.preprocessing.stores.image_store import ImageSource, ImageStore, build_image_store
from vskd.preprocessing.stores.joint_store import JointSource, JointStore, build_joint_store
from vskd.preprocessing.stores.store_file import Store
from vskd.preprocessing.stores.window_store import WindowSource, WindowStore, build_window_store

KEY = TeacherKey("a" * 64, "b" * 64)
Read = Callable[[Path], Any]


class Answers(torch.nn.Module):
    """A teacher that says something else of every recording."""

    def forward(self, x: torch.Tensor) -> Outputs:
        return Outputs(x[:, :3], x, {"deep.layer": x.reshape(len(x), 2, 4)})


class TwoBatches:
    """Eight recordings of eight numbers."""

    samples = 8

    def __len__(self) -> int:
        return 2

    def __iter__(self):  # type: ignore[no-untyped-def]
        inputs = torch.randn(8, 8, generator=torch.Generator().manual_seed(0))
        for rows in (torch.arange(5), torch.arange(5, 8)):
            yield Batch(tuple(f"a{i}_s1_t1" for i in rows), inputs[rows], rows % 3, rows)


def make_files(root: Path) -> dict[str, tuple[Path, Read]]:
    """A small file of each kind, and how it is read: everything that is used of it."""
    root.mkdir(parents=True)
    write_world(root / "world", subjects=2, actions=2, trials=1)
    recordings = index(root / "world").by_id()
    accel = {i: r.stream("accelerometer") for i, r in recordings.items()}
    windows = [WindowSource(i, s.path, s.variable, s.columns, s.axes, s.rate_hz, s.unit) for i, s in accel.items()]
    build_window_store(windows, root / "windows.h5", mode="sliding", length=32)
    build_gaf_store(root / "windows.h5", root / "gaf.h5", image_size=8)
    videos = {i: r.stream("rgb") for i, r in recordings.items()}
    clips = [FrameSource(i, s.path, s.variable, s.rate_hz) for i, s in videos.items()]
    build_frame_store(clips, root / "frames.h5", size=16)
    write_shapes(root / "shapes", drivers=2, each=1)
    pictures = [ImageSource(p.stem + p.parent.name, p, None) for p in sorted((root / "shapes").rglob("*.png"))]
    build_image_store(pictures, root / "images.h5", size=16, margin=0.0, crop="full", grey=True)
    savemat(root / "joints.mat", {"d_skel": np.random.default_rng(0).normal(size=(20, 3, 12))})
    build_joint_store([JointSource(i, root / "joints.mat", "d_skel") for i in "ab"], root / "joints.h5", length=16)
    write_teacher_cache(root / "teacher.h5", Answers(), TwoBatches(), KEY)  # type: ignore[arg-type]
    return {
        "windows": (root / "windows.h5", lambda p: _store(WindowStore(p), ("rate_hz", "num_samples", "largest"))),
        "gaf": (root / "gaf.h5", lambda p: _store(GafStore(p))),
        "frames": (root / "frames.h5", _frames),
        "images": (root / "images.h5", lambda p: _hashable(ImageStore(p).images(sorted(ImageStore(p).ids)))),
        "joints": (root / "joints.h5", lambda p: _store(JointStore(p))),
        "teacher": (root / "teacher.h5", _teacher),
    }


def _hashable(array: Any) -> tuple[Any, ...]:
    array = np.asarray(array)
    return str(array.dtype), array.shape, array.tobytes()


def _store(store: Store, facts: tuple[str, ...] = ()) -> Any:
    rows = [
        (i, _hashable(store.read(i)), [np.asarray(store.fact(i, fact)).tolist() for fact in facts])
        for i in sorted(store.ids)
    ]
    return rows, dict(store.problems), store.settings


def _frames(path: Path) -> Any:
    store = FrameStore(path)
    found = []
    for i in sorted(store.ids):
        count = store.num_frames(i)
        found.append((i, count, store.rate_hz(i), _hashable(store.frames(i, np.arange(count)[::-1]))))
    return found, store.settings


def _teacher(path: Path) -> Any:
    cache = TeacherCache(path, KEY)
    outputs, ids, labels = cache.outputs(sorted(cache.ids))
    layers = {name: _hashable(outputs.layer(name).numpy()) for name in cache.shapes}
    return ids, labels.tolist(), layers, dict(cache.shapes)


def flipped(content: bytes, place: int) -> bytes:
    """The content with one bit, counted over the file, the other way round."""
    damaged = bytearray(content)
    damaged[place // 8] ^= 1 << place % 8
    return bytes(damaged)


def outcome(path: Path, read: Read, good: Any) -> str:
    """`same`, `refused`, `silent` (read, and otherwise than it was), or what went wrong inside."""

    def work() -> str:
        try:
            return "same" if read(path) == good else "silent"
        except VskdError as error:
            return "refused" if path.name in str(error) else f"refused without its name: {error}"
        except Exception as error:  # noqa: BLE001 - to be counted
            return f"internal: {type(error).__name__}: {error}"

    ended = in_child(work, timeout_s=20)
    return ended.answer or f"crash: {ended.code}"


def main(flips: int, seconds: float, seed: int) -> Mapping[str, Counter[str]]:
    """Flip bits of each kind of file, one at a time.

    Args:
        flips: of each kind.
        seconds: no flip begins later.
        seed: of the places.

    Returns:
        Kind -> outcome -> how often.
    """
    random, end = np.random.default_rng(seed), time.monotonic() + seconds
    found: dict[str, Counter[str]] = {}
    with tempfile.TemporaryDirectory() as folder:
        files = make_files(Path(folder) / "files")
        for kind, (path, read) in files.items():
            content, good = path.read_bytes(), read(path)
            copy = Path(folder) / "damaged" / path.name
            copy.parent.mkdir(exist_ok=True)
            found[kind] = Counter()
            for place in random.integers(0, 8 * len(content), flips):
                if time.monotonic() > end:
                    break
                copy.write_bytes(flipped(content, int(place)))
                found[kind][outcome(copy, read, good)] += 1
        shutil.rmtree(folder, ignore_errors=True)
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--flips", type=int, default=300)
    parser.add_argument("--seconds", type=float, default=1800.0)
    parser.add_argument("--seed", type=int, default=0)
    for kind, counts in main(**vars(parser.parse_args())).items():
        print(kind, dict(counts))
