"""Arrays against the contract."""

from collections.abc import Callable

import numpy as np
import pytest

from tests.bundle.sensor_recordings import signal, six, two_streams
from tests.export.conftest import sensor_contract
from vskd.bundle.sensor_array import recorded_array
from vskd.errors import BundleError, DataError, VskdError


@pytest.mark.parametrize(
    ("change", "told"), [(lambda v: 0 * v, "dead sensor"), (lambda v: v * [1, 0, 1] + [0, 0.2, 0], "y")]
)
def test_an_array_of_a_sensor_that_stands_still_is_refused(change: Callable[[np.ndarray], np.ndarray], told: str):
    with pytest.raises(BundleError, match="the array: .*" + told):
        recorded_array(change(signal()), sensor_contract(), 50.0)


@pytest.mark.parametrize("dtype", ["int8", "int32", "uint8", "float64", "float16"])
def test_an_array_of_any_real_numbers_is_taken(dtype: str):
    contract = sensor_contract(stream="gyroscope", unit="deg/s", range_limit=500.0)
    values = np.round(50 + 40 * signal()).astype(dtype)
    found = recorded_array(values, contract, 50.0)
    assert found.signal.dtype == np.float32 and found.signal.flags.c_contiguous and found.notes == ()
    np.testing.assert_array_equal(found.signal, values.T)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (signal() > 0, "holds bool, not real numbers"),
        (signal().astype(complex), "holds complex128, not real numbers"),
        (signal().astype(str), "not real numbers"),
        (np.where(signal() > 0.7, 1e39, signal().astype(float)), "the array"),
        (np.where(signal() > 0.7, np.nan, signal()), "the array"),
        (signal()[:, :2], r"asks for 3 channels \(x, y, z\), the array has shape \(60, 2\)"),
        (signal()[None], r"the array has shape \(1, 60, 3\)"),
        (signal(19), "20 to 400 samples"),
        (60 * signal(), "the array: the model asks for g"),
    ],
)
def test_an_array_that_does_not_fit_is_refused(values: np.ndarray, told: str):
    with pytest.raises(VskdError, match=told):
        recorded_array(values, sensor_contract(), 50.0)


@pytest.mark.parametrize("rate", ["50", True, [50.0], 50j])
def test_a_rate_that_is_no_number_is_refused(rate):
    with pytest.raises(DataError, match=r"rate_hz is .*, no number"):
        recorded_array(signal(), sensor_contract(), rate)


class Tensor:
    """As one of torch that requires a gradient."""

    def __array__(self, dtype=None, copy=None):
        raise RuntimeError("call detach first")


@pytest.mark.parametrize("samples", [[[1, 2, 3], [1, 2]], Tensor()])
def test_what_is_no_array_is_refused(samples):
    with pytest.raises(DataError, match="the samples are no array"):
        recorded_array(samples, sensor_contract(), 50.0)


@pytest.mark.parametrize("rate", [50, np.float32(50), np.int64(50)])
def test_any_real_number_is_a_rate(rate):
    assert recorded_array(signal(), sensor_contract(), rate).rate_hz == 50


def test_the_rate_of_an_array_is_said_or_assumed():
    assumed = recorded_array(signal(), sensor_contract())
    assert (assumed.rate_hz, assumed.notes) == (50.0, ("no rate was given; 50 Hz is assumed",))
    faster = recorded_array(signal(200), sensor_contract(), 100.0)
    assert (faster.rate_hz, faster.notes) == (100.0, ("the recording was resampled from 100 to 50 Hz",))
    with pytest.raises(BundleError, match="the model asks for 50 Hz, the caller says 24 Hz"):
        recorded_array(signal(), sensor_contract(), 24.0)
    with pytest.raises(BundleError, match="has 19"):  # 38 samples at 100 Hz
        recorded_array(signal(38), sensor_contract(), 100.0)
    assert recorded_array(signal(40), sensor_contract(), 100.0).signal.shape == (3, 40)
    two = recorded_array(six(), two_streams())
    assert two.notes == assumed.notes, "of several streams it is said once"


def test_what_overflows_float32_is_refused_without_a_warning():
    with np.errstate(all="raise"), pytest.raises(DataError, match="not finite"):
        recorded_array(np.where(signal() > 0.7, 1e39, signal().astype(float)), sensor_contract(), 50.0)
