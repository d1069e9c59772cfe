"""Baselines against naive loops and scikit-learn."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.metrics import accuracy_score, f1_score, recall_score
from sklearn.neighbors import KNeighborsClassifier

from vskd.datasets.images import image_baselines
from vskd.datasets.images.image_baselines import (
    labels_of,
    majority,
    nearest_frames,
    nearest_picture,
    score,
    standardised,
    thumbnails,
)
from vskd.datasets.recording import Recording, Stream


def frame(number: int, clip: str = "a", label: int = 0, **more: object) -> Recording:
    position = number if clip else None
    return Recording(f"{clip}-{number}", "1", "1", label, "1", {}, clip=clip, position=position, **more)  # type: ignore[arg-type]


def test_scores_are_scikit_learn_s() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 5, 400)
    predictions = np.where(rng.random(400) < 0.6, labels, rng.integers(0, 5, 400))
    got = score(labels, predictions)
    assert got.accuracy == pytest.approx(accuracy_score(labels, predictions))
    assert got.macro_f1 == pytest.approx(f1_score(labels, predictions, average="macro"))
    assert got.macro_recall == pytest.approx(recall_score(labels, predictions, average="macro"))


def test_a_class_that_is_only_predicted_counts_as_nought() -> None:
    """As scikit-learn has it; class 2 is neither, and counts nowhere."""
    labels, predictions = np.array([0, 0, 3]), np.array([0, 1, 3])
    got = score(labels, predictions)
    assert got.accuracy == pytest.approx(2 / 3)
    assert got.macro_recall == pytest.approx((0.5 + 0 + 1) / 3)
    assert got.macro_recall == pytest.approx(recall_score(labels, predictions, average="macro", zero_division=0))
    assert got.macro_f1 == pytest.approx((2 / 3 + 0 + 1) / 3)
    assert got.macro_f1 == pytest.approx(f1_score(labels, predictions, average="macro", zero_division=0))


def test_majority() -> None:
    assert majority(np.array([2, 1, 2, 1, 0]), 3).tolist() == [1, 1, 1]


def naive_nearest(train: list[Recording], test: list[Recording]) -> list[tuple[int, int]]:
    result = []
    for asked in test:
        best = (-1, -1)
        for number, known in sorted(enumerate(train), key=lambda pair: (pair[1].position or 0, pair[0])):
            if asked.clip and known.clip == asked.clip:
                assert known.position is not None and asked.position is not None
                distance = abs(known.position - asked.position)
                if best[0] < 0 or distance < best[0]:
                    best = (distance, number)
        result.append(best)
    return result


def test_nearest_frames_against_a_loop() -> None:
    rng = np.random.default_rng(1)
    frames = [
        frame(int(n), "abcd"[int(c)]) for n, c in zip(rng.integers(0, 60, 90), rng.integers(0, 4, 90), strict=True)
    ]
    train = [f for f in frames[:50] if f.clip != "d"]
    test = [*frames[50:], frame(3, ""), frame(500, "a"), frame(0, "b")]
    got = nearest_frames(train, test)
    expected = naive_nearest(train, test)
    assert got.distance.tolist() == [d for d, _ in expected]
    for index, (_, wanted) in zip(got.index.tolist(), expected, strict=True):
        same = (index < 0) == (wanted < 0)
        assert same and (index < 0 or train[index].position == train[wanted].position)
    assert got.share_within(1) == np.mean([0 <= d <= 1 for d, _ in expected])
    assert got.known.sum() == sum(d >= 0 for d, _ in expected) < len(test)


def test_of_two_equally_near_frames_the_earlier_counts() -> None:
    train = [frame(12, label=2), frame(8, label=1)]
    got = nearest_frames(train, [frame(10), frame(9), frame(11), frame(8)])
    assert got.index.tolist() == [1, 1, 0, 1]
    assert got.distance.tolist() == [2, 1, 1, 0]


def test_frames_without_clip_or_position_have_no_neighbour() -> None:
    got = nearest_frames([frame(1, "")], [frame(1, ""), frame(1, "a")])
    assert not got.known.any() and got.share_within(100) == 0
    assert not nearest_frames([], [frame(1)]).known.any()


def test_nearest_picture_is_scikit_learn_s() -> None:
    rng = np.random.default_rng(2)
    train, test = (rng.normal(size=(n, 18, 32)).astype(np.float32) for n in (200, 90))
    labels = rng.integers(0, 4, 200)
    reference = KNeighborsClassifier(1, algorithm="brute").fit(train.reshape(200, -1), labels)
    np.testing.assert_array_equal(nearest_picture(train, labels, test), reference.predict(test.reshape(90, -1)))


def test_mirrored_training_pictures_count_with_the_swapped_label(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_baselines, "_BLOCK", 7)
    rng = np.random.default_rng(3)
    train, test = (rng.normal(size=(n, 18, 32)).astype(np.float32) for n in (60, 40))
    labels, swap = rng.integers(0, 3, 60), [0, 2, 1]
    both = np.concatenate([train, train[:, :, ::-1]])
    classes = np.concatenate([labels, np.array(swap)[labels]])
    reference = KNeighborsClassifier(1, algorithm="brute").fit(both.reshape(120, -1), classes)
    got = nearest_picture(train, labels, test, swap)
    np.testing.assert_array_equal(got, reference.predict(test.reshape(40, -1)))
    assert (got != nearest_picture(train, labels, test)).any()
    np.testing.assert_array_equal(nearest_picture(train, labels, train[:, :, ::-1], swap), np.array(swap)[labels])


def stored(path: Path, name: str) -> Recording:
    stream = Stream("image", "image", path, 0.0, "uint8")
    return Recording(name, "1", "1", 0, "1", {"image": stream})


def test_thumbnails_are_standardised_means(tmp_path: Path, image_file: Callable[..., Path]) -> None:
    paths = [image_file(tmp_path / f"{n}.png", size=(320, 180), seed=n) for n in range(2)]
    flat = tmp_path / "flat.png"
    Image.new("L", (64, 36), 90).save(flat)
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8\xff\xe0 cut")
    recordings = [stored(paths[0], "a"), stored(broken, "b"), stored(paths[1], "c"), stored(flat, "d")]
    got = thumbnails(recordings)
    assert (got.row, got.pixels.shape) == ({"a": 0, "c": 1, "d": 2}, (3, 18, 32))
    assert list(got.unreadable) == ["b"] and "broken.jpg is no readable" in got.unreadable["b"]
    means = np.asarray(Image.open(paths[1])).reshape(18, 10, 32, 10).mean(axis=(1, 3))
    expected = (means - means.mean()) / means.std()
    np.testing.assert_allclose(got.of([recordings[2]])[0], expected, atol=1e-4)
    assert (got.of([recordings[3]]) == 0).all()
    assert labels_of(recordings).tolist() == [0, 0, 0, 0]


def test_colours_are_grey_as_decoded_and_pictures_upright(tmp_path: Path) -> None:
    """Grey levels are whole numbers by PIL's weights, before means are taken; a rotation mark is applied."""
    pixels = np.random.default_rng(0).integers(0, 256, (180, 320, 3)).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "colour.png")
    turned = Image.Exif()
    turned[0x0112] = 3  # upside down
    Image.fromarray(pixels).save(tmp_path / "turned.png", exif=turned)
    got = thumbnails([stored(tmp_path / "colour.png", "a"), stored(tmp_path / "turned.png", "b")])
    means = np.asarray(Image.fromarray(pixels).convert("L")).reshape(18, 10, 32, 10).mean(axis=(1, 3))
    expected = (means - means.mean()) / means.std()
    np.testing.assert_allclose(got.pixels[0], expected, atol=2e-5)
    np.testing.assert_allclose(got.pixels[1], expected[::-1, ::-1], atol=2e-5)
    unrounded = np.asarray(Image.fromarray(pixels).convert("F")).reshape(18, 10, 32, 10).mean(axis=(1, 3))
    assert np.abs((unrounded - unrounded.mean()) / unrounded.std() - expected).max() > 1e-4


