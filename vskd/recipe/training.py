"""Budget and optimizer of one training; the same for teachers and students."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import model_validator

from vskd.schema import BelowOne, Count, NonNegative, OnlyWhere, Positive, Strict, only_where


class Training(Strict):
    """Budget and optimizer of one training.

    Attributes:
        epochs, batch_size, optimizer, learning_rate, weight_decay: as usual.
        momentum: of sgd.
        schedule: of the learning rate; stepped once per batch.
        step_epochs: of the schedule `step`: epochs after which the rate falls to a tenth.
        warmup: of the schedule `onecycle`: share of the steps in which the rate rises.
        label_smoothing: of the cross entropy, with or without a teacher.
        class_weights: `balanced` weighs the cross entropy of a class by the inverse of its number of training
            recordings.
        gradient_clip: largest norm of the gradient; 0 clips nothing.
        validation: where the protocol has no validation part, `carve` one out of the training subjects (or trials), or
            train on all of them (`none`, needs `select: last`).
        select: keep the epoch that is best on the validation recordings, or the last one.
        precision: bfloat16 is mixed precision.
        sampling: an epoch shows every recording once, or (`balanced`) every class equally often, rare ones again and
            again.
        ridge: fit the classifier by ridge regression, this strong, to the training recordings as they are: before every
            validation and after the last epoch. None leaves what gradient descent found. See `vskd.distillation.ridge`.
    """

    conditional: ClassVar[Mapping[str, OnlyWhere]] = {
        "momentum": only_where("optimizer", "sgd", default=0.9),
        "step_epochs": only_where("schedule", "step", default=50),
        "warmup": only_where("schedule", "onecycle", default=0.15),
    }
    epochs: Count = 100
    batch_size: Count = 16
    optimizer: Literal["adam", "adamw", "sgd"] = "adam"
    learning_rate: Positive = 2e-4
    weight_decay: NonNegative = 1e-5
    momentum: BelowOne | None = None
    schedule: Literal["constant", "step", "cosine", "onecycle"] = "constant"
    step_epochs: Count | None = None
    warmup: BelowOne | None = None
    label_smoothing: BelowOne = 0.0
    class_weights: Literal["none", "balanced"] = "none"
    gradient_clip: NonNegative = 0.0
    validation: Literal["carve", "none"] = "carve"
    select: Literal["best", "last"] = "best"
    precision: Literal["float32", "bfloat16"] = "float32"
    sampling: Literal["natural", "balanced"] = "natural"
    ridge: Positive | None = None

    @model_validator(mode="after")
    def _ridge_weighs_recordings_alike(self) -> "Training":
        if self.ridge is not None and self.class_weights != "none":
            raise ValueError("ridge weighs every recording alike: set class_weights to none")
        if self.ridge is not None and self.sampling != "natural":
            raise ValueError("ridge counts every recording once: set sampling to natural")
        return self

    @model_validator(mode="after")
    def _selection_needs_validation(self) -> "Training":
        if self.select == "best" and self.validation == "none":
            raise ValueError(
                "select 'best' needs validation recordings: set validation to 'carve', or select to 'last'"
            )
        return self
