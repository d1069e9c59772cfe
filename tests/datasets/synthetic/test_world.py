import dataclasses

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from vskd.datasets.synthetic.settings import ACTIONS
from vskd.datasets.synthetic.world import (
    FINE_RATE_HZ,
    GRAVITY,
    Motion,
    Subject,
    make_subject,
    middle_joint,
    perform,
    rotation,
    sense,
    track,
)


def quiet(number: int = 1, seed: int = 0) -> Subject:
    """A subject whose sensor has neither noise nor bias."""
    return dataclasses.replace(make_subject(seed, number), noise_g=0.0, noise_dps=0.0, bias_g=np.zeros(3))


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def motion_of(position: np.ndarray, orientation: np.ndarray) -> Motion:
    return Motion({"right wrist": position}, orientation, "right wrist")


def test_rotation_agrees_with_scipy() -> None:
    for vector in (np.zeros(3), np.array([0.1, -0.4, 2.0]), np.array([3.0, 0.0, 0.0])):
        np.testing.assert_allclose(rotation(vector), Rotation.from_rotvec(vector).as_matrix(), atol=1e-12)


def test_resting_sensor_feels_one_g_upwards_and_no_turn() -> None:
    tilt = rotation(np.array([0.3, -0.2, 0.5]))
    motion = motion_of(np.ones((FINE_RATE_HZ, 3)), np.repeat(tilt[None], FINE_RATE_HZ, axis=0))
    measured = sense(motion, quiet(), 50, rng())
    assert measured.shape == (50, 6)
    np.testing.assert_allclose(measured[:, :3], np.repeat((tilt.T @ [0, 0, 1])[None], 50, axis=0), atol=1e-12)
    np.testing.assert_allclose(measured[:, 3:], 0.0, atol=1e-12)


def test_circling_sensor_feels_the_centripetal_force() -> None:
    radius, omega = 0.4, 5.0
    time = np.arange(2 * FINE_RATE_HZ) / FINE_RATE_HZ
    position = np.stack([radius * np.cos(omega * time), radius * np.sin(omega * time), 0 * time], axis=-1)
    turning = np.stack([rotation(np.array([0.0, 0.0, omega * t])) for t in time])  # x axis points outwards
    measured = sense(motion_of(position, turning), quiet(), 50, rng())[2:-2]
    expected = [-radius * omega**2 / GRAVITY, 0.0, 1.0, 0.0, 0.0, np.degrees(omega)]
    np.testing.assert_allclose(measured, np.repeat([expected], len(measured), axis=0), atol=5e-3)


@pytest.mark.parametrize("action", ACTIONS)
def test_measured_signals_integrate_to_the_movement(action: str) -> None:
    """Second implementation: dead reckoning from the sensor must lead back to the wrist's path and orientation."""
    subject = quiet(3)
    motion = perform(action, subject, rng())
    measured = sense(motion, subject, FINE_RATE_HZ, rng())
    step = 1.0 / FINE_RATE_HZ
    turns = Rotation.from_rotvec(np.radians((measured[:-1, 3:] + measured[1:, 3:]) / 2) * step)
    orientation = Rotation.from_matrix(motion.orientation[0])
    for turn in turns:
        orientation = orientation * turn
    end = Rotation.from_matrix(motion.orientation[-1])
    assert np.degrees((orientation.inv() * end).magnitude()) < 1.0
    force = np.einsum("nij,nj->ni", motion.orientation, measured[:, :3]) * GRAVITY
    acceleration = force - np.array([0.0, 0.0, GRAVITY])
    wrist = motion.joints[motion.wrist]
    velocity = (wrist[1] - wrist[0]) / step + np.cumsum(acceleration, axis=0) * step
    path = wrist[0] + np.cumsum(velocity, axis=0) * step
    assert np.abs(path - wrist).max() < 0.03, "metres"


@pytest.mark.parametrize("action", ACTIONS)
def test_bones_keep_their_length_and_movement_is_smooth(action: str) -> None:
    for number in (1, 3):
        subject = make_subject(0, number)
        joints = perform(action, subject, rng()).joints
        for side in ("right", "left"):
            upper = np.linalg.norm(joints[f"{side} elbow"] - joints[f"{side} shoulder"], axis=1)
            fore = np.linalg.norm(joints[f"{side} wrist"] - joints[f"{side} elbow"], axis=1)
            np.testing.assert_allclose(upper, subject.arm_m * (1 - subject.forearm_share), rtol=1e-6)
            np.testing.assert_allclose(fore, subject.arm_m * subject.forearm_share, rtol=1e-6)
        wrist = joints["right wrist" if subject.side > 0 else "left wrist"]
        jerk = np.diff(wrist, n=3, axis=0) * FINE_RATE_HZ**3
        assert np.abs(jerk).max() < 10_000, "m/s^3: no kink that a hand could not make"


