"""Every key of every shipped recipe reaches the code: with another value, something differs.

The road is the real one (`teach`, `distill`, `export_run`), on tiny data and with tiny networks. Only Lightning's
trainer and the converter are replaced, by observers that look at what they are given: the trainer's arguments, the
batches of two epochs, the task's weights, optimizer and learning rates, the loss terms of four real steps, the epoch
that is kept; and all that an export is made of. A key whose change nobody sees fails by its path.

Two recipes that have the same key beside the same choices (modality, network, encoding, loss) share the code behind it,
so that such a key is changed in one of them.
"""

import dataclasses
import functools
import hashlib
import shutil
import types
import typing
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import numpy as np
import pytest
import torch
from scipy.io import savemat

from tests.conftest import write_shapes
from tests.modalities.conftest import write_bodies
from vskd.bundle.budget import Needs
from vskd.datasets.catalog import DATASETS
from vskd.datasets.recording import Index
from vskd.distillation.callbacks import SelectWeights
from vskd.distillation.experiment import prepare
from vskd.distillation.run import RunFolder
from vskd.distillation.task import DistillationTask
from vskd.distillation.train import distill, teach
from vskd.errors import BundleError, DataError, RecipeError, VskdError
from vskd.export import run_export
from vskd.export.int8 import fine_tuning
from vskd.modalities.catalog import MODALITIES
from vskd.models.catalog import NETWORKS, build_network
from vskd.models.weights.state import save_state
from vskd.recipe import RECIPES_FOLDER, Recipe, load_recipe
from vskd.schema import Strict

UNSEEN = {"depth-wrist"}
"""Its views from the side need depth video, and no folder here has any. Its keys are those of `wrist` and `kd3d-depth`,
but for those of its network: see tests/models/test_contract.py."""
RECIPES = sorted(
    {p.stem for p in RECIPES_FOLDER.glob("*.yaml")} - UNSEEN, key=lambda name: (not name.startswith("krca"), name)
)
"""Those with the smallest networks first: what the others share with them is changed there."""

SILENT = {
    "version": "of the schema: another one is refused",
    "name": "for people",
    "description": "for people",
    "threads": "of torch, which round otherwise; see tests/distillation/test_train.py",
    "dataset.path": "the same data may lie elsewhere",
    "distiller.preset": "its terms are written out, and those of another preset are refused under this name",
    "name of a term": "what logs call it; those of a preset are refused under another one",
    "tag": "says which modality or loss it is, and so which keys there are; see tests/recipe/test_roles.py",
}
"""Keys that change no number, and why."""

SMALL = (
    *("student.training.batch_size=3", "teachers.0.training.batch_size=3"),
    "export.calibration_recordings=7",
)
SMALL_WORLD = (
    *("dataset.name=synthetic", "student.sees.length=32", "student.sees.encoding.image_size=16"),
    *("student.network.embedding_size=8", "teachers.0.sees.size=32", "teachers.0.sees.segments=3"),
    *("teachers.0.sees.streams=[rgb]", "teachers.0.network.feature_size=8"),
)
SMALL_BODIES = (
    *("dataset.name=utd-mhad", "student.sees.encoding.limit=4.0"),  # the default, which other scalings put up with
    *("student.sees.length=32", "student.network.embedding_size=8", "teachers.0.sees.length=16"),
    "teachers.0.network.embedding_size=8",
)
SMALL_IMAGES = (
    *("dataset.name=image-folder", "student.sees.augmentation.flip=0.5", "teachers.0.sees.augmentation.flip=0.5"),
    "teachers.0.network.name=mobilenet-v3-small-075",  # its settings are those of all networks of images
    *(f"{role}.sees.{word}" for role in ("student", "teachers.0") for word in ("size=48", "crop=box", "margin=0.1")),
)
SMALL_DEPTH = tuple(
    f"{role}.sees.{word}" for role in ("student", "teachers.0") for word in ("streams=[rgb]", "fit=squash")
)
"""Of a recipe of depth video: the world has none, and other video has no sides."""
SMALL_CLIPS = (
    "dataset.name=synthetic",
    *(f"{role}.sees.{word}" for role in ("student", "teachers.0") for word in ("length=2", "height=24", "width=24")),
    *("student.network.width=0.0625", "teachers.0.network.width=0.0625"),
    # the synthetic world's video has colours; and two frames are not trained on in bfloat16
    *(
        f"{role}.{word}"
        for role in ("student", "teachers.0")
        for word in ("sees.streams=[rgb]", "sees.fit=centre-crop")
    ),
    *("student.training.precision=float32", "teachers.0.training.precision=float32"),
)


