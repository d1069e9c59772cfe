"""Fine-tuning where quantization alone loses too much: when it is tried, on what, and which model is shipped."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from tests.conftest import TINY_IMAGES
from tests.export.conftest import TinyImageNet, provenance, seeded
from vskd.bundle.contract import ImageContract
from vskd.distillation.experiment import prepare
from vskd.distillation.model import Model
from vskd.errors import BundleError
from vskd.export.candidates import FineTuning
from vskd.export.int8.fine_tuning import fine_tuning
from vskd.export.scoring import Checker, LabelledWindow, Measurement
from vskd.export.ship import ExportReport, export_model
from vskd.modalities.sampling import epoch_seed
from vskd.recipe import load_recipe

CONTRACT = ImageContract(stream="image", size=16, channels=3, crop="full")


def pictures(count: int, seed: int) -> list[np.ndarray]:
    return list(np.random.default_rng(seed).integers(0, 256, (count, 3, 16, 16), dtype=np.uint8))


def export(out: Path, tuning: FineTuning | None, **changes: object) -> ExportReport:
    student = Model(nn.Identity(), seeded(TinyImageNet)).eval()
    shown = pictures(6, seed=1)
    answers = [int(student(torch.from_numpy(x[None] / np.float32(255))).logits.argmax()) for x in shown]
    arguments: dict[str, object] = {
        "model": student,
        "calibration": [(f"train{n}", x) for n, x in enumerate(pictures(8, seed=0))],
        "validation": [LabelledWindow(f"val{n}", x, answers[n]) for n, x in enumerate(shown)],
        "contract": CONTRACT,
        "provenance": provenance(),
        "max_accuracy_drop": 1.0,
        "out": out,
        "fine_tuning": tuning,
    }
    return export_model(**(arguments | changes))


class Recorder:
    """Stands for the training: gives the module back and notes that it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, module: nn.Module, estimator: str) -> nn.Module:
        self.asked.append(estimator)
        return module


@pytest.mark.usefixtures("converted_once")
def test_within_the_budget_nothing_is_trained(out: Path) -> None:
    recorder = Recorder()
    report = export(out, FineTuning(recorder))
    assert recorder.asked == []
    assert not report.bundle.manifest.quantization.fine_tuned
    assert set(report.candidates) == {"minmax", "moving-average"}


