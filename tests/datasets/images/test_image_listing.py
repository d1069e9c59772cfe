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
from vskd.preprocessing.table_file import Row


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


def test_letters_have_one_form(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("path\n\ncafe\u0301.png\n", encoding="utf-8")
    assert read_csv(tmp_path / "a.csv", ("path",)) == [Row(3, {"path": "caf\u00e9.png"})]
    with pytest.raises(DataError, match="has no column driver"):
        read_csv(tmp_path / "a.csv", ("driver",))


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
