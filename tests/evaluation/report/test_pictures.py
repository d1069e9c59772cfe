"""The sample pictures of a report."""

import io

import pytest
from PIL import Image

from vskd.distillation.run import RunFolder
from vskd.evaluation.evaluate import open_experiment
from vskd.evaluation.predictions import read_csv
from vskd.evaluation.report.pictures import sample_pictures


@pytest.mark.parametrize("video", [True, False])
def test_images_and_frames_of_a_run(finished_comparison, video: bool) -> None:
    folder = RunFolder.open(finished_comparison.student)
    predictions = read_csv(folder.path / "predictions.csv")
    pictures = sample_pictures(open_experiment(folder), predictions, video=video)
    assert [caption.split(" (")[0] for caption in pictures] == [
        "What the student sees",
        *(["What the teacher saw"] if video else []),
    ]
    for content in pictures.values():
        picture = Image.open(io.BytesIO(content)).convert("L")
        low, high = picture.getextrema()
        assert min(picture.size) > 50 and high - low > 50
