"""The process that replays a bundle: its limits, and what it answers."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bundle.test_bundle import reseal
from vskd.bundle import contained
from vskd.errors import BundleError


def test_the_child_limits_itself_before_it_reads_anything(tmp_path: Path) -> None:
    program = (
        "import resource, sys; from vskd.bundle import replay_child; replay_child.main(sys.argv[1], '0' * 64);"
        "print(resource.getrlimit(resource.RLIMIT_FSIZE)[0], resource.getrlimit(resource.RLIMIT_CPU)[0])"
    )
    words = [sys.executable, "-c", program, str(tmp_path / "none")]
    said = subprocess.run(words, env=contained._environment(), capture_output=True, check=True, text=True).stdout
    answer, limits = said.split("}")
    assert "There is no folder" in answer
    assert limits.split() == [str(1 << 20), "121"]


def test_the_child_runs_the_vectors(bundle_copy: Path) -> None:
    golden = json.loads((bundle_copy / "golden.json").read_text())
    golden["vectors"][0]["output"][0] += 1
    (bundle_copy / "golden.json").write_text(json.dumps(golden))
    reseal(bundle_copy)
    digest = (bundle_copy / "manifest.sha256").read_text().split()[0]
    with pytest.raises(BundleError, match=r"golden\.json: vector synthetic-0 gives"):
        contained.replay_contained(bundle_copy, digest)
