"""A page of a small bundle, made once, and what Python says of its example."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from tests.conftest import made_once
from tests.firmware_bridge.bundles import encoded, make_bundle, sensor_contract
from vskd.bundle.bundle import load_bundle
from vskd.bundle.decision import DecisionSettings
from vskd.bundle.probabilities import softmax_of_int8
from vskd.bundle.runtime import LiteRTModel
from vskd.bundle.stream.stream import Stream
from vskd.bundle.stream.stream_settings import DeviceSettings, StreamSettings
from vskd.bundle.stream.synthetic_stream import Call
from vskd.firmware_bridge.generate import Firmware, read_firmware
from vskd.firmware_bridge.make_page import make_page

SETTINGS = StreamSettings(
    device=DeviceSettings(rest=(0.0, 0.0, 1.0)), decision=DecisionSettings(smoothing="majority", votes=3)
)


@dataclass
class Site:
    """A page and its bundle."""

    folder: Path
    firmware: Firmware

    def expected(self, calls: list[Call]) -> list[list[object]]:
        """For each decision what the page's has to be: numbers, logits, probabilities, the model's input."""
        graph, plan = self.firmware.graph, self.firmware.plan
        assert plan is not None
        model, seen = LiteRTModel(graph.content, reference_kernels=True), []

        def answer(x: npt.NDArray[np.int8]) -> npt.NDArray[np.int8]:
            logits = model.raw(x[np.newaxis])[0].astype(np.int8)
            seen.append((logits, x.reshape(-1).copy()))
            return logits

        stream, found = Stream(plan, graph.input.scale, graph.input.zero_point, answer), []
        for samples, times in calls:
            for d in stream.feed(samples, times):
                row: list[object] = [int(d.status), d.label, d.window_label, d.margin, d.sample, d.time_us]
                if d.status == 0:
                    logits, given = seen[-1]
                    row += [logits.tolist(), softmax_of_int8(logits, graph.output.scale), given.tolist()]
                found.append(row)
        return found


ROWS = """
    const rows = (decisions, firmware) => decisions.map((d) => {
      const row = [d.status, d.label, d.windowLabel, d.margin, d.sample, d.timeUs];
      return d.status ? row : [...row, [...d.logits], d.probabilities, [...firmware.encode(d.window)]];
    });
"""
"""What `Site.expected` gives, of the page's decisions."""


def make_site(factory: pytest.TempPathFactory) -> Site:
    """The page of a model of GAF images; made by whoever comes first, for all processes."""

    def make(folder: Path) -> None:
        bundle = make_bundle(folder / "bundle", sensor_contract(**encoded("gasf+gadf")))
        make_page(bundle.path, folder / "page", SETTINGS)

    folder = made_once(factory, "page", make)
    return Site(folder / "page", read_firmware(load_bundle(folder / "bundle"), SETTINGS))
