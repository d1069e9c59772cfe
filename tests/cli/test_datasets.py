"""`vskd datasets`: on a small synthetic world, and on folders that are wrong."""

import json
import re
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from tests.preprocessing.video.clips import remuxed
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


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    """Images of two classes in train and test; two owners are in both, one test file is a training file."""
    rng, root, rows = np.random.default_rng(0), tmp_path / "pets", ["path,driver,clip,frame"]
    for part in ("train", "test"):
        for label, name in enumerate(("cat", "dog")):
            for number, owner in enumerate(("ann", "bob", "cleo" if part == "test" else "ann")):
                path = root / part / name / f"{number}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(rng.integers(0, 256, (18, 32), dtype=np.uint8)).save(path)
                frame = 100 * label + 2 * number + (part == "test")
                rows.append(f"{path.relative_to(root)},{owner},film.mp4,{frame}")
    (root / "labels.csv").write_text("\n".join(rows), encoding="utf-8")
    shutil.copyfile(root / "train" / "cat" / "0.png", root / "test" / "dog" / "1.png")
    return root


def test_audit_measures_what_leaks(vskd, pets: Path) -> None:
    words = ["datasets", "audit", "image-folder", "--data", pets, "--protocol", "official"]
    content = json.loads(vskd(*words, "--json").out)
    (fold,) = content["folds"]
    assert fold["sizes"] == {"train": 6, "validation": 0, "test": 6}
    assert (fold["shared_subjects"], fold["subjects"], fold["shared_clips"]) == (["ann", "bob"], 3, ["film.mp4"])
    assert fold["same_content"] == [["train/cat/0", "test/dog/1"]]
    assert content["same_content_two_classes"] == [["test/dog/1", "train/cat/0"]]
    assert fold["nearest_frame"]["within_1"] == 1.0
    assert fold["baselines"]["nearest frame's label"]["accuracy"] == 1.0
    assert fold["baselines"]["majority class"]["accuracy"] == 0.5
    answer = vskd(*words)
    assert answer.code == 0
    for needle in (
        "subjects of the test part that train, too       2 (ann, bob) of 3",
        "source videos of the test part that train, too  1 (film.mp4) of 1",
        "1 (train/cat/0 = test/dog/1)",
        "test frames with a training frame beside them   100.00 %",
        "the same file in different classes: test/dog/1, train/cat/0",
    ):
        assert needle in answer.out
    rows = {line.split("  ")[0]: line.split()[-6:] for line in answer.out.splitlines() if line.endswith(" %")}
    assert rows["nearest frame's label"] == ["100.00", "%"] * 3
    assert rows["majority class"][:2] == ["50.00", "%"]


def test_audit_goes_through_all_folds_or_one(vskd, pets: Path) -> None:
    words = ["datasets", "audit", "image-folder", "--data", pets, "--protocol", "leave-one-driver-out"]
    content = json.loads(vskd(*words, "--json").out)
    assert [fold["fold"] for fold in content["folds"]] == ["ann", "bob", "cleo"]
    assert all(fold["shared_subjects"] == [] for fold in content["folds"])
    text = vskd(*words).out
    assert text.count("subjects of the test part that train, too       0 of 1") == 3
    assert "majority class         all" in text
    one = vskd(*words, "--fold", "bob").out
    assert one.count("protocol ") == 1 and " all " not in one


def test_audit_of_sensor_data_says_what_it_cannot_measure(vskd, synthetic_root: Path) -> None:
    answer = vskd("datasets", "audit", "synthetic", "--data", synthetic_root, "--protocol", "cross-subject")
    assert answer.code == 0
    assert "train 12, test 12" in answer.out and "0 of 2" in answer.out
    assert "no 'nearest in pixels': there are no images to compare" in answer.out
    assert "source videos" not in answer.out.split("note")[0]


def test_audit_names_overlapping_parts_of_files(vskd, tmp_path: Path) -> None:
    samples = np.random.default_rng(0).normal(0.5, 0.3, (200, 3))
    for name in ("one", "two"):
        np.savetxt(tmp_path / f"{name}.csv", samples, fmt="%.5f", delimiter=",")
    rows = "one.csv,1,walk,1,40", "one.csv,1,run,70,110", "two.csv,2,walk,1,60", "two.csv,2,run,120,160"
    (tmp_path / "list.csv").write_text("\n".join(["file,subject,label,first_row,last_row", *rows]))
    (tmp_path / "dataset.yaml").write_text(
        "format: sensor-folder 1\ntable: list.csv\n"
        "streams: {accelerometer: {columns: [0, 1, 2], rate_hz: 50, unit: g}}\n"
    )
    words = ["datasets", "audit", "sensor-folder", "--data", tmp_path, "--protocol", "leave-one-subject-out"]
    answer = vskd(*words, "--fold", 2)
    assert (
        "parts of files that overlap across training and test  1 (s1_walk_one-0001 and s2_walk_two-0001)" in answer.out
    )
    (tmp_path / "list.csv").write_text((tmp_path / "list.csv").read_text().replace("2,walk,1,60", "2,walk,1,40"))
    answer = vskd(*words, "--fold", 2)  # now they are equal, and counted as such
    assert "test files with the content of a training file  1 (" in answer.out and "overlap across" not in answer.out