def small(name: str, **roots: Path) -> Recipe:
    """A shipped recipe with all its keys, made tiny."""
    shipped = load_recipe(name)
    data = "images" if shipped.student.sees.modality == "image" else "world"
    data = data if any(teacher.sees.modality in ("image", "frames") for teacher in shipped.teachers) else "bodies"
    made_small = {"images": SMALL_IMAGES, "world": SMALL_WORLD, "bodies": SMALL_BODIES, "clips": SMALL_CLIPS}
    clips = shipped.student.sees.modality == "clip"
    data = "world" if clips else data
    depth = clips and "depth" in (shipped.student.sees.streams or ())
    chosen = [*made_small["clips" if clips else data], *(SMALL_DEPTH if depth else ())]
    words = [*SMALL, *chosen, *([f"dataset.path={roots[data]}"] if roots else [])]
    paths = [key.path for key in keys_of(shipped)]
    made = load_recipe(name, [word for word in words if word.partition("=")[0] in paths])
    assert [key.path for key in keys_of(made)] == paths
    return made


# --- which keys there are


@dataclasses.dataclass(frozen=True)
class Key:
    """A leaf of a resolved recipe.

    Attributes:
        path: as behind `--set`.
        holder: the settings that have it.
        name: within these.
        choice: the modality, network, encoding or loss that stands beside it or above it; of export, what the student
            sees: its network is not looked at before the conversion.
    """

    path: str
    holder: Strict
    name: str
    choice: str

    @property
    def value(self) -> Any:
        return getattr(self.holder, self.name)

    @property
    def same_code(self) -> tuple[Any, ...]:
        """Equal for keys of two recipes that the same code reads in the same case."""
        place = self.path if ".terms." not in self.path else f"distiller.terms.{self.name}"
        return place, self.choice, self.value is None, type(self.value)

    @property
    def needs(self) -> list[str]:
        """What must stand beside it for a change to count."""
        others = ("select", "validation", "motion", "temperature_max", *(["crop"] if self.value == "box" else []))
        return NEEDS[self.name] if self.name in (*type(self.holder).conditional, *others) else []

    @property
    def silent(self) -> bool:
        in_term = ".terms." in self.path
        tag = self.name in ("modality", "loss") or self.value == "raw"  # the one encoding that networks of series read
        return self.path in SILENT or tag or (in_term and self.name == "name")


TAGS = ("modality", "method", "loss")


def keys_of(recipe: Recipe) -> Iterator[Key]:
    """All leaves."""
    sees = recipe.student.sees
    seen = f"{sees.modality} {sees.encoding.method if sees.modality == 'window' else ''}"
    for path, holder, name, choice in _leaves(recipe, "", ""):
        yield Key(path, holder, name, seen if path.startswith("export.") else choice)


def _leaves(settings: Strict, before: str, choice: str) -> Iterator[tuple[str, Strict, str, str]]:
    own = next((str(getattr(settings, tag)) for tag in TAGS if hasattr(settings, tag)), choice)
    own = settings.name if before.endswith("network.") else own
    for name, value in settings:
        path = f"{before}{name}"
        if isinstance(value, Strict):
            yield from _leaves(value, f"{path}.", own)
        elif isinstance(value, tuple) and (name == "teachers" or (value and isinstance(value[0], Strict))):
            for number, element in enumerate(value):
                yield from _leaves(element, f"{path}.{number}.", own)
        else:
            yield path, settings, name, own


