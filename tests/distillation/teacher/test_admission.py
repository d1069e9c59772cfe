"""Which teachers are refused: those that saw who is tested, and those that know labels that are hidden."""

import logging
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType, SimpleNamespace
from typing import Any

import pytest

from vskd.datasets.splits.split import Split
from vskd.distillation.label_setting import LabelSetting
from vskd.distillation.run import Learned, RunFolder
from vskd.distillation.teacher.admission import check_teacher_fits, refuse_hidden
from vskd.distillation.train import distill, teach
from vskd.errors import ProtocolError

TRAIN, TEST = ("a1", "a2", "b1", "b2"), ("c1", "c2")


CLASSES = ("nod", "wave", "yawn")


def seeing(contents: Mapping[str, str]) -> Any:
    """What the teacher sees: recordings of which these fingerprints are known, id -> fingerprint."""
    return SimpleNamespace(name="rgb", fingerprints=lambda ids: {contents[i]: i for i in ids if i in contents})


def fits(experiment: Any, folder: Any, contents: Mapping[str, str] = MappingProxyType({})) -> None:
    check_teacher_fits(experiment, folder, seeing(contents))


def own(chosen: str = "", disjoint: Any = "subject", validation: tuple[str, ...] = ()) -> Any:
    """An experiment whose subjects are a, b, c, d; of `chosen` subjects the recordings carry labels, all by default."""
    split = Split(TRAIN, validation, TEST, "official", None, "here", "rule", disjoint)
    labelled = frozenset(i for i in TRAIN if not chosen or i[0] in chosen)
    setting = LabelSetting(f"subjects {chosen}" if chosen else "all", labelled, TRAIN, ())
    return SimpleNamespace(
        split=split,
        setting=setting,
        unlabelled=setting.unlabelled,
        index=SimpleNamespace(dataset="synthetic", labels=CLASSES),
        recordings={i: SimpleNamespace(subject=i[0]) for i in (*TRAIN, *TEST, *validation)},
    )


def run(learned: Learned | None, protocol: str = "here", dataset: str = "synthetic", **facts: Any) -> Any:
    said = {"protocol_hash": protocol, "protocol": "folds", "dataset": dataset, "classes": list(CLASSES), **facts}
    return SimpleNamespace(facts=lambda: said, learned=lambda: learned, path="TEACHER")


def learned(*train: str, labels: tuple[str, ...] | None = None) -> Learned:
    return Learned(train, tuple(sorted({i[0] for i in train})), train if labels is None else labels)


@pytest.mark.parametrize("protocol", ["here", "elsewhere"])
def test_a_teacher_that_saw_nobody_who_is_tested_is_welcome(protocol: str) -> None:
    """Also one of another protocol, and one that knows less."""
    fits(own(), run(learned(*TRAIN), protocol))
    fits(own(), run(learned("d1", "d2"), protocol))
    fits(own("a"), run(learned(*TRAIN, labels=("a1", "a2")), protocol))


def test_recordings_that_are_tested_on_are_named() -> None:
    told = (
        r"TEACHER was trained on another split \(folds\) than this run \(official\), which validates or tests on "
        r"2 recordings that the teacher was trained on: c1, v1\. Train a teacher with the same protocol"
    )
    with pytest.raises(ProtocolError, match=told):
        fits(own(validation=("v1",)), run(learned("a1", "c1", "v1"), "elsewhere"))
    with pytest.raises(ProtocolError, match=r"TEACHER: this run validates or tests on 1 recordings .*: c2\."):
        fits(own(), run(learned(*TRAIN, "c2")))


def test_recordings_under_other_ids_are_known_by_content() -> None:
    """In test and in a validation part; what it saw and nobody tests does no harm."""
    saw = replace(learned(*TRAIN), contents={"one": "a1", "two": "b2", "three": "b1"})
    fits(own(validation=("v1",)), run(saw), {"c1": "four", "c2": "five", "v1": "six", "a2": "one"})
    told = (
        r"TEACHER was trained on 2 recordings that this run validates or tests on: c2 \(there b2\), v1 \(there a1\) "
        r"hold the same rgb\. Train a teacher with the same protocol"
    )
    with pytest.raises(ProtocolError, match=told):
        fits(own(validation=("v1",)), run(saw), {"c1": "four", "c2": "two", "v1": "one"})


