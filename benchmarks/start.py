"""What a command costs before it does anything: processor time of importing what it runs.

`python benchmarks/start.py [--before CHECKOUT]` imports each in a new process, several times, in turn with another
checkout of vskd where one is given, and prints medians of user time and their ratio. The processes' files should be in
the cache of the system, so a first round is not counted.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parents[1]
STARTS = {
    "vskd --help": "vskd.cli.main",
    "vskd predict": "vskd.bundle.predict",
    "vskd recipe": "vskd.recipe",
    "vskd forecast": "vskd.evaluation.forecast",
    "vskd evaluate RUN": "vskd.evaluation.evaluate",
    "vskd export": "vskd.export.run_export",
    "vskd distill": "vskd.distillation.train, vskd.evaluation.forecast, vskd.study.rounds",
}


def user_seconds(modules: str, checkout: Path) -> float:
    """Of one process that imports these."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    subprocess.run([sys.executable, "-c", f"import {modules}"], check=True, cwd=checkout,
                   env=os.environ | {"PYTHONPATH": str(checkout)})  # fmt: skip
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--before", type=Path, help="another checkout, to compare with")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", nargs="*", choices=STARTS, default=list(STARTS))
    arguments = parser.parse_args()
    checkouts = [HERE] if arguments.before is None else [HERE, arguments.before.resolve()]
    for name in arguments.only:
        rounds = [[user_seconds(STARTS[name], at) for at in checkouts] for _ in range(arguments.rounds + 1)][1:]
        medians = [statistics.median(column) for column in zip(*rounds, strict=True)]
        ratio = f", before {medians[1]:.2f} s: {medians[0] / medians[1]:.2f}" if len(medians) > 1 else ""
        print(f"{name}: {medians[0]:.2f} s{ratio}", flush=True)


if __name__ == "__main__":
    main()