# --- what else it could be

Words = list[str]

NEEDS: Mapping[str, Words] = {
    "momentum": ["optimizer=sgd"],
    "warmup": ["schedule=onecycle"],
    "step_epochs": ["schedule=step"],
    "limit": ["scaling=fixed"],
    "temperature_max": ["temperature_slope=0.5"],
    "rate_hz": ["window=sliding", "rate_hz=50.0", "stride=16"],
    "stride": ["window=sliding", "rate_hz=50.0", "stride=16"],
    "margin": ["crop=box"],
    "rules": ["crop=box", "margin=0.0"],  # with a margin of 0.1 the square ends where no filter reaches over its edge
    "select": ["validation=carve", "select=last"],
    "validation": ["select=last"],
    "crop": ["margin=0.0"],
    "motion": ["positions=true"],  # one of the two is seen
    "choices": ["sampling=spread"],
    "fine_tuning_epochs": [],
    "fine_tuning_rate": [],
    "window_labels": [],
    "most_mixed": [],
}
"""Key -> what must stand beside it for its change to count (siblings)."""
UNMIRRORED = ["student.sees.augmentation.flip=0.0", "teachers.0.sees.augmentation.flip=0.0"]
"""Mirror images are refused where the teacher looks at others than the student."""
ELSEWHERE: Mapping[str, Words] = {
    "dataset.fold": ["dataset.protocol=leave-one-driver-out", "dataset.fold='1'"],
    **{f"student.sees.{name}": UNMIRRORED for name in ("size", "crop", "margin", "rules", "grey", "streams")},
    "distiller.confidence": ["distiller=kd", "labels.fraction=0.4"],
    **dict.fromkeys(("distiller.teacher_outputs", "teachers.0.cross_fit", "teachers.0.views"), UNMIRRORED),
    # maps of one size are not averaged: those called deep have one pixel here
    "distiller.terms.4.pooling": [f"distiller.terms.4.{who}_layer=shallow" for who in ("student", "teacher")],
    "labels.seed": ["labels.fraction=0.4"],
    # a head stands in place of a linear classifier alone
    **{f"{role}.head": [f"{role}.network=efficientnet-lite0"] for role in ("student", "teachers.0")},
}
"""Path -> the same, anywhere."""
LABELS: Mapping[str, str] = {
    "labels.subjects": "['1']",
    "labels.trials": "['matinee']",
    "labels.classes": "[circle, cross]",
    "teachers.0.labels": "{fraction: 0.4}",
    "dataset.leave_out": "['1']",
    "distiller.confidence": "{share: 0.1}",
    "teachers.0.cross_fit": "subject",
    **dict.fromkeys(("student.head", "teachers.0.head"), "{width: 8}"),
}
"""Of lists of names, and of sections: some that are there; images have one trial; a name that is not there is told."""
HEARD = ("cross_fit", "views")
"""Keys of a teacher that change nothing of its training, and what its student hears."""

