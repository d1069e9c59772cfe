"""MMAct: 37 actions by 20 subjects in four scenes and five sessions, with a watch, a phone and four cameras.

Source: Kong, Wu, Deng, Klinkigt, Tong, Murakami, "MMAct: a large-scale dataset for cross modal human action
understanding", ICCV 2019; the challenge of 2021 (github.com/mmact19/challenge).

Data requirements: a folder with the trimmed files of any of
  `<sensor>/subject<N>/scene<S>/session<K>/<action>.csv`   rows `time,x,y,z`, with or without that header; `<sensor>` is
      `acc_watch_clip` (right wrist), `acc_phone_clip`, `gyro_clip` or `orientation_clip` (right trouser pocket)
  `.../subject<N>/cam<C>/scene<S>/session<K>/<action>.mp4` 1920 x 1080, 30 frames/s
  `pose/.../subject<N>/cam<C>/scene<S>/session<K>/<action>.json` 17 joints, see vskd/preprocessing/video/pose_json.py
at any depth: in `sensor`, `sensors`, `Sensor_trimmed`, `trimmed_acc`, `cross_scene/trainval`, `cross_view/trainval` and
the like; the folders of a path may stand in any order, numbers may be padded (`subject01`), and case does not count
(`subject14/scene1/session2/Carrying_light`). The same clip under two of the challenge's folders is one clip.

A recording is an execution: one subject, scene, session and action, whose sensors are the same for all cameras. Time
stamps (`20181016_13:37:28.612000`, now and then without a fraction) are of Asia/Tokyo; single ones come late, so the
order of the file is kept and an even clock is fitted. Accelerations are in m/s^2. The unit of the gyroscope is not
stated by the publisher; Android's rad/s is assumed. That of the orientation is not stated either.

Classes: 35 file names make 37 classes, because in scene 3 (desk work) `talking_on_phone` and `using_phone` are classes
of their own (`mmact`); the challenge of 2021 merges them (`mmact-35`).

Untrimmed recordings are the data set of mmact_untrimmed.py, and counted here. MMAct V2 of 2022 is refused.
"""

import itertools
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from vskd.datasets.data_folder import require_folder
from vskd.datasets.entry import DatasetEntry
from vskd.datasets.recording import Index, Problem, Recording, Stream
from vskd.errors import DataError
from vskd.preprocessing.folders import files_below, shown
from vskd.preprocessing.video.stated_rate import stated_rate

ANYWHERE = (
    *("carrying", "checking_time", "closing", "crouching", "entering", "exiting", "fall", "jumping", "kicking"),
    *("loitering", "looking_around", "opening", "picking_up", "pointing", "pulling", "pushing", "running"),
    *("setting_down", "standing", "talking", "talking_on_phone", "throwing", "transferring_object", "using_phone"),
    *("walking", "waving_hand"),
)
"""Classes of scenes 1, 2 and 4."""
DESK = (
    *("drinking", "pocket_in", "pocket_out", "sitting", "sitting_down", "standing_up", "talking_on_phone_desk"),
    *("using_pc", "using_phone_desk"),
)
"""Classes of scene 3."""
LATER = ("carrying_heavy", "carrying_light")
"""Classes of scenes 1, 2 and 4 that only subjects 11 to 20 perform."""
LABELS = (*ANYWHERE, *DESK, *LATER)
MERGED = tuple(name for name in LABELS if name not in ("talking_on_phone_desk", "using_phone_desk"))
"""The 35 classes of the challenge."""
SUBJECTS, SCENES, SESSIONS = range(1, 21), range(1, 5), range(1, 6)
DESK_SCENE = 3
ABSENT = (8, 2, 5)
"""The subject, scene and session that the publisher left out."""
_XYZ = ("x", "y", "z")
_POCKET = "right trouser pocket"
SENSORS: Mapping[str, Stream] = {
    "acc_watch_clip": Stream("accelerometer-watch", "sensor", Path(), 100.0, "m/s^2", _XYZ, placement="right wrist"),
    "acc_phone_clip": Stream("accelerometer-phone", "sensor", Path(), 100.0, "m/s^2", _XYZ, placement=_POCKET),
    "gyro_clip": Stream("gyroscope", "sensor", Path(), 50.0, "rad/s", _XYZ, placement=_POCKET),
    "orientation_clip": Stream(
        "orientation", "sensor", Path(), 50.0, "not stated", ("azimuth", "pitch", "roll"), placement=_POCKET
    ),
}
"""By the folder of its files."""
CAMERAS = tuple(f"rgb-cam{number}" for number in range(1, 5))
POSES = tuple(f"pose-cam{number}" for number in range(1, 5))
_FOLDER = re.compile(r"(subject|scene|session|cam)0*(\d+)", re.IGNORECASE)
_STAMP = re.compile(r"\d{8}-\d{6}")
_V2_FOLDERS = frozenset({"acc2_clip"})
_V2_FILE = re.compile(r"subject\d+-\d+\.subject\d+\..*\.csv", re.IGNORECASE)
VIDEO = frozenset({".mp4", ".avi"})
_SAME_TWICE = VIDEO | {".json"}
"""The challenge gives such files once for each of its tasks."""


