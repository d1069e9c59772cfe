"""The small exported networks of tests/export, for the tests of what is deployed; and a bundle of clips."""

from pathlib import Path

import pytest

from tests.conftest import TINY_CLIPS, made_once
from tests.export.conftest import (  # noqa: F401
    bundle_copy,
    out,
    sealed,
    tiny_float,
    tiny_int8,
    tiny_network,
    tiny_student,
)


@pytest.fixture(scope="session")
def clip_bundle(moves_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a student of two epochs. Read it, never change it."""
    pytest.importorskip("litert_torch", reason="needs the extra 'export'")
    from vskd.distillation.train import distill
    from vskd.export.run_export import export_run
    from vskd.recipe import load_recipe

    def make(root: Path) -> None:
        words = (
            *TINY_CLIPS,
            "export.max_accuracy_drop=1.0",
            "export.calibration_recordings=6",
            f"dataset.path={moves_root}",
        )
        run = distill(load_recipe("kd3d-small", words).undistilled(), root / "run", cache=root / "cache").run
        export_run(run, root / "bundle")

    return made_once(tmp_path_factory, "clip-bundle", make) / "bundle"
