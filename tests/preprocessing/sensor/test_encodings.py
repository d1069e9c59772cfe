"""The catalog of encodings."""

import pytest
from pydantic import ValidationError

from vskd.errors import SettingError
from vskd.preprocessing.sensor.encodings import (
    DEFAULT_IMAGE_SIZE,
    DEFAULT_LIMIT,
    ENCODINGS,
    AnyEncoding,
    build_encoding,
    effective,
)
from vskd.preprocessing.sensor.gaf import GramianAngularField
from vskd.preprocessing.sensor.mtf import MarkovTransitionField
from vskd.preprocessing.sensor.raw import RawWindow
from vskd.schema import parse

CHANNELS = {"raw": 3, "gasf": 3, "gadf": 3, "gasf+gadf": 6, "mtf": 3}
"""Of the result, of three axes."""


def test_every_entry_gets_its_settings() -> None:
    for name in CHANNELS:
        encoding = build_encoding(name, "fixed", 2.5, 24)
        assert (encoding.scaling, encoding.limit) == ("fixed", 2.5)
        if isinstance(encoding, GramianAngularField):
            assert (encoding.method, encoding.image_size, encoding.kind) == (name, 24, "image")
        elif isinstance(encoding, MarkovTransitionField):
            assert (name, encoding.image_size, encoding.kind) == ("mtf", 24, "image")
        else:
            assert isinstance(encoding, RawWindow) and encoding.kind == "series"


def test_channels_of_the_result() -> None:
    assert {name: build_encoding(name, "fixed", 4.0, 8).out_channels(3) for name in CHANNELS} == CHANNELS


def test_unknown_names_are_told_with_what_there_is() -> None:
    with pytest.raises(SettingError, match=r"no encoding 'gaf'.*gasf\+gadf"):
        build_encoding("gaf", "fixed", 4.0, 8)
    for name in ENCODINGS:
        with pytest.raises(SettingError, match=r"encoding\.scaling is 'max'"):
            build_encoding(name, "max", 4.0, 8)
        with pytest.raises(SettingError, match=r"encoding\.limit is -4"):
            build_encoding(name, "fixed", -4.0, 8)


@pytest.mark.parametrize("name", ENCODINGS)
def test_settings_build_their_encoding_and_come_back_from_what_a_bundle_states(name: str) -> None:
    for content in ({"scaling": "fixed", "limit": 2.5}, {"scaling": "minmax"}, {}):
        settings = parse(AnyEncoding, {"method": name, **content})
        module = settings.build()
        assert module.scaling == settings.scaling == content.get("scaling", "fixed")
        if settings.scaling == "fixed":
            assert module.limit == settings.limit == content.get("limit", 4.0)
        stated = settings.stated()
        assert set(stated) == {"method", "scaling", "limit", "image_size"}
        assert parse(AnyEncoding, effective(**stated)) == settings
        assert parse(AnyEncoding, settings.model_dump()) == settings
    with pytest.raises(ValidationError, match="limit does nothing here: it counts only where scaling is fixed"):
        parse(AnyEncoding, {"method": name, "scaling": "minmax", "limit": 4.0})


def test_only_images_have_a_size() -> None:
    built = parse(AnyEncoding, {"method": "gadf", "image_size": 24}).build()
    assert isinstance(built, GramianAngularField) and (built.method, built.image_size) == ("gadf", 24)
    with pytest.raises(ValidationError, match="image_size"):
        parse(AnyEncoding, {"method": "raw", "image_size": 24})
    assert build_encoding("raw", "fixed", 4.0, 24).kind == "series"


@pytest.mark.parametrize("name", ENCODINGS)
def test_a_bundle_states_what_has_no_effect_at_its_default(name: str) -> None:
    stated = parse(AnyEncoding, {"method": name, "scaling": "minmax"}).stated()
    assert (stated["limit"], stated["scaling"]) == (DEFAULT_LIMIT, "minmax")
    assert stated["image_size"] == DEFAULT_IMAGE_SIZE


def test_a_bundle_states_these_where_a_recipe_says_nothing() -> None:
    assert (DEFAULT_LIMIT, DEFAULT_IMAGE_SIZE) == (4.0, 64)


@pytest.mark.parametrize("name", [name for name, made in ENCODINGS.items() if "image_size" in made.model_fields])
def test_an_image_has_4_to_1024_pixels_at_an_edge(name: str) -> None:
    for size in (4, 1024):
        assert parse(AnyEncoding, {"method": name, "image_size": size}).build().image_size == size
    for size in (3, 1025, 16.0):
        with pytest.raises(ValidationError, match="image_size"):
            parse(AnyEncoding, {"method": name, "image_size": size})
