from collections.abc import Callable
from pathlib import Path

import pytest

from vskd.datasets.images.image_listing import (
    ImageFacts,
    Listing,
    files_below,
    image_stream,
    read_csv,
    require_folder,
    subfolders,
)
from vskd.errors import DataError


def test_walking_is_sorted_and_leaves_clutter_out(tmp_path: Path) -> None:
    for name in ("b/2.png", "b/10.png", "a/deep/1.png", ".git/x", "a/.hidden.png", "a/Thumbs.db", "desktop.ini"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    assert [p.name for p in subfolders(tmp_path)] == ["a", "b"]
    found = [p.relative_to(tmp_path).as_posix() for p in files_below(tmp_path)]
    assert found == ["a/deep/1.png", "b/10.png", "b/2.png"]


def test_folders_that_cannot_be_listed(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(DataError, match="is not a folder"):
        require_folder(tmp_path / "file", "auc")
    with pytest.raises(DataError, match=r"does not exist.*holds auc with --data"):
        require_folder(tmp_path / "nowhere", "auc")
    for walk in (subfolders, lambda p: list(files_below(p))):
        with pytest.raises(DataError, match=r"Cannot list .*nowhere"):
            walk(tmp_path / "nowhere")


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
