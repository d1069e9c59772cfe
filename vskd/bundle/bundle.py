"""Write, seal, check and open a bundle: the folder that is deployed.

    model.tflite         int8 model
    model_float.tflite   float32 model
    golden.json          vectors with answers
    MODEL_CARD.md        for people
    learned.json         fingerprints of the recordings that it learned from; older bundles have none
    manifest.json        what it is, and the SHA-256 of every other file
    manifest.sha256      the SHA-256 of manifest.json, in the format of `sha256sum`
    manifest.json.sig    who made it, if it was signed; see `vskd.bundle.signature`

The hashes find damage and careless changes. They do not prove who made the bundle: whoever can rewrite the manifest and
its digest can forge it. To be safe against that, ask for a signature, or compare the digest that `vskd bundle show`
prints with one that was received by other means.
"""

import hashlib
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from vskd.bundle.contained import TIME_LIMIT_S, replay_contained
from vskd.bundle.contract import Manifest, parse_json
from vskd.bundle.encoding import model_input
from vskd.bundle.golden import Golden, replay_golden
from vskd.bundle.learned import LearnedFrom
from vskd.bundle.model_card import render_model_card
from vskd.bundle.runtime import LiteRTModel
from vskd.errors import BundleError
from vskd.files import atomic_folder, sha256_file

MODEL, FLOAT_MODEL, GOLDEN, CARD = "model.tflite", "model_float.tflite", "golden.json", "MODEL_CARD.md"
LEARNED = "learned.json"
MANIFEST, DIGEST = "manifest.json", "manifest.sha256"
SIGNATURE = "manifest.json.sig"
REQUIRED = (MODEL, FLOAT_MODEL, GOLDEN, CARD)
AGAIN = "Export the run again, or restore the bundle from where it came"


@dataclass(frozen=True)
class Bundle:
    """An opened bundle whose files were all checked.

    Attributes:
        path: its folder.
        manifest: what it is.
        digest: SHA-256 of manifest.json, which seals all the rest.
    """

    path: Path
    manifest: Manifest
    digest: str

    def read(self, name: str) -> bytes:
        """Content of one file, checked again as it is read.

        Raises:
            BundleError: the bundle has no such file, or it has been changed.
        """
        if name not in self.manifest.files:
            raise BundleError(f"{self.path} has no file '{name}'", AGAIN)
        content = _read(self.path / name)
        if hashlib.sha256(content).hexdigest() != self.manifest.files[name]:
            raise _changed(self.path / name)
        return content

    def read_manifest(self) -> bytes:
        """The manifest as it is written, checked again as it is read.

        Raises:
            BundleError: it has been changed.
        """
        content = _read(self.path / MANIFEST)
        if hashlib.sha256(content).hexdigest() != self.digest:
            raise _changed(self.path / MANIFEST)
        return content

    def learned(self) -> LearnedFrom | None:
        """What the model learned from; None of a bundle that does not say it.

        Raises:
            BundleError: the file was changed, or is not of this version.
        """
        if LEARNED not in self.manifest.files:
            return None
        return parse_json(LearnedFrom, self.read(LEARNED), str(self.path / LEARNED))


@dataclass(frozen=True)
class VerifyReport:
    """What `verify_bundle` checked.

    Attributes:
        path: of the bundle.
        digest: SHA-256 of its manifest.
        files: their names.
        golden_vectors: that were reproduced.
        golden_decisions: of its golden streams, that were reproduced; 0 where it holds none.
    """

    path: Path
    digest: str
    files: tuple[str, ...]
    golden_vectors: int
    golden_decisions: int


def write_bundle(
    out: Path,
    *,
    model: bytes,
    float_model: bytes,
    golden: Golden,
    manifest: Manifest,
    learned: LearnedFrom | None = None,
) -> Bundle:
    """Write a bundle; it appears complete under `out`, or not at all.

    Args:
        out: folder to make; an earlier bundle there is replaced.
        model, float_model: LiteRT flatbuffers.
        golden: vectors of `model`.
        manifest: its `files` are filled in here.
        learned: what the model learned from, where that is known.

    Raises:
        BundleError: `out` holds something that is not a bundle.
        WriteError: the folder cannot be written, or the disk is full.
    """
    _check_replaceable(out)
    contents = {
        MODEL: model,
        FLOAT_MODEL: float_model,
        GOLDEN: (golden.model_dump_json() + "\n").encode("utf-8"),
        CARD: render_model_card(manifest, len(model), len(float_model)).encode("utf-8"),
    }
    if learned is not None:
        contents[LEARNED] = (learned.model_dump_json(by_alias=True) + "\n").encode("ascii")
    files = {name: hashlib.sha256(content).hexdigest() for name, content in sorted(contents.items())}
    sealed = manifest.model_copy(update={"files": files})
    contents[MANIFEST] = (sealed.model_dump_json(indent=2) + "\n").encode("utf-8")
    digest = hashlib.sha256(contents[MANIFEST]).hexdigest()
    contents[DIGEST] = f"{digest}  {MANIFEST}\n".encode("ascii")
    with atomic_folder(out) as folder:
        for name, content in contents.items():
            (folder / name).write_bytes(content)
    return Bundle(out, sealed, digest)


