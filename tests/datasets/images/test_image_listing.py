import os
from collections.abc import Callable
from pathlib import Path

import pytest

from vskd.datasets.images.image_listing import (
    ImageFacts,
    Listing,
    image_stream,
    read_csv,
    require_folder,
)
from vskd.errors import DataError


def test_folders_that_cannot_be_listed(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(DataError, match="is not a folder"):
        require_folder(tmp_path / "file", "auc")
    with pytest.raises(DataError, match=r"does not exist.*holds auc with --data"):
        require_folder(tmp_path / "nowhere", "auc")
    unsayable = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9"))
    unsayable.mkdir()
    with pytest.raises(DataError, match=r"The name of the data folder .*/caf\\xe9 is no UTF-8"):
        require_folder(unsayable, "auc")


def test_csv_lines_keep_their_numbers(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('Path, Label\n"a, b.png",cat\n\nc.png, dog \n')
    rows = read_csv(path, ("path",))
    assert [(row.line, row.values) for row in rows] == [
        (2, {"path": "a, b.png", "label": "cat"}),
        (4, {"path": "c.png", "label": "dog"}),
    ]
    path.write_bytes(b"path\n\xff\xfe\n")
    with pytest.raises(DataError, match="it is no UTF-8 text"):
        read_csv(path, ("path",))
    with pytest.raises(DataError, match="Cannot read"):
        read_csv(tmp_path / "nowhere.csv", ())


@pytest.mark.parametrize("rows", [1, 20_000])  # long ones reach the csv module's limit of a field first
def test_a_quotation_mark_that_is_never_closed_is_found(tmp_path: Path, rows: int) -> None:
    path = tmp_path / "a.csv"
    path.write_text("path,label\n" + 'a.png,"cat\n' + "b.png,dog\n" * rows)
    with pytest.raises(DataError, match=r"a\.csv, up to line \d+: .*quotation mark that is never closed"):
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
