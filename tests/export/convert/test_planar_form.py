"""3-D networks in 2-D layers say the same, and become integers throughout."""

from typing import Any

import numpy as np
import pytest
import torch

from vskd.errors import BundleError
from vskd.export.convert.planar_form import PlanarConv, halved, planar_form
from vskd.models.catalog import build_network, parse_network
from vskd.models.head import Headed
from vskd.network import Network


def network_of(shape: tuple[int, ...], name: str, **settings: Any) -> Network:
    """With statistics and biases that are not those of an untrained one."""
    torch.manual_seed(0)
    network = build_network(parse_network({"name": name, "width": 0.125, **settings}), shape=shape, classes=5).eval()
    with torch.no_grad():
        for key, value in network.state_dict().items():
            if key.endswith(("running_mean", "bias")):
                value.normal_(0, 0.1)
            elif key.endswith("running_var"):
                value.uniform_(0.5, 1.5)
    return network


@pytest.mark.parametrize("shape", [(3, 8, 32, 32), (3, 16, 36, 30), (3, 5, 27, 33), (3, 1, 16, 16)])
@pytest.mark.parametrize("name", ["c3d-lean", "c3d-student", "c3d"])
def test_answers_are_those_of_the_network(name: str, shape: tuple[int, ...]) -> None:
    network, x = network_of(shape, name), torch.rand(1, *shape)
    before = {key: value.clone() for key, value in network.state_dict().items()}
    with torch.no_grad():
        expected, planar = network(x).logits, planar_form(network)
        torch.testing.assert_close(planar(x), expected, atol=1e-5, rtol=1e-4)
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())


@pytest.mark.parametrize(
    ("name", "settings"),
    [("c3d-lean", {"pixels": "motion"}), ("c3d-student", {"pixels": "motion"}), ("c3d-lean", {"pool": "none"})],
)
def test_answers_to_motion_and_to_places_too(name: str, settings: dict[str, str]) -> None:
    network, x = network_of((3, 6, 32, 40), name, **settings), torch.rand(1, 3, 6, 32, 40)
    with torch.no_grad():
        torch.testing.assert_close(planar_form(network)(x), network(x).logits, atol=1e-5, rtol=1e-4)


def test_no_layer_is_3d() -> None:
    kinds = {type(m).__name__ for m in planar_form(network_of((3, 8, 32, 32), "c3d-lean")).modules()}
    assert "Conv2d" in kinds and not {kind for kind in kinds if "Conv3d" in kind or "Norm3d" in kind}


def test_frames_are_halved_by_their_maximum() -> None:
    x = torch.rand(5, 2, 3, 3)
    assert torch.equal(halved(x), torch.stack([torch.maximum(x[0], x[1]), torch.maximum(x[2], x[3]), x[4]]))


@pytest.mark.parametrize(("name", "frames", "kind"), [("mc3-18", 4, "VideoResNet"), ("motion-maps", 17, "MotionMaps")])
def test_other_networks_have_no_such_form(name: str, frames: int, kind: str) -> None:
    network = build_network(parse_network(name), shape=(3, frames, 16, 16), classes=2)
    with pytest.raises(BundleError, match=rf"{kind} has no form in 2-D layers\. Choose c3d-lean"):
        planar_form(network)


@pytest.mark.parametrize("settings", [{}, {"pixels": "motion", "pool": "none"}])
def test_it_becomes_integers_throughout_and_agrees(settings: dict[str, str]) -> None:
    pytest.importorskip("litert_torch", reason="needs the extra 'export'")
    from vskd.bundle.runtime import LiteRTModel
    from vskd.export.checks import check_integer_only
    from vskd.export.convert.litert import convert_float
    from vskd.export.int8.quantize import quantize_int8

    shape = (3, 4, 16, 16)
    planar = planar_form(network_of(shape, "c3d-lean", **settings))
    clips = [np.random.default_rng(n).random(shape, dtype=np.float32) * (n % 3 + 1) / 3 for n in range(12)]
    content = convert_float(planar, torch.rand(1, *shape))
    integers = quantize_int8(content, clips, range_estimator="minmax")
    check_integer_only(integers)
    model, plain = LiteRTModel(integers), LiteRTModel(content)
    with torch.no_grad():
        expected = np.stack([planar(torch.from_numpy(clip)[None])[0].numpy() for clip in clips])
    answers = np.stack([model.predict(clip[np.newaxis])[0] for clip in clips])
    np.testing.assert_allclose(np.stack([plain.predict(c[np.newaxis])[0] for c in clips]), expected, atol=1e-4)
    assert np.corrcoef(answers.ravel(), expected.ravel())[0, 1] > 0.98


def test_a_head_stays_behind_its_body_and_all_of_it_evaluates() -> None:
    shape = (3, 4, 16, 16)
    network = Headed(network_of(shape, "c3d-lean"), shape, 3, 6).eval()
    planar, x = planar_form(network), torch.rand(1, *shape)
    assert not any(part.training for part in (*planar.modules(), *planar_form(network.body).modules()))
    with torch.no_grad():
        torch.testing.assert_close(planar(x), network(x).logits, atol=1e-5, rtol=1e-4)


def test_channels_that_hardly_vary_are_normalised_as_they_were() -> None:
    """Where the constant that is added to the variance counts."""
    torch.manual_seed(0)
    layer = torch.nn.Sequential(torch.nn.Conv3d(2, 3, 3, padding=1), torch.nn.BatchNorm3d(3)).eval()
    layer[1].running_var.copy_(torch.tensor([1e-5, 4e-5, 1.0]))
    layer[1].running_mean.copy_(torch.tensor([0.1, -0.2, 0.3]))
    x = torch.rand(4, 2, 5, 6)
    with torch.no_grad():
        expected = torch.relu(layer(x.transpose(0, 1)[None]))[0].transpose(0, 1)
        torch.testing.assert_close(PlanarConv(layer)(x), expected, rtol=1e-4, atol=1e-3)


def test_a_layer_that_is_no_3d_convolution_is_refused() -> None:
    with pytest.raises(BundleError, match="Conv2d is no 3-D convolution"):
        PlanarConv(torch.nn.Conv2d(2, 3, 3))
