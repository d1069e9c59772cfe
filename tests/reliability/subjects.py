"""Every kind of file that the product reads, and by which door: what the fuzz campaign damages and reads again."""

import contextlib
import hashlib
import io
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from tests.reliability.material import BEGUN, BUNDLE, RUN
from vskd.bundle.bundle import DIGEST, MANIFEST, load_bundle, verify_bundle
from vskd.bundle.contract import SensorContract
from vskd.bundle.predict import Predictor
from vskd.bundle.sensor_file import read_recording
from vskd.bundle.stream.stream_settings import read_stream_settings
from vskd.cli.main import run
from vskd.datasets.images.image_folder import index as index_images
from vskd.datasets.sensors.headers import check_video, peek_mat
from vskd.datasets.splits.protocol import load_protocol
from vskd.datasets.synthetic.dataset import index as index_world
from vskd.datasets.synthetic.settings import load_settings
from vskd.distillation.callbacks import check_resumable
from vskd.distillation.fitting import finished
from vskd.distillation.run import TRAINER, RunFolder
from vskd.distillation.teacher.cache import TeacherCache, TeacherKey
from vskd.errors import VskdError
from vskd.evaluation.predictions import read_csv
from vskd.evaluation.results import read_results
from vskd.firmware_bridge.generate import read_firmware
from vskd.firmware_bridge.stream_file import read_layout
from vskd.models.weights.state import read_tensors
from vskd.models.weights.weight_file import read_public
from vskd.preprocessing.image.image_file import read_image
from vskd.preprocessing.image.image_header import peek_image
from vskd.preprocessing.sensor.joints import read_joints
from vskd.preprocessing.sensor.signals import read_sensor
from vskd.preprocessing.stores.frame_store import FrameStore
from vskd.preprocessing.stores.image_store import ImageStore
from vskd.preprocessing.stores.store_file import Store
from vskd.preprocessing.stores.window_store import WindowStore
from vskd.preprocessing.video.frames import read_frames
from vskd.preprocessing.video.probe import probe_video
from vskd.recipe import load_recipe
from vskd.recipe.labels import Labels
from vskd.study.comparison_schema import read_comparison
from vskd.study.readme_table import headline_table

AXES = ("x", "y", "z")
Read = Callable[[Path], object]


class UnforeseenError(Exception):
    """The command line ended with an error that nobody foresaw."""


@dataclass(frozen=True)
class Subject:
    """One file, and how it is read.

    Attributes:
        name: what is read, by which door.
        file: relative to the material's folder; may hold `*`.
        read: given that folder, gives all that is understood of the file.
        share: how often it is damaged, in relation to others.
        sealed: whether damage must always be noticed, because the product has recorded what the file must be. Of a file
            that the user gives, another well-formed content is simply another file.
        seal: makes the recorded hashes right again, as an attacker would.
        writes: whether reading leaves files behind.
    """

    name: str
    file: str
    read: Read
    share: int = 4
    sealed: bool = False
    seal: Callable[[Path], None] | None = None
    writes: bool = False

    @property
    def slow(self) -> bool:
        """Whether it takes seconds to read."""
        return self.writes or self.seal is not None

    def path(self, root: Path) -> Path:
        """The file in a copy of the material."""
        (found,) = root.glob(self.file)
        return found


def command(*words: object) -> tuple[int, str]:
    """A command of the program, in this process.

    Raises:
        VskdError: what it printed in one line.
        UnforeseenError: an error that nobody foresaw.
    """
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run([str(word) for word in words])
    last = err.getvalue().strip().rpartition("\n")[2]
    if code == 0:
        return code, out.getvalue()
    if "--debug" in last or "Traceback" in err.getvalue() or not last.startswith("error: "):
        raise UnforeseenError(last)
    raise VskdError(last.removeprefix("error: "), "said by the command line")


def sensor_of(name: str, columns: tuple[int, ...] = ()) -> Read:
    return lambda root: read_sensor(root / name, axes=AXES, columns=columns)


def video_of(name: str) -> Read:
    def read(root: Path) -> object:
        path = root / name
        if path.suffix in (".mp4", ".avi"):
            check_video(path)
        return str(probe_video(path)).replace(str(root), ""), list(read_frames(path, size=16))

    return read


def picture_of(name: str) -> Read:
    return lambda root: (peek_image(root / name), read_image(root / name, size=16, grey=False))


def store_of(pattern: str, kind: type[Store]) -> Read:
    """All arrays of a store and its facts, as the batches of a training read them."""

    def read(root: Path) -> object:
        (path,) = root.glob(pattern)
        with kind(path) as store:
            arrays = {i: store.read(i) for i in sorted(store.ids)}
            facts = {i: dict(store.dataset(i).attrs) for i in sorted(store.ids)}
            return store.settings, store.problems, arrays, facts

    return read