def test_of_a_run_of_before_it_is_said_that_nobody_can_tell(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        fits(own(), run(replace(learned(*TRAIN), contents={"one": "a1"})))
        assert caplog.text == ""
        fits(own(), run(learned(*TRAIN)), {"c1": "one"})
        assert "TEACHER does not say by content what it learned from" in caplog.text
        fits(own(), run(learned(*TRAIN), classes=None))
    assert "TEACHER does not say which classes it knows" in caplog.text


@pytest.mark.parametrize(("classes", "told"), [
    (["wave", "nod", "yawn"], r"the classes in another order: number 0 is 'wave', here it is 'nod'\. Train a"),
    (["nod", "wave"], r"2 other classes than the 3 here: 'yawn' here only\."),
    (["nod", "wave", "sneeze"], r"3 other classes than the 3 here: 'yawn' here only, 'sneeze' there only\."),
])  # fmt: skip
def test_a_teacher_of_other_classes_is_refused(classes: list[str], told: str) -> None:
    with pytest.raises(ProtocolError, match=f"TEACHER knows {told}"):
        fits(own(), run(learned(*TRAIN), classes=classes))


def test_people_who_are_tested_are_named_where_subjects_are_kept_apart() -> None:
    """The teacher saw a video of c that has no sensor file, so that this run does not know the recording."""
    with pytest.raises(ProtocolError, match="on 1 people that the teacher was trained on: c"):
        fits(own(), run(learned("a1", "c9"), "elsewhere"))
    fits(own(disjoint="none"), run(learned("a1", "c9"), "elsewhere"))


def test_another_data_set_is_refused() -> None:
    with pytest.raises(ProtocolError, match="TEACHER is of the data set utd-mhad"):
        fits(own(), run(learned("x"), dataset="utd-mhad"))


def test_of_a_run_of_before_the_protocol_and_the_labels_are_compared() -> None:
    fits(own(), run(None))
    with pytest.raises(ProtocolError, match=r"TEACHER was trained on another split \(folds\) than this run"):
        fits(own(), run(None, "elsewhere"))
    few = own("a")
    fits(few, run(None, labels_hash=few.setting.hash, labels="subjects a"))
    with pytest.raises(ProtocolError, match=r"trained with other labels \(all\) than this run \(subjects a\)"):
        fits(few, run(None))


def test_a_teacher_that_knows_hidden_labels_is_refused() -> None:
    """What selected its epoch counts, too."""
    told = r"TEACHER uses the labels \(all\) of 2 recordings that this run hides \(labels: subjects a\): b1, b2\. Train"
    with pytest.raises(ProtocolError, match=told):
        fits(own("a"), run(learned(*TRAIN)))
    with pytest.raises(ProtocolError, match=r"of 1 recordings that this run hides .*: b2\."):
        fits(own("a"), run(learned("a1", "a2", "b1", labels=("a1", "a2", "b2"))))


MANY = tuple(f"c{n}" for n in range(1, 8))
"""Seven recordings, of which five are named."""
FIRST = "c1, c2, c3, c4, c5 and 2 more"


def of_many(**chosen: Any) -> Any:
    """An experiment that tests on seven recordings of c."""
    made = own(**chosen)
    made.split = replace(made.split, test=MANY)
    made.recordings |= {i: SimpleNamespace(subject="c") for i in MANY}
    return made


def test_five_are_named_and_the_others_counted() -> None:
    with pytest.raises(ProtocolError, match=rf"on 7 recordings that the teacher was trained on: {FIRST}\."):
        fits(of_many(), run(learned(*MANY[::-1])))
    with pytest.raises(ProtocolError, match=rf"on 7 people that the teacher was trained on: {FIRST}\."):
        people = of_many()
        people.recordings = {**people.recordings, **{i: SimpleNamespace(subject=i) for i in MANY}}
        fits(people, run(Learned(("x",), MANY[::-1], ())))
    saw = replace(learned(*TRAIN), contents={i: f"t{i}" for i in MANY})
    named = ", ".join(rf"c{n} \(there tc{n}\)" for n in range(1, 6))
    with pytest.raises(ProtocolError, match=rf"on 7 recordings .*: {named} and 2 more hold the same rgb"):
        fits(of_many(), run(saw), {i: i for i in MANY})
    classes = [f"k{n}" for n in range(6)]
    told = "'nod' here only, 'wave' here only, 'yawn' here only, 'k0' there only, 'k1' there only and 4 more"
    with pytest.raises(ProtocolError, match=rf"knows 6 other classes than the 3 here: {told}"):
        fits(own(), run(learned(*TRAIN), classes=classes))


def test_hidden_labels_are_named_up_to_five() -> None:
    setting = LabelSetting("subjects a", frozenset("a"), ("a", *MANY), ())
    refuse_hidden(setting, {"a", "x"}, "Teacher 1", "all")
    with pytest.raises(ProtocolError, match=rf"Teacher 1 uses the labels \(half\) of 7 recordings .*: {FIRST}\."):
        refuse_hidden(setting, MANY[::-1], "Teacher 1", "half")


def test_the_first_class_that_differs_is_named() -> None:
    with pytest.raises(ProtocolError, match="number 1 is 'yawn', here it is 'wave'"):
        fits(own(), run(learned(*TRAIN), classes=["nod", "yawn", "wave"]))


def test_of_a_run_of_before_another_data_set_is_another_split() -> None:
    """Though the rule of its protocol has the same hash."""
    with pytest.raises(ProtocolError, match="TEACHER was trained on another split"):
        fits(own(), run(None, dataset="utd-mhad"))


def test_people_who_select_the_epoch_are_kept_apart_too() -> None:
    with pytest.raises(ProtocolError, match="on 1 people that the teacher was trained on: v"):
        fits(own(validation=("v1",)), run(learned("a1", "v9")))
    fits(own(validation=("v1",)), run(learned("a1", "w9")))


def test_all_labels_may_be_known_where_none_is_hidden() -> None:
    """Of a run of before too; and of a teacher that does not say what setting it had, it is taken for all."""
    fits(own(), run(None, labels_hash="other", labels="ten"))
    with pytest.raises(ProtocolError, match=r"uses the labels \(ten\) of 1 recordings that this run hides .*: b1\."):
        fits(own("a"), run(learned("b1"), labels="ten"))


FREE_BOX = b"\0\0\0\x08free"
"""At the end of an MP4 file it changes the bytes and nothing else."""

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


def test_a_real_teacher_that_saw_who_is_tested_now(
    tiny, synthetic_root: Path, shared_cache: Path, tmp_path: Path
) -> None:
    """Its training video is a test recording's now, in other bytes, and its id is another video's."""
    saw = teach(tiny(*QUICK), tmp_path / "teacher", cache=shared_cache).run
    learned = RunFolder(saw).learned()
    assert learned is not None and len(learned.contents) == 2 * 12, "file and frames of each"
    world = Path(shutil.copytree(synthetic_root, tmp_path / "world"))
    trained, tested, other = (world / "RGB" / f"{i}_color.mp4" for i in ("a1_s1_t1", "a1_s2_t1", "a1_s3_t2"))
    tested.write_bytes(trained.read_bytes() + FREE_BOX)
    trained.write_bytes(other.read_bytes())
    with pytest.raises(
        ProtocolError, match=r"was trained on 1 recordings .*: a1_s2_t1 \(there a1_s1_t1\) hold the same"
    ):
        distill(tiny(*QUICK, root=world), tmp_path / "student", [saw], cache=tmp_path / "cache")
    assert not (tmp_path / "student").exists()


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
