"""Programs in C that the tests of the link share."""

from pathlib import Path

import pytest

from tests.conftest import made_once
from tests.firmware_bridge.link.harness import HOST, build_harness
from tests.firmware_bridge.link.slot_rules import PARTS


@pytest.fixture(scope="session")
def harness(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Link and messages in C, with sanitizers."""
    if HOST.missing:
        pytest.skip(HOST.missing)
    parts = ("vskd_link.c", "vskd_messages.c")
    return made_once(tmp_path_factory, "link-harness", lambda path: build_harness(path, "harness", *parts))


@pytest.fixture(scope="session")
def slots_harness(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The slot store in C, with sanitizers."""
    if HOST.missing:
        pytest.skip(HOST.missing)
    return made_once(tmp_path_factory, "slots-harness", lambda path: build_harness(path, "slots_harness", *PARTS))
