"""What is installed is what was tried: pins, package data, and the two commands of the README."""

import configparser
import os
import re
import subprocess
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from vskd.cli.main import OF_TRAINING

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def setup() -> configparser.ConfigParser:
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg", encoding="utf-8")
    return parser


def lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pins() -> dict[str, str]:
    listed = lines((ROOT / "constraints.txt").read_text(encoding="utf-8"))
    return {normal(name): version for name, version in (line.split("==") for line in listed)}


def wanted(setup: configparser.ConfigParser, *extras: str) -> list[Requirement]:
    """What these extras ask for, each with the extras that it holds itself."""
    asked = [Requirement(line) for extra in extras for line in lines(setup["options.extras_require"][extra])]
    inner = [name for requirement in asked if requirement.name == "vskd" for name in requirement.extras]
    return [r for r in asked if r.name != "vskd"] + (wanted(setup, *inner) if inner else [])


def base(setup: configparser.ConfigParser) -> list[Requirement]:
    return list(map(Requirement, lines(setup["options"]["install_requires"])))


def test_every_dependency_is_pinned_to_a_version_it_allows(setup: configparser.ConfigParser) -> None:
    extras = [name for name in setup["options.extras_require"] if name != "pyts"]
    asked = base(setup) + wanted(setup, *extras)
    assert len(asked) > 20
    pinned = pins()
    for requirement in asked:
        version = pinned.get(normal(requirement.name))
        assert version is not None, f"{requirement.name} is not in constraints.txt"
        assert requirement.specifier.contains(version), f"{requirement} against {version}"


def test_exact_versions_are_in_the_constraints_alone(setup: configparser.ConfigParser) -> None:
    """Two exact versions of one package that two projects ask for cannot be installed together."""
    asked = base(setup) + wanted(setup, *setup["options.extras_require"])
    assert [str(r) for r in asked if any(s.operator == "==" for s in r.specifier)] == []


def test_torch_is_pinned_exactly_to_the_build_without_cuda(setup: configparser.ConfigParser) -> None:
    """Without the constraints, a range would bring a newer build with gigabytes of CUDA: `make` installs with them."""
    asked = {normal(r.name): r.specifier for r in wanted(setup, "export")}
    listed = lines((ROOT / "constraints.txt").read_text(encoding="utf-8"))
    for name in ("torch", "torchvision"):
        assert f"{name}=={pins()[name]}" in listed
        assert asked[name].contains(pins()[name])
    assert not [name for name in pins() if name.startswith(("nvidia", "cuda", "triton"))]


def test_a_base_install_holds_what_bundles_need(setup: configparser.ConfigParser) -> None:
    assert sorted(normal(r.name) for r in base(setup)) == ["ai-edge-litert", "click", "numpy", "pydantic"]


def test_the_command_line_knows_what_the_extra_train_brings(setup: configparser.ConfigParser) -> None:
    assert {normal(r.name) for r in wanted(setup, "train")} == {normal(name) for name in OF_TRAINING.values()}


def test_every_extra_that_an_error_names_is_there_and_brings_the_package(setup: configparser.ConfigParser) -> None:
    named = {
        match.groups()
        for path in (ROOT / "vskd").rglob("*.py")
        for match in re.finditer(r'MissingExtraError\("([^"]+)", "([^"]+)"\)', path.read_text(encoding="utf-8"))
    }
    sensors = {"resample", "devices", "parquet", "hmm"}
    known = sensors | {"image", "video", "train", "export", "pyts", "serial", "npu", "mcuboot"}
    assert {extra for _, extra in named} == known
    for package, extra in named:
        assert normal(package) in {normal(r.name) for r in base(setup) + wanted(setup, extra)}, (package, extra)


def test_every_data_file_of_the_package_is_installed(setup: configparser.ConfigParser) -> None:
    package = ROOT / "vskd"
    patterns = [p.strip() for p in setup["options.package_data"]["vskd"].split(",")]
    covered = {path for pattern in patterns for path in package.glob(pattern)}
    unused = [pattern for pattern in patterns if not list(package.glob(pattern))]
    assert unused == []
    files = {path for path in package.rglob("*") if path.is_file() and path.suffix not in (".py", ".pyc")}
    assert files - covered == set()


def test_the_two_commands_and_ci_are_there() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for target in ("demo", "test", "check", "lint", "types"):
        plan = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True, check=True)
        assert plan.stdout
    assert "make demo" in text and "make test" in text
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


def test_a_fresh_clone_installs_before_it_runs(tmp_path: Path) -> None:
    """The plan of `make test` where nothing is there yet: environment, pinned install, then the tests."""
    plan = subprocess.run(
        ["make", "-n", "test", f"VENV={tmp_path / 'venv'}"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    steps = [plan.find(step) for step in ("-m venv", "--constraint constraints.txt", "touch", "-m pytest")]
    assert -1 not in steps
    assert steps == sorted(steps)
    assert "'.[export,test]'" in plan


def test_the_readme_keeps_the_place_of_the_results() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    begin, end = text.find("<!-- results:begin -->"), text.find("<!-- results:end -->")
    assert 0 < begin < end


@pytest.mark.parametrize("page", [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))])
def test_links_to_files_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    missing = [t for t in targets if not t.startswith("http") and not (page.parent / t).exists()]
    assert missing == []
