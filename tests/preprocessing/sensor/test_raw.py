"""The raw window, in closed form."""

import pytest
import torch

from vskd.errors import SettingError
from vskd.preprocessing.sensor.raw import RawWindow


def test_fixed_divides_and_clips() -> None:
    windows = torch.tensor([[[0.0, 2.0, -4.0, 4.0, 9.0, -9.0]]])
    assert RawWindow("fixed", 4.0)(windows).tolist() == [[[0.0, 0.5, -1.0, 1.0, 1.0, -1.0]]]


def test_minmax_reaches_both_ends_of_every_axis() -> None:
    windows = torch.tensor([[[0.0, 1.0, 4.0], [-6.0, -5.0, -4.0]], [[3.0, 3.0, 3.0], [1e9, 1e9, 1e9]]])
    scaled = RawWindow("minmax")(windows)
    assert scaled[0].tolist() == [[-1.0, -0.5, 1.0], [-1.0, 0.0, 1.0]]
    assert scaled[1].tolist() == [[-1.0] * 3] * 2  # constant


def test_scaling_the_input_does_not_change_minmax() -> None:
    windows = torch.randn(3, 3, 20, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(RawWindow("minmax")(windows), RawWindow("minmax")(3 * windows + 7), atol=1e-5, rtol=0)


def test_what_holds_where_nothing_is_said_and_what_is_refused() -> None:
    plain = RawWindow()
    assert (plain.scaling, plain.limit, plain.kind, plain.out_channels(7)) == ("fixed", 4.0, "series", 7)
    with pytest.raises(SettingError, match=r"encoding\.scaling is 'max'"):
        RawWindow("max")
    for limit in (0.0, -1.0):
        with pytest.raises(SettingError, match="limit"):
            RawWindow("fixed", limit)
