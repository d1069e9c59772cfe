"""The int8 model: types of its input and output, and what it may lose."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Literal

from pydantic import model_validator

from vskd.bundle.budget import Budget
from vskd.schema import BelowOne, Count, Fraction, OnlyWhere, Positive, Strict, only_where


class Export(Strict):
    """How a student becomes a bundle.

    Attributes:
        input_type, output_type: of the int8 model's ends.
        calibration_recordings: training recordings that the ranges are read from.
        max_accuracy_drop: largest loss of accuracy that is shipped, as a fraction.
        encoding_inside: of students that see windows: whether the encoding is part of the model.
        fine_tuning: of students that see images: `auto` trains on under simulated int8 where quantization alone loses
            more than `max_accuracy_drop`.
        fine_tuning_epochs, fine_tuning_rate: of that training.
        prune_stem: of squeezenet-lw: stem filters whose norm is at most this fraction of the strongest are removed; 0
            removes none.
        budget: hardware that the model has to fit; see `vskd.bundle.budget`.
    """

    conditional: ClassVar[Mapping[str, OnlyWhere]] = {
        "fine_tuning_epochs": only_where("fine_tuning", "auto", "always", default=2),
        "fine_tuning_rate": only_where("fine_tuning", "auto", "always", default=1e-4),
    }
    input_type: Literal["int8", "float32"] = "int8"
    output_type: Literal["int8", "float32"] = "int8"
    calibration_recordings: Count = 200
    max_accuracy_drop: Fraction = 0.02
    encoding_inside: bool | None = None
    fine_tuning: Literal["auto", "always", "never"] | None = None
    fine_tuning_epochs: Count | None = None
    fine_tuning_rate: Positive | None = None
    prune_stem: BelowOne | None = None
    budget: Budget | None = None

    @model_validator(mode="after")
    def _budget_is_of_integers(self) -> "Export":
        floats = [key for key in ("input_type", "output_type") if getattr(self, key) == "float32"]
        if self.budget is not None and floats:
            raise ValueError(
                f"budget is that of the generated C, whose ends are int8: {' and '.join(floats)} may not be float32 "
                "beside it"
            )
        return self


_OF_STUDENT: Mapping[str, tuple[Callable[[str, str], bool], str, Any]] = {
    "encoding_inside": (lambda modality, _: modality == "window", "the student sees windows", False),
    "fine_tuning": (lambda modality, _: modality == "image", "the student sees images", "auto"),
    "prune_stem": (lambda _, network: network == "squeezenet-lw", "the student is squeezenet-lw", 0.0),
    "budget": (lambda modality, _: modality in ("window", "image"), "the student sees windows or images", None),
}
"""Key -> whether it counts for a student's (modality, network), when that is, and its default there."""


def changeable_export(content: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of `export` without those defaults that another student might not have; `complete_export` undoes it."""
    return {key: v for key, v in content.items() if key not in _OF_STUDENT or v != _OF_STUDENT[key][2]}


def complete_export(content: Mapping[str, Any], modality: str, network: str) -> dict[str, Any]:
    """The keys of `export` with the defaults of those that depend on the student.

    Raises:
        ValueError: a key is said that does nothing for this student.
    """
    complete = dict(content)
    for key, (counts, when, default) in _OF_STUDENT.items():
        if counts(modality, network):
            if complete.get(key) is None and default is not None:
                complete[key] = default
        elif complete.get(key) is not None:
            raise ValueError(f"export.{key} does nothing here: it counts only where {when}")
    return complete
