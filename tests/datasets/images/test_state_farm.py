"""State Farm in its two layouts: drivers by the CSV file, classes by name."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.datasets.conftest import DRIVERS
from tests.datasets.entries import assert_entry
from vskd.datasets.catalog import get_dataset
from vskd.datasets.images.state_farm import CODES, LABEL_SWAP, LABELS, index
from vskd.datasets.recording import Index, Problem
from vskd.datasets.splits.audit import check_problems
from vskd.datasets.splits.protocol import load_protocol
from vskd.errors import DataError

ImageFile = Callable[..., Path]
ROWS = (("p002", "c0", "img_1.jpg"), ("p002", "c1", "img_2.jpg"), ("p012", "c5", "img_3.jpg"))


@pytest.fixture
def original(tmp_path: Path, image_file: ImageFile) -> Path:
    """The original layout: three images of two drivers, every class folder there."""
    root = tmp_path / "sf"
    for code in CODES:
        (root / "imgs" / "train" / code).mkdir(parents=True)
    for number, (_, code, name) in enumerate(ROWS):
        image_file(root / "imgs" / "train" / code / name, seed=number)
    (root / "imgs" / "test").mkdir()
    image_file(root / "imgs" / "test" / "img_9.jpg")
    write_table(root, ROWS)
    return root


def write_table(root: Path, rows: tuple[tuple[str, ...], ...], header: str = "subject,classname,img") -> None:
    (root / "driver_imgs_list.csv").write_text("\n".join([header, *(",".join(row) for row in rows)]) + "\n")


def said(found: Index) -> list[Problem]:
    """Problems other than the seven class folders that the fixture leaves empty."""
    return [p for p in found.problems if p.detail != "a class folder without images"]


def test_codes_and_names_are_the_ten_classes() -> None:
    assert sorted(CODES.values()) == list(LABELS) == sorted(LABELS)
    # which folder of the published layout each code is, as its authors use them
    order = {code: LABELS.index(name) for code, name in CODES.items()}
    assert order == {f"c{n}": folder for n, folder in enumerate((2, 9, 6, 8, 5, 3, 0, 4, 1, 7))}
    swapped = {LABELS.index(a): LABELS.index(b) for a, b in LABEL_SWAP.items()}
    assert swapped == {5: 6, 6: 5, 8: 9, 9: 8}


def test_original_layout(original: Path) -> None:
    found = index(original)
    assert [(r.id, r.subject, r.group, LABELS[r.label], r.part) for r in found] == [
        ("img_1", "p002", "p002", "normal driving", "train"),
        ("img_2", "p002", "p002", "texting - right", "train"),
        ("img_3", "p012", "p012", "operating the interactive interface", "train"),
    ]
    assert said(found) == []
    empty = {Path(p.path).name for p in found.problems}
    assert empty == {"c2", "c3", "c4", "c6", "c7", "c8", "c9"}
    assert {p.kind for p in found.problems} == {"missing"}
    assert found.recordings[0].stream("image").path == original / "imgs" / "train" / "c0" / "img_1.jpg"


def test_a_csv_that_names_a_missing_image(original: Path) -> None:
    (original / "imgs" / "train" / "c1" / "img_2.jpg").unlink()
    found = index(original)
    (problem,) = said(found)
    assert (problem.kind, problem.recording) == ("missing", "img_2")
    assert "driver_imgs_list.csv, line 3: there is no image img_2.jpg" in problem.detail
    assert [r.id for r in found] == ["img_1", "img_3"]


def test_an_image_that_the_csv_does_not_name(original: Path, image_file: ImageFile) -> None:
    image_file(original / "imgs" / "train" / "c0" / "img_7.jpg")
    found = index(original)
    (problem,) = said(found)
    assert (problem.kind, problem.recording) == ("unpaired", "img_7") and len(found) == 3


def test_two_classes_for_one_image(original: Path, image_file: ImageFile) -> None:
    image_file(original / "imgs" / "train" / "c3" / "img_1.jpg")
    found = index(original)
    kinds = {(p.kind, p.recording) for p in said(found)}
    assert ("duplicate", "img_1") in kinds
    assert any("two classes for one image" in p.detail and "c3" in p.detail for p in said(found))
    assert "img_1" not in {r.id for r in found}
    with pytest.raises(DataError, match="duplicate"):
        check_problems(found)


@pytest.mark.parametrize(
    ("rows", "kind", "detail"),
    [
        ((("p002", "c4", "img_1.jpg"), *ROWS[1:]), "duplicate", "its folder says c0"),
        ((*ROWS, ROWS[0]), "duplicate", "line 2, 5: one image twice"),
        ((*ROWS, ("p002", "c7", "img_1.jpg")), "duplicate", "two classes for one image (c0, c7)"),
        ((("p002", "c10", "img_1.jpg"), *ROWS[1:]), "unknown", "line 2: 'c10' is no class of state-farm"),
    ],
)
def test_a_csv_that_contradicts(original: Path, rows: tuple[tuple[str, ...], ...], kind: str, detail: str) -> None:
    write_table(original, rows)
    found = index(original)
    (problem,) = said(found)[:1]
    assert (problem.kind, problem.recording) == (kind, "img_1")
    assert detail in problem.detail
    assert "img_1" not in {r.id for r in found}
    with pytest.raises(DataError):
        check_problems(found)


def test_csv_files_that_are_none(original: Path) -> None:
    write_table(original, ROWS, header="driver,classname,img")
    with pytest.raises(DataError, match=r"has no column subject \(it has: driver, classname, img\)"):
        index(original)
    write_table(original, (("p002", "c0"),))
    with pytest.raises(DataError, match="line 2: more or fewer cells than its header has"):
        index(original)
    (original / "driver_imgs_list.csv").write_text("")
    with pytest.raises(DataError, match="has no column subject, classname, img"):
        index(original)
    (original / "driver_imgs_list.csv").write_text("\ufeffsubject,classname,img\r\np002, c0 ,img_1.jpg\r\n\r\n")
    assert [r.id for r in index(original)] == ["img_1"]


def test_strange_folders_and_files_are_named(original: Path, image_file: ImageFile) -> None:
    image_file(original / "imgs" / "train" / "c10" / "img_8.jpg")
    (original / "imgs" / "train" / "c0" / "notes.txt").write_text("x")
    (original / "imgs" / "train" / "c0" / "Thumbs.db").write_text("x")
    kinds = {(p.kind, p.recording) for p in said(index(original))}
    assert kinds == {("unknown", "imgs/train/c10"), ("unknown", "")}
    (original / "imgs" / "train" / "c9").rmdir()
    assert any("no folder of the class 'talking to passenger'" in p.detail for p in index(original).problems)


def test_without_the_folder_of_images_the_index_names_what_is_missing(tmp_path: Path) -> None:
    write_table(tmp_path, ROWS)
    found = index(tmp_path)
    assert [(r.id, r.subject, dict(r.streams)) for r in found] == [
        ("img_1", "p002", {}),
        ("img_2", "p002", {}),
        ("img_3", "p012", {}),
    ]
    (problem,) = found.problems
    assert problem.kind == "missing" and problem.path.endswith("imgs/train")
    assert "3 images that driver_imgs_list.csv names" in problem.detail
    write_table(tmp_path, (*ROWS, ROWS[0], ("p002", "c1", "img_1.jpg"), ("p002", "c99", "img_4.jpg")))
    assert [(p.kind, p.recording) for p in index(tmp_path).problems if p.recording] == [
        ("duplicate", "img_1"),
        ("duplicate", "img_1"),
        ("unknown", "img_4"),
    ]


def test_published_layout_with_the_original_list_of_drivers(state_farm_root: Path) -> None:
    found = index(state_farm_root)
    assert (
        len(found) == 60 and found.problems and {p.detail for p in found.problems} == {"a class folder without images"}
    )
    assert Counter(r.subject for r in found) == dict.fromkeys(("p015", "p014", "p012", "p026", "p002", "p021"), 10)
    assert {r.part for r in found} == {"train", "test"}


@pytest.fixture
def published(state_farm_root: Path) -> Path:
    """The published layout as it is shared: one table per part instead of the original list of drivers."""
    lines = (state_farm_root / "driver_imgs_list.csv").read_text().splitlines()
    (state_farm_root / "driver_imgs_list.csv").unlink()
    for part in ("train", "test"):
        here = {path.name for path in (state_farm_root / part).rglob("*.jpg")}
        rows = [line for line in lines[1:] if line.split(",")[2] in here]
        (state_farm_root / f"{part}_labels.csv").write_text("\n".join([lines[0], *rows]) + "\n")
    return state_farm_root


def test_published_layout_with_a_table_of_each_part(published: Path) -> None:
    found = index(published)
    assert Counter((r.subject, r.part) for r in found) == {(d, p): 5 for d in DRIVERS for p in ("train", "test")}
    assert {p.detail for p in found.problems} == {"a class folder without images"}
    split = load_protocol("state-farm", "driver-folds").split(found, "1")
    assert {found.by_id()[i].subject for i in split.test} == {"p015", "p021"}


def test_tables_of_the_published_layout_may_use_state_farms_codes(published: Path) -> None:
    table, codes = published / "train_labels.csv", {name: code for code, name in CODES.items()}
    header, *rows = (line.split(",") for line in table.read_text().splitlines())
    coded = [[driver, codes[name], image] for driver, name, image in rows]
    table.write_text("\n".join(",".join(row) for row in [header, *coded]))
    assert index(published).subjects == ("p002", "p012", "p014", "p015", "p021", "p026")


def test_a_table_of_the_published_layout_that_contradicts_its_folders(published: Path) -> None:
    table = published / "train_labels.csv"
    text = table.read_text()
    table.write_text(text.replace(",drinking,img_000.jpg", ",makeup,img_000.jpg") + "p015,drinking,img_9.jpg\n")
    kinds = {(p.kind, p.recording): p.detail for p in index(published).problems if p.recording}
    assert kinds.keys() == {("duplicate", "img_000"), ("missing", "img_9")}
    assert "two classes for one image: its folder says drinking" in kinds["duplicate", "img_000"]
    assert "train_labels.csv" in kinds["missing", "img_9"] and "img_000" not in index(published).by_id()


def test_a_table_of_classes_alone_knows_no_drivers(published: Path) -> None:
    for part in ("train", "test"):
        table = published / f"{part}_labels.csv"
        table.write_text("\n".join(line.split(",")[1] for line in table.read_text().splitlines()))
    found = index(published)
    assert (len(found), found.subjects) == (60, ("unknown",))
    assert {p.detail for p in found.problems} == {"a class folder without images"}


def test_published_layout_alone_knows_no_drivers(state_farm_root: Path) -> None:
    (state_farm_root / "driver_imgs_list.csv").unlink()
    found = index(state_farm_root)
    assert found.subjects == ("unknown",) and len(found) == 60


def test_published_layout_with_codes_as_folder_names(tmp_path: Path, image_file: ImageFile) -> None:
    for number, code in enumerate(CODES):
        image_file(tmp_path / "train" / code / f"img_{number}.jpg", seed=number)
    found = index(tmp_path)
    assert [LABELS[r.label] for r in found] == list(CODES.values())
    assert [p.detail for p in found.problems] == ["the part 'test' is not here"]


def test_folders_that_are_not_the_data_set(original: Path) -> None:
    with pytest.raises(DataError, match=f"Pass --data {original}"):
        index(original.parent)
    (original / "driver_imgs_list.csv").unlink()
    with pytest.raises(DataError, match=r"holds no state-farm images \(driver_imgs_list\.csv"):
        index(original)


def test_the_real_list_of_drivers(state_farm_table: Path) -> None:
    found = index(state_farm_table)
    assert (len(found), len(found.subjects)) == (22424, 26)
    assert Counter(CODES_OF[r.label] for r in found)["c0"] == 2489
    protocol = load_protocol("state-farm", "driver-folds")
    splits = [protocol.split(found, fold) for fold in protocol.fold_names(found)]  # the sizes are asserted in there
    assert sorted(i for s in splits for i in s.test) == [r.id for r in found]
    pairs = load_protocol("state-farm", "leave-2-drivers-out")
    assert len(pairs.fold_names(found)) == 13 and pairs.fold_names(found)[0] == "p002-p012"
    assert get_dataset("state-farm").labels == found.labels


CODES_OF = {LABELS.index(name): code for code, name in CODES.items()}


def test_a_list_with_backslashes_from_windows(state_farm_root: Path) -> None:
    table = state_farm_root / "driver_imgs_list.csv"
    expected = index(state_farm_root)
    assert expected.subjects == ("p002", "p012", "p014", "p015", "p021", "p026")
    table.write_text(table.read_text().replace(",img_", ",c0\\img_"))
    assert index(state_farm_root) == expected


def test_one_folder_of_a_code_is_the_published_layout(tmp_path: Path, image_file: ImageFile) -> None:
    image_file(tmp_path / "train" / "c3" / "img_1.jpg")
    found = index(tmp_path)
    assert [LABELS[r.label] for r in found] == [CODES["c3"]]
    assert sum(p.detail.startswith("it has no folder of the class") for p in found.problems) == 9


def test_what_the_catalog_says_and_folders_that_are_none(tmp_path: Path) -> None:
    assert_entry("state-farm", tmp_path)


def test_the_folder_around_a_published_one_without_a_list_is_pointed_at(state_farm_root: Path) -> None:
    (state_farm_root / "driver_imgs_list.csv").unlink()
    with pytest.raises(DataError, match=f"Pass --data {state_farm_root}"):
        index(state_farm_root.parent)


@pytest.mark.parametrize("column", ["subject", "classname", "img"])
def test_a_list_alone_needs_its_columns(tmp_path: Path, column: str) -> None:
    write_table(tmp_path, ROWS, header="subject,classname,img".replace(column, "other"))
    with pytest.raises(DataError, match=f"has no column {column} "):
        index(tmp_path)


def test_a_list_alone_names_twins_contradictions_and_nobody(tmp_path: Path) -> None:
    write_table(tmp_path, (*ROWS, ROWS[0], ("p002", "c1", "img_1.jpg"), ("", "c9", "img_4.jpg")))
    found = index(tmp_path)
    assert [r.subject for r in found] == ["p002", "p002", "p012", "unknown"]
    assert [p.detail.split(": ")[-1] for p in found.problems if p.kind == "duplicate"] == [
        "one image twice",
        "two classes for one image",
    ]
