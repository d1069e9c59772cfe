"""Import of public weights, on generated files of the public names and shapes."""

import os
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from vskd.errors import CheckpointError
from vskd.files import WriteError, sha256_file
from vskd.models.bn_inception import BNInception
from vskd.models.catalog import build_network, parse_network
from vskd.models.resnet18 import ResNet18, ResNet18Body
from vskd.models.squeezenet_lw import SqueezeNetLW
from vskd.models.torchvision_shim import load_torchvision
from vskd.models.weights.pretrained import adapt_input_channels, import_weights, load_pretrained
from vskd.models.weights.state import read_metadata, read_tensors, save_tensors
from vskd.network import PretrainedPart


@pytest.fixture(scope="module")
def public() -> dict[str, Tensor]:
    """The state of a network with the public names, random values and the 1000-way classifier."""
    torch.manual_seed(3)
    state = BNInception(classes=1000).state_dict()
    return {name: torch.rand_like(t) + 0.5 if t.is_floating_point() else t for name, t in state.items()}


def old_style(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """As the oldest files are: BatchNorm vectors of shape (1, channels), no batch counters, `fc` for the classifier."""
    result = {}
    for name, tensor in state.items():
        if name.endswith("num_batches_tracked"):
            continue
        is_norm = "_bn." in name
        result[name.replace("last_linear", "fc")] = tensor.unsqueeze(0) if is_norm else tensor
    return result


def wrap(style: str, state: dict[str, Tensor]) -> dict[str, Any]:
    if style == "plain":
        return dict(state)
    if style == "old":
        return dict(old_style(state))
    if style == "state_dict":
        return {"epoch": 3, "state_dict": dict(state)}
    return {"state_dict": {f"module.base_model.{name}": tensor for name, tensor in state.items()}}


@pytest.mark.parametrize("style", ["plain", "old", "state_dict", "prefixed"])
def test_bn_inception_loads_into_the_teacher(style: str, public: dict[str, Tensor], tmp_path: Path) -> None:
    source, out = tmp_path / "bn_inception.pth", tmp_path / "ours.safetensors"
    torch.save(wrap(style, public), source)
    report = import_weights(source, "bn-inception", out)
    assert report.loaded == len(BNInception().state_dict())
    classifier = "fc" if style == "old" else "last_linear"
    assert report.left_out == (f"{classifier}.weight", f"{classifier}.bias")

    teacher = build_network(parse_network("trn"), shape=(8, 3, 64, 64), classes=3)
    relations = teacher.relations["2"][1].weight.clone()
    metadata = load_pretrained(teacher, out)
    for name, tensor in teacher.backbone.state_dict().items():
        if not name.endswith("num_batches_tracked"):
            assert torch.equal(tensor, public[name]), name
    assert torch.equal(relations, teacher.relations["2"][1].weight)
    assert metadata == {
        "network": "bn-inception",
        "layout": "imagenet",
        "origin": "bn_inception.pth",
        "origin_sha256": sha256_file(source),
        "origin_format": "torch",
        "licence": "unknown",
    }


def test_safetensors_are_accepted_as_source(public: dict[str, Tensor], tmp_path: Path) -> None:
    save_file(public, tmp_path / "public.safetensors")
    report = import_weights(tmp_path / "public.safetensors", "bn-inception", tmp_path / "ours.safetensors")
    assert report.loaded == len(BNInception().state_dict())
    assert read_metadata(tmp_path / "ours.safetensors")["origin_format"] == "safetensors"


def test_resnet18_of_torchvision_loads_into_the_student(tmp_path: Path) -> None:
    torch.manual_seed(0)
    reference = load_torchvision().models.resnet18(weights=None)
    torch.save(reference.state_dict(), tmp_path / "resnet18.pth")
    import_weights(tmp_path / "resnet18.pth", "resnet18", tmp_path / "ours.safetensors")
    student = ResNet18(in_channels=6, classes=4)
    load_pretrained(student, tmp_path / "ours.safetensors")
    assert torch.equal(student.body.layer3[0].conv1.weight, reference.layer3[0].conv1.weight)
    assert torch.equal(student.body.conv1.weight, adapt_input_channels(reference.conv1.weight, 6))


@pytest.mark.parametrize("name", ["mobilenet-v3-small-100", "squeezenet-1-0", "efficientnet-v2-s", "convnext-tiny"])
def test_photo_networks_of_torchvision_load_without_their_classifier(name: str, tmp_path: Path) -> None:
    function = {
        "mobilenet-v3-small-100": "mobilenet_v3_small",
        "squeezenet-1-0": "squeezenet1_0",
        "efficientnet-v2-s": "efficientnet_v2_s",
        "convnext-tiny": "convnext_tiny",
    }[name]
    torch.manual_seed(0)
    public = getattr(load_torchvision().models, function)(weights=None).state_dict()
    torch.save(public, tmp_path / "public.pth")
    network = build_network(parse_network(name), shape=(1, 64, 64), classes=4)
    own = {n: t.clone() for n, t in network.state_dict().items() if n.startswith(network.head)}
    report = import_weights(tmp_path / "public.pth", name, tmp_path / "ours.safetensors")
    assert report.left_out == tuple(own)
    assert report.loaded == len(public) - len(own)
    load_pretrained(network, tmp_path / "ours.safetensors")
    for parameter, tensor in network.state_dict().items():
        if parameter == f"{network.stem}.weight":
            assert torch.equal(tensor, adapt_input_channels(public[parameter], 1))
        else:
            assert torch.equal(tensor, own.get(parameter, public[parameter])), parameter


def test_public_weights_load_with_another_activation_but_not_another_width(tmp_path: Path) -> None:
    public = load_torchvision().models.mobilenet_v3_small(weights=None).state_dict()
    torch.save(public, tmp_path / "m.pth")
    import_weights(tmp_path / "m.pth", "mobilenet-v3-small-100", tmp_path / "m.safetensors")
    network = build_network(parse_network("mobilenet-v3-small-100-relu"), shape=(3, 64, 64), classes=1000)
    load_pretrained(network, tmp_path / "m.safetensors")
    assert torch.equal(network.classifier[0].weight, public["classifier.0.weight"])
    assert not torch.equal(network.classifier[3].weight, public["classifier.3.weight"])
    narrow = build_network(parse_network("mobilenet-v3-small-075"), shape=(3, 64, 64), classes=4)
    with pytest.raises(CheckpointError, match=r"does not fit MobileNetV3Small: .*of another shape"):
        load_pretrained(narrow, tmp_path / "m.safetensors")


def test_adapted_kernels_answer_alike_on_equal_channels() -> None:
    weight = torch.randn(4, 3, 5, 5, generator=torch.Generator().manual_seed(0))
    image = torch.randn(1, 1, 9, 9, generator=torch.Generator().manual_seed(1))
    expected = torch.conv2d(image.expand(1, 3, 9, 9), weight)
    for channels in (1, 2, 6):
        adapted = adapt_input_channels(weight, channels)
        actual = torch.conv2d(image.expand(1, channels, 9, 9), adapted)
        torch.testing.assert_close(actual, expected, rtol=1e-4, atol=1e-4)
    assert adapt_input_channels(weight, 3) is weight


class Malicious:
    """Unpickling this creates a file, if anything runs it."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return (os.mkdir, (str(self.mark),))


def test_an_unsafe_file_is_refused_and_not_executed(public: dict[str, Tensor], tmp_path: Path) -> None:
    torch.save({**public, "extra": Malicious(tmp_path / "ran")}, tmp_path / "bad.pth")
    with pytest.raises(CheckpointError, match=r"bad\.pth was refused: it asks to run \S*mkdir.*safetensors"):
        import_weights(tmp_path / "bad.pth", "bn-inception", tmp_path / "out.safetensors")
    assert not (tmp_path / "ran").exists()
    assert not (tmp_path / "out.safetensors").exists()


@pytest.mark.parametrize("content", [b"", b"garbage", b"PK\x03\x04 truncated"])
def test_a_damaged_file_is_named(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "bad.pth").write_bytes(content)
    with pytest.raises(CheckpointError, match=r"bad\.pth is damaged or not a torch file"):
        import_weights(tmp_path / "bad.pth", "bn-inception", tmp_path / "out.safetensors")


def test_a_truncated_file_is_named(public: dict[str, Tensor], tmp_path: Path) -> None:
    torch.save(public, tmp_path / "bad.pth")
    with (tmp_path / "bad.pth").open("r+b") as handle:
        handle.truncate(100_000)
    with pytest.raises(CheckpointError, match=r"bad\.pth is damaged"):
        import_weights(tmp_path / "bad.pth", "bn-inception", tmp_path / "out.safetensors")


def test_weights_of_another_network_are_refused(public: dict[str, Tensor], tmp_path: Path) -> None:
    torch.save(public, tmp_path / "bn.pth")
    with pytest.raises(CheckpointError, match=r"bn\.pth does not hold the weights of resnet18: \d+ missing \(conv1"):
        import_weights(tmp_path / "bn.pth", "resnet18", tmp_path / "out.safetensors")
    assert not (tmp_path / "out.safetensors").exists()


def test_missing_and_misshapen_tensors_are_named(public: dict[str, Tensor], tmp_path: Path) -> None:
    changed = {**public, "inception_3a_1x1.bias": torch.zeros(63)}
    del changed["inception_5b_1x1.weight"]
    torch.save(changed, tmp_path / "bn.pth")
    with pytest.raises(CheckpointError) as caught:
        import_weights(tmp_path / "bn.pth", "bn-inception", tmp_path / "out.safetensors")
    assert "1 missing (inception_5b_1x1.weight)" in str(caught.value)
    assert "inception_3a_1x1.bias (63,) instead of (64,)" in str(caught.value)


def test_tensors_nobody_asked_for_are_reported(
    public: dict[str, Tensor], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    torch.save({**public, "attention.weight": torch.zeros(2)}, tmp_path / "bn.pth")
    with caplog.at_level("WARNING"):
        report = import_weights(tmp_path / "bn.pth", "bn-inception", tmp_path / "out.safetensors")
    assert "attention.weight" in report.left_out
    assert "attention.weight" in caplog.text
    assert "attention.weight" not in read_tensors(tmp_path / "out.safetensors")[0]


def test_other_sources_are_refused(tmp_path: Path) -> None:
    out = tmp_path / "out.safetensors"
    with pytest.raises(CheckpointError, match=r"absent\.pth does not exist"):
        import_weights(tmp_path / "absent.pth", "bn-inception", out)
    with pytest.raises(CheckpointError, match=r"no importer of weights for 'vgg'.*bn-inception, c3d, convnext-tiny"):
        import_weights(tmp_path / "absent.pth", "vgg", out)
    out.write_bytes(b"weights of another network")
    with pytest.raises(WriteError, match=r"out\.safetensors is there already, and an import of weights"):
        import_weights(tmp_path / "absent.pth", "bn-inception", out)
    out.unlink()
    torch.save([1, 2], tmp_path / "list.pth")
    with pytest.raises(CheckpointError, match=r"list\.pth holds a list"):
        import_weights(tmp_path / "list.pth", "bn-inception", out)


def test_imported_weights_of_another_network_do_not_load(public: dict[str, Tensor], tmp_path: Path) -> None:
    torch.save(public, tmp_path / "bn.pth")
    import_weights(tmp_path / "bn.pth", "bn-inception", tmp_path / "ours.safetensors")
    with pytest.raises(CheckpointError, match=r"ours\.safetensors does not fit ResNet18Body"):
        load_pretrained(ResNet18(in_channels=3, classes=2), tmp_path / "ours.safetensors")
    with pytest.raises(CheckpointError, match=r"conv1.weight"):
        body = ResNet18Body(3, "small")
        torch.save(load_torchvision().models.resnet18(weights=None).state_dict(), tmp_path / "r.pth")
        import_weights(tmp_path / "r.pth", "resnet18", tmp_path / "r.safetensors")
        load_pretrained(body, tmp_path / "r.safetensors")


@pytest.mark.parametrize("prefix", ["backbone.", "base_model.module.", "module.backbone.base_model.module."])
def test_what_programs_wrap_around_names_is_taken_off_in_any_order(prefix: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    state = build_network(parse_network("squeezenet-1-0"), shape=(3, 64, 64), classes=2).state_dict()
    save_file({f"{prefix}{name}": tensor for name, tensor in state.items()}, tmp_path / "p.safetensors")
    report = import_weights(tmp_path / "p.safetensors", "squeezenet-1-0", tmp_path / "o.safetensors")
    assert sorted(report.left_out) == ["classifier.1.bias", "classifier.1.weight"]
    tensors, _ = read_tensors(tmp_path / "o.safetensors")
    assert len(tensors) == report.loaded == len(state) - 2
    assert all(torch.equal(tensor, state[name]) for name, tensor in tensors.items())


class Small(nn.Module):
    """A network of a stem, a layer and perhaps a head, whose names are those of its parts."""

    def __init__(self, channels: int = 3, classes: int | None = 4) -> None:
        super().__init__()
        torch.manual_seed(channels)
        self.stem, self.norm = nn.Conv2d(channels, 2, 3), nn.BatchNorm2d(2)
        self.head = nn.Identity() if classes is None else nn.Linear(2, classes)

    def pretrained_part(self) -> PretrainedPart:
        return PretrainedPart(self, "stem", "head")


def saved(network: nn.Module, path: Path, *lost: str) -> dict[str, Tensor]:
    tensors = {name: tensor + 1 for name, tensor in network.state_dict().items() if name not in lost}
    save_tensors(tensors, path, {"network": "small"})
    return tensors


@pytest.mark.parametrize(
    ("classes", "lost", "said"),
    [
        (4, (), ""),
        (5, (), "has one for another number of classes"),
        (4, ("head.bias",), "has one for another number of classes"),
        (4, ("head.weight", "head.bias"), "has none"),
    ],
)
def test_a_head_is_loaded_whole_or_stays(
    classes: int, lost: tuple[str, ...], said: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = saved(Small(classes=classes), path := tmp_path / "w.safetensors", *lost)
    network = Small(classes=4)
    own = {name: tensor.clone() for name, tensor in network.state_dict().items() if name.startswith("head.")}
    with caplog.at_level("INFO"):
        assert load_pretrained(network, path) == {"network": "small"}
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, own[name] if said and name in own else file[name]), name
    assert caplog.messages == ([f"head stays as initialised: {path} {said}"] if said else [])


def test_a_network_whose_head_was_taken_out_takes_none(tmp_path: Path) -> None:
    file = saved(Small(classes=9), tmp_path / "w.safetensors")
    network = Small(classes=None)
    load_pretrained(network, tmp_path / "w.safetensors")
    assert torch.equal(network.stem.weight, file["stem.weight"]) and "head.weight" not in network.state_dict()


@pytest.mark.parametrize("channels", [1, 3, 6])
def test_the_stem_is_brought_to_the_channels_of_the_network(channels: int, tmp_path: Path) -> None:
    file = saved(Small(), tmp_path / "w.safetensors")
    network = Small(channels)
    load_pretrained(network, tmp_path / "w.safetensors")
    wanted = file["stem.weight"] if channels == 3 else file["stem.weight"].sum(dim=1, keepdim=True) / channels
    torch.testing.assert_close(network.stem.weight, wanted.expand_as(network.stem.weight))


def test_a_file_without_the_stem_is_named_as_one_that_lacks_it(tmp_path: Path) -> None:
    saved(Small(), tmp_path / "w.safetensors", "stem.weight")
    with pytest.raises(CheckpointError, match=r"does not fit Small: 1 missing \(stem.weight\)"):
        load_pretrained(Small(), tmp_path / "w.safetensors")


def test_the_layout_is_said_and_stands_in_the_file(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    own, out = SqueezeNetLW(3, 4).state_dict(), tmp_path / "o.safetensors"
    save_file(own, tmp_path / "k.safetensors")
    with caplog.at_level("INFO"):
        report = import_weights(tmp_path / "k.safetensors", "squeezenet-lw", out, "krca")
    assert (report.loaded, report.left_out, report.out) == (18, (), out)
    assert report.sha256 == sha256_file(tmp_path / "k.safetensors")
    assert read_metadata(out)["layout"] == "krca"
    assert caplog.messages == [f"imported 18 tensors of squeezenet-lw from {tmp_path / 'k.safetensors'}; left out: "]


def test_a_layout_that_a_network_does_not_come_in_is_refused_with_those_that_do(tmp_path: Path) -> None:
    for network, layout, known in (("squeezenet-lw", "c3d", "c3d"), ("c3d", "krca", "squeezenet-lw")):
        with pytest.raises(CheckpointError, match=f"No {layout} weights can be imported for '{network}'") as caught:
            import_weights(tmp_path / "w.pth", network, tmp_path / "o.safetensors", layout)  # type: ignore[arg-type]
        assert caught.value.action == f"Choose one of: {known}"
    with pytest.raises(CheckpointError) as caught:
        import_weights(tmp_path / "w.pth", "c3d", tmp_path / "o.safetensors")
    assert caught.value.action.startswith("Choose one of: bn-inception, convnext-tiny, efficientnet-lite0,")


def test_a_public_file_that_is_not_finite_is_named_itself(tmp_path: Path) -> None:
    state = {**SqueezeNetLW(3, 4).state_dict(), "features.6.bias": torch.full((128,), torch.nan)}
    torch.save(state, tmp_path / "k.pth")
    with pytest.raises(CheckpointError, match=r"Weight file \S*k\.pth holds NaN or infinity in 1 of 18 tensors"):
        import_weights(tmp_path / "k.pth", "squeezenet-lw", tmp_path / "o.safetensors", "krca")
    assert not (tmp_path / "o.safetensors").exists()
