"""MCUboot images: imgtool itself verifies them, and the model lies where it is said to."""

import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.firmware_bridge.bundles import make_bundle, sensor_contract
from vskd.bundle.bundle import MODEL
from vskd.errors import BundleError, MissingExtraError, SettingError
from vskd.files import WriteError
from vskd.firmware_bridge import mcuboot
from vskd.firmware_bridge.mcuboot import HEADER_BYTES, make_image


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return make_bundle(tmp_path / "bundle", sensor_contract()).path


def imgtool(*words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "imgtool.main", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_an_image_that_imgtool_verifies(bundle: Path, tmp_path: Path) -> None:
    if importlib.util.find_spec("imgtool") is None:
        pytest.skip("needs the extra 'mcuboot' (imgtool)")
    key, other = tmp_path / "key.pem", tmp_path / "other.pem"
    for path in (key, other):
        assert imgtool("keygen", "--key", path, "--type", "ed25519").returncode == 0
    made = make_image(bundle, tmp_path / "image.bin", key, "1.2.3+4", 65_536)
    content, image = (bundle / MODEL).read_bytes(), made.path.read_bytes()
    assert image[:4] == bytes.fromhex("3db8f396")  # IMAGE_MAGIC, little-endian
    assert image[HEADER_BYTES : HEADER_BYTES + len(content)] == content
    assert (made.image_bytes, made.model_bytes, made.model_offset) == (len(image), len(content), 32)
    assert made.image_bytes - made.model_bytes == 176
    verified = imgtool("verify", "--key", key, made.path)
    assert verified.returncode == 0 and "1.2.3+4" in verified.stdout
    assert imgtool("verify", "--key", other, made.path).returncode != 0
    made.path.write_bytes(image[:100] + bytes([image[100] ^ 1]) + image[101:])
    assert imgtool("verify", "--key", key, made.path).returncode != 0
    before = sorted(tmp_path.iterdir())
    for wrong, slot in ((key, 100), (bundle / "manifest.json", 65_536), (tmp_path / "nowhere.pem", 65_536)):
        with pytest.raises(BundleError, match="imgtool makes no image with the key"):
            make_image(bundle, tmp_path / "second.bin", wrong, "1.0.0", slot)
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("version", ["", "1", "1.2", "v1.2.3", "1.2.3.4", "1.2.3 "])
def test_what_is_no_version_is_refused(version: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mcuboot.importlib.util, "find_spec", lambda name: name)
    with pytest.raises(SettingError, match=r"Write major\.minor\.revision"):
        make_image(tmp_path, tmp_path / "image.bin", tmp_path / "key.pem", version, 65_536)


def test_without_imgtool_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mcuboot.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"imgtool.*vskd\[mcuboot\]"):
        make_image(tmp_path, tmp_path / "image.bin", tmp_path / "key.pem", "1.0.0", 65_536)


@pytest.fixture
def tool(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """An imgtool that makes an image, or says why not."""
    told: dict[str, Any] = {"code": 0, "error": "", "output": "", "makes": True}

    def run(command: list[str], **settings: Any) -> subprocess.CompletedProcess[str]:
        told.update(command=command, settings=settings, model=Path(command[-2]).read_bytes())
        if told["makes"]:
            Path(command[-1]).write_bytes(b"image of " + told["model"])
        return subprocess.CompletedProcess(command, told["code"], told["output"], told["error"])

    monkeypatch.setattr(mcuboot.importlib.util, "find_spec", lambda name: name == "imgtool" or None)
    monkeypatch.setattr(mcuboot.subprocess, "run", run)
    return told


def test_the_tool_is_asked_for_a_header_that_weights_can_follow(
    bundle: Path, tmp_path: Path, tool: dict[str, Any]
) -> None:
    made = make_image(bundle, tmp_path / "image.bin", tmp_path / "key.pem", "1.2.3", 65_536)
    content = (bundle / MODEL).read_bytes()
    assert tool["command"][:-2] == [
        *(sys.executable, "-m", "imgtool.main", "sign", "--key", str(tmp_path / "key.pem"), "--version", "1.2.3"),
        *("--header-size", "32", "--pad-header", "--align", "8", "--slot-size", "65536"),
    ]
    assert tool["model"] == content and made.path.read_bytes() == b"image of " + content
    assert made == mcuboot.McubootImage(tmp_path / "image.bin", 9 + len(content), len(content), 32, "1.2.3")
    assert tool["settings"]["timeout"] == 120


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"code": 1, "error": "first\nlast", "output": "x"}, "last"),
        ({"code": 1, "output": "said here"}, "said here"),
        ({"makes": False}, "no reason"),
        ({"code": 1, "error": "b" * 400}, "b" * 300),
    ],
)
def test_what_the_tool_says_is_in_the_error(
    bundle: Path, tmp_path: Path, tool: dict[str, Any], told: dict[str, Any], said: str
) -> None:
    tool.update(told)
    with pytest.raises(BundleError) as caught:
        make_image(bundle, tmp_path / "image.bin", tmp_path / "key.pem", "1.2.3", 65_536)
    assert caught.value.problem.endswith(f"{tmp_path / 'key.pem'}: {said}") and not (tmp_path / "image.bin").exists()


@pytest.mark.parametrize("version", ["1.2.0", "255.255.65535+4294967295"])
def test_versions_that_mcuboot_knows_are_taken(
    bundle: Path, tmp_path: Path, tool: dict[str, Any], version: str
) -> None:
    assert make_image(bundle, tmp_path / "i.bin", tmp_path / "key.pem", version, 65_536).version == version
    assert version in tool["command"]


def test_what_the_tool_says_is_heard_and_its_folder_is_gone_afterwards(
    bundle: Path, tmp_path: Path, tool: dict[str, Any]
) -> None:
    make_image(bundle, tmp_path / "image.bin", tmp_path / "key.pem", "1.2.3", 65_536)
    with pytest.raises(WriteError, match=r"image\.bin is there already, and an image replaces nothing"):
        make_image(bundle, tmp_path / "image.bin", tmp_path / "key.pem", "1.2.4", 65_536)
    assert (tool["settings"]["capture_output"], tool["settings"]["check"]) == (True, False)
    folder = Path(tool["command"][-1]).parent
    assert folder == Path(tool["command"][-2]).parent
    assert folder.name.startswith("vskd-") and not folder.exists()
