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


def sealing(files: dict[str, bytes]) -> bytes:
    """A manifest that seals these files."""
    lines = [f'"{name}": "{hashlib.sha256(content).hexdigest()}"' for name, content in files.items()]
    return ("{" + ", ".join(lines) + "}").encode()


@pytest.mark.parametrize("count", [1, 2, 7])
def test_two_to_eight_files_are_read(count: int) -> None:
    files = {f"file{n}": bytes([n]) * n for n in range(count)}
    whole = {MANIFEST: sealing(files)} | files
    assert unpack_parcel(pack_files(whole)) == whole


@pytest.mark.parametrize("count", [0, 8])
def test_fewer_and_more_files_are_no_parcel(count: int) -> None:
    files = {f"file{n}": bytes([n]) * n for n in range(count)}
    with pytest.raises(BundleError, match=f"its table has {count + 1} files"):
        unpack_parcel(pack_files({MANIFEST: sealing(files)} | files))


def test_files_without_a_byte_are_files() -> None:
    empty = {MANIFEST: b"", SIGNATURE: b""}
    parcel = pack_files(empty)
    assert len(parcel) == 160 and unpack_parcel(parcel) == empty
    with pytest.raises(BundleError, match="its table has 2 files"):
        unpack_parcel(parcel[:-1])


@pytest.mark.parametrize(
    "parcel", [b"", b"VSKDPRC", b"VSKDPRC1", b"VSKDPRC1" + bytes(7), bytes(16), b"VSKDPRC2" + bytes(8)]
)
def test_less_than_a_head_is_no_parcel(parcel: bytes) -> None:
    with pytest.raises(BundleError, match="it does not begin as a parcel does"):
        unpack_parcel(parcel)


def test_a_head_alone_has_no_files() -> None:
    with pytest.raises(BundleError, match="its table has 0 files"):
        unpack_parcel(b"VSKDPRC1" + bytes(8))


def test_files_begin_at_multiples_of_sixteen(monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"weights": b"123"}
    whole = {MANIFEST: sealing(files)} | files
    assert len(whole[MANIFEST]) % 16
    with monkeypatch.context() as patched:
        patched.setattr("vskd.firmware_bridge.link.parcel.ALIGNMENT", 1)
        crowded = pack_files(whole)
    assert unpack_parcel(pack_files(whole)) == whole
    with pytest.raises(BundleError, match="weights has another hash than its table says"):
        unpack_parcel(crowded)


def test_a_file_is_as_long_as_its_table_says() -> None:
    """Though what there is of it has the hash."""
    files = {"weights": b"0123456789"}
    parcel = pack_files({MANIFEST: sealing(files)} | files)
    longer = parcel[:124] + struct.pack("<I", 15) + parcel[128:]
    with pytest.raises(BundleError, match="weights has another hash than its table says"):
        unpack_parcel(longer)


def test_a_signature_has_its_hash_in_the_table_alone() -> None:
    parcel = pack_files({MANIFEST: b"{}", SIGNATURE: b"signature"})
    assert unpack_parcel(parcel)[SIGNATURE] == b"signature"
    with pytest.raises(BundleError, match=f"{SIGNATURE} has another hash than its table says"):
        unpack_parcel(parcel.replace(b"signature", b"signaturf"))


def test_a_name_that_is_no_text_is_refused_by_what_there_is_of_it() -> None:
    parcel = pack_files({MANIFEST: b"{}", "weights": b"123"})
    with pytest.raises(BundleError, match="\ufffdeights is not what the manifest says"):
        unpack_parcel(parcel.replace(b"weights", b"\xffeights"))
