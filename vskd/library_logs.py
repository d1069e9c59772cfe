"""What third-party libraries say of their own affairs: worker counts, deprecated calls, steps of a conversion."""

import logging

SAID_ONCE = "said_once"
"""In `extra` of a line of the log, with True: of several processes of one command, one says it on the terminal."""
_LOUD = ("py.warnings", "torch")
_OWN_HANDLERS = ("lightning.pytorch", "lightning.fabric")


def quiet_libraries(verbosity: int = 0) -> None:
    """Keep it off the terminal; the root logger must have its handler already.

    A library that finds none gives the root logger one of its own, which shows what is meant for nobody.

    Args:
        verbosity: 0 shows no warnings of theirs, 1 does, 2 lets Lightning's news through, too.
    """
    logging.captureWarnings(True)
    for name in _LOUD:
        logging.getLogger(name).setLevel(logging.WARNING if verbosity else logging.ERROR)
    # Lightning, imported later than this, gives its root logger a handler and sets levels, but leaves `propagate`:
    # cut off from that handler, its news are dropped, and its warnings still reach stderr by logging's last resort.
    for name in _OWN_HANDLERS:
        logging.getLogger(name).propagate = verbosity > 1
