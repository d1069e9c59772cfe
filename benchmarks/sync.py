"""How well `vskd datasets sync` finds known shifts and drifts of real pairs of UTD-MHAD (Inertial and DepthVideo).

Run: python benchmarks/sync.py UTD-MHAD
Shifts: of every n-th recording up to a second is cut from the beginning of the sensor or of the video, and the offset
is to move by as much; it is compared with the offset found of the whole pair, and with that of streams that start
together, which these do but for about a tenth of a second. Drifts: real pairs, one behind the other, are long
recordings whose video clock is made fast or slow. Only recordings with a clear peak count; how many those are is said.
"""

import argparse
from pathlib import Path

import numpy as np

from vskd.datasets.catalog import get_dataset
from vskd.datasets.sync.estimate import curves_of
from vskd.preprocessing.sync.align import align
from vskd.preprocessing.sync.curve import Curve

VIDEO_RATE = 19.6
"""Frames per second of these videos, by the lengths of all recordings; the files say 30."""
CHAIN = 120
"""Pairs of a long recording: six to seven minutes."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", type=Path)
    parser.add_argument("--every", type=int, default=4, help="take every n-th recording")
    parser.add_argument("--chains", type=int, default=50, help="long recordings made of real pairs")
    options = parser.parse_args()
    index = get_dataset("utd-mhad").index(options.root)
    recordings = index.with_streams(["accelerometer", "depth"])[:: options.every]
    pairs = [curves_of(recording, "accelerometer", "depth") for recording in recordings]
    pairs = [(sensor, scaled(video, 30 / VIDEO_RATE)) for sensor, video in pairs]
    random = np.random.default_rng(0)
    shifts(pairs, random)
    drifts(pairs, random, options.chains)


def scaled(curve: Curve, factor: float) -> Curve:
    return Curve(curve.times * factor, curve.values, curve.seconds * factor)


def later(curve: Curve, first_s: float) -> Curve:
    kept = curve.times >= first_s
    return Curve(curve.times[kept] - first_s, curve.values[kept], curve.seconds - first_s)


def report(what: str, errors: list[float], total: int, unit: str) -> None:
    sizes = np.abs(errors)
    print(
        f"{what}: {len(sizes)} of {total} clear; error median {np.median(sizes):.3g} {unit}, "
        f"90th percentile {np.quantile(sizes, 0.9):.3g} {unit}"
    )


def shifts(pairs: list[tuple[Curve, Curve]], random: np.random.Generator) -> None:
    against_whole, against_start, clear = [], [], 0
    for sensor, video in pairs:
        shift = float(random.uniform(-1, 1))
        moved = align(later(sensor, max(shift, 0.0)), later(video, max(-shift, 0.0)))
        whole = align(sensor, video)
        clear += moved.clear
        if moved.clear:
            against_start.append(moved.offset_s + shift)
            if whole.clear:
                against_whole.append(moved.offset_s + shift - whole.offset_s)
    report("shift, against the whole pair", against_whole, len(pairs), "s")
    report("shift, against a common start", against_start, len(pairs), "s")


def drifts(pairs: list[tuple[Curve, Curve]], random: np.random.Generator, chains: int) -> None:
    offsets, drifts = [], []
    for _ in range(chains):
        chosen = [pairs[k] for k in random.choice(len(pairs), CHAIN, replace=False)]
        ppm, offset = float(random.uniform(-2000, 2000)), float(random.uniform(-2, 2))
        sensor, video = chained(chosen)
        video = scaled(later(video, max(offset, 0.0)), 1 / (1 + ppm / 1e6))
        sensor = later(sensor, max(-offset, 0.0))
        found = align(sensor, video)
        if found.clear:
            offsets.append(found.offset_s - offset)
            drifts.append(found.drift_ppm - ppm)
    report("drift of long recordings", drifts, chains, "ppm")
    report("their offset", offsets, chains, "s")


def chained(pairs: list[tuple[Curve, Curve]]) -> tuple[Curve, Curve]:
    """Pairs one behind the other, each as long as its longer part."""
    start, parts = 0.0, []
    for pair in pairs:
        parts.append([(curve.times + start, curve.values) for curve in pair])
        start += max(curve.seconds for curve in pair)
    columns = [[np.concatenate(of) for of in zip(*one, strict=True)] for one in zip(*parts, strict=True)]
    return Curve(*columns[0], start), Curve(*columns[1], start)


if __name__ == "__main__":
    main()
