"""Heat maps and embedding map of a real run of images."""

import io

import numpy as np
import pytest
from PIL import Image

from vskd.distillation.model import load_model
from vskd.distillation.run import RunFolder
from vskd.evaluation.evaluate import open_experiment
from vskd.evaluation.predictions import Predictions, read_csv
from vskd.evaluation.report.image_pictures import chosen_samples, image_pictures


def predictions(correct: list[bool]) -> Predictions:
    ids = [f"r{k}" for k in range(len(correct))]
    probabilities = [[0.9, 0.1] if right else [0.1, 0.9] for right in correct]
    return Predictions(tuple(ids), tuple(ids), np.zeros(len(ids), int), np.array(probabilities), ("a", "b"))


@pytest.mark.parametrize(
    ("correct", "count", "expected"),
    [
        ([True] * 10, 4, [0, 3, 6, 9]),
        ([False] * 10, 4, [0, 3, 6, 9]),
        ([True, False] * 4, 4, [1, 7, 0, 6]),
        ([True, True, False], 6, [2, 0, 1]),
        ([True] + [False] * 5, 4, [1, 3, 5, 0]),
    ],
)
def test_wrong_answers_come_first_and_are_half_where_there_are_enough(correct, count: int, expected) -> None:
    assert chosen_samples(predictions(correct), count) == expected


def test_pictures_of_a_run(finished_images) -> None:
    folder = RunFolder.open(finished_images.student)
    experiment = open_experiment(folder)
    student = load_model(folder.path, experiment.inputs, 3)
    pictures = image_pictures(student, experiment.inputs, read_csv(folder.path / "predictions.csv"))
    assert [caption.split(" ")[0] for caption in pictures] == ["What", "Embeddings"]
    for content in pictures.values():
        low, high = Image.open(io.BytesIO(content)).convert("L").getextrema()
        assert high - low > 50


@pytest.mark.parametrize("run", ["teacher", "student", "no_kd"])
def test_reports_of_images_show_drivers_heat_maps_and_embeddings(finished_images, run: str) -> None:
    report = (getattr(finished_images, run) / "report.html").read_text(encoding="utf-8")
    assert "Grad-CAM" in report and "t-SNE" in report
    assert "Accuracy of each subject" in report


def test_the_bundles_report_states_real_latency(finished_images) -> None:
    import json

    results = json.loads((finished_images.student / "int8" / "results.json").read_text(encoding="utf-8"))
    assert {row["model"] for row in results["latency"]} == {"int8", "float32"}
    for row in results["latency"]:
        assert 0 < row["min_ms"] <= row["p50_ms"] <= row["p95_ms"]
        assert (row["threads"], row["warmup"] >= 1, row["runs"] >= 20) == (1, True, True)
    report = (finished_images.student / "int8" / "report.html").read_text(encoding="utf-8")
    assert "warm-up runs" in report and "inputs per second" in report
