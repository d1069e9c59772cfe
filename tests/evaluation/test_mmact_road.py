"""MMAct in exactly its layout: from files to a student that a teacher of the publisher's poses taught, and figures."""

from pathlib import Path

import pytest

from tests.datasets.sensors.test_mmact import write_execution, write_pose
from vskd.datasets.catalog import get_dataset
from vskd.datasets.splits.audit import audit_split
from vskd.datasets.splits.protocol import load_protocol
from vskd.distillation.train import distill
from vskd.evaluation.evaluate import evaluate_run
from vskd.recipe import load_recipe

PLACES = ((1, 1, 1), (2, 1, 1), (17, 1, 1), (18, 4, 2))
RECIPE = """
name: watch
dataset: {name: mmact, protocol: cross-subject}
student:
  sees: {modality: window, streams: [accelerometer-watch], window: sliding, rate_hz: 50.0, length: 64, stride: 32,
         encoding: {method: raw, scaling: fixed, limit: 20.0}}
  network: {name: cnn1d, embedding_size: 8}
  training: {epochs: 1, batch_size: 8, validation: none, select: last}
teachers:
- sees: {modality: skeleton, streams: [pose-cam1], least_confidence: 0.3, length: 32}
  network: {name: cnn1d, embedding_size: 8}
  training: {epochs: 1, batch_size: 8, validation: none, select: last}
distiller: kd
"""


@pytest.mark.slow
def test_from_the_publishers_files_to_figures(tmp_path: Path) -> None:
    for subject, scene, session in PLACES:
        for action, pace in (("using_phone", 0.7), ("pointing", 2.0)):
            write_execution(tmp_path / "data", subject, scene, session, action, pace=pace)
            write_pose(tmp_path / "data", "cross_subject", subject, scene, session, action, frames=30)
    index = get_dataset("mmact").index(tmp_path / "data")
    split = load_protocol("mmact", "cross-subject").split(index)
    audit_split(split, index, streams=("accelerometer-watch", "pose-cam1"))
    (tmp_path / "watch.yaml").write_text(RECIPE)
    recipe = load_recipe(str(tmp_path / "watch.yaml"), (f"dataset.path={tmp_path / 'data'}",))
    distill(recipe, tmp_path / "run", cache=tmp_path / "cache")
    found = evaluate_run(tmp_path / "run")
    assert (found.dataset, found.n, found.distiller) == ("mmact", 4, "kd")
    assert found.windows is not None and found.windows.n > found.n  # windows have rows of their own
    assert found.teacher is not None and found.mean_average_precision is not None
    shown = [sum(row) for row in found.confusion]
    assert {name for name, count in zip(index.labels, shown, strict=True) if count} == {"using_phone", "pointing"}
