"""The detector's answers: anchors counted one by one, boxes decoded by hand, overlaps by counting cells."""

import numpy as np
import pytest

from vskd.preprocessing.video.pose_detector import ANCHORS, anchors, overlap, people

INPUT, OVERLAP = 224, 0.3


def test_anchors_in_the_order_of_the_published_loop() -> None:
    """As SSD lists them: layers of equal stride together, row by row, and at each place one of each scale."""
    strides, expected, layer = [8, 16, 32, 32, 32], [], 0
    while layer < len(strides):
        last = layer
        while last < len(strides) and strides[last] == strides[layer]:
            last += 1
        side = INPUT // strides[layer]
        for y in range(side):
            for x in range(side):
                expected += [((x + 0.5) / side, (y + 0.5) / side)] * (2 * (last - layer))
        layer = last
    assert len(expected) == ANCHORS == 2254
    np.testing.assert_allclose(anchors(), expected)


def answers(*rows: tuple[int, float, list[float]]) -> tuple[np.ndarray, np.ndarray]:
    """The network's outputs: nobody anywhere, but (anchor, logit, twelve numbers)."""
    boxes, logits = np.zeros((ANCHORS, 12), np.float32), np.full(ANCHORS, -9.0, np.float32)
    for anchor, logit, numbers in rows:
        boxes[anchor], logits[anchor] = numbers, logit
    return boxes, logits


def test_one_box_by_hand() -> None:
    numbers = [22.4, -11.2, 44.8, 22.4, 0, 0, 22.4, 44.8, -22.4, 0, 0, -44.8]
    (person,) = people(*answers((1568, 2.0, numbers)))  # the first anchor of stride 16, at 0.5 / 14
    x = y = 0.5 / 14
    assert person.score == pytest.approx(1 / (1 + np.exp(-2.0)))
    np.testing.assert_allclose(person.box, [x + 0.1 - 0.1, y - 0.05 - 0.05, x + 0.1 + 0.1, y - 0.05 + 0.05], atol=1e-7)
    expected = [(x, y), (x + 0.1, y + 0.2), (x - 0.1, y), (x, y - 0.2)]
    np.testing.assert_allclose(person.points, expected, atol=1e-7)


def test_who_is_unsure_is_nobody() -> None:
    assert people(*answers((5, -0.01, [9.0] * 12))) == []
    assert len(people(*answers((5, 0.0, [9.0] * 12)))) == 1
    assert people(*answers((5, 1e9, [9.0] * 12)))[0].score == 1


def test_boxes_that_overlap_are_one_person_by_their_scores() -> None:
    """Two anchors at one place are averaged; a third elsewhere is somebody else; the surest comes first."""
    one, two, other = [0.0, 0, 40, 40, *[0.0] * 8], [4.0, 0, 40, 40, *[8.0] * 8], [0.0, 0, 40, 40, *[1.0] * 8]
    found = people(*answers((0, 3.0, one), (1, 1.0, two), (1500, 2.0, other)))
    assert [round(person.score, 4) for person in found] == [0.9526, 0.8808]
    weights = np.array([1 / (1 + np.exp(-3.0)), 1 / (1 + np.exp(-1.0))])
    weights /= weights.sum()
    place = anchors()[0]
    np.testing.assert_allclose(found[0].points, np.broadcast_to(place + weights[1] * 8 / INPUT, (4, 2)), atol=1e-7)
    middle = place[0] + weights[1] * 4 / INPUT
    np.testing.assert_allclose(found[0].box[[0, 2]], [middle - 20 / INPUT, middle + 20 / INPUT], atol=1e-7)


def test_boxes_that_hardly_overlap_are_two_people() -> None:
    apart = 40 * (1 - 2 * OVERLAP / (1 + OVERLAP)) + 1  # of boxes 40 wide, just below the limit
    boxes = [[0.0, 0, 40, 40, *[0.0] * 8], [apart, 0, 40, 40, *[0.0] * 8]]
    assert len(people(*answers((0, 3.0, boxes[0]), (1, 1.0, boxes[1])))) == 2
    boxes[1][0] -= 2
    assert len(people(*answers((0, 3.0, boxes[0]), (1, 1.0, boxes[1])))) == 1


def test_a_box_without_extent_ends() -> None:
    flat = [0.0] * 12
    assert len(people(*answers((0, 3.0, flat), (1, 1.0, flat)))) == 2


def test_overlap_by_counting_cells() -> None:
    rng = np.random.default_rng(1)
    corners = np.sort(rng.integers(0, 12, (9, 2, 2)), axis=1)  # (boxes, low and high, x and y)
    boxes = corners.reshape(9, 4).astype(float)
    grids = []
    for left, top, right, bottom in boxes.astype(int):
        grid = np.zeros((12, 12), bool)
        grid[top:bottom, left:right] = True
        grids.append(grid)
    found = overlap(boxes[0], boxes)
    for value, grid in zip(found, grids, strict=True):
        union = (grid | grids[0]).sum()
        assert value == pytest.approx((grid & grids[0]).sum() / union if union else 0)


def test_the_surest_answer_is_the_score_of_its_person() -> None:
    """A plain number; of answers in any order, and of two people."""
    box = [0.0, 0, 40, 40, *[0.0] * 8]
    found = people(*answers((1, 1.0, box), (0, 3.0, box), (1501, 2.5, box), (1500, 2.0, box)))
    assert [person.score for person in found] == pytest.approx([1 / (1 + np.exp(-3.0)), 1 / (1 + np.exp(-2.5))])
    assert {type(person.score) for person in found} == {float}


def test_of_people_of_equal_scores_the_first_anchor_comes_first() -> None:
    """Every third one of a row of places is surer than the others."""
    ones = list(range(0, 400, 2))
    found = people(*answers(*((k, 3.0 + (k % 3 == 0), [0.0, 0.0, 1.0, 1.0, *[0.0] * 8]) for k in ones)))
    expected = [k for k in ones if k % 3 == 0] + [k for k in ones if k % 3]
    np.testing.assert_allclose([person.points[0] for person in found], anchors()[expected])
