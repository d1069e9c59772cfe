"""Predictions and results of a small invented experiment."""

from collections.abc import Callable

import numpy as np
import pytest

from vskd.evaluation.predictions import Predictions
from vskd.evaluation.results import Bootstrap, ProtocolStamp, Results, TeacherFigures, build_results

CLASS_NAMES = ("wave", "swipe_left", "squat, deep", "jog")

MakePredictions = Callable[..., Predictions]
MakeResults = Callable[..., Results]


@pytest.fixture
def make_predictions() -> MakePredictions:
    """Predictions of `n` recordings of `subjects` people; the larger `skill`, the more often right."""

    def make(seed: int = 0, n: int = 60, subjects: int = 6, skill: float = 1.5, prefix: str = "r") -> Predictions:
        truth = np.random.default_rng(1234).integers(0, len(CLASS_NAMES), n)  # the same recordings for every seed
        logits = np.random.default_rng(seed).normal(size=(n, len(CLASS_NAMES)))
        logits[np.arange(n), truth] += skill
        ids = [f"{prefix}{i:03d}" for i in range(n)]
        people = [f"s{i % subjects + 1}" for i in range(n)]
        return Predictions.from_logits(ids, people, truth, logits, CLASS_NAMES)

    return make


@pytest.fixture
def make_results() -> MakeResults:
    """Results of predictions, stamped; keywords overwrite parts of the stamp."""

    def make(predictions: Predictions, **changes: object) -> Results:
        stamp = {"name": "cross-subject", "hash": "ab" * 32, "fold": None, "split_hash": "cd" * 32}
        stamp |= {key: changes.pop(key) for key in tuple(changes) if key in stamp}
        settings: dict[str, object] = {
            "kind": "student",
            "recipe": "demo",
            "dataset": "synthetic",
            "network": "resnet18",
            "distiller": "dask",
            "split": "test",
            "seed": 0,
            "teacher": TeacherFigures(accuracy=0.75, macro_f1=0.7, n=len(predictions)),
            "timings": {"train": 75.5},
            "environment": {"torch": "2.13.0"},
            "bootstrap": Bootstrap(resamples=200),
        }
        return build_results(predictions, protocol=ProtocolStamp(**stamp), **(settings | changes))

    return make
