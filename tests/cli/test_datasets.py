"""`vskd datasets`: on a small synthetic world, and on folders that are wrong."""

import json
import shutil
from pathlib import Path

import pytest

from vskd.datasets.catalog import DATASETS


def test_list_names_every_data_set(vskd) -> None:
    listed = json.loads(vskd("datasets", "list", "--json").out)
    assert {entry["name"] for entry in listed} == set(DATASETS)
    text = vskd("datasets", "list").out
    assert all(name in text and entry.description in text for name, entry in DATASETS.items())


@pytest.mark.parametrize("name", DATASETS)
def test_info_tells_what_a_newcomer_needs(vskd, name: str) -> None:
    entry = DATASETS[name]
    content = json.loads(vskd("datasets", "info", name, "--json").out)
    assert content["labels"] == list(entry.labels)
    text = vskd("datasets", "info", name).out
    for needle in (entry.title, *entry.streams, *entry.protocols, entry.licence, entry.obtain):
        assert needle in text


def test_index_counts_and_finds_nothing_wrong(vskd, synthetic_root: Path) -> None:
    content = json.loads(vskd("datasets", "index", "synthetic", "--data", synthetic_root, "--json").out)
    assert (content["recordings"], content["subjects"], content["problems"]) == (24, ["1", "2", "3", "4"], [])
    text = vskd("datasets", "index", "synthetic", "--data", synthetic_root).out
    assert "no problems found" in text
    assert "accelerometer  24" in text
    assert "50" in text and " g" in text


def test_index_names_what_is_wrong(vskd, synthetic_root: Path, tmp_path: Path) -> None:
    world = tmp_path / "world"
    shutil.copytree(synthetic_root, world)
    broken, lost = world / "Inertial" / "a1_s1_t1_inertial.mat", world / "RGB" / "a2_s1_t1_color.mp4"
    broken.write_bytes(broken.read_bytes()[:100])
    lost.unlink()
    answer = vskd("datasets", "index", "synthetic", "--data", world)
    assert answer.code == 0
    assert "1 corrupt" in answer.out
    for needle in ("a1_s1_t1", str(broken), "a2_s1_t1"):
        assert needle in answer.out


@pytest.mark.parametrize("make", [False, True], ids=["missing", "empty"])
def test_a_missing_or_empty_folder_is_one_clear_line(vskd, tmp_path: Path, make: bool) -> None:
    folder = tmp_path / "nowhere"
    if make:
        folder.mkdir()
    answer = vskd("datasets", "index", "utd-mhad", "--data", folder)
    assert (answer.code, answer.out) == (1, "")
    assert answer.err.count("\n") == 1
    assert str(folder) in answer.err


def test_an_unknown_data_set_comes_with_the_nearest_name(vskd, tmp_path: Path) -> None:
    for words in (["info", "utd-mhd"], ["index", "utd-mhd", "--data", tmp_path]):
        answer = vskd("datasets", *words)
        assert answer.code == 1
        assert "'utd-mhd'" in answer.err
        assert "did you mean 'utd-mhad'" in answer.err


def test_make_synthetic_writes_a_world_that_can_be_indexed(vskd, tmp_path: Path) -> None:
    words = ["datasets", "make-synthetic", "--subjects", 2, "--actions", 2, "--trials", 1, "--seed", 3]
    answer = vskd(*words, "--out", tmp_path / "world", "--json")
    assert answer.code == 0, answer.err
    assert json.loads(answer.out) == {"out": str(tmp_path / "world"), "recordings": 4, "written": 4}
    assert (
        json.loads(vskd("datasets", "index", "synthetic", "--data", tmp_path / "world", "--json").out)["recordings"]
        == 4
    )
    assert "4 recordings, 0 of them written now" in vskd(*words, "--out", tmp_path / "world").out


def test_make_synthetic_leaves_a_strange_folder_alone(vskd, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep me", encoding="utf-8")
    answer = vskd("datasets", "make-synthetic", "--out", tmp_path)
    assert (answer.code, answer.out) == (1, "")
    assert str(tmp_path) in answer.err
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]
