"""The model's input: encoded outside or left to the model, with the same values as the training encoding."""

import numpy as np
import pytest
import torch

from tests.export.conftest import sensor_contract, windows
from vskd.bundle.contract import ClipContract, EncodingContract, ImageContract
from vskd.bundle.encoding import model_input, student_input
from vskd.preprocessing.sensor.encodings import build_encoding


@pytest.mark.parametrize("method", ["raw", "gasf", "gadf", "gasf+gadf", "mtf"])
@pytest.mark.parametrize("scaling", ["minmax", "fixed"])
def test_deployed_encoding_is_the_training_encoding(method: str, scaling: str):
    contract = sensor_contract(encoding=EncodingContract(method=method, scaling=scaling, limit=0.5, image_size=16))
    for window in windows(3):
        expected = build_encoding(method, scaling, 0.5, 16)(torch.from_numpy(window[None]))[0].numpy()
        found = model_input(window, contract)
        assert found.dtype == np.float32 and found.shape == expected.shape
        np.testing.assert_allclose(found, expected, atol=1e-6)


def test_an_encoding_inside_the_model_leaves_the_window_alone():
    window = windows(1)[0]
    np.testing.assert_array_equal(model_input(window, sensor_contract(encoding_inside=True)), window)
    np.testing.assert_array_equal(student_input(window, sensor_contract()), window)


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (-1.0, 1.0), (0.0, 255.0)])
def test_pixels_are_scaled_to_the_contracts_range_with_channels_last(low: float, high: float):
    contract = ImageContract(stream="image", size=4, channels=3, crop="full", value_range=(low, high))
    pixels = np.arange(48, dtype=np.uint8).reshape(3, 4, 4) * 5
    pixels[2, 3, 3] = 255
    expected = low + (high - low) * pixels / 255
    np.testing.assert_allclose(student_input(pixels, contract), expected, rtol=1e-6, atol=1e-6)
    for sample in (pixels, pixels.astype(np.float32), pixels.reshape(3, 16).astype(np.float32)):
        found = model_input(sample, contract)
        assert found.dtype == np.float32 and found.flags.c_contiguous
        np.testing.assert_allclose(found, expected.transpose(1, 2, 0), rtol=1e-6, atol=1e-6)


def test_pixels_of_a_clip_are_scaled_and_stay_where_they_are():
    contract = ClipContract(
        stream="rgb", length=2, height=3, width=4, fit="squash", sampling="spread", value_range=(-1.0, 2.0)
    )
    pixels = np.arange(72, dtype=np.uint8).reshape(3, 2, 3, 4) * 3
    expected = -1 + 3 * pixels.astype(float) / 255
    for found in (model_input(pixels, contract), student_input(pixels, contract)):
        assert found.dtype == np.float32 and found.shape == (3, 2, 3, 4)
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)
    flat = pixels.reshape(contract.window_shape).astype(np.float32)
    np.testing.assert_allclose(model_input(flat, contract), expected, rtol=1e-6, atol=1e-6)
