"""Sample pictures of a report: what the student and the teacher see of a few test recordings."""

from collections.abc import Sequence

import numpy as np
import torch

from vskd.distillation.experiment import Experiment
from vskd.distillation.networks import new_student
from vskd.distillation.student import SensorStudent
from vskd.evaluation.predictions import Predictions
from vskd.modalities.tiles import frame_tiles, gaf_tiles
from vskd.preprocessing.video.frames import segment_indices

SAMPLES = 4


def sample_pictures(experiment: Experiment, predictions: Predictions, *, video: bool) -> dict[str, bytes]:
    """Caption -> PNG: encoded windows (of image encodings), and, with `video`, the frames of the same recordings."""
    positions = np.unique(np.linspace(0, len(predictions) - 1, SAMPLES).round().astype(int))
    ids = [predictions.ids[p] for p in positions]
    captions = {
        i: f"{i}: {predictions.class_names[predictions.labels[p]]}" for i, p in zip(ids, positions, strict=True)
    }
    pictures: dict[str, bytes] = {}
    recipe = experiment.recipe
    if recipe.student.input == "sensor" and recipe.dataset.sensor in next(iter(experiment.index)).streams:
        pictures |= _encoded(experiment, ids, captions)
    if video:
        pictures |= _frames(experiment, ids, captions)
    return pictures


def _encoded(experiment: Experiment, ids: Sequence[str], captions: dict[str, str]) -> dict[str, bytes]:
    store = experiment.window_store
    student = new_student(experiment.recipe, len(experiment.index.labels), store.channels)
    if not isinstance(student, SensorStudent) or student.encoding.kind != "image":
        return {}
    with torch.inference_mode():
        images = {
            captions[i]: student.encoding(torch.from_numpy(store.windows(i)[:1]))[0].numpy()
            for i in ids
            if i in store.ids
        }
    names = tuple(f"{half} {axis}" for half in experiment.recipe.encoding.method.split("+") for axis in store.axes)
    encoding = experiment.recipe.encoding
    return {f"What the student sees ({encoding.method}, {encoding.scaling} scaling)": gaf_tiles(images, names)}


def _frames(experiment: Experiment, ids: Sequence[str], captions: dict[str, str]) -> dict[str, bytes]:
    store, segments = experiment.frame_store, experiment.recipe.teacher.segments
    frames = {
        captions[i]: store.frames(i, segment_indices(store.num_frames(i), segments, None))
        for i in ids
        if i in store.ids
    }
    return {"What the teacher saw (middle frame of each segment)": frame_tiles(frames)} if frames else {}