def test_a_stream_of_another_name_and_one_that_is_not_there(tmp_path: Path) -> None:
    Image.new("L", (64, 36), 90).save(tmp_path / "a.png")
    got = thumbnails([stored(tmp_path / "a.png", "a")], "rgb")
    assert (got.row, list(got.unreadable)) == ({}, ["a"])
    assert got.pixels.shape == (0, 18, 32)


def test_pictures_of_nearly_one_colour_are_flat() -> None:
    """A deviation of a thousandth of a grey level is rounding."""
    wave = np.tile(np.array([1.0, -1.0], np.float32), (18, 16))
    assert not standardised(90 + 0.0009 * wave).any()
    np.testing.assert_allclose(standardised(90 + 0.01 * wave), wave, atol=2e-3)


def test_blocks_of_training_pictures_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(4)
    train, test = (rng.normal(size=(n, 4, 5)).astype(np.float32) for n in (50, 20))
    train[30] = train[3]
    test[0] = train[3]
    labels = np.arange(50)
    whole = nearest_picture(train, labels, test)
    assert whole[0] == 3  # of equals the first
    monkeypatch.setattr(image_baselines, "_TRAIN_BLOCK", 7)
    np.testing.assert_array_equal(nearest_picture(train, labels, test), whole)


@pytest.mark.parametrize(("labels", "said"), [([0, 1, 4], [0, 1, 1]), ([0, 1, 1], [0, 1, 4])])
def test_a_class_that_is_only_said_or_only_there_counts(labels: list[int], said: list[int]) -> None:
    found = score(np.array(labels), np.array(said))
    f1 = [1.0, 2 / 3, 0.0]
    recall = [1.0, 1.0, 0.0] if labels[2] == 4 else [1.0, 0.5, 0.0]
    assert (found.accuracy, found.macro_f1, found.macro_recall) == pytest.approx((2 / 3, np.mean(f1), np.mean(recall)))