def test_audit_of_clips_names_copies_and_warns_of_a_random_division(vskd, moves_root: Path, tmp_path: Path) -> None:
    """Six groups of moving squares; the tested one, f, gets two of a's clips, one of them in another container."""
    root = Path(shutil.copytree(moves_root, tmp_path / "moves"))
    words = ["datasets", "audit", "video-folder", "--protocol", "official", "--cache", tmp_path / "cache", "--data"]
    clean = vskd(*words, root).out
    assert "nothing is shared: no group is on both sides, and no clip is in two groups" in clean
    shutil.copyfile(root / "train/down/a.mp4", root / "test/right/f.mp4")
    remuxed(root / "train/still/a.mp4", root / "test/still/f.mp4")
    table = (root / "labels.csv").read_text(encoding="utf-8").replace("test/down/f.mp4,f", "test/down/f.mp4,b")
    (root / "labels.csv").write_text(table, encoding="utf-8")
    answer = vskd(*words, root)
    assert answer.code == 0
    for needle in (
        "test files with the content of a training file    1 (train/down/a.mp4 = test/right/f.mp4)",
        "test clips that look the same as a training clip  1 (train/still/a.mp4 = test/still/f.mp4)",
        "groups of the test part that train, too           1 (b)",
        "one clip in 2 groups and 2 labels (the same bytes): test/right/f.mp4 = train/down/a.mp4",
        "one clip in 2 groups (the same pictures): test/still/f.mp4 = train/still/a.mp4",
        "warning: divided at random 80/20, as published code does, the nearest clip is right on ",
    ):
        assert needle in answer.out
    assert "nothing is shared" not in answer.out
    content = json.loads(vskd(*words, root, "--stream", "rgb", "--json").out)
    assert content["clips"]["random_division"]["recordings"] == 18 and content["clips"]["stream"] == "rgb"


def test_audit_names_unreadable_images(vskd, pets: Path) -> None:
    path = pets / "test" / "cat" / "2.png"
    path.write_bytes(path.read_bytes()[:200])
    answer = vskd("datasets", "audit", "image-folder", "--data", pets, "--protocol", "official")
    assert answer.code == 0
    assert f"test/cat/2: {path} is no readable JPEG or PNG image" in answer.out


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"--protocol": "oficial"}, "did you mean 'official'"),
        ({"--protocol": "official-val"}, "leaves the part 'validation' empty"),
        ({"--fold": "ann"}, "has no folds"),
        ({"--data": "nowhere"}, "does not exist"),
    ],
)
def test_audit_refuses_in_one_line(vskd, pets: Path, changes: dict[str, str], problem: str) -> None:
    words = {"--data": str(pets), "--protocol": "official", **changes}
    answer = vskd("datasets", "audit", "image-folder", *(word for pair in words.items() for word in pair))
    assert (answer.code, answer.out) == (1, "")
    assert answer.err.count("\n") == 1 and problem in answer.err


def test_index_of_images(vskd, pets: Path) -> None:
    content = json.loads(vskd("datasets", "index", "image-folder", "--data", pets, "--json").out)
    assert content["recordings_per_class"] == {"cat": 6, "dog": 6}
    assert content["streams"] == {"image": {"recordings": 12, "rate_hz": [0.0], "unit": ["uint8"]}}
    assert "no problems found" in vskd("datasets", "index", "image-folder", "--data", pets).out


def test_signals_of_a_stream(vskd, synthetic_root: Path) -> None:
    args = ("datasets", "signals", "synthetic", "--data", synthetic_root, "--stream", "accelerometer")
    assert "rate" in vskd(*args).out
    summary = json.loads(vskd(*args, "--json").out)
    assert (summary["recordings"], summary["unreadable"], summary["rate_hz"]["median"]) == (24, 0, 50.0)