OTHER: Mapping[str, str] = {
    "length": "40",
    "size": "48",
    "image_size": "20",
    "fold": "'2'",
    "seed": "7",
    "batch_size": "2",
    "negatives": "3",
    "rate_hz": "40.0",
    "stride": "12",
    "margin": "0.3",
    "rules": "2",
    "limit": "2.0",
    "limits": "[4.0]",
    "window_labels": "centre",
    "most_mixed": "0.2",
    "momentum": "0.4",
    "warmup": "0.4",
    "step_epochs": "3",
    "temperature_max": "8.0",
    "calibration_recordings": "3",
    "prune_stem": "0.9",
    "fine_tuning_epochs": "5",
    "fine_tuning_rate": "0.5",
    "encoding_inside": "true",
    "fine_tuning": "always",
    "rotation_deg": "20.0",
    "budget": "{macs: 1000}",
    **dict.fromkeys(("flash_bytes", "ram_bytes", "macs"), "1000"),
    "latency_ms": "1.5",
}
OF_LONG_RECORDINGS = ("window_labels", "most_mixed")
"""Of sliding windows, and without effect where every recording shows one class; see test_window_labels.py."""
REPLACED: Mapping[str, str] = {
    **{"gasf+gadf": "gasf", "gasf": "gadf", "accelerometer": "[gyroscope]", "rgb": "[depth]", "image": "[rear]"},
    **{"skeleton": "[depth]", "depth": "[rgb]"},
    **{"cross-subject": "subject-specific", "official": "leave-one-driver-out", "whole": "sliding"},
    **{
        "centre-crop": "foreground",
        "foreground": "centre-crop",
        "auto": "cached",
        "deep": "shallow",
        "shallow": "deep",
        "logits": "embedding",
        "embedding": "logits",
    },
}
"""Value -> another one."""
REFUSED = (
    "streams",
    "student_layer",
    "teacher_layer",
    "teacher_outputs",
    "dataset.name",
    "labels.trials",
    "least_confidence",
    *("export.input_type", "export.output_type"),  # a hardware budget is one of int8 ends
)
"""Keys for which a refusal that names the other value is enough: some have no second value that fits the tiny data."""


def other_value(key: Key, recipe: Recipe) -> str | None:
    """Another value, as YAML; None where there is none, as of the one network of frames."""
    if key.path in LABELS:
        return "['3']" if key.value == ("1",) else LABELS[key.path]
    value = key.value[0] if isinstance(key.value, tuple) else key.value
    if key.path == "distiller.teacher_outputs" and recipe.student.sees.modality != "image":
        return "online"
    if key.path == "dataset.name":
        return "auc" if value == "image-folder" else "utd-mhad"
    if key.name == "name":  # of a network: another one with the same settings
        keys = type(key.holder).model_fields.keys()
        alike = (n for n, e in NETWORKS.items() if n != value and e.settings.model_fields.keys() == keys)
        return next((n for n in alike if NETWORKS[n].kind == NETWORKS[str(value)].kind), None)
    if isinstance(value, str) and key.name == "fine_tuning":
        return "always"
    choices = _literals(type(key.holder).model_fields[key.name].annotation)
    if isinstance(value, str):
        return REPLACED.get(value) or next(choice for choice in choices if choice != value)
    if key.name in OTHER and not (key.name == "size" and value == 48):
        return OTHER[key.name]
    if isinstance(value, bool):
        return str(not value).lower()
    if isinstance(value, int):
        return str(value + 1)
    return str(0.4 if value in (0.0, None) else 0.5 * value)


def _literals(annotation: Any) -> list[str]:
    """What a Literal allows, also inside Optional."""
    if get_origin(annotation) is Literal:
        return [str(value) for value in get_args(annotation)]
    if get_origin(annotation) in (typing.Union, types.UnionType):
        return [value for member in get_args(annotation) for value in _literals(member)]
    return []


# --- what is looked at


class DifferenceError(Exception):
    """Enough was seen."""


class Observer:
    """Keeps what it sees, or compares it with what was seen before."""

    def __init__(self, before: Mapping[str, str] | None = None) -> None:
        self._before = before
        self.seen: dict[str, str] = {}

    def see(self, what: str, value: Any) -> None:
        self.seen[what] = digest(value)
        if self._before is not None and self._before.get(what) != self.seen[what]:
            raise DifferenceError(what)


def digest(value: Any) -> str:
    """Equal for equal values."""
    if isinstance(value, torch.Tensor):
        value = value.detach().cpu().numpy()
    if isinstance(value, np.ndarray):
        return f"{value.dtype}{value.shape}{hashlib.blake2b(np.ascontiguousarray(value).tobytes()).hexdigest()[:16]}"
    if isinstance(value, Mapping):
        return "; ".join(f"{k}: {digest(v)}" for k, v in value.items())
    if isinstance(value, list | tuple):
        return f"[{', '.join(digest(v) for v in value)}]"
    return repr(value)


