"""Do long recordings cost time and memory in proportion? Prediction of 1 and 10 hours, and reading of sliding windows.

    python benchmarks/long_recordings.py [--folder FOLDER]

`predict`: a text file of 50 Hz with a clock (10 hours are 1.8 million rows) through a bundle of sliding windows of 2.56
s, one a second, whose model is a single layer, so that what is measured is vskd. Each length runs in a process of its
own, which reports the most memory it ever held (ru_maxrss); `resample`: samples of 104 Hz on the disk to windows of 50
Hz; `windows`: milliseconds to read a window for training, in random order, of a recording that does not fit into the
memory that a store keeps.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

RATE = 50.0
FAST = 104.0
HOURS = (1, 10)
MINUTES = (107, 1070)
READS = 400


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, help="where to work; a temporary folder by default")
    parser.add_argument("--step", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.step:
        step(options.step, options.folder)
        return
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        compare(Path(folder))


def compare(folder: Path) -> None:
    figures = []
    for hours in HOURS:
        write_file(folder / f"{hours}.csv", hours)
        seconds, peak = measured(f"predict {hours}", folder)
        size = (folder / f"{hours}.csv").stat().st_size / 2**20
        print(f"predict {hours:3} h: {size:6.1f} MiB of text, {seconds:7.1f} s, peak {peak:6.1f} MiB", flush=True)
        figures.append((seconds, peak))
    (one, low), (ten, high) = figures
    print(f"ratio: time {ten / one:.2f}, memory {high / low:.2f}")
    for hours in HOURS:
        seconds, peak = measured(f"resample {hours}", folder)
        print(f"resample {hours:2} h: {seconds:7.1f} s, peak {peak:6.1f} MiB", flush=True)
    reads = []
    for minutes in MINUTES:
        reads.append(measured(f"windows {minutes}", folder)[0])
        print(f"windows of {minutes} min: {1000 * reads[-1]:.3f} ms a window", flush=True)
    print(f"ratio: {reads[1] / reads[0]:.2f}")


def measured(what: str, folder: Path) -> tuple[float, float]:
    """Seconds and peak memory in MiB of one step."""
    words = [sys.executable, __file__, "--step", what, "--folder", str(folder)]
    done = subprocess.run(words, stdout=subprocess.PIPE, encoding="utf-8", check=True)
    seconds, peak = map(float, done.stdout.splitlines()[-1].split())
    return seconds, peak


def write_file(path: Path, hours: int) -> None:
    """A wrist that moves and rests, with time stamps in milliseconds."""
    random = np.random.default_rng(0)
    with path.open("w", encoding="utf-8") as file:
        file.write("time_ms,x (g),y (g),z (g)\n")
        for minute in range(60 * hours):
            count = int(60 * RATE)
            times = np.arange(count) / RATE
            swing = np.sin(2 * np.pi * random.uniform(0.5, 3, 3) * times[:, None]) * random.uniform(0, 0.8)
            samples = np.array([0.1, 0.1, 1.0]) + swing + random.normal(0, 0.02, (count, 3))
            stamps = 20 * (minute * count + np.arange(count))
            rows = zip(stamps.tolist(), samples.tolist(), strict=True)
            file.writelines(f"{t},{x:.4f},{y:.4f},{z:.4f}\n" for t, (x, y, z) in rows)


def step(what: str, folder: Path) -> None:
    kind, length = what.split()
    if kind == "windows":
        seconds = read_windows(folder, int(length))
    else:
        seconds = predict(folder, length) if kind == "predict" else resample(folder, length)
    print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def predict(folder: Path, hours: str) -> float:
    """Seconds for a timeline."""
    from vskd.bundle.predict_timeline import TimelineSettings, predict_timeline

    bundle = folder / "bundle"
    if not bundle.exists():
        write_bundle(bundle)
    start = time.perf_counter()
    settings = TimelineSettings(smoothing="median", votes=5, min_seconds=2.0)
    answer = predict_timeline(bundle, folder / f"{hours}.csv", settings=settings)
    if len(answer.times) != int(hours) * 3600 - 2:
        raise SystemExit(f"{len(answer.times)} windows")
    return time.perf_counter() - start


def resample(folder: Path, hours: str) -> float:
    """Seconds for all windows of a recording of three axes."""
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from tests.firmware_bridge.bundles import sensor_contract
    from vskd.bundle.long_file import LongRecording

    count, path, random = int(int(hours) * 3600 * FAST), folder / f"{hours}.f32", np.random.default_rng(0)
    with path.open("wb") as file:
        for _ in range(int(hours) * 60):
            file.write(random.normal(size=(count // int(hours) // 60, 3)).astype(np.float32).tobytes())

    def read(first: int, behind: int) -> np.ndarray:
        return np.fromfile(path, np.float32, 3 * (behind - first), offset=12 * first).reshape(-1, 3).T

    start = time.perf_counter()
    recording = LongRecording(read, ((0, count),), ((0, 0.0, 1 / FAST),), FAST)
    contract = sensor_contract(length=128, stride=50, window_rate_hz=RATE)
    windows = sum(len(some) for some, _ in recording.windows(contract))
    if windows != int(hours) * 3600 - 2:
        raise SystemExit(f"{windows} windows")
    return time.perf_counter() - start


def write_bundle(bundle: Path) -> None:
    """A bundle with a hand-made model."""
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from tests.firmware_bridge.bundles import make_bundle, sensor_contract

    contract = sensor_contract(
        window_mode="sliding", length=128, stride=50, window_rate_hz=RATE, max_samples=10**9, min_samples=128
    )
    make_bundle(bundle, contract)


def read_windows(folder: Path, minutes: int) -> float:
    """Seconds to read one window, in random order, without the memory of small recordings."""
    from vskd.preprocessing.stores.window_store import WindowSource, WindowStore, build_window_store

    samples = np.random.default_rng(0).normal(0, 0.3, (int(minutes * 60 * RATE), 3)) + np.array([0.0, 0.0, 1.0])
    np.save(folder / "long.npy", samples.astype(np.float32))
    out = folder / f"{minutes}.h5"
    source = WindowSource("long", folder / "long.npy", "", (), ("x", "y", "z"), RATE)
    build_window_store([source], out, mode="sliding", length=128, stride=32)
    store = WindowStore(out)
    store._room = 0  # as where other recordings filled it
    order = np.random.default_rng(1).integers(0, store.num_windows("long"), READS)
    store.window("long", 0)
    start = time.perf_counter()
    for number in order:
        store.window("long", int(number))
    return (time.perf_counter() - start) / READS


if __name__ == "__main__":
    main()
