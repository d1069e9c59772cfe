"""What time stamps show of a device's clock. Nothing is changed by it."""

from dataclasses import dataclass

from vskd.preprocessing.sensor.timed import Timed


@dataclass(frozen=True)
class ClockFacts:
    """Facts of one recording's stamps; all 0 where it has none.

    Attributes:
        rate_hz: samples per second, fitted.
        jitter_s: 95 of 100 stamps are so near to the even clock, or nearer.
        backward, repeated: stamps before, or at, that of the sample before.
        drift_s: how much later (or earlier, below 0) the last sample was taken than the device's nominal rate says;
            gaps are not counted.
    """

    rate_hz: float = 0.0
    jitter_s: float = 0.0
    backward: int = 0
    repeated: int = 0
    drift_s: float = 0.0

    def remarks(self, nominal_hz: float) -> list[str]:
        """What a user should know of it, in words."""
        found = [f"stamps up to {1000 * self.jitter_s:.3g} ms off"] if self.jitter_s * nominal_hz > 1 else []
        found += [f"{self.backward} stamps go back"] if self.backward else []
        found += [f"{self.repeated} stamps repeated"] if self.repeated else []
        if abs(self.drift_s) * nominal_hz > 1:
            found.append(f"its clock makes {self.rate_hz:.5g} Hz of {nominal_hz:g}: {self.drift_s:+.3g} s at the end")
        return found


def clock_facts(timed: Timed, nominal_hz: float) -> ClockFacts:
    """Measure a recording's clock against the device's nominal rate."""
    clock = timed.clock
    if not clock.period_s or not nominal_hz:
        return ClockFacts()
    drift = (timed.signal.shape[1] - 1) * (clock.period_s - 1 / nominal_hz)
    return ClockFacts(1 / clock.period_s, clock.jitter_s, clock.backward, clock.repeated, drift)
