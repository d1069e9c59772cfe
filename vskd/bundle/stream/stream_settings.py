"""What a device says of its sensor, and what is decided from the windows: the settings of a stream."""

from pathlib import Path
from typing import Literal

from pydantic import ValidationError, model_validator

from vskd.bundle.decision import DecisionSettings
from vskd.errors import SettingError, first_few
from vskd.schema import Count, Finite, Fraction, Positive, Size, Strict, explain, parse


class DeviceSettings(Strict):
    """The sensor of the device, where it differs from the contract's.

    Attributes:
        rate_hz: its samples per second; None: the contract's.
        unit_factor: a sample times it is in the contract's unit: 1/1024 where 1 g is 1024, 1/9.80665 from m/s^2 to g.
        axes: which of the device's axes each of the contract's is, counted from 0.
        signs: 1 or -1 for each of the contract's axes: -1 where the device measures the opposite.
        rest: what the contract's axes measure at rest in the pose of calibration (a watch: face up), in multiples of
            gravity; None: the sign is not checked.
        gap_periods: a longer silence between two samples, in periods, is a gap. More than the length of a batch, where
            a whole batch has one time stamp.
        max_saturated: fraction of a window's samples that may lie at the sensor's limit.
    """

    rate_hz: Positive | None = None
    unit_factor: Finite = 1.0
    axes: tuple[Size, ...] | None = None
    signs: tuple[Literal[-1, 1], ...] | None = None
    rest: tuple[Finite, ...] | None = None
    gap_periods: Positive = 5.0
    max_saturated: Fraction = 0.05


class StreamSettings(Strict):
    """All settings of a stream.

    Attributes:
        device: see `DeviceSettings`.
        decision: see `DecisionSettings`.
        samples: where the contract takes whole recordings: samples at the contract's rate that are taken for one.
            None: between the shortest and the longest that the model was trained on.
        stride: samples from one of these to the next, at the contract's rate; None: a quarter of them.
    """

    device: DeviceSettings = DeviceSettings()
    decision: DecisionSettings = DecisionSettings()
    samples: Count | None = None
    stride: Count | None = None

    @model_validator(mode="after")
    def _factor_is_not_zero(self) -> "StreamSettings":
        if self.device.unit_factor == 0:
            raise ValueError("device.unit_factor is 0")
        return self


def read_stream_settings(path: Path) -> StreamSettings:
    """Read settings from YAML.

    Raises:
        SettingError: the file cannot be read, or does not follow the schema; names every problem.
    """
    from vskd.yaml_text import read_yaml  # a base install has no YAML, and verifies bundles

    content = read_yaml(path, SettingError, "Correct the file")
    try:
        settings: StreamSettings = parse(StreamSettings, {} if content is None else content)
    except ValidationError as error:
        problems = first_few(explain(error, StreamSettings), 8)
        raise SettingError(f"{path}: {problems}", "Correct the file") from error
    return settings
