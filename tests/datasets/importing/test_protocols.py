from pathlib import Path

import pytest

from vskd.datasets.importing.protocols import folder_protocols
from vskd.datasets.recording import Index, Recording
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
