"""Which teachers are refused: those that saw who is tested, and those that know labels that are hidden."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from vskd.datasets.splits.split import Split
from vskd.distillation.label_setting import LabelSetting
from vskd.distillation.run import Learned, RunFolder
from vskd.distillation.teacher.admission import check_teacher_fits
from vskd.distillation.train import distill, teach
from vskd.errors import ProtocolError

TRAIN, TEST = ("a1", "a2", "b1", "b2"), ("c1", "c2")


def own(chosen: str = "", disjoint: Any = "subject", validation: tuple[str, ...] = ()) -> Any:
    """An experiment whose subjects are a, b, c, d; of `chosen` subjects the recordings carry labels, all by default."""
    split = Split(TRAIN, validation, TEST, "official", None, "here", "rule", disjoint)
    labelled = frozenset(i for i in TRAIN if not chosen or i[0] in chosen)
    setting = LabelSetting(f"subjects {chosen}" if chosen else "all", labelled, TRAIN, ())
    return SimpleNamespace(
        split=split,
        setting=setting,
        unlabelled=setting.unlabelled,
        index=SimpleNamespace(dataset="synthetic"),
        recordings={i: SimpleNamespace(subject=i[0]) for i in (*TRAIN, *TEST, *validation)},
    )


def run(learned: Learned | None, protocol: str = "here", dataset: str = "synthetic", **facts: str) -> Any:
    said = {"protocol_hash": protocol, "protocol": "folds", "dataset": dataset, **facts}
    return SimpleNamespace(facts=lambda: said, learned=lambda: learned, path="TEACHER")


def learned(*train: str, labels: tuple[str, ...] | None = None) -> Learned:
    return Learned(train, tuple(sorted({i[0] for i in train})), train if labels is None else labels)


@pytest.mark.parametrize("protocol", ["here", "elsewhere"])
def test_a_teacher_that_saw_nobody_who_is_tested_is_welcome(protocol: str) -> None:
    """Also one of another protocol, and one that knows less."""
    check_teacher_fits(own(), run(learned(*TRAIN), protocol))
    check_teacher_fits(own(), run(learned("d1", "d2"), protocol))
    check_teacher_fits(own("a"), run(learned(*TRAIN, labels=("a1", "a2")), protocol))


def test_recordings_that_are_tested_on_are_named() -> None:
    told = (
        r"TEACHER was trained on another split \(folds\) than this run \(official\), which validates or tests on "
        r"2 recordings that the teacher was trained on: c1, v1\. Train a teacher with the same protocol"
    )
    with pytest.raises(ProtocolError, match=told):
        check_teacher_fits(own(validation=("v1",)), run(learned("a1", "c1", "v1"), "elsewhere"))
    with pytest.raises(ProtocolError, match=r"TEACHER: this run validates or tests on 1 recordings .*: c2\."):
        check_teacher_fits(own(), run(learned(*TRAIN, "c2")))


def test_people_who_are_tested_are_named_where_subjects_are_kept_apart() -> None:
    """The teacher saw a video of c that has no sensor file, so that this run does not know the recording."""
    with pytest.raises(ProtocolError, match="on 1 people that the teacher was trained on: c"):
        check_teacher_fits(own(), run(learned("a1", "c9"), "elsewhere"))
    check_teacher_fits(own(disjoint="none"), run(learned("a1", "c9"), "elsewhere"))


def test_another_data_set_is_refused() -> None:
    with pytest.raises(ProtocolError, match="TEACHER is of the data set utd-mhad"):
        check_teacher_fits(own(), run(learned("x"), dataset="utd-mhad"))


def test_of_a_run_of_before_the_protocol_and_the_labels_are_compared() -> None:
    check_teacher_fits(own(), run(None))
    with pytest.raises(ProtocolError, match=r"TEACHER was trained on another split \(folds\) than this run"):
        check_teacher_fits(own(), run(None, "elsewhere"))
    few = own("a")
    check_teacher_fits(few, run(None, labels_hash=few.setting.hash, labels="subjects a"))
    with pytest.raises(ProtocolError, match=r"trained with other labels \(all\) than this run \(subjects a\)"):
        check_teacher_fits(few, run(None))


def test_a_teacher_that_knows_hidden_labels_is_refused() -> None:
    """What selected its epoch counts, too."""
    told = r"TEACHER uses the labels \(all\) of 2 recordings that this run hides \(labels: subjects a\): b1, b2\. Train"
    with pytest.raises(ProtocolError, match=told):
        check_teacher_fits(own("a"), run(learned(*TRAIN)))
    with pytest.raises(ProtocolError, match=r"of 1 recordings that this run hides .*: b2\."):
        check_teacher_fits(own("a"), run(learned("a1", "a2", "b1", labels=("a1", "a2", "b2"))))


QUICK = (
    *("teachers.0.training.epochs=1", "student.training.epochs=1", "student.training.select=last"),
    *("student.training.validation=none", "teachers.0.training.validation=none", "teachers.0.training.select=last"),
)


def test_real_runs(tiny, shared_cache: Path, tmp_path: Path) -> None:
    """A teacher of all labels, and one of few, for students of both settings."""
    few, everybody = tiny(*QUICK, "labels.subjects=[1]"), tiny(*QUICK)
    rich = teach(everybody, tmp_path / "rich", cache=shared_cache).run
    poor = teach(few, tmp_path / "poor", cache=shared_cache).run
    with pytest.raises(ProtocolError, match=r"rich uses the labels \(all\) of 6 recordings .*: a1_s3_t1, a1_s3_t2"):
        distill(few, tmp_path / "refused", [rich], cache=shared_cache)
    assert not RunFolder(tmp_path / "refused").recipe_file.exists()
    distill(few, tmp_path / "few", [poor], cache=shared_cache)
    distill(everybody, tmp_path / "all", [poor], cache=shared_cache)


def test_a_recipe_whose_teacher_would_be_refused_says_so_before_it_teaches(
    tiny, shared_cache: Path, tmp_path: Path
) -> None:
    """The teacher would select its epoch by the labels of subject 3, which the student must not know."""
    recipe = tiny(
        *QUICK, "labels.subjects=[1]", "teachers.0.training.validation=carve", "teachers.0.training.select=best"
    )
    with pytest.raises(ProtocolError, match=r"Teacher 0 of the recipe uses the labels \(subject 1\) of 6 recordings"):
        distill(recipe, tmp_path / "run", cache=shared_cache)
    assert not (tmp_path / "run-teacher").exists()
