"""Published SqueezeNet_LW files, on a generated file of the published names, shapes and form."""

import io
import os
import zipfile
from collections import OrderedDict
from pathlib import Path

import pytest
import torch
from torch import Tensor

from vskd.errors import CheckpointError
from vskd.models.squeezenet_lw import SqueezeNetLW
from vskd.models.weights.krca import take_krca
from vskd.models.weights.pretrained import import_weights, load_pretrained
from vskd.models.weights.state import read_tensors

# Name and shape of every tensor of the published files.
FIRES = {"features.2": 96, "features.3": 128}
PUBLISHED: dict[str, tuple[int, ...]] = {
    "initial_conv.weight": (96, 3, 7, 7),
    "initial_conv.bias": (96,),
    **{
        f"{fire}.{layer}.{kind}": shape if kind == "weight" else shape[:1]
        for fire, width in FIRES.items()
        for layer, shape in (
            ("squeeze", (16, width, 1, 1)),
            ("expand_1x1", (64, 16, 1, 1)),
            ("expand_3x3", (64, 16, 3, 3)),
        )
        for kind in ("weight", "bias")
    },
    "features.6.weight": (128, 128, 3, 3),
    "features.6.bias": (128,),
    "classifier.1.weight": (10, 128, 1, 1),
    "classifier.1.bias": (10,),
}


@pytest.fixture
def tensors() -> "OrderedDict[str, Tensor]":
    generator = torch.Generator().manual_seed(0)
    return OrderedDict((n, torch.randn(shape, generator=generator) / 20) for n, shape in PUBLISHED.items())


def save_as_from_a_gpu(tensors: "OrderedDict[str, Tensor]", path: Path) -> None:
    """A torch file whose storages say that they were on the first GPU, as the published ones do."""
    plain = io.BytesIO()
    torch.save(tensors, plain)
    with zipfile.ZipFile(plain) as source, zipfile.ZipFile(path, "w") as target:
        for entry in source.infolist():
            content = source.read(entry)
            if entry.filename.endswith("data.pkl"):
                # A pickled string: opcode, length (4 bytes), characters.
                was, now = b"X\x03\x00\x00\x00cpu", b"X\x06\x00\x00\x00cuda:0"
                assert was in content
                content = content.replace(was, now)
            target.writestr(entry, content)


def test_a_file_saved_on_a_gpu_loads_whole(tensors: "OrderedDict[str, Tensor]", tmp_path: Path) -> None:
    source, out = tmp_path / "KRAC.pth", tmp_path / "krca.safetensors"
    save_as_from_a_gpu(tensors, source)
    if not torch.cuda.is_available():  # proof that the file is what it claims to be
        with pytest.raises(RuntimeError, match="CUDA"):
            torch.load(source, weights_only=True)
    report = import_weights(source, "squeezenet-lw", out, "krca")
    assert (report.loaded, report.left_out) == (18, ())
    network = SqueezeNetLW(3, 10)
    metadata = load_pretrained(network, out)
    assert metadata["network"] == "squeezenet-lw" and metadata["origin"] == "KRAC.pth"
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, tensors[name]), name


