"""Differential fuzz of the firmware: random streams of random contracts and settings, Python against C.

    python -m tests.reliability.stream_campaign --streams 100000 --seconds 3600 --out soak/streams.json

Every batch is a contract with settings, a program built from it with sanitizers, and some random streams; all of it is
a function of the batch's number and the seed. Every number of every decision must be the same. The figures are written
after each batch, and `--resume` goes on where they end.
"""

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tests.firmware_bridge.bundles import HOST, Pair
from tests.firmware_bridge.random_streams import FORMS, Form, random_form, random_stream
from vskd.bundle.stream.stream import Decision
from vskd.bundle.stream.synthetic_stream import Call
from vskd.files import write_json

BATCH = 250
"""Streams of one program."""
KNOWN = 3
"""Of so many batches one has a form that the tests have too, in turn."""
LONG = 20
"""Of so many streams one is as long as those of the tests."""
MOST_TOLD = 20


@dataclass
class Batch:
    """What some streams gave.

    Attributes:
        streams, samples: how many.
        statuses: decisions of each status, in Python.
        different: numbers of the streams whose decisions differ.
    """

    streams: int = 0
    samples: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    different: list[int] = field(default_factory=list)


Compare = Callable[[int, int, int], Batch]
"""(seed, number, streams) -> what a batch gave."""


def form_of(number: int, generator: np.random.Generator) -> Form:
    """The contract and settings of a batch."""
    known = list(FORMS.values())
    return random_form(generator) if number % KNOWN else known[number // KNOWN % len(known)]


def compare(seed: int, number: int, streams: int) -> Batch:
    """Run a batch in Python and in C."""
    generator, batch = np.random.default_rng([seed, number]), Batch(streams)
    with tempfile.TemporaryDirectory(prefix="vskd-streams-") as folder:
        pair = Pair.of(Path(folder), *form_of(number, generator))
        plan = pair.firmware.plan
        assert plan is not None
        end: Call = (np.zeros((0, plan.device_axes), np.float32), None)  # a reset
        stream, calls, expected = pair.stream(), list[Call](), list[list[Decision]]()
        for k in range(streams):
            long = k % LONG == 0
            given = random_stream(plan, generator, most_stretches=4 if long else 2, most_samples=200 if long else 60)
            expected.append([d for call in given for d in _fed(stream, call)])
            stream.reset()
            calls += [*given, end]
        found = pair.in_c(calls)
    batch.samples = sum(len(samples) for samples, _ in calls)
    batch.statuses = Counter(d.status.name for decisions in expected for d in decisions)
    batch.different = _different(expected, found)
    return batch


def _fed(stream: Any, call: Call) -> list[Decision]:
    if len(call[0]):
        return list(stream.feed(*call))
    stream.reset()
    return []


def _different(expected: Sequence[Sequence[Decision]], found: Sequence[Decision]) -> list[int]:
    """Streams that differ; the last one too where C gives more decisions, or fewer."""
    start, different = 0, []
    for number, decisions in enumerate(expected):
        if list(decisions) != list(found[start : start + len(decisions)]):
            different.append(number)
        start += len(decisions)
    if start != len(found) and not different:
        different.append(len(expected) - 1)
    return different


def campaign(
    out: Path, *, streams: int, seconds: float, seed: int = 0, resume: bool = False, run: Compare = compare
) -> dict[str, Any]:
    """Compare `streams` streams, or as many as there is time for; the figures are `out`, and given back."""
    begun = time.monotonic()
    found = json.loads(out.read_text(encoding="utf-8")) if resume and out.is_file() else _nothing(seed)
    if found["seed"] != seed:
        raise SystemExit(f"{out} is of seed {found['seed']}: give --seed {found['seed']}, or another file")
    before = found["seconds"]
    while found["streams"] < streams and time.monotonic() - begun < seconds:
        batch = run(seed, found["batches"], min(BATCH, streams - found["streams"]))
        _add(found, batch)
        found["seconds"] = round(before + time.monotonic() - begun, 1)
        write_json(out, found)
    return found


def _nothing(seed: int) -> dict[str, Any]:
    figures = {"seed": seed, "seconds": 0.0, "batches": 0, "streams": 0, "samples": 0, "decisions": 0}
    return figures | {"outcomes": {}, "differences": 0, "wrong": []}


def _add(found: dict[str, Any], batch: Batch) -> None:
    number = found["batches"]
    found["batches"] += 1
    found["streams"] += batch.streams
    found["samples"] += batch.samples
    found["decisions"] += batch.statuses.total()
    found["outcomes"] = dict(sorted((Counter(found["outcomes"]) + batch.statuses).items()))
    found["differences"] += len(batch.different)
    found["wrong"] += [{"batch": number, "stream": k} for k in batch.different]
    found["wrong"] = found["wrong"][:MOST_TOLD]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a campaign; 1 where Python and C differ, or where it could not run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--streams", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=3600.0, help="stop then, whatever is left")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--resume", action="store_true", help="go on where the figures in --out end")
    parser.add_argument("--out", type=Path, default=Path("soak/streams.json"))
    options = parser.parse_args(arguments)
    if HOST.missing:
        print(f"no streams were run: {HOST.missing}", file=sys.stderr)
        return 1
    found = campaign(
        options.out, streams=options.streams, seconds=options.seconds, seed=options.seed, resume=options.resume
    )
    print(f"{found['streams']} streams, {found['decisions']} decisions, {found['differences']} streams differ")
    return 1 if found["differences"] else 0


if __name__ == "__main__":
    sys.exit(main())
