from pathlib import Path

import pytest

from tests.datasets.entries import assert_entry
from tests.datasets.video.clips import copy_clips
from vskd.datasets.splits.protocol import load_protocol
from vskd.datasets.video.hmdb51 import LABELS, index, read_split
from vskd.errors import DataError

CLASSES = ("brush_hair", "climb_stairs")


def write_sample(root: Path) -> None:
    """Two classes of six source videos, and the lists of three splits, in the published layout."""
    for label in CLASSES:
        names = [f"A_Film_{n}!_{label}_u_nm_np1_ba_goo_{n % 2}.avi" for n in range(6)]
        copy_clips(root, [f"{label}/{name}" for name in names])
        lists = root / "testTrainMulti_7030_splits"
        lists.mkdir(exist_ok=True)
        for k in (1, 2, 3):
            mark = {k - 1: 0, k: 2}
            lines = [f"{name} {mark.get(n, 1)} \n" for n, name in enumerate(names)]
            (lists / f"{label}_test_split{k}.txt").write_text("".join(lines))


@pytest.mark.parametrize("k", [1, 2, 3])
def test_the_official_splits_are_read_from_the_users_lists(tmp_path: Path, k: int) -> None:
    write_sample(tmp_path)
    found = index(tmp_path)
    split = load_protocol("hmdb51", f"official-{k}").split(found)
    assert {found.by_id()[i].clip for i in split.test} == {f"A_Film_{k}!"}
    assert (len(split.train), len(split.test)) == (8, 2), "one of each class is unused"
    assert {p.kind for p in found.problems} == {"missing"}, "the folder of the lists is no class"


def test_a_clips_group_is_its_source_video(tmp_path: Path) -> None:
    copy_clips(
        tmp_path,
        ["climb/Ein_Älteres_climb_f_cm_np2_le_med_12.avi", "climb/home.avi", "eat/x_eat_u_cm_np1_fr_med_0.avi"],
    )
    found = index(tmp_path)
    assert {(r.group, r.trial) for r in found} == {("Ein_Älteres", "12"), ("home", "0"), ("x", "0")}


def test_a_line_of_another_form_is_refused(tmp_path: Path) -> None:
    write_sample(tmp_path)
    with (tmp_path / "testTrainMulti_7030_splits" / "brush_hair_test_split2.txt").open("a") as file:
        file.write("some.avi 3\n")
    with pytest.raises(
        DataError, match=r"brush_hair_test_split2.txt, line 7: 'some.avi 3' is not a clip with 0, 1 or 2"
    ):
        index(tmp_path)


def test_there_are_51_classes() -> None:
    assert len(set(LABELS)) == 51 and list(LABELS) == sorted(LABELS)


@pytest.mark.parametrize("name", ["testTrainMulti_7030_splits", "test_train_splits", "splits"])
def test_the_lists_lie_under_each_of_their_names(tmp_path: Path, name: str) -> None:
    write_sample(tmp_path / "hmdb51_org")
    (tmp_path / "hmdb51_org" / "testTrainMulti_7030_splits").rename(tmp_path / name)
    found = index(tmp_path)
    assert {r.factors["split2"] for r in found} == {"train", "test", "unused"} and found.problems[0].kind == "missing"
    assert not any("no official split fits" in p.detail for p in found.problems)


def test_without_lists_that_is_said_and_clips_train_nowhere(tmp_path: Path) -> None:
    write_sample(tmp_path)
    for path in (tmp_path / "testTrainMulti_7030_splits").iterdir():
        path.unlink()
    found = index(tmp_path)
    assert {len(r.factors) for r in found} == {0}
    told = [p.detail for p in found.problems if "no official split fits" in p.detail]
    (tmp_path / "testTrainMulti_7030_splits").rmdir()
    places = [p.path for p in index(tmp_path).problems if "no official split fits" in p.detail]
    assert places == [str(tmp_path / "testTrainMulti_7030_splits")]
    assert told == [
        "without brush_hair_test_split1.txt no official split fits; download the lists, and unpack them there"
    ]


@pytest.mark.parametrize(("line", "told"), [("1", "'1' is not a clip"), (" a b.avi 3", "'a b.avi 3' is not a clip")])
def test_a_list_holds_clips_and_marks(tmp_path: Path, line: str, told: str) -> None:
    (tmp_path / "wave_test_split1.txt").write_text(f"x y.avi 1\n\n{line}\n")
    with pytest.raises(DataError, match=rf"wave_test_split1\.txt, line 3: {told}"):
        read_split(tmp_path, 1)
    (tmp_path / "wave_test_split1.txt").write_text("x y.avi 1\nz.avi 0\nw.avi 2\n")
    assert read_split(tmp_path, 1) == {"x y": "train", "z": "unused", "w": "test"} and read_split(tmp_path, 2) == {}
    (tmp_path / "clap_test_split1.txt").write_text("z.avi 1\n")
    with pytest.raises(DataError, match="z trains and tests in one split"):
        read_split(tmp_path, 1)


def test_what_the_catalog_says_and_folders_that_are_none(tmp_path: Path) -> None:
    assert_entry("hmdb51", tmp_path)
