"""The process of its own in which `vskd.bundle.contained` has a bundle's golden vectors replayed."""

import json
import sys
from pathlib import Path

from vskd.bundle.contained import DISTRUST, MEMORY_LIMIT, TIME_LIMIT_S, limit
from vskd.errors import BundleError, MissingExtraError


def main(path: str, digest: str) -> None:
    """The child: replay the vectors, and say in JSON what is wrong; an empty problem where nothing is."""
    limit(TIME_LIMIT_S)
    from vskd.bundle.bundle import load_bundle, replay  # within the limits

    problem = action = ""
    try:
        bundle = load_bundle(Path(path))
        if bundle.digest != digest:
            raise BundleError(f"{path} was changed while it was being verified", "Verify it again")
        replay(bundle)
    except (BundleError, MissingExtraError) as error:
        problem, action = error.problem, error.action
    except MemoryError:
        problem, action = f"it wants more than {MEMORY_LIMIT >> 30} GiB of memory", DISTRUST
    sys.stdout.buffer.write(json.dumps({"problem": problem, "action": action}).encode())


if __name__ == "__main__":
    main(*sys.argv[1:])
