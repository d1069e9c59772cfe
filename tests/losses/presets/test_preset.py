"""A preset is data: its terms, a line for lists, and whether its weights are learned."""

from vskd.losses.kd import KDSettings
from vskd.losses.presets.catalog import PRESETS
from vskd.losses.presets.preset import Preset


def test_weights_are_fixed_unless_a_preset_says_otherwise() -> None:
    plain = Preset((KDSettings(),), "one term")
    assert (plain.weighting, plain.description, len(plain.terms)) == ("fixed", "one term", 1)
    assert Preset((), "", "uncertainty").weighting == "uncertainty"


def test_which_published_systems_learn_their_weights() -> None:
    learned = {name for name, preset in PRESETS.items() if preset.weighting == "uncertainty"}
    assert learned == {name for name in PRESETS if name.startswith("krca")}
    assert all(preset.description for preset in PRESETS.values())
