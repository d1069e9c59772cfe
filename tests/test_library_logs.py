import logging
from collections.abc import Iterator

import pytest

from vskd.library_logs import quiet_libraries

NAMES = ("py.warnings", "torch", "lightning.pytorch", "lightning.fabric")


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    before = {name: (logging.getLogger(name).level, logging.getLogger(name).propagate) for name in NAMES}
    yield
    logging.captureWarnings(False)
    for name, (level, propagate) in before.items():
        logging.getLogger(name).setLevel(level)
        logging.getLogger(name).propagate = propagate


@pytest.mark.parametrize(
    ("verbosity", "level", "propagate"),
    [(0, logging.ERROR, False), (1, logging.WARNING, False), (2, logging.WARNING, True)],
)
def test_what_libraries_say_is_shown_by_verbosity(verbosity: int, level: int, propagate: bool) -> None:
    quiet_libraries(verbosity)
    assert {logging.getLogger(name).level for name in NAMES[:2]} == {level}
    assert {logging.getLogger(name).propagate for name in NAMES[2:]} == {propagate}
