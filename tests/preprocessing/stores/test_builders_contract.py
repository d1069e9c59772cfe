"""What all builders of stores promise where nothing is said."""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vskd.preprocessing.stores.clip_store import build_clip_store
from vskd.preprocessing.stores.frame_store import build_frame_store
from vskd.preprocessing.stores.gaf_store import build_gaf_store
from vskd.preprocessing.stores.image_store import build_image_store
from vskd.preprocessing.stores.joint_store import build_joint_store
from vskd.preprocessing.stores.pose_store import build_poses
from vskd.preprocessing.stores.window_store import WindowSource, build_window_store

STRICT = {"max_bad_fraction": 0.0, "overwrite": False}
MORE: dict[Callable[..., Any], dict[str, object]] = {
    build_clip_store: {"workers": 1},
    build_frame_store: {"fit": "centre-crop"},
    build_image_store: {},
    build_joint_store: {"least_confidence": 0.0},
    build_window_store: {"rate_hz": None, "stride": None},
}


def defaults(build: Callable[..., Any]) -> dict[str, object]:
    every = inspect.signature(build).parameters.values()
    return {one.name: one.default for one in every if one.default is not one.empty}


@pytest.mark.parametrize("build", MORE, ids=lambda build: build.__name__)
def test_no_recording_may_be_corrupt_and_nothing_is_overwritten_unless_told(build: Callable[..., Any]) -> None:
    found = defaults(build)
    assert {name: found[name] for name in STRICT} == STRICT
    assert {name: found[name] for name in MORE[build]} == MORE[build]


def test_poses_and_images_of_windows_too() -> None:
    assert defaults(build_poses) == {"max_bad_fraction": 0.0}
    assert defaults(build_gaf_store) == {
        "method": "gasf", "scaling": "minmax", "limit": 4.0, "image_size": 64, "engine": "torch",
    }  # fmt: skip


def test_a_sensor_of_which_nothing_is_said() -> None:
    plain = WindowSource("r", Path("r.npy"), "", (), ("x",), 50.0)
    assert (plain.unit, plain.stream, plain.time_column, plain.calibrated) == ("", "", None, True)
    assert (plain.range_limit, plain.scale, plain.others, plain.reading, plain.cut) == (0.0, 1.0, (), None, None)
    assert plain.parts == (plain,) and plain.channels == ("x",)
