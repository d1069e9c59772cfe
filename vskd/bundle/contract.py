"""What a bundle promises: the contract of its model's input, and the manifest that describes and seals it."""

import re
from pathlib import PurePosixPath
from typing import Annotated, Any, Final, Literal, TypeVar

from pydantic import (
    AwareDatetime,
    BaseModel,
    Discriminator,
    Field,
    SerializerFunctionWrapHandler,
    Tag,
    ValidationError,
    model_serializer,
    model_validator,
)

from vskd.errors import BundleError, first_few
from vskd.schema import Count, Finite, Fraction, NonNegative, Positive, Sha256, Size, Strict, explain

SCHEMA_VERSION: Final = 1
ENCODING_VERSION: Final = 1
IMAGE_VERSION: Final = 1
"""Of the rules that images are read by unless a recipe says otherwise: those of the published figures."""

TensorKind = Literal["int8", "float32"]
EncodingMethod = Literal["raw", "gasf", "gadf", "gasf+gadf", "mtf"]
RangeEstimator = Literal["minmax", "moving-average"]


class EncodingContract(Strict):
    """How a window becomes the network's input; `limit` is the range of fixed scaling, in the stream's unit."""

    method: EncodingMethod
    scaling: Literal["minmax", "fixed"]
    limit: Positive
    image_size: Count
    version: Literal[1] = ENCODING_VERSION


class StreamContract(Strict):
    """One of several streams that a model sees.

    Attributes:
        stream, placement, unit, axes, range_limit: as in `SensorContract`.
        limit: what its samples are divided by, in its unit, so that streams of several units share a window.
        calibrated: as in `SensorContract`.
    """

    stream: str
    placement: str
    unit: str
    axes: Annotated[tuple[str, ...], Field(min_length=1)]
    range_limit: Positive
    limit: Positive = 1.0
    calibrated: bool = True


class UnknownContract(Strict):
    """When an answer is none: the model is less sure than of nearly all right answers about recordings kept aside.

    Attributes:
        below: probability of the best class below which the answer is unknown.
        keeps: share of those right answers that are at least so sure.
        windows: how many there were.
        split: the part that they are of; of `train`, the threshold is too strict for new people.
    """

    below: Fraction
    keeps: Fraction
    windows: Count
    split: Literal["validation", "train"]


