"""What is said of a file: what counts for which kind of bundle, and what is refused."""

from dataclasses import fields
from pathlib import Path

import pytest

from vskd.bundle.file_reading import AS_IS, OPTIONS, TAKES, FileReading, check_fits, idle
from vskd.errors import BundleError

OF_SENSOR = {"rate_hz": 50.0, "unit": "g", "columns": (1,), "time_column": 0, "variable": "x"}
OF_IMAGES = {"box": "whole", "every": 2}


def test_everything_that_can_be_said_counts_for_one_kind():
    assert [name for flags in OPTIONS.values() for name in flags] == [field.name for field in fields(FileReading)]
    assert OPTIONS.keys() == TAKES.keys()


@pytest.mark.parametrize(
    ("kind", "others", "takes"),
    [
        ("sensor", OF_IMAGES, "recordings of a sensor"),
        ("image", OF_SENSOR, "images"),
        ("clip", OF_SENSOR | OF_IMAGES, "video clips"),
    ],
)
def test_what_does_nothing_for_a_bundle_is_refused(kind: str, others: dict[str, object], takes: str):
    for name, value in others.items():
        flag = {"rate_hz": "--rate", "time_column": "--time"}.get(name, f"--{name}")
        with pytest.raises(BundleError, match=f"^{flag} does not fit B, which takes {takes}. Leave it out.$"):
            check_fits(FileReading(**{name: value}), kind, Path("B"))
    check_fits(
        FileReading(**{name: v for name, v in (OF_SENSOR | OF_IMAGES).items() if name not in others}), kind, Path("B")
    )
    with pytest.raises(BundleError, match=" do not fit B"):
        check_fits(FileReading(**others), kind, Path("B"))


def test_options_that_say_something_are_named_by_kind():
    said = FileReading(**OF_SENSOR, **OF_IMAGES)
    assert said.said("sensor") == ["--rate", "--unit", "--columns", "--time", "--variable"]
    assert said.said("clip", "image") == ["--box", "--every"] and AS_IS.said(*OPTIONS) == []
    assert idle(["--box"], "nothing") == "--box does nothing"
    assert idle(["--box", "--every"], "nothing") == "--box, --every do nothing"
