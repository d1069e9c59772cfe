import shutil
from collections import Counter
from pathlib import Path

import pytest

from tests.datasets.entries import assert_entry
from vskd.datasets.synthetic.dataset import index
from vskd.datasets.synthetic.settings import ACTIONS
from vskd.datasets.synthetic.write import write_world
from vskd.errors import DataError
from vskd.preprocessing.sensor.joints import joints_shape


def test_the_world_of_the_tests(synthetic_root: Path) -> None:
    found = index(synthetic_root)
    assert (len(found), found.labels, found.subjects, found.problems) == (24, ACTIONS[:3], tuple("1234"), ())
    assert Counter(n for r in found for n in r.streams) == dict.fromkeys(("accelerometer", "gyroscope", "rgb"), 24)
    assert Counter(r.label for r in found) == {0: 8, 1: 8, 2: 8}
    first = found.recordings[0]
    assert (first.stream("accelerometer").rate_hz, first.stream("rgb").rate_hz) == (50.0, 15.0)


def test_half_written_world_names_what_is_missing(synthetic_root: Path, tmp_path: Path) -> None:
    root = tmp_path / "world"
    shutil.copytree(synthetic_root, root)
    (root / "RGB" / "a1_s1_t1_color.mp4").unlink()
    for path in root.rglob("a2_s1_t1_*"):
        path.unlink()
    assert [(p.kind, p.recording) for p in index(root).problems] == [("missing", "a2_s1_t1"), ("unpaired", "a1_s1_t1")]


def test_folders_that_are_no_world(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not exist"):
        index(tmp_path / "nowhere")
    with pytest.raises(DataError, match=r"has no world\.json.*make-synthetic"):
        index(tmp_path)
    for content in (
        "{",
        "[]",
        "{}",
        '{"actions": ["x"]}',
        '{"actions": ["x"], "subjects": "2", "trials": 1, "seed": 0}',
    ):
        (tmp_path / "world.json").write_text(content)
        with pytest.raises(DataError, match=r"world\.json is damaged"):
            index(tmp_path)


def test_a_world_with_skeletons_has_their_stream(tmp_path: Path) -> None:
    write_world(tmp_path / "world", subjects=2, actions=1, trials=1, skeletons=True)
    found = index(tmp_path / "world")
    assert not found.problems
    for recording in found:
        stream = recording.stream("skeleton")
        assert (stream.rate_hz, stream.unit) == (15.0, "m")
        assert joints_shape(stream.path, stream.variable) == (15, 3)


def test_what_the_catalog_says_and_folders_that_are_none(tmp_path: Path) -> None:
    assert_entry("synthetic", tmp_path)
