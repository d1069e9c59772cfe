"""From a recipe to what training needs: the index, the honest split, and the stores of windows, frames and images."""

import dataclasses
import logging
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from vskd.datasets.catalog import get_dataset
from vskd.datasets.recording import Index, Recording, Stream
from vskd.datasets.splits.audit import audit_split, check_problems
from vskd.datasets.splits.protocol import load_protocol
from vskd.datasets.splits.split import Split, carve_validation
from vskd.errors import DataError, RecipeError
from vskd.files import sha256_json
from vskd.preprocessing.stores.frame_store import FrameSource, FrameStore, build_frame_store
from vskd.preprocessing.stores.image_store import ImageSource, ImageStore, build_image_store
from vskd.preprocessing.stores.window_store import WindowSource, WindowStore, build_window_store
from vskd.recipe import Recipe, TrainingSection

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Experiment:
    """The data of one recipe, before any training.

    Attributes:
        recipe: what was asked for.
        index: the usable recordings (those that have every stream the recipe needs).
        split: the protocol's split, without a carved validation part.
        cache: folder of the stores, shared between runs.
    """

    recipe: Recipe
    index: Index
    split: Split
    cache: Path

    @cached_property
    def recordings(self) -> dict[str, Recording]:
        """Recordings by id."""
        return self.index.by_id()

    def labels_of(self, ids: tuple[str, ...]) -> list[int]:
        """Class numbers of recordings."""
        by_id = self.recordings
        return [by_id[i].label for i in ids]

    @cached_property
    def data_hash(self) -> str:
        """Hash of what is on disk: ids, labels, file names, sizes and boxes of the streams in use; no decoding, no
        absolute path."""
        dataset = self.recipe.dataset
        used = (dataset.sensor, dataset.video, dataset.image)
        rows = [
            [r.id, r.label, r.subject, [_identity(s) for n, s in sorted(r.streams.items()) if n in used]]
            for r in self.index
        ]
        return sha256_json([self.index.dataset, rows])

    def facts(self) -> dict[str, Any]:
        """What a run stamps on its results."""
        return {
            "seed": self.recipe.seed,
            "dataset": self.index.dataset,
            "data_hash": self.data_hash,
            "protocol": self.split.protocol,
            "protocol_hash": self.split.protocol_hash,
            "split_hash": self.split.split_hash,
            "fold": self.split.fold,
            "problems_in_data": [dataclasses.asdict(p) for p in self.index.problems],
        }

    def training_split(self, training: TrainingSection) -> Split:
        """The split with a validation part, where `training` wants one: carved from the training subjects or trials,
        never from test."""
        if self.split.validation or training.validation == "none":
            return self.split
        return carve_validation(self.split, self.index)

    @cached_property
    def window_store(self) -> WindowStore:
        """The store of sensor windows, built on first use."""
        sensor, name = self.recipe.sensor, self.recipe.dataset.sensor
        streams = {r.id: r.stream(name) for r in self.index}
        sources = [WindowSource(i, s.path, s.variable, s.columns, s.axes, s.rate_hz) for i, s in streams.items()]
        path = self.cache / f"windows-{name}-{self.windows_hash[:12]}.h5"
        build_window_store(
            sources,
            path,
            mode=sensor.window,
            length=sensor.length,
            rate_hz=sensor.rate_hz,
            stride=sensor.stride,
            max_bad_fraction=self.recipe.dataset.max_bad_fraction,
        )
        return WindowStore(path)

    @property
    def windows_hash(self) -> str:
        """Hash of the windows' data and preprocessing."""
        return sha256_json([self.data_hash, self.recipe.dataset.sensor, self.recipe.sensor.model_dump(mode="json")])

    @cached_property
    def frame_store(self) -> FrameStore:
        """The store of video frames, built on first use."""
        frames, name = self.recipe.frames, self.recipe.dataset.video
        streams = {r.id: r.stream(name) for r in self.index}
        sources = [FrameSource(i, s.path, s.variable, s.rate_hz) for i, s in streams.items()]
        path = self.cache / f"frames-{name}-{self.frames_hash[:12]}.h5"
        build_frame_store(
            sources, path, size=frames.size, fit=frames.fit, max_bad_fraction=self.recipe.dataset.max_bad_fraction
        )
        return FrameStore(path)

    @property
    def frames_hash(self) -> str:
        """Hash of the frames' data and preprocessing."""
        return sha256_json([self.data_hash, self.recipe.dataset.video, self.recipe.frames.model_dump(mode="json")])

    @cached_property
    def image_store(self) -> ImageStore:
        """The store of camera images, built on first use."""
        images, name = self.recipe.images, self.recipe.dataset.image
        streams = {r.id: r.stream(name) for r in self.index}
        path = self.cache / f"images-{name}-{self.images_hash[:12]}.h5"
        build_image_store(
            [ImageSource(i, s.path, s.box) for i, s in streams.items()],
            path,
            size=images.size,
            margin=images.margin,
            crop=images.crop,
            grey=images.grey,
            max_bad_fraction=self.recipe.dataset.max_bad_fraction,
        )
        return ImageStore(path)

    @property
    def images_hash(self) -> str:
        """Hash of the images' data and preprocessing; random changes come later."""
        settings = self.recipe.images.model_dump(mode="json", exclude={"augmentation"})
        return sha256_json([self.data_hash, self.recipe.dataset.image, settings])

    def only(self, ids: tuple[str, ...], stored: frozenset[str], what: str) -> tuple[str, ...]:
        """`ids` without those whose sample was corrupt and so is not in the store; each is logged by name."""
        lost = [i for i in ids if i not in stored]
        if lost:
            logger.warning("%d recording(s) have no usable %s and are left out: %s", len(lost), what, ", ".join(lost))
        return tuple(i for i in ids if i in stored)


