"""Clips: the middle frames in order, random frames and crops in training, never a mirrored one."""

from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from tests.modalities.conftest import inputs
from vskd.errors import SettingError
from vskd.modalities.base import Source
from vskd.modalities.frames import ClipBatches, FramesInputs, FramesSees, random_crop
from vskd.modalities.tiles import frame_tiles
from vskd.preprocessing.stores.frame_store import FrameStore
from vskd.schema import explain, parse


def clips(source: Source, **settings: Any) -> FramesInputs:
    made = inputs(source, "frames", "rgb", **{"size": 32, "segments": 3, **settings})
    assert isinstance(made, FramesInputs)
    return made


class Numbered:
    """Two clips whose every pixel holds the number of its frame, grey."""

    lengths: ClassVar[dict[str, int]] = {"a": 20, "b": 9}

    def num_frames(self, recording: str) -> int:
        return self.lengths[recording]

    def frames(self, _: str, indices: np.ndarray) -> np.ndarray:
        return np.broadcast_to(indices.astype(np.uint8)[:, None, None, None], (len(indices), 6, 6, 1)).copy()


def numbered(seed: int | None = None, **options: Any) -> list[torch.Tensor]:
    """The clips of a and b, in this order."""
    store: FrameStore = Numbered()  # type: ignore[assignment]
    batches = ClipBatches(store, ["a", "b"], [2, 0], batch_size=2, segments=5, seed=seed, **options)
    (batch,) = batches
    assert batch.inputs.shape == (2, 5, 3, 6, 6) and batch.inputs.dtype == torch.float32
    return [batch.inputs[batch.ids.index(i)] for i in "ab"]


def test_without_a_seed_the_middle_frame_of_each_segment() -> None:
    """Of four frames 0 1 2 3 the middle one is 1, of 0 1 it is 0; grey becomes three equal channels."""
    a, b = numbered()
    assert torch.equal(a, torch.tensor([1.0, 5, 9, 13, 17]).view(5, 1, 1, 1).expand(5, 3, 6, 6))
    # 9 frames in 5 segments: 0 | 1 2 | 3 4 | 5 6 | 7 8
    assert b[:, 0, 0, 0].tolist() == [0, 1, 3, 5, 7]


def test_with_a_seed_every_frame_of_a_segment_has_its_turn() -> None:
    drawn = torch.stack([numbered(seed)[0][:, 0, 0, 0] for seed in range(60)])
    for k in range(5):
        assert set(drawn[:, k].tolist()) == {4 * k, 4 * k + 1, 4 * k + 2, 4 * k + 3}


