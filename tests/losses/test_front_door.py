"""`from vskd.losses import ...` for library users."""

import doctest
import importlib
import inspect

import pytest
from torch import nn

from vskd import losses
from vskd.losses.catalog import LOSSES

PUBLIC = {name: getattr(losses, name) for name in losses.__all__}
MODULES = sorted({"vskd.losses", *(thing.__module__ for thing in PUBLIC.values())})


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_run(name: str) -> None:
    result = doctest.testmod(importlib.import_module(name))
    assert result.attempted > 0 and result.failed == 0


@pytest.mark.parametrize("name", PUBLIC)
def test_all_that_is_offered_says_what_it_is_and_shows_its_use(name: str) -> None:
    text = inspect.getdoc(PUBLIC[name])
    assert text is not None and f"{name}(" in text.partition("Examples:")[2]
    if issubclass(PUBLIC[name], nn.Module):
        assert {"Shape:", "Raises:"} <= set(text.split())


def test_every_loss_of_the_catalog_stands_beside_its_settings() -> None:
    for settings in LOSSES.values():
        loss = getattr(importlib.import_module(settings.__module__), settings.__name__.removesuffix("Settings"))
        assert issubclass(loss, nn.Module)


def test_what_is_offered_is_of_the_catalog() -> None:
    """All that is shipped; a loss that is added need not be offered here to be used."""
    modules = {name for name, thing in PUBLIC.items() if issubclass(thing, nn.Module)}
    listed = {settings.__name__.removesuffix("Settings") for settings in LOSSES.values()}
    assert len(modules) > 10 and modules <= listed | {"UncertaintyWeighting"}
