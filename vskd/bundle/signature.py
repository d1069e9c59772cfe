"""Sign a bundle, and check who signed it, with OpenSSH.

One signature over manifest.json suffices, because it seals all other files. It stands beside it as `manifest.json.sig`
in OpenSSH's own format (PROTOCOL.sshsig), so `ssh-keygen -Y verify` checks it too, without this package:

    ssh-keygen -Y verify -f KEYS -I NAME -n vskd-bundle -s manifest.json.sig < manifest.json

Only Ed25519 keys sign and are believed.
"""

import base64
import binascii
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from vskd.bundle.bundle import MANIFEST, SIGNATURE, Bundle, load_bundle
from vskd.errors import BundleError
from vskd.files import write_bytes

NAMESPACE = "vskd-bundle"
KEY_TYPE = "ssh-ed25519"
_TIME_LIMIT_S = 120.0
_BEGIN, _END = "-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----"


@dataclass(frozen=True)
class Signer:
    """Who signed a bundle.

    Attributes:
        name: as the file of keys calls them.
        digest: SHA-256 of the manifest that was signed.
    """

    name: str
    digest: str


def sign_bundle(path: Path, key: Path) -> Path:
    """Sign a bundle; an earlier signature is replaced.

    Args:
        path: the bundle, which is checked first: what is damaged is not signed.
        key: private Ed25519 key in OpenSSH's format (`ssh-keygen -t ed25519`), or a public one whose private half the
            agent holds. A passphrase is asked for on the terminal.

    Returns:
        The signature's file.

    Raises:
        BundleError: the bundle is damaged, the key is of another type or cannot be used, or OpenSSH is missing.
    """
    bundle = load_bundle(path)
    _require_ed25519(key)
    done = _ssh_keygen(("-Y", "sign", "-f", str(key), "-n", NAMESPACE), bundle.read_manifest())
    if done.returncode:
        raise BundleError(f"{key} does not sign: {_said(done)}", "Give the private key, or start the agent that has it")
    write_bytes(path / SIGNATURE, done.stdout)
    return path / SIGNATURE


def verify_signature(path: Path, keys: Path) -> Signer:
    """Check that a bundle was signed by one of those who are trusted, and that nothing was changed since.

    Args:
        path: the bundle.
        keys: who is trusted: a file as OpenSSH's `allowed_signers` (`NAME ssh-ed25519 AAAA...` on each line), or a
            public key (`id_ed25519.pub`).

    Raises:
        BundleError: it is damaged, not signed, signed by somebody else or over another manifest, or OpenSSH is missing.
    """
    bundle = load_bundle(path)
    signature = path / SIGNATURE
    if not signature.is_file():
        raise BundleError(f"{path} is not signed", "Ask its maker to run `vskd bundle sign`, or for a signed copy")
    _require_ed25519_signature(signature)
    with tempfile.TemporaryDirectory() as folder:
        allowed = Path(folder) / "allowed_signers"
        allowed.write_text(_allowed_signers(keys), encoding="utf-8")
        found = _ssh_keygen(("-Y", "find-principals", "-f", str(allowed), "-s", str(signature)))
        names = found.stdout.decode("utf-8", errors="replace").splitlines()
        if found.returncode or not names:
            raise BundleError(f"{signature} is by nobody in {keys}", "Do not use the bundle, or add its signer's key")
        words = ("-Y", "verify", "-f", str(allowed), "-I", names[0], "-n", NAMESPACE, "-s", str(signature))
        done = _ssh_keygen(words, bundle.read_manifest())
    if done.returncode:
        raise BundleError(
            f"{signature} does not fit {path / MANIFEST}: {_said(done)}",
            "The bundle was changed after it was signed: do not use it, or ask its maker to sign it again",
        )
    return Signer(names[0], bundle.digest)


def load_signed(path: Path, keys: Path | None) -> Bundle:
    """Open a bundle, and where keys are given only if it is signed by one of them.

    Raises:
        BundleError: see `load_bundle` and `verify_signature`; or it was replaced while it was checked.
    """
    signer = None if keys is None else verify_signature(path, keys)
    bundle = load_bundle(path)
    if signer is not None and signer.digest != bundle.digest:
        raise BundleError(f"{path} was replaced while its signature was checked", "Give a folder that nobody writes to")
    return bundle


def _allowed_signers(keys: Path) -> str:
    """The content of `keys` as OpenSSH wants it, of Ed25519 keys alone."""
    try:
        lines = keys.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BundleError(f"{keys} is no file of keys: {error}", "Give an allowed_signers file") from error
    used = [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]
    other = next((number for number, line in enumerate(used, 1) if KEY_TYPE not in line.split()), None)
    if other is not None or not used:
        what = f"entry {other} holds no {KEY_TYPE} key" if used else "holds no key"
        raise BundleError(f"{keys}: {what}", f"Write lines of NAME {KEY_TYPE} AAAA..., or give an id_ed25519.pub")
    return "".join(f"{_named(line)}\n" for line in used)


def _named(line: str) -> str:
    """A public key as it stands in id_ed25519.pub gets its comment for a name; it may sign bundles only."""
    words = line.split()
    if words[0] != KEY_TYPE:
        return line
    name = words[2] if len(words) > 2 else "key"
    return f'{name} namespaces="{NAMESPACE}" {words[0]} {words[1]}'


def _require_ed25519(key: Path) -> None:
    done = _ssh_keygen(("-l", "-f", str(key)))
    if done.returncode:
        raise BundleError(f"{key} is no key of OpenSSH: {_said(done)}", "Make one: ssh-keygen -t ed25519 -f KEY")
    if not done.stdout.decode("utf-8", errors="replace").rstrip().endswith("(ED25519)"):
        raise BundleError(f"{key} is no Ed25519 key", "Make one: ssh-keygen -t ed25519 -f KEY")


def _require_ed25519_signature(signature: Path) -> None:
    """Layout: "SSHSIG", uint32 version, uint32 size of the public key, uint32 size of its type, the type."""
    text = signature.read_text(encoding="ascii", errors="replace").strip()
    try:
        if not (text.startswith(_BEGIN) and text.endswith(_END)):
            raise ValueError
        blob = base64.b64decode("".join(text[len(_BEGIN) : -len(_END)].split()), validate=True)
    except (ValueError, binascii.Error) as error:
        raise BundleError(f"{signature} is no OpenSSH signature", "Restore it, or sign the bundle again") from error
    size = int.from_bytes(blob[14:18], "big")
    if blob[:6] != b"SSHSIG" or blob[18 : 18 + size] != KEY_TYPE.encode("ascii"):
        raise BundleError(f"{signature} was not made with an Ed25519 key", "Sign the bundle with one")


def _ssh_keygen(words: tuple[str, ...], content: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
    program = shutil.which("ssh-keygen")
    if program is None:
        raise BundleError("ssh-keygen is not installed, and it makes and checks signatures", "Install OpenSSH's client")
    try:
        return subprocess.run((program, *words), input=content, capture_output=True, timeout=_TIME_LIMIT_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise BundleError(f"ssh-keygen did not end within {_TIME_LIMIT_S:g} s", "Load the key into an agent") from error


def _said(done: "subprocess.CompletedProcess[bytes]") -> str:
    lines = (done.stderr or done.stdout).decode("utf-8", errors="replace").strip().splitlines()
    return lines[-1].strip() if lines else f"exit code {done.returncode}"