def _fill_layers_of_zeros(module: torch.nn.Module) -> None:
    """A layer whose weights begin at zero would hide in the first steps what is in front of it."""
    with torch.no_grad():
        for parameter in module.parameters():
            if parameter.ndim > 1 and not parameter.any():
                parameter.copy_(torch.linspace(-0.1, 0.1, parameter.numel()).view_as(parameter))


class WatchingTrainer:
    """In place of Lightning's trainer: shows the observer what it was given, and leaves the weights as they are."""

    observer = Observer()

    def __init__(self, **arguments: Any) -> None:
        self._arguments = arguments

    def fit(self, task: Any, **_: Any) -> None:
        see = self.observer.see
        names = ("max_epochs", "precision", "gradient_clip_val", "limit_val_batches")
        see("trainer", {name: self._arguments[name] for name in names})
        for epoch in (0, 1):
            see(f"batches of epoch {epoch}", [_fields(batch) for batch in task._train_batches(epoch)])
        see("validation batches", [_fields(batch) for batch in task.val_dataloader()])
        see("network", type(task.model.network).__name__)
        see("state", {name: (t.shape, t.double().sum().item()) for name, t in task.state_dict().items()})
        see("frozen", [name for name, p in task.named_parameters() if not p.requires_grad])
        see("optimizer", _optimization(task, self._arguments["max_epochs"]))
        _fill_layers_of_zeros(task)
        for epoch in (0, 50):
            task.__dict__["at"] = epoch
            task.on_train_epoch_start()
            for step, batch in zip(range(2), task._train_batches(epoch), strict=False):
                task.training_step(batch, step)
                see(f"terms in step {step} of epoch {epoch}", task.__dict__["logged"])
        see("epoch that is kept", self._kept(task))

    def _kept(self, task: Any) -> int:
        """Of two epochs, the first of which is better on validation."""
        (select,) = (c for c in self._arguments["callbacks"] if isinstance(c, SelectWeights))
        last = self._arguments["max_epochs"] - 1
        for epoch, accuracy in ((0, 0.9), (last, 0.1)):
            figures = {"validation/accuracy": accuracy, "validation/loss": 1.0}
            trainer = types.SimpleNamespace(current_epoch=epoch, max_epochs=last + 1, callback_metrics=figures)
            select.on_train_epoch_end(trainer, task)
        return select.epoch


def _fields(batch: Any) -> list[Any]:
    return [batch.ids, batch.inputs, batch.labels, batch.positions]


def _optimization(task: Any, epochs: int) -> dict[str, Any]:
    configured = task.configure_optimizers()
    optimizer, schedule = configured["optimizer"], configured["lr_scheduler"]["scheduler"]
    facts = [{k: v for k, v in group.items() if k not in ("params", "lr")} for group in optimizer.param_groups]
    rates = []
    for _ in range(epochs * len(task._train_batches(0))):
        rates.append([group["lr"] for group in optimizer.param_groups])
        optimizer.step()  # without gradients it does nothing, but the schedule wants it before its own
        schedule.step()
    return {"kind": type(optimizer).__name__, "groups": facts, "rates": rates}


def watching_export(**given: Any) -> None:
    """In place of `export_model`."""
    see = WatchingTrainer.observer.see
    see("model", {name: (t.shape, t.double().sum().item()) for name, t in given["model"].state_dict().items()})
    for name in ("calibration", "validation"):
        see(name, [getattr(sample, "id", None) or sample[0] for sample in given[name]])
    see("contract", given["contract"].model_dump_json())
    for name in ("max_accuracy_drop", "input_type", "output_type", "validation_split"):
        see(name, given[name])
    tuned = given["fine_tuning"]
    see("fits", refused_by(given["fits"]))
    see("fine-tuning", None if tuned is None else (tuned.always, tuned.train(given["model"], "minmax")))


def refused_by(fits: Any) -> str:
    """What a hardware budget says of a model that needs more of everything."""
    try:
        return "no budget" if fits is None else f"everything fits: {fits(b'')}"
    except BundleError as error:
        return str(error)


