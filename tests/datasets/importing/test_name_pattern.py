import pytest

from vskd.datasets.importing.name_pattern import guess_pattern
from vskd.errors import DataError


@pytest.mark.parametrize(
    ("names", "pattern"),
    [
        (["acc_h02_s01_a01_r01.txt", "acc_h02_s02_a03_r02.txt"], "acc_h02_s{subject}_a{label}_r{trial}.txt"),
        (["a1_s1_t1_inertial.mat", "a2_s3_t4_inertial.mat"], "a{label}_s{subject}_t{trial}_inertial.mat"),
        (["subject_01/walk_t1.csv", "subject_02/sit_down_t2.csv"], "subject_{subject}/{label}_t{trial}.csv"),
        (["walk/user3.csv", "run/user4.csv"], "{label}/user{subject}.csv"),
        (["p01_s2_walk.csv", "p02_s1_run.csv"], "p{subject}_s{session}_{label}.csv"),
        (["walk/walk-s1.csv", "run/run-s2.csv"], "{label}/*-s{subject}.csv"),
        (["log_walk_raw_s1.csv", "log_run_raw_s1.csv"], "log_{label}_raw_s{subject}.csv"),
        (["scene1/s1_cam2_walk.csv", "scene2/s1_cam3_run.csv"], "scene{scene}/s{subject}_cam{camera}_{label}.csv"),
        (["device-1/s1_walk.csv", "device-2/s1_run.csv"], "device-{device}/s{subject}_{label}.csv"),
        (["s1/s1_walk.csv", "s2/s2_run.csv"], "s{subject}/s*_{label}.csv"),
    ],
)
def test_names_that_say_it(names: list[str], pattern: str) -> None:
    assert guess_pattern(names).pattern == pattern


@pytest.mark.parametrize(
    ("names", "why"),
    [
        (["walk/1.csv", "walk/2.csv", "run/1.csv"], "number '1' may be a subject or a trial"),
        (["walk1.csv", "walk2.csv", "run1.csv"], "number in 'run1'"),
        (["anna/walk.csv", "ben/run.csv"], "'anna' and 'walk' may both be the label"),
        (["s1/acc_walk.csv", "s1/gyro_walk.csv"], "sensors or places"),
        (["left_wrist_walk_s1.csv", "right_wrist_walk_s1.csv"], "sensors or places"),
        (["s1.csv", "s2.csv"], "no word in them differs"),
        (["s1_walk.csv", "walk_s2.csv"], "not built alike"),
        (["s1_walk.csv", "s2_walk.txt"], "they end in"),
    ],
)
def test_names_that_do_not_are_refused_with_the_flag(names: list[str], why: str) -> None:
    with pytest.raises(DataError, match=why) as caught:
        guess_pattern(names)
    assert "--pattern" in caught.value.action


def test_a_label_column_leaves_the_subject_to_the_names() -> None:
    assert guess_pattern(["s1.csv", "s2.csv"], needs_label=False).pattern == "s{subject}.csv"
    with pytest.raises(DataError, match="is no label where"):
        guess_pattern(["anna.csv", "ben.csv"], needs_label=False)


@pytest.mark.parametrize(
    ("names", "pattern"),
    [
        (["Person-1/walk.csv", "Person-2/run.csv"], "Person-{subject}/{label}.csv"),
        (["walk.rep1.csv", "run.rep2.csv"], "{label}.rep{trial}.csv"),
        (["v1/walk.csv", "v1/run.csv"], "v1/{label}.csv"),
        (["2021/walk.csv", "2021/run.csv"], "2021/{label}.csv"),
        (["s1/p1_walk.csv", "s2/p1_run.csv"], "s{session}/p{subject}_{label}.csv"),
        (["session 2/walk.csv", "session 3/run.csv"], "session {session}/{label}.csv"),
        (["walk_fast.csv", "walk_slow.csv"], "walk_{label}.csv"),
        (["fast_walk.csv", "slow_walk.csv"], "{label}_walk.csv"),
        (["a01_walk.csv", "a02_run.csv"], None),
        (["walk_up_s1.csv", "walk_down_s1.csv"], "walk_{label}_s{subject}.csv"),
        (["walk_s1.csv", "walk_fast_s1.csv"], "{label}_s{subject}.csv"),
        (["walk_fast_s1.csv", "run_s1.csv"], "{label}_s{subject}.csv"),
        (["left_turn_s1.csv", "right_turn_s1.csv"], None),
        (["s1_t1_t2_walk.csv", "s1_t2_t3_run.csv"], None),
        (["s1_t1_t1_walk.csv", "s1_t2_t2_run.csv"], "s{subject}_t{trial}_t*_{label}.csv"),
    ],
)
def test_marks_marks_apart_and_words_in_common(names: list[str], pattern: str | None) -> None:
    if pattern is None:
        with pytest.raises(DataError, match="do not say what is subject, label and trial"):
            guess_pattern(names)
    else:
        assert guess_pattern(names).pattern == pattern


def test_what_a_pattern_was_understood_from_is_said() -> None:
    names = [f"s{n}/{label}_t1.csv" for n in (2, 1, 3, 4) for label in ("walk", "run")]
    assert guess_pattern(names).said == "subject 1, 2, 3 and 1 more; label run, walk; trial 1"


def test_where_a_column_holds_labels_none_is_asked_for() -> None:
    assert guess_pattern(["log.csv"], needs_label=False).pattern == "log.csv"
    with pytest.raises(DataError, match=r"no word in them differs .* \(log\.csv\)"):
        guess_pattern(["log.csv"])
