"""From a finished run to its bundle: who calibrates, what the contract says, and what is refused."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from vskd.bundle.bundle import load_bundle, verify_bundle
from vskd.datasets.synthetic.dataset import index
from vskd.distillation.model import Model
from vskd.distillation.run import RunFolder
from vskd.errors import BundleError, RecipeError, RunError
from vskd.evaluation.evaluate import open_experiment
from vskd.export import run_export
from vskd.export.run_export import _pruned, _spread, export_run
from vskd.export.scoring import Checker
from vskd.files import sha256_file
from vskd.preprocessing.stores.window_store import WindowStore


def test_calibration_knows_training_recordings_only(finished_comparison, synthetic_root: Path) -> None:
    manifest = load_bundle(finished_comparison.bundle).manifest
    training = json.loads((finished_comparison.student / "training.json").read_text(encoding="utf-8"))
    odd = {r.id for r in index(synthetic_root) if int(r.subject) % 2 == 1}
    calibration = set(manifest.quantization.calibration_ids)
    assert calibration and calibration <= odd - set(training["validation"])
    assert manifest.accuracy.split == "validation"
    assert manifest.accuracy.recordings == len(training["validation"])


def test_the_contract_is_read_off_the_data(finished_comparison) -> None:
    contract = load_bundle(finished_comparison.bundle).manifest.contract
    assert (contract.stream, contract.unit, contract.rate_hz) == ("accelerometer", "g", 50.0)
    assert (contract.window_mode, contract.length) == ("whole", 128)
    assert (contract.encoding.method, contract.encoding.image_size) == ("gasf+gadf", 16)
    assert contract.range_limit >= contract.encoding.limit


def test_the_bundle_says_where_it_comes_from(finished_comparison, synthetic_root: Path) -> None:
    origin = load_bundle(finished_comparison.bundle).manifest.provenance
    facts = json.loads((finished_comparison.student / "environment.json").read_text(encoding="utf-8"))
    assert (origin.recipe, origin.dataset, origin.seed) == ("demo", "synthetic", 0)
    assert (origin.protocol.name, origin.protocol.hash) == (facts["protocol"], facts["protocol_hash"])
    assert origin.labels == index(synthetic_root).labels
    assert origin.split_sizes.test == 12


def test_the_bundle_verifies(finished_comparison) -> None:
    assert verify_bundle(finished_comparison.bundle).golden_vectors > 0


def test_the_bundle_says_what_it_learned_from(finished_comparison, synthetic_root: Path) -> None:
    """Training and validation, by hashes of the files and of the samples in the store; nobody who is tested."""
    bundle = load_bundle(finished_comparison.bundle)
    learned = bundle.learned()
    assert learned is not None and learned.recordings == 12
    (path,) = (finished_comparison.out / "cache").glob("window-*.h5")
    samples = WindowStore(path).contents
    files = {r.id: sha256_file(r.stream("accelerometer").path) for r in index(synthetic_root)}
    trained = [r.id for r in index(synthetic_root) if int(r.subject) % 2 == 1]
    assert learned.fingerprints() == {hashes[i][:16] for hashes in (samples, files) for i in trained}
    assert (bundle.path / "learned.json").stat().st_size < 350


def test_of_teachers_of_the_same_streams_too(finished_images) -> None:
    """What the teacher saw is what it has handed on."""
    experiment = open_experiment(RunFolder(finished_images.student))
    folder = SimpleNamespace(teacher_runs=lambda: (finished_images.teacher,))
    taught = RunFolder(finished_images.teacher).learned()
    assert taught is not None and taught.contents
    assert run_export._learned(experiment, folder, ()).fingerprints() == set(taught.contents)
    folder.teacher_runs = lambda: ()
    assert run_export._learned(experiment, folder, ()).fingerprints() == set()


def test_a_teacher_is_not_exported(finished_comparison, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="is a teacher's run"):
        export_run(finished_comparison.teacher, tmp_path / "bundle")
    assert list(tmp_path.iterdir()) == []


def test_over_budget_leaves_nothing(finished_comparison, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A network that is said to be perfect, and a budget of nothing."""
    ship = run_export.export_model
    monkeypatch.setattr(Checker, "accuracy", 1.0)
    monkeypatch.setattr(run_export, "export_model", lambda **given: ship(**{**given, "max_accuracy_drop": 0.0}))
    with pytest.raises(BundleError, match="nothing was written"):
        export_run(finished_comparison.student, tmp_path / "bundle")
    assert list(tmp_path.iterdir()) == []


def test_only_squeezenet_lw_has_a_stem_to_prune(finished_comparison, tiny_student: Model, tmp_path: Path) -> None:
    assert _pruned(tiny_student, 0.0) is tiny_student
    assert _pruned(tiny_student, None) is tiny_student
    with pytest.raises(RecipeError, match=r"prune_stem does nothing here: it counts only where .* squeezenet-lw"):
        export_run(finished_comparison.student, tmp_path / "bundle", settings=["export.prune_stem=1e-3"])
    assert list(tmp_path.iterdir()) == []


def test_spread_is_even_and_loses_nobody() -> None:
    ids = tuple(f"r{i}" for i in range(10))
    assert _spread(ids, 4) == (("r0", "r3", "r6", "r9"), ("r1", "r2", "r4", "r5", "r7", "r8"))
    assert _spread(ids, 99) == (ids, ())
