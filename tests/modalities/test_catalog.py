"""The catalog of modalities: chosen by one word, with errors that name what there is."""

from typing import Any

import pytest
from pydantic import ValidationError

from tests.modalities.conftest import inputs
from vskd.errors import SettingError
from vskd.modalities.base import Sees, Source
from vskd.modalities.catalog import MODALITIES, AnySees, asked_by, inputs_of
from vskd.modalities.clip import ClipInputs
from vskd.modalities.frames import FramesInputs
from vskd.modalities.image import ImageInputs
from vskd.modalities.skeleton import SkeletonInputs
from vskd.modalities.window import WindowInputs
from vskd.schema import Strict, explain, parse

SHIPPED = ("window", "frames", "clip", "skeleton", "image")


class Role(Strict):
    """What a recipe says of a student, as far as it counts here."""

    sees: AnySees


def problems(sees: dict[str, Any]) -> list[str]:
    with pytest.raises(ValidationError) as caught:
        parse(Role, {"sees": sees})
    return explain(caught.value, Role)


def test_the_word_decides(world: Source, shapes: Source, bodies: Source) -> None:
    made = [
        inputs(world, "window", "gyroscope"),
        inputs(world, "frames", "rgb"),
        inputs(world, "clip", "rgb"),
        inputs(bodies, "skeleton", "skeleton"),
        inputs(shapes, "image", "image"),
    ]
    assert [type(i) for i in made] == [WindowInputs, FramesInputs, ClipInputs, SkeletonInputs, ImageInputs]
    assert [i.sees.modality for i in made] == [name for name in MODALITIES if name in SHIPPED]
    assert [i.exported for i in made] == [True, False, True, False, True]


def test_each_modality_is_called_as_its_settings_say() -> None:
    for name, entry in MODALITIES.items():
        assert entry.settings.model_fields["modality"].default == name


@pytest.mark.parametrize(
    ("sees", "told"),
    [
        ({"modality": "windows", "streams": ["a"]}, "sees.modality: 'windows' is not allowed, did you mean 'window'?"),
        ({"streams": ["a"]}, "sees.modality: missing"),
        ({"modality": "window"}, "sees.streams: missing"),
        (
            {"modality": "image", "streams": ["a"], "length": 64},
            "sees.length: unknown key (of image), valid names: "
            "augmentation, crop, grey, margin, modality, rules, size, streams",
        ),
        (
            {"modality": "window", "streams": ["a"], "encoding": {"method": "raw", "image_size": 64}},
            "sees.encoding.image_size: unknown key (of raw), valid names: limit, method, scaling",
        ),
        (
            {"modality": "image", "streams": ["a"], "margin": 0.1},
            "sees: margin does nothing here: it counts only where crop is box",
        ),
    ],
)
def test_errors_name_the_key_and_what_there_is(sees: dict[str, Any], told: str) -> None:
    assert problems(sees) == [told]


def test_an_unknown_modality_of_a_library_user(world: Source) -> None:
    with pytest.raises(SettingError, match="There is no modality 'smell'"):
        inputs_of(world, Sees(modality="smell", streams=("nose",)))


def test_a_bundle_asks_for_its_own_modality(world: Source, shapes: Source) -> None:
    train = sorted(world.recordings)
    sliding = {"window": "sliding", "length": 32, "rate_hz": 40.0, "stride": 16}
    raw = inputs(world, "window", "accelerometer", **sliding, encoding={"method": "raw", "scaling": "minmax"})
    assert asked_by(raw.contract(train)) == {
        "modality": "window",
        "streams": ["accelerometer"],
        **sliding,
        "encoding": {"method": "raw", "scaling": "minmax"},
    }
    face = inputs(shapes, "image", "image", size=48, crop="box", margin=0.1, grey=True, augmentation={"gamma": 0.1})
    assert asked_by(face.contract([])) == {
        "modality": "image",
        "streams": ["image"],
        "size": 48,
        "crop": "box",
        "margin": 0.1,
        "rules": 1,
        "grey": True,
    }
    whole = asked_by(inputs(shapes, "image", "image").contract([]))
    assert "margin" not in whole and whole["crop"] == "full"
