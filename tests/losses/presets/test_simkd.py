"""The preset of SimKD: the embedding alone."""

from vskd.losses.presets.simkd import SIMKD


def test_as_published() -> None:
    assert [(term.loss, term.weight) for term in SIMKD.terms] == [("simkd", 1.0)]
    assert SIMKD.weighting == "fixed"
