"""Epochs of windows and clips: complete, and a function of (seed, epoch) alone."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from vskd.distillation.data import ClipBatches, WindowBatches, random_crop

from vskd.distillation.experiment import Experiment, prepare
from vskd.preprocessing.sensor.augment import WindowAugmentation
from vskd.preprocessing.stores.frame_store import FrameStore
from vskd.preprocessing.video.frames import segment_indices
from vskd.recipe import Recipe


@pytest.fixture(scope="module")
def experiment(tiny: Callable[..., Recipe], shared_cache: Path) -> Experiment:
    return prepare(tiny(), shared_cache, needs_teacher=True)


def windows(experiment: Experiment, *, seed: int | None = None, size: int = 4, jitter: float = 0.0) -> WindowBatches:
    ids = experiment.split.train
    change = WindowAugmentation(jitter=jitter) if jitter else None
    return WindowBatches(
        experiment.window_store, ids, experiment.labels_of(ids), batch_size=size, seed=seed, augmentation=change
    )


def clips(experiment: Experiment, *, seed: int | None = None, crop: float = 0.0, segments: int = 3) -> ClipBatches:
    ids = experiment.split.train
    return ClipBatches(
        experiment.frame_store,
        ids,
        experiment.labels_of(ids),
        batch_size=5,
        segments=segments,
        seed=seed,
        crop=crop,
    )


@pytest.mark.parametrize("size", [1, 3, 5, 7, 12, 100])
def test_an_epoch_holds_every_recording_once_in_batches_of_nearly_equal_size(experiment, size: int) -> None:
    batches = list(windows(experiment, seed=3, size=size))
    assert len(batches) == len(windows(experiment, seed=3, size=size)) == -(-12 // size)
    assert Counter(i for b in batches for i in b.ids) == Counter(experiment.split.train)
    sizes = [len(b.ids) for b in batches]
    assert max(sizes) <= size
    assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize("make", [windows, clips])
def test_inputs_and_labels_are_those_of_the_ids(experiment, make) -> None:
    plain = {i: x for b in make(experiment) for i, x in zip(b.ids, b.inputs, strict=True)}
    for batch in make(experiment, seed=1):
        assert batch.labels.tolist() == experiment.labels_of(batch.ids)
        if make is windows:
            assert torch.equal(batch.inputs, torch.stack([plain[i] for i in batch.ids]))
    assert torch.equal(
        plain[experiment.split.train[0]],
        next(iter(make(experiment))).inputs[0],
    )


@pytest.mark.parametrize("make", [windows, clips])
def test_order_depends_on_the_seed_only(experiment, make) -> None:
    def order(seed: int | None) -> list[str]:
        return [i for b in make(experiment, seed=seed) for i in b.ids]

    assert order(None) == list(experiment.split.train)
    assert order(7) == order(7)
    assert order(7) != order(8)
    assert order(7) != order(None)


def test_augmentation_needs_a_seed_and_repeats_with_it(experiment) -> None:
    def inputs(**options) -> torch.Tensor:
        return torch.cat([b.inputs for b in windows(experiment, **options)])

    assert torch.equal(inputs(jitter=0.5), inputs())
    assert torch.equal(inputs(jitter=0.5, seed=1), inputs(jitter=0.5, seed=1))
    added = inputs(jitter=0.5, seed=1) - inputs(seed=1)
    assert added.std().item() == pytest.approx(0.5, rel=0.1)


def test_sliding_windows_each_become_an_item(tiny: Callable[..., Recipe], shared_cache: Path) -> None:
    recipe = tiny("sensor.window=sliding", "sensor.rate_hz=50", "sensor.stride=16")
    sliding = prepare(recipe, shared_cache, needs_teacher=False)
    batches = list(windows(sliding, seed=0))
    expected = {i: sliding.window_store.num_windows(i) for i in sliding.split.train}
    assert max(expected.values()) > 1
    assert Counter(i for b in batches for i in b.ids) == Counter(expected)
    pieces = [w for b in batches for i, w in zip(b.ids, b.inputs, strict=True) if i == sliding.split.train[0]]
    stored = torch.from_numpy(sliding.window_store.windows(sliding.split.train[0]))
    assert all(sum(torch.equal(w, p) for p in pieces) >= 1 for w in stored)


def test_clips_without_a_seed_are_the_middle_frames(experiment) -> None:
    store = experiment.frame_store
    for batch in clips(experiment):
        for recording, clip in zip(batch.ids, batch.inputs, strict=True):
            frames = store.frames(recording, segment_indices(store.num_frames(recording), 3, None))
            assert clip.dtype == torch.float32
            assert torch.equal(clip, torch.from_numpy(frames).permute(0, 3, 1, 2).float())


def test_clips_with_a_seed_are_true_frames_of_their_recording_and_never_flipped(experiment) -> None:
    """Every sampled frame occurs, as it is and not mirrored, among the stored frames of its segment."""
    store = experiment.frame_store
    for batch in clips(experiment, seed=5):
        for recording, clip in zip(batch.ids, batch.inputs, strict=True):
            count = store.num_frames(recording)
            every = torch.from_numpy(store.frames(recording, np.arange(count))).permute(0, 3, 1, 2).float()
            assert not torch.equal(every, every.flip(-1))
            for k, frame in enumerate(clip):
                segment = every[count * k // 3 : count * (k + 1) // 3]
                assert any(torch.equal(frame, candidate) for candidate in segment)


def test_grey_clips_are_given_three_equal_channels(tmp_path: Path) -> None:
    class Grey:
        def num_frames(self, _: str) -> int:
            return 4

        def frames(self, _: str, indices: np.ndarray) -> np.ndarray:
            return np.broadcast_to(indices.astype(np.uint8)[:, None, None, None], (len(indices), 6, 6, 1)).copy()

    batches: ClipBatches = ClipBatches(_as_store(Grey()), ["a"], [2], batch_size=1, segments=4)
    (batch,) = batches
    assert batch.inputs.shape == (1, 4, 3, 6, 6)
    assert torch.equal(batch.inputs, torch.arange(4.0).view(1, 4, 1, 1, 1).expand(1, 4, 3, 6, 6))
    assert batch.labels.tolist() == [2]


def _as_store(fake: object) -> FrameStore:
    return fake  # type: ignore[return-value]


def test_random_crop_keeps_the_shape_and_cuts_all_frames_alike() -> None:
    frames = torch.rand(1, 3, 20, 24).expand(5, -1, -1, -1)
    cut = random_crop(frames, 0.5, np.random.default_rng(0))
    assert cut.shape == frames.shape
    assert torch.equal(cut, cut[:1].expand_as(cut))
    assert not torch.equal(cut, frames)
    assert torch.equal(cut, random_crop(frames, 0.5, np.random.default_rng(0)))


def test_random_crop_of_a_ramp_stays_a_rising_ramp_within_its_range() -> None:
    """Neither mirrored nor upside down, and a part of at least 1 - crop of either side."""
    across = torch.arange(40.0).expand(1, 1, 40, 40)
    for image, axis in ((across, -1), (across.transpose(-1, -2), -2)):
        for seed in range(20):
            cut = random_crop(image, 0.4, np.random.default_rng(seed)).movedim(axis, -1)
            assert (cut.diff(dim=-1) >= 0).all()
            span = (cut[..., -1] - cut[..., 0]).amax().item()
            assert 0.6 * 40 - 2 <= span <= 39
