"""Pictures of a report: what the networks see of a few test recordings, and, of images, where a network looks."""

import numpy as np

from vskd.distillation.experiment import Experiment
from vskd.distillation.model import Model
from vskd.distillation.run import RunFolder
from vskd.distillation.teacher.outputs import finished_teacher
from vskd.evaluation.predictions import Predictions
from vskd.evaluation.report.image_pictures import image_pictures

SAMPLES = 4


def run_pictures(experiment: Experiment, folder: RunFolder, predictions: Predictions, model: Model) -> dict[str, bytes]:
    """Caption -> PNG.

    Args:
        experiment, folder, predictions: of the run.
        model: its trained model.
    """
    captions = sample_captions(predictions)
    pictures = experiment.inputs.pictures(captions, folder.role)
    for number, run in enumerate(folder.teacher_runs()):
        of = f", teacher {number}" if number else ""  # two teachers' pictures may have one title
        shown = finished_teacher(experiment, run).inputs.pictures(captions, "teacher")
        known = set(pictures.values())  # what several networks see alike is shown once
        pictures |= {f"{title}{of}": picture for title, picture in shown.items() if picture not in known}
    if experiment.inputs.sees.modality == "image":
        pictures |= image_pictures(model, experiment.inputs, predictions)
    return pictures


def sample_captions(predictions: Predictions) -> dict[str, str]:
    """A few recordings, spread over all, with their captions."""
    positions = np.unique(np.linspace(0, len(predictions) - 1, SAMPLES).round().astype(int))
    names, labels = predictions.class_names, predictions.labels
    return {predictions.ids[p]: f"{predictions.ids[p]}: {names[labels[p]]}" for p in positions}
