"""Windows that are too short for a network are refused with its name and the length that it takes."""

import pytest

from vskd.errors import SettingError
from vskd.models.catalog import parse_network
from vskd.models.window_length import require_samples


@pytest.mark.parametrize("name", ["cnn1d", "rocket1d-050"])
def test_the_shortest_window_is_taken_and_a_shorter_one_named(name: str) -> None:
    require_samples(parse_network(name), 9, 9)
    told = f"A window of 8 samples is too short for network '{name}'.*windows of 9 samples or more"
    with pytest.raises(SettingError, match=told):
        require_samples(parse_network(name), 8, 9)
