"""Predictions and results of a small invented experiment."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from torch import nn

from vskd.evaluation.evaluate import open_experiment
from vskd.evaluation.predictions import Predictions
from vskd.evaluation.results import Bootstrap, ProtocolStamp, Results, TeacherFigures, build_results
from vskd.network import Outputs

if TYPE_CHECKING:
    from vskd.distillation.experiment import Experiment
    from vskd.distillation.run import RunFolder
    from vskd.modalities.base import Inputs

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


Wrong = Callable[[str], bool]
"""Recording id -> whether it is taken for the next class."""


def never(_: str) -> bool:
    """No mistakes."""
    return False


def model_of(experiment: "Experiment", wrong: Wrong) -> Callable[[np.ndarray], np.ndarray]:
    """A model that knows every recording by its sample, and answers with a logit of 4 as `wrong` says."""
    by_id, inputs = experiment.recordings, experiment.inputs
    known = {
        sample.tobytes(): i
        for batch in inputs.batches(sorted(inputs.ids), batch_size=8)
        for i, sample in zip(batch.ids, batch.inputs.numpy(), strict=True)
    }
    assert len(known) == len(by_id)

    def logits(samples: np.ndarray) -> np.ndarray:
        ids = [known[sample.tobytes()] for sample in samples]
        answers = [(by_id[i].label + wrong(i)) % experiment.classes for i in ids]
        return 4 * np.eye(experiment.classes, dtype=np.float32)[answers]

    return logits


class Answering(nn.Module):
    """A model in the place of a trained one."""

    def __init__(self, model: Callable[[np.ndarray], np.ndarray]) -> None:
        super().__init__()
        self.model = model

    def forward(self, samples: torch.Tensor) -> Outputs:
        logits = torch.from_numpy(self.model(samples.numpy()))
        return Outputs(logits, logits)


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let networks and int8 models answer what the test decides; a network of seconds is at chance, and proves little.

    `student`: mistakes of students that learn from a teacher; `no_kd`: of those that do not; `teacher`: of teachers in
    their own evaluation; `int8`: of bundles.
    """

    def arrange(student: Wrong = never, no_kd: Wrong = never, teacher: Wrong = never, int8: Wrong = never) -> None:
        def float_model(experiment: "Experiment", folder: "RunFolder") -> nn.Module:
            wrong = student if folder.recipe().distiller.needs_teacher else no_kd
            return Answering(model_of(experiment, teacher if folder.role == "teacher" else wrong))

        def int8_model(_: object, inputs: "Inputs") -> Callable[[np.ndarray], np.ndarray]:
            (experiment,) = (experiment for experiment in opened if experiment.inputs is inputs)
            return model_of(experiment, int8)

        opened: list[Experiment] = []

        def open_and_remember(*words: Any) -> "Experiment":
            opened.append(open_experiment(*words))
            return opened[-1]

        monkeypatch.setattr("vskd.evaluation.evaluate.trained_model", float_model)
        monkeypatch.setattr("vskd.export.evaluate.open_experiment", open_and_remember)
        monkeypatch.setattr("vskd.export.evaluate.bundle_model", int8_model)

    return arrange
