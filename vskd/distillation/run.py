"""A run folder: everything one training reads, writes and can be resumed from."""

import contextlib
import dataclasses
import functools
import logging
import os
import platform
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch

import vskd
from vskd.distillation.run_files import Environment, EpochRow, LearnedRecord, RecordOfRun, TrainingRecord
from vskd.errors import CheckpointError, RunError, first_few
from vskd.files import WriteError, is_temporary, json_text, sha256_file, sweep, write_text
from vskd.locks import LOCK, LockedError, only_writer
from vskd.modalities.base import Rows
from vskd.recipe import DECIDING, Recipe, dump_recipe, load_recipe
from vskd.schema import parse_json, read_json
from vskd.sums import Sums

logger = logging.getLogger(__name__)

SAME = ("data_hash", "protocol_hash", "split_hash", "labels_hash", "weights_hash", "teacher_hashes", "teachers_say")
"""Facts that a run keeps from its first to its last epoch."""
NAMED = 5

_PACKAGES = ("torch", "torchvision", "lightning", "numpy", "scipy", "h5py", "scikit-learn", "av")


@functools.cache
def _versions() -> dict[str, str]:
    return {name: metadata.version(name) for name in _PACKAGES}


def environment() -> dict[str, Any]:
    """Versions and machine facts that numbers may depend on; nothing that identifies the machine."""
    return {
        "vskd": vskd.__version__,
        "python": platform.python_version(),
        "packages": dict(_versions()),
        "machine": platform.machine(),
        "cpu_count": os.cpu_count(),
        "torch_threads": torch.get_num_threads(),
        "accelerator": torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu",
    }


def default_cache(run: Path) -> Path:
    """Where a run keeps its stores when nothing else is said: beside it, so that sibling runs share them."""
    return run.parent / "cache"


@dataclass(frozen=True)
class Learned:
    """What a training learned from, by recording id; what its teachers and the run that it went on from did, too.

    Attributes:
        train: recordings trained on; subjects: the people in them.
        labels: recordings whose labels it saw, those that selected its epoch among them.
        contents: fingerprint -> recording trained on, see `vskd.modalities.base.Inputs.fingerprints`; empty in runs of
            before this was written down.
    """

    train: tuple[str, ...]
    subjects: tuple[str, ...]
    labels: tuple[str, ...]
    contents: Mapping[str, str] = field(default_factory=dict)


WEIGHTS = "checkpoints/model.safetensors"
TRAINER = "checkpoints/trainer.ckpt"
SEALED = ("recipe.yaml", "environment.json", "learned.json", "data.json", "metrics.jsonl", "training.json", WEIGHTS)
"""What a finished run is made of; its SHA256SUMS holds their hashes."""
_ALWAYS = tuple(name for name in SEALED if name not in ("learned.json", "data.json", "metrics.jsonl"))
"""Those that no finished run lacks."""


