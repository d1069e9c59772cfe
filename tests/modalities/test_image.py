"""Images: those of the files, changed at random with their labels, and as 8-bit pixels where they are deployed."""

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from tests.modalities.conftest import BOX, inputs
from vskd.bundle.contract import ImageContract
from vskd.bundle.encoding import model_input, student_input
from vskd.errors import SettingError
from vskd.modalities.base import Source
from vskd.modalities.image import ImageInputs, ImageSees
from vskd.preprocessing.image.augment import ImageAugmentation
from vskd.preprocessing.image.image_file import read_image
from vskd.schema import explain, parse

CHANGES = {"contrast": 0.3, "gamma": 0.3, "brightness": 0.1, "crop": 0.15, "rotation_deg": 5.0, "erase": 0.3}
SWAP = {"circle": "square", "square": "circle"}


def images(source: Source, **settings: Any) -> ImageInputs:
    made = inputs(source, "image", "image", **{"size": 32, "grey": True, **settings})
    assert isinstance(made, ImageInputs)
    return made


@pytest.mark.parametrize(
    ("settings", "how"),
    [
        ({"grey": True}, {"grey": True}),
        ({"grey": False, "size": 40}, {"size": 40, "grey": False}),
        ({"crop": "box"}, {"box": BOX, "margin": 0.0, "grey": True}),
        ({"crop": "box", "margin": 0.1}, {"box": BOX, "margin": 0.1, "grey": True}),
        ({"crop": "box", "rules": 2}, {"box": BOX, "rules": 2, "grey": True}),
    ],
)
def test_images_are_those_of_the_files(shapes: Source, settings: dict[str, Any], how: dict[str, Any]) -> None:
    ids = sorted(shapes.recordings)[:9]
    (batch,) = images(shapes, **settings).batches(ids, batch_size=20)
    for recording, image in zip(ids, batch.inputs, strict=True):
        path = shapes.recordings[recording].stream("image").path
        expected = read_image(path, **{"size": 32, **how}).transpose(2, 0, 1) / 255
        np.testing.assert_allclose(image.numpy(), expected, atol=1e-7)


