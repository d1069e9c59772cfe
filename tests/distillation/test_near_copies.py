"""A training says that what judges it nearly equals what it learns from: once, and on its record."""

import logging
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy.io import loadmat, savemat

from vskd.datasets.sensors import copies_file
from vskd.distillation import near_copies
from vskd.distillation.experiment import prepare
from vskd.distillation.near_copies import look_for_copies
from vskd.distillation.run import RunFolder
from vskd.distillation.train import distill
from vskd.evaluation.evaluate import evaluate_run
from vskd.files import sha256_file
from vskd.library_logs import SAID_ONCE
from vskd.recipe import Recipe

MakeRecipe = Callable[..., Recipe]
ALONE = "distiller=none"


@pytest.fixture(autouse=True)
def nothing_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(near_copies, "_said", set())


@pytest.fixture
def leaky(synthetic_root: Path, tmp_path: Path) -> Path:
    """Recordings of a training subject without a row, under names of one that validates and one that is tested."""
    world = Path(shutil.copytree(synthetic_root, tmp_path / "world"))
    for original, copy in (("a1_s1_t1", "a1_s2_t1"), ("a2_s1_t2", "a1_s2_t2"), ("a2_s1_t1", "a2_s3_t1")):
        samples = loadmat(world / "Inertial" / f"{original}_inertial.mat")["d_iner"]
        changed = np.delete(samples, len(samples) // 2, axis=0)
        savemat(world / "Inertial" / f"{copy}_inertial.mat", {"d_iner": changed})
    return world


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING and r.name == near_copies.__name__]


def test_how_many_which_and_what_to_do(
    tiny: MakeRecipe, leaky: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    experiment = prepare(tiny(ALONE, root=leaky), tmp_path / "cache")
    split = experiment.training_split(experiment.recipe.student.training)
    assert "a2_s3_t1" in split.validation and "a1_s2_t1" in split.test
    pairs = [["a1_s1_t1", "a1_s2_t1"], ["a2_s1_t2", "a1_s2_t2"], ["a2_s1_t1", "a2_s3_t1"]]
    for _ in range(2):
        assert look_for_copies(experiment) == {"pairs": pairs, "skipped": ""}
    (said,) = warnings(caplog)
    assert all(getattr(r, SAID_ONCE) for r in caplog.records if r.name == near_copies.__name__), "by one worker of many"
    assert said.startswith("2 test and 1 validation recording(s)")
    assert all(f"{one} = {other}" in said for one, other in pairs)
    audit = f"vskd datasets audit synthetic --data {leaky} --protocol cross-subject --stream accelerometer"
    assert audit in said


def test_a_clean_split_and_a_student_without_a_sensor_have_nothing_to_say(
    tiny: MakeRecipe, leaky: Path, synthetic_root: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clean = prepare(tiny(ALONE, root=synthetic_root), tmp_path / "cache")
    assert look_for_copies(clean) == {"pairs": [], "skipped": ""}
    inside = prepare(tiny(ALONE, "dataset.leave_out=['1']", root=leaky), tmp_path / "cache")
    bare = inside.recipe.updated("student.training.validation=none", "student.training.select=last")
    assert look_for_copies(inside.of_teacher(bare)) == {"pairs": [], "skipped": ""}, "who is left out teaches nothing"
    video = prepare(tiny(root=leaky).of_teacher(), tmp_path / "cache")
    assert look_for_copies(video) is None
    assert warnings(caplog) == []


def test_it_changes_no_weights_and_stands_on_record_and_in_the_results(
    tiny: MakeRecipe, leaky: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = tiny(ALONE, root=leaky)
    runs = [tmp_path / name for name in ("looked", "skipped")]
    distill(recipe, runs[0], cache=tmp_path / "cache")
    monkeypatch.setattr(copies_file, "MOST_VALUES", 0)
    distill(recipe, runs[1], cache=tmp_path / "another")
    folders = [RunFolder(run) for run in runs]
    assert len({sha256_file(folder.weights_file) for folder in folders}) == 1
    looked, skipped = (folder.facts()["near_copies"] for folder in folders)
    assert len(looked["pairs"]) == 3 and skipped["pairs"] == [] and "more than 0" in skipped["skipped"]
    assert any("3 test or validation recordings nearly equal" in note for note in evaluate_run(runs[0]).notes)
    assert any("not looked for" in note for note in evaluate_run(runs[1]).notes)
    distill(recipe, runs[0], cache=tmp_path / "cache")
    assert folders[0].facts()["near_copies"] == looked, "a finished run keeps its record"
