"""The streaming decision on one long recording: trials of a data set joined with rest between them.

    python benchmarks/stream_events.py BUNDLE 'UTD-MHAD/Inertial/*_s[2468]_*.mat'

The bundle is of sliding windows. File names begin with `a<number>`, which counts the labels of the bundle from 1. An
event is found if its label is decided while it lasts or within TOLERANCE_S afterwards; latency counts from its start.
A false alarm is a label that begins to be decided and is not that of the event of that moment. The data have no class
for rest, so that rest can only be told by the margin between the classes. No setting was tuned.
"""

import argparse
import re
from pathlib import Path

import numpy as np
import numpy.typing as npt

from vskd.bundle.bundle import load_bundle
from vskd.bundle.decision import DecisionSettings
from vskd.bundle.predict import sensor_contract_of
from vskd.bundle.runtime import LiteRTModel
from vskd.bundle.sensor_file import read_recording
from vskd.bundle.stream.stream import Decision, Stream
from vskd.bundle.stream.stream_settings import StreamSettings
from vskd.firmware_bridge.generate import read_firmware

REST_S, TOLERANCE_S, NOISE_G = 4.0, 1.0, 0.01
SETTINGS = {
    "no smoothing": DecisionSettings(),
    "no smoothing, log-odds 3": DecisionSettings(min_log_odds=3.0),
    "majority of 3, log-odds 3": DecisionSettings(smoothing="majority", votes=3, min_log_odds=3.0),
    "2 in a row, held 2, log-odds 3": DecisionSettings(smoothing="hysteresis", votes=2, hold=2, min_log_odds=3.0),
}
Event = tuple[float, float, int]


def joined(bundle: Path, pattern: str, rate: float) -> tuple[npt.NDArray[np.float32], list[Event]]:
    """The signal, (samples, 3), and (start, end, label) of the trials in seconds."""
    contract, generator = sensor_contract_of(load_bundle(bundle)), np.random.default_rng(0)
    paths = sorted(Path("/").glob(pattern.lstrip("/")) if pattern.startswith("/") else Path().glob(pattern))
    parts, events, time = [], [], 0.0
    for path in [paths[i] for i in generator.permutation(len(paths))]:
        signal = read_recording(path, contract).signal.T
        gravity = signal[-1] / np.linalg.norm(signal[-1])
        rest = gravity + generator.normal(0, NOISE_G, (int(REST_S * rate), 3))
        number = re.match(r"a(\d+)_", path.name)
        if number is None:
            raise SystemExit(f"{path.name} does not begin with its class")
        events.append((time, time + len(signal) / rate, int(number[1]) - 1))
        parts += [signal, rest.astype(np.float32)]
        time += (len(signal) + len(rest)) / rate
    return np.concatenate(parts), events


def score(decisions: list[Decision], events: list[Event], rate: float) -> tuple[int, float, float]:
    """Events found, false alarms per hour, median latency in seconds."""
    found: dict[int, float] = {}
    alarms, before, number = 0, -1, 0
    for decision in decisions:
        now = decision.sample / rate
        while number + 1 < len(events) and events[number + 1][0] <= now:
            number += 1
        start, end, label = events[number]
        right = decision.label == label and now <= end + TOLERANCE_S
        if right:
            found.setdefault(number, now - start)
        elif decision.label >= 0 and decision.label != before:
            alarms += 1
        before = decision.label
    hours = decisions[-1].sample / rate / 3600
    return len(found), alarms / hours, float(np.median(list(found.values())))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("recordings")
    arguments = parser.parse_args()
    bundle = load_bundle(arguments.bundle)
    rate = sensor_contract_of(bundle).rate_hz
    samples, events = joined(arguments.bundle, arguments.recordings, rate)
    print(f"{len(events)} events in {len(samples) / rate / 3600:.2f} hours\n")
    print("| decision | events found | false alarms per hour | median latency s |\n|---|---|---|---|")
    for name, settings in SETTINGS.items():
        firmware = read_firmware(bundle, StreamSettings(decision=settings))
        if firmware.plan is None:
            raise SystemExit("the bundle is of images")
        model, given = LiteRTModel(firmware.graph.content, reference_kernels=True), firmware.graph.input
        stream = Stream(firmware.plan, given.scale, given.zero_point, lambda x, m=model: m.raw(x[np.newaxis])[0])
        found, alarms, latency = score(list(stream.feed(samples)), events, rate)
        print(f"| {name} | {found} / {len(events)} | {alarms:.0f} | {latency:.2f} |", flush=True)


if __name__ == "__main__":
    main()
