"""An index as plain numbers and names, for `--json` and for reports."""

from collections import Counter
from dataclasses import asdict
from typing import Any

from vskd.datasets.recording import Index


def index_summary(index: Index) -> dict[str, Any]:
    """Counts of recordings, subjects, classes, streams and problems, and every problem by name; JSON-serialisable."""
    per_class = Counter(label for r in index for label in r.classes)
    streams = Counter(name for r in index.everything for name in r.streams)
    rates: dict[str, set[float]] = {}
    units: dict[str, set[str]] = {}
    for recording in index.everything:
        for name, stream in recording.streams.items():
            rates.setdefault(name, set()).add(stream.rate_hz)
            units.setdefault(name, set()).add(stream.unit)
    return {
        "dataset": index.dataset,
        "root": str(index.root),
        "recordings": len(index),
        "unlabelled": len(index.unlabelled),
        "subjects": list(index.subjects),
        "classes": len(index.labels),
        "recordings_per_class": {label: per_class[n] for n, label in enumerate(index.labels)},
        "recordings_per_subject": {s: sum(r.subject == s for r in index) for s in index.subjects},
        "streams": {
            name: {"recordings": count, "rate_hz": sorted(rates[name]), "unit": sorted(units[name])}
            for name, count in sorted(streams.items())
        },
        "problem_counts": dict(sorted(Counter(p.kind for p in index.problems).items())),
        "problems": [asdict(p) for p in index.problems],
    }
