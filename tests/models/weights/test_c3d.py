"""Sports-1M C3D: names and shapes of the public files, and that a Keras network of them says the same."""

from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
from torch.nn import functional as F

from vskd.errors import CheckpointError
from vskd.models.weights.c3d import SPORTS, take_c3d, to_plain
from vskd.models.weights.weight_file import read_public

CHANNELS = {
    **{"conv1": (3, 64), "conv2": (64, 128), "conv3a": (128, 256), "conv3b": (256, 256), "conv4a": (256, 512)},
    **{"conv4b": (512, 512), "conv5a": (512, 512), "conv5b": (512, 512)},
    **{"fc6": (8192, 4096), "fc7": (4096, 4096), "fc8": (4096, SPORTS)},
}
SOURCE = Path("c3d.pickle")


def hollow(*shape: int) -> torch.Tensor:
    """Zeros of a shape, in the memory of one number."""
    return torch.zeros(1).expand(shape)


def public() -> dict[str, torch.Tensor]:
    """The names and shapes of the public PyTorch file."""
    made = {}
    for layer, (inputs, outputs) in CHANNELS.items():
        made[f"{layer}.weight"] = hollow(outputs, inputs, *([3, 3, 3] if layer.startswith("conv") else []))
        made[f"{layer}.bias"] = hollow(outputs)
    return made


def keras() -> dict[str, torch.Tensor]:
    """Those of the public Keras file."""
    made = {}
    for layer, (inputs, outputs) in CHANNELS.items():
        kernel = (3, 3, 3, inputs, outputs) if layer.startswith("conv") else (inputs, outputs)
        made[f"{layer}/{layer}/kernel:0"], made[f"{layer}/{layer}/bias:0"] = hollow(*kernel), hollow(outputs)
    return made


@pytest.mark.parametrize("make", [public, keras])
def test_names_and_shapes_of_the_public_files_fit(make: object) -> None:
    taken, left_out = take_c3d({**make(), "optimizer/step": hollow(1)}, SOURCE)  # type: ignore[operator]
    assert len(taken) == 22 and left_out == ("optimizer/step",)
    assert {name for name in taken if "conv1" in name} == {"trunk.conv1.weight", "trunk.conv1.bias"}
    assert tuple(taken["trunk.conv3a.weight"].shape) == (256, 128, 3, 3, 3)
    assert tuple(taken["fc8.weight"].shape) == (SPORTS, 4096)


def test_names_of_mmaction2_fit_and_its_classifier_is_not_missed() -> None:
    renamed = {}
    for name, tensor in public().items():
        layer, kind = name.split(".")
        if layer != "fc8":
            layer = {"conv1": "conv1a", "conv2": "conv2a"}.get(layer, layer)
            renamed[f"{layer}.conv.{kind}" if layer.startswith("conv") else name] = tensor
    taken, left_out = take_c3d(renamed, SOURCE)
    assert len(taken) == 20 and not left_out


def test_another_network_is_refused() -> None:
    lacking = public()
    del lacking["conv5b.bias"]
    lacking["fc6.weight"] = hollow(4096, 4608)
    with pytest.raises(CheckpointError, match=r"C3D: 1 missing \(trunk.conv5b.bias\); 1 of another shape \(fc6.weight"):
        take_c3d(lacking, SOURCE)


