"""What a network sees of the recordings: windows, clips or images. One object per modality, all used alike."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from vskd.datasets.catalog import get_dataset
from vskd.distillation.data import Batch, ChangeImages, ClipBatches, ImageBatches, WindowBatches
from vskd.distillation.experiment import Experiment
from vskd.errors import RecipeError
from vskd.files import sha256_json
from vskd.modalities.sampling import epoch_seed
from vskd.preprocessing.image.augment import ImageAugmentation
from vskd.preprocessing.sensor.augment import WindowAugmentation
from vskd.preprocessing.stores.store_file import Store
from vskd.recipe import Recipe, TrainingSection


class Batches(Protocol):
    """The batches of one epoch; `samples` is how many samples there are to show."""

    samples: int

    def __len__(self) -> int:
        """How many batches."""

    def __iter__(self) -> Iterator[Batch]:
        """The batches, in an order that the epoch's seed decides."""


class Inputs(Protocol):
    """What one network sees.

    Attributes:
        stream: name of the stream.
        shape: of one sample: (axes, samples), (segments, 3, height, width) or (channels, height, width).
        channels: of a window, frame or image.
        ids: recordings whose sample is usable.
        problems: of the others, by id: what was wrong.
        hash: of the data and everything that decides the samples before random changes.
        augmented: whether training changes samples at random.
    """

    @property
    def stream(self) -> str: ...  # noqa: D102

    @property
    def shape(self) -> tuple[int, ...]: ...  # noqa: D102

    @property
    def channels(self) -> int: ...  # noqa: D102

    @property
    def ids(self) -> frozenset[str]: ...  # noqa: D102

    @property
    def problems(self) -> Mapping[str, str]: ...  # noqa: D102

    @property
    def hash(self) -> str: ...  # noqa: D102

    @property
    def augmented(self) -> bool: ...  # noqa: D102

    def batches(self, ids: tuple[str, ...], epoch: int | None = None) -> Batches:
        """The samples of `ids`: for training in an epoch, or (None) in order and unchanged."""


@dataclass(frozen=True)
class _Seen(ABC):
    """What all modalities are made from: the data, and the training that decides batches, order and random changes."""

    experiment: Experiment
    training: TrainingSection
    seed: int

    @property
    def recipe(self) -> Recipe:
        """The experiment's recipe."""
        return self.experiment.recipe

    @property
    @abstractmethod
    def store(self) -> Store:
        """Where the samples lie."""

    @property
    def ids(self) -> frozenset[str]:
        """Recordings whose sample is usable."""
        return self.store.ids

    @property
    def problems(self) -> Mapping[str, str]:
        """Why the others have none."""
        return self.store.problems

    def epoch_seed(self, epoch: int | None) -> int | None:
        """The seed of an epoch; None for samples in order and unchanged."""
        return None if epoch is None else epoch_seed(self.seed, epoch)


class SensorInputs(_Seen):
    """Windows of a sensor stream."""

    @property
    def stream(self) -> str:
        """The sensor's name."""
        return self.recipe.dataset.sensor

    @property
    def shape(self) -> tuple[int, ...]:
        """(axes, samples)."""
        return self.channels, self.recipe.sensor.length

    @property
    def channels(self) -> int:
        """Axes of the sensor."""
        return self.experiment.window_store.channels

    @property
    def store(self) -> Store:
        """The store of windows."""
        return self.experiment.window_store

    @property
    def hash(self) -> str:
        """Hash of data and windows."""
        return self.experiment.windows_hash

    @property
    def augmented(self) -> bool:
        """Whether training changes windows at random."""
        return any(self.recipe.augmentation.model_dump().values())

    def batches(self, ids: tuple[str, ...], epoch: int | None = None) -> WindowBatches:
        """Windows of `ids`; a recording may have several."""
        return WindowBatches(
            self.experiment.window_store,
            ids,
            self.experiment.labels_of(ids),
            batch_size=self.training.batch_size,
            seed=self.epoch_seed(epoch),
            augmentation=WindowAugmentation(**self.recipe.augmentation.model_dump()),
            sampling=self.training.sampling,
        )


