"""Golden samples of every kind of contract."""

import pytest

from tests.export.conftest import sensor_contract
from vskd.bundle.contract import ClipContract, ImageContract
from vskd.bundle.golden_samples import synthetic_samples


@pytest.mark.parametrize(
    ("contract", "shape"),
    [
        (sensor_contract(length=40), (3, 40)),
        (ImageContract(stream="image", size=64, channels=1, crop="full"), (1, 64 * 64)),
        (ClipContract(stream="rgb", length=2, height=4, width=6, fit="squash", sampling="spread"), (3, 2 * 4 * 6)),
    ],
)
def test_golden_samples_are_of_the_contract(contract: object, shape: tuple[int, ...]) -> None:
    samples = synthetic_samples(contract)  # type: ignore[arg-type]
    assert len({name for name, _ in samples}) == len(samples) > 1
    assert {sample.shape for _, sample in samples} == {shape}