def _identity(stream: Stream) -> list[Any]:
    """What tells a stream's content from another's without decoding it."""
    box = [] if stream.box is None else [list(stream.box)]
    return [stream.name, stream.path.name, stream.path.stat().st_size, *box]


def prepare(recipe: Recipe, cache: Path, *, needs_teacher: bool, needs_student: bool = True) -> Experiment:
    """Index the recipe's data set and split it by its protocol, refusing leaks.

    Args:
        recipe: names data set, protocol and streams.
        cache: folder of the stores.
        needs_teacher, needs_student: which of the two streams a recording must have to be used.

    Raises:
        RecipeError: no data path, or an unknown data set.
        DataError: nothing usable in the folder.
        ProtocolError: the protocol does not fit, or a leak was found.
    """
    if recipe.dataset.path is None:
        raise RecipeError("dataset.path is not set", "Say where the data set is with --data PATH")
    index = get_dataset(recipe.dataset.name).index(Path(recipe.dataset.path))
    if not needs_teacher and recipe.student_stream != recipe.teacher_stream:
        # what lacks the other modality is whole for a student alone; within one stream, unpaired is without a label
        index = dataclasses.replace(index, problems=tuple(p for p in index.problems if p.kind != "unpaired"))
    check_problems(index, recipe.dataset.max_bad_fraction)
    streams = [recipe.student_stream] * needs_student + [recipe.teacher_stream] * needs_teacher
    wanted = list(dict.fromkeys(streams))
    usable = index.with_streams(wanted)
    if not usable:
        raise DataError(
            f"{index.root}: no recording has the stream(s) {', '.join(wanted)}",
            "Run `vskd datasets index` to see which streams are there, and set dataset.sensor, .video or .image",
        )
    if len(usable) < len(index):
        logger.warning(
            "%d of %d recordings lack %s and are left out", len(index) - len(usable), len(index), " or ".join(wanted)
        )
    index = dataclasses.replace(index, recordings=usable)
    split = load_protocol(recipe.dataset.name, recipe.dataset.protocol).split(index, fold=recipe.dataset.fold)
    audit_split(split, index, streams=wanted[:1])
    return Experiment(recipe, index, split, cache)
