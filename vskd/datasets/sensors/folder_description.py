"""What `dataset.yaml` says of a folder of sensor files: which files, which columns, which clock, which unit.

    format: sensor-folder 1
    root: ../recordings            # where the files lie, from dataset.yaml; left out: beside it
    labels: [walk, run]            # left out: the names found, sorted
    streams:
      accelerometer:
        files: "s{subject}/{label}_{trial}.csv"
        columns: [acc_x, acc_y, acc_z]
        time: {column: t, unit: ms}
        rate_hz: 50
        unit: m/s^2
        range: 78.5
        position: right wrist

A pattern's words in braces are what is known of a recording: `subject`, `label`, `trial`, and any other, which becomes
a factor that protocols may split by. `*` stands for what does not matter. In place of patterns, `table:` names a CSV
file with the columns file, subject, label, and if there are such, trial, start and end (seconds since the file's first
sample), first_row and last_row (counted from 1, both included), and factors.
"""

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationError, field_validator, model_validator

from vskd.datasets.data_folder import require_folder
from vskd.datasets.sensors.folder_found import FILE
from vskd.errors import DataError
from vskd.preprocessing.sensor.codes import parse_codes
from vskd.preprocessing.sensor.time_zone import check_zone
from vskd.preprocessing.sensor.units import parse_unit
from vskd.schema import Finite, Positive, Size, Strict, explain, parse
from vskd.yaml_text import read_yaml

FORMAT = "sensor-folder 1"
TIME_UNITS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9, "text": None}
"""Seconds in a unit of time; `text` are dates and times, or times of day. Beside them there are `samples`, which last
as long as the rate says: numbers of samples, some of which may be missing."""
BASE_UNIT = {"acceleration": "g", "angular rate": "deg/s"}
"""What samples are given in, whatever unit a file has."""
PLACEHOLDER = re.compile(r"\{(\w+)\}")

Column = Annotated[Size | str, Field(union_mode="left_to_right")]
"""A column by its number in the file, from 0, or by its name in the header."""


class TimeColumn(Strict):
    """The column of time stamps, what they count, and the IANA time zone of dates and times that are local."""

    column: Column
    unit: Literal["s", "ms", "us", "ns", "text", "samples"]
    zone: Annotated[str, AfterValidator(check_zone)] | None = None

    @model_validator(mode="after")
    def _local(self) -> "TimeColumn":
        if self.zone and self.unit != "text":
            raise ValueError(f"zone: only dates and times have one (unit: text), and the unit is {self.unit}")
        return self

    def seconds(self, rate_hz: float) -> float | None:
        """How many seconds the unit is; None of dates and times."""
        return 1 / rate_hz if self.unit == "samples" else TIME_UNITS[self.unit]


