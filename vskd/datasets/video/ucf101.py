"""UCF101: 13,320 clips of 101 actions in 25 groups, with three official splits.

Source: Soomro, Zamir & Shah, "UCF101: A Dataset of 101 Human Actions Classes From Videos in The Wild", 2012.

Data requirements: `UCF-101/ApplyEyeMakeup/v_ApplyEyeMakeup_g01_c01.avi`, and the official lists `ucfTrainTestlist/
trainlist01.txt`, `testlist01.txt` ... in that folder, around it or beside it. Lines of a list are `Class/clip.avi` with
or without the class's number behind it. Without the lists the clips are listed, and no protocol fits.
"""

from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from vskd.datasets.entry import DatasetEntry
from vskd.datasets.images.class_folders import classes_of
from vskd.datasets.images.image_listing import Listing
from vskd.datasets.recording import Index
from vskd.datasets.video.clip_folders import ClipFile
from vskd.datasets.video.split_lists import SPLITS, Said, factors_of, lines_of, list_folder, merge, name_missing_lists
from vskd.datasets.video.ucf import index_groups
from vskd.datasets.video.ucf50 import FILE

NAME, LISTS = "ucf101", "ucfTrainTestlist"
LABELS = (
    *("ApplyEyeMakeup", "ApplyLipstick", "Archery", "BabyCrawling", "BalanceBeam", "BandMarching", "BaseballPitch"),
    *("Basketball", "BasketballDunk", "BenchPress", "Biking", "Billiards", "BlowDryHair", "BlowingCandles"),
    *("BodyWeightSquats", "Bowling", "BoxingPunchingBag", "BoxingSpeedBag", "BreastStroke", "BrushingTeeth"),
    *("CleanAndJerk", "CliffDiving", "CricketBowling", "CricketShot", "CuttingInKitchen", "Diving", "Drumming"),
    *("Fencing", "FieldHockeyPenalty", "FloorGymnastics", "FrisbeeCatch", "FrontCrawl", "GolfSwing", "Haircut"),
    *("Hammering", "HammerThrow", "HandstandPushups", "HandstandWalking", "HeadMassage", "HighJump", "HorseRace"),
    *("HorseRiding", "HulaHoop", "IceDancing", "JavelinThrow", "JugglingBalls", "JumpingJack", "JumpRope", "Kayaking"),
    *("Knitting", "LongJump", "Lunges", "MilitaryParade", "Mixing", "MoppingFloor", "Nunchucks", "ParallelBars"),
    *("PizzaTossing", "PlayingCello", "PlayingDaf", "PlayingDhol", "PlayingFlute", "PlayingGuitar", "PlayingPiano"),
    *("PlayingSitar", "PlayingTabla", "PlayingViolin", "PoleVault", "PommelHorse", "PullUps", "Punch", "PushUps"),
    *("Rafting", "RockClimbingIndoor", "RopeClimbing", "Rowing", "SalsaSpin", "ShavingBeard", "Shotput"),
    *("SkateBoarding", "Skiing", "Skijet", "SkyDiving", "SoccerJuggling", "SoccerPenalty", "StillRings"),
    *("SumoWrestling", "Surfing", "Swing", "TableTennisShot", "TaiChi", "TennisSwing", "ThrowDiscus"),
    *("TrampolineJumping", "Typing", "UnevenBars", "VolleyballSpiking", "WalkingWithDog", "WallPushups"),
    *("WritingOnBoard", "YoYo"),
)
"""In the order of the official list of classes."""
_OBTAIN = (
    "Unpack UCF101.rar and UCF101TrainTestSplits-RecognitionTask.zip of its page in one folder; give it with --data."
)


def index(root: Path) -> Index:
    """List the clips under `root`; see `index_groups`.

    Raises:
        DataError: as there, or a list cannot be read or contradicts itself.
    """
    return index_groups(root, classes_of(NAME, LABELS, unique_names=True), FILE, _OBTAIN, _factors)


def _factors(folder: Path, clips: list[ClipFile], listing: Listing) -> Mapping[str, Said]:
    lists = list_folder(LISTS, folder)
    splits = {} if lists is None else {n: s for k, n in enumerate(SPLITS, 1) if (s := read_split(lists, k))}
    if lists is None or not splits:
        name_missing_lists(lists or folder.parent / LISTS, ("trainlist01.txt", "testlist01.txt"), listing)
        return {}
    return factors_of(splits, clips, lists, listing)


def read_split(lists: Path, number: int) -> dict[str, str]:
    """Clip -> train or test; empty where the two lists are not there.

    Raises:
        DataError: a list cannot be read, or a clip is in both.
    """
    said: dict[str, str] = {}
    files = {part: lists / f"{part}list{number:02d}.txt" for part in ("train", "test")}
    if not all(path.is_file() for path in files.values()):
        return {}
    for part, path in files.items():
        for line, words in lines_of(path):
            merge(path, line, said, PurePosixPath(words[0].replace("\\", "/")).stem, part)
    return said


ENTRY = DatasetEntry(
    name=NAME,
    title="UCF101",
    description="13,320 clips of 101 actions from YouTube, in 25 groups; three official splits.",
    index=index,
    labels=LABELS,
    streams=("rgb",),
    protocols=("official-1", "official-2", "official-3"),
    url="https://www.crcv.ucf.edu/data/UCF101.php",
    licence="research use; the clips are their makers'",
    citation="Soomro, Zamir, Shah: UCF101. CRCV-TR-12-01, 2012",
    obtain=_OBTAIN,
    placement="camera",
    system="kd3d",
    defaults={"clip": {"streams": ["rgb"]}, "frames": {"streams": ["rgb"]}},
)
