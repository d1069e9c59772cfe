"""Lightning and torchmetrics load in a process of their own, and nobody walks around the door."""

import ast
import subprocess
import sys
from pathlib import Path

import vskd
from vskd.distillation import lightning_imports as lightning_door

BEHIND_THE_DOOR = {"lightning", "pytorch_lightning", "torchmetrics"}


def imported(path: Path) -> set[str]:
    """Top-level names of the packages that a file imports, inside functions too."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
    return found


def test_a_fresh_process_gets_through() -> None:
    """Here torchvision may have been loaded by other tests already."""
    script = (
        "from vskd.distillation.lightning_imports import MulticlassAccuracy, Trainer\n"
        "import torch\n"
        "accuracy = MulticlassAccuracy(num_classes=2, average='micro')\n"
        "assert accuracy(torch.tensor([0, 1, 1, 1]), torch.tensor([0, 1, 0, 1])) == 0.75\n"
        "Trainer(max_epochs=1, accelerator='cpu', logger=False, enable_checkpointing=False)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_it_is_the_only_door() -> None:
    package, door = Path(vskd.__file__).parent, Path(lightning_door.__file__)
    assert imported(door) & BEHIND_THE_DOOR == {"lightning", "torchmetrics"}
    others = [path for path in sorted(package.rglob("*.py")) if path != door]
    assert [path.name for path in others if imported(path) & BEHIND_THE_DOOR] == []


def test_it_hands_on_all_that_it_lets_in() -> None:
    tree = ast.parse(Path(lightning_door.__file__).read_text(encoding="utf-8"))
    let_in = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and str(node.module).split(".")[0] in BEHIND_THE_DOOR
        for alias in node.names
    }
    assert set(lightning_door.__all__) == let_in
