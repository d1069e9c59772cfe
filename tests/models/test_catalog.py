"""Looking networks up by name."""

import pytest

from vskd.errors import RecipeError
from vskd.models.catalog import NETWORKS, build_network, get_network, get_teacher


def test_unknown_network_names_the_nearest() -> None:
    with pytest.raises(RecipeError, match=r"'resnet81'.*did you mean 'resnet18'") as caught:
        get_network("resnet81")
    assert all(name in caught.value.action for name in NETWORKS)


def test_unknown_teacher_names_the_valid_ones() -> None:
    with pytest.raises(RecipeError, match="trn"):
        get_teacher("lstm")


@pytest.mark.parametrize(
    ("field", "value"),
    [("in_channels", 0), ("classes", 0), ("embedding_size", -1), ("dropout", 1.0), ("dropout", -0.1)],
)
def test_sizes_out_of_range_are_refused(field: str, value: float) -> None:
    options = {"in_channels": 3, "classes": 2, "embedding_size": 8, "dropout": 0.0, field: value}
    with pytest.raises(RecipeError, match=f"{field} of network 'cnn1d' is"):
        build_network("cnn1d", **options)
