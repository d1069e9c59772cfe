"""What data sets of drivers seen from the side want of recipes: whole frames, and fewer epochs."""

from collections.abc import Mapping

from vskd.datasets.entry import Settings

# What hands and head do decides the class, so nothing is cut out. Hands and phone are small in a whole frame; 128 is
# four times the work of the 64 pixels of a face. Skin against the car's interior is told by its colour, and the camera
# is not infrared.
WHOLE_FRAMES: Settings = {"streams": ["image"], "size": 128, "crop": "full", "grey": False}

# 2.6 times the training images of driver-inattention, hence half the epochs. Mirror images stay: the classes that name
# a hand change with them.
_HALF_THE_EPOCHS: Settings = {
    "teachers": {0: {"training": {"epochs": 10}}},
    "student": {"training": {"epochs": 20}},
}
SIDE_VIEW_RECIPES: Mapping[str, Settings] = {
    "krca": _HALF_THE_EPOCHS,
    # The temperature rises twice as fast, to be where it was after half the epochs.
    "dangerous-driving": {"distiller": {"terms": {"kd": {"temperature_slope": 1.0}}}},
}
