"""A seeded kinematic world: who performs an action, where the joints go, and what a sensor on the wrist feels.

Lengths in metres; x to the subject's right, y forward, z up. All movement is computed on a fine time grid, twice
differentiable, so that the acceleration by central differences is that of the movement and not of the grid.
"""

from dataclasses import dataclass

import numpy as np

from vskd.datasets.synthetic.actions import MOVEMENTS, Action, Array, Style, smooth_step

FINE_RATE_HZ = 600  # a multiple of the sensor's 50 Hz and the camera's 15 Hz
GRAVITY = 9.80665  # m/s^2
TRACKING_ERROR_M = 0.01
# Of every eight subjects, one of odd and one of even number: both parts of cross-subject have a left-handed one.
_LEFT_HANDED = (3, 6)
_REST = np.array([0.1, 0.1, -0.93])  # hanging hand, in arm lengths; x outward


@dataclass(frozen=True)
class Subject:
    """What stays the same over a subject's trials; angles in rad."""

    number: int
    side: float
    arm_m: float
    forearm_share: float
    height_m: float
    speed: float
    amplitude: float
    aim: Array
    sensor_tilt: Array
    noise_g: float
    noise_dps: float
    bias_g: Array


@dataclass(frozen=True)
class Motion:
    """One trial: joint name -> positions (n, 3) at `FINE_RATE_HZ`; axes of the sensor as columns (n, 3, 3)."""

    joints: dict[str, Array]
    orientation: Array
    wrist: str

    @property
    def duration_s(self) -> float:
        """Length of the trial."""
        return (len(self.orientation) - 1) / FINE_RATE_HZ


def make_subject(seed: int, number: int) -> Subject:
    """The subject of that number (from 1) in the world of that seed."""
    rng = np.random.default_rng([seed, 1, number])
    height = rng.uniform(1.55, 1.92)
    return Subject(
        number=number,
        side=-1.0 if number % 8 in _LEFT_HANDED else 1.0,
        arm_m=height * rng.uniform(0.31, 0.35),
        forearm_share=rng.uniform(0.44, 0.5),
        height_m=height,
        speed=rng.uniform(0.8, 1.2),
        amplitude=rng.uniform(0.8, 1.15),
        aim=rng.normal(0.0, np.radians(6.0), 3),
        sensor_tilt=rng.normal(0.0, np.radians([12.0, 6.0, 6.0])),
        noise_g=rng.uniform(0.02, 0.06),
        noise_dps=rng.uniform(2.0, 6.0),
        bias_g=rng.normal(0.0, 0.03, 3),
    )


def rotation(vector: Array) -> Array:
    """Rotation matrix (3, 3) of a rotation vector, by Rodrigues' formula."""
    angle = float(np.linalg.norm(vector))
    if angle == 0.0:
        return np.eye(3)
    x, y, z = vector / angle
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    result: Array = np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross
    return result


def middle_joint(start: Array, end: Array, first_m: float, second_m: float, pole: Array) -> tuple[Array, Array]:
    """Bend a two-bone limb (arm or leg) towards `pole`, and shorten its reach softly where `end` is too far.

    Args:
        start: shoulder or hip, (n, 3); end: wanted wrist or ankle, (n, 3).
        first_m: length of the upper bone; second_m: of the lower one.
        pole: direction in which elbow or knee points, (3,).

    Returns:
        Elbow or knee, and reached end, each (n, 3).
    """
    length = first_m + second_m
    span = end - start
    distance = np.linalg.norm(span, axis=-1, keepdims=True)
    softness = 0.02 * length
    reach = distance - softness * np.logaddexp(0.0, (distance - 0.95 * length) / softness)
    reach = np.maximum(reach, 1.1 * abs(first_m - second_m) + 0.01)
    axis = span / distance
    along = (first_m**2 - second_m**2 + reach**2) / (2 * reach)
    away = np.sqrt(np.maximum(first_m**2 - along**2, 1e-9))
    normal = pole - (axis @ pole)[:, None] * axis
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    return start + along * axis + away * normal, start + reach * axis


