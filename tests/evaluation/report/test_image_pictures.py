"""Heat maps and embedding map of a real run of images."""

import io
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from vskd.distillation.model import load_model
from vskd.distillation.run import RunFolder
from vskd.evaluation.evaluate import open_experiment
from vskd.evaluation.predictions import Predictions, read_csv
from vskd.evaluation.report import image_pictures as module
from vskd.evaluation.report.image_pictures import chosen_samples, image_pictures
from vskd.modalities.base import Batch
from vskd.network import Outputs


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


class Network(nn.Module):
    """Sees the mean of an image; with a map where it is asked for."""

    def __init__(self, deep: bool) -> None:
        super().__init__()
        self.deep = deep

    def forward(self, x: torch.Tensor) -> Outputs:
        mean = x.mean(dim=(1, 2, 3))[:, None]
        return Outputs(torch.cat([mean, -mean], dim=1), mean, {"deep": x} if self.deep else {})


class Shown:
    """Images whose brightness is the number of their recording."""

    def batches(self, ids: tuple[str, ...], *, batch_size: int) -> list[Batch]:
        parts = [ids[n : n + batch_size] for n in range(0, len(ids), batch_size)]
        zeros = [torch.zeros(len(part), dtype=torch.int64) for part in parts]
        return [
            Batch(part, torch.stack([torch.full((3, 4, 4), float(i[1:])) for i in part]), zero, zero)
            for part, zero in zip(parts, zeros, strict=True)
        ]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What heat maps and embedding maps are made of."""
    found: dict[str, Any] = {}

    def cam(_network: nn.Module, images: torch.Tensor, answers: torch.Tensor) -> torch.Tensor:
        found["answers"] = answers.tolist()
        return images.mean(dim=1)

    def tiles(images: np.ndarray, heat: np.ndarray, captions: list[str]) -> bytes:
        found["images"], found["captions"] = images, captions
        return b"tiles"

    def dots(positions: np.ndarray, labels: np.ndarray, correct: np.ndarray, names: tuple[str, ...]) -> bytes:
        found["dots"] = (positions[:, 0].tolist(), labels.tolist(), correct.tolist(), names)
        return b"dots"

    monkeypatch.setattr(module, "grad_cam", cam)
    monkeypatch.setattr(module, "heat_tiles", tiles)
    monkeypatch.setattr(module, "embedding_map", dots)
    monkeypatch.setattr(module, "embedding_positions", lambda embeddings: embeddings)
    return found


def test_what_is_drawn(asked: dict[str, Any]) -> None:
    given = predictions([True, False, True, True, False, True])
    pictures = image_pictures(Network(deep=True), Shown(), given)  # type: ignore[arg-type]
    assert list(pictures.values()) == [b"tiles", b"dots"]
    assert "Embeddings of 6 of 6 recordings" in list(pictures)[1]
    assert asked["captions"] == ["b\ninstead of a"] * 2 + ["a"] * 4  # wrong answers first
    assert asked["answers"] == [1, 1, 0, 0, 0, 0]
    assert asked["images"].shape == (6, 4, 4, 3)
    assert asked["images"][:, 0, 0, 0].tolist() == [1, 4, 0, 2, 3, 5]
    assert asked["dots"] == ([0, 1, 2, 3, 4, 5], [0] * 6, given.correct.tolist(), ("a", "b"))


def test_without_a_map_there_is_no_heat_and_of_four_recordings_no_neighbourhood(asked: dict[str, Any]) -> None:
    assert list(image_pictures(Network(deep=False), Shown(), predictions([True] * 5)).values()) == [b"dots"]  # type: ignore[arg-type]
    assert image_pictures(Network(deep=False), Shown(), predictions([True] * 4)) == {}  # type: ignore[arg-type]


def test_of_many_recordings_six_hundred_are_shown(asked: dict[str, Any]) -> None:
    pictures = image_pictures(Network(deep=True), Shown(), predictions([True] * 1201))  # type: ignore[arg-type]
    assert "Embeddings of 600 of 1201 recordings" in list(pictures)[1]
    assert len(asked["captions"]) == 12 and asked["dots"][0][-1] == 1200


@pytest.mark.parametrize(
    ("correct", "count", "expected"),
    [([], 4, []), ([True], 1, [0]), ([False], 1, [0]), ([True, False], 1, [0]), ([True, False], 2, [1, 0])],
)
def test_of_few_recordings_there_is_nothing_to_choose(correct: list[bool], count: int, expected: list[int]) -> None:
    rows = SimpleNamespace(correct=np.array(correct, dtype=bool))
    assert chosen_samples(rows, count) == expected  # type: ignore[arg-type]
