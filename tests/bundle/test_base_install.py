"""What a base install can do: bundles, without torch and without everything else that training needs."""

import configparser
import json
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import numpy as np
import pytest

from tests.export.conftest import LABELS
from vskd.cli.main import CATALOG, OF_TRAINING
from vskd.errors import MissingExtraError
from vskd.export.ship import ExportReport

ROOT = Path(__file__).parents[2]
BARE = f"""
import sys

class Refuse:
    refused = {sorted(OF_TRAINING)!r} + ["litert_torch", "ai_edge_quantizer", "pyts"]

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in self.refused:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Refuse())
from vskd.cli.main import run
"""
"""Start of a program that runs as in a base install: the packages of the extras cannot be imported."""


def bare(program: str, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-c", BARE + program], capture_output=True, text=True, cwd=folder, env=environment
    )


def bare_vskd(*words: object, folder: Path) -> subprocess.CompletedProcess[str]:
    return bare(f"sys.exit(run({[str(word) for word in words]!r}))", folder)


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """Two seconds of a turning sensor, in g at 50 Hz."""
    time = np.linspace(0, 2, 100)[:, None]
    samples = 0.8 * np.sin(time * np.array([1.0, 1.5, 2.0]) + np.arange(3))
    path = tmp_path / "recording.csv"
    np.savetxt(path, samples, delimiter=",", header="# rate_hz: 50\n# unit: g\nx,y,z", comments="")
    return path


