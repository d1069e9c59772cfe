"""The parts of a recipe, and what each of their keys may hold. Components never see them; they take plain arguments."""

from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NonNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Fraction = Annotated[float, Field(ge=0, lt=1)]
Probability = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1)]


class Section(BaseModel):
    """A part of a recipe: immutable, unknown keys refused, no silent conversion of types.

    Attributes:
        later: keys that came after results were published. At their default they change nothing, and are left out of
            hashes, so that runs and caches made before they existed are still recognised.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
    later: ClassVar[frozenset[str]] = frozenset()


class DatasetSection(Section):
    """Which recordings, and how they are split; `sensor`, `video`, `image`: the streams that networks may see."""

    later: ClassVar[frozenset[str]] = frozenset({"image"})
    name: str
    path: str | None = None
    protocol: str = "cross-subject"
    fold: str | None = None
    sensor: str = "accelerometer"
    video: str = "depth"
    image: str = "image"
    max_bad_fraction: Fraction = 0.02


class SensorSection(Section):
    """How a recording becomes windows of `length` samples.

    `whole`: the whole recording is resampled to `length`. `sliding`: resampled to `rate_hz`, then cut every `stride`
    samples.
    """

    window: Literal["whole", "sliding"] = "whole"
    length: Annotated[int, Field(ge=8, le=8192)] = 128
    rate_hz: Positive | None = None
    stride: Count | None = None

    @model_validator(mode="after")
    def _sliding_is_complete(self) -> "SensorSection":
        if self.window == "sliding" and (self.rate_hz is None or self.stride is None):
            raise ValueError("sliding windows need both rate_hz and stride")
        return self


class EncodingSection(Section):
    """How a window becomes the network's input; `limit` is the range of fixed scaling, in the stream's unit."""

    method: Literal["raw", "gasf", "gadf", "gasf+gadf"] = "gasf+gadf"
    scaling: Literal["minmax", "fixed"] = "fixed"
    limit: Positive = 4.0
    image_size: Annotated[int, Field(ge=4, le=1024)] = 64


class AugmentationSection(Section):
    """Random changes of training windows, drawn anew every epoch from the run's seed; all zero means none."""

    rotation_deg: NonNegative = 0.0
    scale: NonNegative = 0.0
    jitter: NonNegative = 0.0
    time_warp: Fraction = 0.0
    crop: Fraction = 0.0


class FramesSection(Section):
    """How video frames are stored, once, for the teacher."""

    size: Annotated[int, Field(ge=16, le=1024)] = 224
    fit: Literal["squash", "centre-crop", "foreground"] = "centre-crop"


class ImageAugmentationSection(Section):
    """Random changes of training images, drawn anew every epoch from the run's seed; all zero means none.

    `flip`: chance of a mirror image; classes that name a side change with it, and a data set whose classes no mirror
    image fits refuses it.
    """

    contrast: Fraction = 0.0
    gamma: Fraction = 0.0
    brightness: Fraction = 0.0
    crop: Fraction = 0.0
    rotation_deg: NonNegative = 0.0
    flip: Probability = 0.0
    erase: Probability = 0.0


class ImagesSection(Section):
    """How camera images are stored, once, for every network that sees them.

    `crop`: the face box (or whatever box the data set gives) with `margin` of its size on each side, or the full image.
    """

    size: Annotated[int, Field(ge=32, le=1024)] = 224
    crop: Literal["box", "full"] = "full"
    margin: Fraction = 0.0
    grey: bool = False
    augmentation: ImageAugmentationSection = ImageAugmentationSection()


class TrainingSection(Section):
    """Budget and optimiser of one training.

    `select`: keep the epoch that is best on the validation recordings, or the last one. `validation`: where the
    protocol has no validation part, `carve` one out of the training subjects (or trials), or train on all of them
    (`none`, needs `select: last`). `sampling`: an epoch shows every recording once, or (`balanced`) every class equally
    often, rare ones again and again. `class_weights`: `balanced` weighs the cross entropy of a class by the inverse of
    its number of training recordings.
    """

    later: ClassVar[frozenset[str]] = frozenset({"sampling", "class_weights"})
    epochs: Count = 100
    batch_size: Count = 16
    optimizer: Literal["adam", "adamw", "sgd"] = "adam"
    learning_rate: Positive = 2e-4
    weight_decay: NonNegative = 1e-5
    momentum: Fraction = 0.9
    schedule: Literal["constant", "step", "cosine", "onecycle"] = "constant"
    step_epochs: Count = 50
    warmup: Fraction = 0.15
    label_smoothing: Fraction = 0.0
    gradient_clip: NonNegative = 0.0
    validation: Literal["carve", "none"] = "carve"
    select: Literal["best", "last"] = "best"
    precision: Literal["float32", "bfloat16"] = "float32"
    sampling: Literal["natural", "balanced"] = "natural"
    class_weights: Literal["none", "balanced"] = "none"

    @model_validator(mode="after")
    def _selection_needs_validation(self) -> "TrainingSection":
        if self.select == "best" and self.validation == "none":
            raise ValueError(
                "select 'best' needs validation recordings: set validation to 'carve', or select to 'last'"
            )
        return self


