"""The public EfficientNet-Lite0 file: a network written in its names gives the answers of ours."""

from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from tests.models.test_efficientnet_lite import blocks_of_the_table, same_padding
from vskd.errors import CheckpointError
from vskd.files import sha256_file
from vskd.models.efficientnet_lite import EfficientNetLite0
from vskd.models.weights.efficientnet_lite import LICENCES, from_public_layout, is_public_layout
from vskd.models.weights.pretrained import adapt_input_channels, import_weights, load_pretrained
from vskd.models.weights.state import read_tensors

NAME = "efficientnet-lite0"


def public_shapes(classes: int = 1000) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the public file, in its order."""
    shapes: dict[str, tuple[int, ...]] = {}

    def add(convolution: str, norm: str, *shape: int) -> None:
        shapes[f"{convolution}.weight"] = shape
        shapes.update({f"{norm}.{n}": shape[:1] for n in ("weight", "bias", "running_mean", "running_var")})
        shapes[f"{norm}.num_batches_tracked"] = ()

    add("_conv_stem", "_bn0", 32, 3, 3, 3)
    for number, (before, kernel, _, expansion, out) in enumerate(blocks_of_the_table()):
        place, inner = f"_blocks.{number}", expansion * before
        if expansion > 1:
            add(f"{place}._expand_conv", f"{place}._bn0", inner, before, 1, 1)
        add(f"{place}._depthwise_conv", f"{place}._bn1", inner, 1, kernel, kernel)
        add(f"{place}._project_conv", f"{place}._bn2", out, inner, 1, 1)
    add("_conv_head", "_bn1", 1280, 320, 1, 1)
    return shapes | {"_fc.weight": (classes, 1280), "_fc.bias": (classes,)}


@pytest.fixture(scope="module")
def public() -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(0)
    state = {}
    for name, shape in public_shapes().items():
        fan_in = max(1, torch.Size(shape[1:]).numel())
        tensor = torch.randn(shape, generator=generator) / fan_in**0.5
        if name.endswith("num_batches_tracked"):
            tensor = torch.tensor(7)
        elif name.endswith("running_var"):
            tensor = tensor.abs() + 0.5
        state[name] = tensor
    return state


def naive(state: dict[str, Tensor], x: Tensor) -> tuple[Tensor, Tensor]:
    """Stem and last map by the original's description, from the public names."""

    def layer(convolution: str, norm: str, x: Tensor, stride: int = 1, groups: int = 1) -> Tensor:
        weight = state[f"{convolution}.weight"]
        x = F.conv2d(same_padding(x, weight.shape[-1], stride), weight, stride=stride, groups=groups)
        mean, var, scale, shift = (
            state[f"{norm}.{n}"].view(1, -1, 1, 1) for n in ("running_mean", "running_var", "weight", "bias")
        )
        return (x - mean) / (var + 1e-3).sqrt() * scale + shift

    stem = x = layer("_conv_stem", "_bn0", x, stride=2).clamp(0, 6)
    for number, (before, _, stride, expansion, out) in enumerate(blocks_of_the_table()):
        place, block_input = f"_blocks.{number}", x
        if expansion > 1:
            x = layer(f"{place}._expand_conv", f"{place}._bn0", x).clamp(0, 6)
        x = layer(f"{place}._depthwise_conv", f"{place}._bn1", x, stride, groups=x.shape[1]).clamp(0, 6)
        x = layer(f"{place}._project_conv", f"{place}._bn2", x)
        if stride == 1 and before == out:
            x = x + block_input
    return stem, layer("_conv_head", "_bn1", x).clamp(0, 6)


def test_the_generated_file_is_like_the_public_one() -> None:
    shapes = public_shapes()
    assert len(shapes) == 296  # counted in efficientnet-lite0-57934424.pth
    assert "_blocks.0._expand_conv.weight" not in shapes
    assert shapes["_blocks.1._expand_conv.weight"] == (96, 16, 1, 1)
    assert shapes["_blocks.15._bn2.bias"] == (320,)


