"""The campaigns in their short form. The long ones: `make soak`."""

from tests.reliability import bit_flips, kill_campaign, power_loss
from tests.reliability.chain import QUICK


def test_kills_lose_and_leave_nothing() -> None:
    found = kill_campaign.main(kills=6, seconds=3.0, seed=0, stages=QUICK)
    assert found["wrong"] == {}
    assert found["outcomes"].keys() == {"equal"}  # type: ignore[attr-defined]


def test_damage_by_a_power_loss_is_mended_or_refused() -> None:
    found = power_loss.main(count=5, seconds=3.0, seed=0, stages=QUICK)
    assert found["wrong"] == {}


def test_flipped_bits_are_not_used_in_silence() -> None:
    for kind, counts in bit_flips.main(flips=12, seconds=3.0, seed=0).items():
        assert set(counts) <= {"refused", "same"}, (kind, counts)