def require_bundle_folder(path: Path) -> None:
    """Refuse a path that is no folder, before anything else is said of it.

    Raises:
        BundleError: says whether something else is there.
    """
    if not path.is_dir():
        problem = f"{path} is not a bundle folder" if path.exists() else f"There is no folder {path}"
        raise BundleError(problem, "Give the folder that `vskd export` wrote")


def load_bundle(path: Path) -> Bundle:
    """Open a bundle: all hashes are checked before anything is parsed.

    Raises:
        BundleError: it is not a bundle, or a file is missing, extra or changed; names the file.
    """
    require_bundle_folder(path)
    digest = _promised_digest(path)
    content = _read(path / MANIFEST)
    if hashlib.sha256(content).hexdigest() != digest:
        raise _changed(path / MANIFEST)
    manifest = parse_json(Manifest, content, str(path / MANIFEST))
    _check_files(path, manifest)
    return Bundle(path, manifest, digest)


def verify_bundle(path: Path, time_limit_s: float = TIME_LIMIT_S) -> VerifyReport:
    """Check hashes, then the contract, then that the golden vectors come out bit for bit.

    The model is run in a process of its own, with limits: a bundle may come from anybody. All else that runs a bundle
    trusts it, for speed.

    Args:
        path: the bundle's folder.
        time_limit_s: see `vskd.bundle.contained`.

    Raises:
        BundleError: names the file and what is wrong with it.
    """
    bundle = load_bundle(path)
    golden = read_golden(bundle)
    bundle.learned()
    replay_contained(path, bundle.digest, time_limit_s)
    files, decisions = (*bundle.manifest.files, MANIFEST), sum(len(s.decisions) for s in golden.streams)
    return VerifyReport(path, bundle.digest, files, len(golden.vectors), decisions)


def read_golden(bundle: Bundle) -> Golden:
    """The golden vectors of a bundle.

    Raises:
        BundleError: they are damaged.
    """
    return parse_json(Golden, bundle.read(GOLDEN), str(bundle.path / GOLDEN))


def replay(bundle: Bundle) -> None:
    """Run the golden vectors of a bundle in this process, and both of its models with the kernels that predict.

    Raises:
        BundleError: see `replay_golden`; or a model cannot be run.
    """
    contract, labels = bundle.manifest.contract, bundle.manifest.provenance.labels
    encode = partial(model_input, contract=contract)
    replay_golden(read_golden(bundle), bundle.read(MODEL), contract, encode, labels, str(bundle.path / GOLDEN))
    for name in (MODEL, FLOAT_MODEL):
        model = LiteRTModel(bundle.read(name))
        model.raw(np.zeros(model.input_shape, dtype=model.input_type))


def _check_replaceable(out: Path) -> None:
    """Refuse to replace anything that is not an earlier bundle: a mistyped path must not cost a folder of data."""
    if out.is_dir() and (not any(out.iterdir()) or ((out / MANIFEST).is_file() and (out / MODEL).is_file())):
        return
    if out.exists():
        raise BundleError(f"{out} exists and is not a bundle, so it is not replaced", "Choose another output folder")


def _promised_digest(path: Path) -> str:
    """The digest of manifest.json that manifest.sha256 promises."""
    for name in (MANIFEST, DIGEST):
        if not _is_plain_file(path / name):
            raise BundleError(f"{path / name} is missing", "Give the folder that `vskd export` wrote")
    words = _read(path / DIGEST).decode("ascii", errors="replace").split()
    if len(words) != 2 or words[1] != MANIFEST or len(words[0]) != 64:
        raise _changed(path / DIGEST)
    digest, _ = words
    return digest


def _check_files(path: Path, manifest: Manifest) -> None:
    for name in (*REQUIRED, *manifest.files):
        if name not in manifest.files or not _is_plain_file(path / name):
            raise BundleError(f"{path / name} is missing", AGAIN)
    known = {MANIFEST, DIGEST, SIGNATURE, *manifest.files}
    for file in sorted(path.rglob("*")):
        if file.is_symlink() or (not file.is_dir() and file.relative_to(path).as_posix() not in known):
            raise BundleError(f"{file} does not belong to the bundle", "Remove the file, or restore the bundle")
    for name, expected in manifest.files.items():
        try:
            found = sha256_file(path / name)
        except OSError as error:
            raise BundleError(f"{path / name} cannot be read: {error.strerror or error}", AGAIN) from error
        if found != expected:
            raise _changed(path / name)


def _is_plain_file(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BundleError(f"{path} cannot be read: {error.strerror or error}", AGAIN) from error


def _changed(path: Path) -> BundleError:
    return BundleError(
        f"{path} was changed after the bundle was made: its SHA-256 differs from the recorded one", AGAIN
    )
