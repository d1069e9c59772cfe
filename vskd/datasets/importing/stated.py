"""What the caller of an import states; everything else is guessed."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Stated:
    """Each is a flag of `vskd datasets import`; None or empty where it is not given.

    Attributes:
        pattern, table: where recordings are named, see `vskd.datasets.sensors.folder_description`.
        table_columns: (what it stands for, name) of columns of the table, see `Description.table_columns`.
        stream: name of the stream, which says what it measures.
        columns: of the axes, by name, or by number from 0.
        signs: of each axis, 1 or -1.
        axes: which of the file's axes are x, y and z, e.g. `-y`, `x`, `z`; in place of signs.
        time: column of time stamps, by name or number; `none` where there is none to use.
        time_unit: s, ms, us, ns, text or samples.
        time_zone: IANA name of the zone of dates and times that are local.
        rate_hz: of the device.
        unit: of the numbers in the files.
        offset: what the device writes for zero.
        codes: see `StreamDescription`.
        range_limit: largest value that the device measures, in `unit`.
        position: where it is worn.
        uncalibrated: whether the device need not show 1 g at rest.
        separator: name of the separator.
        clip: whether samples beyond the range are set to it.
        label_column, subject_column, factor_columns, null_class, unlabelled, whole_files: see `Description`.
        pair_videos: how videos in the folder are paired with recordings: `name`, `time` or `none`.
        video_pattern, video_table: names of videos, or the table that pairs them; see `vskd.datasets.importing.videos`.
        video_zone: IANA name of the zone of times in names of videos; None: that of `time_zone`.
        variable: array of .mat and .npz files, path in .h5 files.
    """

    pattern: str | None = None
    table: str | None = None
    table_columns: tuple[tuple[str, str], ...] = ()
    stream: str = "accelerometer"
    columns: tuple[str, ...] = ()
    signs: tuple[int, ...] = ()
    axes: tuple[str, ...] = ()
    time: str | None = None
    time_unit: str | None = None
    time_zone: str | None = None
    rate_hz: float | None = None
    unit: str | None = None
    offset: float = 0.0
    codes: str | None = None
    range_limit: float | None = None
    clip: bool = False
    position: str = ""
    uncalibrated: bool = False
    separator: str | None = None
    label_column: str | None = None
    subject_column: str | None = None
    factor_columns: tuple[str, ...] = ()
    null_class: str | None = None
    unlabelled: str | None = None
    whole_files: bool = False
    pair_videos: str = "name"
    video_pattern: str | None = None
    video_table: str | None = None
    video_zone: str | None = None
    variable: str = ""

    @property
    def of_stream(self) -> tuple[object, ...]:
        """What is said of one sensor, and cannot hold for two."""
        return (self.columns, self.signs, self.axes, self.unit, self.offset, self.codes, self.range_limit)

    @property
    def axis_signs(self) -> tuple[int, ...]:
        """Of each axis, 1 or -1; empty where nobody says them."""
        return tuple(-1 if axis.startswith("-") else 1 for axis in self.axes) or self.signs

    @property
    def named_columns(self) -> tuple[str, ...]:
        """Columns that hold what is known of rows, and no samples."""
        return tuple(c for c in (self.label_column, self.subject_column, *self.factor_columns) if c)


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
