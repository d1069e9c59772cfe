import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from vskd.datasets.images.class_folders import Classes, FolderImage, join_drivers, list_class_folders, without_twins
from vskd.datasets.images.image_listing import ImageFacts, Listing

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


@pytest.mark.parametrize("what", ["image", "clip"])
def test_twins_are_left_out_and_all_of_their_files_named(what: str) -> None:
    listing = Listing()
    twins = [found("a", 0), found("b", 0), found("a", 1), found("c", 1), found("c", 1), found("c", 1)]
    assert [i.id for i in without_twins(twins, what, listing)] == ["b"]
    assert [(p.kind, p.recording, p.detail) for p in listing.problems] == [
        ("duplicate", "a", f"two classes for one {what}: {twins[0].path}, {twins[2].path}"),
        ("duplicate", "c", f"one {what} twice: {', '.join(str(twin.path) for twin in twins[3:])}"),
    ]


def test_a_folder_whose_name_is_no_text_is_named_by_what_its_twins_are_told(tmp_path: Path) -> None:
    odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/w\xe4lk"))
    listing = Listing()
    assert without_twins([FolderImage("a", odd / end, 0, "", "") for end in ("a.png", "a.jpg")], "image", listing) == []
    assert listing.problems[0].detail.isascii() and "w\\xe4lk" in listing.problems[0].detail


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


def test_what_is_odd_in_a_part_is_named(tmp_path: Path, image_file: Callable[..., Path]) -> None:
    image_file(tmp_path / "train" / "cat" / "1.png")
    for name in ("cat/notes.txt", "horse/1.png", os.fsdecode(b"cat/caf\xe9.png")):
        (tmp_path / "train" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "train" / name).write_bytes(b"x")
    (tmp_path / "train" / "DOG ").mkdir()
    listing = Listing()
    images = list(list_class_folders(tmp_path / "train", "train", CLASSES, tmp_path, listing))
    assert [(i.id, i.label) for i in images] == [("train/cat/1", 0)]
    assert sorted((p.kind, p.recording, p.detail) for p in listing.problems) == [
        ("missing", "", "a class folder without images"),
        ("unknown", "", "its name is no UTF-8; rename the file"),
        ("unknown", "", "its name is not that of a JPEG or PNG image"),
        ("unknown", "train/horse", "'horse' is no class of pets, which has cat, dog"),
    ]


def test_a_class_without_a_folder_is_named(tmp_path: Path, image_file: Callable[..., Path]) -> None:
    image_file(tmp_path / "hound" / "1.png")
    listing = Listing()
    list(list_class_folders(tmp_path, "train", CLASSES, tmp_path, listing))
    assert [(p.kind, p.path, p.detail) for p in listing.problems] == [
        ("missing", str(tmp_path), "it has no folder of the class 'cat'")
    ]


def test_unique_names_are_ids_and_what_is_known_of_an_image(tmp_path: Path, image_file: Callable[..., Path]) -> None:
    image_file(tmp_path / "cat" / "night" / "deep" / "a.b.png")
    unique = replace(CLASSES, unique_names=True)
    (image,) = list_class_folders(tmp_path, "test", unique, tmp_path, Listing())
    assert (image.id, image.trial) == ("a.b", "night/deep")
    assert image.place("p1") == ImageFacts(0, "p1", "night/deep", part="test")
    assert image.place().subject == "unknown"


def joined(
    tmp_path: Path, rows: list[str], images: list[FolderImage], **changes: bool
) -> tuple[dict[str, str], Listing]:
    table, listing = tmp_path / "labels.csv", Listing()
    table.write_text("\n".join(rows), encoding="utf-8")
    return join_drivers(table, images, replace(CLASSES, **changes), listing), listing


def test_a_table_without_names_of_images_can_only_be_counted(tmp_path: Path) -> None:
    images = [found("a", 0), found("b", 1), found("c", 1)]
    drivers, listing = joined(tmp_path, ["classname", "cat", "dog", "hound"], images)
    assert (drivers, listing.problems) == (dict.fromkeys("abc", "unknown"), [])
    drivers, listing = joined(tmp_path, ["classname", "cat", "cat", "cow", "dog", "dog"], images)
    assert drivers == dict.fromkeys("abc", "unknown")
    assert [(p.kind, p.detail) for p in listing.problems] == [
        ("unknown", "1 lines name no class of pets"),
        ("missing", "it lists 2 images of 'cat', 1 are here"),
    ]


def test_an_empty_table_names_no_image(tmp_path: Path) -> None:
    drivers, listing = joined(tmp_path, ["classname,img"], [found("a", 0)])
    assert drivers == {}
    assert [(p.kind, p.recording) for p in listing.problems] == [("unpaired", "a")]


def test_where_names_are_unique_two_lines_are_a_contradiction(tmp_path: Path) -> None:
    rows = ["subject,classname,img", "p1,cat,a.png", "p1,dog,a.png"]
    drivers, listing = joined(tmp_path, rows, [found("a", 0)], unique_names=True)
    assert drivers == {}
    (problem,) = listing.problems
    assert problem.detail.endswith("line 2, 3: two classes for one image (cat, dog)")
    _, listing = joined(tmp_path, [*rows[:2], "p2,CAT,a.png"], [found("a", 0)])
    assert "one image twice (CAT, cat)" in listing.problems[0].detail


def test_windows_paths_and_namesakes_in_both_classes(tmp_path: Path) -> None:
    images = [FolderImage(f"{c}/a", Path(f"/{c}/a.png"), n, "train", "1") for n, c in enumerate(("cat", "dog"))]
    rows = ["subject,classname,img", r"p1,cat,cat\a.png", "p2,dog,dog/a.png"]
    drivers, listing = joined(tmp_path, rows, images)
    assert (drivers, listing.problems) == ({"cat/a": "p1", "dog/a": "p2"}, [])


def test_namesakes_with_an_unknown_class_are_named_by_the_first(tmp_path: Path) -> None:
    images = [FolderImage(f"{c}/a", Path(f"/{c}/a.png"), n, "train", "1") for n, c in enumerate(("cat", "dog"))]
    _, listing = joined(tmp_path, ["classname,img", "cow,a.png"], images)
    assert (listing.problems[0].kind, listing.problems[0].recording) == ("unknown", "cat/a")


def test_what_lines_say_is_told_once_and_in_order(tmp_path: Path) -> None:
    said = ["hound", "Dog", "dog", "CAT", "cat", "HOUND", "Cat", "DOG", "dog"]
    rows = ["classname,img", *(f"{name},a.png" for name in said)]
    _, listing = joined(tmp_path, rows, [found("a", 0)])
    told = "one image twice (CAT, Cat, DOG, Dog, HOUND, cat, dog, hound)"
    assert listing.problems[0].detail.endswith(f"line {', '.join(map(str, range(2, 11)))}: {told}")
