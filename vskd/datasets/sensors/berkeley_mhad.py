"""Berkeley MHAD: 11 actions by 12 subjects, 5 trials each, with six accelerometers, cameras and motion capture.

Source: Ofli, Chaudhry, Kurillo, Vidal, Bajcsy, "Berkeley MHAD: a comprehensive multimodal human action database",
WACV 2013.

Data requirements: a folder with
  `Accelerometer/Shimmer0H/acc_h0H_sSS_aAA_rRR.txt`   rows `x y z seconds`, acceleration in g, seconds since 1970
  `Time_stamps/time_stamps_img_sSS_aAA_rRR.txt`       rows `frame seconds` of the cameras, by the same clock
A stream is one position of the body, so that a model says which it wants: `accelerometer-right-wrist`. Videos and
skeletons beside them are streams, too: see berkeley_others.py.

Measured on the published files:
- Stamps are made where Bluetooth hands samples over: steps of 1 to 56 ms for one rate, about 31 Hz. An even clock is
  fitted to them, in the order of the file. In 1 of 18 files it has gaps of 0.1 s and more. Files of a few seconds in
  which the queue of a sensor was emptied at once make up to 1480 Hz; of those the nominal rate is taken.
- The sensors measure 2 g and no more (jumping jacks are at the rail for 4 % of the time); 12 files hold single samples
  of up to 60 g, which no sensor of 2 g can measure. They are reported and left as they are.
- The sensors are not calibrated: at rest they show 0.5 to 2.3 g, so that gravity cannot prove the unit here. It is
  stated by the publisher; what does not look like 1 g is reported, not refused.

Deviations of others: a loader of whar-datasets calls actions 9, 10 and 11 sit down, stand up, sit down then stand up;
the publisher's order is sit down then stand up, sit down, stand up, and the lengths agree with it (median 17.3, 2.7 and
2.4 s: only action 9 is repeated).
"""

import itertools
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

from vskd.datasets.data_folder import require_folder
from vskd.datasets.entry import DatasetEntry
from vskd.datasets.recording import Index, Problem, Recording, Stream
from vskd.datasets.sensors.berkeley_others import camera_rate, other_streams
from vskd.errors import DataError
from vskd.preprocessing.folders import files_below, shown

LABELS = (
    "jumping in place",
    "jumping jacks",
    "bending",
    "punching",
    "waving two hands",
    "waving one hand",
    "clapping",
    "throwing",
    "sit down then stand up",
    "sit down",
    "stand up",
)
POSITIONS = ("left wrist", "right wrist", "left hip", "right hip", "left ankle", "right ankle")
"""Of the sensors 1 to 6."""
STREAMS = tuple(f"accelerometer-{position.replace(' ', '-')}" for position in POSITIONS)
SUBJECTS, TRIALS = range(1, 13), range(1, 6)
ABSENT = frozenset({"s02_a07_r05", "s04_a08_r05"})
"""Trials that the publisher left out."""
RATE_HZ, RANGE_G = 31.0, 2.0
FOLDER, CLOCKS = "Accelerometer", "Time_stamps"
_NAME = re.compile(r"acc_h(\d+)_s(\d+)_a(\d+)_r(\d+)\.txt", re.IGNORECASE)


def index(root: Path) -> Index:
    """List the recordings under `root` and name what is missing, empty, twice or unknown.

    Raises:
        DataError: `root` is missing, or holds no file of this data set.
    """
    problems: list[Problem] = []
    files: dict[str, dict[str, Path]] = {}
    for path in _walk(root):
        found = _named(path)
        if isinstance(found, Problem):
            problems.append(found)
            continue
        recording, stream = found
        kept = files.setdefault(recording, {}).setdefault(stream, path)
        if kept is not path:
            problems.append(Problem("duplicate", recording, shown(path), f"its {stream} is already given by {kept}"))
    recordings = []
    for name, streams in sorted(files.items()):
        empty = {stream for stream, path in streams.items() if path.stat().st_size == 0}
        problems += [Problem("corrupt", name, shown(streams[s]), "is empty (0 bytes)") for s in empty]
        if len(empty) < len(streams):
            recordings.append(_recording(name, {s: path for s, path in streams.items() if s not in empty}))
    if not recordings:
        _refuse_empty(root)
    recordings = _with_others(root, recordings, problems)
    problems += _absences(root, files)
    problems.sort(key=lambda p: (p.kind, p.recording, p.path))
    return Index("berkeley-mhad", root, LABELS, tuple(recordings), tuple(problems))


def _with_others(root: Path, recordings: Sequence[Recording], problems: list[Problem]) -> list[Recording]:
    """The recordings with their videos and skeletons; those of no recording, or of one that has them, are problems."""
    streams: dict[str, dict[str, Stream]] = {recording.id: {} for recording in recordings}
    for other in other_streams(root, (root / FOLDER, root / CLOCKS), problems):
        name, stream = _id(*other.key), other.stream
        if name not in streams:
            problems.append(Problem("unknown", name, shown(stream.path), "no accelerometer file of this recording"))
        elif stream.path.stat().st_size == 0:
            problems.append(Problem("missing", name, shown(stream.path), f"its {stream.name} is empty (0 bytes)"))
        elif (kept := streams[name].setdefault(stream.name, stream)) is not stream:
            detail = f"its {stream.name} is already given by {kept.path}"
            problems.append(Problem("duplicate", name, shown(stream.path), detail))
    return [_with(recording, streams[recording.id], root) for recording in recordings]