def perform(action: str, subject: Subject, rng: np.random.Generator) -> Motion:
    """Let `subject` perform `action` once; `rng` draws what differs from trial to trial."""
    movement = MOVEMENTS[action]
    style = Style(
        subject.side,
        subject.amplitude * rng.uniform(0.88, 1.12),
        int(rng.integers(movement.cycles[0], movement.cycles[1] + 1)),
    )
    time, weight, phase = _timing(movement, subject.speed * rng.uniform(0.88, 1.12), rng)
    pose = movement.pose(phase, style)
    aim = rotation(subject.aim + rng.normal(0.0, np.radians(4.0), 3))
    offset = rng.normal(0.0, 0.04, 3)
    rest = _REST * [subject.side, 1.0, 1.0]
    other_rest = _REST * [-subject.side, 1.0, 1.0]
    hand = rest + weight[:, None] * (pose.hand @ aim.T + offset - rest)
    other = np.broadcast_to(other_rest, hand.shape)
    if pose.other is not None:
        other = other_rest + weight[:, None] * (pose.other + offset - other_rest)
    hand = hand + _sway(time, 0.012, rng)
    body = _body(subject, weight * pose.crouch, _sway(time, 0.01, rng))
    _add_arms(body, subject, hand, other + _sway(time, 0.012, rng))
    yaw = rotation(np.array([0.0, 0.0, rng.normal(0.0, np.radians(10.0))]))
    joints = {name: position @ yaw.T for name, position in body.items()}
    name = "right" if subject.side > 0 else "left"
    roll = _sway(time, np.radians(8.0), rng)[:, 0]
    frame = _forearm_frame(joints[f"{name} shoulder"], joints[f"{name} elbow"], joints[f"{name} wrist"], roll)
    tilt = rotation(subject.sensor_tilt + rng.normal(0.0, np.radians(4.0), 3))
    return Motion(joints, frame @ tilt, f"{name} wrist")


def sense(motion: Motion, subject: Subject, rate_hz: int, rng: np.random.Generator) -> Array:
    """What the wrist sensor measures: (samples, 6), acceleration in g, then angular rate in deg/s, in its own axes.

    At rest the accelerometer shows +1 g along the axis that points up: it feels the force that holds it up.
    """
    step = 1.0 / FINE_RATE_HZ
    velocity = np.gradient(motion.joints[motion.wrist], step, axis=0)
    force = np.gradient(velocity, step, axis=0) + np.array([0.0, 0.0, GRAVITY])
    to_sensor = np.swapaxes(motion.orientation, 1, 2)
    accel_g = np.einsum("nij,nj->ni", to_sensor, force) / GRAVITY
    spin = to_sensor @ np.gradient(motion.orientation, step, axis=0)  # skew-symmetric (n, 3, 3), rad/s
    gyro_dps = np.degrees(np.stack([spin[:, 2, 1], spin[:, 0, 2], spin[:, 1, 0]], axis=-1))
    every = FINE_RATE_HZ // rate_hz
    accel_g, gyro_dps = accel_g[::every], gyro_dps[::every]
    accel_g = accel_g + subject.bias_g + rng.normal(0.0, subject.noise_g, accel_g.shape)
    gyro_dps = gyro_dps + rng.normal(0.0, subject.noise_dps, gyro_dps.shape)
    return np.concatenate([accel_g, gyro_dps], axis=1)


