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