class StreamDescription(Strict):
    """One sensor: see the module's text.

    Attributes:
        files: pattern of its files, from `root`; left out where a table lists them.
        separator: of text files; left out: found.
        header: whether text files begin with names of columns; left out: found.
        variable: array of .mat and .npz files; data set or group of .h5 files, by its path.
        columns: those of the axes, in the order of `axes`.
        axes: names of the channels.
        signs: of each axis, -1 where the device's axis points the other way.
        time: column of time stamps; left out: samples are evenly spaced.
        rate_hz: of the device.
        unit: of the numbers in the file: g, mg, m/s^2, deg/s, rad/s, or counts as `1/64 g` or `0.0012 g`.
        offset: what the device writes for zero.
        codes: what the file's numbers stand for in `unit`, e.g. `0..63 = -1.5..1.5`; in place of an offset.
        range: largest value that the device measures, in `unit`.
        clip: whether samples beyond `range`, which no device of that range writes, are set to it.
        position: where it is worn.
        calibrated: whether an accelerometer must show 1 g at rest.
    """

    files: str | None = None
    separator: Literal["tab", "semicolon", "bar", "comma", "space"] | None = None
    header: bool | None = None
    variable: str = ""
    columns: Annotated[tuple[Column, ...], Field(min_length=1)]
    axes: tuple[str, ...] = ("x", "y", "z")
    signs: tuple[Literal[1, -1], ...] | None = None
    time: TimeColumn | None = None
    rate_hz: Positive
    unit: Annotated[str, Field(min_length=1)]
    offset: Finite = 0.0
    codes: str | None = None
    range: Positive | None = None
    clip: bool = False
    position: str = ""
    calibrated: bool = True

    @model_validator(mode="after")
    def _fits(self) -> "StreamDescription":
        for name, values in (("columns", self.columns), ("signs", self.signs)):
            if values is not None and len(values) != len(self.axes):
                raise ValueError(f"{name} has {len(values)} entries for {len(self.axes)} axes ({', '.join(self.axes)})")
        if len(set(self.columns)) < len(self.columns) or (self.time and self.time.column in self.columns):
            raise ValueError("a column is named twice")
        if self.codes and self.offset:
            raise ValueError("offset does nothing beside codes, which say what stands for zero")
        if self.clip and not self.limit:
            raise ValueError("clip does nothing without a range")
        return self

    @field_validator("codes")
    @classmethod
    def _known_codes(cls, codes: str | None) -> str | None:
        if codes is not None:
            parse_codes(codes)
        return codes

    @property
    def factor(self) -> float:
        """What numbers of the file, their zero taken off, are multiplied by to be in `stream_unit`."""
        return (parse_codes(self.codes).factor if self.codes else 1.0) * self._in_base

    @property
    def zero(self) -> float:
        """What the file holds for zero."""
        return parse_codes(self.codes).zero if self.codes else self.offset

    @property
    def limit(self) -> float:
        """The largest value that the device measures, in `stream_unit`; 0 where nobody says it."""
        return (self.range or (parse_codes(self.codes).rail if self.codes else 0.0)) * self._in_base

    @property
    def _in_base(self) -> float:
        known = parse_unit(self.unit)
        return known.factor if known else 1.0

    @property
    def stream_unit(self) -> str:
        """Unit of the samples: g, deg/s, or the file's own where vskd does not know it."""
        known = parse_unit(self.unit)
        return BASE_UNIT[known.quantity] if known else self.unit


class VideoDescription(Strict):
    """Videos of recordings, for teachers.

    Attributes:
        table: CSV file that pairs them, from the folder of `dataset.yaml`: columns `recording` (its id) and `video` (a
            path from `root`).
        rate_hz: frames per second at which they were taken; left out: as each file says.
        position: how the camera stands.
    """

    table: Annotated[str, Field(min_length=1)]
    rate_hz: Positive | None = None
    position: str = ""


