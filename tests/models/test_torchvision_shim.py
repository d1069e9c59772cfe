"""torchvision must import beside a CPU build of torch, whichever of our modules is imported first."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from vskd.errors import VskdError
from vskd.models import torchvision_shim
from vskd.models.torchvision_shim import load_torchvision


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)


def test_fresh_process_gets_models_and_transforms() -> None:
    done = run(
        "from vskd.models.torchvision_shim import load_torchvision\n"
        "tv = load_torchvision()\n"
        "from torchvision.transforms import v2\n"
        "assert tv.models.resnet18(weights=None).fc.in_features == 512\n"
        "assert load_torchvision() is tv\n"
        "assert tv.models.video.mc3_18 and tv.models.convnext.ConvNeXt\n"
        "from vskd.models import torchvision_shim as shim\n"
        "shim._define_missing_operators.__wrapped__()"  # what is there is not defined again
    )
    assert done.returncode == 0, done.stderr


def test_importing_the_package_imports_no_torchvision() -> None:
    done = run("import sys, vskd.models.catalog; assert 'torchvision' not in sys.modules")
    assert done.returncode == 0, done.stderr


def test_missing_torchvision_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torchvision_shim.importlib.util, "find_spec", lambda name: None)
    load_torchvision.cache_clear()
    with pytest.raises(VskdError, match="pip install"):
        load_torchvision()


def test_a_folder_that_only_has_the_name_is_no_torchvision(monkeypatch: pytest.MonkeyPatch) -> None:
    found = SimpleNamespace(origin=None)
    monkeypatch.setattr(torchvision_shim.importlib.util, "find_spec", lambda name: found)
    load_torchvision.cache_clear()
    with pytest.raises(VskdError, match="torchvision is not installed"):
        load_torchvision()


def test_a_compiled_library_that_is_absent_or_damaged_does_not_load(tmp_path: Path) -> None:
    assert not torchvision_shim._compiled_library_loads(tmp_path)
    (tmp_path / "_C.so").write_bytes(b"no library")
    (tmp_path / "_C.pyd").write_bytes(b"no library")
    assert not torchvision_shim._compiled_library_loads(tmp_path)
