import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from vskd.datasets.sensors import folder_description
from vskd.datasets.sensors.folder_description import Description, StreamDescription, TimeColumn, read_description
from vskd.errors import DataError
from vskd.schema import parse

DOCUMENT = Path(__file__).parents[3] / "docs" / "own-data.md"


def test_what_the_document_shows_is_a_description(tmp_path: Path) -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), flags=re.DOTALL)
    (block,) = [block for block in blocks if block.startswith("format:")]
    (tmp_path / "dataset.yaml").write_text(block)
    stream = read_description(tmp_path).streams["accelerometer"]
    assert stream.stream_unit == "g" and stream.factor == pytest.approx(1 / 9.80665)
    assert stream.range and stream.range * stream.factor == pytest.approx(8.0, rel=1e-3)


def test_so_is_what_the_module_shows(tmp_path: Path) -> None:
    text = (folder_description.__doc__ or "").split("\n\n")[1]
    (tmp_path / "dataset.yaml").write_text(text)
    assert read_description(tmp_path).labels == ("walk", "run")


STREAM = {"files": "s{subject}/{label}_{trial}.csv", "columns": [0, 1, 2], "rate_hz": 50, "unit": "g"}


def written(folder: Path, stream: dict[str, Any] | None = None, **changes: Any) -> Path:
    """A folder with a dataset.yaml of one stream; a value of None leaves its key out."""
    streams = {"accelerometer": {k: v for k, v in {**STREAM, **(stream or {})}.items() if v is not None}}
    content = {"format": "sensor-folder 1", "streams": streams, **changes}
    (folder / "dataset.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    return folder


def test_what_holds_where_nothing_is_said(tmp_path: Path) -> None:
    read = read_description(written(tmp_path))
    stream = read.streams["accelerometer"]
    assert (read.root, read.table, read.labels) == (".", None, None)
    assert (read.label_column, read.subject_column, read.null_class) == (None, None, None)
    assert (stream.separator, stream.header, stream.variable, stream.axes) == (None, None, "", ("x", "y", "z"))
    assert (stream.signs, stream.time, stream.offset, stream.range) == (None, None, 0.0, None)
    assert (stream.position, stream.calibrated, stream.columns) == ("", True, (0, 1, 2))


@pytest.mark.parametrize(
    ("unit", "factor", "base"),
    [
        ("g", 1.0, "g"),
        ("mg", 1e-3, "g"),
        ("1/64 g", 1 / 64, "g"),
        ("rad/s", 57.29577951308232, "deg/s"),
        ("hPa", 1.0, "hPa"),
    ],
)
def test_samples_are_given_in_g_or_degrees(tmp_path: Path, unit: str, factor: float, base: str) -> None:
    stream = read_description(written(tmp_path, {"unit": unit})).streams["accelerometer"]
    assert (stream.factor, stream.stream_unit) == (pytest.approx(factor), base)


@pytest.mark.parametrize(
    ("stream", "changes", "problem"),
    [
        ({"columns": [0, 1]}, {}, r"columns has 2 entries for 3 axes \(x, y, z\)"),
        ({"signs": [1, -1]}, {}, "signs has 2 entries for 3 axes"),
        ({"signs": [1, -1, 2]}, {}, r"signs"),
        ({"columns": [0, 1, 0]}, {}, "a column is named twice"),
        ({"time": {"column": 2, "unit": "ms"}}, {}, "a column is named twice"),
        ({"time": {"column": 3, "unit": "min"}}, {}, r"time\.unit"),
        ({"columns": []}, {}, "columns"),
        ({"rate_hz": 0}, {}, "rate_hz"),
        ({"unit": ""}, {}, "unit"),
        ({"range": -1}, {}, "range"),
        ({"separator": ","}, {}, "separator"),
        ({"files": "{label}/{label}.csv"}, {}, r"accelerometer\.files: a word in braces stands twice"),
        ({"files": "s{subject}.csv"}, {}, r"streams\.accelerometer\.files: has no \{label\}, and no label_column"),
        ({"files": None}, {}, "give a pattern, or a table: for all streams"),
        ({}, {"table": "list.csv"}, "give a pattern, or a table: for all streams"),
        ({}, {"labels": ["walk"]}, "labels"),
        ({}, {"null_class": "none"}, "null_class does nothing here"),
        (
            {"files": None},
            {"null_class": "none", "table": "list.csv", "subject_column": "who"},
            "null_class does nothing here",
        ),
        ({}, {"streams": {}}, "streams"),
        ({}, {"format": "sensor-folder 2"}, "format"),
    ],
)
def test_what_does_not_fit_is_named(
    tmp_path: Path, stream: dict[str, Any], changes: dict[str, Any], problem: str
) -> None:
    with pytest.raises(DataError, match=rf"dataset\.yaml: .*{problem}") as caught:
        read_description(written(tmp_path, stream, **changes))
    assert "docs/own-data.md" in caught.value.action


def test_a_table_or_a_column_of_labels_needs_no_word_in_the_pattern(tmp_path: Path) -> None:
    assert read_description(written(tmp_path, {"files": None}, table="list.csv")).table == "list.csv"
    read = read_description(written(tmp_path, {"files": "s{subject}.csv"}, label_column="activity"))
    assert (read.label_column, read.one_file) == ("activity", True)


def test_a_column_of_labels_is_of_one_file(tmp_path: Path) -> None:
    def two(files: str) -> dict[str, Any]:
        return {"accelerometer": STREAM, "gyroscope": {**STREAM, "files": files, "unit": "deg/s"}}

    same, other = two(STREAM["files"]), two("g{subject}/{label}_{trial}.csv")
    assert read_description(written(tmp_path, streams=same, label_column=3)).one_file
    assert not read_description(written(tmp_path, streams=other)).one_file
    with pytest.raises(DataError, match="label_column: the streams must be columns of the same files"):
        read_description(written(tmp_path, streams=other, label_column=3))


def test_a_folder_that_is_none_or_holds_none(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"away does not exist"):
        read_description(tmp_path / "away")
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="file is not a folder"):
        read_description(tmp_path / "file")
    with pytest.raises(DataError, match=r"holds no dataset\.yaml") as caught:
        read_description(tmp_path)
    assert "vskd datasets import" in caught.value.action


