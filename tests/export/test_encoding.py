"""The model's input: encoded outside or left to the model, with the same values as the training encoding."""

import numpy as np
import pytest
import torch

from tests.export.conftest import sensor_contract, windows
from vskd.export.contract import EncodingContract
from vskd.export.encoding import model_input
from vskd.preprocessing.encodings import build_encoding


@pytest.mark.parametrize("method", ["raw", "gasf", "gadf", "gasf+gadf"])
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