def test_an_epoch_against_a_naive_one(shapes: Source) -> None:
    """Order from numpy's permutation, changes from one torch generator that goes on from batch to batch."""
    swapping = replace(shapes, label_swap=SWAP)
    seen = images(swapping, augmentation={**CHANGES, "flip": 0.5})
    ids = sorted(shapes.recordings)
    order, generator = np.random.default_rng(3).permutation(len(ids)), torch.Generator().manual_seed(3)
    change = ImageAugmentation(**CHANGES, flip=0.5, label_swap=(2, 1, 0))
    flipped = 0
    for batch, positions in zip(
        seen.batches(ids, batch_size=16, seed=3), np.array_split(order, -(-len(ids) // 16)), strict=True
    ):
        paths = [shapes.recordings[ids[p]].stream("image").path for p in positions]
        pixels = np.stack([read_image(path, size=32, grey=True) for path in paths])
        plain = torch.tensor([shapes.recordings[ids[p]].label for p in positions])
        expected, labels = change(torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255, plain, generator)
        assert torch.equal(batch.inputs, expected)
        assert batch.labels.tolist() == labels.tolist()
        flipped += int((labels != plain).sum())
    assert seen.mirrored and seen.augmented
    assert 10 < flipped < 40


@pytest.mark.parametrize("key", CHANGES)
def test_each_random_change_reaches_the_images(shapes: Source, key: str) -> None:
    ids = sorted(shapes.recordings)
    seen = images(shapes, augmentation={key: CHANGES[key]})
    assert seen.augmented and not seen.mirrored and not images(shapes).augmented
    (plain,) = images(shapes).batches(ids, batch_size=100, seed=1)
    (changed,) = seen.batches(ids, batch_size=100, seed=1)
    assert plain.ids == changed.ids and not torch.equal(plain.inputs, changed.inputs)


def test_rotations_are_by_degrees(shapes: Source) -> None:
    """At most 0.01 degrees moves no pixel noticeably; 0.01 radians would, at the edges of 32 pixels."""
    ids = sorted(shapes.recordings)
    (plain,) = images(shapes).batches(ids, batch_size=100)
    (turned,) = images(shapes, augmentation={"rotation_deg": 0.01}).batches(ids, batch_size=100, seed=1)
    assert (turned.inputs - plain.inputs[turned.positions]).abs().max() < 0.004
    (turned,) = images(shapes, augmentation={"rotation_deg": 0.6}).batches(ids, batch_size=100, seed=1)
    assert (turned.inputs - plain.inputs[turned.positions]).abs().max() > 0.02


def test_a_training_epoch_holds_every_image_once(shapes: Source) -> None:
    ids, seen = sorted(shapes.recordings), images(shapes, augmentation=CHANGES)
    assert Counter(i for b in seen.batches(ids, batch_size=16, seed=0) for i in b.ids) == Counter(ids)


def test_mirror_images_of_unknown_classes_are_refused(shapes: Source) -> None:
    seen = images(shapes, augmentation={"flip": 0.5})
    with pytest.raises(SettingError, match=r"augmentation\.flip: the classes of 'image-folder' do not fit mirror"):
        seen.batches(sorted(shapes.recordings), batch_size=4, seed=0)
    assert images(shapes, augmentation=CHANGES).batches(sorted(shapes.recordings), batch_size=4, seed=0)


def test_label_swap_by_name_becomes_numbers(shapes: Source) -> None:
    ids = sorted(shapes.recordings)
    seen = images(replace(shapes, label_swap=SWAP), augmentation={"flip": 1.0})
    (batch,) = seen.batches(ids, batch_size=100, seed=0)
    assert batch.labels.tolist() == [2 - k for k in shapes.labels_of(batch.ids)]
    (plain,) = images(shapes).batches(ids, batch_size=100)
    assert torch.equal(batch.inputs, plain.inputs[batch.positions].flip(-1))
    (same,) = images(replace(shapes, label_swap={}), augmentation={"flip": 1.0}).batches(ids, batch_size=100, seed=0)
    assert same.labels.tolist() == shapes.labels_of(same.ids)


def test_every_pixel_value_survives_deployment(shapes: Source) -> None:
    values = torch.arange(256, dtype=torch.uint8)
    seen = images(shapes)
    for rounding in (-0.4, 0.0, 0.4):
        deployed = seen.deployed(((values + rounding) / 255).clamp(0, 1))
        assert deployed.dtype == np.uint8 and deployed.tolist() == list(range(256))
    contract = seen.contract([])
    (batch,) = seen.batches(sorted(shapes.recordings)[:3], batch_size=3)
    for pixels, trained in zip(seen.deployed(batch.inputs), batch.inputs, strict=True):
        fed = model_input(pixels, contract).transpose(2, 0, 1)
        np.testing.assert_allclose(fed, trained.numpy(), atol=1e-7)
        np.testing.assert_array_equal(student_input(pixels, contract), fed)


def test_contract_of_whole_images_and_of_boxes(shapes: Source) -> None:
    placed = replace(shapes, placement="on the dashboard")
    assert images(placed).contract([]) == ImageContract(
        stream="image", placement="on the dashboard", size=32, channels=1, crop="full"
    )
    assert images(placed, crop="box", margin=0.2, grey=False).contract([]) == ImageContract(
        stream="image",
        placement="on the dashboard",
        size=32,
        channels=3,
        crop="box",
        margin=0.2,
        box_of="as in image-folder",
    )
    assert [images(placed, crop="box", **said).contract([]).version for said in ({}, {"rules": 2})] == [1, 2]
    with pytest.raises(SettingError, match="encoding_inside does nothing here: images are not encoded"):
        images(placed).contract([], encoding_inside=True)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ({"rules": 2}, "rules does nothing here: it counts only where crop is box"),
        ({"margin": 0.1}, "margin does nothing here: it counts only where crop is box"),
        ({"crop": "full", "margin": 0.0}, "margin does nothing here: it counts only where crop is box"),
        ({"crop": "face"}, "crop: 'face' is not allowed"),
        ({"size": 16}, "size: input should be greater than or equal to 32"),
        ({"augmentation": {"flip": 1.5}}, "augmentation.flip: input should be less than or equal to 1"),
        ({"augmentation": {"label_swap": [0]}}, "augmentation.label_swap: unknown key"),
    ],
)
def test_what_a_recipe_may_not_say(content: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError) as caught:
        parse(ImageSees, {"streams": ["image"], **content})
    (problem,) = explain(caught.value, ImageSees)
    assert told in problem
    assert parse(ImageSees, {"streams": ["image"], "crop": "box"}).margin == 0.0