def described(tmp_path: Path, stream: str, also: str = "") -> StreamDescription:
    (tmp_path / "dataset.yaml").write_text(
        f"format: sensor-folder 1\n{also}streams:\n  accelerometer: {{files: '{{label}}.csv', columns: [0, 1, 2], "
        f"rate_hz: 50, unit: mg, {stream}}}\n"
    )
    return read_description(tmp_path).streams["accelerometer"]


def test_codes_say_factor_zero_and_rail(tmp_path: Path) -> None:
    stream = described(tmp_path, "codes: 0..63 = -1500..1500")
    assert (stream.factor, stream.zero, stream.limit) == (pytest.approx(3 / 63), 31.5, 1.5)
    plain = described(tmp_path, "offset: 4, range: 2000")
    assert (plain.factor, plain.zero, plain.limit) == (1e-3, 4, 2)


def test_numbers_of_samples_last_as_long_as_the_rate_says(tmp_path: Path) -> None:
    time = described(tmp_path, "time: {column: 3, unit: samples}").time
    assert time is not None and time.seconds(50.0) == 0.02


@pytest.mark.parametrize(
    ("stream", "also", "message"),
    [
        ("codes: 0..63 = -1..1, offset: 3", "", "offset does nothing beside codes"),
        ("codes: 63 = 1", "", "not written like"),
        ("clip: true", "", "clip does nothing without a range"),
        ("time: {column: 3, unit: ms, zone: Europe/Berlin}", "", "only dates and times have one"),
        ("time: {column: 3, unit: text, zone: Berlin}", "", "no IANA time zone"),
        ("clip: false", "null_class: rest\n", "null_class does nothing here"),
    ],
)
def test_what_does_nothing_or_is_unknown_is_refused(tmp_path: Path, stream: str, also: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        described(tmp_path, stream, also)


def test_what_else_holds_where_nothing_is_said(tmp_path: Path) -> None:
    read = read_description(written(tmp_path))
    stream = read.streams["accelerometer"]
    assert (stream.clip, stream.codes, stream.limit, stream.zero, stream.factor) == (False, None, 0.0, 0.0, 1.0)
    assert (read.whole_files, read.factor_columns, read.videos, read.by_rows) == (False, (), {}, False)
    assert read.one_file


@pytest.mark.parametrize(("unit", "seconds"), [("s", 1.0), ("ms", 1e-3), ("us", 1e-6), ("ns", 1e-9), ("text", None)])
def test_units_of_time(unit: str, seconds: float | None) -> None:
    assert TimeColumn(column=0, unit=unit).seconds(50.0) == seconds  # type: ignore[arg-type]
    if unit == "text":
        assert TimeColumn(column="t", unit="text", zone="Europe/Berlin").zone == "Europe/Berlin"


VIDEO = {"table": "videos.csv", "rate_hz": 30}


@pytest.mark.parametrize(
    ("stream", "changes", "problem"),
    [
        ({}, {"videos": {"accelerometer": VIDEO}}, r"videos\.accelerometer: a sensor's stream has this name"),
        ({}, {"videos": {"rgb": {**VIDEO, "rate_hz": 0}}}, r"videos\.rgb\.rate_hz"),
        ({}, {"videos": {"rgb": {**VIDEO, "table": ""}}}, r"videos\.rgb\.table"),
        ({}, {"whole_files": True}, "whole_files: give a label_column, or a table of intervals"),
        (
            {"files": None},
            {"whole_files": True, "table": "t.csv", "subject_column": 4},
            "subject_column and factor_columns count here only with a label_column",
        ),
        (
            {"files": None},
            {"whole_files": True, "table": "t.csv", "factor_columns": ["hand"]},
            "subject_column and factor_columns count here only with a label_column",
        ),
        ({"columns": [-1, 0, 1]}, {}, "columns"),
    ],
)
def test_more_that_does_not_fit(tmp_path: Path, stream: dict[str, Any], changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(DataError, match=problem):
        read_description(written(tmp_path, stream, **changes))


def test_what_fits(tmp_path: Path) -> None:
    """Next to what does not: the same keys where they count."""
    (video,) = read_description(written(tmp_path, videos={"rgb": VIDEO})).videos.values()
    assert (video.table, video.rate_hz, video.position) == ("videos.csv", 30.0, "")
    codes = {"codes": "0..63 = -1..1", "clip": True}
    assert read_description(written(tmp_path, codes)).streams["accelerometer"].clip
    listed = {"files": None}
    assert read_description(written(tmp_path, listed, table="t.csv", whole_files=True)).whole_files
    assert read_description(written(tmp_path, listed, table="t.csv", null_class="rest")).null_class == "rest"
    people = {"files": "{label}.csv"}
    assert read_description(written(tmp_path, people, factor_columns=["hand"])).by_rows
    assert read_description(written(tmp_path, people, subject_column=0)).by_rows
    rows = {"files": "s{subject}.csv"}
    assert read_description(written(tmp_path, rows, label_column=0, null_class="x", whole_files=True)).null_class == "x"


def test_of_several_names_that_are_given_twice_the_first_is_told() -> None:
    stream = {"files": "{label}.csv", "columns": [0, 1, 2], "rate_hz": 50, "unit": "g"}
    video = {"table": "v.csv", "rate_hz": 25}
    names = ("e", "d", "c", "b", "a")
    content = {"format": "sensor-folder 1", "streams": dict.fromkeys(names, stream)}
    with pytest.raises(ValueError, match=r"videos\.a: a sensor's stream has this name"):
        parse(Description, {**content, "videos": dict.fromkeys((*names, "f"), video)})
