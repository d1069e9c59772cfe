"""Compilers of the host, and how generated code is built with them."""

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from vskd.errors import BundleError

STRICT = ("-std=c99", "-Wall", "-Wextra", "-Wconversion", "-pedantic", "-Werror")
EXACT = ("-ffp-contract=off",)
"""A product and a sum fused into one operation rounds once instead of twice: the encoding would differ."""
SANITIZERS = ("-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
PACKAGES: Mapping[str, str] = {"gcc": "gcc", "clang": "clang"}
"""The Debian package of each compiler."""
TIME_LIMIT_S = 600


@dataclass(frozen=True)
class Build:
    """One way of building.

    Attributes:
        name: what tables say.
        compiler: the command.
        flags: besides those that every build has.
    """

    name: str
    compiler: str
    flags: tuple[str, ...] = ("-O2",)

    @property
    def missing(self) -> str:
        """Why this build cannot be made here; empty if it can."""
        if shutil.which(self.compiler):
            return ""
        return f"{self.compiler} is not installed (Debian package {PACKAGES.get(self.compiler, self.compiler)})"


HOST_BUILDS = (
    Build("C, gcc", "gcc"),
    Build("C, clang", "clang"),
    Build("C, gcc, ASan and UBSan", "gcc", ("-O1", *SANITIZERS)),
)


def build_program(build: Build, folder: Path, sources: Sequence[str], program: Path) -> Path:
    """Compile and link; any warning is an error.

    Args:
        build: how.
        folder: holds the sources and their headers.
        sources: names of .c files in it.
        program: the file to make.

    Raises:
        BundleError: the compiler is missing, or refuses the code.
    """
    if build.missing:
        raise BundleError(build.missing, "Install it")
    command = [build.compiler, *STRICT, *EXACT, *build.flags, "-I", str(folder)]
    command += [str(folder / name) for name in sources] + ["-o", str(program), "-lm"]
    done = subprocess.run(
        command, capture_output=True, encoding="utf-8", errors="replace", timeout=TIME_LIMIT_S, check=False
    )
    if done.returncode != 0:
        raise BundleError(
            f"{build.compiler} does not build the generated code: {' '.join(done.stderr.split())[:400]}",
            "Report this as a defect of vskd, with the version of the compiler",
        )
    return program


def run_program(program: Path, given: bytes, *arguments: str) -> bytes:
    """Run a built program: what it writes.

    Raises:
        BundleError: it failed; the message holds what it said.
    """
    done = subprocess.run(
        [str(program), *arguments], input=given, capture_output=True, timeout=TIME_LIMIT_S, check=False
    )
    if done.returncode != 0:
        said = " ".join(done.stderr.decode("utf-8", errors="replace").split())[:400]
        raise BundleError(f"{program.name} ended with {done.returncode}: {said}", "Report this as a defect of vskd")
    return done.stdout