class RunFolder:
    """Paths and small files of one run: one training of one network, whether it teaches or learns from a teacher.

    Attributes:
        sums: the hashes of the finished files; while it is trained, of what it is resumed from.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.recipe_file = path / "recipe.yaml"
        self.environment_file = path / "environment.json"
        self.learned_file = path / "learned.json"
        self.data_file = path / "data.json"
        self.metrics_file = path / "metrics.jsonl"
        self.training_file = path / "training.json"
        self.weights_file = path / WEIGHTS
        self.trainer_file = path / TRAINER
        self.log_file = path / "run.log"
        self.sums = Sums(path)

    @classmethod
    def open(cls, path: Path) -> "RunFolder":
        """A run folder on disk.

        Raises:
            RunError: the folder is not a run folder.
        """
        folder = cls(path)
        if not (folder.recipe_file.is_file() and folder.environment_file.is_file()):
            raise _no_run(path, "it has no recipe.yaml and environment.json")
        return folder

    @property
    def role(self) -> str:
        """`teacher` or `student`: what the run was made for."""
        return str(self.facts().get("role", "student"))

    def teacher_runs(self) -> tuple[Path, ...]:
        """The runs of the teachers that the student learnt from, or that it is compared with."""
        return tuple(Path(os.path.normpath(self.path / run)) for run in self.facts().get("teacher_runs", ()))

    def beside(self, fact: str) -> Path | None:
        """A folder that environment.json names relative to this run, e.g. `cache`."""
        value = self.facts().get(fact)
        return None if value is None else Path(os.path.normpath(self.path / value))

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the folder: one process at a time writes it. What killed ones left half-written is swept.

        Raises:
            LockedError: another process holds it.
        """
        with only_writer(self.path / LOCK, self.path):
            for folder in (self.path, *(child for child in self.path.iterdir() if child.is_dir())):
                sweep(folder)
            yield

    def tidy(self) -> None:
        """Remove what a process left that was killed when its work was all but done; a living one is not disturbed."""
        if (self.path / LOCK).exists():
            with contextlib.suppress(LockedError, WriteError), self.writing():
                pass

    @property
    def sealed(self) -> bool:
        """Whether the hashes of a finished training are on record.

        Raises:
            SumsError: the record is damaged.
        """
        return self.training_file.name in self.sums.recorded()

    @property
    def complete(self) -> bool:
        """Whether training has ended: its files are there, and on record or (older runs) with nothing to resume from.

        Raises:
            SumsError: the record of the hashes is damaged.
        """
        files = self.training_file.is_file() and self.weights_file.is_file()
        return files and (self.sealed or not self.trainer_file.is_file())

    def seal(self) -> None:
        """Put the files of a finished training on record; from then on it is complete, and nothing is left to resume.

        Raises:
            CheckpointError: the weights were damaged since they were written.
        """
        self.check_weights()
        known = self.sums.recorded()
        (weights,) = known[WEIGHTS]
        names = [name for name in SEALED if (self.path / name).is_file() and name != WEIGHTS]
        self.sums.put({**{name: sha256_file(self.path / name) for name in names}, WEIGHTS: weights}, only=True)
        self.trainer_file.unlink(missing_ok=True)

    def check_weights(self) -> None:
        """Compare the selected weights with their record.

        Raises:
            CheckpointError: they are missing or damaged.
        """
        if self.sums.damaged([WEIGHTS]):
            raise CheckpointError(
                f"{self.weights_file} is damaged: its SHA-256 is not the one recorded when it was written",
                f"Restore it from a copy, or delete {self.path} and run the command again to train anew",
            )

    def check_intact(self) -> None:
        """Compare the files of a finished run with the hashes on record.

        Raises:
            CheckpointError: some are missing or changed; they are named.
            SumsError: the record is damaged.
        """
        known = self.sums.recorded()
        if self.training_file.name not in known:
            logger.warning("%s was made before hashes were recorded: damage to it would not be noticed", self.path)
            return
        wanted = [name for name in SEALED if name in known or name in _ALWAYS]
        damaged = [str(self.path / name) for name in self.sums.damaged(wanted)]
        if damaged:
            raise CheckpointError(
                f"{' and '.join(damaged)} changed or was damaged since training ended: the SHA-256 is not the one in "
                f"{self.sums.file.name} there",
                f"Restore it from a copy, or delete {self.path} and run the command again to train anew. If it was to "
                "name another place of the data, undo that and give the training's command with another --data",
            )

    def begin(
        self,
        recipe: Recipe,
        facts: Mapping[str, Any],
        learned: Learned | None = None,
        data: Rows = MappingProxyType({}),
    ) -> None:
        """Create the folder, or check that an existing one is of the same experiment.

        Args:
            recipe: by which it is trained.
            facts: for environment.json.
            learned: which recordings it learns from; a finished run keeps what is on record.
            data: hashes of the data of each recording; see `vskd.modalities.base.data_rows`.

        Raises:
            RunError: the folder holds another experiment, or files that are not a run's.
        """
        self.check_recipe(recipe)
        old = self.facts() if self.environment_file.is_file() else {}
        self._check_facts(old, facts, data)
        complete = self.complete
        if complete:
            self.trainer_file.unlink(missing_ok=True)  # of a process that was killed right after it had sealed the run
        # what a finished run was made with stays on record, whatever is installed today
        made_with = {**environment(), **old} if complete else environment()
        if self.trainer_file.is_file():
            self._say_other_threads(old.get("torch_threads"))
        write = self.sums.replace_text if self.sealed else self._write
        write(self.recipe_file.name, dump_recipe(recipe))  # first: by it a later command knows the folder for a run's
        write(self.environment_file.name, json_text({**made_with, **facts}))
        if learned is not None and not complete:
            write(self.learned_file.name, json_text(dataclasses.asdict(learned)))
            write(self.data_file.name, json_text(dict(data)))

    def _write(self, name: str, content: str) -> None:
        write_text(self.path / name, content)

    def check_recipe(self, recipe: Recipe) -> None:
        """Refuse a folder that is neither new nor a run of this recipe; nothing is written.

        Raises:
            RunError: the folder holds another experiment, or files that are not a run's.
        """
        if not self.recipe_file.is_file():
            own = (self.log_file.name, LOCK)
            if self.path.is_dir() and any(p.name not in own and not is_temporary(p.name) for p in self.path.iterdir()):
                raise RunError(
                    f"{self.path} is not empty and is not a run folder", "Choose a new or empty folder with --out"
                )
            return
        before = load_recipe(str(self.recipe_file))
        changed = [part for part in DECIDING if before.hash_of(part) != recipe.hash_of(part)]
        if changed:
            raise RunError(
                f"{self.path} holds a run of another recipe (different: {', '.join(changed)})",
                "Choose another --out, or delete that folder",
            )

    def _say_other_threads(self, before: int | None) -> None:
        """Sums of other numbers of threads are rounded otherwise."""
        now = torch.get_num_threads()
        if before is not None and before != now:
            logger.warning(
                "%s was begun with %d thread(s) and goes on with %d: its weights will not be those of a run in one go; "
                "set `threads` in the recipe, or OMP_NUM_THREADS=%d",
                self.path,
                before,
                now,
                before,
            )

    def _check_facts(self, old: Mapping[str, Any], facts: Mapping[str, Any], data: Rows) -> None:
        moved = [key for key in SAME if key in facts and old.get(key, facts[key]) != facts[key]]
        if moved:
            different = [f"{key}, {self.data_changes(data)}" if key == "data_hash" else key for key in moved]
            raise RunError(
                f"{self.path} was started on other data or labels, by another protocol, from other weights or with "
                f"another teacher (different: {'; '.join(different)})",
                "Choose another --out, or delete that folder",
            )

    def data_changes(self, data: Rows) -> str:
        """In words, how the data of a run differ from those on disk now, which another `data_hash` tells.

        Args:
            data: hashes of each recording now; see `vskd.modalities.base.data_rows`.
        """
        if not self.data_file.is_file():
            return "recorded by an earlier version, without their content"
        before: dict[str, dict[str, str]] = read_json(self.data_file, dict[str, dict[str, str]], RunError, self._again)
        found = [f"{i} (new)" for i in data if i not in before] + [f"{i} (gone)" for i in before if i not in data]
        for i in sorted(before.keys() & data.keys()):
            parts = sorted(p for p in {*before[i], *data[i]} if before[i].get(p) != data[i].get(p))
            found += [f"{i} ({', '.join(parts)})"] if parts else []
        if not found:
            return "the classes or their order"
        return f"{len(found)} recording(s) changed: {first_few(found, NAMED, ', ')}"

    def recipe(self) -> Recipe:
        """The resolved recipe of the run.

        Raises:
            RunError: the folder is not a run folder.
        """
        if not self.recipe_file.is_file():
            raise _no_run(self.path, "it has no recipe.yaml")
        return load_recipe(str(self.recipe_file))

    def facts(self) -> dict[str, Any]:
        """The content of environment.json.

        Raises:
            RunError: the file is missing or damaged.
        """
        return self._read(self.environment_file, Environment)

    def learned(self) -> Learned | None:
        """Which recordings the run learned from; None of a run of before this was written down.

        Raises:
            RunError: the file is damaged.
        """
        if not self.learned_file.is_file():
            return None
        content = self._read(self.learned_file, LearnedRecord)
        ids = {key: tuple(content[key]) for key in ("train", "subjects", "labels")}
        return Learned(**ids, contents=content.get("contents", {}))

    def training(self) -> dict[str, Any]:
        """The content of training.json: budget, selected epoch, seconds, validation recordings.

        Raises:
            RunError: the file is missing or damaged.
        """
        return self._read(self.training_file, TrainingRecord)

    def metrics(self) -> list[dict[str, Any]]:
        """The rows of metrics.jsonl, one per finished epoch.

        Raises:
            RunError: the file is damaged.
        """
        if not self.metrics_file.is_file():
            return []
        lines = enumerate(self.metrics_file.read_bytes().split(b"\n"), start=1)
        return [self._parsed(line, EpochRow, f"{self.metrics_file}, line {n}") for n, line in lines if line]

    def _read(self, file: Path, model: type[RecordOfRun]) -> dict[str, Any]:
        """A JSON file of the run.

        Raises:
            RunError: it is missing or damaged.
        """
        record: RecordOfRun = read_json(file, model, RunError, self._again)
        return record.content()

    def _parsed(self, line: bytes, model: type[RecordOfRun], source: str) -> dict[str, Any]:
        record: RecordOfRun = parse_json(line, model, source, RunError, self._again)
        return record.content()

    @property
    def _again(self) -> str:
        return f"Restore it from a copy, or delete {self.path} and run the command again to train anew"

    def require_complete(self) -> None:
        """Refuse a run whose training has not ended, or whose files were damaged since.

        Raises:
            RunError: training has not ended.
            CheckpointError: as `check_intact`.
        """
        self.recipe()
        if not self.complete:
            raise RunError(f"{self.path}: training has not finished", "Run the same command again to resume it")
        self.check_intact()


def _no_run(path: Path, why: str) -> RunError:
    problem = f"{path} is not a run folder: {why}" if path.is_dir() else f"There is no run folder {path}"
    return RunError(problem, "Name the folder given to --out")


class _RunLog(logging.FileHandler):
    """A log file whose disk may fill up: that is said once, and does not stop the run."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """Logging's hook; without it every further line would print a traceback."""
        self.setLevel(logging.CRITICAL + 1)
        with contextlib.suppress(OSError):  # what could not be written before cannot be written now
            self.close()
        logger.warning("the log %s cannot be written any more, the run goes on without it", self.baseFilename)


def log_to_file(path: Path) -> logging.Handler:
    """Send the package's log to `path` as well; the caller removes the handler again."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handler = _RunLog(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    package = logging.getLogger("vskd")
    package.addHandler(handler)
    if package.getEffectiveLevel() > logging.INFO:
        package.setLevel(logging.INFO)
    return handler