def test_what_holds_where_nothing_is_said() -> None:
    sees = ImageSees(streams=("image",))
    assert (sees.size, sees.crop, sees.margin, sees.grey, sees.rules) == (224, "full", None, False, None)
    assert not sees.augmentation.active
    assert (ImageSees(streams=("image",), crop="box").margin, ImageSees(streams=("image",), crop="box").rules) == (0, 1)


@pytest.mark.parametrize(
    "settings",
    [{}, {"grey": False}, {"crop": "box", "margin": 0.2}, {"crop": "box", "rules": 2, "size": 40, "grey": False}],
)
def test_a_contract_asks_for_the_same_images(shapes: Source, settings: dict[str, Any]) -> None:
    seen = images(shapes, **settings)
    contract = seen.contract([])
    assert (contract.stream, contract.sample_shape) == ("image", seen.shape)
    assert contract.box_of == ("as in image-folder" if "crop" in settings else "")
    assert contract.min_side == 8
    asked = ImageInputs.asks(contract)
    assert asked is not None and ("margin" in asked) == ("rules" in asked) == ("crop" in settings)
    assert parse(ImageSees, asked) == seen.sees
    assert seen.network_shape == seen.shape == (3 if settings.get("grey") is False else 1, *contract.sample_shape[1:])


def test_other_modalities_contracts_are_not_its_own(world: Source, shapes: Source) -> None:
    other = inputs(world, "clip", "rgb").contract([])
    assert ImageInputs.asks(other) is None
    assert inputs(world, "clip", "rgb").asks(images(shapes).contract([])) is None
    assert inputs(world, "window", "accelerometer").asks(other) is None


@pytest.mark.parametrize("key", [*CHANGES, "flip"])
def test_changes_need_a_seed_and_only_mirror_images_may_change_classes(shapes: Source, key: str) -> None:
    seen = images(replace(shapes, label_swap={}), augmentation={key: 0.5})
    ids = sorted(shapes.recordings)[:4]
    (plain,), (same,) = images(shapes).batches(ids, batch_size=4), seen.batches(ids, batch_size=4)
    assert torch.equal(plain.inputs, same.inputs)
    assert seen.augmented and seen.mirrored == (key == "flip")
    assert seen.pictures(dict.fromkeys(ids, "caption"), "student") == {}
    assert seen.store_file == images(shapes).store_file
    assert (seen.kind, seen.reads, seen.exported) == ("image", "image", True)


def test_a_damaged_store_is_made_again(shapes: Source, tmp_path: Path) -> None:
    ids = sorted(shapes.recordings)[:3]
    seen = images(replace(shapes, recordings={i: shapes.recordings[i] for i in ids}, cache=tmp_path))
    seen.store_file.write_bytes(b"no store")
    np.testing.assert_array_equal(seen.store.images(ids), images(shapes).store.images(ids))


def test_where_nothing_is_mirrored_no_class_of_a_mirror_image_is_asked_for(shapes: Source) -> None:
    seen, ids = images(replace(shapes, label_swap=None), augmentation={"contrast": 0.3}), sorted(shapes.recordings)[:3]
    (batch,) = seen.batches(ids, batch_size=3, seed=1)
    assert sorted(batch.labels.tolist()) == sorted(shapes.recordings[i].label for i in ids)
