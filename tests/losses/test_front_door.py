"""`from vskd.losses import ...` for library users."""

import doctest
from importlib import import_module

from torch import nn

from vskd import losses
from vskd.losses.catalog import LOSSES


def test_the_example_runs() -> None:
    result = doctest.testmod(losses)
    assert result.attempted > 0 and result.failed == 0


def test_every_loss_of_the_catalog_stands_beside_its_settings() -> None:
    for settings in LOSSES.values():
        loss = getattr(import_module(settings.__module__), settings.__name__.removesuffix("Settings"))
        assert issubclass(loss, nn.Module)


def test_what_the_front_door_offers_is_of_the_catalog() -> None:
    """All that is shipped; one that is added need not be named there to be used."""
    modules = {name for name in losses.__all__ if issubclass(getattr(losses, name), nn.Module)}
    listed = {settings.__name__.removesuffix("Settings") for settings in LOSSES.values()}
    assert len(modules) > 10 and modules <= listed | {"UncertaintyWeighting"}
