"""Weight files of the ConvNeXt authors: a network written in their layout gives the answers of ours."""

from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from vskd.models.convnext import ConvNeXt
from vskd.models.weights.convnext import from_authors_layout, is_authors_layout, to_torchvision
from vskd.models.weights.pretrained import import_weights, load_pretrained

DEPTHS, WIDTHS = (3, 3, 9, 3), (96, 192, 384, 768)


def authors_shapes(classes: int = 1000) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the authors' ConvNeXt-Tiny."""
    shapes: dict[str, tuple[int, ...]] = {
        **{"downsample_layers.0.0.weight": (96, 3, 4, 4), "downsample_layers.0.0.bias": (96,)},
        **{"downsample_layers.0.1.weight": (96,), "downsample_layers.0.1.bias": (96,)},
    }
    for stage, (depth, width) in enumerate(zip(DEPTHS, WIDTHS, strict=True)):
        if stage:
            before, place = WIDTHS[stage - 1], f"downsample_layers.{stage}"
            shapes |= {f"{place}.0.weight": (before,), f"{place}.0.bias": (before,)}
            shapes |= {f"{place}.1.weight": (width, before, 2, 2), f"{place}.1.bias": (width,)}
        for place in (f"stages.{stage}.{number}" for number in range(depth)):
            shapes |= {f"{place}.gamma": (width,), f"{place}.dwconv.weight": (width, 1, 7, 7)}
            shapes |= {f"{place}.{n}": (width,) for n in ("dwconv.bias", "norm.weight", "norm.bias", "pwconv2.bias")}
            shapes |= {f"{place}.pwconv1.weight": (4 * width, width), f"{place}.pwconv1.bias": (4 * width,)}
            shapes[f"{place}.pwconv2.weight"] = (width, 4 * width)
    shapes |= {"norm.weight": (768,), "norm.bias": (768,), "head.weight": (classes, 768), "head.bias": (classes,)}
    return shapes


def authors_state() -> dict[str, Tensor]:
    """Random tensors of these names and shapes."""
    generator = torch.Generator().manual_seed(0)
    state = {}
    for name, shape in authors_shapes().items():
        fan_in = max(1, torch.Size(shape[1:]).numel())
        state[name] = torch.randn(shape, generator=generator) / fan_in**0.5
    return state


def naive_deep(state: dict[str, Tensor], x: Tensor) -> tuple[Tensor, Tensor]:
    """Stem and last map by the authors' description, from their names."""

    def norm(name: str, x: Tensor) -> Tensor:  # over channels, which come last here
        return F.layer_norm(x, x.shape[-1:], state[f"{name}.weight"], state[f"{name}.bias"], 1e-6)

    def conv(name: str, x: Tensor, **options: int) -> Tensor:
        return F.conv2d(x, state[f"{name}.weight"], state[f"{name}.bias"], **options)

    def channels_first_norm(name: str, x: Tensor) -> Tensor:
        return norm(name, x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)

    stem = channels_first_norm("downsample_layers.0.1", conv("downsample_layers.0.0", x, stride=4))
    x = stem
    for stage, depth in enumerate(DEPTHS):
        if stage:
            place = f"downsample_layers.{stage}"
            x = conv(f"{place}.1", channels_first_norm(f"{place}.0", x), stride=2)
        for place in (f"stages.{stage}.{number}" for number in range(depth)):
            inner = conv(f"{place}.dwconv", x, padding=3, groups=x.shape[1]).permute(0, 2, 3, 1)
            inner = F.linear(
                norm(f"{place}.norm", inner), state[f"{place}.pwconv1.weight"], state[f"{place}.pwconv1.bias"]
            )
            inner = F.linear(F.gelu(inner), state[f"{place}.pwconv2.weight"], state[f"{place}.pwconv2.bias"])
            x = x + (inner * state[f"{place}.gamma"]).permute(0, 3, 1, 2)
    return stem, x


def test_authors_files_give_their_answers(tmp_path: Path) -> None:
    state = authors_state()
    torch.save({"model": state}, tmp_path / "convnext_tiny_1k.pth")
    report = import_weights(tmp_path / "convnext_tiny_1k.pth", "convnext-tiny", tmp_path / "ours.safetensors")
    assert report.loaded == len(state) - 2
    assert report.left_out == ("classifier.2.weight", "classifier.2.bias")
    network = ConvNeXt(3, 4).eval()
    load_pretrained(network, tmp_path / "ours.safetensors")
    x = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        outputs = network(x)
        stem, deep = naive_deep(state, network.normalise(x))
        pooled = F.layer_norm(deep.mean((2, 3)), (768,), state["norm.weight"], state["norm.bias"], 1e-6)
    torch.testing.assert_close(outputs.features["shallow"], stem, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(outputs.features["deep"], deep, rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(outputs.embedding, pooled, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("name", ["stages.0.0.surprise.weight", "extra", "stages.x.0.gamma"])
def test_unknown_names_stay_and_are_not_lost(name: str) -> None:
    (renamed,) = from_authors_layout({name: torch.zeros(2)})
    assert renamed == name or renamed.endswith("surprise.weight")


def test_the_layout_is_known_by_its_names() -> None:
    assert is_authors_layout(["norm.weight", "downsample_layers.0.0.weight"])
    assert not is_authors_layout(["features.0.0.weight", "classifier.2.bias"])


def test_only_names_that_begin_so_are_of_the_top() -> None:
    names = {"norm.weight": "classifier.0.weight", "head.bias": "classifier.2.bias", "my.norm.": "my.norm."}
    found = from_authors_layout({name: torch.arange(6.0) for name in names})
    assert list(found) == list(names.values())
    assert all(tensor.shape == (6,) for tensor in found.values())


@pytest.mark.parametrize(
    ("name", "ours", "shape"),
    [
        ("stages.2.7.gamma", "features.5.7.layer_scale", (6, 1, 1)),
        ("stages.0.1.dwconv.bias", "features.1.1.block.0.bias", (6,)),
        ("stages.3.0.norm.weight", "features.7.0.block.2.weight", (6,)),
        ("downsample_layers.0.1.bias", "features.0.1.bias", (6,)),
        ("downsample_layers.3.0.weight", "features.6.0.weight", (6,)),
        ("other.gamma", "other.gamma", (6, 1, 1)),
        ("gamma.x", "gamma.x", (6,)),
    ],
)
def test_names_by_hand(name: str, ours: str, shape: tuple[int, ...]) -> None:
    ((renamed, tensor),) = from_authors_layout({name: torch.arange(6.0)}).items()
    assert (renamed, tuple(tensor.shape)) == (ours, shape)
    assert tensor.flatten().tolist() == [0, 1, 2, 3, 4, 5]


def test_our_own_names_are_left_as_they_are() -> None:
    own = {"features.0.0.weight": torch.zeros(2), "classifier.2.bias": torch.zeros(3)}
    assert to_torchvision(own) == own and to_torchvision(own) is not own
