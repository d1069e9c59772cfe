"""Clips as blocks: order of the axes, frames of each part, changes that are the same for all frames."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from tests.modalities.conftest import inputs
from vskd.bundle.contract import ClipContract
from vskd.errors import SettingError
from vskd.modalities.base import Source
from vskd.modalities.clip import ClipAugmentation, ClipAugmentationSettings, ClipInputs, ClipSees, KeptClips
from vskd.modalities.frames import random_crop
from vskd.modalities.tiles import frame_tiles
from vskd.preprocessing.video.chosen import ClipCut
from vskd.schema import explain, parse

SIZE = {"length": 4, "height": 32, "width": 24}


def clips(source: Source, **settings: Any) -> ClipInputs:
    made = inputs(source, "clip", "rgb", **{**SIZE, **settings})
    assert isinstance(made, ClipInputs)
    return made


def test_the_axes_are_channels_frames_height_width(world: Source) -> None:
    seen, ids = clips(world), sorted(world.recordings)[:3]
    (batch,) = seen.batches(ids, batch_size=3)
    assert batch.inputs.shape == (3, *seen.shape) == (3, 3, 4, 32, 24)
    for recording, clip in zip(ids, batch.inputs, strict=True):
        frames = seen.store.frames(recording, np.array([1, 4, 7, 10]))  # the middle one of three kept of each part
        np.testing.assert_allclose(clip.numpy(), frames.transpose(3, 0, 1, 2) / 255, atol=1e-6)


def test_an_epoch_shows_a_frame_of_each_part_and_changes_clips_alike(world: Source) -> None:
    """Against a naive epoch of one generator: frames, crop, contrast and brightness of each clip in turn."""
    seen = clips(world, augmentation={"crop": 0.3, "contrast": 0.4, "brightness": 0.2})
    ids = sorted(world.recordings)[:7]
    generator = np.random.default_rng([5, 2])
    for batch in seen.batches(ids, batch_size=3, seed=5):
        for recording, clip in zip(batch.ids, batch.inputs, strict=True):
            kept = 3 * np.arange(4) + generator.integers(3, size=4)
            plain = torch.from_numpy(seen.store.frames(recording, kept)).permute(3, 0, 1, 2).float() / 255
            wanted = random_crop(plain, 0.3, generator)
            wanted = wanted.mean() + (wanted - wanted.mean()) * (1 + 0.4 * generator.uniform(-1, 1))
            wanted = (wanted + 0.2 * generator.uniform(-1, 1)).clamp(0, 1)
            torch.testing.assert_close(clip, wanted, atol=1e-5, rtol=1e-4)


def test_all_frames_of_a_clip_are_changed_alike() -> None:
    still = torch.rand(3, 1, 20, 24).expand(-1, 5, -1, -1)
    settings = ClipAugmentationSettings(crop=0.4, flip=0.5, brightness=0.3, contrast=0.3)
    change = ClipAugmentation(settings, (1, 0))
    flipped = 0
    for seed in range(12):
        clip, label = change(still, 0, np.random.default_rng(seed))
        assert torch.equal(clip, clip[:, :1].expand_as(clip)) and clip.shape == still.shape
        flipped += label
    assert 0 < flipped < 12, "the label goes with the mirror image"


def test_a_mirror_image_has_its_own_class_and_an_unlabelled_one_none() -> None:
    change = ClipAugmentation(ClipAugmentationSettings(flip=1.0), (1, 0, 2))
    ramp = torch.arange(6.0).expand(3, 2, 4, 6) / 10
    for label, mirrored in ((0, 1), (1, 0), (2, 2), (-1, -1)):
        clip, got = change(ramp, label, np.random.default_rng(0))
        assert torch.equal(clip, ramp.flip(-1)) and got == mirrored


def test_no_mirror_image_where_the_data_set_does_not_say_whose_it_is(world: Source) -> None:
    seen = clips(replace(world, label_swap=None), augmentation={"flip": 0.5})
    with pytest.raises(SettingError, match="flip: the classes of 'synthetic' do not fit mirror images"):
        seen.batches(sorted(world.recordings), batch_size=3)
    swapped = clips(world, augmentation={"flip": 1.0})
    left = [i for i, r in sorted(world.recordings.items()) if world.class_names[r.label] == "swipe left"]
    (batch,) = swapped.batches(left, batch_size=100, seed=1)
    assert {world.class_names[k] for k in batch.labels.tolist()} == {"swipe right"}
    assert swapped.mirrored and not seen.source.label_swap


def test_clips_stay_in_memory_as_long_as_they_fit(world: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    store, ids = clips(world).store, sorted(world.recordings)[:3]
    reads: list[str] = []
    read = store.frames
    monkeypatch.setattr(store, "frames", lambda i, which: (reads.append(i), read(i, which))[1])
    indices = np.array([7, 1, 1])
    one_clip = store.num_frames(ids[0]) * read(ids[0], indices[:1]).nbytes
    kept = KeptClips(store, limit=2 * one_clip + 1)
    for _ in range(3):
        for recording in ids:
            np.testing.assert_array_equal(kept.frames(recording, indices), read(recording, indices))
    assert [reads.count(recording) for recording in ids] == [2, 2, 3], "two fit: read once, and whole"


def test_stores_are_shared_by_all_changes(world: Source) -> None:
    one, other = clips(world), clips(world, augmentation={"crop": 0.2})
    assert one.store_file == other.store_file and one.hash == other.hash
    assert clips(world, length=5).store_file != one.store_file
    single = clips(world, choices=1)
    assert single.store_file != one.store_file and single.hash == one.hash, "in order they are the same"
    assert not clips(world, choices=1).augmented and one.augmented


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ({"length": 0}, "length: input should be greater than or equal to 1"),
        ({"sampling": "reference", "choices": 3}, "choices does nothing here: it counts only where sampling is spread"),
        ({"fit": "foreground", "height": 112, "width": 96}, "fit 'foreground' makes squares"),
        ({"height": 15}, "height: input should be greater than or equal to 16"),
        ({"width": 513}, "width: input should be less than or equal to 512"),
        ({"size": 112}, "size: unknown key"),
        ({"augmentation": {"flip": 2.0}}, "augmentation.flip: input should be less than or equal to 1"),
    ],
)
def test_what_a_recipe_may_not_say(content: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError) as caught:
        parse(ClipSees, {"streams": ["rgb"], **content})
    assert told in "; ".join(explain(caught.value, ClipSees))


def test_what_holds_where_nothing_is_said() -> None:
    sees = ClipSees(streams=("rgb",))
    assert (sees.length, sees.height, sees.width, sees.fit, sees.sampling, sees.choices) == (
        *(16, 112, 112, "centre-crop", "spread"), 3,
    )  # fmt: skip
    assert sees.augmentation == ClipAugmentationSettings(crop=0.0, flip=0.0, brightness=0.0, contrast=0.0)
    assert sees.cut == ClipCut(16, 112, 112, "centre-crop", "spread", 3)
    assert ClipSees(streams=("rgb",), sampling="reference").cut.choices == 1
    assert not sees.augmentation.active


@pytest.mark.parametrize("name", ["crop", "flip", "brightness", "contrast"])
def test_each_change_alone_is_one(world: Source, name: str) -> None:
    settings = ClipAugmentationSettings(**{name: 0.5})
    assert settings.active and clips(world, choices=1, augmentation={name: 0.5}).augmented
    assert clips(world, augmentation={name: 0.5}).mirrored == (name == "flip")
    clip = torch.linspace(0, 1, 3 * 4 * 20 * 24).reshape(3, 4, 20, 24)
    changed = [ClipAugmentation(settings, (0,))(clip, 0, np.random.default_rng(seed))[0] for seed in range(8)]
    assert any(not torch.equal(one, clip) for one in changed)
    assert all(float(one.min()) >= 0 and float(one.max()) <= 1 for one in changed)


def test_long_samples_are_shown_by_every_other_frame(world: Source) -> None:
    seen, first = clips(world, length=9), sorted(world.recordings)[0]
    title, shown = next(iter(seen.pictures({first: "one", "absent": "none"}, "teacher").items()))
    assert title == "What the teacher saw (frames of the clip)" and seen.pictures({"absent": "x"}, "teacher") == {}
    frames = seen.store.frames(first, np.array([1, 7, 13, 19, 25]))  # of nine parts, every other one
    assert shown == frame_tiles({"one": frames})
    four = clips(world)
    assert four.pictures({first: "one"}, "student").popitem()[1] == frame_tiles(
        {"one": four.store.frames(first, np.array([1, 4, 7, 10]))}
    )


def test_a_contract_asks_for_the_same_clips(world: Source) -> None:
    seen = clips(world, fit="squash", choices=2)
    contract = seen.contract([])
    assert contract == ClipContract(
        stream="rgb", placement=world.placement, length=4, height=32, width=24, fit="squash", sampling="spread"
    )
    asked = ClipInputs.asks(contract)
    assert asked is not None and parse(ClipSees, asked).cut == replace(seen.sees.cut, choices=1)
    spoken = ClipInputs.asks(contract.model_copy(update={"sampling": "reference"}))
    assert spoken is not None and "choices" not in spoken and parse(ClipSees, spoken).sampling == "reference"
    with pytest.raises(SettingError, match=r"encoding_inside does nothing here.*Set it to false"):
        seen.contract([], encoding_inside=True)
    pixels = np.arange(256, dtype=np.uint8)
    assert np.array_equal(seen.deployed(torch.from_numpy(pixels).float() / 255), pixels)
    assert seen.exported and seen.reads == "video" and seen.kind == "clip" and seen.network_shape == (3, 4, 32, 24)


def test_changes_are_for_training_alone(world: Source) -> None:
    seen, ids = clips(world, choices=1, augmentation={"brightness": 0.5}), sorted(world.recordings)[:2]
    plain = clips(world, choices=1)
    (one,), (other,) = seen.batches(ids, batch_size=2), plain.batches(ids, batch_size=2)
    assert torch.equal(one.inputs, other.inputs)
    (bright,) = seen.batches(ids, batch_size=2, seed=3)
    assert not torch.equal(bright.inputs[torch.argsort(bright.positions)], other.inputs)


def test_classes_of_mirror_images_are_balanced_by_sampling(world: Source) -> None:
    seen = clips(world)
    ids = sorted(world.recordings)
    alone = [i for i in ids if world.recordings[i].label == 0] + [i for i in ids if world.recordings[i].label == 1][:1]
    drawn = [int(k) for b in seen.batches(alone, batch_size=4, seed=0, sampling="balanced") for k in b.labels]
    natural = [int(k) for b in seen.batches(alone, batch_size=4, seed=0) for k in b.labels]
    assert sorted(natural) == sorted(world.recordings[i].label for i in alone) and drawn.count(1) > 1


@pytest.mark.parametrize(("spare", "kept"), [(0, 1), (-1, 0)])
def test_a_clip_that_just_fits_stays_in_memory(world: Source, spare: int, kept: int) -> None:
    store, first = clips(world).store, min(world.recordings)
    size = store.num_frames(first) * store.frames(first, np.array([0])).nbytes
    held = KeptClips(store, limit=size + spare)
    indices = np.array([2, 0])
    np.testing.assert_array_equal(held.frames(first, indices), store.frames(first, indices))
    assert len(held._clips) == kept and held._left == (0 if kept else size + spare)
    assert KeptClips(store)._left == 256 * 2**20


def test_changes_come_in_their_order_from_one_generator() -> None:
    """Crop, mirror image, contrast, brightness; what is switched off draws nothing."""
    clip = torch.rand(3, 4, 20, 24, generator=torch.Generator().manual_seed(0))
    settings = ClipAugmentationSettings(flip=0.5, brightness=0.3)
    for seed in range(6):
        random = np.random.default_rng(seed)
        mirrored = random.random() < 0.5
        wanted = (clip.flip(-1) if mirrored else clip) + float(0.3 * random.uniform(-1, 1))
        found, label = ClipAugmentation(settings, (1, 0))(clip, 1, np.random.default_rng(seed))
        assert label == (0 if mirrored else 1)
        torch.testing.assert_close(found, wanted.clamp(0, 1))
    beyond = torch.tensor([-0.5, 1.5]).view(1, 1, 1, 2).expand(3, 4, 20, 2)
    flipped, _ = ClipAugmentation(ClipAugmentationSettings(flip=1.0), (0,))(beyond, 0, np.random.default_rng(0))
    assert torch.equal(flipped, beyond.flip(-1)), "clamped only where brightness or contrast change"


@pytest.mark.parametrize(("length", "step"), [(8, 1), (9, 2), (16, 2), (17, 3)])
def test_at_most_eight_frames_are_shown(world: Source, length: int, step: int) -> None:
    seen, first = clips(world, length=length, choices=1), min(world.recordings)
    frames = seen.store.frames(first, np.arange(0, length, step))
    assert len(frames) <= 8
    assert seen.pictures({first: "one"}, "student").popitem()[1] == frame_tiles({"one": frames})


def test_a_damaged_store_is_made_again(world: Source, tmp_path: Path) -> None:
    first, second = sorted(world.recordings)[:2]
    few = replace(world, recordings={i: world.recordings[i] for i in (first, second)}, cache=tmp_path)
    seen = clips(few)
    seen.store_file.write_bytes(b"no store")
    which = np.array([0, 3])
    np.testing.assert_array_equal(seen.store.frames(first, which), clips(world).store.frames(first, which))


def test_where_nothing_is_mirrored_no_class_of_a_mirror_image_is_asked_for(world: Source) -> None:
    seen, first = clips(replace(world, label_swap=None), augmentation={"crop": 0.3}), min(world.recordings)
    (batch,) = seen.batches([first], batch_size=1, seed=1)
    assert batch.labels.tolist() == [world.recordings[first].label]
    assert ClipSees(streams=("rgb",), height=16, width=512).cut.width == 512