@dataclass(frozen=True)
class _File:
    """Whose file it is: execution and stream."""

    subject: int
    scene: int
    session: int
    action: str
    stream: str

    @property
    def recording(self) -> str:
        return f"subject{self.subject:02d}_scene{self.scene}_session{self.session}_{self.action}"


def index(root: Path, labels: tuple[str, ...] = LABELS, name: str = "mmact") -> Index:
    """List the executions under `root` and name what is missing, empty, twice or unknown.

    Args:
        root: the folder.
        labels: the 37 classes, or the 35 of the challenge.
        name: of the data set.

    Raises:
        DataError: `root` is missing, holds no file of MMAct, or holds MMAct V2.
    """
    require_folder(root, "mmact")
    problems: list[Problem] = []
    untrimmed: Counter[str] = Counter()
    files: dict[str, dict[str, tuple[_File, Path]]] = {}
    for path in files_below(root):
        parts = path.relative_to(root).parts
        refuse_v2(root, parts)
        if _is_untrimmed(parts):
            untrimmed["untrimmed"] += 1
            continue
        found = _named(path, parts, labels)
        if isinstance(found, Problem):
            problems.append(found)
        elif found is not None:
            problems += _kept(found, path, files.setdefault(found.recording, {}))
    recordings = [_recording(i, streams, labels) for i, streams in sorted(files.items()) if streams]
    if not recordings:
        _refuse_empty(root, name, untrimmed["untrimmed"])
    if untrimmed:
        detail = f"{untrimmed['untrimmed']} files of untrimmed recordings, which are the data set mmact-untrimmed"
        problems.append(Problem("unknown", "", str(root), detail))
    problems += _absences(root, files)
    problems.sort(key=lambda p: (p.kind, p.recording, p.path, p.detail))
    return Index(name, root, labels, tuple(recordings), tuple(problems))


def index_35(root: Path) -> Index:
    """The same with the 35 classes of the challenge."""
    return index(root, MERGED, "mmact-35")


def refuse_v2(root: Path, parts: tuple[str, ...]) -> None:
    """Refuse MMAct V2 by a file's path below `root`.

    Raises:
        DataError: it is a file of it.
    """
    if _V2_FOLDERS & {part.lower() for part in parts} or _V2_FILE.fullmatch(parts[-1]):
        raise DataError(
            f"{root} holds MMAct V2 of 2022 ({'/'.join(parts[-3:])}): 40 subjects and a fifth scene, other names and "
            "no published protocols",
            "Give the folder of MMAct of 2019",
        )


def numbers_of(parts: Iterable[str]) -> dict[str, int]:
    """What the folders of a path say of subject, scene, session and camera.

    >>> numbers_of(("trainval", "cam1", "subject01", "scene3"))
    {'cam': 1, 'subject': 1, 'scene': 3}
    """
    return {match[1].lower(): int(match[2]) for part in parts if (match := _FOLDER.fullmatch(part))}


