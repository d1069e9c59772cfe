"""Signatures: who signed is named, and every other bundle, key and signature is refused."""

import base64
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.bundle.test_bundle import reseal
from vskd import load_bundle as open_bundle
from vskd.bundle import signature
from vskd.bundle.bundle import MANIFEST, SIGNATURE, load_bundle
from vskd.bundle.signature import load_signed, sign_bundle, verify_signature
from vskd.errors import BundleError

pytestmark = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="needs OpenSSH's ssh-keygen")


def make_key(path: Path, kind: str = "ed25519", comment: str = "maker@example") -> Path:
    command = ["ssh-keygen", "-q", "-t", kind, "-N", "", "-C", comment, "-f", str(path)]
    subprocess.run([*command, "-b", "1024"] if kind == "rsa" else command, check=True)
    return path


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the keys `maker`, `stranger` and `rsa`."""
    folder = tmp_path_factory.mktemp("keys")
    make_key(folder / "maker")
    make_key(folder / "stranger", comment="stranger")
    make_key(folder / "rsa", kind="rsa")
    return folder


def allowed(keys: Path, *lines: str) -> Path:
    file = keys / f"allowed_signers_{len(list(keys.iterdir()))}"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def public(key: Path) -> str:
    return " ".join(key.with_suffix(".pub").read_text(encoding="utf-8").split()[:2])


def test_who_signed_is_named_and_the_bundle_stays_one(bundle_copy: Path, keys: Path) -> None:
    before = load_bundle(bundle_copy).digest
    assert sign_bundle(bundle_copy, keys / "maker") == bundle_copy / SIGNATURE
    signer = verify_signature(bundle_copy, keys / "maker.pub")
    assert (
        (signer.name, signer.digest) == ("maker@example", before) == ("maker@example", load_bundle(bundle_copy).digest)
    )
    assert load_signed(bundle_copy, keys / "maker.pub").digest == before
    assert open_bundle(bundle_copy, signed_by=keys / "maker.pub").bundle.digest == before


def test_allowed_signers_of_openssh_with_remarks_names_and_several_keys(bundle_copy: Path, keys: Path) -> None:
    sign_bundle(bundle_copy, keys / "maker")
    other, maker = public(keys / "stranger"), public(keys / "maker")
    file = allowed(keys, "# team", "", f"other {other}", f'release namespaces="vskd-bundle" {maker}')
    assert verify_signature(bundle_copy, file).name == "release"
    with pytest.raises(BundleError, match="does not fit"):
        verify_signature(bundle_copy, allowed(keys, f'release namespaces="file" {maker}'))


def test_openssh_checks_it_without_this_package(bundle_copy: Path, keys: Path) -> None:
    sign_bundle(bundle_copy, keys / "maker")
    file = allowed(keys, f"maker {public(keys / 'maker')}")
    words = ["-Y", "verify", "-f", str(file), "-I", "maker", "-n", "vskd-bundle", "-s", str(bundle_copy / SIGNATURE)]
    done = subprocess.run(["ssh-keygen", *words], input=(bundle_copy / MANIFEST).read_bytes(), capture_output=True)
    assert done.returncode == 0


def test_signing_again_replaces_the_signature(bundle_copy: Path, keys: Path) -> None:
    sign_bundle(bundle_copy, keys / "stranger")
    sign_bundle(bundle_copy, keys / "maker")
    assert verify_signature(bundle_copy, keys / "maker.pub").name == "maker@example"
    with pytest.raises(BundleError, match="is by nobody in"):
        verify_signature(bundle_copy, keys / "stranger.pub")


def test_a_bundle_whose_hashes_an_attacker_made_fit_again_is_refused(bundle_copy: Path, keys: Path) -> None:
    sign_bundle(bundle_copy, keys / "maker")
    (bundle_copy / "MODEL_CARD.md").write_text("Better.", encoding="utf-8")
    reseal(bundle_copy)
    assert load_bundle(bundle_copy)
    with pytest.raises(BundleError, match=f"{SIGNATURE} does not fit .*{MANIFEST}"):
        verify_signature(bundle_copy, keys / "maker.pub")
    with pytest.raises(BundleError, match="does not fit"):
        open_bundle(bundle_copy, signed_by=keys / "maker.pub")


def test_no_signature_is_asked_for_where_no_keys_are_given(bundle_copy: Path, keys: Path) -> None:
    assert load_signed(bundle_copy, None).path == bundle_copy
    with pytest.raises(BundleError, match="is not signed"):
        load_signed(bundle_copy, keys / "maker.pub")


def test_damage_is_neither_signed_nor_verified(bundle_copy: Path, keys: Path) -> None:
    sign_bundle(bundle_copy, keys / "maker")
    (bundle_copy / "MODEL_CARD.md").write_text("Better.", encoding="utf-8")
    for call, key in ((sign_bundle, keys / "maker"), (verify_signature, keys / "maker.pub")):
        with pytest.raises(BundleError, match=r"MODEL_CARD.md was changed"):
            call(bundle_copy, key)


def test_other_keys_do_not_sign(bundle_copy: Path, keys: Path, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no key", encoding="utf-8")
    shutil.copy(keys / "maker.pub", tmp_path / "alone.pub")
    for key, told in (
        (keys / "rsa", "is no Ed25519 key"),
        (tmp_path / "text", "is no key of OpenSSH"),
        (tmp_path / "alone.pub", "does not sign"),
    ):
        with pytest.raises(BundleError, match=told):
            sign_bundle(bundle_copy, key)
    assert not (bundle_copy / SIGNATURE).exists()


def test_signatures_of_other_kinds_are_refused(bundle_copy: Path, keys: Path) -> None:
    file = bundle_copy / SIGNATURE
    words = ["ssh-keygen", "-q", "-Y", "sign", "-f", str(keys / "rsa"), "-n", "vskd-bundle"]
    by_rsa = subprocess.run(words, input=(bundle_copy / MANIFEST).read_bytes(), capture_output=True, check=True).stdout
    sign_bundle(bundle_copy, keys / "maker")
    lines = file.read_text(encoding="ascii").splitlines()
    blob = bytearray(base64.b64decode("".join(lines[1:-1])))
    blob[17] += 1  # the size of the key's type
    longer = [lines[0], base64.b64encode(bytes(blob)).decode(), lines[-1]]
    for content, told in (
        (by_rsa, "not made with an Ed25519 key"),
        ("\n".join(longer).encode(), "not made with an Ed25519 key"),
        ("\n".join(["x" * len(lines[0]), *lines[1:]]).encode(), "is no OpenSSH signature"),
        ("\n".join([*lines[:-1], "x" * len(lines[-1])]).encode(), "is no OpenSSH signature"),
        (b"", "is no OpenSSH signature"),
        (b"\xff\x00", "is no OpenSSH signature"),
        ("\n".join([lines[0], "????", lines[-1]]).encode(), "is no OpenSSH signature"),
    ):
        file.write_bytes(content)
        with pytest.raises(BundleError, match=told):
            verify_signature(bundle_copy, keys / "maker.pub")


def test_a_signature_for_another_purpose_is_refused(bundle_copy: Path, keys: Path) -> None:
    words = ["ssh-keygen", "-q", "-Y", "sign", "-f", str(keys / "maker"), "-n", "file"]
    done = subprocess.run(words, input=(bundle_copy / MANIFEST).read_bytes(), capture_output=True, check=True)
    (bundle_copy / SIGNATURE).write_bytes(done.stdout)
    with pytest.raises(BundleError, match="does not fit"):
        verify_signature(bundle_copy, allowed(keys, f"maker {public(keys / 'maker')}"))


def test_files_of_no_or_other_keys_are_refused(bundle_copy: Path, keys: Path, tmp_path: Path) -> None:
    sign_bundle(bundle_copy, keys / "maker")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    for file, told in (
        (allowed(keys, "# nobody"), "holds no key"),
        (allowed(keys, f"a {public(keys / 'maker')}", f"b {public(keys / 'rsa')}"), "entry 2 holds no ssh-ed25519 key"),
        (tmp_path / "binary", "is no file of keys"),
        (tmp_path / "absent", "is no file of keys"),
    ):
        with pytest.raises(BundleError, match=told):
            verify_signature(bundle_copy, file)


def test_a_bundle_that_is_replaced_during_the_check_is_refused(
    bundle_copy: Path, keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_bundle(bundle_copy, keys / "maker")
    monkeypatch.setattr(signature, "verify_signature", lambda *_: signature.Signer("maker", "0" * 64))
    with pytest.raises(BundleError, match="was replaced while"):
        load_signed(bundle_copy, keys / "maker.pub")


def test_without_openssh_it_is_asked_for(bundle_copy: Path, keys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signature.shutil, "which", lambda _: None)
    with pytest.raises(BundleError, match="ssh-keygen is not installed"):
        sign_bundle(bundle_copy, keys / "maker")


def done(code: int, out: bytes = b"", err: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
    return subprocess.CompletedProcess([], code, out, err)


@pytest.mark.parametrize(
    ("out", "err", "said"),
    [
        (b"", b"first\nlast \n\n", "last"),
        (b"out", b"first\nlast", "last"),
        (b"one\ntwo\n", b"", "two"),
        (b"", b"caf\xe9", "caf\ufffd"),
        (b"\n", b"", "exit code 3"),
    ],
)
def test_the_last_line_of_openssh_is_told(out: bytes, err: bytes, said: str) -> None:
    assert signature._said(done(3, out, err)) == said


@pytest.mark.parametrize(
    ("found", "name"),
    [(done(0, b"one\ntwo\n"), "one"), (done(0, b"caf\xe9"), "caf\ufffd"), (done(0), ""), (done(1, b"x"), "")],
)
def test_the_first_of_several_names_is_that_of_the_signer(
    bundle_copy: Path,
    keys: Path,
    monkeypatch: pytest.MonkeyPatch,
    found: "subprocess.CompletedProcess[bytes]",
    name: str,
) -> None:
    sign_bundle(bundle_copy, keys / "maker")
    asked: list[tuple[str, ...]] = []
    monkeypatch.setattr(signature, "_ssh_keygen", lambda words, content=b"": asked.append(words) or found)
    if name:
        assert verify_signature(bundle_copy, keys / "maker.pub").name == name
        assert asked[1][asked[1].index("-I") + 1] == name
    else:
        with pytest.raises(BundleError, match="is by nobody in"):
            verify_signature(bundle_copy, keys / "maker.pub")


def test_a_public_key_without_a_comment_is_called_key(bundle_copy: Path, keys: Path) -> None:
    sign_bundle(bundle_copy, keys / "maker")
    assert verify_signature(bundle_copy, allowed(keys, public(keys / "maker"))).name == "key"


def test_a_comment_that_is_no_text_does_not_hide_the_kind_of_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signature, "_ssh_keygen", lambda _: done(0, b"256 SHA256:x caf\xe9 (ED25519)\n"))
    signature._require_ed25519(Path("key"))


def test_openssh_that_waits_for_ever_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert signature._TIME_LIMIT_S == 120.0
    program = tmp_path / "ssh-keygen"
    program.write_text("#!/bin/sh\nexec sleep 5\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setattr(signature.shutil, "which", lambda _: str(program))
    monkeypatch.setattr(signature, "_TIME_LIMIT_S", 0.2)
    with pytest.raises(BundleError, match=r"did not end within 0\.2 s"):
        signature._require_ed25519(tmp_path / "key")
