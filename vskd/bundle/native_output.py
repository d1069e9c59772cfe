"""Keep the chatter of native libraries off the user's terminal; it goes to the debug log instead."""

import contextlib
import logging
import os
import tempfile
import warnings
from collections.abc import Iterator

logger = logging.getLogger(__name__)


@contextlib.contextmanager
def quiet_native_output() -> Iterator[None]:
    """Send what C++ code writes to stderr (file descriptor 2), and Python warnings, to the debug log.

    LiteRT and its converter print from C++, where neither `logging` nor `contextlib.redirect_stderr` reaches. The
    descriptor belongs to the whole process, so other threads are silenced for that time too.
    """
    saved = os.dup(2)
    try:
        with tempfile.TemporaryFile() as capture:
            os.dup2(capture.fileno(), 2)
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    yield
            finally:
                os.dup2(saved, 2)
                capture.seek(0)
                lines = capture.read().decode("utf-8", errors="replace").strip()
                if lines:
                    logger.debug("native output:\n%s", lines)
    finally:
        os.close(saved)