def _is_untrimmed(parts: tuple[str, ...]) -> bool:
    return any(part.lower() in ("untrimmed", "sessions") for part in parts[:-1]) or bool(
        _STAMP.fullmatch(Path(parts[-1]).stem)
    )


def _named(path: Path, parts: tuple[str, ...], labels: tuple[str, ...]) -> _File | Problem | None:
    """Whose file it is, by its path; None for what is none of the files that are read."""
    numbers = numbers_of(parts[:-1])
    sensor = next((SENSORS[part.lower()].name for part in parts[:-1] if part.lower() in SENSORS), "")
    kind = path.suffix.lower()
    pose = kind == ".json" and any(part.lower() == "pose" for part in parts[:-1])
    seen = (kind in VIDEO or pose) and "cam" in numbers
    if not (sensor and kind == ".csv") and not seen:
        ours = sensor or kind in VIDEO or pose
        return Problem("unknown", "", shown(path), "its place is not one of this data set's") if ours else None
    stream = sensor or f"{'pose' if pose else 'rgb'}-cam{numbers['cam']}"
    lacking = [word for word in ("subject", "scene", "session") if word not in numbers]
    if lacking:
        return Problem("unknown", "", shown(path), f"no folder of its path says the {lacking[0]}")
    subject, scene, session = (numbers[word] for word in ("subject", "scene", "session"))
    found = _File(subject, scene, session, class_of(path.stem, scene, labels), stream)
    for word, number, known in (
        ("subject", subject, SUBJECTS),
        ("scene", scene, SCENES),
        ("session", session, SESSIONS),
    ):
        if number not in known:
            return Problem("unknown", found.recording, shown(path), f"{word} {number} is not of MMAct (1..{known[-1]})")
    if found.action not in labels:
        return Problem("unknown", found.recording, shown(path), f"'{path.stem}' is no class of MMAct")
    if seen and stream not in (*CAMERAS, *POSES):
        return Problem("unknown", found.recording, shown(path), "MMAct has cameras 1 to 4")
    return found


def class_of(stem: str, scene: int, labels: tuple[str, ...] = LABELS) -> str:
    """The class of a file's name; the phone classes of scene 3 are those of the desk, where `labels` has these.

    >>> class_of("Carrying_light", 1), class_of("using_phone", 3), class_of("using_phone", 3, MERGED)
    ('carrying_light', 'using_phone_desk', 'using_phone')
    """
    name = stem.strip().lower().removesuffix("_desk")
    desk = f"{name}_desk"
    return desk if scene == DESK_SCENE and desk in labels else name


def _kept(found: _File, path: Path, streams: dict[str, tuple[_File, Path]]) -> list[Problem]:
    """Put a file into its recording; what is wrong with it."""
    size = path.stat().st_size
    if size == 0:
        detail = f"its {found.stream} file is empty (0 bytes), as some are in the published data set"
        return [Problem("missing", found.recording, shown(path), detail)]
    there = streams.setdefault(found.stream, (found, path))[1]
    if there is path or (path.suffix.lower() in _SAME_TWICE and there.stat().st_size == size):
        return []
    return [Problem("duplicate", found.recording, shown(path), f"its {found.stream} is already given by {there}")]


def _recording(name: str, files: Mapping[str, tuple[_File, Path]], labels: tuple[str, ...]) -> Recording:
    whose = next(iter(files.values()))[0]
    streams = {stream: _stream(stream, path) for stream, (_, path) in sorted(files.items())}
    subject, scene, session = str(whose.subject), str(whose.scene), str(whose.session)
    factors = {"scene": scene, "session": session}
    return Recording(name, subject, session, labels.index(whose.action), subject, streams, factors=factors)


def _stream(name: str, path: Path) -> Stream:
    sensor = next((stream for stream in SENSORS.values() if stream.name == name), None)
    if name in POSES:
        return Stream(name, "skeleton", path, 30.0, "px", ("x", "y"), placement=f"camera {name[-1]}")
    if sensor is None:
        return Stream(name, "video", path, stated_rate(path) or 30.0, "uint8", placement=f"camera {name[-1]}")
    return replace(sensor, path=path, columns=(1, 2, 3), time_column=0)


