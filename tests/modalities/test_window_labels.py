"""Sliding windows of long recordings: each has a label of its own."""

from pathlib import Path

import numpy as np
import pytest

from tests.long_recordings import day_of, labels_of
from tests.modalities.conftest import inputs, source_of
from vskd.datasets.recording import UNLABELLED
from vskd.errors import SettingError
from vskd.modalities.base import LABELS, Source, data_rows
from vskd.modalities.window import WindowInputs

SLIDING = {"window": "sliding", "length": 50, "stride": 20, "rate_hz": 25.0, "encoding": {"method": "raw"}}
CLASSES = ("none", "run", "walk")


@pytest.fixture(scope="module")
def source(long_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Source:
    return source_of("sensor-folder", long_root, tmp_path_factory.mktemp("long"))


def made(source: Source, **changes: object) -> WindowInputs:
    result = inputs(source, "window", "accelerometer", **{**SLIDING, **changes})
    assert isinstance(result, WindowInputs)
    return result


def naive(subject: int) -> tuple[list[int], list[float]]:
    """Majority label of each window and its share, by counting rows."""
    rows = np.array([CLASSES.index(label or "none") for label in labels_of(day_of(subject, 48.0))])
    cut = [rows[k : k + 50] for k in range(0, len(rows) - 49, 20)]
    counts = [np.bincount(c, minlength=3) for c in cut]
    return [int(c.argmax()) for c in counts], [c.max() / 50 for c in counts]


def test_evaluation_keeps_all_windows_and_training_leaves_out_mixed_ones(source: Source) -> None:
    assert source.class_names == CLASSES
    seen, ids = made(source, most_mixed=0.2), sorted(source.recordings)
    expected, shares = zip(*(naive(s) for s in range(1, 5)), strict=True)
    every = [label for labels in expected for label in labels]
    whole = [(i, int(k)) for b in seen.batches(ids, batch_size=16) for i, k in zip(b.ids, b.labels, strict=True)]
    assert [label for _, label in whole] == every
    pure = [label for labels, part in zip(expected, shares, strict=True) for label, s in zip(labels, part, strict=True)
            if s >= 0.8]  # fmt: skip
    learned = [int(k) for b in seen.batches(ids, batch_size=16, seed=3) for k in b.labels]
    assert sorted(learned) == sorted(pure) and len(pure) < len(every)
    assert seen.sample_labels(ids) == pure


def test_by_default_nothing_is_left_out_and_the_majority_counts(source: Source) -> None:
    seen = made(source)
    assert (seen.sees.window_labels, seen.sees.most_mixed) == ("majority", 1.0)
    assert seen.batches(sorted(source.recordings), batch_size=16, seed=1).samples == sum(
        len(naive(s)[0]) for s in range(1, 5)
    )


def test_the_middle_may_decide(source: Source) -> None:
    rows = [CLASSES.index(label or "none") for label in labels_of(day_of(1, 48.0))]
    (first,) = [i for i in source.recordings if i.startswith("s1_")]
    found = [int(k) for b in made(source, window_labels="centre").batches([first], batch_size=99) for k in b.labels]
    assert found == [rows[k + 25] for k in range(0, len(rows) - 49, 20)]


def test_who_is_hidden_has_no_label_in_any_window(source: Source, tmp_path: Path) -> None:
    from dataclasses import replace

    (first, *_) = sorted(source.recordings)
    hidden = made(replace(source, hidden=frozenset({first})))
    (batch,) = hidden.batches([first], batch_size=999, seed=1)
    assert set(batch.labels.tolist()) == {UNLABELLED} and len(batch.labels) == len(naive(1)[0])


def test_a_long_recording_is_not_seen_as_a_whole(source: Source) -> None:
    seen = inputs(source, "window", "accelerometer", length=50, encoding={"method": "raw"})
    with pytest.raises(SettingError, match="shows several classes one after the other"):
        seen.batches(sorted(source.recordings), batch_size=8)


def test_the_hash_of_the_labels_is_that_of_the_timeline(source: Source) -> None:
    from dataclasses import replace

    (first, *_) = sorted(source.recordings)
    recording = source.recordings[first]
    assert recording.timeline is not None
    (start, end, label), *rest = recording.timeline.spans
    moved = replace(recording, timeline=replace(recording.timeline, spans=((start, end - 0.04, label), *rest)))
    changed = replace(source, recordings={**source.recordings, first: moved})
    before, after = (data_rows(s, ["accelerometer"])[first] for s in (source, changed))
    assert before["accelerometer"] == after["accelerometer"] and before[LABELS] != after[LABELS]
