"""Two processes in one folder, see two_processes.py: in an interpreter of their own, because they fork.

A child of this process would inherit the locks of whatever threads the tests before have left here.
"""

import subprocess
import sys
from pathlib import Path

from tests.conftest import REPOSITORY

TESTS = Path("tests/reliability/two_processes.py")


def test_two_processes_do_not_disturb_each_other() -> None:
    command = [sys.executable, "-m", "pytest", "-p", "no:xdist", "-p", "no:cacheprovider", str(TESTS)]
    done = subprocess.run(command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8")
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout and "skipped" not in done.stdout