def test_every_figure_of_a_stream_is_printed(vskd, record, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from vskd.datasets import catalog, signal_report

    summary = {
        "stream": "watch",
        "unit": "g",
        "recordings": 12,
        "rate_hz": {"median": 50.0, "min": 49.5, "max": 51.25},
        "seconds": {"median": 2.0, "min": 1.0, "max": 30.125},
        "at_rest": {},
        "with_gaps": 3,
        "longest_gap_s": 0.123,
        "jitter_ms": {},
        "drift_ms": {},
        "backward": 8,
        "repeated": 9,
        "saturated": 4,
        "glitches": 5,
        "without_1_g": 6,
        "unreadable": 7,
        "noteworthy": {"a": "a gap", "b": "saturated"},
    }
    monkeypatch.setattr(catalog, "get_dataset", lambda name: SimpleNamespace(index=lambda root: (name, root)))
    seen = record(signal_report, "report_signals", SimpleNamespace(summary=lambda: summary))
    answer = vskd("datasets", "signals", "x", "--data", tmp_path, "--stream", "watch")
    assert seen == [{"index": ("x", tmp_path), "stream": "watch"}]
    assert [re.split(r"  +", line) for line in answer.out.splitlines()] == [
        ["stream", "watch"],
        ["recordings", "12"],
        ["rate", "50 Hz (49.5 to 51.2)"],
        ["length", "2 s (1 to 30.1)"],
        ["at rest", "-"],
        ["stamps back, repeated", "8, 9"],
        ["with gaps", "3, the longest 0.12 s"],
        ["saturated", "4"],
        ["glitches", "5"],
        ["without 1 g at rest", "6"],
        ["unreadable", "7"],
        [""],
        ["recording", "what to know of it"],
        ["a", "a gap"],
        ["b", "saturated"],
    ]
    spread = {"median": 1.0, "min": 0.5, "max": 1.5}
    summary |= {"at_rest": spread, "jitter_ms": spread, "drift_ms": {**spread, "max": 2.0}, "noteworthy": {}}
    lines = vskd("datasets", "signals", "x", "--data", tmp_path, "--stream", "watch").out.splitlines()
    assert [re.split(r"  +", line) for line in lines[4:8]] == [
        ["at rest", "1 g (0.5 to 1.5)"],
        ["jitter", "1 ms (0.5 to 1.5)"],
        ["drift", "1 ms (0.5 to 2)"],
        ["stamps back, repeated", "8, 9"],
    ]
    assert len(lines) == 13


def test_every_count_of_an_index_is_printed(vskd, record, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from vskd.datasets import catalog, sensor_heads
    from vskd.datasets import summary as library

    monkeypatch.setattr(sensor_heads, "with_heads_checked", lambda index: index)
    content = {
        "dataset": "x",
        "root": "DATA",
        "recordings": 12,
        "subjects": ["1", "2"],
        "classes": 3,
        "streams": {"watch": {"recordings": 11, "rate_hz": [50.0, 12.5], "unit": ["g"]}},
        "problem_counts": {"corrupt": 1, "missing": 2},
        "problems": [{"kind": "corrupt", "recording": "r", "detail": "it is empty", "path": "DATA/r.csv"}],
    }
    monkeypatch.setattr(catalog, "get_dataset", lambda name: SimpleNamespace(index=lambda root: (name, root)))
    seen = record(library, "index_summary", content)
    answer = vskd("datasets", "index", "x", "--data", tmp_path)
    assert seen == [{"index": ("x", tmp_path)}]
    assert [re.split(r"  +", line) for line in answer.out.splitlines()] == [
        ["data set", "x"],
        ["folder", "DATA"],
        ["recordings", "12"],
        ["subjects", "2 (1, 2)"],
        ["classes", "3"],
        [""],
        ["stream", "recordings", "rate (Hz)", "unit"],
        ["watch", "11", "50, 12.5", "g"],
        [""],
        ["problems: 1 corrupt, 2 missing"],
        ["kind", "recording", "detail", "file"],
        ["corrupt", "r", "it is empty", "DATA/r.csv"],
    ]


def test_settings_of_a_world_are_handed_on(vskd, record, tmp_path: Path) -> None:
    from vskd.datasets.synthetic import write

    seen = record(write, "write_world", 5)
    words = ["--subjects", 2, "--actions", 3, "--trials", 4, "--seed", 9, "--skeletons"]
    answer = vskd("datasets", "make-synthetic", "--out", tmp_path, *words)
    assert answer.out == f"{tmp_path}: 24 recordings, 5 of them written now\n"
    expected = {"subjects": 2, "actions": 3, "trials": 4, "seed": 9, "skeletons": True}
    assert {name: seen[0][name] for name in expected} == expected