def _refuse_empty(root: Path, name: str, untrimmed: int) -> None:
    beside = f"; its {untrimmed} files are of untrimmed recordings, the data set mmact-untrimmed" if untrimmed else ""
    raise DataError(
        f"{root} holds no {name} recordings (files like acc_watch_clip/subject1/scene1/session1/carrying.csv){beside}",
        f"Give the folder that holds them with --data; `vskd datasets info {name}` tells how to get the data",
    )


def classes_in(subject: int, scene: int) -> tuple[str, ...]:
    """The classes that a subject performs in a scene, each once a session."""
    if scene == DESK_SCENE:
        return DESK
    return (*ANYWHERE, *LATER) if subject > len(SUBJECTS) // 2 else ANYWHERE


def _absences(root: Path, files: Mapping[str, object]) -> list[Problem]:
    """Subjects, sessions and executions without any file, the largest that is missing in one line."""
    there = {tuple(int(part) for part in re.findall(r"(\d+)_", name)[:3]) for name in files}
    names = {name.removesuffix("_desk") for name in files}
    problems = []
    for subject in SUBJECTS:
        if not any(place[0] == subject for place in there):
            problems.append(Problem("missing", "", str(root), f"subject {subject}: none of its executions"))
            continue
        for scene, session in itertools.product(SCENES, SESSIONS):
            where = f"subject{subject:02d}_scene{scene}_session{session}"
            note = " (nor is it in the published data set)" if (subject, scene, session) == ABSENT else ""
            if (subject, scene, session) not in there:
                count = len(classes_in(subject, scene))
                problems.append(Problem("missing", "", str(root), f"{where}: none of its {count} executions{note}"))
                continue
            lacking = [c for c in classes_in(subject, scene) if f"{where}_{c.removesuffix('_desk')}" not in names]
            problems += [Problem("missing", f"{where}_{c}", str(root), "no file of this execution") for c in lacking]
    return problems


_CROSS_VIEW = (
    "cross-view is refused: a recording of MMAct is an execution, whose sensors are the same in every view, so that "
    "training and test would hold the same CSV files"
)
ENTRY = DatasetEntry(
    name="mmact",
    title="MMAct (ICCV 2019), 37 classes",
    description="37 actions, 20 subjects, 8,968 executions: watch, phone and four cameras.",
    index=index,
    labels=LABELS,
    streams=(*(stream.name for stream in SENSORS.values()), *CAMERAS, *POSES),
    protocols=("cross-subject", "cross-session", "cross-scene"),
    url="https://mmact19.github.io/2019/",
    licence="on request, for research; see its page",
    citation=(
        "Q. Kong, Z. Wu, Z. Deng, M. Klinkigt, B. Tong, T. Murakami: MMAct: a large-scale dataset for cross modal "
        "human action understanding. ICCV 2019"
    ),
    obtain="Ask for it on its page; unpack the trimmed sensor archives, and the videos, in one folder.",
    placement="right wrist (watch) and right trouser pocket (phone)",
    system="vskd",
    defaults={
        "window": {"streams": ["accelerometer-watch"]},
        "frames": {"streams": ["rgb-cam1"], "fit": "centre-crop"},
        "clip": {"streams": ["rgb-cam1"]},
        "skeleton": {"streams": ["pose-cam1"]},
    },
    refused={"cross-view": _CROSS_VIEW},
)
ENTRY_35 = replace(
    ENTRY,
    name="mmact-35",
    title="MMAct as in the challenge of 2021, 35 classes",
    description="MMAct with the desk's two phone classes merged into those of the other scenes: 35 actions.",
    index=index_35,
    labels=MERGED,
    protocols=("cross-subject", "cross-session", "cross-scene", "challenge-cross-scene"),
    refused={"cross-view": _CROSS_VIEW, "challenge-cross-view": _CROSS_VIEW},
)