class VideoInputs(_Seen):
    """Clips of a video stream: a few frames, one of each segment."""

    @property
    def stream(self) -> str:
        """The video's name."""
        return self.recipe.dataset.video

    @property
    def shape(self) -> tuple[int, ...]:
        """(segments, 3, height, width)."""
        return self.recipe.teacher.segments, self.channels, self.recipe.frames.size, self.recipe.frames.size

    @property
    def channels(self) -> int:
        """Channels of a frame."""
        return 3

    @property
    def store(self) -> Store:
        """The store of frames."""
        return self.experiment.frame_store

    @property
    def hash(self) -> str:
        """Hash of data, stored frames and number of segments."""
        return sha256_json([self.experiment.frames_hash, self.recipe.teacher.segments])

    @property
    def augmented(self) -> bool:
        """Random frames of each segment are always taken."""
        return True

    def batches(self, ids: tuple[str, ...], epoch: int | None = None) -> ClipBatches:
        """Clips of `ids`; in order, they hold the middle frame of each segment."""
        return ClipBatches(
            self.experiment.frame_store,
            ids,
            self.experiment.labels_of(ids),
            batch_size=self.training.batch_size,
            segments=self.recipe.teacher.segments,
            seed=self.epoch_seed(epoch),
            crop=self.recipe.teacher.crop,
            sampling=self.training.sampling,
        )


class ImageInputs(_Seen):
    """Camera images."""

    @property
    def stream(self) -> str:
        """The image stream's name."""
        return self.recipe.dataset.image

    @property
    def shape(self) -> tuple[int, ...]:
        """(channels, height, width)."""
        return self.channels, self.recipe.images.size, self.recipe.images.size

    @property
    def channels(self) -> int:
        """1 for grey images, else 3."""
        return 1 if self.recipe.images.grey else 3

    @property
    def store(self) -> Store:
        """The store of images."""
        return self.experiment.image_store

    @property
    def hash(self) -> str:
        """Hash of data and stored images."""
        return self.experiment.images_hash

    @property
    def augmented(self) -> bool:
        """Whether training changes images at random."""
        return any(self.recipe.images.augmentation.model_dump().values())

    def batches(self, ids: tuple[str, ...], epoch: int | None = None) -> ImageBatches:
        """Images of `ids`."""
        return ImageBatches(
            self.experiment.image_store,
            ids,
            self.experiment.labels_of(ids),
            batch_size=self.training.batch_size,
            seed=self.epoch_seed(epoch),
            augmentation=self._augmentation,
            sampling=self.training.sampling,
        )

    @cached_property
    def _augmentation(self) -> ChangeImages | None:
        if not self.augmented:
            return None
        settings = self.recipe.images.augmentation.model_dump()
        return ImageAugmentation(**settings, label_swap=self._label_swap() if settings["flip"] else None)

    def _label_swap(self) -> tuple[int, ...]:
        """The class of the mirror image of each class."""
        name, labels = self.recipe.dataset.name, self.experiment.index.labels
        swap = get_dataset(name).label_swap
        if swap is None:
            raise RecipeError(
                f"images.augmentation.flip: the classes of '{name}' do not fit mirror images", "Set it to 0"
            )
        return tuple(labels.index(swap.get(label, label)) for label in labels)


_Build = Callable[[Experiment, TrainingSection, int], Inputs]
_STUDENT_INPUTS: Mapping[str, _Build] = {"sensor": SensorInputs, "image": ImageInputs}
_TEACHER_INPUTS: Mapping[str, _Build] = {"video": VideoInputs, "image": ImageInputs}


def student_inputs(experiment: Experiment) -> Inputs:
    """What the recipe's student sees."""
    recipe = experiment.recipe
    return _STUDENT_INPUTS[recipe.student.input](experiment, recipe.training, recipe.seed)


def teacher_inputs(experiment: Experiment) -> Inputs:
    """What the recipe's teacher sees."""
    recipe = experiment.recipe
    return _TEACHER_INPUTS[recipe.teacher.input](experiment, recipe.teacher.training, recipe.teacher_seed)
