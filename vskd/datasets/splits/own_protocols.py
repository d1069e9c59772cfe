"""Protocols that lie beside the data of a user's own folder, as `vskd datasets import` writes them."""

import re
from pathlib import Path

from vskd.datasets.entry import DatasetEntry
from vskd.datasets.sensors.folder_found import FILE
from vskd.errors import ProtocolError

_RULE = re.compile(r"^split_by\s*:", re.MULTILINE)
"""The key that every protocol has, and no other file that lies there."""


def own_protocols(root: Path) -> tuple[str, ...]:
    """Paths of the protocol files in a folder that `vskd datasets import` wrote, sorted; of other folders none."""
    if not (root / FILE).is_file():
        return ()
    files = sorted(path for path in root.glob("*.y*ml") if path.suffix in (".yaml", ".yml") and path.is_file())
    return tuple(str(path) for path in files if _RULE.search(path.read_text(encoding="utf-8", errors="replace")))


def usual_protocol(entry: DatasetEntry, root: Path | None) -> str:
    """What counts where no protocol is named: the folder's own one, or else the data set's usual one.

    Args:
        entry: of the data set.
        root: its folder, where it is known.

    Raises:
        ProtocolError: the folder has several of its own; they are named.
    """
    own = own_protocols(root) if root is not None else ()
    if len(own) > 1:
        raise ProtocolError(f"{root} has several protocols of its own: {', '.join(own)}", "Name one with --protocol")
    return own[0] if own else entry.protocols[0]
