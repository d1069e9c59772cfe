"""`vskd weights import`: arguments passed on, and nothing in the file executed."""

import pickle
from pathlib import Path
from typing import Any


def test_weights_import(vskd, record, tmp_path: Path) -> None:
    import vskd.models.weights.pretrained as library

    out = tmp_path / "w.safetensors"
    seen = record(library, "import_weights", library.ImportReport(342, ("fc.weight", "fc.bias"), "ab" * 32, out))
    answer = vskd("weights", "import", tmp_path / "w.pth", "--network", "bn-inception", "--out", out)
    assert answer.code == 0, answer.err
    assert seen == [{"source": tmp_path / "w.pth", "network": "bn-inception", "out": out, "layout": "imagenet"}]
    assert "342 tensors of bn-inception; left out: fc.weight, fc.bias" in answer.out
    words = f"--teacher bn-inception --set teachers.0.weights={out} --data DATA --out TEACHER"
    assert answer.err == f"next: vskd teach {words}\n"
    words = ["--network", "squeezenet-lw", "--format", "krca", "--out", out]
    assert vskd("weights", "import", tmp_path / "k.pth", *words).code == 0
    assert seen[1] == {"source": tmp_path / "k.pth", "network": "squeezenet-lw", "out": out, "layout": "krca"}


def test_weights_import_names_every_network_it_knows(vskd) -> None:
    from vskd.models.weights.catalog import PUBLIC_WEIGHTS

    text = vskd("weights", "import", "--help").out
    assert all(name in text for name in PUBLIC_WEIGHTS)


def test_weights_import_of_krca(vskd, tmp_path: Path) -> None:
    import torch

    from vskd.models.squeezenet_lw import SqueezeNetLW

    source, out = tmp_path / "k.pth", tmp_path / "k.safetensors"
    torch.save(SqueezeNetLW(3, 10).state_dict(), source)
    answer = vskd("weights", "import", source, "--network", "squeezenet-lw", "--format", "krca", "--out", out)
    assert answer.code == 0, answer.err
    assert "18 tensors of squeezenet-lw; left out: none" in answer.out
    assert out.is_file()
    again = vskd("weights", "import", source, "--network", "squeezenet-lw", "--format", "krca", "--out", out)
    assert again.code == 1 and f"{out} is there already" in again.err
    forgotten = vskd("weights", "import", source, "--network", "squeezenet-lw", "--out", tmp_path / "other.safetensors")
    assert forgotten.code == 1 and "--format krca" in forgotten.err
    unknown = vskd("weights", "import", source, "--network", "squeezenet-lw", "--format", "caffe", "--out", out)
    assert unknown.code == 2 and "'caffe'" in unknown.err


class Malicious:
    """A pickle that would write a file when it is loaded."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> Any:
        return (Path.write_text, (self.target, "owned"))


def test_weights_import_runs_nothing(vskd, tmp_path: Path) -> None:
    source, out, target = tmp_path / "w.pth", tmp_path / "w.safetensors", tmp_path / "owned"
    source.write_bytes(pickle.dumps(Malicious(target), protocol=2))
    answer = vskd("weights", "import", source, "--network", "bn-inception", "--out", out)
    assert (answer.code, answer.out) == (1, "")
    assert str(source) in answer.err
    assert not target.exists()
    assert not out.exists()


def test_weights_import_of_nothing_and_for_nothing(vskd, tmp_path: Path) -> None:
    words = ["--out", tmp_path / "w.safetensors"]
    missing = vskd("weights", "import", tmp_path / "nowhere.pth", "--network", "bn-inception", *words)
    assert missing.code == 1
    assert "nowhere.pth" in missing.err
    unknown = vskd("weights", "import", tmp_path / "nowhere.pth", "--network", "vgg", *words)
    assert unknown.code == 1
    assert "'vgg'" in unknown.err and "bn-inception" in unknown.err