def test_another_number_of_classes_keeps_its_own_classifier(
    tensors: "OrderedDict[str, Tensor]", tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    torch.save(tensors, tmp_path / "k.pth")
    import_weights(tmp_path / "k.pth", "squeezenet-lw", tmp_path / "k.safetensors", "krca")
    torch.manual_seed(1)
    network = SqueezeNetLW(1, 6)
    own = network.classifier[1].weight.clone()
    with caplog.at_level("INFO"):
        load_pretrained(network, tmp_path / "k.safetensors")
    assert "classifier.1 stays as initialised" in caplog.text and "another number of classes" in caplog.text
    assert torch.equal(network.classifier[1].weight, own)
    assert torch.equal(network.features[6].weight, tensors["features.6.weight"])
    grey = tensors["initial_conv.weight"].sum(1, keepdim=True)
    torch.testing.assert_close(network.initial_conv.weight, grey)


def test_prefixes_of_training_programs_are_removed(tensors: "OrderedDict[str, Tensor]", tmp_path: Path) -> None:
    torch.save({"state_dict": {f"module.{n}": t for n, t in tensors.items()}}, tmp_path / "k.pth")
    import_weights(tmp_path / "k.pth", "squeezenet-lw", tmp_path / "k.safetensors", "krca")
    assert set(read_tensors(tmp_path / "k.safetensors")[0]) == set(PUBLISHED)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"features.6.bias": None}, r"1 missing \(features.6.bias\)"),
        ({"features.7.bias": torch.zeros(3)}, r"1 unexpected \(features.7.bias\)"),
        ({"features.2.squeeze.bias": torch.zeros(17)}, r"features.2.squeeze.bias \(17,\) instead of \(16,\)"),
        ({"classifier.1.bias": torch.zeros(9)}, r"classifier.1.bias \(9,\) instead of \(10,\)"),
        ({"classifier.1.weight": None}, r"missing \(classifier.1.weight"),
        ({"classifier.1.weight": torch.zeros(0, 128, 1, 1)}, r"weight \(0, 128, 1, 1\) instead of \(1, 128, 1, 1\)"),
        ({"classifier.1.weight": torch.zeros(10, 128)}, r"classifier.1.weight \(10, 128\) instead of \(1, 128, 1, 1\)"),
        ({"classifier.1.weight": torch.tensor(1.0)}, r"classifier.1.weight \(\) instead of \(1, 128, 1, 1\)"),
    ],
)
def test_other_tensors_are_refused(
    change: dict[str, Tensor | None], named: str, tensors: "OrderedDict[str, Tensor]", tmp_path: Path
) -> None:
    changed = {n: t for n, t in {**tensors, **change}.items() if t is not None}
    torch.save(changed, tmp_path / "k.pth")
    with pytest.raises(CheckpointError, match=rf"k\.pth does not hold a SqueezeNet_LW of KRCA: .*{named}"):
        import_weights(tmp_path / "k.pth", "squeezenet-lw", tmp_path / "k.safetensors", "krca")
    assert not (tmp_path / "k.safetensors").exists()


def test_network_and_format_must_fit(tensors: "OrderedDict[str, Tensor]", tmp_path: Path) -> None:
    torch.save(tensors, tmp_path / "k.pth")
    with pytest.raises(CheckpointError, match=r"No krca weights .*'resnet18'.*squeezenet-lw"):
        import_weights(tmp_path / "k.pth", "resnet18", tmp_path / "o.safetensors", "krca")
    with pytest.raises(CheckpointError, match=r"No imagenet weights .*'squeezenet-lw' \(its files: --format krca\)"):
        import_weights(tmp_path / "k.pth", "squeezenet-lw", tmp_path / "o.safetensors")


def test_a_published_file(tmp_path: Path) -> None:
    """Opt-in: the published files have no licence and are not distributed with this project."""
    source = os.environ.get("VSKD_KRCA_WEIGHTS")
    if source is None:
        pytest.skip("set VSKD_KRCA_WEIGHTS to a published SqueezeNet_LW file of KRCA")
    assert import_weights(Path(source), "squeezenet-lw", tmp_path / "k.safetensors", "krca").loaded == 18
    network = SqueezeNetLW(3, 10)
    load_pretrained(network, tmp_path / "k.safetensors")


@pytest.mark.parametrize("classes", [1, 2, 10])
def test_any_number_of_classes_from_one_is_taken(classes: int, tensors: "OrderedDict[str, Tensor]") -> None:
    head = {"classifier.1.weight": torch.ones(classes, 128, 1, 1), "classifier.1.bias": torch.ones(classes)}
    taken, left_out = take_krca({**tensors, **head}, Path("k.pth"))
    assert len(taken) == 18 and not left_out and taken["classifier.1.weight"].shape[0] == classes
    assert list(taken) == list(SqueezeNetLW(3, classes).state_dict())


def test_halves_become_float32(tensors: "OrderedDict[str, Tensor]") -> None:
    taken, _ = take_krca({name: tensor.half() for name, tensor in tensors.items()}, Path("k.pth"))
    assert {tensor.dtype for tensor in taken.values()} == {torch.float32}
