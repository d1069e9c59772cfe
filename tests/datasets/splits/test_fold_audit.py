"""The audit of one split; those of whole protocols are in `test_protocol_audit`."""

from pathlib import Path

from vskd.datasets.catalog import get_dataset
from vskd.datasets.images.image_baselines import thumbnails
from vskd.datasets.splits.fold_audit import MAJORITY, NEAREST_FRAME, NEAREST_PIXELS, audit_fold
from vskd.datasets.splits.protocol import load_protocol


def test_one_split_without_pictures_and_with(leaky: Path) -> None:
    index = get_dataset("driver-inattention").index(leaky)
    split = load_protocol(index.dataset, "official").split(index)
    found = audit_fold(index, split, contents={}, pictures=None)
    assert set(found.predictions) == {MAJORITY, NEAREST_FRAME} and found.facts.same_content is None
    assert f"no '{NEAREST_PIXELS}': there are no images to compare" in found.notes
    seen = audit_fold(index, split, contents={}, pictures=thumbnails(index.recordings))
    assert set(seen.predictions) == {MAJORITY, NEAREST_FRAME, NEAREST_PIXELS}
    assert not any(NEAREST_PIXELS in note for note in seen.notes)
