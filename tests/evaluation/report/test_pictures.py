"""The pictures of a report: what the networks of a run see, each once."""

import io
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from vskd.distillation.model import load_model
from vskd.distillation.run import RunFolder
from vskd.evaluation.evaluate import open_experiment
from vskd.evaluation.predictions import Predictions, read_csv
from vskd.evaluation.report import pictures
from vskd.evaluation.report.pictures import run_pictures, sample_captions

STUDENT, TEACHER = "What the student sees", "What the teacher saw"


def pictures_of(path: Path, folder: object | None = None) -> dict[str, bytes]:
    own = RunFolder.open(path)
    experiment = open_experiment(own)
    model = load_model(path, experiment.inputs, experiment.classes)
    return run_pictures(experiment, folder or own, read_csv(path / "predictions.csv"), model)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("run", "titles"), [("student", [STUDENT, TEACHER]), ("no_kd", [STUDENT, TEACHER]), ("teacher", [TEACHER])]
)
def test_images_and_frames_of_a_run(finished_comparison, run: str, titles: list[str]) -> None:
    shown = pictures_of(getattr(finished_comparison, run))
    assert [caption.split(" (")[0] for caption in shown] == titles
    for content in shown.values():
        picture = Image.open(io.BytesIO(content)).convert("L")
        low, high = picture.getextrema()
        assert min(picture.size) > 50 and high - low > 50


def test_a_run_without_a_teacher_shows_the_student_alone(finished_comparison) -> None:
    alone = SimpleNamespace(role="student", teacher_runs=lambda: ())
    assert [caption.split(" (")[0] for caption in pictures_of(finished_comparison.student, alone)] == [STUDENT]


def test_teachers_that_see_the_same_are_shown_once_and_others_all(
    finished_comparison, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four teachers, of which the second sees what the first sees; the third and fourth have the same title."""
    seen = iter((b"a", b"a", b"b", b"c"))

    def opened(*_: object) -> SimpleNamespace:
        shown = {"What the teacher saw": next(seen)}
        return SimpleNamespace(inputs=SimpleNamespace(pictures=lambda *_: shown))

    monkeypatch.setattr(pictures, "finished_teacher", opened)
    four = SimpleNamespace(role="student", teacher_runs=lambda: (Path(),) * 4)
    shown = pictures_of(finished_comparison.student, four)
    assert {title: content for title, content in shown.items() if title.startswith(TEACHER)} == {
        "What the teacher saw": b"a",
        "What the teacher saw, teacher 2": b"b",
        "What the teacher saw, teacher 3": b"c",
    }


def predictions(count: int) -> Predictions:
    ids = [f"r{k:02d}" for k in range(count)]
    labels = np.arange(count) % 2
    return Predictions(tuple(ids), tuple(ids), labels, np.full((count, 2), 0.5), ("left", "right"))


def test_captions_are_of_recordings_spread_over_all_and_say_the_class() -> None:
    assert sample_captions(predictions(10)) == {
        "r00": "r00: left",
        "r03": "r03: right",
        "r06": "r06: left",
        "r09": "r09: right",
    }
    assert list(sample_captions(predictions(2))) == ["r00", "r01"]
