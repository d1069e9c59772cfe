"""Run a bundle's model for the first time in a process of its own, with limits.

LiteRT is C++ that trusts what it is given: a model that an attacker made, its hashes in order, can crash it, or keep it
busy for ever. Here that ends a child process, and the caller gets one clear error.
"""

import json
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

from vskd.errors import BundleError

TIME_LIMIT_S = 120.0
"""The slowest networks of the catalog take a tenth of it on one core."""
MEMORY_LIMIT = 4 << 30
"""Address space of the child, in bytes."""
FILE_LIMIT = 1 << 20
"""Of what it may write into a file, in bytes."""
DISTRUST = "Do not use this bundle; get it again from whom you trust, and compare the digest of its manifest"


def replay_contained(bundle: Path, digest: str, time_limit_s: float = TIME_LIMIT_S) -> None:
    """Replay a bundle's golden vectors in a child process.

    Args:
        bundle: its folder, whose files were all checked.
        digest: SHA-256 of its manifest, as it was checked: the child refuses another.
        time_limit_s: after which the child is ended.

    Raises:
        BundleError: a vector comes out otherwise, or the model crashes the interpreter, does not end in time, or wants
            more memory than any network of ours.
    """
    command = [sys.executable, "-P", "-m", "vskd.bundle.replay_child", str(bundle), digest]
    try:
        done = subprocess.run(
            command,
            env=_environment(),
            capture_output=True,
            timeout=time_limit_s,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired as error:
        raise BundleError(f"{bundle / 'model.tflite'}: it does not end within {time_limit_s:g} s", DISTRUST) from error
    if done.returncode == -signal.SIGINT:
        raise KeyboardInterrupt
    try:
        answer = json.loads(done.stdout)
        problem, action = answer["problem"], answer["action"]
    except (ValueError, TypeError, KeyError) as error:
        raise BundleError(f"{bundle / 'model.tflite'}: it {_end_of(done)}", DISTRUST) from error
    if problem:
        raise BundleError(problem if str(bundle) in problem else f"{bundle / 'model.tflite'}: {problem}", action)


def _environment() -> dict[str, str]:
    """Where this package was found, one thread, and nothing imported from the present folder."""
    root = str(Path(__file__).resolve().parents[2])
    known = os.environ.get("PYTHONPATH")
    path = os.pathsep.join([root, known] if known else [root])
    one = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONFAULTHANDLER": ""}
    return {**os.environ, **one, "PYTHONPATH": path}


def _end_of(done: subprocess.CompletedProcess[bytes]) -> str:
    """How a child ended that gave no answer."""
    if done.returncode >= 0:
        said = done.stderr.decode("utf-8", errors="replace").strip().rpartition("\n")[2]
        return f"stopped the interpreter ({said[:200] or f'exit code {done.returncode}'})"
    try:
        name = signal.Signals(-done.returncode).name
    except ValueError:
        name = str(-done.returncode)
    return f"crashed the interpreter ({name})"


def limit(time_limit_s: float) -> None:
    """Set the limits of this process."""
    for what, most in (
        (resource.RLIMIT_AS, MEMORY_LIMIT),
        (resource.RLIMIT_CPU, int(time_limit_s) + 1),
        (resource.RLIMIT_FSIZE, FILE_LIMIT),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(what)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (most, most))
