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


@pytest.mark.parametrize(
    ("names", "pattern", "said"),
    [
        (["walk/walk-s1.csv", "run/run-s2.csv"], "{label}/*-s{subject}.csv", "label run, walk; subject 1, 2"),
        (["S1/Run.csv", "S2/Sit.csv"], "S{subject}/{label}.csv", "subject 1, 2; label Run, Sit"),
        (["Subject_1_a.csv", "Subject_2_b.csv"], "Subject_{subject}_{label}.csv", "subject 1, 2; label a, b"),
        (["S1_P1_a.csv", "S2_P2_b.csv"], "S{session}_P{subject}_{label}.csv", "session 1, 2; subject 1, 2; label a, b"),
        (["a_b_run_c_d_s1.csv", "a_b_sit_c_d_s2.csv"], "a_b_{label}_c_d_s{subject}.csv",
         "label a_b_run_c_d, a_b_sit_c_d; subject 1, 2"),
        (["x_run_s1.csv", "x_run_fast_s2.csv"], "x_{label}_s{subject}.csv", "label x_run, x_run_fast; subject 1, 2"),
        (["hand_wave_s1.csv", "hand_clap_s1.csv"], "hand_{label}_s{subject}.csv",
         "label hand_clap, hand_wave; subject 1"),
        (["acc_walk_s1.csv", "acc_run_s1.csv"], "acc_{label}_s{subject}.csv", "label acc_run, acc_walk; subject 1"),
        (["v1.2/s1_run.csv", "v1.2/s1_sit.csv"], "v1.2/s{subject}_{label}.csv", "subject 1; label run, sit"),
        (["s1/7/run.csv", "s2/7/sit.csv"], "s{subject}/7/{label}.csv", "subject 1, 2; label run, sit"),
    ],
)  # fmt: skip
def test_the_whole_of_what_names_say(names: list[str], pattern: str, said: str) -> None:
    found = guess_pattern(names)
    assert (found.pattern, found.said) == (pattern, said)


@pytest.mark.parametrize(
    ("names", "why"),
    [
        (["s2_a.txt", "s1_b.csv", "s3_c.dat"],
         r"they end in \.csv, \.dat, \.txt \(s2_a\.txt, s1_b\.csv, s3_c\.dat\)"),
        (["s1_a.csv", "s2_b.csv", "c_s3.csv", "d_s4.csv"], r"not built alike \(s1_a\.csv, c_s3\.csv\)"),
        (["s1_a.csv", "s2-b.csv"], r"not built alike"),
        (["s1_a.csv", "subject2_b.csv"], r"not built alike"),
        (["s_1_a.csv", "s_2_b.csv"], r"the number '1' may be a subject or a trial"),
        (["left/run_s1.csv", "right/sit_s1.csv"], r"'left' and 'run' may both be the label; in --pattern, \{stream\}"),
        (["run/left_s1.csv", "sit/right_s1.csv"], r"'run' and 'left' may both be the label; in --pattern, \{stream\}"),
        (["anna/run.csv", "ben/sit.csv"], r"'anna' and 'run' may both be the label \("),
        (["wave_hip_s1.csv", "wave_leg_s1.csv"], r"name sensors or places \(hip, leg\)"),
        (["gyro_s1.csv", "mag_s1.csv"], r"name sensors or places \(gyroscope, magnetometer\)"),
        (["sit2_s1.csv", "run_s1.csv", "sit_s1.csv"], r"the number in 'run' may be of the label"),
        ([f"{n}_a.csv" for n in (3, 1, 2, 5, 4)],
         r"the number '3' .* \(3_a\.csv, 1_a\.csv, 2_a\.csv, 5_a\.csv and 1 more\)"),
    ],
)  # fmt: skip
def test_why_names_cannot_be_read(names: list[str], why: str) -> None:
    with pytest.raises(DataError, match=why):
        guess_pattern(names)


@pytest.mark.parametrize(
    ("names", "example"),
    [
        (("anna/hand_washing_1.csv", "bob/running_1.csv"), "{subject}/{label}_{trial}.csv"),
        (("walk/1.csv", "run/2.csv"), "{label}/{trial}.csv"),
        (("P1/2/run_3.tsv", "P1/3/walk_3.tsv"), "P{subject}/*/{label}_{trial}.tsv"),
        (("data/left/anna/walk_2.txt", "data/right/bob/run_2.txt"), "*/*/{subject}/{label}_{trial}.txt"),
        (("1/2.csv", "2/2.csv"), "s{subject}/{label}_{trial}.csv"),
    ],
)
def test_the_pattern_that_is_proposed_is_one_of_these_names(names: tuple[str, ...], example: str) -> None:
    """It can be copied where it is right, and it is close to what is right where it is not."""
    with pytest.raises(DataError) as caught:
        guess_pattern(names)
    assert f"Say it with --pattern, e.g. '{example}' (* for what" in str(caught.value)
