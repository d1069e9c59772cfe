"""Does memory grow with the data set? Peak resident memory of each step at 1x and at 10x recordings.

    python benchmarks/memory.py

A few synthetic recordings are written once and copied under new ids, in the layout of UTD-MHAD: 64 recordings, and 640.
Each step then runs in a process of its own, which reports the most memory it ever held (ru_maxrss). `data` is what the
step reads, from the disk: memory that streams must not follow it.
"""

import argparse
import itertools
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

STEPS = ("index", "windows", "gaf", "frames", "cache", "evaluate")
GROWTH_ALLOWED = 1.1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recordings", type=int, default=64, help="recordings at 1x (at most 86)")
    parser.add_argument("--folder", type=Path, help="where to work; a temporary folder by default")
    parser.add_argument("--step", choices=STEPS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.step:
        run_step(options.step, options.folder)
        peak_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        print(peak_kib / 1024)
        return
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        compare(Path(folder), options.recordings)


def compare(folder: Path, recordings: int) -> None:
    from vskd.datasets.synthetic.write import write_world

    write_world(folder / "seed", subjects=2, actions=4, trials=1, seed=0)
    worlds = [copy_world(folder / "seed", folder / f"x{times}", times * recordings) for times in (1, 10)]
    print(f"{'step':10}{'data 1x':>10}{'data 10x':>10}{'peak 1x':>10}{'peak 10x':>10}{'ratio':>8}   (MiB)")
    for step in STEPS:
        peaks = [measure(step, world) for world in worlds]
        data = [input_mib(step, world) for world in worlds]
        ratio = peaks[1] / peaks[0]
        verdict = "flat" if ratio <= GROWTH_ALLOWED else "GROWS"
        figures = "".join(f"{value:10.1f}" for value in (*data, *peaks))
        print(f"{step:10}{figures}{ratio:8.2f}   {verdict}", flush=True)


def copy_world(seed: Path, target: Path, count: int) -> Path:
    """Copies of the recordings in `seed` under `count` ids of UTD-MHAD."""
    inertial, video = sorted((seed / "Inertial").iterdir()), sorted((seed / "RGB").iterdir())
    grid = itertools.product(range(1, 28), range(1, 9), range(1, 5))
    (target / "Inertial").mkdir(parents=True)
    (target / "RGB").mkdir()
    for number, (action, subject, trial) in enumerate(itertools.islice(grid, count)):
        name = f"a{action}_s{subject}_t{trial}"
        shutil.copyfile(inertial[number % len(inertial)], target / "Inertial" / f"{name}_inertial.mat")
        shutil.copyfile(video[number % len(video)], target / "RGB" / f"{name}_color.mp4")
    return target


def measure(step: str, world: Path) -> float:
    """Peak memory of one step in MiB."""
    words = [sys.executable, __file__, "--step", step, "--folder", str(world)]
    return float(subprocess.run(words, stdout=subprocess.PIPE, encoding="utf-8", check=True).stdout.splitlines()[-1])


def input_mib(step: str, world: Path) -> float:
    """Size of what a step reads."""
    inputs = {
        "index": ["Inertial", "RGB"],
        "windows": ["Inertial"],
        "frames": ["RGB"],
        "gaf": ["windows.h5"],
        "cache": ["frames.h5"],
        "evaluate": ["windows.h5"],
    }
    paths = [world / name for name in inputs[step]]
    files = itertools.chain.from_iterable(path.iterdir() if path.is_dir() else [path] for path in paths)
    return sum(file.stat().st_size for file in files) / 2**20


def run_step(step: str, world: Path) -> None:
    """One step, as the program does it."""
    from vskd.datasets.sensors.utd_mhad import index

    if step == "index":
        assert len(index(world)) > 0
    elif step in ("windows", "gaf", "frames"):
        build(step, world)
    else:
        read(step, world)


def build(step: str, world: Path) -> None:
    """Preprocess the world into a store."""
    from vskd.datasets.sensors.utd_mhad import index
    from vskd.preprocessing.stores.frame_store import FrameSource, build_frame_store
    from vskd.preprocessing.stores.gaf_store import build_gaf_store
    from vskd.preprocessing.stores.window_store import WindowSource, build_window_store

    if step == "gaf":
        build_gaf_store(world / "windows.h5", world / "gaf.h5", image_size=128)
        return
    name = "accelerometer" if step == "windows" else "rgb"
    streams = {recording.id: recording.stream(name) for recording in index(world)}
    if step == "windows":
        sensors = [WindowSource(i, s.path, s.variable, s.columns, s.axes, s.rate_hz) for i, s in streams.items()]
        build_window_store(sensors, world / "windows.h5", mode="whole", length=128)
    else:
        videos = [FrameSource(i, s.path, s.variable, s.rate_hz) for i, s in streams.items()]
        build_frame_store(videos, world / "frames.h5", size=112)


def read(step: str, world: Path) -> None:
    """Cache what a teacher says of every clip, or evaluate a student on every window; both networks are tiny."""
    import torch
    from torch import nn

    from vskd.distillation.teacher.cache import TeacherKey, write_teacher_cache
    from vskd.modalities.frames import ClipBatches
    from vskd.modalities.window import WindowBatches
    from vskd.network import Outputs
    from vskd.preprocessing.sensor.encodings import build_encoding
    from vskd.preprocessing.stores.frame_store import FrameStore
    from vskd.preprocessing.stores.window_store import WindowStore

    class Tiny(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embed, self.classify = nn.LazyLinear(300), nn.Linear(300, 27)

        def forward(self, inputs: torch.Tensor) -> Outputs:
            embedding = self.embed(inputs.mean(dim=-1).flatten(1))
            return Outputs(self.classify(embedding), embedding)

    network = Tiny()
    if step == "cache":
        frames = FrameStore(world / "frames.h5")
        ids = sorted(frames.ids)
        # small batches: memory settles after some twenty of them, whatever the data, and 1x must get there too
        clips = ClipBatches(frames, ids, [0] * len(ids), batch_size=2, segments=8)
        network(next(iter(clips)).inputs)  # gives the lazy layer its size
        write_teacher_cache(world / "teacher.h5", network, clips, TeacherKey("teacher", "frames"))
        return
    windows = WindowStore(world / "windows.h5")
    ids = sorted(windows.ids)
    encoding = build_encoding("gasf+gadf", "fixed", 4.0, 64)
    with torch.inference_mode():
        for batch in WindowBatches(windows, ids, [0] * len(ids), batch_size=16):
            network(encoding(batch.inputs))


if __name__ == "__main__":
    main()