HUGE = Needs(*[10**12] * 7)


def watching_tuning(_module: Any, batches: Any, *, steps: int, learning_rate: float, range_estimator: str) -> Any:
    """In place of `train_for_int8`."""
    return [sum(1 for _ in batches), steps, learning_rate, range_estimator]


# --- the data


@pytest.fixture(scope="module")
def roots(synthetic_root: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A world and a folder of images, in which one class is rarer than the others, and bodies with their sensors."""
    folder = tmp_path_factory.mktemp("contract")
    world = Path(shutil.copytree(synthetic_root, folder / "world"))
    for path in world.rglob("a1_s1_t1_*"):
        path.unlink()
    images = folder / "images"
    write_shapes(images, drivers=4, each=3)
    rows = (images / "labels.csv").read_text().splitlines()
    rare = [row for row in rows if row.startswith("train/square/1-")]
    for row in rare:
        (images / row.split(",")[0]).unlink()
    (images / "labels.csv").write_text("\n".join(row for row in rows if row not in rare) + "\n")
    bodies = folder / "bodies"
    write_bodies(bodies, subjects=5)
    (bodies / "Skeleton" / "a2_s1_t1_skeleton.mat").unlink()  # one class is rarer here, too
    write_sensors(bodies)
    return {"world": world, "images": images, "bodies": bodies}


def write_sensors(bodies: Path) -> None:
    """A sensor file beside each of the skeletons: six columns of noise about gravity."""
    random = np.random.default_rng(1)
    (bodies / "Inertial").mkdir()
    for path in sorted((bodies / "Skeleton").glob("*.mat")):
        samples = random.normal((0, 0, 1, 0, 0, 0), 0.3, (int(random.integers(100, 140)), 6))
        savemat(bodies / "Inertial" / path.name.replace("skeleton", "inertial"), {"d_iner": samples})


@pytest.fixture
def boxed_images(monkeypatch: pytest.MonkeyPatch) -> None:
    """Images of one's own that have a box and may be mirrored, as those of driver-inattention."""
    entry = DATASETS["image-folder"]

    def index(root: Path) -> Index:
        found = entry.index(root)
        boxed = tuple(
            dataclasses.replace(
                r, streams={n: dataclasses.replace(s, box=(4.0, 6.0, 40.0, 42.0)) for n, s in r.streams.items()}
            )
            for r in found.recordings
        )
        return dataclasses.replace(found, recordings=boxed)

    monkeypatch.setitem(DATASETS, entry.name, dataclasses.replace(entry, index=index, label_swap={}))


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch, boxed_images: None) -> None:
    """The road with its observers."""
    monkeypatch.setattr("vskd.distillation.lightning_imports.Trainer", WatchingTrainer)
    monkeypatch.setattr(run_export, "export_model", watching_export)
    monkeypatch.setattr(fine_tuning, "train_for_int8", watching_tuning)
    monkeypatch.setattr(DistillationTask, "current_epoch", property(lambda task: task.__dict__.get("at", 0)))
    monkeypatch.setattr(DistillationTask, "log_dict", lambda task, figures, **_: task.__dict__.update(logged=figures))


@pytest.fixture(scope="module")
def road(tmp_path_factory: pytest.TempPathFactory) -> "Road":
    """One for all recipes: they share stores and finished runs."""
    return Road(tmp_path_factory.mktemp("road"))