@pytest.mark.usefixtures("converted_once")
def test_over_the_budget_each_estimator_is_tried_and_the_most_accurate_is_shipped(
    out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Quantization alone is made out to lose everything, fine-tuning with moving averages nothing."""
    figures = iter([1.0, 0.0, 0.0, 0.5, 1.0])  # float, two without and two with training
    measure = Checker.measure

    def said(self: Checker, content: bytes, what: str) -> Measurement:
        return Measurement(next(figures), measure(self, content, what).parity)

    monkeypatch.setattr(Checker, "measure", said)
    recorder, seen = Recorder(), []
    report = export(out, FineTuning(recorder), max_accuracy_drop=0.01, inspect=lambda *pair: seen.append(pair))
    assert recorder.asked == ["minmax", "moving-average"]
    quantization = report.bundle.manifest.quantization
    assert (quantization.fine_tuned, quantization.range_estimator) == (True, "moving-average")
    assert report.accuracy.int8 == 1.0
    assert seen[0][1] == report.bundle.read("model.tflite")
    assert "simulated int8" in (out / "MODEL_CARD.md").read_text(encoding="utf-8")


@pytest.mark.usefixtures("converted_once")
def test_training_on_that_gains_nothing_is_not_shipped(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two equally accurate without training, the one that agrees better with the network stays the choice."""
    figures = iter([1.0, 0.5, 0.5, 0.5, 0.4])
    agreements = iter([1.0, 0.9, 0.8, 0.95, 0.95])
    measure = Checker.measure

    def said(self: Checker, content: bytes, what: str) -> Measurement:
        numbers = measure(self, content, what).parity
        return Measurement(next(figures), numbers.model_copy(update={"argmax_agreement": next(agreements)}))

    monkeypatch.setattr(Checker, "measure", said)
    monkeypatch.setattr("vskd.export.ship.check_conversion", lambda *_: None)
    report = export(out, FineTuning(Recorder(), always=True))
    quantization = report.bundle.manifest.quantization
    assert (quantization.fine_tuned, quantization.range_estimator) == (False, "minmax")
    assert len(report.candidates) == 4


@pytest.mark.usefixtures("converted_once")
def test_what_loses_too_much_even_so_is_refused_after_it_was_inspected(
    out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    figures = iter([1.0, 0.0, 0.0])
    measure = Checker.measure
    monkeypatch.setattr(
        Checker, "measure", lambda self, *given: Measurement(next(figures), measure(self, *given).parity)
    )
    seen: list[tuple[bytes, bytes]] = []
    with pytest.raises(BundleError, match="nothing was written"):
        export(out, None, max_accuracy_drop=0.01, inspect=lambda *pair: seen.append(pair))
    assert len(seen) == 1
    assert not out.exists()


@pytest.fixture
def of_recipe(shapes_root: Path, tmp_path: Path):
    def make(*overrides: str):
        recipe = load_recipe("krca", (*TINY_IMAGES, f"dataset.path={shapes_root}", "distiller=none", *overrides))
        experiment = prepare(recipe, tmp_path / "cache")
        return fine_tuning(recipe, experiment.inputs, experiment.split.train)

    return make


def test_the_recipe_decides(of_recipe) -> None:
    assert of_recipe("export.fine_tuning=never") is None
    assert of_recipe().always is False
    assert of_recipe("export.fine_tuning=always").always is True


def test_it_trains_on_the_training_images_channels_last(of_recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, object] = {}

    def train(module: nn.Module, batches, **settings: object) -> nn.Module:
        seen.update(settings, batches=[(x.clone(), y) for x, y in batches])
        return module

    monkeypatch.setattr("vskd.export.int8.fine_tuning.train_for_int8", train)
    tuning = of_recipe("export.fine_tuning_epochs=3", "export.fine_tuning_rate=1e-5")
    tuning.train(nn.Identity(), "minmax")
    batches = seen["batches"]
    assert sum(len(x) for x, _ in batches) == 3 * 60
    assert all(x.shape[1:] == (32, 32, 3) and x.min() >= 0 and x.max() <= 1 for x, _ in batches)
    assert (seen["learning_rate"], seen["range_estimator"]) == (1e-5, "minmax")
    assert seen["steps"] == len(batches)


def test_every_epoch_is_the_trainings_own_with_a_seed_of_its_own(of_recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches as large and as balanced as those of the training, numbered behind its last epoch."""
    asked: list[tuple[object, ...]] = []

    class Inputs:
        def batches(self, ids: tuple[str, ...], **given: object) -> list[SimpleNamespace]:
            asked.append((ids, given))
            images = torch.arange(24.0).reshape(2, 1, 3, 4)
            return [SimpleNamespace(inputs=images, labels=torch.tensor([0, 1]))] * 5

    given: dict[str, object] = {}
    monkeypatch.setattr(
        "vskd.export.int8.fine_tuning.train_for_int8",
        lambda module, batches, **settings: given.update(settings, batches=list(batches)) or module,
    )
    training = SimpleNamespace(batch_size=7, sampling="balanced")
    export = SimpleNamespace(fine_tuning="auto", fine_tuning_epochs=2, fine_tuning_rate=0.5)
    recipe = SimpleNamespace(seed=3, export=export, student=SimpleNamespace(training=training))
    tuning = fine_tuning(recipe, Inputs(), ("a", "b"))  # type: ignore[arg-type]
    assert tuning is not None and not tuning.always
    tuning.train(nn.Identity(), "moving-average")
    seeds = [epoch_seed(3, 1_000_000), epoch_seed(3, 1_000_001)]
    epochs = [(("a", "b"), {"batch_size": 7, "seed": seed, "sampling": "balanced"}) for seed in seeds]
    assert [a for a in asked if "seed" in a[1]] == epochs  # type: ignore[operator]
    assert (given["steps"], given["learning_rate"], given["range_estimator"]) == (10, 0.5, "moving-average")
    images, labels = given["batches"][-1]  # type: ignore[index]
    assert images.shape == (2, 3, 4, 1) and images.is_contiguous() and labels.tolist() == [0, 1]
    assert images[1, 2, 3, 0] == 23
