"""What the caller of an import states; everything else is guessed."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Stated:
    """Each is a flag of `vskd datasets import`; None or empty where it is not given.

    Attributes:
        pattern, table: where recordings are named, see `vskd.datasets.sensors.folder_description`.
        stream: name of the stream, which says what it measures.
        columns: of the axes, by name, or by number from 0.
        signs: of each axis, 1 or -1.
        time: column of time stamps, by name or number; `none` where there is none to use.
        time_unit: s, ms, us, ns or text.
        rate_hz: of the device.
        unit: of the numbers in the files.
        offset: what the device writes for zero.
        range_limit: largest value that the device measures, in `unit`.
        position: where it is worn.
        uncalibrated: whether the device need not show 1 g at rest.
        separator: name of the separator.
        label_column, subject_column, null_class, whole_files: see `Description`.
        variable: array of .mat files.
    """

    pattern: str | None = None
    table: str | None = None
    stream: str = "accelerometer"
    columns: tuple[str, ...] = ()
    signs: tuple[int, ...] = ()
    time: str | None = None
    time_unit: str | None = None
    rate_hz: float | None = None
    unit: str | None = None
    offset: float = 0.0
    range_limit: float | None = None
    position: str = ""
    uncalibrated: bool = False
    separator: str | None = None
    label_column: str | None = None
    subject_column: str | None = None
    null_class: str | None = None
    whole_files: bool = False
    variable: str = ""

    @property
    def of_stream(self) -> tuple[object, ...]:
        """What is said of one sensor, and cannot hold for two."""
        return (self.columns, self.signs, self.unit, self.offset, self.range_limit)


@dataclass(frozen=True)
class Guess:
    """One thing that was found out.

    Attributes:
        what: e.g. `unit`.
        value: for people.
        source: who says so: a flag, a header, names, gravity.
        flag: that changes it.
    """

    what: str
    value: str
    source: str
    flag: str
