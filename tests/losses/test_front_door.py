"""`from vskd.losses import ...` for library users."""

import doctest

from torch import nn

from vskd import losses
from vskd.losses.catalog import LOSSES


def test_the_example_runs() -> None:
    result = doctest.testmod(losses)
    assert result.attempted > 0 and result.failed == 0


def test_every_loss_of_the_catalog_can_be_imported() -> None:
    modules = {name for name in losses.__all__ if issubclass(getattr(losses, name), nn.Module)}
    listed = {settings.__name__.removesuffix("Settings") for settings in LOSSES.values()}
    assert listed and modules == listed | {"UncertaintyWeighting"}
