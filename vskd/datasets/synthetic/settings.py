"""What a synthetic world is made of, and the file that records it beside the recordings."""

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vskd.errors import DataError
from vskd.files import write_json

# In the order of their numbers; a world of fewer actions has the first ones.
ACTIONS = (
    "swipe left",
    "swipe right",
    "wave",
    "draw circle clockwise",
    "draw circle counter-clockwise",
    "punch",
    "throw",
    "raise arm",
    "clap",
    "squat",
)
SENSOR_RATE_HZ = 50
FRAME_RATE_HZ = 15
FRAME_SIZE = 96  # pixels, square
# Raised whenever the same settings give other recordings, so that old and new ones are never mixed in a folder.
GENERATOR_VERSION = 2
MANIFEST = "world.json"


@dataclass(frozen=True)
class WorldSettings:
    """Everything that decides the bytes of a world's recordings."""

    actions: tuple[str, ...]
    subjects: int
    trials: int
    seed: int
    skeletons: bool = False
    sensor_rate_hz: int = SENSOR_RATE_HZ
    frame_rate_hz: int = FRAME_RATE_HZ
    frame_size: int = FRAME_SIZE
    generator_version: int = GENERATOR_VERSION

    def as_json(self) -> dict[str, Any]:
        """The settings as they stand in the manifest."""
        content = {**dataclasses.asdict(self), "actions": list(self.actions)}
        if not self.skeletons:  # worlds of before there were any keep their manifest
            del content["skeletons"]
        return content


def make_settings(*, subjects: int, actions: int, trials: int, seed: int, skeletons: bool = False) -> WorldSettings:
    """Settings of a world with the first `actions` of `ACTIONS`.

    Raises:
        DataError: a number is out of range.
    """
    limits = (("actions", actions, 1, len(ACTIONS)), ("subjects", subjects, 1, 1000), ("trials", trials, 1, 1000))
    for word, value, low, high in (*limits, ("seed", seed, 0, 2**31 - 1)):
        if not low <= value <= high:
            problem = f"A synthetic world cannot be made with {word} = {value}"
            raise DataError(problem, f"Choose {word} between {low} and {high}")
    return WorldSettings(ACTIONS[:actions], subjects, trials, seed, skeletons)


def save_settings(root: Path, settings: WorldSettings) -> None:
    """Write the manifest into `root`."""
    write_json(root / MANIFEST, settings.as_json())


def load_settings(root: Path) -> WorldSettings:
    """Read the manifest of the world in `root`.

    Raises:
        DataError: `root` is missing or holds no manifest, or the manifest is damaged.
    """
    path = root / MANIFEST
    make = "Write a world there with `vskd datasets make-synthetic --out FOLDER`"
    if not root.is_dir():
        raise DataError(f"The data folder {root} {'is not a folder' if root.exists() else 'does not exist'}", make)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        settings = WorldSettings(**{**content, "actions": tuple(content["actions"])})
    except FileNotFoundError as error:
        raise DataError(f"{root} holds no synthetic world: it has no {MANIFEST}", make) from error
    except OSError as error:
        raise DataError(f"Cannot read {path}: {error.strerror}", "Check the path and its permissions") from error
    except (ValueError, TypeError, KeyError) as error:
        raise DataError(f"{path} is damaged ({error})", "Delete the folder and write the world again") from error
    numbers = (settings.subjects, settings.trials, settings.seed, settings.frame_rate_hz, settings.sensor_rate_hz)
    if not all(isinstance(n, int) and n >= 0 for n in numbers) or not settings.actions:
        raise DataError(f"{path} is damaged: a number is missing", "Delete the folder and write the world again")
    return settings
