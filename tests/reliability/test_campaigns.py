"""The campaigns in their short form. The long ones: `make soak`.

Each in a process of its own: they fork, and a child of this one would inherit the locks of whatever threads the tests
before have left here.
"""

import json
import subprocess
import sys
from typing import Any

from tests.conftest import REPOSITORY

CALL = """
import json
from tests.reliability import {module}
from tests.reliability.chain import QUICK
print(json.dumps({module}.main({arguments})))
"""


def campaign(module: str, arguments: str) -> Any:
    """What a campaign found."""
    command = [sys.executable, "-c", CALL.format(module=module, arguments=arguments)]
    done = subprocess.run(command, cwd=REPOSITORY, stdout=subprocess.PIPE, encoding="utf-8", check=True)
    return json.loads(done.stdout.splitlines()[-1])


def test_kills_lose_and_leave_nothing() -> None:
    found = campaign("kill_campaign", "kills=6, seconds=3.0, seed=0, stages=QUICK")
    assert found["wrong"] == {}
    assert found["outcomes"].keys() == {"equal"}


def test_damage_by_a_power_loss_is_mended_or_refused() -> None:
    found = campaign("power_loss", "count=5, seconds=3.0, seed=0, stages=QUICK")
    assert found["states"] > 0
    assert found["wrong"] == {}


def test_flipped_bits_are_not_used_in_silence() -> None:
    found = campaign("bit_flips", "flips=12, seconds=3.0, seed=0")
    assert set(found["windows"]) <= {"refused", "same"}
    for kind, counts in found.items():
        assert set(counts) <= {"refused", "same"}, (kind, counts)
