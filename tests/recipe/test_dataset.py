"""The data set of a recipe."""

import pytest
from pydantic import ValidationError

from vskd.recipe.dataset import Dataset


def test_only_name_and_protocol_must_be_said() -> None:
    said = Dataset(name="synthetic", protocol="cross-subject")
    assert (said.path, said.fold, said.max_bad_fraction) == (None, None, 0.02)
    with pytest.raises(ValidationError, match="protocol"):
        Dataset.model_validate({"name": "synthetic"})


@pytest.mark.parametrize("value", [-0.1, 1.0, "0.5"])
def test_a_fraction_is_a_number_below_one(value: object) -> None:
    with pytest.raises(ValidationError, match="max_bad_fraction"):
        Dataset.model_validate({"name": "synthetic", "protocol": "cross-subject", "max_bad_fraction": value})