class Description(Strict):
    """`dataset.yaml`; see the module's text.

    Attributes:
        root: folder of the files, from the folder of `dataset.yaml`.
        table: CSV file that lists recordings, from the folder of `dataset.yaml`.
        table_columns: names of its columns, by what they stand for (file, subject, label, trial, start, end, first_row,
            last_row); left out where they are called so.
        labels: names of the classes in order; left out: those found, sorted.
        label_column: column of the sensor files that holds the label of each row: a run of equal labels is a recording.
        subject_column: the same for subjects.
        factor_columns: the same for whatever else is known of rows: session, device, hand...; by these names protocols
            may split.
        null_class: class of what nobody labelled in a file whose rows, or whose parts in the table, have labels; left
            out: it is in no recording, or in none of its windows.
        unlabelled: word that stands where others have a label, of recordings whose class nobody knows: they train where
            a teacher speaks of them, and never test.
        whole_files: whether a file (or the rows of a subject in it) is one recording that shows several classes, one
            after the other: for sliding windows, each of which has a label of its own. Otherwise each labelled part of
            a file is a recording.
        streams: of sensors, by name.
        videos: streams of videos, by name.
    """

    format: Literal["sensor-folder 1"]
    root: str = "."
    table: str | None = None
    table_columns: dict[Literal["file", "subject", "label", "trial", "start", "end", "first_row", "last_row"], str] = (
        Field(default_factory=dict)
    )
    labels: Annotated[tuple[str, ...], Field(min_length=2)] | None = None
    label_column: Column | None = None
    subject_column: Column | None = None
    factor_columns: tuple[str, ...] = ()
    null_class: str | None = None
    unlabelled: Annotated[str, Field(min_length=1)] | None = None
    whole_files: bool = False
    streams: Annotated[dict[str, StreamDescription], Field(min_length=1)]
    videos: dict[str, VideoDescription] = Field(default_factory=dict)

    @field_validator("streams")
    @classmethod
    def _known_words(cls, streams: dict[str, StreamDescription]) -> dict[str, StreamDescription]:
        for name, stream in streams.items():
            words = PLACEHOLDER.findall(stream.files or "")
            if len(set(words)) < len(words):
                raise ValueError(f"{name}.files: a word in braces stands twice")
        return streams

    @model_validator(mode="after")
    def _no_class_is_unlabelled(self) -> "Description":
        if self.unlabelled is not None and self.whole_files:
            raise ValueError("unlabelled does nothing beside whole_files: it is of recordings that show one class each")
        if self.unlabelled is not None and self.unlabelled in (self.null_class, *(self.labels or ())):
            raise ValueError(f"unlabelled: '{self.unlabelled}' is the name of a class, too")
        return self

    @model_validator(mode="after")
    def _complete(self) -> "Description":
        for name, stream in self.streams.items():
            if (stream.files is None) == (self.table is None):
                raise ValueError(f"streams.{name}.files: give a pattern, or a table: for all streams")
            if stream.files and self.label_column is None and "{label}" not in stream.files:
                raise ValueError(f"streams.{name}.files: has no {{label}}, and no label_column is given")
        if self.table_columns and self.table is None:
            raise ValueError("table_columns does nothing without a table")
        if shared := sorted(self.videos.keys() & self.streams.keys()):
            raise ValueError(f"videos.{shared[0]}: a sensor's stream has this name")
        if self.by_rows and len(self.streams) > 1 and not self.one_file:
            raise ValueError("label_column: the streams must be columns of the same files")
        if self.label_column is None and self.null_class is not None and (self.table is None or self.by_rows):
            raise ValueError("null_class does nothing here: it counts with label_column, or with a table of intervals")
        if self.whole_files and self.label_column is None and self.table is None:
            raise ValueError("whole_files: give a label_column, or a table of intervals, for labels over time")
        if self.whole_files and self.label_column is None and self.by_rows:
            raise ValueError("whole_files: subject_column and factor_columns count here only with a label_column")
        return self

    @property
    def by_rows(self) -> bool:
        """Whether rows of the files say what they belong to, so that each run of equal ones is a recording."""
        return self.label_column is not None or self.subject_column is not None or bool(self.factor_columns)

    @property
    def one_file(self) -> bool:
        """Whether all streams are columns of the same files."""
        return len({stream.files for stream in self.streams.values()}) == 1


def read_description(root: Path) -> Description:
    """Read `dataset.yaml` in a folder.

    Raises:
        DataError: the folder or the file is missing, it is no YAML, or does not fit; all that is wrong is named.
    """
    require_folder(root, FILE)
    path = root / FILE
    if not path.is_file():
        raise DataError(
            f"{root} holds no {FILE}, which says how its files are read",
            "Have it written: `vskd datasets import FOLDER --out DATASET`",
        )
    content = read_yaml(path, DataError, "Correct it; docs/own-data.md shows one")
    try:
        read: Description = parse(Description, content)
    except ValidationError as error:
        raise DataError(
            f"{path}: {'; '.join(explain(error, Description))}", "Correct it; docs/own-data.md shows one"
        ) from error
    return read
