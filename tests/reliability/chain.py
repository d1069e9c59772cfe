"""The commands that the campaigns disturb: a world, a teacher, a student, evaluations and a comparison, in tiny."""

import hashlib
import importlib
import json
import re
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import h5py

from tests.conftest import TINY, TINY_STUDENT
from tests.reliability.children import Ended, in_child, said
from vskd.files import is_temporary, sha256_file, write_text
from vskd.locks import LOCK
from vskd.preprocessing.file_hashes import TABLE
from vskd.recipe import dump_recipe, load_recipe
from vskd.sums import SUMS, Sums

SMALLER = ("student.training.epochs=2", "student.training.validation=carve", "student.training.select=best")
RECIPE = "mine.yaml"


class Stage(NamedTuple):
    """A command, by name."""

    name: str
    line: str


STAGES = (
    Stage("world", "datasets make-synthetic --out world --subjects 4 --actions 3 --trials 2"),
    Stage("windows", "preprocess windows synthetic --data world --length 32 --out windows.h5"),
    Stage("teach", f"teach --recipe {RECIPE} --out teacher --cache cache"),
    Stage("distill", f"distill --recipe {RECIPE} --teacher-run teacher --out student --cache cache"),
    Stage("evaluate", "evaluate student"),
    Stage("compare", f"compare {RECIPE} --controls none --seeds 0 --out comparison"),
)
QUICK = STAGES[:2]
"""Those without a training."""
LOADED = ("vskd.datasets.catalog", "vskd.datasets.synthetic.write", "vskd.preprocessing.stores.window_store")
LOADED_TO_TRAIN = (*LOADED, "vskd.study.compare")
"""What is loaded once here, not in every child."""
UNSTEADY = re.compile(r'"(seconds|evaluate|train)": [0-9.]+')
"""Times, which no two runs share."""
UNCOMPARED = ("report.html", "run.log", "comparison.html", SUMS)
"""Made of times too, or of hashes of files that hold them."""


def begin(folder: Path) -> None:
    """A folder with nothing but the recipe."""
    folder.mkdir(parents=True)
    words = (*TINY, *TINY_STUDENT, *SMALLER, "dataset.path=world")
    write_text(folder / RECIPE, dump_recipe(load_recipe("demo", words)))


def load(modules: Sequence[str]) -> None:
    """Import what children need, so that it is there in each of them."""
    for module in modules:
        importlib.import_module(module)


def snapshots(root: Path, stages: Sequence[Stage] = STAGES) -> list[Path]:
    """Folders as they are before each stage, and after the last one."""
    load(LOADED_TO_TRAIN if len(stages) > len(QUICK) else LOADED)
    work = root / "work"
    begin(work)
    found = [_copy(work, root / "begin")]
    for stage in stages:
        ended = run(stage, work)
        assert ended.answer and ended.answer[0] == 0, ended
        found.append(_copy(work, root / f"after-{stage.name}"))
    return found


def _copy(source: Path, target: Path) -> Path:
    shutil.copytree(source, target)
    return target


def run(stage: Stage, folder: Path, before: Callable[[], Any] = lambda: None) -> Ended:
    """Run a stage's command in a child; its answer is the exit code and what was said.

    Args:
        stage: which.
        folder: where.
        before: is called in the child first.
    """

    def work() -> tuple[int, str]:
        before()
        return said(stage.line.split(), folder)

    return in_child(work)


def fingerprint(folder: Path) -> dict[str, str]:
    """The files of a folder by name, with a hash of what does not change from run to run."""
    found = {}
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        name = path.relative_to(folder).as_posix()
        if path.name == TABLE:  # of places on the disk, and only there where files had settled: a command's speed shows
            continue
        if path.name in UNCOMPARED:
            found[name] = "there"
        elif path.suffix in (".json", ".jsonl"):
            found[name] = UNSTEADY.sub("", path.read_text(encoding="utf-8"))
        elif path.suffix == ".h5":
            found[name] = content_of(path)
        else:
            found[name] = sha256_file(path)
    return found


def content_of(path: Path) -> str:
    """Hash of all arrays and attributes of an HDF5 file, whose headers hold bytes that nothing is read from."""
    digest = hashlib.sha256()

    def add(name: str, item: h5py.Group | h5py.Dataset) -> None:
        digest.update(repr((name, sorted((key, repr(value)) for key, value in item.attrs.items()))).encode())
        if isinstance(item, h5py.Dataset):
            digest.update(repr((item.shape, item.dtype)).encode() + item[()].tobytes())

    try:
        with h5py.File(path, "r", locking=False) as file:
            add("/", file)
            file.visititems(add)
    except (OSError, RuntimeError):  # h5py says RuntimeError where the list of groups is damaged
        return f"unreadable {sha256_file(path)}"
    return digest.hexdigest()


def differences(folder: Path, good: dict[str, str]) -> list[str]:
    """Names of files that are not what they are after an undisturbed chain, or are on record otherwise."""
    found = fingerprint(folder)
    wrong = {name for name in found.keys() | good.keys() if found.get(name) != good.get(name)}
    for file in folder.rglob(SUMS):
        known = Sums(file.parent)
        wrong |= {f"{file.parent.name}/{name} as recorded" for name in known.damaged(known.recorded())}
    return sorted(wrong)


def left_behind(folder: Path) -> list[str]:
    """Temporary files and locks."""
    return [str(p) for p in folder.rglob("*") if is_temporary(p.name) or p.name.endswith((LOCK, ".partial"))]


def internal(text: str) -> bool:
    """Whether a message is that of an error that nobody foresaw."""
    return "Run the same command again with --debug" in text or "Traceback" in text


def as_json(found: Any) -> str:
    """Figures of a campaign, for a document."""
    return json.dumps(found, indent=2, sort_keys=True)
