"""Convolutions whose gradient the CPU library computes wrongly in bfloat16 are found, and refused."""

import logging
import platform

import pytest
import torch
from torch import nn

from vskd.distillation.bfloat16 import over_two_frames, refuse_wrong_gradients, strided_on_a_pixel, warn_where_slow
from vskd.errors import RecipeError
from vskd.models.catalog import build_network, parse_network
from vskd.network import Network, Outputs


class Convolutions(Network):
    """Convolutions one after another."""

    embedding_size = 2

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, x: torch.Tensor) -> Outputs:
        embedding = self.layers(x).mean(dim=tuple(range(2, x.ndim)))
        return Outputs(embedding, embedding)


@pytest.mark.parametrize(
    ("layer", "side", "found"),
    [
        (nn.Conv2d(2, 2, 3, stride=2, padding=1), 1, True),
        (nn.Conv2d(2, 2, 3, stride=2, padding=1), 2, False),
        (nn.Conv2d(2, 2, 3, stride=1, padding=1), 1, False),
        (nn.Conv2d(2, 2, 1, stride=2), 1, False),
        (nn.Conv2d(2, 2, 2, stride=2, padding=1), 1, True),
        (nn.Conv2d(2, 2, 3, stride=3, padding=1), 1, True),
    ],
)
def test_a_stride_over_one_pixel_is_found(layer: nn.Module, side: int, found: bool) -> None:
    network = Convolutions(nn.Identity(), layer)
    assert strided_on_a_pixel(network, (2, side, side)) == (("layers.1",) if found else ())
    assert not any(module._forward_pre_hooks for module in network.modules())
    assert network.training


@pytest.mark.parametrize(("side", "refused"), [(32, True), (33, True), (40, False), (64, False)])
def test_the_student_of_krca_is_refused_at_32_and_33_pixels(
    side: int, refused: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = build_network(parse_network("squeezenet-lw"), shape=(3, side, side), classes=3)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    if refused:
        with pytest.raises(RecipeError, match=rf"precision is bfloat16, but at {side} x {side} pixels.*features\.\d+"):
            refuse_wrong_gradients(network, (3, side, side))
        monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    refuse_wrong_gradients(network, (3, side, side))


@pytest.mark.parametrize(
    ("layer", "frames", "found"),
    [
        (nn.Conv3d(2, 2, 3, padding=1), 2, True),
        (nn.Conv3d(2, 2, 3, padding=1), 1, False),
        (nn.Conv3d(2, 2, 3, padding=1), 3, False),
        (nn.Conv3d(2, 2, (1, 3, 3), padding=(0, 1, 1)), 2, False),
    ],
)
def test_a_convolution_over_two_frames_is_found(layer: nn.Module, frames: int, found: bool) -> None:
    network = Convolutions(nn.Identity(), layer)
    assert over_two_frames(network, (2, frames, 4, 4)) == (("layers.1",) if found else ())


@pytest.mark.parametrize(("frames", "refused"), [(8, True), (16, True), (17, False), (24, False)])
def test_the_lean_network_is_refused_at_8_and_16_frames(
    frames: int, refused: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    shape = (3, frames, 16, 16)
    network = build_network(parse_network({"name": "c3d-lean", "width": 0.1}), shape=shape, classes=3)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    if refused:
        with pytest.raises(RecipeError, match=rf"bfloat16, but of clips of {frames} frames layer 'conv\d"):
            refuse_wrong_gradients(network, shape)
        monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    refuse_wrong_gradients(network, shape)


@pytest.mark.parametrize(
    ("layer", "size", "found"),
    [
        (nn.Conv2d(2, 2, (1, 3), stride=(1, 2), padding=(0, 1)), (1, 1), True),
        (nn.Conv2d(2, 2, (3, 1), stride=(2, 1), padding=(1, 0)), (1, 1), True),
        (nn.Conv2d(2, 2, 3, stride=2, padding=1), (1, 2), False),
        (nn.Conv2d(2, 2, 3, stride=2, padding=1), (2, 1), False),
    ],
)
def test_one_direction_is_enough_and_a_row_of_pixels_is_no_single_one(
    layer: nn.Module, size: tuple[int, int], found: bool
) -> None:
    assert bool(strided_on_a_pixel(Convolutions(layer), (2, *size))) is found


@pytest.mark.parametrize(
    ("kernel", "padding", "frames", "found"),
    [
        ((3, 1, 1), (1, 0, 0), 2, True),
        ((2, 3, 3), (1, 1, 1), 2, False),
        ((5, 1, 1), (2, 0, 0), 2, True),
        ((3, 3, 3), (1, 1, 1), 4, False),
    ],
)
def test_frames_count_and_not_pixels(
    kernel: tuple[int, int, int], padding: tuple[int, int, int], frames: int, found: bool
) -> None:
    layer = nn.Conv3d(2, 2, kernel, padding=padding)
    assert bool(over_two_frames(Convolutions(layer), (2, frames, 2, 2))) is found
    assert strided_on_a_pixel(Convolutions(nn.Conv3d(2, 2, 3, stride=2, padding=1)), (2, 1, 1, 1)) == ()


def test_a_layer_that_is_used_twice_is_named_once_and_the_first_first() -> None:
    shared = nn.Conv2d(2, 2, 3, stride=2, padding=1)
    network = Convolutions(shared, nn.Conv2d(2, 2, 3, stride=2, padding=1), shared)
    assert strided_on_a_pixel(network, (2, 1, 1)) == ("layers.0", "layers.1")


@pytest.mark.parametrize(
    ("machine", "capability", "gpu", "slow"),
    [
        ("x86_64", "AVX2", False, True),
        ("x86_64", "DEFAULT", False, True),
        ("x86_64", "AVX512", False, False),
        ("x86_64", "AVX2", True, False),
        ("aarch64", "DEFAULT", False, False),
    ],
)
def test_a_processor_without_its_instructions_is_warned_of(
    machine: str,
    capability: str,
    gpu: bool,
    slow: bool,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: machine)
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: capability)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpu)
    with caplog.at_level(logging.WARNING):
        warn_where_slow()
    assert ("--set student.training.precision=float32" in caplog.text) is slow