def test_middle_joint_reaches_what_it_can_and_shortens_what_it_cannot() -> None:
    start = np.zeros((2, 3))
    end = np.array([[0.0, 0.3, 0.0], [0.0, 2.0, 0.0]])
    joint, reached = middle_joint(start, end, 0.3, 0.25, np.array([0.0, 0.0, -1.0]))
    np.testing.assert_allclose(reached[0], end[0], atol=1e-3)
    assert 0.9 * 0.55 < reached[1, 1] <= 0.55
    np.testing.assert_allclose(np.linalg.norm(joint, axis=1), 0.3)
    np.testing.assert_allclose(np.linalg.norm(joint - reached, axis=1), 0.25)
    assert (joint[:, 2] < 0).all(), "bends towards the pole"


def test_subjects_differ_and_are_the_same_each_time() -> None:
    subjects = [make_subject(0, n) for n in range(1, 9)]
    for field in ("arm_m", "forearm_share", "height_m", "speed", "amplitude", "noise_g", "noise_dps"):
        assert len({getattr(s, field) for s in subjects}) == 8, field
    assert [s.number for s in subjects if s.side < 0] == [3, 6], "one left-handed among odd and among even subjects"
    again = make_subject(0, 5)
    assert np.array_equal(again.sensor_tilt, subjects[4].sensor_tilt) and again.arm_m == subjects[4].arm_m
    assert make_subject(1, 5).arm_m != subjects[4].arm_m


def test_trials_differ_in_start_and_length() -> None:
    subject = make_subject(0, 1)
    lengths = {perform("wave", subject, np.random.default_rng(n)).duration_s for n in range(5)}
    assert len(lengths) == 5 and all(1.0 < length < 6.0 for length in lengths)


def test_left_handed_subjects_wear_the_sensor_on_the_left() -> None:
    assert perform("punch", make_subject(0, 3), rng()).wrist == "left wrist"
    assert perform("punch", make_subject(0, 1), rng()).wrist == "right wrist"


def test_signals_stay_in_the_range_of_a_wearable() -> None:
    for action in ACTIONS:
        subject = make_subject(0, 2)
        measured = sense(perform(action, subject, rng()), subject, 50, rng())
        assert np.isfinite(measured).all()
        assert np.abs(measured[:, :3]).max() < 8.0 and np.abs(measured[:, 3:]).max() < 2000.0


def test_actions_of_unseen_subjects_are_learnable_but_not_trivial() -> None:
    """Simple features and a linear classifier, cross-subject: far above chance (12.5 %), short of perfect."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    features, labels, subjects = [], [], []
    for action in range(1, 9):
        for number in range(1, 9):
            subject = make_subject(0, number)
            for trial in (1, 2):
                draw = np.random.default_rng([0, 2, action, number, trial])
                accel = sense(perform(ACTIONS[action - 1], subject, draw), subject, 50, draw)[:, :3]
                quarters = [q.mean(axis=0) for q in np.array_split(accel, 4)]
                spread = [accel.std(axis=0), accel.min(axis=0), accel.max(axis=0)]
                features.append(np.concatenate([*quarters, *spread, np.abs(np.diff(accel, axis=0)).mean(axis=0)]))
                labels.append(action)
                subjects.append(number)
    x, y, train = np.array(features), np.array(labels), np.array(subjects) % 2 == 1
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.3, max_iter=1000)).fit(x[train], y[train])
    accuracy = model.score(x[~train], y[~train])
    assert 0.55 <= accuracy <= 0.95, accuracy


def test_both_hands_of_a_trial_are_moved_by_one_offset() -> None:
    """Trials in which one hand claps higher are those in which the other does; yaw does not change heights."""
    generator = np.random.default_rng(0)
    heights = np.array(
        [
            [motion.joints[f"{side} wrist"][:, 2].mean() for side in ("right", "left")]
            for motion in (perform("clap", quiet(), generator) for _ in range(40))
        ]
    )
    assert np.corrcoef(heights.T)[0, 1] > 0.3


def test_a_tracker_sees_the_joints_with_y_up_and_an_error() -> None:
    person = make_subject(0, 1)
    motion = perform("raise arm", person, np.random.default_rng(3))
    seen = track(motion, 15, np.random.default_rng(4))
    names = list(motion.joints)
    assert seen.shape[:2] == (len(names), 3) and abs(seen.shape[2] - 15 * motion.duration_s) <= 1
    head, error = motion.joints["head"][::40], seen[names.index("head")].T
    difference = error[:, [0, 2, 1]] - head  # x, up, front -> x, front, up
    assert 0.005 < difference.std() < 0.015 and abs(difference.mean()) < 0.005


MEASURED = {
    ("wave", 1): (122, [0.792, 0.920, 1.063, 113.120, 159.922, 39.282], [0.1701, 1.0369, 0.0695]),
    ("clap", 3): (135, [0.943, 0.559, 0.939, 70.024, 100.368, 15.020], [0.1599, 1.0314, 0.0971]),
    ("squat", 2): (197, [0.407, 0.707, 0.331, 31.305, 24.549, 30.631], [0.1667, 0.9696, 0.0832]),
}
"""Samples, mean size of each channel, and mean size of the tracked joints' x, y and z."""
LAST = {
    "head": (0.003, 0.008, 1.741),
    "neck": (0.003, 0.008, 1.554),
    "pelvis": (0.003, 0.008, 0.972),
    "right shoulder": (0.218, 0.013, 1.516),
    "right hip": (0.106, 0.010, 0.953),
    "right knee": (0.161, 0.177, 0.518),
    "right ankle": (0.140, 0.004, 0.083),
    "left shoulder": (-0.213, 0.002, 1.516),
    "left hip": (-0.100, 0.005, 0.953),
    "left knee": (-0.167, 0.168, 0.519),
    "left ankle": (-0.140, -0.004, 0.083),
    "right elbow": (0.313, -0.042, 1.230),
    "right wrist": (0.278, 0.076, 0.960),
    "left elbow": (-0.303, -0.058, 1.229),
    "left wrist": (-0.274, 0.059, 0.958),
}
"""Joints at the end of a squat of subject 2, in metres."""


