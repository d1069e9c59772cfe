"""The page's scripts in node: the module's answers, the motion sensor's clock, words."""

import numpy as np
import pytest

from tests.firmware_bridge.page_in_node import MODULE, RULES, in_node, missing_node
from tests.firmware_bridge.pages import ROWS, Site
from vskd.bundle.stream.conditions import Condition

FILES = (*RULES, *MODULE, "motion.js", "words.js")


@pytest.fixture(autouse=True)
def _node() -> None:
    if missing_node():
        pytest.skip(missing_node())


def test_the_example_gives_every_number_of_python(site: Site) -> None:
    """However it is cut into pieces."""
    calls, decisions = site.firmware.golden_stream.calls, site.firmware.golden_stream.decisions
    script = f"""{ROWS}
        const firmware = await vskd.Firmware.open(vskd.module, vskd.weights, vskd.contract);
        const {{ samples, times, count }} = vskd.readRecording("example.csv", vskd.example, vskd.contract);
        return given.map((size) => {{
          const found = [];
          firmware.reset();
          for (let at = 0; at < count; at += size) {{
            const decisions = firmware.push(samples.subarray(3 * at, 3 * (at + size)), times.subarray(at, at + size));
            found.push(...rows(decisions, firmware));
          }}
          return found;
        }});
    """
    whole, pieces = in_node(site.folder, (*FILES, "example.js"), script, [100_000, 7])
    expected = site.expected(calls)
    assert whole == expected
    assert pieces == expected
    assert len(expected) == len(decisions) > 40
    assert {0, 1, 2, 3, 4, 7} <= {row[0] for row in expected}


def test_a_phone_becomes_the_contract_s_clock_unit_and_sign(site: Site) -> None:
    """60 Hz in m/s^2 of a browser of Apple -> 50 Hz in g; a line stays a line, and a silence a silence."""
    times = np.concatenate([np.arange(120) / 60, 10 + np.arange(30) / 60]) * 1000
    events = [(t, {"x": -9.80665 * t / 1000, "y": 0.0, "z": -9.80665}) for t in times.tolist()]
    script = """
        const stream = new vskd.MotionStream(vskd.contract, vskd.signOf("Apple Computer, Inc.")), found = [];
        for (const [time, acceleration] of given) {
          const { samples, times } = stream.add(time, acceleration);
          times.forEach((at, n) => found.push([Number(at), ...samples.subarray(3 * n, 3 * n + 3)]));
        }
        const hz = stream.meter.hz;
        return { found, hz, none: stream.add(20000, { x: null, y: null, z: null }), slow: stream.isSlow };
    """
    answer = in_node(site.folder, FILES, script, events)
    found = np.array(answer["found"])
    first, second = found[found[:, 0] < 5e6], found[found[:, 0] > 5e6]
    np.testing.assert_allclose(np.diff(first[:, 0]), 20_000, atol=1)
    np.testing.assert_allclose(found[:, 1], found[:, 0] / 1e6, rtol=1e-5, atol=1e-5)
    assert found[:, 2].tolist() == [0] * len(found) and found[:, 3] == pytest.approx(1, abs=1e-6)
    assert (len(first), len(second)) == (100, 25) and second[0, 0] == 10_000_000
    assert answer["none"] is None and answer["slow"] is False
    assert answer["hz"] == pytest.approx(60, rel=0.01)


def test_a_slow_sensor_is_known(site: Site) -> None:
    script = """
        const stream = new vskd.MotionStream(vskd.contract, 1), said = [];
        for (let n = 0; n < 40; n += 1) said.push([stream.isSlow, stream.add(50 * n, { x: 0, y: 0, z: 9.8 })][0]);
        return [said[5], said[39], stream.meter.hz];
    """
    assert in_node(site.folder, FILES, script) == [None, True, pytest.approx(20)]


def test_axes_signs_and_unit_of_the_device_come_back(site: Site) -> None:
    """The module maps the device's samples to the contract; a phone's are put where it takes them from."""
    script = """
        const contract = structuredClone(vskd.contract);
        Object.assign(contract.device, { axes: [1, 0, 2], signs: [1, -1, 1], factor: 0.5 });
        const stream = new vskd.MotionStream(contract, 1);
        return [...stream.add(0, { x: 9.80665, y: 2 * 9.80665, z: 3 * 9.80665 }).samples];
    """
    sample = in_node(site.folder, FILES, script)
    assert [0.5 * sample[1], -0.5 * sample[0], 0.5 * sample[2]] == pytest.approx([1, 2, 3])


def test_permission_is_asked_for_and_a_refusal_is_said(site: Site) -> None:
    script = """
        const page = (ask) => ({ isSecureContext: true, DeviceMotionEvent: { requestPermission: ask } });
        const without = { isSecureContext: true, DeviceMotionEvent: {} };
        const thrown = page(async () => { throw new Error("no gesture"); });
        const asked = [page(async () => "granted"), page(async () => "denied"), thrown];
        const pages = [...asked, without, { isSecureContext: true }, {}];
        return Promise.all(pages.map(vskd.askForMotion));
    """
    granted, denied, thrown, old, none, insecure = in_node(site.folder, FILES, script)
    assert granted is None and old is None
    assert "not allowed" in denied and "no gesture" in thrown
    assert "no motion sensor" in none and "https" in insecure


def test_every_status_is_said_in_words(site: Site) -> None:
    script = """
        const said = vskd.contract.statuses.map((_, status) => {
          const decision = { status, label: status ? -1 : 2, probabilities: [0.1, 0.2, 0.6, 0.1] };
          return [vskd.nameOf(decision, vskd.contract), vskd.reasonOf(decision, vskd.contract)];
        });
        return { said, times: [3.2, 125.2, 3725.2].map(vskd.timeText) };
    """
    answer = in_node(site.folder, FILES, script)
    assert len(answer["said"]) == len(Condition) and answer["said"][0] == ["größer", "this window: größer 60 %"]
    assert answer["said"][2] == ["GAP", "samples are missing, or time went back; the window starts anew"]
    assert answer["times"] == ["3.20 s", "2:05.20", "1:02:05.20"]
