"""Make the images of pyts that our encodings are tested against: tests/preprocessing/fixtures/gaf_pyts.npz.

Run it in an environment that has pyts 0.14.1 (importing it takes half a minute, so the tests read the file instead):

    python benchmarks/make_gaf_fixture.py
"""

import argparse
import io
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyts
from pyts.image import GramianAngularField

SHAPES = ((128, 64), (64, 64), (100, 32), (37, 16), (16, 16), (9, 2))
"""(samples, image size): the sizes that divide, that are equal, and that do not divide."""
DEFAULT = Path(__file__).resolve().parents[1] / "tests" / "preprocessing" / "fixtures" / "gaf_pyts.npz"


def make_series(samples: int, rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """Series of different character, (4, samples): noise, rest under gravity, saturated motion, and a constant."""
    time = np.linspace(0, 1, samples)
    noise = rng.normal(size=samples)
    rest = 1.0 + 0.01 * rng.normal(size=samples)
    saturated = np.clip(5 * np.sin(9 * time + rng.uniform(0, 6)), -4, 4)
    return np.stack([noise, rest, saturated, np.full(samples, 0.7)]).astype(np.float32)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=DEFAULT, help="file to write")
    out: Path = parser.parse_args().out
    rng = np.random.default_rng(20211)
    arrays: dict[str, npt.NDArray[np.generic]] = {"pyts_version": np.array(pyts.__version__)}
    for samples, size in SHAPES:
        series = make_series(samples, rng)
        name = f"{samples}_{size}"
        arrays[f"{name}_series"] = series
        for method in ("summation", "difference"):
            reference = GramianAngularField(image_size=size, method=method)
            images = reference.fit_transform(series.astype(np.float64))
            arrays[f"{name}_{method}"] = images.astype(np.float32)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_bytes(buffer.getvalue())
    print(f"{out}: {len(buffer.getvalue()) / 1024:.0f} KiB, pyts {pyts.__version__}")


if __name__ == "__main__":
    main()
