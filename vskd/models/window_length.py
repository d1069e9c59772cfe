"""The shortest window that a network on a raw window takes."""

from vskd.errors import SettingError
from vskd.network import NetworkSettings


def require_samples(settings: NetworkSettings, samples: int, least: int) -> None:
    """Refuse windows that a network's poolings or kernels would leave nothing of.

    Args:
        settings: of the network.
        samples: of a window.
        least: of the shortest one.

    Raises:
        SettingError: they are too short; it names the network.
    """
    if samples < least:
        problem = f"A window of {samples} samples is too short for network '{settings.name}'"
        raise SettingError(problem, f"Give it windows of {least} samples or more")
