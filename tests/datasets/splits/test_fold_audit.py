"""The audit of one split; those of whole protocols are in `test_protocol_audit`."""

import dataclasses
from pathlib import Path

from vskd.datasets.catalog import get_dataset
from vskd.datasets.images.image_baselines import thumbnails
from vskd.datasets.splits.fold_audit import MAJORITY, NEAREST_FRAME, NEAREST_PIXELS, audit_fold
from vskd.datasets.splits.protocol import load_protocol
from vskd.datasets.timeline import Timeline


def test_one_split_without_pictures_and_with(leaky: Path) -> None:
    index = get_dataset("driver-inattention").index(leaky)
    split = load_protocol(index.dataset, "official").split(index)
    found = audit_fold(index, split, contents={}, pictures=None)
    assert set(found.predictions) == {MAJORITY, NEAREST_FRAME} and found.facts.same_content is None
    assert f"no '{NEAREST_PIXELS}': there are no images to compare" in found.notes
    seen = audit_fold(index, split, contents={}, pictures=thumbnails(index.recordings))
    assert set(seen.predictions) == {MAJORITY, NEAREST_FRAME, NEAREST_PIXELS}
    assert not any(NEAREST_PIXELS in note for note in seen.notes)


def test_long_recordings_have_no_baseline(synthetic_root: Path) -> None:
    """One label for a recording of several classes would be right by definition."""
    index = get_dataset("synthetic").index(synthetic_root)
    split = load_protocol("synthetic", "cross-subject").split(index)
    shown = Timeline(((0.0, 1.0, 0), (1.0, 2.0, 1)))
    tested = index.by_id()[split.test[0]]
    long = tuple(dataclasses.replace(r, timeline=shown) if r is tested else r for r in index)
    found = audit_fold(dataclasses.replace(index, recordings=long), split, contents={}, pictures=None)
    assert found.predictions == {} and found.scores() == {}
    assert any(note.startswith("no baselines: 1 test recording(s) show several classes") for note in found.notes)
