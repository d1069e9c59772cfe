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
        "unlabelled": 4,
        "subjects": ["1", "2"],
        "classes": 3,
        "streams": {
            "watch": {"recordings": 11, "rate_hz": [50.0, 12.5], "unit": ["g"]},
            "rgb": {"recordings": 9, "rate_hz": [0.0, 24.5, 25.0, 29.97, 30.0, 30.2], "unit": ["uint8"]},
        },
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
        ["without a label", "4"],
        ["subjects", "2 (1, 2)"],
        ["classes", "3"],
        [""],
        ["stream", "recordings", "rate (Hz)", "unit"],
        ["watch", "11", "50, 12.5", "g"],
        ["rgb", "9", "24.5 to 30.2", "uint8"],
        [""],
        ["problems: 1 corrupt, 2 missing"],
        ["kind", "recording", "detail", "file"],
        ["corrupt", "r", "it is empty", "DATA/r.csv"],
    ]
    content["streams"] = {"image": {"recordings": 30, "rate_hz": [0.0], "unit": ["uint8"]}}
    content["subjects"], content["unlabelled"] = ["unknown"], 0
    alike = [{"kind": "unpaired", "recording": f"r{n}", "detail": "no line", "path": f"DATA/r{n}"} for n in range(30)]
    content["problems"] = [*alike, {"kind": "unpaired", "recording": "s", "detail": "two lines", "path": "DATA/s"}]
    lines = [re.split(r"  +", line) for line in vskd("datasets", "index", "x", "--data", tmp_path).out.splitlines()]
    assert lines[3] == ["subjects", "not known"] and lines[7] == ["image", "30", "-", "uint8"]
    assert [line[1] for line in lines[11:-1]] == [*(f"r{n}" for n in range(20)), "s"]
    assert lines[-1] == ["and 10 more of the same kinds (all of them: --json)"]