def _with(recording: Recording, others: Mapping[str, Stream], root: Path) -> Recording:
    if not others:
        return recording
    rate = camera_rate(camera_clock(root, recording.id))
    timed = {n: replace(s, rate_hz=rate) if s.kind == "video" else s for n, s in sorted(others.items())}
    return replace(recording, streams={**recording.streams, **timed})


def _walk(root: Path) -> Iterator[Path]:
    require_folder(root, "berkeley-mhad")
    if (root / FOLDER).is_dir():
        yield from files_below(root / FOLDER)


def _named(path: Path) -> tuple[str, str] | Problem:
    """Recording and stream of a file, by its name."""
    match = _NAME.fullmatch(path.name)
    if match is None:
        return Problem("unknown", "", shown(path), "its name is not one of this data set's")
    sensor, subject, action, trial = (int(part) for part in match.groups())
    recording = _id(subject, action, trial)
    for word, number, most in (
        ("sensor", sensor, len(POSITIONS)),
        ("action", action, len(LABELS)),
        ("subject", subject, SUBJECTS[-1]),
        ("trial", trial, TRIALS[-1]),
    ):
        if not 1 <= number <= most:
            return Problem("unknown", recording, shown(path), f"{word} {number} is not of berkeley-mhad (1..{most})")
    return recording, STREAMS[sensor - 1]


def _id(subject: int, action: int, trial: int) -> str:
    return f"s{subject:02d}_a{action:02d}_r{trial:02d}"


def _recording(name: str, files: dict[str, Path]) -> Recording:
    subject, action, trial = (str(int(part[1:])) for part in name.split("_"))
    streams = {stream: _stream(stream, files[stream]) for stream in sorted(files)}
    return Recording(name, subject, trial, int(action) - 1, subject, streams)


def _stream(name: str, path: Path) -> Stream:
    return Stream(
        name,
        "sensor",
        path,
        RATE_HZ,
        "g",
        ("x", "y", "z"),
        columns=(0, 1, 2),
        range_limit=RANGE_G,
        time_column=3,
        calibrated=False,
        placement=POSITIONS[STREAMS.index(name)],
    )


def _absences(root: Path, files: dict[str, dict[str, Path]]) -> list[Problem]:
    """Trials without any file, and sensors that trials of this folder lack."""
    present = {int(name[1:3]) for name in files}
    problems = [
        Problem("missing", "", str(root), f"subject {subject}: none of its {len(LABELS) * len(TRIALS)} recordings")
        for subject in SUBJECTS
        if subject not in present
    ]
    there = {stream for streams in files.values() for stream in streams}
    for subject, action, trial in itertools.product(present, range(1, len(LABELS) + 1), TRIALS):
        name = _id(subject, action, trial)
        note = " (nor is it in the published data set)" if name in ABSENT else ""
        if name not in files:
            problems.append(Problem("missing", name, str(root), f"no file of this recording{note}"))
            continue
        for stream in there - set(files[name]):
            sensor = STREAMS.index(stream) + 1
            path = root / FOLDER / f"Shimmer{sensor:02d}" / f"acc_h{sensor:02d}_{name}.txt"
            problems.append(Problem("missing", name, str(path), f"no {stream} file of this recording"))
    return problems


def _refuse_empty(root: Path) -> NoReturn:
    for child in (root.parent, *sorted(p for p in root.iterdir() if p.is_dir())):
        if (child / FOLDER).is_dir() and any(_NAME.fullmatch(p.name) for p in files_below(child / FOLDER)):
            raise DataError(
                f"{root} holds no berkeley-mhad recordings, but {child} does", f"Pass --data {shlex.quote(str(child))}"
            )
    raise DataError(
        f"{root} holds no berkeley-mhad recordings (files like {FOLDER}/Shimmer01/acc_h01_s01_a01_r01.txt)",
        "Give the folder that holds them with --data; `vskd datasets info berkeley-mhad` tells how to get the data",
    )


def camera_clock(root: Path, recording: str) -> Path:
    """The file of the cameras' time stamps of a recording; its second column is seconds since 1970, a row a frame."""
    return root / CLOCKS / f"time_stamps_img_{recording}.txt"


ENTRY = DatasetEntry(
    name="berkeley-mhad",
    title="Berkeley Multimodal Human Action Database",
    description="11 actions, 12 subjects, 658 recordings: accelerometers at wrists, hips and ankles.",
    index=index,
    labels=LABELS,
    streams=STREAMS,
    protocols=("cross-subject", "cross-subject-val", "leave-one-subject-out"),
    url="https://tele-immersion.citris-uc.org/berkeley_mhad",
    licence="research use; ask its authors for any other",
    citation=(
        "F. Ofli, R. Chaudhry, G. Kurillo, R. Vidal, R. Bajcsy: Berkeley MHAD: a comprehensive multimodal human action "
        "database. WACV 2013"
    ),
    obtain="Ask for it on its page; unpack the accelerometer files and time stamps in one folder.",
    placement="",
    system="berkeley",
    defaults={"window": {"streams": ["accelerometer-right-wrist"]}},
)
