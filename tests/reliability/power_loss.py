"""Power loss: one file of a finished chain is empty, cut or zeroed; the commands are given again.

    python -m tests.reliability.power_loss --states 1000

The result must be that of the undisturbed chain, or a clear refusal.
"""

import argparse
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from tests.reliability.chain import STAGES, Stage, as_json, differences, fingerprint, internal, run, snapshots
from tests.reliability.children import Ended

DAMAGES: Mapping[str, Callable[[bytes], bytes]] = {
    "empty": lambda content: b"",
    "half": lambda content: content[: len(content) // 2],
    "zeroed": lambda content: bytes(len(content)),
    "zero-ended": lambda content: content[: len(content) // 2] + bytes(len(content) - len(content) // 2),
}
SAMPLED = ("world/Inertial", "world/RGB")
"""Folders of equal files, of which a few stand for all."""
RIGHT = ("equal", "refused", "unread")
UNCHECKED = (
    "run.log",
    "mine.yaml",
    "comparison.html",
    "comparison.txt",
    "comparison.csv",
    "comparison.tex",
    "comparison.json",
)
"""A log is only ever appended to; the recipe is the user's own; the tables are written by every `compare`."""


def states(folder: Path) -> list[tuple[str, str]]:
    """(file, damage): every file but the unchecked, and one of those that are many."""
    names = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    names = [n for n in names if not n.endswith(UNCHECKED)]
    many = {place: [n for n in names if n.startswith(place)][1:] for place in SAMPLED}
    left_out = {name for group in many.values() for name in group}
    return [(name, damage) for name in names if name not in left_out for damage in DAMAGES]


def again(folder: Path, stages: Sequence[Stage]) -> Ended:
    """Every command once more, until one is refused; how the last one ended."""
    for stage in stages:
        ended = run(stage, folder)
        if ended.answer is None or ended.answer[0] != 0:
            break
    return ended


def outcome(folder: Path, good: Mapping[str, str], name: str, damaged: bytes, stages: Sequence[Stage]) -> str:
    """`equal`, `refused`, `unread` (a cache that no finished run asks for), `silent: ...` or what went wrong inside."""
    last = again(folder, stages)
    if last.answer is None:
        return f"crash or hang: {last.code}"
    code, text = last.answer
    if internal(text):
        return f"internal: {text.strip()[-200:]}"
    if code:
        named = Path(name).name in text or Path(name).parent.name in text
        return "refused" if named else f"refused without its name: {text.strip()[-200:]}"
    wrong = differences(folder, dict(good))
    if set(wrong) <= {name} and Path(name).parent.name == "cache" and (folder / name).read_bytes() == damaged:
        return "unread"
    return f"silent: {', '.join(wrong)}" if wrong or (folder / name).read_bytes() == damaged else "equal"


def main(count: int, seconds: float, seed: int, stages: Sequence[Stage] = STAGES) -> Mapping[str, object]:
    """Try damaged states.

    Args:
        count: how many, chosen at random; all of them where it is larger.
        seconds: none begins later.
        seed: of the choice.
        stages: of the chain, from the first.

    Returns:
        How often each outcome was met, the states with a wrong one, and the files that were not made again.
    """
    counts, wrong = Counter[str](), dict[str, str]()
    refused: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        finished = snapshots(root, stages)[-1]
        good = fingerprint(finished)
        listed = states(finished)
        chosen = np.random.default_rng(seed).permutation(len(listed))[:count]
        end = time.monotonic() + seconds
        for number in chosen:
            file, damage = listed[number]
            if time.monotonic() > end:
                break
            work = root / "damaged"
            shutil.copytree(finished, work)
            damaged = DAMAGES[damage]((work / file).read_bytes())
            (work / file).write_bytes(damaged)
            found = outcome(work, good, file, damaged, stages)
            counts[found.split(":")[0]] += 1
            if found not in RIGHT:
                wrong[f"{file} {damage}"] = found
            elif found != "equal":
                refused[file] = found
            shutil.rmtree(work)
    return {"states": sum(counts.values()), "outcomes": dict(counts), "wrong": wrong, "not made again": refused}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=3600.0)
    parser.add_argument("--seed", type=int, default=0)
    result = main(**vars(parser.parse_args()))
    print(as_json(result))
    sys.exit(1 if result["wrong"] else 0)