def test_a_folder_that_import_wrote_is_a_data_set(
    vskd, record, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As `vskd doctor` takes it, so do the others that look at one."""
    from vskd.datasets import catalog, sensor_heads, signal_report
    from vskd.datasets.splits import protocol, protocol_audit
    from vskd.datasets.sync import estimate

    (tmp_path / "dataset.yaml").write_text("")
    entry = SimpleNamespace(name="sensor-folder", index=lambda root: ("index", root), label_swap=None)
    monkeypatch.setattr(catalog, "get_dataset", lambda name: entry if name == "sensor-folder" else None)
    for place, name in ((estimate, "uncut"), (sensor_heads, "with_heads_checked"), (signal_report, "report_signals")):
        seen = record(place, name, None)
        command = {"uncut": "sync", "with_heads_checked": "index", "report_signals": "signals"}[name]
        vskd("datasets", command, tmp_path, *(["--stream", "s"] if command == "signals" else []))
        assert seen[0]["index"] == ("index", tmp_path)
    rules = record(protocol, "load_protocol", "rule")
    asked = record(protocol_audit, "audit_protocol", "audited")
    vskd("datasets", "audit", tmp_path, "--protocol", "P")
    assert rules == [{"dataset": "sensor-folder", "name": "P"}] and asked[0]["index"] == ("index", tmp_path)


def test_settings_of_a_world_are_handed_on(vskd, record, tmp_path: Path) -> None:
    from vskd.datasets.synthetic import write

    seen = record(write, "write_world", 5)
    words = ["--subjects", 2, "--actions", 3, "--trials", 4, "--seed", 9, "--skeletons"]
    answer = vskd("datasets", "make-synthetic", "--out", tmp_path, *words)
    assert answer.out == f"{tmp_path}: 24 recordings, 5 of them written now\n"
    expected = {"subjects": 2, "actions": 3, "trials": 4, "seed": 9, "skeletons": True}
    assert {name: seen[0][name] for name in expected} == expected


def test_data_sets_are_listed_in_order_and_described_as_they_are(vskd, monkeypatch: pytest.MonkeyPatch) -> None:
    """A field that a data set lacks has no line; several streams stand on one."""
    from vskd.datasets import catalog

    fields = {"title": "T", "description": "D", "streams": ("a", "b"), "protocols": ("p",), "labels": (), "url": ""}
    entry = SimpleNamespace(name="x", **fields, licence="L", citation="C", obtain="O")
    other = SimpleNamespace(description="E")
    monkeypatch.setattr(catalog, "DATASETS", {"x": entry, "b": other})
    assert json.loads(vskd("datasets", "list", "--json").out) == [
        {"name": "b", "description": "E"},
        {"name": "x", "description": "D"},
    ]
    lines = [re.split(r"  +", line) for line in vskd("datasets", "list").out.splitlines()]
    assert lines == [["data set", "description"], ["b", "E"], ["x", "D"]]
    monkeypatch.setattr(catalog, "get_dataset", lambda name: entry)
    assert [re.split(r"  +", line) for line in vskd("datasets", "info", "x").out.splitlines()] == [
        *(["name", "x"], ["title", "T"], ["description", "D"], ["streams", "a, b"], ["protocols", "p"]),
        *(["licence", "L"], ["citation", "C"], ["obtain", "O"]),
    ]
    assert json.loads(vskd("datasets", "info", "x", "--json").out) == {
        **{"name": "x", **fields, "streams": ["a", "b"], "protocols": ["p"], "labels": []},
        **{"licence": "L", "citation": "C", "obtain": "O"},
    }


SCORES = {"accuracy": 0.5, "macro_f1": 0.25, "macro_recall": 0.125}
FOLD = {
    "protocol": "by-driver",
    "protocol_hash": "0123456789abcdef",
    "fold": None,
    "sizes": {"train": 6, "validation": 0, "test": 3},
    "subjects": 2,
    "shared_subjects": [],
    "clips": 0,
    "shared_clips": [],
    "same_content": [],
    "overlapping": [],
    "unknown_subjects": 0,
    "nearest_frame": None,
    "unreadable": {},
    "notes": [],
    "baselines": {"majority class": SCORES},
}
AUDIT = {"dataset": "x", "root": "DATA", "folds": [FOLD], "pooled": {}, "same_content_two_classes": []}
HEAD = ["without learning", "fold", "accuracy", "macro F1", "macro recall"]
PLAIN = [
    ["protocol", "by-driver (0123456789ab)"],
    ["recordings", "train 6, test 3"],
    ["subjects of the test part that train, too", "0 of 2"],
    ["test files with the content of a training file", "0"],
]


@pytest.fixture
def audit(vskd, record, monkeypatch: pytest.MonkeyPatch):
    """What the command prints of an audit's summary, line by line, and what it asked for."""
    from vskd.datasets import catalog
    from vskd.datasets.splits import protocol, protocol_audit

    entry = SimpleNamespace(name="x", index=lambda root: ("index", root), label_swap={"left": "right"})
    monkeypatch.setattr(catalog, "get_dataset", lambda name: entry)
    monkeypatch.setattr(protocol, "load_protocol", lambda *words: ("rule", *words))
    asked = record(protocol_audit, "audit_protocol", "audited")

    def ask(summary: dict[str, object], *words: object) -> list[list[str]]:
        monkeypatch.setattr(protocol_audit, "audit_summary", {"audited": summary}.__getitem__)
        answer = vskd("datasets", "audit", "x", "--data", "DATA", "--protocol", "P", *words)
        assert answer.code == 0, answer.err
        ask.asked = asked[-1]
        return [re.split(r"  +", line) for line in answer.out.splitlines()]

    return ask


def test_every_option_of_an_audit_reaches_the_library(audit, record) -> None:
    audit(AUDIT)
    known = {"index": ("index", Path("DATA")), "protocol": ("rule", "x", "P"), "label_swap": {"left": "right"}}
    assert audit.asked == {**known, "fold": None, "stream": None, "cache": None}
    audit(AUDIT, "--fold", "3", "--stream", "rgb", "--cache", "C")
    assert audit.asked == {**known, "fold": "3", "stream": "rgb", "cache": Path("C")}


def test_an_audit_prints_what_there_is_and_nothing_else(audit) -> None:
    """One fold without a name, of data without clips."""
    row = ["majority class", "50.00 %", "25.00 %", "12.50 %"]
    assert audit(AUDIT) == [["data set", "x"], ["folder", "DATA"], [""], *PLAIN, [""], HEAD, row]
    full = {
        **FOLD,
        **{"fold": "3", "shared_subjects": ["a", "b"], "clips": 4, "shared_clips": list("123456")},
        **{"same_content": None, "overlapping": [["p", "q"]], "unknown_subjects": 5},
        **{"same_clip": [["t", "u"]], "shared_groups": list("12345")},
        **{"nearest_frame": {"within_1": 0.25, "within_2": 0.75}},
        **{"unreadable": {"r": "it is cut off"}, "notes": ["one", "two"]},
    }
    other = {**FOLD, "fold": "4", "baselines": {"majority class": {**SCORES, "accuracy": 1.0}}}
    pooled = {"majority class": {**SCORES, "accuracy": 0.75}}
    summary = {**AUDIT, "folds": [full, other], "pooled": pooled, "same_content_two_classes": [["c", "d"], ["e", "f"]]}
    assert audit(summary) == [
        *(["data set", "x"], ["folder", "DATA"], [""], PLAIN[0], ["fold", "3"], PLAIN[1]),
        ["subjects of the test part that train, too", "2 (a, b) of 2"],
        ["source videos of the test part that train, too", "6 (1, 2, 3, 4, 5, ...) of 4"],
        ["test files with the content of a training file", "not compared"],
        ["parts of files that overlap across training and test", "1 (p and q)"],
        ["test clips that look the same as a training clip", "1 (t = u)"],
        ["groups of the test part that train, too", "5 (1, 2, 3, 4, 5)"],
        ["test recordings of unknown subject", "5"],
        ["test frames with a training frame beside them", "25.00 %"],
        ["... at most two frames away", "75.00 %"],
        *(["unreadable", "r: it is cut off"], ["note", "one"], ["note", "two"], [""]),
        *(PLAIN[0], ["fold", "4"], *PLAIN[1:], [""], HEAD),
        ["majority class", "3", "50.00 %", "25.00 %", "12.50 %"],
        ["majority class", "4", "100.00 %", "25.00 %", "12.50 %"],
        ["majority class", "all", "75.00 %", "25.00 %", "12.50 %"],
        ["the same file in different classes: c, d"],
        ["the same file in different classes: e, f"],
    ]


CLEAN = "nothing is shared: no group is on both sides, and no clip is in two groups"
WARNED = (
    "warning: divided at random 80/20, as published code does, the nearest clip is right on 90.00 % of the test clips"
)


def of_clips(fold: dict[str, object] = {}, pooled: dict[str, object] = {}, **clips: object) -> dict[str, object]:  # noqa: B006
    found = {"same_clip": [], "alike_within_a_group": 0, "random_division": None}
    shared = {"same_clip": [], "shared_groups": []}
    return {**AUDIT, "folds": [{**FOLD, **shared, **fold}], "pooled": pooled, "clips": found | clips}


@pytest.mark.parametrize(
    ("summary", "said"),
    [
        (of_clips(), [CLEAN]),
        (of_clips({"shared_groups": ["a"]}), []),
        (of_clips({"same_content": [["a", "b"]]}), []),
        (of_clips({"same_clip": [["a", "b"]]}), []),
        (of_clips(alike_within_a_group=2), ["clips that look like another one of their own group: 2", CLEAN]),
        (
            of_clips(same_clip=[
                {"groups": ["1", "2"], "labels": ["a"], "same_bytes": True, "ids": ["p", "q"]},
                {"groups": ["1"], "labels": ["a", "b"], "same_bytes": False, "ids": ["r", "s"]},
                {"groups": ["1"], "labels": ["a"], "same_bytes": False, "ids": ["t", "u"]},
            ]),
            [
                "one clip in 2 groups (the same bytes): p = q",
                "one clip in 2 labels (the same pictures): r = s",
                "one clip in one group (the same pictures): t = u",
            ],
        ),
        (
            of_clips(random_division={"accuracy": 0.9, "groups_in_training": None}),
            [CLEAN, f"{WARNED}; nobody knows their groups"],
        ),
        (
            of_clips(
                pooled={"nearest in pixels": {**SCORES, "accuracy": 0.3}},
                random_division={"accuracy": 0.9, "groups_in_training": 0.0},
            ),
            [
                CLEAN,
                f"{WARNED}, under this protocol 30.00 %; 0.00 % of them have clips of their group in training",
            ],
        ),
    ],
)  # fmt: skip
def test_what_is_said_of_clips(audit, summary: dict[str, object], said: list[str]) -> None:
    lines = audit(summary)
    assert [line[0] for line in lines[lines.index(HEAD) + 2 :]] == said


def test_a_world_for_programs(vskd, record, tmp_path: Path) -> None:
    from vskd.datasets.synthetic import write

    seen = record(write, "write_world", 5)
    content = json.loads(vskd("datasets", "make-synthetic", "--out", tmp_path, "--json").out)
    assert content == {"out": str(tmp_path), "recordings": 8 * 8 * 4, "written": 5}
    assert seen[0]["root"] == tmp_path
    assert [seen[0][name] for name in ("subjects", "actions", "trials", "seed", "skeletons")] == [8, 8, 4, 0, False]
