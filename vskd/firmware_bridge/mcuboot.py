"""A bundle's model as a signed image for the bootloader MCUboot, made by its imgtool; the optional extra `mcuboot`.

The image is a header, model.tflite, and what MCUboot checks: SHA-256, the hash of the key, an Ed25519 signature.
Firmware whose weights lie in place (`--weights in-place`) reads them behind the header, in the slot where MCUboot left
the image.
"""

import importlib.util
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from vskd.bundle.bundle import MODEL, load_bundle
from vskd.errors import BundleError, MissingExtraError, SettingError
from vskd.files import refuse_existing, write_bytes

HEADER_BYTES = 0x20
"""The least; a multiple of 16, as the weights need."""
ALIGN = 8
VERSION = re.compile(r"\d{1,3}\.\d{1,3}\.\d{1,5}(\+\d{1,10})?")
TIME_LIMIT_S = 120


@dataclass(frozen=True)
class McubootImage:
    """What was made.

    Attributes:
        path: the file.
        image_bytes: its size.
        model_bytes: of the model in it, which begins at `model_offset`.
        model_offset: size of the header.
        version: as MCUboot compares it.
    """

    path: Path
    image_bytes: int
    model_bytes: int
    model_offset: int
    version: str


def make_image(bundle: Path, out: Path, key: Path, version: str, slot_bytes: int) -> McubootImage:
    """Sign a bundle's int8 model for MCUboot.

    Args:
        bundle: its folder; all hashes are checked.
        out: file to write.
        key: private Ed25519 key in PEM, as `imgtool keygen -t ed25519` and `openssl genpkey -algorithm ed25519` make.
        version: of the image, e.g. `1.2.0`.
        slot_bytes: size of the slot that must hold it, with MCUboot's trailer.

    Raises:
        MissingExtraError: imgtool is not installed.
        SettingError: the version is none.
        BundleError: the bundle is damaged, or imgtool refuses: a key that is none, a slot that is too small.
        WriteError: the file cannot be written, or something is there.
    """
    if importlib.util.find_spec("imgtool") is None:
        raise MissingExtraError("imgtool", "mcuboot")
    if VERSION.fullmatch(version) is None:
        raise SettingError(f"version is '{version}'", "Write major.minor.revision, e.g. 1.2.0, or 1.2.0+3")
    refuse_existing(out, "an image")
    content = load_bundle(bundle).read(MODEL)
    with tempfile.TemporaryDirectory(prefix="vskd-") as name:
        image = _signed(Path(name), content, key.resolve(), version, slot_bytes)
    write_bytes(out, image)
    return McubootImage(out, len(image), len(content), HEADER_BYTES, version)


def _signed(folder: Path, content: bytes, key: Path, version: str, slot_bytes: int) -> bytes:
    given, made = folder / "model.bin", folder / "image.bin"
    given.write_bytes(content)
    command = [sys.executable, "-m", "imgtool.main", "sign", "--key", str(key), "--version", version]
    command += ["--header-size", str(HEADER_BYTES), "--pad-header", "--align", str(ALIGN)]
    command += ["--slot-size", str(slot_bytes), str(given), str(made)]
    done = subprocess.run(
        command, capture_output=True, encoding="utf-8", errors="replace", timeout=TIME_LIMIT_S, check=False
    )
    if done.returncode != 0 or not made.is_file():
        said = (done.stderr.strip() or done.stdout.strip() or "no reason").splitlines()[-1]
        raise BundleError(
            f"imgtool makes no image with the key {key}: {said[:300]}",
            "Give an Ed25519 key in PEM (`imgtool keygen -t ed25519 --key FILE`) and a slot that holds the model",
        )
    return made.read_bytes()
