"""The house has floors: who may import whom, read from the source of every file, function-level imports included."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "vskd"

# A room may import the rooms of lower floors, itself, and what ALSO_MAY grants.
FLOORS = {
    "vskd": 0,  # the package itself: its version
    "errors": 0,
    "files": 0,
    "progress": 0,
    "recipe": 1,
    "datasets": 2,
    "preprocessing": 2,
    "models": 2,
    "distillation": 3,
    "evaluation": 4,
    "export": 5,
    "firmware_bridge": 6,
    "cli": 7,
}
ALSO_MAY = {("datasets", "preprocessing"), ("files", "errors"), ("progress", "errors")}
# Components take plain arguments; of the recipe's module they may use only what is no recipe.
COMPONENTS = {"datasets", "preprocessing", "models"}
NOT_A_RECIPE = {"vskd.recipe.nearest"}


def room_of(module: str) -> str:
    """The room of a dotted module name: `vskd.models.trn` -> `models`."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "vskd"


def imported_names(source: str, module: str) -> Iterator[str]:
    """The dotted name of everything of vskd that `source` imports, anywhere in it, e.g. `vskd.recipe.Recipe`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = module.split(".")[: -node.level] if node.level else []
            names = [".".join([*base, *([node.module] if node.module else []), alias.name]) for alias in node.names]
        else:
            continue
        yield from (name for name in names if name.split(".")[0] == "vskd")


def may_import(room: str, name: str) -> bool:
    """Whether a file of `room` may import what is called `name`."""
    other = room_of(name)
    if room in COMPONENTS and other == "recipe":
        return name in NOT_A_RECIPE
    # A name that is no room is something of the package itself, e.g. `from vskd import __version__`.
    return room == other or (room, other) in ALSO_MAY or FLOORS.get(other, FLOORS["vskd"]) < FLOORS[room]


def violations(source: str, module: str) -> list[str]:
    """The imports in `source` that go up or sideways."""
    return sorted({name for name in imported_names(source, module) if not may_import(room_of(module), name)})


def module_name(path: Path) -> str:
    """`vskd/models/trn.py` -> `vskd.models.trn`; the package's own file is `vskd`."""
    name = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
    return "vskd" if name == "vskd.__init__" else name


FILES = sorted(PACKAGE.rglob("*.py"))


def test_every_room_has_a_floor() -> None:
    assert {room_of(module_name(path)) for path in FILES} <= set(FLOORS)


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_go_down_only(path: Path) -> None:
    assert violations(path.read_text(encoding="utf-8"), module_name(path)) == []


@pytest.mark.parametrize(
    ("module", "source", "expected"),
    [
        ("vskd.models.trn", "import vskd.preprocessing.gaf", ["vskd.preprocessing.gaf"]),
        ("vskd.models.trn", "from vskd import datasets", ["vskd.datasets"]),
        ("vskd.preprocessing.store", "from vskd.datasets.recording import Index", ["vskd.datasets.recording.Index"]),
        ("vskd.preprocessing.store", "from vskd.recipe import Recipe, nearest", ["vskd.recipe.Recipe"]),
        ("vskd.models.trn", "import vskd.recipe", ["vskd.recipe"]),
        ("vskd.evaluation.report", "def f():\n    from ..cli import main", ["vskd.cli.main"]),
        (
            "vskd.distillation.losses.kd",
            "from ...evaluation.metrics import accuracy",
            ["vskd.evaluation.metrics.accuracy"],
        ),
        ("vskd.files", "from vskd.recipe import Recipe", ["vskd.recipe.Recipe"]),
        ("vskd.errors", "import vskd.files", ["vskd.files"]),
        ("vskd.datasets.utd_mhad", "from vskd.preprocessing.sensors import read_sensor", []),
        ("vskd.distillation.train", "from vskd.recipe import Recipe\nfrom vskd import __version__", []),
        ("vskd.models.trn", "from .outputs import Outputs", []),
    ],
)
def test_the_check_itself_sees_each_kind_of_import(module: str, source: str, expected: list[str]) -> None:
    assert violations(source, module) == expected


def test_nothing_imports_the_command_line() -> None:
    assert all(not may_import(room, "vskd.cli.main") for room in FLOORS if room != "cli")
