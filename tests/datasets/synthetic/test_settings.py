import json
from pathlib import Path

import pytest

from vskd.datasets.synthetic.settings import ACTIONS, load_settings, make_settings, save_settings
from vskd.errors import DataError


def test_settings_survive_the_manifest(tmp_path: Path) -> None:
    settings = make_settings(subjects=3, actions=5, trials=2, seed=11)
    save_settings(tmp_path, settings)
    assert load_settings(tmp_path) == settings
    content = json.loads((tmp_path / "world.json").read_text())
    assert (content["actions"], content["seed"]) == (list(ACTIONS[:5]), 11)


def test_unreadable_manifest_is_a_data_error(tmp_path: Path) -> None:
    (tmp_path / "world.json").mkdir()
    with pytest.raises(DataError, match=r"Cannot read .*world\.json"):
        load_settings(tmp_path)


@pytest.mark.parametrize(
    ("key", "low", "high"),
    [("actions", 1, len(ACTIONS)), ("subjects", 1, 1000), ("trials", 1, 1000), ("seed", 0, 2**31 - 1)],
)
def test_the_limits_are_still_allowed_and_no_more(key: str, low: int, high: int) -> None:
    plain = {"subjects": 3, "actions": 5, "trials": 2, "seed": 11}
    for value in (low, high):
        made = make_settings(**{**plain, key: value})
        assert (len(made.actions) if key == "actions" else getattr(made, key)) == value
    for value in (low - 1, high + 1):
        with pytest.raises(DataError, match=f"{key} = {value}.*between {low} and {high}"):
            make_settings(**{**plain, key: value})


def test_what_decides_the_recordings() -> None:
    content = make_settings(subjects=3, actions=2, trials=4, seed=11).as_json()
    assert content == {
        "actions": ["swipe left", "swipe right"],
        "subjects": 3,
        "trials": 4,
        "seed": 11,
        "sensor_rate_hz": 50,
        "frame_rate_hz": 15,
        "frame_size": 96,
        "generator_version": 2,
    }


def test_folders_without_a_world(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not exist"):
        load_settings(tmp_path / "away")
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="is not a folder"):
        load_settings(tmp_path / "file")
    with pytest.raises(DataError, match=r"holds no synthetic world: it has no world\.json"):
        load_settings(tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        {"subjects": -1},
        {"trials": "2"},
        {"seed": None},
        {"seed": 1.5},
        {"frame_rate_hz": -15},
        {"sensor_rate_hz": "50"},
        {"actions": []},
        {"actions": None},
        {"unknown": 1},
    ],
)
def test_a_damaged_manifest_is_named(tmp_path: Path, change: dict[str, object]) -> None:
    settings = make_settings(subjects=1, actions=1, trials=1, seed=0)
    (tmp_path / "world.json").write_text(json.dumps(settings.as_json() | change))
    with pytest.raises(DataError, match=r"world\.json is damaged"):
        load_settings(tmp_path)
    (tmp_path / "world.json").write_text(json.dumps(settings.as_json() | {"seed": 0}))
    assert load_settings(tmp_path) == settings
    (tmp_path / "world.json").write_text("{")
    with pytest.raises(DataError, match=r"world\.json is damaged"):
        load_settings(tmp_path)
