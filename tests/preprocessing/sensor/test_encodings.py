"""The catalog of encodings."""

import pytest

from vskd.errors import SettingError
from vskd.preprocessing.sensor.encodings import ENCODINGS, build_encoding
from vskd.preprocessing.sensor.gaf import GramianAngularField
from vskd.preprocessing.sensor.raw import RawWindow


def test_every_entry_gets_its_settings() -> None:
    assert set(ENCODINGS) == {"raw", "gasf", "gadf", "gasf+gadf"}
    for name in ENCODINGS:
        encoding = build_encoding(name, "fixed", 2.5, 24)
        assert (encoding.scaling, encoding.limit) == ("fixed", 2.5)
        if isinstance(encoding, GramianAngularField):
            assert (encoding.method, encoding.image_size, encoding.kind) == (name, 24, "image")
        else:
            assert isinstance(encoding, RawWindow) and encoding.kind == "series"


def test_channels_of_the_result() -> None:
    channels = {name: build_encoding(name, "fixed", 4.0, 8).out_channels(3) for name in ENCODINGS}
    assert channels == {"raw": 3, "gasf": 3, "gadf": 3, "gasf+gadf": 6}


def test_unknown_names_are_told_with_what_there_is() -> None:
    with pytest.raises(SettingError, match=r"no encoding 'gaf'.*gasf\+gadf"):
        build_encoding("gaf", "fixed", 4.0, 8)
    for name in ENCODINGS:
        with pytest.raises(SettingError, match=r"encoding\.scaling is 'max'"):
            build_encoding(name, "max", 4.0, 8)
        with pytest.raises(SettingError, match=r"encoding\.limit is -4"):
            build_encoding(name, "fixed", -4.0, 8)
