"""The house has floors: who may import whom, read from the source of every file, function-level imports included."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "vskd"

# A room may import the rooms of lower floors, itself, and what ALSO_MAY grants.
FLOORS = {
    "vskd": 0,  # the package itself: its version, and its front door, see FRONT_DOOR
    "errors": 0,
    "files": 0,
    "locks": 0,
    "sums": 0,
    "progress": 0,
    "library_logs": 0,
    "schema": 0,
    "yaml_text": 0,
    "network": 0,
    "losses": 0,
    "preprocessing": 1,
    "datasets": 2,
    "models": 2,
    "bundle": 2,
    "modalities": 3,
    "recipe": 4,
    "distillation": 5,
    "evaluation": 6,
    "export": 7,
    "firmware_bridge": 7,
    "study": 8,
    "cli": 9,
}
FRONT_DOOR = ("errors", "bundle", "datasets", "distillation")
"""What `vskd/__init__.py` may name: it loads a room when somebody asks for something of it."""
ALSO_MAY = {
    *(("vskd", room) for room in FRONT_DOOR),
    ("files", "errors"),
    *(("locks", room) for room in ("errors", "files")),
    *(("sums", room) for room in ("errors", "files")),
    ("progress", "errors"),
    ("schema", "errors"),
    ("yaml_text", "errors"),
    ("network", "errors"),
    ("network", "schema"),
    ("losses", "errors"),
    ("losses", "schema"),
    ("losses", "network"),
}


TRAINERS = ("lightning", "torchmetrics", "transformers", "torchvision", "sklearn", "pandas")
"""Seconds of imports that only a training, or a picture of a report, has a use for."""
TRAIN = ("callbacks", "epoch_bar", "lightning_imports", "task")
"""Files of distillation that are Lightning's: loaded by a training that begins, once recipe and data were looked at."""


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
    # A name that is no room is something of the package itself, e.g. `from vskd import __version__`.
    return room == other or (room, other) in ALSO_MAY or other not in FLOORS or FLOORS[other] < FLOORS[room]


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


def test_imports_go_down_only() -> None:
    found = {module_name(path): violations(path.read_text(encoding="utf-8"), module_name(path)) for path in FILES}
    assert {module: names for module, names in found.items() if names} == {}


@pytest.mark.parametrize(
    ("module", "source", "expected"),
    [
        ("vskd.models.trn", "import vskd.bundle.contract", ["vskd.bundle.contract"]),
        ("vskd.losses.kd", "import vskd.progress", ["vskd.progress"]),
        ("vskd.models.trn", "from vskd import datasets", ["vskd.datasets"]),
        (
            "vskd.preprocessing.stores.store",
            "from vskd.datasets.recording import Index",
            ["vskd.datasets.recording.Index"],
        ),
        ("vskd.preprocessing.stores.store", "from vskd.recipe import Recipe", ["vskd.recipe.Recipe"]),
        ("vskd.models.trn", "import vskd.recipe", ["vskd.recipe"]),
        ("vskd.evaluation.metrics", "def f():\n    from ..cli import main", ["vskd.cli.main"]),
        (
            "vskd.losses.soft.kd",
            "from ...evaluation.metrics import accuracy",
            ["vskd.evaluation.metrics.accuracy"],
        ),
        ("vskd.files", "from vskd.recipe import Recipe", ["vskd.recipe.Recipe"]),
        ("vskd.errors", "import vskd.files", ["vskd.files"]),
        ("vskd.datasets.sensors.utd_mhad", "from vskd.preprocessing.sensor.signals import read_sensor", []),
        ("vskd.distillation.train", "from vskd.recipe import Recipe\nfrom vskd import __version__", []),
        ("vskd.models.trn", "from .normalise import Subtract", []),
        ("vskd.models.trn", "from vskd.network import Outputs", []),
    ],
)
def test_the_check_itself_sees_each_kind_of_import(module: str, source: str, expected: list[str]) -> None:
    assert violations(source, module) == expected


def test_nothing_imports_the_command_line() -> None:
    assert all(not may_import(room, "vskd.cli.main") for room in FLOORS if room != "cli")


def files_imported(graph: set[str], source: str, module: str) -> set[str]:
    """The files of `graph` that a file imports anywhere in it, but for what only a type checker reads."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = [ast.Pass()]
    names = imported_names(ast.unparse(tree), module)
    found = {name if name in graph else name.rpartition(".")[0] for name in names}
    return (found & graph) - {module}


def circles(imports: dict[str, set[str]]) -> list[set[str]]:
    """The groups of files of which each reaches every other one by imports."""
    reached = {module: set(others) for module, others in imports.items()}
    for middle in imports:
        for others in reached.values():
            if middle in others:
                others |= reached[middle]
    together = {frozenset({m, *(o for o in reached[m] if m in reached[o])}) for m in imports if m in reached[m]}
    return sorted(map(set, together), key=sorted)


def test_no_two_files_import_each_other() -> None:
    """Not even where they are used: what two files need of each other is a third one. The front door opens rooms."""
    sources = {
        ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts): path.read_text(encoding="utf-8")
        for path in PACKAGE.glob("**/*.py")
        if path != PACKAGE / "__init__.py"
    }
    sources = {module.removesuffix(".__init__"): source for module, source in sources.items()}
    graph = set(sources)
    assert circles({module: files_imported(graph, source, module) for module, source in sources.items()}) == []


def test_circles_are_found() -> None:
    source = "if TYPE_CHECKING:\n    from vskd.a import x\ndef f():\n    from vskd.b import y\n"
    assert files_imported({"vskd.a", "vskd.b", "vskd.c"}, source, "vskd.c") == {"vskd.b"}
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == [{"a", "b", "c"}]
    assert circles({"a": {"b"}, "b": {"c"}, "c": set()}) == []


def test_only_a_training_that_begins_loads_the_trainer() -> None:
    """Every file but four is imported, one after the other; none may draw the trainer in."""
    kept = [PACKAGE / "distillation" / f"{name}.py" for name in TRAIN]
    files = [f for f in FILES if f not in kept and f.name != "__main__.py"]
    names = [".".join(f.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__") for f in files]
    program = (
        f"import importlib, sys\nfor name in {names}:\n    importlib.import_module(name)\n"
        f"    found = [m for m in {TRAINERS} if m in sys.modules]\n    assert not found, (name, found)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert not done.returncode, done.stderr
