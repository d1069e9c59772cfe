"""What every network returns cannot be changed by who receives it, and shares nothing with the next answer."""

import dataclasses

import pytest
import torch

from vskd.network import Outputs


def test_features_are_optional_and_not_shared() -> None:
    first, second = (Outputs(torch.zeros(2, 3), torch.zeros(2, 5)) for _ in range(2))
    assert first.features == {} == second.features
    assert first.features is not second.features


def test_a_part_cannot_be_replaced() -> None:
    outputs = Outputs(torch.zeros(2, 3), torch.zeros(2, 5))
    with pytest.raises(dataclasses.FrozenInstanceError):
        outputs.logits = torch.ones(2, 3)  # type: ignore[misc]


def test_logits_come_first_then_the_embedding() -> None:
    """Networks give them by position."""
    logits, embedding = torch.zeros(2, 3), torch.ones(2, 5)
    outputs = Outputs(logits, embedding)
    assert outputs.logits is logits and outputs.embedding is embedding