def track(motion: Motion, rate_hz: int, rng: np.random.Generator) -> Array:
    """What a depth camera's tracker says: (joints, 3, frames) in metres; x to the person's right, y up, z to the front.

    In the order of `Motion.joints`, with an error of each joint in each frame.
    """
    joints = np.stack([positions[:: FINE_RATE_HZ // rate_hz] for positions in motion.joints.values()])
    seen = joints[:, :, [0, 2, 1]] + rng.normal(0.0, TRACKING_ERROR_M, joints.shape)
    return np.moveaxis(seen, 1, 2)


def _timing(movement: Action, speed: float, rng: np.random.Generator) -> tuple[Array, Array, Array]:
    """Time (n,), weight of the action's pose against the hanging arm (n,), and phase of the action (n,), both 0..1."""
    start_s, end_s = rng.uniform(0.1, 0.7), rng.uniform(0.1, 0.5)
    reach_s, action_s = 0.4 / speed, movement.duration_s / speed
    total_s = start_s + 2 * reach_s + action_s + end_s
    time = np.arange(int(total_s * FINE_RATE_HZ) + 1) / FINE_RATE_HZ
    weight = smooth_step((time - start_s) / reach_s) * (
        1 - smooth_step((time - start_s - reach_s - action_s) / reach_s)
    )
    linear = (time - start_s - 0.6 * reach_s) / (action_s + 0.8 * reach_s)
    speed_profile = smooth_step(linear / 0.25) * smooth_step((1 - linear) / 0.25)
    phase = np.cumsum(speed_profile)
    return time, weight, phase / phase[-1]


def _sway(time: Array, size: float, rng: np.random.Generator) -> Array:
    """A slow, smooth, small random movement, (n, 3)."""
    frequency, angle = rng.uniform(0.3, 1.6, (3, 3)), rng.uniform(0.0, 2 * np.pi, (3, 3))
    waves = np.sin(2 * np.pi * frequency * time[:, None, None] + angle)
    result: Array = size * waves.mean(axis=1)
    return result


def _body(subject: Subject, crouch: Array, sway: Array) -> dict[str, Array]:
    """Joints of head, trunk and legs, each (n, 3)."""
    height = subject.height_m
    zero = np.zeros_like(crouch)
    down = np.stack([zero, -0.25 * crouch, -crouch], axis=-1) * (height / 1.75)
    trunk = down + sway
    joints = {
        "head": trunk + np.array([0.0, 0.0, 0.93 * height]),
        "neck": trunk + np.array([0.0, 0.0, 0.83 * height]),
        "pelvis": trunk + np.array([0.0, 0.0, 0.52 * height]),
    }
    for name, side in (("right", 1.0), ("left", -1.0)):
        joints[f"{name} shoulder"] = trunk + np.array([0.115 * side, 0.0, 0.81]) * height
        joints[f"{name} hip"] = trunk + np.array([0.055 * side, 0.0, 0.51]) * height
        ankle = np.broadcast_to(np.array([0.075 * side, 0.0, 0.04]) * height, trunk.shape)
        knee, reached = middle_joint(
            joints[f"{name} hip"], ankle, 0.25 * height, 0.25 * height, np.array([0.25 * side, 1.0, 0.0])
        )
        joints[f"{name} knee"], joints[f"{name} ankle"] = knee, reached
    return joints


def _add_arms(joints: dict[str, Array], subject: Subject, hand: Array, other: Array) -> None:
    """Add elbows and wrists; `hand` and `other` are wrist positions from the shoulder in arm lengths, (n, 3)."""
    upper, fore = subject.arm_m * (1 - subject.forearm_share), subject.arm_m * subject.forearm_share
    for side, target in ((subject.side, hand), (-subject.side, other)):
        name = "right" if side > 0 else "left"
        shoulder = joints[f"{name} shoulder"]
        pole = np.array([0.6 * side, -0.8, -0.25])
        elbow, wrist = middle_joint(shoulder, shoulder + subject.arm_m * target, upper, fore, pole)
        joints[f"{name} elbow"], joints[f"{name} wrist"] = elbow, wrist


def _forearm_frame(shoulder: Array, elbow: Array, wrist: Array, roll: Array) -> Array:
    """Forearm axes as columns (n, 3, 3): along it, the elbow's hinge, their normal; turned about it by `roll`."""
    along = wrist - elbow
    along /= np.linalg.norm(along, axis=-1, keepdims=True)
    hinge = np.cross(along, elbow - shoulder)
    hinge /= np.linalg.norm(hinge, axis=-1, keepdims=True)
    normal = np.cross(along, hinge)
    cos, sin = np.cos(roll)[:, None], np.sin(roll)[:, None]
    return np.stack([along, cos * hinge + sin * normal, cos * normal - sin * hinge], axis=-1)