def teacher_cache(root: Path) -> object:
    (path,) = root.glob("comparison/cache/teacher-*.h5")
    cache = TeacherCache(path, TeacherKey(**json.loads((root / "teacher_key.json").read_text("utf-8"))))
    outputs, ids, labels = cache.outputs(sorted(cache.ids))
    return outputs.logits, outputs.embedding, ids, labels


def of_run(*calls: Callable[[RunFolder], object]) -> Read:
    """What is read of a run folder by all that use it."""

    def read(root: Path) -> object:
        folder = RunFolder.open(root / RUN)
        return [call(folder) for call in calls]

    return read


def facts(folder: RunFolder) -> object:
    return folder.facts(), folder.role, folder.beside("cache"), len(folder.teacher_runs())


def evaluate_anew(root: Path) -> object:
    """`vskd evaluate` of a run that was not evaluated yet."""
    for name in ("results.json", "predictions.csv", "report.html"):
        (root / RUN / name).unlink(missing_ok=True)
    command("evaluate", root / RUN)
    return figures_of(root / RUN)


def figures_of(folder: Path) -> object:
    predictions = read_csv(folder / "predictions.csv")
    results = read_results(folder / "results.json")
    return predictions.ids, predictions.labels, predictions.probabilities, results.accuracy, results.protocol


def resumed(root: Path) -> object:
    """`vskd distill` of a run that is finished."""
    (teacher,) = (root / "comparison/teachers").iterdir()
    words = ["--recipe", root / RUN / "recipe.yaml", "--teacher-run", teacher, "--out", root / RUN]
    return command("distill", *words, "--cache", root / "comparison/cache")[0]


def bundle_contract(root: Path) -> SensorContract:
    contract = load_bundle(root / BUNDLE).manifest.contract
    if not isinstance(contract, SensorContract):
        raise TypeError("the material's bundle is of a sensor")
    return contract


def verified(root: Path) -> object:
    report = verify_bundle(root / BUNDLE, time_limit_s=8)
    return report.golden_vectors, Predictor(load_bundle(root / BUNDLE)).bundle.digest


def reseal(root: Path) -> None:
    """Make manifest and digest fit the files again."""
    folder = root / BUNDLE
    with contextlib.suppress(ValueError, KeyError, TypeError, AttributeError):  # the manifest itself may be damaged
        manifest = json.loads((folder / MANIFEST).read_bytes())
        for name in manifest["files"]:
            manifest["files"][name] = hashlib.sha256((folder / name).read_bytes()).hexdigest()
        replace(folder / MANIFEST, json.dumps(manifest).encode())
    digest = hashlib.sha256((folder / MANIFEST).read_bytes()).hexdigest()
    replace(folder / DIGEST, f"{digest}  {MANIFEST}\n".encode())


def replace(path: Path, content: bytes) -> None:
    """Write a file anew; what it was linked with stays as it is."""
    path.unlink(missing_ok=True)
    path.write_bytes(content)


def listed_ids(root: Path) -> object:
    world = index_world(root / "world")
    return Labels(ids=str(root / "ids.csv")).labelled(world.recordings, world.labels, ())


def images_indexed(root: Path) -> object:
    found = index_images(root / "shapes")
    return [(r.id, r.subject, r.label, r.group) for r in found], [
        (p.kind, p.recording, p.detail) for p in found.problems
    ]


def headline(root: Path) -> object:
    return headline_table(root)


def resealed(name: str, read: Read, share: int, door: str) -> Subject:
    return Subject(f"bundle, hashes redone: {door}", f"{BUNDLE}/{name}", read, share, seal=reseal)


def protocol_of(root: Path) -> object:
    return load_protocol("synthetic", str(root / "protocol.yaml"))


def checkpoint(root: Path) -> object:
    folder = RunFolder(root / BEGUN)
    check_resumable(folder)
    return torch.load(folder.trainer_file, weights_only=True)


