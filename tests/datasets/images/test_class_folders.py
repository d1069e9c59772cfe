from collections.abc import Callable
from pathlib import Path

import pytest

from vskd.datasets.images.class_folders import Classes, FolderImage, join_drivers, list_class_folders, without_twins
from vskd.datasets.images.image_listing import Listing

CLASSES = Classes("pets", ("cat", "dog"), {"cat": 0, "dog": 1, "hound": 1}, unique_names=False)


def found(name: str, label: int) -> FolderImage:
    return FolderImage(name, Path(f"/{name}.png"), label, "train", "1")


def test_names_of_any_case_and_synonyms_are_classes(tmp_path: Path, image_file: Callable[..., Path]) -> None:
    for name in ("CAT/1.png", "hound/night/2.JPG"):
        image_file(tmp_path / name, format="PNG")
    listing = Listing()
    images = list(list_class_folders(tmp_path, "train", CLASSES, tmp_path, listing))
    assert [(i.id, i.label, i.part, i.trial) for i in images] == [
        ("CAT/1", 0, "train", "1"),
        ("hound/night/2", 1, "train", "night"),
    ]
    assert listing.problems == []


def test_twins_are_both_left_out() -> None:
    listing = Listing()
    kept = without_twins([found("a", 0), found("b", 0), found("a", 1), found("c", 1), found("c", 1)], listing)
    assert [i.id for i in kept] == ["b"]
    assert [(p.kind, p.recording, p.detail.split(":")[0]) for p in listing.problems] == [
        ("duplicate", "a", "two classes for one image"),
        ("duplicate", "c", "one image twice"),
    ]


@pytest.mark.parametrize(
    ("lines", "drivers", "problems"),
    [
        (["p1,cat,a.png", "p2,dog,b.png"], {"a": "p1", "b": "p2"}, []),
        ([",cat,a.png", "p2,hound,b.png"], {"a": "unknown", "b": "p2"}, []),
        (["p1,cat,a.png"], {"a": "p1"}, [("unpaired", "b")]),
        (["p1,cat,a.png", "p2,dog,b.png", "p3,dog,z.png"], {"a": "p1", "b": "p2"}, [("missing", "z")]),
        (["p1,dog,a.png", "p2,dog,b.png"], {"b": "p2"}, [("duplicate", "a")]),
        (["p1,cow,a.png", "p2,dog,b.png"], {"b": "p2"}, [("unknown", "a")]),
        (["p1,cat,a.png", "p1,dog,a.png", "p2,dog,b.png"], {"a": "p1", "b": "p2"}, []),  # another folder's namesake
        (["p1,cat,a.png", "p9,cat,a.png", "p2,dog,b.png"], {"b": "p2"}, [("duplicate", "a")]),
    ],
)
def test_drivers_by_name_and_class(
    tmp_path: Path, lines: list[str], drivers: dict[str, str], problems: list[tuple[str, str]]
) -> None:
    table = tmp_path / "labels.csv"
    table.write_text("\n".join(["subject,classname,img", *lines]))
    listing = Listing()
    assert join_drivers(table, [found("a", 0), found("b", 1)], CLASSES, listing) == drivers
    assert [(p.kind, p.recording) for p in listing.problems] == problems
