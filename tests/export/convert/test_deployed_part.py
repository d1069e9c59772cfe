"""What is converted says what the student says, and the student stays as it is."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from tests.export.conftest import TinyImageNet, seeded, sensor_contract, windows
from vskd.bundle.contract import ClipContract, ImageContract
from vskd.bundle.encoding import model_input
from vskd.bundle.runtime import LiteRTModel
from vskd.distillation.model import Model
from vskd.export.convert.deployed_part import convert_part, deployed_part
from vskd.models.catalog import build_network, parse_network


@pytest.mark.parametrize("inside", [False, True])
def test_the_part_gives_the_students_logits(tiny_student: Model, inside: bool) -> None:
    contract = sensor_contract(encoding_inside=inside)
    part = deployed_part(tiny_student, contract)
    assert any("front" in name for name, _ in part.named_modules()) is inside
    assert not any(type(layer) is nn.Linear for layer in part.modules())  # each is a 1x1 convolution
    for window in windows(3):
        with torch.no_grad():
            found = part(torch.from_numpy(model_input(window, contract)[None]))
            expected = tiny_student(torch.from_numpy(window[None])).logits
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_an_encoding_inside_computes_in_single_precision_but_the_students_own_does_not(
    tiny_student: Model,
) -> None:
    part = deployed_part(tiny_student, sensor_contract(encoding_inside=True))
    assert part.network.front.precision == "float32"
    assert tiny_student.front.precision != "float32"


def test_a_part_of_images_takes_channels_last_and_gives_the_students_logits() -> None:
    student = Model(nn.Identity(), seeded(TinyImageNet)).eval()
    contract = ImageContract(stream="image", size=16, channels=3, crop="full")
    images = torch.from_numpy(np.random.default_rng(0).random((2, 3, 16, 16), dtype=np.float32))
    with torch.no_grad():
        found = deployed_part(student, contract)(images.permute(0, 2, 3, 1))
        torch.testing.assert_close(found, student(images).logits, rtol=1e-4, atol=1e-5)


def test_a_student_that_was_trained_with_channels_last_is_converted_and_stays_so(tiny_student: Model) -> None:
    student = copy.deepcopy(tiny_student).to(memory_format=torch.channels_last)
    contract = sensor_contract()
    part = deployed_part(student, contract)
    model = LiteRTModel(convert_part(part, contract))
    assert all(value.is_contiguous() for value in part.state_dict().values())
    for window in windows(3):
        with torch.no_grad():
            expected = student(torch.from_numpy(window[None])).logits.numpy()
        np.testing.assert_allclose(model.predict(model_input(window, contract)[None]), expected, rtol=1e-4, atol=1e-5)
    weight = student.network.second.weight
    assert weight.is_contiguous(memory_format=torch.channels_last) and not weight.is_contiguous()


def test_a_part_of_clips_is_the_network_in_two_dimensions() -> None:
    torch.manual_seed(0)
    shape = (3, 4, 16, 16)
    network = build_network(parse_network({"name": "c3d-lean", "width": 0.125}), shape=shape, classes=4).eval()
    contract = ClipContract(stream="rgb", length=4, height=16, width=16, fit="squash", sampling="spread")
    part, clip = deployed_part(Model(nn.Identity(), network), contract), torch.rand(1, *shape)
    assert not any(isinstance(layer, nn.Conv3d) for layer in part.modules())
    with torch.no_grad():
        torch.testing.assert_close(part(clip), network(clip).logits, rtol=1e-4, atol=1e-5)
