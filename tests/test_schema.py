"""Keys that count only where another key has some value."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import pytest
from pydantic import ValidationError

from vskd.schema import OnlyWhere, Strict, explain, only_where, parse, required_where


class Steps(Strict):
    conditional: ClassVar[Mapping[str, OnlyWhere]] = {
        "stride": required_where("mode", "sliding", "overlapping"),
        "decay": only_where("mode", "sliding", default=0.5),
    }
    mode: Literal["whole", "sliding", "overlapping"] = "whole"
    stride: int | None = None
    decay: float | None = None


@pytest.mark.parametrize(
    ("content", "stride", "decay"),
    [
        ({}, None, None),
        ({"mode": "whole", "stride": None}, None, None),
        ({"mode": "sliding", "stride": 3}, 3, 0.5),
        ({"mode": "sliding", "stride": 3, "decay": 0.1}, 3, 0.1),
        ({"mode": "overlapping", "stride": 2}, 2, None),
    ],
)
def test_conditional_keys_are_completed(content: dict[str, Any], stride: int | None, decay: float | None) -> None:
    steps = parse(Steps, content)
    assert (steps.stride, steps.decay) == (stride, decay)
    assert parse(Steps, steps.model_dump()) == steps


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ({"stride": 3}, "stride does nothing here: it counts only where mode is overlapping or sliding"),
        ({"mode": "sliding"}, "stride is missing: it must be set where mode is overlapping or sliding"),
        ({"mode": "overlapping", "stride": None}, "stride is missing: it must be set where mode is"),
        ({"mode": "overlapping", "stride": 2, "decay": 0.1}, "decay does nothing here"),
    ],
)
def test_a_key_without_effect_and_a_missing_one_are_errors(content: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError) as caught:
        parse(Steps, content)
    (problem,) = explain(caught.value, Steps)
    assert problem.startswith(told)
