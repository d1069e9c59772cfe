from dataclasses import fields, replace

import pytest

from vskd.datasets.importing.stated import Stated

OF_ONE_SENSOR = {
    "columns": ("ax", "ay", "az"),
    "signs": (1, -1, 1),
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
    assert plain.of_stream == ((), (), None, 0.0, None)
    others = set(fields(Stated)) - {f for f in fields(Stated) if f.name in ("stream", "offset", "uncalibrated")}
    assert {getattr(plain, f.name) for f in others} == {None, "", ()}
