"""Columns of a table of recordings under any names: found where they say it exactly, else asked for."""

from pathlib import Path

import pytest

from vskd.datasets.importing.table_columns import kind_of_column, table_columns
from vskd.errors import DataError, SettingError

TABLE = Path("segments.csv")


def rows(names: str, *cells: str) -> list[dict[str, str]]:
    given = cells or ("a.csv" + ",1" * names.count(","),)
    return [dict(zip(names.split(","), one.split(","), strict=True)) for one in given]


def found_in(names: str, *cells: str, **stated: str) -> dict[str, str]:
    return table_columns(TABLE, rows(names, *cells), stated, needs_label=True)


@pytest.mark.parametrize(
    ("names", "found"),
    [
        ("file,label,start,end,subject", {}),
        ("filename,activity", {"file": "filename", "label": "activity"}),
        (
            "file_path,participant_id,class,onset,stop,hand",
            {"file": "file_path", "subject": "participant_id", "label": "class", "start": "onset", "end": "stop"},
        ),
        ("file,label,start time (s),end time (s)", {"start": "start time (s)", "end": "end time (s)"}),
        ("file,label,from,to,rep", {"start": "from", "end": "to", "trial": "rep"}),
        ("file,label,path,action,bus_stop", {}),  # the very names are there, and the others are factors
    ],
)
def test_names_that_say_it_exactly_are_found(names: str, found: dict[str, str]) -> None:
    assert found_in(names) == found


@pytest.mark.parametrize(
    ("names", "lacking"),
    [("recording,what", "the file or the label"), ("recording,label", "the file"), ("file,what", "the label")],
)
def test_what_is_missing_is_named_with_what_is_there_and_how_to_state_it(names: str, lacking: str) -> None:
    one, other = names.split(",")
    with pytest.raises(DataError) as caught:
        found_in(names)
    assert f"has the columns '{one}', '{other}', and none is known to name {lacking}" in caught.value.problem
    assert "--table-columns file=NAME,label=NAME" in caught.value.action
    assert found_in(names, file=one, label=other) == {"file": one, "label": other}


def test_where_a_label_column_says_the_labels_the_table_need_not() -> None:
    assert table_columns(TABLE, rows("filename,who"), {}, needs_label=False) == {"file": "filename"}


def test_two_columns_that_may_be_one_thing_are_asked_about() -> None:
    with pytest.raises(DataError, match="the columns 'action', 'activity' may all be the label") as caught:
        found_in("file,action,activity")
    assert "--table-columns" in caught.value.action
    assert found_in("file,action,activity", label="action") == {"label": "action"}


@pytest.mark.parametrize("more", ["start_ms,end_ms", "start,duration", "begin_row,end_row", "activity_start"])
def test_borders_that_are_not_understood_are_no_factors(more: str) -> None:
    """They were taken for factors, and each row for the whole file."""
    with pytest.raises(DataError, match=r"which part of a file a row is cannot be told: .* like its borders") as caught:
        found_in(f"file,label,{more}")
    assert "first_row" in caught.value.action and "seconds" in caught.value.action


def test_rows_of_one_file_must_say_which_part_they_are() -> None:
    several = "file,label,t0,t1", "a,x,0,1", "a,y,1,2"
    with pytest.raises(DataError, match="several rows name one file; its columns are 'file', 'label', 't0', 't1'"):
        found_in(*several)
    assert found_in(*several, start="t0", end="t1") == {"start": "t0", "end": "t1"}
    assert found_in("file,label,t0", "a,x,0", "b,y,1") == {}
    assert found_in("file,label", "a,x", "a,x") == {}, "the same row twice is another fault"


def test_a_table_says_nothing_else() -> None:
    with pytest.raises(SettingError, match="'hand' is nothing that a table says"):
        found_in("file,label", hand="label")


def test_a_table_without_rows_has_no_columns_to_speak_of() -> None:
    with pytest.raises(DataError, match="none is known to name the file or the label"):
        table_columns(TABLE, [], {}, needs_label=True)


@pytest.mark.parametrize(
    ("name", "kind"),
    [("start (s)", "start"), ("start_ms", ""), ("activity_start", ""), ("video_file", ""), ("class_id", ""), ("s", "")],
)
def test_a_name_says_one_thing_or_nothing(name: str, kind: str) -> None:
    assert kind_of_column(name) == kind