class TeacherSection(Section):
    """The network that teaches, and what it sees. The defaults of its training are those of the TRN paper's code.

    `backbone`, `segments`, `feature_size`, `feature_init_std` and `crop` are those of `trn`, which sees video. `seed`:
    the teacher's own seed; None follows the recipe's seed, a number shares one teacher among all student seeds.
    """

    later: ClassVar[frozenset[str]] = frozenset({"input"})
    input: Literal["video", "image"] = "video"
    network: str = "trn"
    backbone: Literal["bn-inception", "resnet18"] = "bn-inception"
    segments: Annotated[int, Field(ge=2, le=64)] = 8
    feature_size: Count = 300
    feature_init_std: Positive = 0.001
    dropout: Fraction = 0.5
    weights: str | None = None
    crop: Fraction = 0.0
    seed: Annotated[int, Field(ge=0, lt=2**31)] | None = None
    training: TrainingSection = TrainingSection(
        epochs=100,
        batch_size=8,
        optimizer="sgd",
        learning_rate=1e-3,
        weight_decay=5e-4,
        schedule="step",
        step_epochs=50,
    )


class StudentSection(Section):
    """The network that is shipped, and what it sees."""

    later: ClassVar[frozenset[str]] = frozenset({"input"})
    input: Literal["sensor", "image"] = "sensor"
    network: str = "resnet18"
    embedding_size: Count = 300
    dropout: Fraction = 0.0
    weights: str | None = None


class LossWeights(Section):
    """Weights of the loss terms; one left out is the distiller's own default, one the distiller lacks is not used."""

    later: ClassVar[frozenset[str]] = frozenset(
        {"target", "non_target", "sample_relation", "deep_attention", "shallow_attention", "hint"}
    )
    cross_entropy: NonNegative | None = None
    soft: NonNegative | None = None
    semantic: NonNegative | None = None
    distance: NonNegative | None = None
    angle: NonNegative | None = None
    target: NonNegative | None = None
    non_target: NonNegative | None = None
    sample_relation: NonNegative | None = None
    deep_attention: NonNegative | None = None
    shallow_attention: NonNegative | None = None
    hint: NonNegative | None = None


class DistillerSection(Section):
    """How the teacher's outputs guide the student.

    The temperature of epoch n, counted from 0, is `temperature` + n * `temperature_slope`, at most `temperature_max`.

    `teacher_outputs`: `cached` computes what the teacher says once, of the unchanged recording; `online` runs the
    teacher on the student's own batch, changed images included, and is there where both see the same images. `auto` is
    `online` where images are changed at random or the distiller looks inside the teacher, else `cached`.
    """

    later: ClassVar[frozenset[str]] = frozenset({"temperature_slope", "temperature_max", "teacher_outputs"})
    name: str = "dask"
    temperature: Positive = 4.0
    temperature_slope: NonNegative = 0.0
    temperature_max: Positive = 20.0
    teacher_outputs: Literal["auto", "cached", "online"] = "auto"
    weights: LossWeights = LossWeights()


class ExportSection(Section):
    """The int8 model: types of its input and output, and what it may lose.

    `fine_tuning`: of a student of images, `auto` trains on under simulated int8 where quantization alone loses more
    than `max_accuracy_drop`, for `fine_tuning_epochs`. `prune_stem`: stem filters of SqueezeNet_LW whose norm is at
    most this fraction of the strongest are removed; 0 removes none.
    """

    later: ClassVar[frozenset[str]] = frozenset({"fine_tuning", "fine_tuning_epochs", "fine_tuning_rate", "prune_stem"})
    input_type: Literal["int8", "float32"] = "int8"
    output_type: Literal["int8", "float32"] = "int8"
    encoding_inside: bool = False
    calibration_recordings: Count = 200
    max_accuracy_drop: Probability = 0.02
    fine_tuning: Literal["auto", "always", "never"] = "auto"
    fine_tuning_epochs: Count = 2
    fine_tuning_rate: Positive = 1e-4
    prune_stem: Fraction = 0.0
