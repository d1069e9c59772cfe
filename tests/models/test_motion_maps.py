"""Motion maps against sums written out pixel by pixel; what of a movement they keep, and what not."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from vskd.errors import SettingError
from vskd.models.catalog import build_network, parse_network
from vskd.models.motion_maps import MotionMaps, motion_maps

RECIPE = (3, 33, 48, 48)


def network(shape: tuple[int, ...] = RECIPE, classes: int = 27, **settings: float) -> MotionMaps:
    built = build_network(parse_network({"name": "motion-maps", **settings}), shape=shape, classes=classes)
    assert isinstance(built, MotionMaps)
    return built


@pytest.mark.parametrize(("frames", "parts"), [(9, 4), (8, 3), (2, 1), (6, 5)])
def test_maps_are_those_of_a_naive_count(frames: int, parts: int) -> None:
    clips = torch.rand(2, 3, frames, 4, 5, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    made = motion_maps(clips, parts)
    assert made.shape == (2, 6, parts, 4, 5)
    for clip, channel, row, column in np.ndindex(2, 3, 4, 5):
        pixel = clips[clip, channel, :, row, column].tolist()
        change = [after - before for before, after in pairwise(pixel)]
        for part in range(parts):
            first, end = (math.floor(p * len(change) / parts) for p in (part, part + 1))
            own = change[first:end]
            amount, signed = (made[clip, c, part, row, column].item() for c in (channel, 3 + channel))
            assert amount == pytest.approx(sum(abs(c) for c in own) / len(own))
            assert signed == pytest.approx((pixel[end] - pixel[first]) / len(own)), "what is left of it in the end"


def dot(path: list[int]) -> Tensor:
    """A bright pixel that goes along a row, (1, 1, frames, 1, 9)."""
    clip = torch.zeros(1, 1, len(path), 1, 9)
    for frame, column in enumerate(path):
        clip[0, 0, frame, 0, column] = 1
    return clip


def test_direction_is_seen_and_what_does_not_move_is_not() -> None:
    there, back = (motion_maps(dot(path), 1)[0, :, 0, 0] for path in (list(range(9)), list(range(8, -1, -1))))
    assert torch.equal(there[0], back[0]), "how much moved where is the same"
    assert torch.equal(there[1], -back[1]), "what is dark in the end is bright in the other"
    scene = torch.rand(1, 1, 1, 1, 9) * 0.5
    torch.testing.assert_close(motion_maps(dot([1, 2, 3]) / 2 + scene, 2), motion_maps(dot([1, 2, 3]) / 2, 2))


@pytest.mark.parametrize(("shape", "parts"), [((3, 17, 32, 24), 8), ((3, 12, 17, 48), 5)])
def test_answers_are_those_of_a_2d_network_on_each_part_and_a_1d_one_over_them(
    shape: tuple[int, ...], parts: int
) -> None:
    torch.manual_seed(0)
    net, clips = network(shape, 5, parts=parts, width=0.25), torch.rand(2, *shape)
    net(clips)  # moves the running statistics away from their first values
    net.eval()
    state = net.state_dict()

    def normal(x: Tensor, at: str) -> Tensor:
        return F.batch_norm(x, *(state[f"{at}.{n}"] for n in ("running_mean", "running_var", "weight", "bias")))

    with torch.no_grad():
        made, maps, rows = net(clips), motion_maps(clips, parts), []
        for part in range(parts):
            x = normal(maps[:, :, part], "normalise")
            for block, padding in enumerate((2, 1, 1)):
                kernel = state[f"pictures.{block}.0.weight"][:, :, 0]
                x = F.relu(normal(F.conv2d(x, kernel, stride=2, padding=padding), f"pictures.{block}.1"))
            x = x.flatten(1) @ state["join.0.weight"].flatten(1).T
            rows.append(F.relu(normal(x, "join.1")))
        series = torch.stack(rows, dim=2)
        torch.testing.assert_close(made.features["parts"], series, rtol=1e-4, atol=1e-5)
        for step in range(3):
            x = F.conv1d(series, state[f"series.{step}.0.weight"], padding=1)
            series = F.max_pool1d(F.relu(normal(x, f"series.{step}.1")), 2, ceil_mode=True)
        embedding = F.relu(series.flatten(1) @ state["embed.0.weight"].T + state["embed.0.bias"])
        torch.testing.assert_close(made.embedding, embedding, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(made.logits, embedding @ state["classifier.weight"].T + state["classifier.bias"])


@pytest.mark.parametrize("size", [(48, 48), (32, 32), (40, 17), (16, 16)])
def test_its_size_is_that_of_the_layers_on_paper(size: tuple[int, int]) -> None:
    classes, places = 27, math.ceil(size[0] / 8) * math.ceil(size[1] / 8)
    pictures = 6 * 24 * 25 + 24 * 48 * 9 + 48 * 64 * 9 + 2 * (6 + 24 + 48 + 64)
    series = 64 * places * 128 + 3 * 128 * 128 * 3 + 2 * 128 * 4
    wanted = pictures + series + (2 * 128 + 1) * 128 + (128 + 1) * classes
    assert sum(parameter.numel() for parameter in network((3, 33, *size), classes).parameters()) == wanted


def test_a_part_without_motion_is_refused() -> None:
    with pytest.raises(SettingError, match="16 parts of a clip of 16 frames leave one without motion") as caught:
        network((3, 16, 32, 32))
    assert caught.value.action == "Set length to 17 or more, or parts to less"
    assert network((3, 17, 32, 32)).parts == 16


def test_what_a_network_is_where_nothing_is_said() -> None:
    assert parse_network("motion-maps").model_dump() == {
        "name": "motion-maps",
        "width": 1.0,
        "parts": 16,
        "embedding_size": 128,
        "dropout": 0.3,
    }
    assert network().dropout.p == 0.3 and network(dropout=0.1, embedding_size=9).embedding_size == 9
    assert list(network((3, 9, 16, 16), 2, parts=4, width=0.1).eval()(torch.rand(1, 3, 9, 16, 16)).features) == [
        *("block1", "block2", "block3", "shallow", "deep", "parts"),
    ]


@pytest.mark.parametrize(("width", "channels"), [(0.001, [1, 1, 1, 1]), (0.1, [2, 5, 6, 13])])
def test_no_layer_is_narrowed_away(width: float, channels: list[int]) -> None:
    narrow = network((3, 9, 16, 16), 2, parts=4, width=width)
    layers = [m for m in narrow.modules() if isinstance(m, torch.nn.Conv3d)]
    assert [layer.out_channels for layer in layers] == channels
