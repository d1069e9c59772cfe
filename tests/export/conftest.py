"""Small networks, converted once per session, and a bundle made of them."""

import pickle
import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tests.conftest import made_once
from vskd.bundle.contract import Contract, EncodingContract, ProtocolRecord, Provenance, SensorContract, SplitSizes
from vskd.distillation.model import Model
from vskd.export import ship
from vskd.export.convert.deployed_part import convert_part
from vskd.export.convert.litert import LogitsOnly, convert_float
from vskd.export.int8.quantize import quantize_int8
from vskd.export.scoring import LabelledWindow
from vskd.export.ship import ExportReport, export_model
from vskd.network import Network, Outputs
from vskd.preprocessing.sensor.encodings import build_encoding

warnings.filterwarnings("ignore", message=".*experimental_preserve_all_tensors.*")

IMAGE = (3, 16, 16)
CLASSES = 4
TRAINED = {"finished_comparison", "finished_images", "comparison_copy", "exported"}
"""Fixtures that take a training."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """In each file of this folder the tests that need no trained run come first: a fault shows within seconds."""
    places: dict[Path, int] = {}
    for place, item in enumerate(items):
        places.setdefault(item.path, place)
    here = Path(__file__).parent
    items.sort(key=lambda item: (places[item.path], here in item.path.parents and _is_trained(item)))


def _is_trained(item: pytest.Item) -> bool:
    return bool(TRAINED.intersection(getattr(item, "fixturenames", ())))


class TinyImageNet(Network):
    """Three layers on an image."""

    def __init__(self, in_channels: int = 3, classes: int = CLASSES) -> None:
        super().__init__()
        self.first = nn.Conv2d(in_channels, 8, 3, padding=1)
        self.norm = nn.BatchNorm2d(8)
        self.second = nn.Conv2d(8, 16, 3, stride=2, padding=1)
        self.head = nn.Linear(16, classes)

    def forward(self, x: Tensor) -> Outputs:
        x = torch.relu(self.norm(self.first(x)))
        x = torch.relu(self.second(x))
        embedding = x.mean(dim=(2, 3))
        return Outputs(self.head(embedding), embedding)


class TinySeriesNet(Network):
    """A 1-D CNN on a window."""

    def __init__(self, classes: int = CLASSES) -> None:
        super().__init__()
        self.first = nn.Conv1d(3, 8, 5, padding=2)
        self.norm = nn.BatchNorm1d(8)
        self.second = nn.Conv1d(8, 16, 5, stride=2, padding=2)
        self.head = nn.Linear(16, classes)

    def forward(self, x: Tensor) -> Outputs:
        x = torch.relu(self.norm(self.first(x)))
        embedding = torch.relu(self.second(x)).mean(dim=-1)
        return Outputs(self.head(embedding), embedding)


def random_inputs(count: int, shape: tuple[int, ...], seed: int = 0) -> list[np.ndarray]:
    """Normal float32 arrays."""
    generator = np.random.default_rng(seed)
    return [generator.standard_normal(shape).astype(np.float32) for _ in range(count)]


def seeded(build: type[Network], **arguments: int) -> Network:
    """A network in evaluation mode whose BatchNorm statistics are not the trivial ones."""
    torch.manual_seed(3)
    network = build(**arguments)
    for part in network.modules():
        if isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d):
            part.running_mean = torch.randn_like(part.running_mean) * 0.2
            part.running_var = torch.rand_like(part.running_var) + 0.5
    return network.eval()


@pytest.fixture(scope="session")
def tiny_network() -> Network:
    return seeded(TinyImageNet)


@pytest.fixture(scope="session")
def tiny_float(tiny_network: nn.Module, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    def make(file: Path) -> None:
        file.write_bytes(convert_float(LogitsOnly(tiny_network), torch.zeros(1, *IMAGE)))

    return made_once(tmp_path_factory, "tiny-float.tflite", make).read_bytes()


@pytest.fixture(scope="session")
def tiny_int8(tiny_float: bytes, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    def make(file: Path) -> None:
        file.write_bytes(quantize_int8(tiny_float, random_inputs(16, IMAGE)))

    return made_once(tmp_path_factory, "tiny-int8.tflite", make).read_bytes()


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "bundle"


SAMPLES = 32
LABELS = ("wave", "clap", "throw", "catch")


def sensor_contract(**changes: object) -> SensorContract:
    """A contract for windows of 3 x 32 samples in g at 50 Hz, encoded as a 16 x 16 GASF with the fixed scale of 4 g."""
    content: dict[str, object] = {
        "stream": "accelerometer",
        "placement": "right wrist",
        "unit": "g",
        "axes": ("x", "y", "z"),
        "rate_hz": 50.0,
        "window_mode": "whole",
        "length": SAMPLES,
        "min_samples": 20,
        "max_samples": 400,
        "range_limit": 8.0,
        "encoding": EncodingContract(method="gasf", scaling="fixed", limit=4.0, image_size=16),
        "encoding_inside": False,
    }
    return SensorContract(**(content | changes))


def provenance() -> Provenance:
    return Provenance(
        recipe="tiny",
        dataset="synthetic",
        protocol=ProtocolRecord(name="cross-subject", hash="0" * 64),
        split_sizes=SplitSizes(train=16, validation=8, test=8),
        labels=LABELS,
        seed=0,
    )


def windows(count: int, seed: int = 0) -> list[np.ndarray]:
    """Windows of a slowly turning sensor, in g: (3, 32) each, about 1 g long."""
    generator = np.random.default_rng(seed)
    time = np.linspace(0, 1, SAMPLES)
    result = []
    for _ in range(count):
        phase, speed = generator.uniform(0, 6, (3, 1)), generator.uniform(1, 6, (3, 1))
        result.append((0.7 * np.sin(speed * time + phase)).astype(np.float32))
    return result


@pytest.fixture(scope="session")
def tiny_student(tiny_network: Network) -> Model:
    return Model(build_encoding("gasf", "fixed", 4.0, 16), tiny_network).eval()


@pytest.fixture(scope="session")
def sealed(tiny_student: Model, tmp_path_factory: pytest.TempPathFactory) -> ExportReport:
    """A bundle exported once; read it, never change it (`bundle_copy` may be changed)."""

    def make(folder: Path) -> None:
        report = export_tiny(tiny_student, folder / "bundle")
        (folder / "report").write_bytes(pickle.dumps(report))

    content = (made_once(tmp_path_factory, "sealed", make) / "report").read_bytes()
    report: ExportReport = pickle.loads(content)  # noqa: S301 - our own, of this session
    return report


def export_tiny(student: Model, out: Path, **changes: object) -> ExportReport:
    """Export the tiny student with small sets of recordings."""
    predicted = [int(student(torch.from_numpy(w[None])).logits.argmax()) for w in windows(8, seed=1)]
    arguments: dict[str, object] = {
        "model": student,
        "calibration": [(f"train{n}", w) for n, w in enumerate(windows(16))],
        "validation": [LabelledWindow(f"val{n}", w, predicted[n]) for n, w in enumerate(windows(8, seed=1))],
        "contract": sensor_contract(),
        "provenance": provenance(),
        "max_accuracy_drop": 0.25,
        "out": out,
    }
    return export_model(**(arguments | changes))


@pytest.fixture
def converted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """An export of a network that an export has converted before, for the same contract, gets that model at once."""
    monkeypatch.setattr(ship, "convert_part", _converted_once)


_CONVERTED: dict[tuple[str | bytes, ...], bytes] = {}


def _converted_once(part: nn.Module, contract: Contract) -> bytes:
    weights = (value.numpy().tobytes() for value in part.state_dict().values())
    key = (repr(part), contract.model_dump_json(), *weights)
    if key not in _CONVERTED:
        _CONVERTED[key] = convert_part(part, contract)
    return _CONVERTED[key]


@pytest.fixture
def bundle_copy(sealed: ExportReport, out: Path) -> Path:
    shutil.copytree(sealed.bundle.path, out)
    return out
