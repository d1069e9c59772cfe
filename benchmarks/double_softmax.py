"""How much of the soft signal is left where softmax is taken twice, as a published code of 3-D distillation does?

    python benchmarks/double_softmax.py COMPARISON/cache/teacher-KEY.h5 --match '_s[1357]_'

Of what a teacher said of recordings (the teacher cache of a comparison; above, of those of UTD-MHAD that it was trained
on), for each temperature T, of softmax(z / T) and of softmax(softmax(z) / T): the distance from chance (total
variation, mean over recordings), the largest target, the entropy as a share of chance's, and T^2 * KL against a student
that knows nothing.
"""

import argparse
import math
import re
from pathlib import Path

import h5py
import torch
from torch import Tensor

from vskd.losses.kd import KD
from vskd.losses.kd_on_probabilities import KDOnProbabilities

TEMPERATURES = (1.0, 5.0, 10.0, 15.0, 20.0)


def row(logits: Tensor, temperature: float, *, twice: bool) -> list[str]:
    """One line of the table."""
    classes = logits.shape[1]
    target = ((logits.softmax(dim=1) if twice else logits) / temperature).softmax(dim=1)
    variation = 0.5 * (target - 1 / classes).abs().sum(dim=1).mean().item()
    entropy = -(target * target.log()).sum(dim=1).mean().item() / math.log(classes)
    loss = (KDOnProbabilities if twice else KD)(temperature)(torch.zeros_like(logits), logits).item()
    largest = target.max(dim=1).values.mean().item()
    return [
        f"{temperature:g}",
        "twice" if twice else "once",
        f"{variation:.4f}",
        f"{largest:.4f}",
        f"{entropy:.4f}",
        f"{loss:.4f}",
    ]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cache", type=Path, help="teacher cache, an HDF5 file of a comparison's folder `cache`")
    parser.add_argument("--match", default="", metavar="REGEX", help="only recordings whose id it is found in")
    arguments = parser.parse_args()
    with h5py.File(arguments.cache) as file:
        chosen = [bool(re.search(arguments.match, i.decode())) for i in file["ids"][:]]
        logits = torch.from_numpy(file["logits"][:])[chosen]
    print(f"{len(logits)} recordings, {logits.shape[1]} classes, chance {1 / logits.shape[1]:.4f}\n")
    print("| T | softmax | total variation from chance | largest target | entropy / chance's | T^2 KL to chance |")
    print("|---|---|---|---|---|---|")
    for temperature in TEMPERATURES:
        for twice in (False, True):
            print("| " + " | ".join(row(logits, temperature, twice=twice)) + " |")


if __name__ == "__main__":
    main()