def test_frames_and_crops_come_from_one_generator_of_the_seed(world: Source) -> None:
    """Against a naive epoch: for each clip its frames are drawn, then its crop."""
    seen, ids = clips(world, crop=0.4), sorted(world.recordings)
    order = np.random.default_rng(5).permutation(len(ids))
    generator = np.random.default_rng([5, 1])
    batches = seen.batches(ids, batch_size=7, seed=5)
    shown = [pair for b in batches for pair in zip(b.ids, b.inputs, strict=True)]
    assert [i for i, _ in shown] == [ids[p] for p in order]
    for recording, clip in shown:
        count = seen.store.num_frames(recording)
        indices = generator.integers([count * k // 3 for k in range(3)], [count * (k + 1) // 3 for k in range(3)])
        frames = torch.from_numpy(seen.store.frames(recording, indices)).permute(0, 3, 1, 2).float()
        assert torch.equal(clip, random_crop(frames, 0.4, generator))


def test_the_crop_reaches_the_clips_of_training_only(world: Source) -> None:
    ids = sorted(world.recordings)
    (plain,), (same,) = clips(world).batches(ids, batch_size=100), clips(world, crop=0.4).batches(ids, batch_size=100)
    assert torch.equal(plain.inputs, same.inputs)
    (whole,) = clips(world).batches(ids, batch_size=100, seed=2)
    (cut,) = clips(world, crop=0.4).batches(ids, batch_size=100, seed=2)
    assert whole.ids == cut.ids
    assert not any(torch.equal(a, b) for a, b in zip(whole.inputs, cut.inputs, strict=True))


def test_training_frames_are_true_frames_of_their_recording_and_never_flipped(world: Source) -> None:
    """Every sampled frame occurs, as it is and not mirrored, among the stored frames of its segment."""
    seen, ids = clips(world), sorted(world.recordings)[:8]
    (middle,) = seen.batches(ids, batch_size=100)
    differ = 0
    for batch in seen.batches(ids, batch_size=5, seed=5):
        for position, recording, clip in zip(batch.positions, batch.ids, batch.inputs, strict=True):
            count = seen.store.num_frames(recording)
            every = torch.from_numpy(seen.store.frames(recording, np.arange(count))).permute(0, 3, 1, 2).float()
            assert not torch.equal(every, every.flip(-1))
            for k, frame in enumerate(clip):
                segment = every[count * k // 3 : count * (k + 1) // 3]
                assert any(torch.equal(frame, candidate) for candidate in segment)
            differ += not torch.equal(clip, middle.inputs[position])
    assert seen.augmented and differ > 4


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


def test_stores_are_shared_by_any_number_of_segments(world: Source) -> None:
    three, five = clips(world), clips(world, segments=5)
    assert three.store_file == five.store_file and three.hash != five.hash
    assert (three.shape, five.network_shape) == ((3, 3, 32, 32), (5, 3, 32, 32))


def test_the_picture_says_who_looked(world: Source) -> None:
    captions = dict.fromkeys(sorted(world.recordings)[:2], "caption")
    assert list(clips(world).pictures(captions, "teacher")) == ["What the teacher saw (middle frame of each segment)"]


def test_clips_are_not_shipped(world: Source) -> None:
    with pytest.raises(SettingError, match="sees frames cannot be shipped"):
        clips(world).contract(sorted(world.recordings))


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ({"segments": 1}, "segments: input should be greater than or equal to 2"),
        ({"crop": 1.0}, "crop: input should be less than 1"),
        ({"fit": "center-crop"}, "did you mean 'centre-crop'"),
        ({"length": 64}, "length: unknown key"),
    ],
)
def test_what_a_recipe_may_not_say(content: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError) as caught:
        parse(FramesSees, {"streams": ["depth"], **content})
    assert told in explain(caught.value, FramesSees)[0]


def test_what_holds_where_nothing_is_said() -> None:
    sees = FramesSees(streams=("rgb",))
    assert (sees.size, sees.fit, sees.segments, sees.crop) == (224, "centre-crop", 8, 0.0)


@pytest.mark.parametrize(("height", "width", "crop"), [(20, 24, 0.5), (9, 31, 0.9), (3, 4, 0.99), (16, 16, 0.1)])
def test_a_random_crop_against_a_naive_one(height: int, width: int, crop: float) -> None:
    """Sides first, then the place of the upper left corner, of all places where the crop fits; two pixels at least."""
    frames = torch.rand(2, 3, height, width, generator=torch.Generator().manual_seed(0))
    corners = set()
    for seed in range(30):
        random = np.random.default_rng(seed)
        first, second = random.random(2)
        rows = max(2, round(height * (1 - crop * first)))
        columns = max(2, round(width * (1 - crop * second)))
        top, left = random.integers(0, height - rows + 1), random.integers(0, width - columns + 1)
        corners.add((height - rows - top, width - columns - left))
        part = frames[:, :, top : top + rows, left : left + columns]
        expected = torch.nn.functional.interpolate(part, (height, width), mode="bilinear", align_corners=False)
        assert torch.equal(random_crop(frames, crop, np.random.default_rng(seed)), expected)
    assert min(below for below, _ in corners) == min(right for _, right in corners) == 0


def test_frames_are_stored_as_the_settings_say(world: Source) -> None:
    first = min(world.recordings)
    plain, figures, larger = clips(world), clips(world, fit="foreground"), clips(world, size=40)
    indices = np.array([0, 5])
    assert plain.store.frames(first, indices).shape == (2, 32, 32, 3)
    assert larger.store.frames(first, indices).shape == (2, 40, 40, 3)
    assert not np.array_equal(plain.store.frames(first, indices), figures.store.frames(first, indices))
    (five,) = clips(world, segments=5).batches([first], batch_size=1)
    count = plain.store.num_frames(first)
    middle = [(count * k // 5 + count * (k + 1) // 5 - 1) // 2 for k in range(5)]
    expected = plain.store.frames(first, np.array(middle)).transpose(0, 3, 1, 2)
    np.testing.assert_array_equal(five.inputs[0].numpy(), expected)


def test_the_picture_shows_the_middle_frames_of_those_that_are_there(world: Source) -> None:
    seen, (first, second) = clips(world), sorted(world.recordings)[:2]
    captions = {first: "one", "absent": "none", second: "two"}
    (picture,) = seen.pictures(captions, "student").values()
    (batch,) = seen.batches([first, second], batch_size=2)
    frames = batch.inputs.permute(0, 1, 3, 4, 2).numpy().astype(np.uint8)
    assert picture == frame_tiles({"one": frames[0], "two": frames[1]})
    assert seen.pictures({"absent": "none"}, "student") == {}


def test_a_damaged_store_is_made_again(world: Source, tmp_path: Path) -> None:
    first, second = sorted(world.recordings)[:2]
    few = replace(world, recordings={i: world.recordings[i] for i in (first, second)}, cache=tmp_path)
    seen = clips(few)
    seen.store_file.write_bytes(b"no store")
    which = np.array([0, 3])
    np.testing.assert_array_equal(seen.store.frames(first, which), clips(world).store.frames(first, which))