OF_USERS = (
    Subject("sensor .npy", "sensor.npy", sensor_of("sensor.npy"), 12),
    Subject("sensor .csv", "sensor.csv", sensor_of("sensor.csv"), 12),
    Subject(
        "sensor .mat",
        "world/Inertial/a1_s1_t1_inertial.mat",
        sensor_of("world/Inertial/a1_s1_t1_inertial.mat", (0, 1, 2)),
        12,
    ),
    Subject("sensor .mat, compressed", "packed.mat", sensor_of("packed.mat"), 8),
    Subject("headers of .mat", "packed.mat", lambda root: peek_mat(root / "packed.mat"), 8),
    Subject("joints .mat", "joints.mat", lambda root: read_joints(root / "joints.mat", "d_skel"), 6),
    Subject("depth .mat", "depth.mat", video_of("depth.mat"), 6),
    Subject("picture .png", "picture.png", picture_of("picture.png"), 10),
    Subject("picture .jpg", "picture.jpg", picture_of("picture.jpg"), 10),
    *(Subject(f"video {e}", f"clip{e}", video_of(f"clip{e}"), 8) for e in (".mp4", ".avi", ".mkv", ".webm")),
    Subject("recipe, complete", "mine.yaml", lambda root: load_recipe(str(root / "mine.yaml")), 6),
    Subject("recipe that extends", "extends.yaml", lambda root: load_recipe(str(root / "extends.yaml")), 4),
    Subject("protocol", "protocol.yaml", protocol_of, 6),
    Subject("stream settings", "stream.yaml", lambda root: read_stream_settings(root / "stream.yaml"), 6),
    Subject("list of labels", "ids.csv", listed_ids, 4),
    Subject("labels.csv of images", "shapes/labels.csv", images_indexed, 6),
    Subject("settings of a synthetic world", "world/world.json", lambda root: load_settings(root / "world"), 6),
    Subject("public weights .pth", "public.pth", lambda root: read_public(root / "public.pth"), 8),
    Subject("headline.json", "headline.json", headline, 2),
    Subject("audit.json", "comparison/audit.json", headline, 2),
)
OF_A_BUNDLE = (
    Subject(
        "recording for a bundle",
        "recording.csv",
        lambda root: read_recording(root / "recording.csv", bundle_contract(root)),
        8,
    ),
    Subject(
        "stream of a recording",
        "recording.csv",
        lambda root: read_layout(root / "recording.csv", bundle_contract(root)),
        4,
    ),
    *(
        Subject(f"bundle: {name}", f"{BUNDLE}/{name}", verified, 2, sealed=True)
        for name in ("model.tflite", "model_float.tflite", "golden.json", "MODEL_CARD.md", MANIFEST, DIGEST)
    ),
    resealed(MANIFEST, verified, 3, "manifest.json"),
    resealed("golden.json", verified, 3, "golden.json"),
    resealed("model.tflite", verified, 24, "model.tflite, verified"),
    resealed(
        "model.tflite",
        lambda root: read_firmware(load_bundle(root / BUNDLE)).graph.input.shape,
        6,
        "model.tflite, to C",
    ),
)
OF_RUNS = (
    Subject(
        "window store",
        "comparison/cache/window-*.h5",
        store_of("comparison/cache/window-*.h5", WindowStore),
        8,
        sealed=True,
    ),
    Subject(
        "frame store",
        "comparison/cache/frames-*.h5",
        store_of("comparison/cache/frames-*.h5", FrameStore),
        6,
        sealed=True,
    ),
    Subject("image store", "images.h5", store_of("images.h5", ImageStore), 8, sealed=True),
    Subject("teacher cache", "comparison/cache/teacher-*.h5", teacher_cache, 8, sealed=True),
    Subject(
        "weights",
        f"{RUN}/checkpoints/model.safetensors",
        lambda root: read_tensors(root / RUN / "checkpoints/model.safetensors"),
        8,
    ),
    Subject("state to resume from", f"{BEGUN}/{TRAINER}", checkpoint, 6),
    Subject("environment.json", f"{RUN}/environment.json", of_run(facts), 10),
    Subject("training.json", f"{RUN}/training.json", of_run(RunFolder.training, finished), 10),
    Subject("metrics.jsonl", f"{RUN}/metrics.jsonl", of_run(RunFolder.metrics, finished), 10),
    Subject("learned.json", f"{RUN}/learned.json", of_run(RunFolder.learned), 8),
    Subject("results.json", f"{RUN}/results.json", lambda root: read_results(root / RUN / "results.json"), 8),
    Subject("predictions.csv", f"{RUN}/predictions.csv", lambda root: read_csv(root / RUN / "predictions.csv"), 8),
    Subject(
        "comparison.json",
        "comparison/comparison.json",
        lambda root: read_comparison(root / "comparison/comparison.json"),
        6,
    ),
    *(
        Subject(f"evaluate a run: {name}", f"{RUN}/{name}", evaluate_anew, 3, writes=True)
        for name in ("environment.json", "training.json", "metrics.jsonl", "recipe.yaml", "learned.json")
    ),
    Subject(
        "evaluate a run: weights", f"{RUN}/checkpoints/model.safetensors", evaluate_anew, 2, sealed=True, writes=True
    ),
    *(
        Subject(f"distill again: {name}", f"{RUN}/{name}", resumed, 1, writes=True)
        for name in ("environment.json", "training.json", "metrics.jsonl", "learned.json")
    ),
)


def subjects(*groups: Iterable[Subject]) -> tuple[Subject, ...]:
    """All subjects of some groups; each has a name of its own."""
    found = tuple(subject for group in groups for subject in group)
    names: list[Any] = [subject.name for subject in found]
    if len(set(names)) < len(names):
        raise ValueError("two subjects have one name")
    return found


ALL = subjects(OF_USERS, OF_A_BUNDLE, OF_RUNS)