class Road:
    """Runs recipes in a folder, each once where nothing is to be compared."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._number = folder, 0
        self._seen: dict[str, dict[str, str]] = {}

    def silence(self, key: Key, recipe: Recipe) -> str:
        """What is wrong with a key whose change nobody sees; empty where it is seen."""
        beside = key.path.removesuffix(key.name)
        elsewhere = ELSEWHERE.get(key.path, []) if recipe.student.sees.modality == "image" else []
        if key.choice == "attention_transfer" and key.name.endswith("_layer"):
            elsewhere = ["student.sees.size=64", "teachers.0.sees.size=64"]  # of 32 pixels, `deep` is a single one
        base = recipe.updated(*(f"{beside}{word}" for word in key.needs), *elsewhere)
        files = {"weights": self._weights, "ids": self._ids}
        value = str(files[key.name](key, base)) if key.name in files else other_value(key, recipe)
        if value is None:
            return ""
        words = [f"{key.path}={value}"]
        if value == "leave-one-driver-out":
            words.append("dataset.fold='1'")
        if value == "sliding":
            words += [f"{beside}rate_hz=50.0", f"{beside}stride=16"]
        before = self._known(key, base)
        try:
            self._walk(key, base, Observer(before), words)
        except DifferenceError:
            return ""
        except VskdError as error:
            named = key.path.endswith(REFUSED) and value.strip("[]'") in str(error)
            return "" if named else f"{words[0]}: {error}"
        return f"{words[0]} instead of {key.value}: nothing differs"

    def unchanged(self, key: Key, recipe: Recipe) -> None:
        """Walk the part of the road that the key is for twice.

        Raises:
            DifferenceError: the second walk is not like the first.
        """
        self._walk(key, recipe, Observer(self._known(key, recipe)), [])

    def _known(self, key: Key, recipe: Recipe) -> dict[str, str]:
        """What is seen without a change."""
        what = f"{self._where(key)} {recipe.model_dump_json()}"
        if what not in self._seen:
            observer = Observer()
            self._walk(key, recipe, observer, [])
            self._seen[what] = observer.seen
        return self._seen[what]

    @staticmethod
    def _where(key: Key) -> str:
        """Which part of the road the key is for; what belongs to no role is shown by a student alone."""
        first = "student" if key.name in HEARD else key.path.split(".")[0]
        return first if first in ("teachers", "export") else "student" if first in ("student", "distiller") else "alone"

    def _walk(self, key: Key, recipe: Recipe, observer: Observer, words: Words) -> None:
        part = self._where(key)
        if part == "export":
            run = self._run(recipe.undistilled())
            WatchingTrainer.observer = observer
            run_export.export_run(run, self._new(), settings=words, measure=lambda *_: HUGE)
            return
        changed = recipe.updated(*words)
        teachers = [self._run(recipe.of_teacher())] if part == "student" and changed.distiller.needs_teacher else []
        WatchingTrainer.observer = observer
        if part == "teachers":
            teach(changed, self._new(), cache=self._cache)
        else:
            distill(changed if part == "student" else changed.undistilled(), self._new(), teachers, cache=self._cache)

    def _run(self, recipe: Recipe) -> Path:
        """A finished run."""
        run = self._folder / f"run-{recipe.hash_of('seed', 'dataset', 'labels', 'student')[:12]}"
        if not RunFolder(run).complete:
            WatchingTrainer.observer = Observer()
            distill(recipe, run, cache=self._cache)
        return run

    @property
    def _cache(self) -> Path:
        return self._folder / "cache"

    def _new(self) -> Path:
        self._number += 1
        return self._folder / f"new-{self._number}"

    def _ids(self, _: Key, recipe: Recipe) -> Path:
        """A list of some recordings of the training part."""
        train = prepare(recipe, self._cache).split.train
        path = self._folder / "ids.csv"
        path.write_text("\n".join(["id", *train[::2]]) + "\n", encoding="utf-8")
        return path

    def _weights(self, key: Key, recipe: Recipe) -> Path:
        """Weights for the network of a role."""
        role = recipe.student if key.path.startswith("student") else recipe.teachers[0]
        sees = role.sees
        if sees.modality == "clip":
            shape: tuple[int, ...] = (3, sees.length, sees.height, sees.width)
        elif sees.modality == "frames":
            shape = (sees.segments, 3, sees.size, sees.size)
        elif sees.modality == "image":
            shape = (1 if sees.grey else 3, sees.size, sees.size)
        else:
            shape = tuple(sees.encoding.build()(torch.zeros(1, 3, sees.length)).shape[1:])
        torch.manual_seed(123)
        path = self._folder / f"{role.network.name}.safetensors"
        save_state(build_network(role.network, shape=shape, classes=3).pretrained_part().module, path, {})
        return path


@functools.cache
def new_keys(name: str) -> frozenset[str]:
    """Paths of the keys of a recipe that none before it has in the same place."""
    known = {key.same_code for before in RECIPES[: RECIPES.index(name)] for key in keys_of(small(before))}
    found: dict[Any, str] = {}
    for key in keys_of(small(name)):
        found.setdefault(key.same_code, key.path)
    return frozenset(path for same_code, path in found.items() if same_code not in known)


ELSEWHERE_TESTED = {
    "dataset.max_bad_fraction",  # of damaged files, and there are none here
    "labels.untested_subjects",  # of people in two parts, and none is here: tests/distillation/test_experiment.py
    "distiller.fusion",  # weighs several teachers, and there is one here: tests/distillation/teacher/test_source.py
    "student.training.ridge",  # changes weights when the training is over: tests/distillation/test_train.py
    "teachers.0.training.ridge",
}


@pytest.mark.parametrize("name", RECIPES)
def test_every_key_reaches_the_code(name: str, roots: dict[str, Path], road: "Road", watched: None) -> None:
    recipe, silent = small(name, **roots), []
    for key in keys_of(recipe):
        if key.path not in new_keys(name) or key.silent or key.path in ELSEWHERE_TESTED:
            continue
        if key.path.startswith("export.") and not MODALITIES[recipe.student.sees.modality].inputs.exported:
            continue
        if key.name in OF_LONG_RECORDINGS and key.value is not None:
            continue
        if key.path == "export.budget" and recipe.student.sees.modality == "clip":
            refused(key, recipe)
            continue
        if key.value is None and key.name in IDLE:
            refused(key, recipe)
            if not key.needs:
                continue
        silent += [wrong for wrong in (road.silence(key, recipe),) if wrong]
    assert not silent, "\n".join(silent)


IDLE = {*NEEDS, "encoding_inside", "fine_tuning", "limits", "prune_stem"} - {"select", "validation"}
"""Keys that do nothing in some recipes."""


def refused(key: Key, recipe: Recipe) -> None:
    """A key that does nothing may not be set."""
    with pytest.raises(RecipeError, match=f"{key.name} does nothing here"):
        recipe.updated(f"{key.path}={OTHER[key.name]}")


@pytest.mark.parametrize("name", ["krca", "demo"])
def test_nothing_differs_where_nothing_is_changed(
    name: str, roots: dict[str, Path], road: "Road", watched: None
) -> None:
    """Otherwise every key would seem to count."""
    recipe = small(name, **roots)
    for path in ("seed", "student.weights", "teachers.0.weights", "export.input_type"):
        (key,) = (key for key in keys_of(recipe) if key.path == path)
        road.unchanged(key, recipe)


@pytest.mark.parametrize("part", ["student", "teachers.0"])
def test_the_share_of_bad_recordings_that_is_borne(
    part: str, roots: dict[str, Path], tmp_path: Path, watched: None
) -> None:
    """`dataset.max_bad_fraction`, on data of which one file in 33 is cut off."""
    WatchingTrainer.observer = Observer()
    damaged = Path(shutil.copytree(roots["images"], tmp_path / "damaged"))
    picture = damaged / "train" / "cross" / "1-0.png"
    picture.write_bytes(picture.read_bytes()[:200])
    recipe = small("krca", **{**roots, "images": damaged})
    recipe = recipe.of_teacher() if part == "teachers.0" else recipe.undistilled()
    with pytest.raises(DataError, match="1-0"):
        distill(recipe.updated("dataset.max_bad_fraction=0.02"), tmp_path / "strict")
    assert RunFolder(distill(recipe.updated("dataset.max_bad_fraction=0.05"), tmp_path / "lenient").run).complete
