"""Files of which an index knows only the name, against the reader itself."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from vskd.datasets.recording import Index, Problem, Recording, Stream
from vskd.datasets.sensor_heads import with_heads_checked
from vskd.datasets.sensors.read import read_stream
from vskd.errors import DataError
from vskd.preprocessing.sensor.reading import Reading

ROWS = "0.1,0.2,0.9\n" * 60
FILES = {
    "sound.csv": ROWS.encode(),
    "with_a_gap.csv": ("x,y,z\n" + ROWS + ",0.2,0.9\n" + ROWS).encode(),
    "noise.csv": np.random.default_rng(0).integers(0, 256, 2000).astype(np.uint8).tobytes(),
    "noise_behind.csv": ROWS.encode() + bytes(range(128, 256)) * 3,
    "prose.csv": b"hello\nworld\n",
    "short_row.csv": (ROWS + "0.1,0.2\n" + ROWS).encode(),
    "no_number.csv": (ROWS + "0.1,abc,0.3\n").encode(),
    "two_columns.csv": b"0.1,0.2\n" * 60,
    "empty.csv": b"",
    "cut_off.npy": b"\x93NUMPY\x01\x00",
}


def index_of(root: Path, names: list[str], **fields: object) -> Index:
    streams = {n: Stream("acc", "sensor", root / n, 50.0, "g", ("x", "y", "z"), **fields) for n in names}  # type: ignore[arg-type]
    recordings = tuple(Recording(n, "1", "1", 0, "1", {"acc": stream}) for n, stream in streams.items())
    return Index("x", root, ("walk", "run"), recordings, (Problem("missing", "old", "", "is kept"),))


def test_what_the_reader_refuses_is_named_and_nothing_else(tmp_path: Path) -> None:
    for name, content in FILES.items():
        (tmp_path / name).write_bytes(content)
    np.save(tmp_path / "sound.npy", np.ones((60, 3)))
    np.save(tmp_path / "cube.npy", np.ones((60, 3, 2)))
    np.save(tmp_path / "words.npy", np.full((60, 3), "a"))
    names = sorted(p.name for p in tmp_path.iterdir())
    checked = with_heads_checked(index_of(tmp_path, names))
    named = {p.recording for p in checked.problems} - {"old"}
    refused = set()
    for recording in checked:
        try:
            read_stream(recording.stream("acc"))
        except DataError:
            refused.add(recording.id)
    assert named == refused == set(names) - {"sound.csv", "sound.npy"}
    assert all(p.kind == "corrupt" and p.path.endswith(p.recording) for p in checked.problems if p.recording != "old")
    assert checked.problems[0].detail == "is kept" and len(checked) == len(names)


@pytest.mark.parametrize(("columns", "sound"), [((1, 2, 3), True), ((0, 1, 2), False), ((2, 3, 4), False)])
def test_the_columns_of_the_stream_count(tmp_path: Path, columns: tuple[int, ...], sound: bool) -> None:
    (tmp_path / "a.csv").write_text("20181016_13:37:28.61,0.1,0.2,0.9\n" * 50)
    found = with_heads_checked(index_of(tmp_path, ["a.csv"], columns=columns))
    assert (len(found.problems) == 1) == sound


def test_empty_cells_are_gaps_where_it_is_stated_how_a_file_is_read(tmp_path: Path) -> None:
    rows = [f"{20 * n},{',,' if n == 50 else '0.1,0.2,0.9'}" for n in range(100)]
    (tmp_path / "a.csv").write_text("\n".join(["t,x,y,z", *rows]))
    for reading, faults in ((None, 1), (Reading(), 0)):
        index = index_of(tmp_path, ["a.csv"], columns=(1, 2, 3), time_column=0, reading=reading)
        assert len(with_heads_checked(index).problems) == 1 + faults
        if not faults:
            assert read_stream(index.recordings[0].stream("acc")).signal.shape == (3, 99)


@pytest.mark.parametrize(("row", "faults"), [(50, 1), (400, 0)])
def test_four_kilobytes_are_looked_at(tmp_path: Path, row: int, faults: int) -> None:
    rows = ["0.1,0.2,0.9"] * 600  # twelve bytes each
    rows[row] = "0.1,abc,0.9"
    (tmp_path / "a.csv").write_text("\n".join(rows))
    assert len(with_heads_checked(index_of(tmp_path, ["a.csv"])).problems) == 1 + faults


def test_only_sensors_are_looked_at_and_a_stated_separator_counts(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("0.1;0,2;0,9\n" * 60)
    found = index_of(tmp_path, ["a.csv"], columns=(0, 1, 2))
    assert len(with_heads_checked(found).problems) == 1
    comma = index_of(tmp_path, ["a.csv"], columns=(0, 1, 2), reading=Reading(separator="comma"))
    assert len(with_heads_checked(comma).problems) == 2
    (tmp_path / "film.csv").write_text("no film")
    video = Stream("rgb", "video", tmp_path / "film.csv", 30.0, "uint8")
    seen = dataclasses.replace(found, recordings=(Recording("r", "1", "1", 0, "1", {"rgb": video}),))
    assert len(with_heads_checked(seen).problems) == 1