def test_a_recording_is_classified(sealed: ExportReport, recording: Path, tmp_path: Path) -> None:
    from vskd.bundle.predict import predict_file

    done = bare_vskd("predict", sealed.bundle.path, recording, "--json", folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    answer = json.loads(done.stdout)
    assert answer["label"] in LABELS and sum(answer["probabilities"].values()) == pytest.approx(1)
    assert answer["probabilities"] == predict_file(sealed.bundle.path, recording).probabilities


@pytest.mark.parametrize("verb", ["verify", "show"])
def test_a_bundle_is_verified_and_shown(sealed: ExportReport, tmp_path: Path, verb: str) -> None:
    done = bare_vskd("bundle", verb, sealed.bundle.path, folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert sealed.bundle.digest in done.stdout


def test_all_help_is_there(tmp_path: Path) -> None:
    for words in (["--help"], *([name, "--help"] for name in CATALOG)):
        done = bare_vskd(*words, folder=tmp_path)
        assert (done.returncode, done.stderr) == (0, ""), words
        assert done.stdout.startswith("Usage: vskd")


@pytest.mark.parametrize(
    "words",
    [["recipe", "list"], ["demo", "--out", "demo"], ["evaluate", "."], ["datasets", "make-synthetic", "--out", "w"]],
)
def test_other_commands_say_in_one_line_what_to_install(tmp_path: Path, words: list[str]) -> None:
    done = bare_vskd(*words, folder=tmp_path)
    assert done.returncode == 1, done.stderr
    assert done.stderr.count("\n") == 1 and done.stderr.startswith("error: This needs the package ")
    assert "which is not installed. Run: pip install 'vskd[train]'." in done.stderr


def test_a_missing_module_that_no_extra_brings_is_unforeseen(tmp_path: Path) -> None:
    program = (
        "import click, vskd.cli.main as m\n"
        "@click.command()\ndef broken():\n    import nowhere_at_all\n"
        "m.cli.add_command(broken)\nm.CATALOG['broken'] = m.Entry('__main__', 'broken', '')\n"
        "sys.exit(run(['broken']))"
    )
    done = bare(program, tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("error: ModuleNotFoundError: No module named 'nowhere_at_all'.")
    assert "pip install" not in done.stderr


def test_images_name_the_extra_that_reads_them(tmp_path: Path) -> None:
    program = (
        "from pathlib import Path\n"
        "from vskd.bundle.contract import ImageContract\n"
        "from vskd.bundle.image_input import is_of_images, read_pictures\n"
        "assert is_of_images(Path('a.png')) and not is_of_images(Path('a.csv'))\n"
        "contract = ImageContract(stream='image', size=16, channels=3, crop='full')\n"
        "list(read_pictures(Path('a.png'), contract, box=None))"
    )
    write_png(tmp_path / "a.png")
    done = bare(program, tmp_path)
    assert MissingExtraError("pillow", "image").args[0] in done.stderr


def write_png(path: Path) -> None:
    from PIL import Image

    Image.fromarray(np.zeros((20, 20, 3), np.uint8)).save(path)


def test_only_another_rate_of_whole_recordings_needs_scipy(tmp_path: Path) -> None:
    program = (
        "import numpy as np\nfrom vskd.preprocessing.sensor.resampling import resampled\n"
        "from vskd.preprocessing.sensor.signals import resample_to_length, resample_to_rate\n"
        "x = np.zeros((3, 100), np.float32)\n"
        "print(resample_to_length(x, 32).shape, resample_to_rate(x, 50, 50).shape, resampled(x, 50, 25).shape)\n"
        "resample_to_rate(x, 50, 25)"
    )
    done = bare(program, tmp_path)
    assert done.stdout == "(3, 32) (3, 100) (3, 50)\n"
    assert MissingExtraError("scipy", "resample").args[0] in done.stderr


def test_matlab_and_numpy_files_need_nothing_more(synthetic_root: Path, tmp_path: Path) -> None:
    from scipy.io import loadmat

    path = synthetic_root / "Inertial" / "a2_s2_t1_inertial.mat"
    program = (
        "from pathlib import Path\nfrom vskd.preprocessing.sensor.signals import read_sensor\n"
        f"print(read_sensor(Path({str(path)!r}), axes=('x', 'y', 'z'), columns=(0, 1, 2)).sum())"
    )
    done = bare(program, tmp_path)
    assert done.stderr == ""
    expected = loadmat(path)["d_iner"][:, :3].T.astype(np.float32).sum()
    assert float(done.stdout) == pytest.approx(float(expected), rel=1e-5)


@pytest.mark.slow
def test_a_clean_environment_predicts(sealed: ExportReport, recording: Path, tmp_path: Path) -> None:
    """The base requirements, and no more, in an environment of their own; skipped where pip reaches no registry."""
    venv.create(tmp_path / "venv")
    program = tmp_path / "venv" / "bin" / "vskd"
    pip = [sys.executable, "-m", "pip", "--python", tmp_path / "venv", "--disable-pip-version-check", "--quiet"]
    install = [*pip, "install", "--no-compile"]  # compiled is what is imported
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    wanted = setup["options"]["install_requires"].split("\n")[1:]
    got = subprocess.run(
        [*install, "--retries", "1", "--constraint", ROOT / "constraints.txt", "setuptools>=77", *wanted],
        capture_output=True,
        text=True,
    )
    if got.returncode and any(sign in got.stderr for sign in ("onnection", "No matching distribution", "timed out")):
        pytest.skip(f"pip reaches no package registry: {got.stderr.strip().splitlines()[-1]}")
    assert got.returncode == 0, got.stderr
    source = tmp_path / "source"  # a build writes beside what it builds
    shutil.copytree(ROOT / "vskd", source / "vskd", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    subprocess.run([*install, "--no-deps", "--no-build-isolation", source], check=True, capture_output=True)
    elsewhere = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    checked = subprocess.run([*pip, "check"], capture_output=True, text=True, env=elsewhere)
    assert checked.returncode == 0, checked.stdout
    for words in (["bundle", "verify", sealed.bundle.path], ["predict", sealed.bundle.path, recording]):
        done = subprocess.run([program, *words], capture_output=True, text=True, cwd=tmp_path, env=elsewhere)
        assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[0].split()[-1] in LABELS
    trained = subprocess.run([program, "recipe", "list"], capture_output=True, text=True, cwd=tmp_path, env=elsewhere)
    assert trained.returncode == 1 and "vskd[train]" in trained.stderr