def test_a_keras_layer_says_the_same_in_our_layout(tmp_path: Path) -> None:
    """A convolution and fc6, computed with channels last as Keras does."""
    random = np.random.default_rng(0)
    kernel, dense = random.normal(size=(3, 3, 3, 2, 5)).astype("f4"), random.normal(size=(16 * 5, 7)).astype("f4")
    with h5py.File(tmp_path / "w.h5", "w") as file:
        file["conv1/conv1/kernel:0"], file["conv1/conv1/bias:0"] = kernel, np.ones(5, "f4")
        file["fc6/fc6_W"], file["fc6/fc6_b"] = dense, np.ones(7, "f4")
        file.attrs["layer_names"] = ["conv1", "fc6"]
    plain = to_plain(read_public(tmp_path / "w.h5"))
    assert plain.keys() == {"conv1.weight", "conv1.bias", "fc6.weight", "fc6.bias"}
    x = random.normal(size=(1, 4, 4, 2)).astype("f4")  # frames, height, width, channels
    naive = np.zeros((1, 4, 4, 5))
    padded = np.pad(x, [(1, 1), (1, 1), (1, 1), (0, 0)])
    for t, y, z in np.ndindex(1, 4, 4):
        naive[t, y, z] = np.einsum("tyxi,tyxio->o", padded[t : t + 3, y : y + 3, z : z + 3], kernel)
    ours = F.conv3d(torch.from_numpy(x).permute(3, 0, 1, 2)[None], plain["conv1.weight"], padding=1)
    np.testing.assert_allclose(ours[0].permute(1, 2, 3, 0).numpy(), naive, atol=1e-4)
    flat = ours.flatten(1) @ plain["fc6.weight"].T
    np.testing.assert_allclose(flat[0].numpy(), naive.astype("f4").reshape(-1) @ dense, rtol=1e-3, atol=1e-3)


def test_what_is_no_keras_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bad.h5").write_bytes(b"no HDF5")
    with pytest.raises(CheckpointError, match=r"bad.h5 is damaged or not HDF5"):
        read_public(tmp_path / "bad.h5")
    with pytest.raises(CheckpointError, match="does not exist"):
        read_public(tmp_path / "none.h5")


def test_there_are_as_many_classes_as_sports() -> None:
    assert SPORTS == 487


@pytest.mark.parametrize("lost", ["weight", "bias"])
def test_half_a_classifier_is_taken_as_far_as_it_is_there(lost: str) -> None:
    """fc8 is optional, tensor by tensor."""
    file = public()
    del file[f"fc8.{lost}"]
    taken, left_out = take_c3d(file, SOURCE)
    assert len(taken) == 21 and f"fc8.{lost}" not in taken and not left_out


def test_halves_become_float32_and_what_is_left_out_goes_by_its_own_name() -> None:
    file = {**{name: tensor.half() for name, tensor in public().items()}, "conv1a.conv.extra": hollow(1)}
    taken, left_out = take_c3d(file, SOURCE)
    assert {tensor.dtype for tensor in taken.values()} == {torch.float32}
    assert left_out == ("conv1a.conv.extra",)


@pytest.mark.parametrize(
    ("name", "plain", "shape"),
    [
        ("conv3a/conv3a/kernel:0", "conv3a.weight", (6, 5, 2, 3, 4)),
        ("conv3a_1/conv3a/W", "conv3a.weight", (6, 5, 2, 3, 4)),
        ("conv3a/kernel", "conv3a.weight", (6, 5, 2, 3, 4)),
        ("fc7/fc7_W", "fc7.weight", (3, 2)),
        ("fc8/fc8/bias:0", "fc8.bias", (2,)),
        ("fc8/b", "fc8.bias", (2,)),
        ("conv3a.weight", "conv3a.weight", (2, 3)),
        ("pool1/pool1/kernel:0", "pool1/pool1/kernel:0", (2, 3)),
    ],
)
def test_keras_names_and_layouts_by_hand(name: str, plain: str, shape: tuple[int, ...]) -> None:
    given = {5: (2, 3, 4, 5, 6), 2: (2, 3), 1: (2,)}[len(shape)]
    tensor = torch.arange(float(torch.Size(given).numel())).view(given)
    ((found, turned),) = to_plain({name: tensor}).items()
    assert (found, tuple(turned.shape)) == (plain, shape)
    if len(shape) == 5:
        assert turned[4, 3, 1, 2, 0] == tensor[1, 2, 0, 3, 4]