@pytest.mark.parametrize(("action", "number"), MEASURED)
def test_a_published_seed_gives_the_same_world_in_later_versions(action: str, number: int) -> None:
    subject, draw = make_subject(0, number), np.random.default_rng([0, 2, number])
    motion = perform(action, subject, draw)
    samples, size, tracked = MEASURED[action, number]
    measured = sense(motion, subject, 50, draw)
    assert len(measured) == samples
    np.testing.assert_allclose(np.abs(measured).mean(axis=0), size, atol=1e-3)
    np.testing.assert_allclose(np.abs(track(motion, 15, draw)).mean(axis=(0, 2)), tracked, atol=1e-4)
    if action == "squat":
        np.testing.assert_allclose([motion.joints[name][-1] for name in LAST], list(LAST.values()), atol=6e-4)
        assert list(motion.joints)[:3] == ["head", "neck", "pelvis"] and set(motion.joints) == set(LAST)


def test_a_subject_of_a_published_seed() -> None:
    one = dataclasses.asdict(make_subject(5, 11))
    drawn = {"arm_m": 0.5402, "forearm_share": 0.4456, "height_m": 1.6175, "speed": 1.1296, "amplitude": 1.0105}
    drawn |= {"noise_g": 0.0247, "noise_dps": 2.7825, "side": -1.0, "number": 11}
    assert {name: one[name] for name in drawn} == pytest.approx(drawn, abs=6e-5)
    vectors = ([0.1284, 0.0085, 0.1536], [-0.0295, -0.0223, -0.0772], [-0.0130, -0.0023, 0.0494])
    for name, vector in zip(("aim", "sensor_tilt", "bias_g"), vectors, strict=True):
        np.testing.assert_allclose(one[name], vector, atol=6e-5)


@pytest.mark.parametrize(("first", "second"), [(0.3, 0.25), (0.25, 0.3), (0.2, 0.5), (0.5, 0.2)])
@pytest.mark.parametrize("distance", [0.02, 0.3, 0.5, 0.66, 0.7, 2.0])
def test_how_far_a_limb_reaches(first: float, second: float, distance: float) -> None:
    """Shortened softly from 95 % of its length on; no nearer than its bones allow."""
    length = first + second
    softness = 0.02 * length
    reach = distance - softness * np.log1p(np.exp((distance - 0.95 * length) / softness))
    least = 1.1 * max(first - second, second - first) + 0.01
    joint, reached = middle_joint(np.zeros((1, 3)), np.array([[0, distance, 0]]), first, second, np.array([0, 0.4, -1]))
    np.testing.assert_allclose(reached, [[0, max(reach, least), 0]], atol=1e-12)
    np.testing.assert_allclose([np.linalg.norm(joint), np.linalg.norm(joint - reached)], [first, second], rtol=1e-6)
    assert joint[0, 2] < 0 and joint[0, 0] == 0, "in the plane of the pole"
