from pathlib import Path

import pytest
import yaml

from vskd.datasets.importing.protocols import folder_protocols
from vskd.datasets.recording import UNLABELLED, Index, Recording
from vskd.datasets.splits.protocol import load_protocol


def of(subjects: list[str], trials: int = 2) -> Index:
    made = [
        Recording(f"{s}_{k}_{t}", s, str(t), k, s, {}) for s in subjects for k in (0, 1) for t in range(1, trials + 1)
    ]
    return Index("sensor-folder", Path(), ("a", "b"), tuple(made))


@pytest.mark.parametrize("subjects", [["1", "2", "3"], ["anna", "ben"], [str(n) for n in range(1, 13)]])
def test_every_subject_trains_or_tests_and_the_folds_test_each_once(subjects: list[str], tmp_path: Path) -> None:
    found = of(subjects)
    paths = folder_protocols(found, tmp_path)
    assert [p.stem for p in paths] == ["cross-subject", "subject-folds"][: 1 + (len(subjects) > 5)]
    split = load_protocol("sensor-folder", str(paths[0])).split(found)
    assert len(split.train) + len(split.test) == len(found)
    for path in paths[1:]:
        rule = load_protocol("sensor-folder", str(path))
        tested = [i for fold in rule.fold_names(found) for i in rule.split(found, fold).test]
        assert sorted(tested) == sorted(r.id for r in found)


def test_of_one_person_the_last_trials_test(tmp_path: Path) -> None:
    found = of(["unknown"], trials=8)
    (path,) = folder_protocols(found, tmp_path)
    split = load_protocol("sensor-folder", str(path)).split(found)
    assert {i[-1] for i in split.test} == {"7", "8"}
    assert folder_protocols(of(["1"], trials=1), tmp_path) == ()


def read(path: Path) -> dict[str, object]:
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert isinstance(content, dict)
    return content


@pytest.mark.parametrize(("count", "tested"), [(2, 1), (3, 1), (7, 1), (8, 2), (11, 2), (12, 3)])
def test_the_last_quarter_of_the_subjects_tests(count: int, tested: int, tmp_path: Path) -> None:
    paths = folder_protocols(of([str(n) for n in range(1, count + 1)]), tmp_path)
    content = read(paths[0])
    subjects = list(range(1, count + 1))
    assert content["parts"] == {"train": subjects[:-tested], "test": subjects[-tested:]}
    assert (content["name"], content["dataset"], content["version"]) == ("cross-subject", "sensor-folder", 1)
    assert [content[key] for key in ("split_by", "disjoint", "validation_unit")] == ["subject"] * 3
    assert len(paths) == (2 if count > 5 else 1)


def test_five_folds_in_turn(tmp_path: Path) -> None:
    _, folds = folder_protocols(of([f"p{n}" for n in range(7)]), tmp_path)
    expected = {f"fold{k + 1}": [f"p{n}" for n in range(7) if n % 5 == k] for k in range(5)}
    assert read(folds)["folds"] == expected


def test_of_trials_the_last_quarter_in_their_natural_order(tmp_path: Path) -> None:
    (path,) = folder_protocols(of(["unknown"], trials=12), tmp_path)
    content = read(path)
    assert content["parts"] == {"train": list(range(1, 10)), "test": [10, 11, 12]}
    assert [content[key] for key in ("split_by", "disjoint", "validation_unit")] == ["trial", "none", "recording"]
    (path,) = folder_protocols(of(["1"], trials=2), tmp_path)
    assert read(path)["parts"] == {"train": [1], "test": [2]}


def test_people_without_a_label_train_and_never_test(tmp_path: Path) -> None:
    known = of([str(n) for n in range(1, 7)])
    bare = [Recording(f"{s}_open_1", s, "1", UNLABELLED, s, {}) for s in ("2", "7", "8")]
    paths = folder_protocols(known.with_recordings([*known, *bare]), tmp_path)
    cross, folds = map(read, paths)
    assert cross["parts"] == {"train": [1, 2, 3, 4, 5, 7, 8], "test": [6]}
    assert {who for fold in folds["folds"].values() for who in fold} == set(range(1, 7))  # type: ignore[attr-defined]


def test_of_one_person_trials_without_a_label_train(tmp_path: Path) -> None:
    known = of(["1"], trials=4)
    bare = [Recording(f"1_open_{t}", "1", str(t), UNLABELLED, "1", {}) for t in (4, 5)]
    (path,) = folder_protocols(known.with_recordings([*known, *bare]), tmp_path)
    assert read(path)["parts"] == {"train": [1, 2, 3, 5], "test": [4]}