class SensorContract(Strict):
    """What the model asks of a recording.

    Attributes:
        kind: bundles made before there were others do not say it.
        stream: e.g. `accelerometer`.
        placement: where the sensor is worn, e.g. `right wrist`.
        unit: unit of a sample, e.g. `g`.
        axes: names of the channels, in the order of the window's rows.
        rate_hz: samples per second of the recordings that the model was trained on.
        window_mode: `whole`: the recording is resampled to `length` samples; `sliding`: it is resampled to
            `window_rate_hz` and cut into windows of `length`, one every `stride` samples.
        length: samples of a window.
        stride: samples between sliding windows.
        window_rate_hz: rate of sliding windows.
        min_samples, max_samples: shortest and longest recording accepted, in samples at `rate_hz`.
        range_limit: largest value that the sensor can measure, in `unit`: the device's, or an estimate.
        encoding: see `EncodingContract`.
        encoding_inside: True if the model takes the window itself; False if it takes the encoded window.
        mat_variable, mat_columns: where this stream lies in the data set's own .mat files, for predicting from them.
        mat_width: how many columns that variable has; older bundles do not say it.
        streams: of a model that sees several, each in turn; `stream`, `placement` and `unit` then name them all, `axes`
            are those of all in their order, and `range_limit` is the largest of their ranges, each in multiples of its
            `limit`. Empty of a model that sees one.
        calibrated: False of accelerometers of which 1 g at rest cannot be asked; their unit must be stated.
        unknown: when an answer is none; older bundles do not say it, and answer always.
    """

    kind: Literal["sensor"] = "sensor"
    stream: str
    placement: str
    unit: str
    axes: Annotated[tuple[str, ...], Field(min_length=1)]
    rate_hz: Positive
    window_mode: Literal["whole", "sliding"]
    length: Count
    stride: Count | None = None
    window_rate_hz: Positive | None = None
    min_samples: Count
    max_samples: Count
    range_limit: Positive
    encoding: EncodingContract
    encoding_inside: bool
    mat_variable: str = ""
    mat_columns: tuple[Size, ...] = ()
    mat_width: Count | None = None
    streams: tuple[StreamContract, ...] = ()
    calibrated: bool = True
    unknown: UnknownContract | None = None

    @model_serializer(mode="wrap")
    def _as_before_there_were_others(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        content: dict[str, Any] = handler(self)
        for key, usual in (("streams", ()), ("calibrated", True), ("unknown", None)):
            if getattr(self, key) == usual:
                content.pop(key, None)
        return content

    @model_validator(mode="after")
    def _is_consistent(self) -> "SensorContract":
        if self.min_samples > self.max_samples:
            raise ValueError(f"min_samples {self.min_samples} exceeds max_samples {self.max_samples}")
        if self.window_mode == "sliding" and (self.stride is None or self.window_rate_hz is None):
            raise ValueError("sliding windows need both stride and window_rate_hz")
        if self.mat_columns and len(self.mat_columns) != len(self.axes):
            raise ValueError(f"{len(self.mat_columns)} mat_columns do not fit {len(self.axes)} axes")
        if self.streams and sum(len(stream.axes) for stream in self.streams) != len(self.axes):
            raise ValueError(f"the axes of the streams do not make {len(self.axes)} axes")
        return self

    def of_streams(self) -> "tuple[SensorContract, ...]":
        """What is asked of each stream by itself; of a model that sees one, the contract itself."""
        views, start = [], 0
        for part in self.streams:
            stop = start + len(part.axes)
            content = part.model_dump(exclude={"limit"}) | {"streams": (), "mat_columns": self.mat_columns[start:stop]}
            views.append(self.model_copy(update=content))
            start = stop
        return tuple(views) or (self,)

    @property
    def window_shape(self) -> tuple[int, int]:
        """(channels, samples)."""
        return len(self.axes), self.length

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """What the model is asked about: one window, (channels, samples)."""
        return self.window_shape


class ImageContract(Strict):
    """What the model asks of an image: how a file becomes the square of 8-bit pixels that it takes.

    Rules of decoding (colour spaces, bit depths, transparency, rotation marks) and of cropping are those of
    `vskd.preprocessing.image.image_file` in version `version`.

    Attributes:
        stream: e.g. `image`.
        placement: where the camera is mounted, e.g. `in front of the driver`.
        size: edge of the square, in pixels.
        channels: 1 for grey, 3 for RGB; an image in other colours is converted.
        crop: `full` squeezes the whole image into the square; `box` cuts out the square around a box, so that one must
            be given with each image.
        margin: what is added to the box on each side, as a fraction of its longer side.
        box_of: whose boxes the training images had, e.g. `as in driver-inattention`; empty with `full`.
        min_side: images, or boxes, whose shorter side has fewer pixels are refused.
        value_range: the model's input for the pixel values 0 and 255; linear between them.
        layout: the model's input is (1, height, width, channels), as images are decoded.
        version: of the rules. In 2 nothing outside the box is read, in 1 up to one pixel of the square around it.
    """

    kind: Literal["image"] = "image"
    stream: str
    placement: str = ""
    size: Count
    channels: Literal[1, 3]
    crop: Literal["box", "full"]
    margin: NonNegative = 0.0
    box_of: str = ""
    min_side: Count = 8
    value_range: tuple[Finite, Finite] = (0.0, 1.0)
    layout: Literal["channels-last"] = "channels-last"
    version: Literal[1, 2] = IMAGE_VERSION

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """What the model is asked about: one image, (channels, height, width), pixel values 0..255."""
        return self.channels, self.size, self.size

    @property
    def window_shape(self) -> tuple[int, int]:
        """The same image with a channel's rows of pixels one behind the other, as golden vectors hold it."""
        return self.channels, self.size * self.size


class ClipContract(Strict):
    """What the model asks of a video clip: which frames of it, and how they become its 8-bit pixels.

    Attributes:
        stream: e.g. `rgb`.
        placement: where the camera is mounted.
        length: frames of a sample.
        height, width: of a frame, in pixels.
        channels: RGB; grey is repeated.
        fit: how a frame becomes as large, see `vskd.preprocessing.video.picture`.
        sampling: which frames are taken, see `vskd.preprocessing.video.sampling`.
        value_range: the model's input for the pixel values 0 and 255; linear between them.
    """

    kind: Literal["clip"] = "clip"
    stream: str
    placement: str = ""
    length: Count
    height: Count
    width: Count
    channels: Literal[3] = 3
    fit: Literal["centre-crop", "squash", "foreground", "projections"]
    sampling: Literal["spread", "reference"]
    value_range: tuple[Finite, Finite] = (0.0, 1.0)

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """What the model is asked about: one clip, (channels, length, height, width), pixel values 0..255."""
        return self.channels, self.length, self.height, self.width

    @property
    def window_shape(self) -> tuple[int, int]:
        """The same clip with a channel's pixels one behind the other, as golden vectors hold it."""
        return self.channels, self.length * self.height * self.width


def _kind_of(content: Any) -> str:
    """Which contract this is; the oldest bundles do not say it, and are all of sensors."""
    kind = content.get("kind", "sensor") if isinstance(content, dict) else getattr(content, "kind", "sensor")
    return str(kind)


Contract = Annotated[
    Annotated[SensorContract, Tag("sensor")]
    | Annotated[ImageContract, Tag("image")]
    | Annotated[ClipContract, Tag("clip")],
    Discriminator(_kind_of),
]


class ProtocolRecord(Strict):
    """Which protocol assigned the recordings, by name and content hash."""

    name: str
    hash: str
    fold: str | None = None


class SplitSizes(Strict):
    """Recordings in each part of the split."""

    train: Size
    validation: Size
    test: Size


class Provenance(Strict):
    """Where the model comes from; the caller of the export knows it."""

    recipe: str
    dataset: str
    protocol: ProtocolRecord
    split_sizes: SplitSizes
    labels: Annotated[tuple[str, ...], Field(min_length=2)]
    seed: Size


class Accuracy(Strict):
    """Fraction of recordings labelled correctly by the trained network (`float32`) and by the int8 model.

    The float model of the bundle is the trained network, unless filters were removed before; then it stands in between.
    Never from the test part: these figures served to choose and check the model, so they are no result.
    """

    split: Literal["validation", "train"]
    recordings: Count
    float32: Fraction
    int8: Fraction
    max_drop: Fraction


class ParityNumbers(Strict):
    """Differences of the logits; see `vskd.export.parity.ParityReport`."""

    max_abs_error: NonNegative
    mean_abs_error: NonNegative
    argmax_agreement: Fraction
    n: Count


class Quantization(Strict):
    """How the int8 model was made; `fine_tuned`: trained on under simulated int8."""

    input_type: TensorKind
    output_type: TensorKind
    range_estimator: RangeEstimator
    calibration_ids: Annotated[tuple[str, ...], Field(min_length=1)]
    fine_tuned: bool = False


class NetworkCost(Strict):
    """What the network costs, as it is exported (after pruning), in the layers in which it was trained.

    Attributes:
        parameters: number of trained values.
        macs: multiply-accumulates of its convolutions and linear layers for one window or image.
        ptflops_macs: the same as the tool ptflops counts it, see `vskd.models.complexity`; older bundles do not say it.
    """

    parameters: Count
    macs: Size
    ptflops_macs: Size | None = None


class Personalised(Strict):
    """Of a bundle whose classifier was moved by recordings of one person, see `vskd.bundle.classifier_change`.

    Attributes:
        base: SHA-256 of the manifest of the bundle that it was made from, of which accuracy and parity are.
        recordings: how many there were of each label.
        strength: of the penalty.
    """

    base: Sha256
    recordings: Annotated[dict[str, Count], Field(min_length=2)]
    strength: Positive


class Manifest(Strict):
    """Everything that is known about a bundle. `files` seals all its files but the manifest itself.

    Bundles made before there was a `network` do not say it; only those for one person are `personalised`.
    """

    schema_version: Literal[1] = SCHEMA_VERSION
    vskd_version: str
    created_utc: AwareDatetime
    provenance: Provenance
    contract: Contract
    network: NetworkCost | None = None
    quantization: Quantization
    accuracy: Accuracy
    parity_int8: ParityNumbers
    parity_float32: ParityNumbers
    personalised: Personalised | None = None
    files: dict[str, Sha256]

    @model_serializer(mode="wrap")
    def _as_before_some_were_personal(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        content: dict[str, Any] = handler(self)
        if self.personalised is None:
            content.pop("personalised", None)
        return content

    @model_validator(mode="after")
    def _paths_stay_inside(self) -> "Manifest":
        for name in self.files:
            path = PurePosixPath(name)
            if path.is_absolute() or ".." in path.parts or "\\" in name or str(path) != name or name in ("", "."):
                raise ValueError(f"files: '{name}' is not a plain path inside the bundle")
        return self


Model = TypeVar("Model", bound=BaseModel)


def parse_json(model: type[Model], content: bytes, source: str) -> Model:
    """Validate JSON against a strict model.

    Args:
        model: pydantic model.
        content: JSON text.
        source: name of the file, for the message.

    Raises:
        BundleError: names every problem with its key's path.
    """
    try:
        return model.model_validate_json(content)
    except ValidationError as error:
        problems = first_few(explain(error, model), 8)
        raise BundleError(
            f"{source} does not follow the bundle schema version {SCHEMA_VERSION}: {problems}",
            f"Export the run again, or use {_maker(content)}",
        ) from error


def _maker(content: bytes) -> str:
    """The version of vskd that a manifest names, whatever else is in it; in words where it names none."""
    found = re.search(rb'"vskd_version":\s*"([0-9A-Za-z.+-]{1,40})"', content)
    return "the vskd version that made the bundle" if found is None else f"vskd {found[1].decode()}, which made it"
