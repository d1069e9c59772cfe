"""Kills: SIGKILL at every file operation of a command, or after a random time; the command is given again.

    python -m tests.reliability.kill_campaign --kills 200

At the end there must be what an undisturbed run leaves, and nothing else: no temporary file, no lock.
"""

import argparse
import itertools
import os
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from tests.reliability.chain import (
    STAGES,
    Stage,
    as_json,
    differences,
    fingerprint,
    internal,
    left_behind,
    run,
    snapshots,
)

CHANGES = ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.chmod", "os.truncate", "shutil.rmtree")
AGAIN = 3
"""Kills in a row, each further on in the command, before it is left in peace."""


def watch(folder: Path, at: int, done: Callable[[int], None] = lambda _: None) -> None:
    """Kill this process before the `at`-th change of a file below `folder`; `done` hears the number of each."""
    place, count = str(folder.resolve()), 0

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal count
        writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
        if not (writes or event in CHANGES) or not _below(arguments[0], place):
            return
        count += 1
        done(count)
        if count == at:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


def _below(path: object, place: str) -> bool:
    return isinstance(path, str | os.PathLike) and os.path.abspath(path).startswith(place)  # noqa: PTH100 - fast


def changes(stage: Stage, folder: Path) -> int:
    """How many changes of files a command makes."""
    read, write = os.pipe()
    run(stage, folder, partial(watch, folder, 0, lambda number: os.write(write, b".") and None))
    os.close(write)
    with os.fdopen(read, "rb") as counted:
        return len(counted.read())


def kill_after(seconds: float) -> None:
    """Kill this process after a while."""
    signal.signal(signal.SIGALRM, lambda *_: os.kill(os.getpid(), signal.SIGKILL))
    signal.setitimer(signal.ITIMER_REAL, seconds)


def outcome(stage: Stage, folder: Path, good: dict[str, str], kills: list[Callable[[], None]]) -> tuple[str, int]:
    """Kill a command again and again, then let it finish: `equal` or what is wrong, and how often it was killed."""
    killed = 0
    for kill in kills:
        ended = run(stage, folder, kill)
        killed += ended.answer is None
        if ended.answer is not None and ended.answer[0]:
            return _refusal(ended.answer[1]), killed
    ended = run(stage, folder)
    if ended.answer is None:
        return f"crash or hang: {ended.code}", killed
    if ended.answer[0]:
        return _refusal(ended.answer[1]), killed
    wrong, left = differences(folder, good), left_behind(folder)
    return (f"left: {left[:3]}" if left else f"lost or changed: {wrong[:3]}" if wrong else "equal"), killed


def _refusal(text: str) -> str:
    return f"{'internal' if internal(text) else 'refused'}: {text.strip()[-300:]}"


def main(kills: int, seconds: float, seed: int, stages: Sequence[Stage] = STAGES) -> Mapping[str, object]:
    """Kill commands.

    Args:
        kills: how many at least, over all stages in equal shares, unless the time ends before.
        seconds: no kill begins later.
        seed: of the places.
        stages: of the chain, from the first.

    Returns:
        Kills by stage, how often each outcome was met, and the places with another outcome than `equal`.
    """
    random = np.random.default_rng(seed)
    counts, killed, wrong = Counter[str](), Counter[str](), dict[str, str]()
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        before, after = itertools.tee(snapshots(root, stages))
        next(after)
        chosen = [(s, start, fingerprint(finished)) for s, start, finished in zip(stages, before, after, strict=False)]
        total = {stage.name: changes(stage, _fresh(start, root)) for stage, start, _ in chosen}
        end = time.monotonic() + seconds
        while sum(killed.values()) < kills and time.monotonic() < end:
            for stage, start, good in chosen:
                folder = _fresh(start, root)
                places = _places(random, total[stage.name], folder)
                found, times = outcome(stage, folder, good, [kill for _, kill in places])
                killed[stage.name] += times
                counts[found.split(":")[0]] += 1
                if found != "equal":
                    wrong[f"{stage.name} {[place for place, _ in places]}"] = found
                if time.monotonic() > end:
                    break
    return {"kills": dict(killed), "changes of files": total, "outcomes": dict(counts), "wrong": wrong}


def _fresh(snapshot: Path, root: Path) -> Path:
    folder = root / "killed"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(snapshot, folder)
    return folder


def _places(random: np.random.Generator, total: int, folder: Path) -> list[tuple[str, Callable[[], None]]]:
    """Where to kill: one to three times, mostly at a change of a file, else after a random time."""
    places: list[tuple[str, Callable[[], None]]] = []
    for _ in range(int(random.integers(1, AGAIN + 1))):
        if random.random() < 0.2:
            after = float(random.uniform(0.01, 2.0))
            places.append((f"{after:.2f} s", partial(kill_after, after)))
        else:
            at = int(random.integers(1, total + 1))
            places.append((f"change {at}", partial(watch, folder, at)))
    return places


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=3600.0)
    parser.add_argument("--seed", type=int, default=0)
    result = main(**vars(parser.parse_args()))
    print(as_json(result))
    sys.exit(1 if result["wrong"] else 0)
