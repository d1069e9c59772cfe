"""Samples up from a device into a file that `vskd predict` reads; and the host's decisions down to it."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import numpy as np

from vskd.bundle.bundle import Bundle
from vskd.bundle.contract import SensorContract
from vskd.bundle.predict import sensor_contract_of
from vskd.bundle.stream.stream import Stream
from vskd.bundle.stream.stream_plan import MICROSECONDS
from vskd.bundle.stream.stream_settings import DeviceSettings, StreamSettings
from vskd.errors import BundleError, LinkError
from vskd.files import atomic_path, refuse_existing
from vskd.firmware_bridge.generate import read_firmware
from vskd.firmware_bridge.link.messages import About, Decided, End, Record, Samples, Wish
from vskd.firmware_bridge.link.session import Session
from vskd.firmware_bridge.reference import reference_stream

SILENCE_S = 10.0
"""Without a sample, after which a recording is given up."""


@dataclass
class Recorded:
    """What was recorded.

    Attributes:
        samples: in the file.
        lost: that the device measured and could not send, or that did not arrive.
        seconds: from the first to the last.
        decisions: of the device, or of the host where it decides.
    """

    samples: int = 0
    lost: int = 0
    seconds: float = 0.0
    decisions: int = 0


def record(
    session: Session,
    out: Path,
    seconds: float | None = None,
    host: "HostDecider | None" = None,
    on_decision: Callable[[Decided], None] = lambda _: None,
) -> Recorded:
    """Record until the sensor ends, the time is up, or Ctrl-C; what came until then is kept.

    The file is delimited text with remarks that state sensor, unit and rate, a column `time_s` and one for each axis.

    Args:
        session: with the device.
        out: file to make.
        seconds: of the recording, by the device's time stamps; None: until the sensor ends.
        host: decides here, and sends its decisions down; None: the device's own decisions are asked for.
        on_decision: is told each.

    Raises:
        LinkError: the line broke, or the device is silent; the file holds what came until then.
        WriteError: the file cannot be written, or something is there.
    """
    refuse_existing(out, "a recording")
    done, stopped = Recorded(), None
    with atomic_path(out) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as handle:
        handle.write(_head(session.about))
        try:
            _record(session, handle, seconds, host, on_decision, done)
        except (LinkError, KeyboardInterrupt) as error:
            stopped = error
    if isinstance(stopped, LinkError):
        kept = f"{out} holds the {done.samples} samples before"
        raise LinkError(f"{stopped.problem}; {kept}", stopped.action) from stopped
    if stopped is not None:
        raise stopped
    return done


def _record(
    session: Session,
    handle: TextIO,
    seconds: float | None,
    host: "HostDecider | None",
    on_decision: Callable[[Decided], None],
    done: Recorded,
) -> None:
    session.send(Record(Wish.SAMPLES if host else Wish.SAMPLES | Wish.DECISIONS))
    writer, heard, asked = _Writer(handle, session.about, done), time.monotonic(), False
    while True:
        message = session.receive(SILENCE_S)
        if message is None and time.monotonic() - heard > SILENCE_S:
            raise LinkError(f"No sample came for {SILENCE_S:.0f} s", "Check that the sensor of the device runs")
        heard = time.monotonic()
        if isinstance(message, Samples) and not asked:
            writer.write(message)
            for decision in host.decide(message) if host else ():
                session.send(decision)
                done.decisions += 1
                on_decision(decision)
        elif isinstance(message, Decided) and not asked:
            done.decisions += 1
            on_decision(message)
        elif isinstance(message, End):
            done.lost = max(done.lost, message.lost)
            return
        if seconds is not None and done.seconds >= seconds and not asked:
            asked = True
            session.send(Record(Wish.NOTHING))


class HostDecider:
    """Decides on the host what a device measures, as the firmware of the bundle would.

    Args:
        bundle: of a sensor.
        about: the device, whose samples are in the unit and axes of its contract.

    Raises:
        BundleError: the device's samples are not those of the bundle's contract.
        SettingError: its rate cannot be resampled at a bounded cost.
    """

    def __init__(self, bundle: Bundle, about: About) -> None:
        contract = sensor_contract_of(bundle)
        _check_contract(bundle, contract, about)
        self._labels = bundle.manifest.provenance.labels
        settings = StreamSettings(device=DeviceSettings(rate_hz=about.rate_hz))
        firmware = read_firmware(bundle, settings)
        assert firmware.plan is not None  # the bundle is of a sensor
        self._stream: Stream = reference_stream(firmware.graph, firmware.plan)

    def decide(self, samples: Samples) -> Iterator[Decided]:
        """Decisions that follow from these samples."""
        times = samples.time_us + samples.offsets_us.astype(np.uint64) if samples.timed else None
        for d in self._stream.feed(samples.values, times):
            text = self._labels[d.label] if d.label >= 0 else ""
            yield Decided(d.status, d.label, d.window_label, d.margin, d.sample, d.time_us, text)


def _check_contract(bundle: Bundle, contract: SensorContract, about: About) -> None:
    asked, found = (contract.unit, contract.axes), (about.unit, about.axes)
    if asked != found:
        raise BundleError(
            f"{bundle.path} asks for {', '.join(asked[1])} in {asked[0]}; the device sends {', '.join(found[1])} in "
            f"{found[0]}",
            "Use the bundle that its firmware was made from",
        )


class _Writer:
    """Writes samples as rows, and counts them."""

    def __init__(self, handle: TextIO, about: About, done: Recorded) -> None:
        self._handle, self._about, self._done = handle, about, done
        self._first_us: float | None = None
        self._expected = 0

    def write(self, samples: Samples) -> None:
        """Append rows; a jump in the numbers is a loss."""
        if samples.values.shape[1] != len(self._about.axes):
            raise LinkError(
                f"The device sends {samples.values.shape[1]} axes and named {len(self._about.axes)}",
                "Generate its firmware again",
            )
        times = self._times_us(samples)
        if self._first_us is None:
            self._first_us = float(times[0])
        seconds = (times - self._first_us) / MICROSECONDS
        for second, row in zip(seconds, samples.values, strict=True):
            self._handle.write(f"{second:.6f}," + ",".join(str(value) for value in row) + "\n")
        self._done.lost += max(0, samples.number - self._expected)
        self._expected = samples.number + len(times)
        self._done.samples += len(times)
        self._done.seconds = float(seconds[-1])

    def _times_us(self, samples: Samples) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
        count = len(samples.values)
        if samples.timed:
            return np.asarray(samples.time_us + samples.offsets_us.astype(np.float64))
        return np.asarray((samples.number + np.arange(count)) * (MICROSECONDS / self._about.rate_hz))


def _head(about: About) -> str:
    remarks = {
        "sensor": about.stream,
        "unit": about.unit,
        "rate_hz": f"{about.rate_hz:g}",
        "bundle": about.digest.hex(),
    }
    return "".join(f"# {key}: {value}\n" for key, value in remarks.items()) + ",".join(("time_s", *about.axes)) + "\n"
