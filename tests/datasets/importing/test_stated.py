from dataclasses import fields, replace

import pytest

from vskd.datasets.importing.stated import Stated

OF_ONE_SENSOR = {
    "columns": ("ax", "ay", "az"),
    "signs": (1, -1, 1),
    "axes": ("-y", "x", "z"),
    "codes": "0..63 = -1.5..1.5",
    "unit": "g",
    "offset": 32.0,
    "range_limit": 8.0,
}


@pytest.mark.parametrize("field", [f.name for f in fields(Stated)])
def test_what_is_said_of_one_sensor_is_told_from_what_holds_for_all(field: str) -> None:
    """An importer that reads a second sensor looks here for what it must not take over."""
    plain = Stated()
    value = OF_ONE_SENSOR.get(field, "said")
    changed = replace(plain, **{field: value})  # type: ignore[arg-type]
    assert (changed.of_stream != plain.of_stream) == (field in OF_ONE_SENSOR)


def test_what_holds_where_nothing_is_stated() -> None:
    plain = Stated()
    assert (plain.stream, plain.offset, plain.uncalibrated) == ("accelerometer", 0.0, False)
    assert plain.of_stream == ((), (), (), None, 0.0, None, None)
    assert (plain.clip, plain.pair_videos) == (False, "name")
    set_ones = ("stream", "offset", "uncalibrated", "clip", "pair_videos")
    others = [f for f in fields(Stated) if f.name not in set_ones]
    assert {getattr(plain, f.name) for f in others} == {None, "", ()}


def test_signs_of_axes_and_columns_that_hold_no_samples() -> None:
    assert Stated(axes=("-y", "+x", "z")).axis_signs == (-1, 1, 1)
    assert Stated(signs=(1, -1, 1)).axis_signs == (1, -1, 1) and Stated().axis_signs == ()
    stated = Stated(label_column="what", factor_columns=("hand", "session"))
    assert stated.named_columns == ("what", "hand", "session")
