"""Parcels: what a device can check of a bundle, it checks, in both languages."""

import hashlib
import json
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.firmware_bridge.bundles import make_bundle, sensor_contract
from tests.firmware_bridge.link.slot_rules import SLOT, InC
from vskd.bundle.bundle import MANIFEST, MODEL, SIGNATURE, Bundle
from vskd.errors import BundleError
from vskd.firmware_bridge.link.messages import Outcome
from vskd.firmware_bridge.link.parcel import is_parcel, pack_bundle, pack_files, unpack_parcel


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return make_bundle(tmp_path_factory.mktemp("parcel") / "bundle", sensor_contract())


@pytest.fixture
def device(slots_harness: Path) -> Iterator[InC]:
    made = InC(slots_harness, check=True)
    yield made
    made.close()


def test_a_bundle_there_and_back(bundle: Bundle, device: InC) -> None:
    parcel = pack_bundle(bundle)
    assert unpack_parcel(parcel) == {MANIFEST: bundle.read_manifest(), MODEL: bundle.read(MODEL)}
    assert len(parcel) < SLOT
    assert device.send(parcel) == (0, 0) and device.boot() == 0


def test_the_model_lies_where_it_can_be_used(bundle: Bundle) -> None:
    parcel, model = pack_bundle(bundle), bundle.read(MODEL)
    assert parcel.index(model) % 16 == 0


def test_a_signature_goes_with_it(bundle: Bundle, tmp_path: Path) -> None:
    signed = make_bundle(tmp_path / "signed", sensor_contract())
    (signed.path / SIGNATURE).write_bytes(b"a signature")
    assert unpack_parcel(pack_bundle(signed))[SIGNATURE] == b"a signature"


def test_the_table() -> None:
    files = {MANIFEST: b"{}", "a": b"0123456789abcdef0"}
    parcel = pack_files(files)
    assert parcel[:16] == b"VSKDPRC1" + struct.pack("<II", 2, 0)
    assert parcel[16:48].rstrip(b"\0") == b"manifest.json"
    assert struct.unpack("<II", parcel[48:56]) == (160, 2)
    assert struct.unpack("<II", parcel[120:128]) == (176, 17) and parcel[176:] == files["a"]


def spoilt(bundle: Bundle) -> dict[str, bytes]:
    parcel, files = pack_bundle(bundle), unpack_parcel(pack_bundle(bundle))
    model = files[MODEL]
    other = model[:-1] + bytes([model[-1] ^ 1])
    manifest = json.loads(files[MANIFEST])
    manifest["files"][MODEL] = "0" * 64
    at = parcel.index(model)
    return {
        "a bit of the model": parcel[: at + 50] + bytes([parcel[at + 50] ^ 1]) + parcel[at + 51 :],
        "another model": pack_files({MANIFEST: files[MANIFEST], MODEL: other}),
        "another manifest": pack_files({MANIFEST: json.dumps(manifest).encode(), MODEL: model}),
        "the model under another name": pack_files({MANIFEST: files[MANIFEST], "model_float.tflit": model}),
        "no manifest": pack_files({MODEL: model, SIGNATURE: b""}),
        "a manifest alone": pack_files({MANIFEST: files[MANIFEST]}),
        "nine files": pack_files({MANIFEST: files[MANIFEST]} | {f"{k}": b"" for k in range(8)}),
        "cut": parcel[:-1],
        "cut in the table": parcel[:100],
        "no parcel": bytes(4000),
        "another beginning": b"X" + parcel[1:],
        "a file beyond the end": parcel[:52] + struct.pack("<I", 1 << 31) + parcel[56:],
    }


def test_what_is_damaged_is_refused_by_both(bundle: Bundle, device: InC) -> None:
    for name, parcel in spoilt(bundle).items():
        assert not is_parcel(parcel), name
        with pytest.raises(BundleError, match=r"The parcel is damaged: .* Send the bundle again"):
            unpack_parcel(parcel)
        assert device.send(parcel) == (int(Outcome.OTHER_MANIFEST), 0), name
    assert device.boot() == -1


def test_the_line_that_seals_a_file_may_stand_anywhere_in_a_long_manifest(device: InC) -> None:
    model = b"weights"
    line = f'"model.tflite": "{hashlib.sha256(model).hexdigest()}"'.encode()
    for place in (0, 150, 255, 256, 400, 511, 512, 700):
        manifest = b" " * place + line + b" " * (700 - place)
        assert device.send(pack_files({MANIFEST: manifest, MODEL: model}))[0] == 0, place
        device.boot()
        assert device.confirm() == 1
