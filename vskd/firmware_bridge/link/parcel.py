"""A bundle as one run of bytes, a parcel: what goes over the link and lies in a slot; the bytes are in docs/link.md.

Of a bundle's files it holds those that a device runs and checks: the manifest, its signature if there is one, and
model.tflite. The manifest seals the model, so the signature covers it too. `vskd_parcel.c` checks the same in C.
"""

import hashlib
import struct
from collections.abc import Mapping

from vskd.bundle.bundle import MANIFEST, MODEL, SIGNATURE, Bundle
from vskd.errors import BundleError

MAGIC = b"VSKDPRC1"
MOST_FILES = 8
ALIGNMENT = 16
_HEAD, _ENTRY = struct.Struct("<8sI4x"), struct.Struct("<32sII32s")


def pack_bundle(bundle: Bundle) -> bytes:
    """The parcel of a bundle, whose files are checked again as they are read.

    Raises:
        BundleError: a file was changed.
    """
    files = {MANIFEST: bundle.read_manifest()}
    signature = bundle.path / SIGNATURE
    if signature.is_file():
        files[SIGNATURE] = signature.read_bytes()
    files[MODEL] = bundle.read(MODEL)
    return pack_files(files)


def pack_files(files: Mapping[str, bytes]) -> bytes:
    """A parcel of these files, in their order: a table, then the contents, each aligned to 16 bytes."""
    at, table, contents = _HEAD.size + _ENTRY.size * len(files), [], []
    for name, content in files.items():
        padding = -at % ALIGNMENT
        table.append(_ENTRY.pack(name.encode("ascii"), at + padding, len(content), hashlib.sha256(content).digest()))
        contents += [b"\0" * padding, content]
        at += padding + len(content)
    return b"".join([_HEAD.pack(MAGIC, len(files)), *table, *contents])


def unpack_parcel(parcel: bytes) -> dict[str, bytes]:
    """The files of a parcel, checked as `vskd_parcel_check` does.

    Raises:
        BundleError: it is no parcel, or a file has not the hash that the table and the manifest say.
    """
    if len(parcel) < _HEAD.size or not parcel.startswith(MAGIC):
        raise _damaged("it does not begin as a parcel does")
    _, count = _HEAD.unpack_from(parcel)
    if not 2 <= count <= MOST_FILES or len(parcel) < _HEAD.size + count * _ENTRY.size:
        raise _damaged(f"its table has {count} files")
    files: dict[str, bytes] = {}
    for padded, at, size, digest in _ENTRY.iter_unpack(parcel[_HEAD.size : _HEAD.size + count * _ENTRY.size]):
        name, content = padded.rstrip(b"\0").decode("ascii", errors="replace"), parcel[at : at + size]
        if at % ALIGNMENT or len(content) != size or hashlib.sha256(content).digest() != digest:
            raise _damaged(f"{name} has another hash than its table says")
        files[name] = content
    if next(iter(files)) != MANIFEST:
        raise _damaged(f"{MANIFEST} is not its first file")
    for name, content in files.items():
        line = f'"{name}": "{hashlib.sha256(content).hexdigest()}"'.encode("ascii", errors="replace")
        if name not in (MANIFEST, SIGNATURE) and line not in files[MANIFEST]:
            raise _damaged(f"{name} is not what the manifest says")
    return files


def is_parcel(parcel: bytes) -> bool:
    """Whether it is a parcel all of whose hashes are right."""
    try:
        unpack_parcel(parcel)
    except BundleError:
        return False
    return True


def _damaged(what: str) -> BundleError:
    return BundleError(f"The parcel is damaged: {what}", "Send the bundle again")