@pytest.mark.parametrize("size", [(64, 64), (47, 66)])
def test_public_files_give_their_answers(public: dict[str, Tensor], size: tuple[int, int], tmp_path: Path) -> None:
    torch.save(public, tmp_path / "lite0.pth")
    report = import_weights(tmp_path / "lite0.pth", NAME, tmp_path / "ours.safetensors")
    assert report.loaded == len(public) - 2
    assert report.left_out == ("classifier.1.weight", "classifier.1.bias")
    network = EfficientNetLite0(3, 4).eval()
    load_pretrained(network, tmp_path / "ours.safetensors")
    pixels = torch.randint(0, 256, (2, 3, *size)).float()
    with torch.no_grad():
        outputs = network(pixels / 255)
        stem, deep = naive(public, (pixels - 127) / 128)
    torch.testing.assert_close(outputs.features["shallow"], stem, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(outputs.features["deep"], deep, rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(outputs.embedding, deep.mean((2, 3)), rtol=1e-3, atol=1e-3)
    assert deep.std() > 0.1


def test_grey_images_and_prefixes(public: dict[str, Tensor], tmp_path: Path) -> None:
    torch.save({"state_dict": {f"module.{name}": tensor for name, tensor in public.items()}}, tmp_path / "lite0.pth")
    import_weights(tmp_path / "lite0.pth", NAME, tmp_path / "ours.safetensors")
    network = EfficientNetLite0(1, 4)
    load_pretrained(network, tmp_path / "ours.safetensors")
    assert torch.equal(network.features[0][0].weight, adapt_input_channels(public["_conv_stem.weight"], 1))
    assert network.features[0][1].num_batches_tracked == 7


def test_our_own_names_are_taken_too(tmp_path: Path) -> None:
    network = EfficientNetLite0(3, 5)
    torch.save(network.state_dict(), tmp_path / "own.pth")
    report = import_weights(tmp_path / "own.pth", NAME, tmp_path / "ours.safetensors")
    assert report.loaded == len(network.state_dict()) - 2


def test_another_file_is_refused(public: dict[str, Tensor], tmp_path: Path) -> None:
    changed = {**public, "_blocks.2._bn1.weight": torch.ones(5)}
    del changed["_conv_head.weight"]
    torch.save(changed, tmp_path / "lite0.pth")
    with pytest.raises(CheckpointError, match=rf"does not hold the weights of {NAME}") as caught:
        import_weights(tmp_path / "lite0.pth", NAME, tmp_path / "ours.safetensors")
    assert "1 missing (features.17.0.weight)" in str(caught.value)
    assert "features.3.depthwise.1.weight (5,) instead of (144,)" in str(caught.value)
    assert not (tmp_path / "ours.safetensors").exists()


def test_the_licence_is_that_of_the_very_file(
    public: dict[str, Tensor], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, unknown, known = tmp_path / "lite0.pth", tmp_path / "unknown.safetensors", tmp_path / "known.safetensors"
    torch.save(public, source)
    import_weights(source, NAME, unknown)
    assert read_tensors(unknown)[1]["licence"] == "unknown"
    assert set(LICENCES.values()) == {"Apache-2.0"}
    assert all(digest.startswith("57934424") for digest in LICENCES)  # the public file's name holds its sum's beginning
    monkeypatch.setitem(LICENCES, sha256_file(source), "Apache-2.0")
    import_weights(source, NAME, known)
    assert read_tensors(known)[1]["licence"] == "Apache-2.0"


@pytest.mark.parametrize("name", ["_blocks.0._surprise.weight", "_blocks.x._bn0.weight", "extra", "_bn3.weight"])
def test_unknown_names_stay_and_are_not_lost(name: str) -> None:
    assert list(from_public_layout({name: torch.zeros(2)})) == [name]


def test_the_layout_is_known_by_its_names() -> None:
    assert is_public_layout(["_fc.bias", "_blocks.0._bn1.weight"])
    assert not is_public_layout(["features.0.0.weight", "classifier.1.bias"])
