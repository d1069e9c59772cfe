"""The shipped recipe of long recordings, in tiny: trained, exported within its budget, verified, and the same in C."""

from itertools import islice
from pathlib import Path

import pytest

from vskd.bundle.budget import check_fits
from vskd.bundle.bundle import MODEL, load_bundle, verify_bundle
from vskd.distillation.train import distill
from vskd.firmware_bridge.conformance import run_conformance
from vskd.firmware_bridge.footprint import measure_needs
from vskd.recipe import load_recipe

TINY_DAY = (
    *("dataset.protocol=cross-subject", "student.sees.length=32", "student.sees.rate_hz=25.0", "student.sees.stride=8"),
    *("student.network=separable-resnet1d-050", "student.network.embedding_size=8", "student.training.epochs=1"),
    "export.max_accuracy_drop=1.0",
)


@pytest.mark.slow
def test_a_day_with_rest_becomes_firmware(long_root: Path, tmp_path: Path) -> None:
    pytest.importorskip("litert_torch", reason="needs the extra 'export'")
    from vskd.export.run_export import export_run

    recipe = load_recipe("day-stream", (*TINY_DAY, f"dataset.path={long_root}"))
    assert recipe.export.budget is not None
    run = distill(recipe, tmp_path / "run", cache=tmp_path / "cache").run
    bundle = load_bundle(export_run(run, tmp_path / "bundle", measure=measure_needs).bundle.path)
    assert verify_bundle(bundle.path).golden_vectors > 0
    assert "none" in bundle.manifest.provenance.labels  # rest, which nobody labelled
    assert bundle.manifest.contract.window_mode == "sliding"
    needs = measure_needs(bundle.read(MODEL), bundle.manifest.contract)
    check_fits(needs, recipe.export.budget)
    python, _, c = islice(run_conformance(bundle.path), 3)
    assert (python.outcome, c.name) == ("bit-exact", "C, gcc")
    assert c.outcome in ("bit-exact", "skipped") and c.decisions == python.decisions
