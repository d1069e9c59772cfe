"""Pictures of a report about a network of images: where it looks, and which recordings it finds alike."""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from vskd.evaluation.predictions import Predictions
from vskd.evaluation.report.embedding_map import embedding_map, embedding_positions
from vskd.evaluation.report.grad_cam import grad_cam
from vskd.modalities.base import Inputs
from vskd.modalities.tiles import heat_tiles

SAMPLES = 12
"""Images with heat maps; half of them wrong answers, where there are as many."""
DOTS = 600
"""Recordings on the embedding map."""
BATCH = 64


def image_pictures(network: nn.Module, inputs: Inputs, predictions: Predictions) -> dict[str, bytes]:
    """Caption -> PNG.

    Args:
        network: of images, in evaluation mode; has a feature map called "deep" if heat maps are wanted.
        inputs: where its images are read.
        predictions: what it answered.
    """
    return _heat_maps(network, inputs, predictions) | _embedding_map(network, inputs, predictions)


def chosen_samples(predictions: Predictions, count: int = SAMPLES) -> list[int]:
    """Rows to show: wrong answers, spread over all of them, for up to half, then right ones."""
    wrong, right = np.flatnonzero(~predictions.correct), np.flatnonzero(predictions.correct)
    first = _spread(wrong, max(count // 2, count - len(right)))
    return [*first, *_spread(right, count - len(first))]


def _spread(rows: npt.NDArray[np.int64], count: int) -> list[int]:
    """At most `count` of `rows`, evenly spread."""
    return [int(rows[p]) for p in np.unique(np.linspace(0, len(rows) - 1, min(count, len(rows))).round().astype(int))]


def _images(inputs: Inputs, ids: tuple[str, ...]) -> Tensor:
    return torch.cat([batch.inputs for batch in inputs.batches(ids, batch_size=BATCH)])


def _heat_maps(network: nn.Module, inputs: Inputs, predictions: Predictions) -> dict[str, bytes]:
    rows = chosen_samples(predictions)
    images = _images(inputs, tuple(predictions.ids[r] for r in rows))
    with torch.no_grad():
        if "deep" not in network(images[:1]).features:
            return {}
    answers = predictions.predicted[rows]
    heat = grad_cam(network, images, torch.from_numpy(answers))
    names = predictions.class_names
    captions = [
        f"{names[answer]}" + ("" if answer == truth else f"\ninstead of {names[truth]}")
        for answer, truth in zip(answers, predictions.labels[rows], strict=True)
    ]
    tiles = heat_tiles(images.permute(0, 2, 3, 1).numpy(), heat.numpy(), captions)
    return {"What speaks for the answer (Grad-CAM on the last feature map; wrong answers first)": tiles}


def _embedding_map(network: nn.Module, inputs: Inputs, predictions: Predictions) -> dict[str, bytes]:
    rows = np.array(_spread(np.arange(len(predictions)), DOTS))
    if len(rows) < 5:  # no neighbours to speak of
        return {}
    shown = predictions.take(rows)
    with torch.inference_mode():
        embeddings = np.concatenate(
            [network(batch.inputs).embedding.float().numpy() for batch in inputs.batches(shown.ids, batch_size=BATCH)]
        )
    picture = embedding_map(embedding_positions(embeddings), shown.labels, shown.correct, shown.class_names)
    of = f"{len(shown)} of {len(predictions)} recordings"
    return {f"Embeddings of {of} in the plane (t-SNE); only who neighbours whom has a meaning": picture}
