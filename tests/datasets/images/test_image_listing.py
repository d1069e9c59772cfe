from collections.abc import Callable
from pathlib import Path

import pytest

from vskd.datasets.images.image_listing import (
    ImageFacts,
    Listing,
    image_stream,
    read_csv,
)
from vskd.errors import DataError


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_csv_lines_keep_their_numbers(tmp_path: Path, separator: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text('Path| Label\n"a, b.png"|cat\n\nc.png| dog \n'.replace("|", separator))
    rows = read_csv(path, ("path",))
    assert [(row.line, row.values) for row in rows] == [
        (2, {"path": "a, b.png", "label": "cat"}),
        (4, {"path": "c.png", "label": "dog"}),
    ]
    path.write_bytes(b"path\n\xff\xfe\n")
    with pytest.raises(DataError, match="its encoding is not UTF-8, UTF-16 or Windows-1252"):
        read_csv(path, ("path",))
    with pytest.raises(DataError, match="no such file"):
        read_csv(tmp_path / "nowhere.csv", ())


@pytest.mark.parametrize("rows", [0, 1, 20_000])
def test_a_quotation_mark_that_is_never_closed_is_found(tmp_path: Path, rows: int) -> None:
    path = tmp_path / "a.csv"
    path.write_text("path,label\n" + 'a.png,"cat\n' + "b.png,dog\n" * rows)
    with pytest.raises(DataError, match=r"a\.csv, line 2: a quotation mark is not closed there"):
        read_csv(path, ("path",))


def test_a_stream_comes_after_a_look_at_header_and_box(tmp_path: Path, image_file: Callable[..., Path]) -> None:
    path = image_file(tmp_path / "a.png", size=(40, 20))
    assert image_stream(path, (1, 2, 30, 19)).box == (1, 2, 30, 19)
    with pytest.raises(DataError, match="outside the image of 40 x 20"):
        image_stream(path, (41, 2, 50, 19))
    listing = Listing()
    listing.add("good", path, ImageFacts(1, "p1"))
    listing.add("bad", path, ImageFacts(1, "p1"), (5, 5, 5, 5))
    listing.add_absent("away", ImageFacts(0, "p2", part="train"))
    index = listing.index("auc", tmp_path, ("a", "b"))
    assert [(r.id, r.subject, r.group, list(r.streams)) for r in index] == [
        ("away", "p2", "p2", []),
        ("good", "p1", "p1", ["image"]),
    ]
    assert [(p.kind, p.recording) for p in index.problems] == [("corrupt", "bad")]


def test_a_table_lacks_a_column_or_a_value(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("\ufeffPath,Label\na.png,cat\n", encoding="utf-8")
    assert read_csv(path, ("path", "label"))[0].values == {"path": "a.png", "label": "cat"}
    with pytest.raises(DataError, match=r"a\.csv has no column box, who \(it has: path, label\)") as caught:
        read_csv(path, ("path", "box", "who"))
    assert "names of its columns: path, box, who" in caught.value.action
    path.write_text("")
    with pytest.raises(DataError, match=r"has no column path \(it has: nothing\)"):
        read_csv(path, ("path",))
    assert read_csv(path, ()) == []
    for line in ("a.png", "a.png,cat,3"):
        path.write_text(f"path,label\nb.png,dog\n{line}\n")
        with pytest.raises(DataError, match=rf"a\.csv, line 3: {line.count(',') + 1} values for 2 columns"):
            read_csv(path, ("path",))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_tables_are_read_as_programs_save_them(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "a.csv").write_bytes("path,driver\nGr\u00f6\u00dfe.png,J\u00f6rg\n".encode(encoding))
    (row,) = read_csv(tmp_path / "a.csv", ("path", "driver"))
    assert row.values == {"path": "Gr\u00f6\u00dfe.png", "driver": "J\u00f6rg"}


def test_letters_have_one_form(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("path\ncafe\u0301.png\n", encoding="utf-8")
    assert read_csv(tmp_path / "a.csv", ())[0].values == {"path": "caf\u00e9.png"}


def test_what_is_known_of_an_image_reaches_its_recording(tmp_path: Path, image_file: Callable[..., Path]) -> None:
    facts = ImageFacts(1, "p1", "night", clip="c1", position=7, part="test")
    assert (ImageFacts(0).subject, ImageFacts(0).trial, ImageFacts(0).clip) == ("unknown", "1", "")
    assert (ImageFacts(0).position, ImageFacts(0).part) == (None, "")
    listing = Listing()
    listing.add("b", image_file(tmp_path / "b.png"), facts, (0, 0, 20, 20))
    listing.add("a", image_file(tmp_path / "a.png"), ImageFacts(0))
    listing.problem("unknown", "z", tmp_path / "z", "late")
    listing.problem("missing", "y", tmp_path / "y", "early")
    index = listing.index("pets", tmp_path, ("cat", "dog"))
    assert (index.dataset, index.root, index.labels) == ("pets", tmp_path, ("cat", "dog"))
    assert [p.detail for p in index.problems] == ["early", "late"]
    first, second = index
    assert (first.id, second.id) == ("a", "b")
    assert (second.label, second.subject, second.group, second.trial) == (1, "p1", "p1", "night")
    assert (second.clip, second.position, second.part) == ("c1", 7, "test")
    stream = second.stream("image")
    assert (stream.kind, stream.rate_hz, stream.unit, stream.box) == ("image", 0.0, "uint8", (0, 0, 20, 20))
