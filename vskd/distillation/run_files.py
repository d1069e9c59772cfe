"""What the JSON files of a run folder must hold. Strict in what is used; what other versions add is kept."""

from typing import Any

from pydantic import ConfigDict, Field

from vskd.schema import Count, Finite, NonNegative, Size, Strict


class RecordOfRun(Strict):
    """Keys that this version does not know are of another version, and no mistake."""

    model_config = ConfigDict(extra="allow")

    def content(self) -> dict[str, Any]:
        """What stands in the file."""
        return self.model_dump(mode="json", exclude_unset=True)


class Packages(RecordOfRun):
    """Versions of the packages that numbers may depend on."""

    torch: str


class ProblemRecord(RecordOfRun):
    """One problem of the data set, see `vskd.datasets.recording.Problem`."""

    kind: str
    recording: str
    path: str
    detail: str


class CopiesRecord(RecordOfRun):
    """Near copies in a run's data, see `vskd.distillation.near_copies`."""

    pairs: tuple[tuple[str, str], ...] = ()
    skipped: str = ""


class Environment(RecordOfRun):
    """environment.json: with what, and on what, a run was made."""

    vskd: str
    python: str
    packages: Packages
    accelerator: str
    dataset: str
    protocol: str
    protocol_hash: str
    split_hash: str
    data_hash: str
    role: str = "student"
    seed: Size = 0
    fold: str | None = None
    labels: str = ""
    labels_hash: str = ""
    cache: str | None = None
    teacher_runs: tuple[str, ...] = ()
    teacher_hashes: tuple[str, ...] = ()
    problems_in_data: tuple[ProblemRecord, ...] = ()
    near_copies: CopiesRecord | None = None


class TrainingRecord(RecordOfRun):
    """training.json: how a training ended."""

    epochs: Count
    selected_epoch: Size
    select: str
    seconds: NonNegative
    train: Count
    validation: tuple[str, ...]
    parameters: Count


class EpochRow(RecordOfRun):
    """A line of metrics.jsonl: the figures of one epoch, by name."""

    __pydantic_extra__: dict[str, Finite]

    epoch: Size
    seconds: NonNegative = 0.0


class LearnedRecord(RecordOfRun):
    """learned.json, see `vskd.distillation.run.Learned`."""

    train: tuple[str, ...]
    subjects: tuple[str, ...]
    labels: tuple[str, ...]
    contents: dict[str, str] = Field(default_factory=dict)
