"""Make the images of pyts that `mtf` is tested against: tests/preprocessing/fixtures/mtf_pyts.npz.

Run it in an environment that has pyts 0.14.1 (importing it takes half a minute, so the tests read the file instead):

    python benchmarks/make_mtf_fixture.py
"""

import argparse
import io
from pathlib import Path

import numpy as np
import pyts
from pyts.image import MarkovTransitionField

SHAPES = ((128, 64), (64, 64), (100, 32), (37, 16), (9, 2))
"""(samples, image size): the sizes that divide, that are equal, and that do not divide."""
BINS = 8
DEFAULT = Path(__file__).resolve().parents[1] / "tests" / "preprocessing" / "fixtures" / "mtf_pyts.npz"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=DEFAULT, help="file to write")
    out: Path = parser.parse_args().out
    rng = np.random.default_rng(20212)
    arrays: dict[str, np.ndarray] = {"pyts_version": np.array(pyts.__version__)}
    for samples, size in SHAPES:
        time = np.linspace(0, 1, samples)
        series = np.stack([rng.normal(size=samples), np.sin(9 * time), np.cumsum(rng.normal(size=samples))])
        series = series.astype(np.float32)
        field = MarkovTransitionField(image_size=size, n_bins=BINS, strategy="uniform")
        arrays[f"{samples}_{size}_series"] = series
        arrays[f"{samples}_{size}_field"] = field.fit_transform(series.astype(np.float64)).astype(np.float32)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    out.write_bytes(buffer.getvalue())
    print(f"{out}: {len(buffer.getvalue()) / 1024:.0f} KiB, pyts {pyts.__version__}")


if __name__ == "__main__":
    main()
